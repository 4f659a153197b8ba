package lab.recall.study;

import java.util.Arrays;
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

/**
 * The pieces of one study: what a store has of them, what is missing, and what an engine finds, which is kept at once.
 *
 * <pre>{@code
 * for (int piece : work.missing()) {
 *     work.found(piece, ..);                                 // or work.failed(piece, reason)
 * }
 * }</pre>
 *
 * One thread at a time tells it of pieces; they are named by their places in the plan.
 */
public final class Work<Q, P, R> {
    private final Study<Q, P, R, ?> study;
    private final LanguageModel model;
    private final Q request;
    private final List<P> pieces;
    private final Store store;
    private final String settings;
    private final Progress progress;
    private final Object[] found;
    private final Map<Integer, String> failed = new LinkedHashMap<>();
    private long done;
    private int taken;

    /** A piece that could not be computed, as the store keeps it. */
    private record Failed(String study, int piece, String reason) {
    }

    Work(Study<Q, P, R, ?> study, LanguageModel model, Q request, List<P> pieces, Store store, Progress progress) {
        this.study = study;
        this.model = model;
        this.request = request;
        this.pieces = pieces;
        this.store = store;
        this.settings = store.keeps() ? settings(study, model, request) : "";
        this.progress = progress;
        this.found = new Object[pieces.size()];
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

    private String key(int piece) {
        return store.keeps() ? new Digest().add(settings).add(Json.compact(pieces.get(piece))).hex() : "";
    }

    /** Where the store keeps why a piece failed. */
    private static String failure(String key) {
        return new Digest().add("failure").add(key).hex();
    }

    /** Takes what the store has. */
    void takeKept(boolean retriesFailed) {
        for (int i = 0; i < found.length && store.keeps(); i++) {
            Interruption.betweenPieces();
            String key = key(i);
            P piece = pieces.get(i);
            Optional<R> kept = store.read(key, study.found()).filter(r -> study.fits(model, request, piece, r));
            if (kept.isPresent()) {
                found[i] = kept.get();
                taken++;
                told(i);
            } else if (!retriesFailed) {
                int at = i;
                store.read(failure(key), Failed.class).ifPresent(f -> failed.put(at, f.reason));
            }
        }
    }

    private void told(int piece) {
        done += study.size(model, request, pieces.get(piece));
        progress.to(done);
    }

    int taken() {
        return taken;
    }

    /** The study. */
    public Study<Q, P, R, ?> study() {
        return study;
    }

    /** The model that is asked. */
    public LanguageModel model() {
        return model;
    }

    /** What is asked. */
    public Q request() {
        return request;
    }

    /** A piece by its place in the plan. */
    public P piece(int piece) {
        return pieces.get(piece);
    }

    /** The pieces that have neither been found nor failed, by their places in the plan. */
    public int[] missing() {
        return IntStream.range(0, found.length).filter(i -> found[i] == null && !failed.containsKey(i)).toArray();
    }

    /** Computes a piece in this thread. */
    public void computeHere(int piece) {
        found(piece, study.compute(model, request, pieces.get(piece), units -> progress.to(done + units)));
    }

    /** Keeps what a piece gave. */
    public void found(int piece, R value) {
        store.write(key(piece), value);
        found[piece] = value;
        told(piece);
    }

    /** Keeps that a piece could not be computed; the others still are. */
    public void failed(int piece, String reason) {
        store.write(failure(key(piece)), new Failed(study.name(), piece, reason));
        failed.put(piece, reason);
    }

    /** What pieces gave, in the plan's order; null for those that are missing. */
    @SuppressWarnings("unchecked")
    List<R> foundSoFar() {
        return (List<R>) Arrays.asList(found.clone());
    }

    /**
     * What all pieces gave, in the plan's order.
     *
     * @throws PiecesFailed if some failed
     */
    @SuppressWarnings("unchecked")
    List<R> found() {
        if (!failed.isEmpty()) {
            throw new PiecesFailed(study.title(model, request), failed, found.length);
        }
        if (missing().length > 0) {
            throw new IllegalStateException(missing().length + " pieces of " + study.name() + " were not computed");
        }
        return (List<R>) Arrays.asList(found);
    }
}
