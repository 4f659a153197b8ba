package lab.recall.model;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongConsumer;
import lab.recall.base.BadRequest;
import lab.recall.math.Softmax;

/**
 * Many runs that differ from base passes by interventions, computed together and only where they can differ.
 *
 * <pre>{@code
 * Forks forks = model.forks();
 * for (int t = 0; t < corrupt.length(); t++) {
 *     forks.add(corrupt, Intervention.patch(new Site(4, RESID_POST, t), clean));
 * }
 * double[] p = forks.probabilities(answer);                 // one for each fork, in the order in which they were added
 * }</pre>
 *
 * A fork equals its base before the first touched layer and left of the first touched token, so only the rows (fork, token) after that are
 * computed, all forks that are alive in a layer in one product. A fork's numbers do not depend on the others or on the number of threads.
 * A base must have kept its states, as {@link LanguageModel#run(int...)} does.
 */
public final class Forks {
    private final LanguageModel model;
    private final List<Pass> bases = new ArrayList<>();
    private final List<List<Intervention>> changes = new ArrayList<>();
    private LongConsumer progress = rows -> { };
    private long rows;

    Forks(LanguageModel model) {
        this.model = model;
    }

    /**
     * Adds a fork of a pass of this model.
     *
     * @throws BadRequest when it is a pass of another model
     */
    public Forks add(Pass base, Intervention... changes) {
        return add(base, List.of(changes));
    }

    /**
     * Adds a fork of a pass of this model.
     *
     * @throws BadRequest when it is a pass of another model
     */
    public Forks add(Pass base, List<Intervention> changes) {
        if (base.model() != model) {
            throw new BadRequest("", "a fork's base must be a pass of " + model.name() + ", not of " + base.model().name());
        }
        bases.add(base);
        this.changes.add(List.copyOf(changes));
        return this;
    }

    /** Calls back with the number of token rows done, now and then, from the calling thread. */
    public Forks onProgress(LongConsumer rowsDone) {
        progress = rowsDone;
        return this;
    }

    /** Number of forks. */
    public int size() {
        return bases.size();
    }

    /** Token rows that the forks need; a row is one token through one layer. */
    public long plannedRows() {
        long planned = 0;
        for (Run r : runs(null, 0)) {
            planned += (long) r.tokens() * (model.layers() - r.entry);
        }
        return planned;
    }

    /** Token rows computed so far. */
    public long rows() {
        return rows;
    }

    /**
     * Probability of one token after the last one, for each fork.
     *
     * @throws BadRequest when an answer, a base or an intervention does not fit
     * @throws lab.recall.base.Unsolvable when logits are not finite
     */
    public double[] probabilities(int answer) {
        int[] answers = new int[size()];
        Arrays.fill(answers, answer);
        return probabilities(answers);
    }

    /**
     * Probability of each fork's own answer after its last token.
     *
     * @throws BadRequest when an answer, a base or an intervention does not fit
     * @throws lab.recall.base.Unsolvable when logits are not finite
     */
    public double[] probabilities(int[] answers) {
        for (int id : answers) {
            model.requireId(id);
        }
        double[] p = new double[size()];
        compute(runs(null, 1), (fork, token, logits, at) -> {
            p[fork] = Softmax.probability(logits, at, model.vocabulary(), answers[fork]);
            if (Double.isNaN(p[fork])) {
                throw model.notFinite();
            }
        });
        return p;
    }

    /**
     * The most probable next token of each fork.
     *
     * @throws BadRequest when a base or an intervention does not fit
     * @throws lab.recall.base.Unsolvable when logits are not finite
     */
    public int[] tokens() {
        int[] best = new int[size()];
        compute(runs(null, 1), (fork, token, logits, at) -> {
            model.requireFinite(logits, at);
            best[fork] = Softmax.argmax(logits, at, model.vocabulary());
        });
        return best;
    }

    /**
     * Logits of the last token, [forks][V].
     *
     * @throws BadRequest when a base or an intervention does not fit
     */
    public float[][] logits() {
        float[][] all = new float[size()][];
        compute(runs(null, 1), (fork, token, logits, at) -> all[fork] = Arrays.copyOfRange(logits, at, at + model.vocabulary()));
        return all;
    }

    /**
     * Each fork as a pass with its last logits and what is asked for.
     *
     * @throws BadRequest when a base, a point or an intervention does not fit
     */
    public List<Pass> passes(Recording keep) {
        float[][] last = new float[size()][];
        List<Run> runs = runs(keep.table(model), 1);
        compute(runs, (fork, token, logits, at) -> last[fork] = Arrays.copyOfRange(logits, at, at + model.vocabulary()));
        List<Pass> passes = new ArrayList<>(size());
        for (int i = 0; i < size(); i++) {
            passes.add(new Pass(model, runs.get(i), last[i]));
        }
        return passes;
    }

    /**
     * How likely targets are after each fork's prompt, [fork][target]. All of a target but its last token stands at the end of the fork's
     * base.
     *
     * @param targets for each fork some targets, token ids each
     * @throws BadRequest when a base, a target or an intervention does not fit
     * @throws lab.recall.base.Unsolvable when logits are not finite
     */
    public TargetScore[][] scores(List<List<int[]>> targets) {
        TargetScore.Reader reader = new TargetScore.Reader(model, targets);
        List<Run> runs = new ArrayList<>(size());
        for (int i = 0; i < size(); i++) {
            Run run = Run.fork(bases.get(i), changes.get(i), null, reader.tokens(i));
            if (run.tokens() < reader.tokens(i)) {
                throw new BadRequest("", "fork " + i + ": a target of " + reader.tokens(i)
                        + " tokens begins left of its first touched token");
            }
            runs.add(run);
        }
        compute(runs, (fork, token, logits, at) -> reader.read(fork, bases.get(fork).length() - token, logits, at));
        return reader.scores();
    }

    private interface Sink {
        void accept(int fork, int token, float[] logits, int at);
    }

    private List<Run> runs(boolean[][] keep, int logits) {
        List<Run> runs = new ArrayList<>(size());
        for (int i = 0; i < size(); i++) {
            runs.add(Run.fork(bases.get(i), changes.get(i), keep, logits));
        }
        return runs;
    }

    private void compute(List<Run> runs, Sink sink) {
        Map<Run, Integer> number = new IdentityHashMap<>();
        for (int i = 0; i < runs.size(); i++) {
            number.put(runs.get(i), i);
        }
        rows += model.engine().run(runs, (run, token, logits, at) -> sink.accept(number.get(run), token, logits, at), progress);
    }
}
