package lab.recall.study;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import lab.recall.base.Digest;
import lab.recall.base.Interruption;
import lab.recall.base.Json;
import lab.recall.base.Progress;
import lab.recall.model.LanguageModel;
import lab.recall.view.ProgressBar;

/**
 * Runs the pieces of a study on this machine, one after another: those that a store has are taken from there, all others are computed and
 * kept at once.
 *
 * <pre>{@code
 * Runner.shown().run(study, model, request)                  // in a notebook: a progress bar, and the user's store
 * Runner.of(Store.at(folder), Store.user(), progress)        // a command: its own pieces in a folder
 * }</pre>
 *
 * A piece's key is the SHA-256 of the study and its version, the number and kind of the arithmetic, the model's digest, the settings that
 * matter, and the piece itself.
 */
public final class Runner {
    private final Store own;
    private final Store shared;
    private final Progress progress;
    private int taken;

    private Runner(Store own, Store shared, Progress progress) {
        this.own = own;
        this.shared = shared;
        this.progress = progress;
    }

    /** With a progress bar; all work is kept in the user's store. */
    public static Runner shown() {
        return of(Store.user(), Store.user(), ProgressBar.progress());
    }

    /** Keeps nothing and tells nobody. */
    public static Runner silent() {
        return of(Store.none(), Store.none(), Progress.silent());
    }

    /**
     * With stores of its own.
     *
     * @param own    keeps the pieces of this request
     * @param shared keeps what other requests on the model ask too
     */
    public static Runner of(Store own, Store shared, Progress progress) {
        return new Runner(own, shared, progress);
    }

    /** Told how far the work is. */
    public Progress progress() {
        return progress;
    }

    /** How many pieces of this request's own came from its store. */
    public int taken() {
        return taken;
    }

    /** Runs a study. */
    public <Q, P, R, T> T run(Study<Q, P, R, T> study, LanguageModel model, Q request) {
        List<P> pieces = study.plan(model, request, this);
        Store store = study.isShared() ? shared : own;
        String settings = store.keeps() ? settings(study, model, request) : "";
        List<R> found = new ArrayList<>(pieces.size());
        long total = pieces.stream().mapToLong(p -> study.size(model, request, p)).sum();
        long before = 0;
        progress.start(study.title(model, request), study.unit(), total);
        try {
            for (P piece : pieces) {
                Interruption.betweenPieces();
                String key = store.keeps() ? new Digest().add(settings).add(Json.compact(piece)).hex() : "";
                Optional<R> kept = store.read(key, study.found()).filter(r -> study.fits(model, request, piece, r));
                if (kept.isPresent()) {
                    found.add(kept.get());
                    taken += study.isShared() ? 0 : 1;
                } else {
                    long done = before;
                    R value = study.compute(model, request, piece, units -> progress.to(done + units));
                    store.write(key, value);
                    found.add(value);
                }
                before += study.size(model, request, piece);
                progress.to(before);
            }
        } finally {
            progress.finish();
        }
        return study.combine(model, request, pieces, found);
    }

    private static <Q> String settings(Study<Q, ?, ?, ?> study, LanguageModel model, Q request) {
        Map<String, Object> all = new LinkedHashMap<>();
        all.put("study", study.name());
        all.put("version", study.version());
        all.put("arithmetic", LanguageModel.arithmetic());
        all.put("model", ModelDigest.of(model));
        all.put("settings", study.settings(request));
        return Digest.of(Json.compact(all));
    }
}
