package lab.recall.study;

import java.util.List;
import lab.recall.base.Interruption;
import lab.recall.base.Progress;
import lab.recall.model.LanguageModel;
import lab.recall.view.ProgressBar;

/**
 * Runs the pieces of a study: those that a store has are taken from there, all others are computed by an engine, on this machine unless
 * another is given, and kept at once.
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
    private final PieceEngine engine;
    private final boolean retriesFailed;
    /** Where pieces are written down that nobody has; null where they are computed. */
    private final Plan plan;
    private int taken;

    private Runner(Store own, Store shared, Progress progress, PieceEngine engine, boolean retriesFailed, Plan plan) {
        this.own = own;
        this.shared = shared;
        this.progress = progress;
        this.engine = engine;
        this.retriesFailed = retriesFailed;
        this.plan = plan;
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
        return new Runner(own, shared, progress, PieceEngine.local(), false, null);
    }

    /**
     * The same on another engine.
     *
     * @param retries whether pieces that failed before are tried again
     */
    public Runner on(PieceEngine other, boolean retries) {
        return new Runner(own, shared, progress, other, retries, null);
    }

    /** The same, but nothing is computed or kept: what is missing is written down. */
    Runner planning(Plan missing) {
        return new Runner(own, shared, progress, engine, retriesFailed, missing);
    }

    /** Whether nothing is to be computed: what a study would find is supposed. */
    public boolean isPlan() {
        return plan != null;
    }

    /** Told how far the work is. */
    public Progress progress() {
        return progress;
    }

    /** How many pieces of this request's own came from its store. */
    public int taken() {
        return taken;
    }

    /**
     * Runs a study.
     *
     * @throws PiecesFailed if some of its pieces could not be computed on the engine; all others are kept then
     */
    public <Q, P, R, T> T run(Study<Q, P, R, T> study, LanguageModel model, Q request) {
        List<P> pieces = study.plan(model, request, this);
        Work<Q, P, R> work = new Work<>(study, model, request, pieces, study.isShared() ? shared : own, progress);
        progress.start(study.title(model, request), study.unit(), pieces.stream().mapToLong(p -> study.size(model, request, p)).sum());
        try {
            work.takeKept(retriesFailed);
            taken += study.isShared() ? 0 : work.taken();
            if (isPlan()) {
                plan.add(study, model, request, pieces, work.missing());
                return study.supposed(model, request, pieces, work.foundSoFar());
            }
            if (work.missing().length > 0) {
                engine.compute(work);
            }
            Interruption.betweenPieces();
        } finally {
            progress.finish();
        }
        return study.combine(model, request, pieces, work.found());
    }
}
