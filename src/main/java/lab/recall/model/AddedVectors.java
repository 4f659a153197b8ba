package lab.recall.model;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntPredicate;
import lab.recall.base.BadRequest;
import lab.recall.math.Parallel;

/**
 * Forks that add a vector at one site each, all in one layer: losses are read from the logits of their last tokens, and their gradients
 * with respect to the vectors come back. The inner loop of rank-one editing.
 *
 * <pre>{@code
 * var added = AddedVectors.at(model, 12, OUT);
 * for (Pass base : bases) added.add(base, subjectLast, delta, 1);       // reads the last token's logits
 * added.forward((fork, i, logits, at) -> ..);                           // puts d loss / d logits in their place
 * float[][] gradients = added.backward(fork -> true);                   // [forks][width]
 * }</pre>
 *
 * Only what comes after the layer and the token is computed, forward and back. A base must have kept its states.
 */
public final class AddedVectors {
    /**
     * Reads the logits of the {@code i}-th of a fork's last tokens and puts d loss / d logits in their place. May be called by several
     * threads.
     */
    public interface Head {
        /**
         * One row, read and overwritten.
         *
         * @param at where the row of V numbers begins
         */
        void read(int fork, int i, float[] logits, int at);
    }

    private static final int HEAD_ROWS = 32;
    private static final Workspace.Slot LAST = Workspace.slot();
    private static final Workspace.Slot NORMED = Workspace.slot();
    private static final Workspace.Slot LOGITS = Workspace.slot();

    private final LanguageModel model;
    private final int layer;
    private final HookPoint point;
    private final boolean[][] gradients;
    private final boolean[][] keep;
    private final List<Run> runs = new ArrayList<>();
    private final List<Integer> first = new ArrayList<>();
    private int rows;
    private List<Pass> passes;
    private float[] dLogits;

    private AddedVectors(LanguageModel model, int layer, HookPoint point) {
        this.model = model;
        this.layer = layer;
        this.point = point.addedAt();
        this.gradients = Recording.gradients().table(model);
        this.keep = this.point.equals(HookPoint.RESID_POST) ? null : Recording.of(this.point.name(layer)).table(model);
        model.requireGradients(keep);
    }

    /** No fork yet; all will add their vectors at this point of this layer. */
    public static AddedVectors at(LanguageModel model, int layer, HookPoint point) {
        return new AddedVectors(model, layer, point);
    }

    /** About what a fork of so many tokens holds from {@link #forward} to {@link #backward}. */
    public static long bytes(LanguageModel model, int layer, int tokens) {
        long numbers = model.block(0).tapePoints().stream().mapToLong(model::width).sum() + model.width();
        return numbers * (model.layers() - layer) * tokens * Float.BYTES;
    }

    /**
     * Adds a fork.
     *
     * @param vector [width of the point], the caller's own: it must stay as it is until {@link #backward} has returned
     * @param reads  of how many last tokens the logits are read
     * @throws BadRequest when more tokens are to be read than there are from it on
     */
    public void add(Pass base, int token, float[] vector, int reads) {
        if (reads < 0 || reads > base.length() - token) {
            throw new BadRequest("reads", reads + ", expected a whole number from 0 to " + (base.length() - token)
                    + ", the tokens from the vector's on");
        }
        base.requireOwnMemory("gradients");
        runs.add(Run.fork(base, List.of(new Intervention.Add(new Site(layer, point, token), vector)), gradients, 0));
        first.add(rows);
        rows += reads;
    }

    private int reads(int fork) {
        return (fork + 1 < first.size() ? first.get(fork + 1) : rows) - first.get(fork);
    }

    /**
     * Runs the forks and lets the head read.
     *
     * @throws lab.recall.base.Unsolvable when logits are not finite
     */
    public void forward(Head head) {
        model.engine().run(runs, (run, token, logits, at) -> { }, done -> { });
        passes = runs.stream().map(r -> new Pass(model, r, null)).toList();
        int d = model.width();
        int v = model.vocabulary();
        int[] owner = new int[rows];
        for (int f = 0; f < runs.size(); f++) {
            Arrays.fill(owner, first.get(f), first.get(f) + reads(f), f);
        }
        dLogits = new float[Math.multiplyExact(rows, v)];
        Parallel.forEach((rows + HEAD_ROWS - 1) / HEAD_ROWS, chunk -> {
            int from = chunk * HEAD_ROWS;
            int count = Math.min(rows, from + HEAD_ROWS) - from;
            Workspace work = Workspace.own();
            float[] last = work.floats(LAST, HEAD_ROWS * d);
            float[] normed = work.floats(NORMED, HEAD_ROWS * d);
            float[] logits = work.floats(LOGITS, HEAD_ROWS * v);
            for (int i = 0; i < count; i++) {
                int f = owner[from + i];
                int token = runs.get(f).tokens() - reads(f) + from + i - first.get(f);
                System.arraycopy(passes.get(f).values(model.layers() - 1, HookPoint.RESID_POST), token * d, last, i * d, d);
            }
            model.finalNorm().forward(last, 0, count, normed, 0);
            model.logits(normed, count, logits);
            for (int i = 0; i < count; i++) {
                model.requireFinite(logits, i * v);
                head.read(owner[from + i], from + i - first.get(owner[from + i]), logits, i * v);
            }
            System.arraycopy(logits, 0, dLogits, from * v, count * v);
        });
    }

    /** Gradients with respect to the vectors of the forks that are wanted; null for the others. */
    public float[][] backward(IntPredicate wanted) {
        int d = model.width();
        float[][] found = new float[runs.size()][];
        List<Integer> forks = new ArrayList<>();
        List<BackBatch.Cotangent> cotangents = new ArrayList<>();
        int tokens = 0;
        for (int f = 0; f < runs.size(); f++) {
            if (wanted.test(f)) {
                BackBatch.Cotangent c = new BackBatch.Cotangent(passes.get(f), runs.get(f).from, keep);
                c.row = tokens;
                tokens += c.tokens();
                cotangents.add(c);
                forks.add(f);
            }
        }
        if (forks.isEmpty()) {
            return found;
        }
        float[] dNormed = new float[rows * d];
        headBackward(dNormed);
        float[] grad = new float[tokens * d];
        Parallel.forEach(forks.size(), i -> {
            int f = forks.get(i);
            int from = first.get(f);
            int reads = reads(f);
            int at = (runs.get(f).tokens() - reads) * d;
            model.finalNorm().backward(passes.get(f).values(model.layers() - 1, HookPoint.RESID_POST), at, reads,
                    dNormed, from * d, grad, cotangents.get(i).row * d + at, null);
        });
        boolean residual = point.equals(HookPoint.RESID_POST);
        new Backward(model).run(cotangents, grad, residual ? layer + 1 : layer);
        for (int i = 0; i < forks.size(); i++) {
            int width = model.width(point);
            float[] all = residual ? grad : cotangents.get(i).kept[layer][point.number()];
            int at = residual ? cotangents.get(i).row * d : 0;
            found[forks.get(i)] = Arrays.copyOfRange(all, at, at + width);
        }
        return found;
    }

    private void headBackward(float[] dNormed) {
        int d = model.width();
        int v = model.vocabulary();
        int chunks = (rows + HEAD_ROWS - 1) / HEAD_ROWS;
        if (chunks < Parallel.threads()) {
            model.headBackward(dLogits, 0, rows, dNormed, 0);       // the product splits itself
            return;
        }
        Parallel.forEach(chunks, chunk -> {
            int from = chunk * HEAD_ROWS;
            model.headBackward(dLogits, from * v, Math.min(rows, from + HEAD_ROWS) - from, dNormed, from * d);
        });
    }
}
