package lab.recall.study;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
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
public class Runner {
    private final Store own;
    private final Store shared;
    private final Progress progress;
    private int taken;

    Runner(Store own, Store shared, Progress progress) {
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
        String settings = keeps(study) ? settings(study, model, request) : "";
        List<R> found = new ArrayList<>(Collections.nCopies(pieces.size(), null));
        progress.start(study.title(model, request), study.unit(), pieces.stream().mapToLong(p -> study.size(model, request, p)).sum());
        try {
            long before = 0;
            for (int i : order(pieces.size())) {
                Interruption.betweenPieces();
                found.set(i, piece(study, model, request, settings, pieces.get(i), before));
                before += study.size(model, request, pieces.get(i));
                progress.to(before);
            }
            Interruption.betweenPieces();
        } finally {
            progress.finish();
        }
        return study.combine(model, request, pieces, found);
    }

    /** In which order pieces are computed: any will do. */
    int[] order(int pieces) {
        return IntStream.range(0, pieces).toArray();
    }

    private boolean keeps(Study<?, ?, ?, ?> study) {
        return (study.isShared() ? shared : own).keeps();
    }

    /** A piece: what is kept of it, or else computed and kept. */
    <Q, P, R> R piece(Study<Q, P, R, ?> study, LanguageModel model, Q request, String settings, P piece, long before) {
        Store store = study.isShared() ? shared : own;
        String key = store.keeps() ? new Digest().add(settings).add(Json.compact(piece)).hex() : "";
        Optional<R> kept = store.read(key, study.found()).filter(r -> study.fits(model, request, piece, r));
        if (kept.isPresent()) {
            taken += study.isShared() ? 0 : 1;
            return kept.get();
        }
        R value = study.compute(model, request, piece, units -> progress.to(before + units));
        store.write(key, value);
        return value;
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
