package lab.recall.model;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongConsumer;
import lab.recall.math.Parallel;

/**
 * Computes runs, many together, layer by layer: in each layer all rows that can differ from their base go through one product.
 *
 * <p>A run enters at its first touched layer with the rows from its first touched token on; what lies before is its base's. Rows are
 * computed one by one in a fixed order of operations, so a run's numbers do not depend on which runs it is computed with.
 */
final class Engine {
    /** Receives the logits of one token of one run; the array is used again after the call. */
    interface LogitsSink {
        void accept(Run run, int token, float[] logits, int at);
    }

    /** Rows that go through a layer together: enough for the products, few enough for the caches. */
    private static final int CHUNK_ROWS = 256;
    static final int HEAD_ROWS = 32;
    private static final Workspace.Slot ROWS = Workspace.slot();
    private static final Workspace.Slot NORMED = Workspace.slot();
    private static final Workspace.Slot LOGITS = Workspace.slot();
    /** Residual rows of a group of runs stay within this many bytes. */
    private static final long GROUP_BYTES = 256L << 20;

    private final LanguageModel model;
    private final LongAdder allRows;

    Engine(LanguageModel model) {
        this(model, new LongAdder());
    }

    private Engine(LanguageModel model, LongAdder rows) {
        this.model = model;
        this.allRows = rows;
    }

    /** That of a model made of this one; their rows are counted together. */
    Engine of(LanguageModel other) {
        return new Engine(other, allRows);
    }

    /** Token rows of all runs so far. */
    long rows() {
        return allRows.sum();
    }

    /**
     * Computes all runs. What they keep is in {@link Run#kept} afterwards.
     *
     * @param sink receives the logits that the runs ask for
     * @param done called with the number of rows finished so far
     * @return token rows computed; a row is one token through one layer
     */
    long run(List<Run> runs, LogitsSink sink, LongConsumer done) {
        List<Run> order = new ArrayList<>(runs);
        order.sort(Comparator.comparingInt((Run r) -> r.entry));
        long computed = 0;
        int i = 0;
        while (i < order.size()) {
            int first = i;
            long rows = 0;
            while (i < order.size() && (i == first || (rows + order.get(i).tokens()) * model.width() * Float.BYTES <= GROUP_BYTES)) {
                order.get(i).row = Math.toIntExact(rows);
                rows += order.get(i).tokens();
                i++;
            }
            computed = group(order.subList(first, i), Math.toIntExact(rows), sink, done, computed);
        }
        return computed;
    }

    private long group(List<Run> runs, int rows, LogitsSink sink, LongConsumer done, long computedBefore) {
        int d = model.width();
        float[] resid = new float[Math.multiplyExact(rows, d)];
        long computed = computedBefore;
        int alive = 0;
        for (Run r : runs) {
            if (r.keep != null) {
                r.kept = new float[model.layers() + 1][HookPoint.count()][];
            }
        }
        for (int layer = runs.get(0).entry; layer <= model.layers(); layer++) {
            int entered = alive;
            while (alive < runs.size() && runs.get(alive).entry == layer) {
                alive++;
            }
            load(runs.subList(entered, alive), layer, resid);
            List<Run> at = runs.subList(0, alive);
            if (layer < model.layers()) {
                computed += layer(at, layer, resid);
                done.accept(computed);
            } else {
                head(at, resid, sink);
            }
        }
        return computed;
    }

    /** Fills the residual rows of runs that enter at a layer. */
    private void load(List<Run> entering, int layer, float[] resid) {
        int d = model.width();
        for (Run r : entering) {
            int at = r.row * d;
            if (layer == 0) {
                model.embed(r.ids, r.from, r.tokens(), resid, at);
            } else {
                float[] values = r.base.values(layer - 1, HookPoint.RESID_POST);
                System.arraycopy(values, (r.from - r.base.from()) * d, resid, at, r.tokens() * d);
            }
        }
    }

    /** Hooks of the residual stream between two layers. */
    private void touchResidual(Batch.Segment s, int layer, float[] resid) {
        int d = model.width();
        int at = s.run().row * d;
        if (layer == 0) {
            Batch.touch(s, model.layers(), HookPoint.EMBED, resid, at, d, d);
        } else {
            Batch.touch(s, layer - 1, HookPoint.RESID_POST, resid, at, d, d);
        }
        if (layer < model.layers()) {
            Batch.touch(s, layer, HookPoint.RESID_PRE, resid, at, d, d);
        }
    }

    private long layer(List<Run> alive, int layer, float[] resid) {
        Block block = model.block(layer);
        Map<Pass, Past> pasts = pasts(alive, layer, block);
        List<List<Run>> chunks = chunks(alive);
        Runnable[] work = new Runnable[chunks.size()];
        long rows = 0;
        for (int i = 0; i < work.length; i++) {
            List<Run> chunk = chunks.get(i);
            work[i] = () -> forward(chunk, layer, block, pasts, resid);
            rows += chunk.stream().mapToInt(Run::tokens).sum();
        }
        allRows.add(rows);
        if (work.length >= Parallel.threads()) {
            Parallel.forEach(work.length, i -> work[i].run());     // whole layers side by side: no hand-over inside
        } else {
            for (Runnable r : work) {
                r.run();                                            // each product splits itself
            }
        }
        if (Thread.currentThread().isInterrupted()) {
            throw new CancellationException("interrupted");
        }
        return rows;
    }

    private void forward(List<Run> chunk, int layer, Block block, Map<Pass, Past> pasts, float[] resid) {
        List<Batch.Segment> segments = new ArrayList<>(chunk.size());
        int first = chunk.get(0).row;
        int rows = 0;
        for (Run r : chunk) {
            Batch.Segment s = new Batch.Segment(r, r.row - first, r.from, r.tokens(), r.from == 0 ? null : pasts.get(r.base));
            touchResidual(s, layer, resid);
            segments.add(s);
            rows += r.tokens();
        }
        block.forward(new Batch(layer, segments, rows, resid, first * model.width(), model.width(), Workspace.own()));
    }

    /** What each base pass has left behind in this layer for the runs that go on from it. */
    private static Map<Pass, Past> pasts(List<Run> alive, int layer, Block block) {
        Map<Pass, List<Run>> runs = new IdentityHashMap<>();
        for (Run r : alive) {
            if (r.from > 0) {
                runs.computeIfAbsent(r.base, b -> new ArrayList<>()).add(r);
            }
        }
        List<Pass> bases = new ArrayList<>(runs.keySet());
        Past[] found = new Past[bases.size()];
        Parallel.forEach(found.length, i -> found[i] = block.past(bases.get(i), layer, runs.get(bases.get(i))));
        Map<Pass, Past> pasts = new IdentityHashMap<>();
        for (int i = 0; i < found.length; i++) {
            pasts.put(bases.get(i), found[i]);
        }
        return pasts;
    }

    /** Splits neighbouring runs into chunks of about equal size, so that each thread has some. */
    static List<List<Run>> chunks(List<Run> alive) {
        long rows = alive.stream().mapToLong(Run::tokens).sum();
        int threads = Parallel.threads();
        long count = Math.max(1, Math.min((rows + CHUNK_ROWS - 1) / CHUNK_ROWS, alive.size()));
        if (threads > 1 && alive.size() >= threads && rows >= 16L * threads) {
            count = Math.min(alive.size(), (count + threads - 1) / threads * threads);
        }
        long target = (rows + count - 1) / count;
        List<List<Run>> chunks = new ArrayList<>();
        int start = 0;
        long inChunk = 0;
        for (int i = 0; i < alive.size(); i++) {
            if (i > start && inChunk + alive.get(i).tokens() > target) {
                chunks.add(alive.subList(start, i));
                start = i;
                inChunk = 0;
            }
            inChunk += alive.get(i).tokens();
        }
        if (start < alive.size()) {
            chunks.add(alive.subList(start, alive.size()));
        }
        return chunks;
    }

    /** Final norm and logits of the tokens that are asked for. */
    private void head(List<Run> runs, float[] resid, LogitsSink sink) {
        int d = model.width();
        int vocabulary = model.vocabulary();
        Workspace work = Workspace.own();
        float[] rows = work.floats(ROWS, HEAD_ROWS * d);
        float[] normed = work.floats(NORMED, HEAD_ROWS * d);
        float[] logits = work.floats(LOGITS, HEAD_ROWS * vocabulary);
        Run[] owner = new Run[HEAD_ROWS];
        int[] token = new int[HEAD_ROWS];
        int n = 0;
        for (Run r : runs) {
            touchResidual(new Batch.Segment(r, 0, r.from, r.tokens(), null), model.layers(), resid);
            boolean all = r.keeps(model.layers(), HookPoint.FINAL_NORM) || r.keeps(model.layers(), HookPoint.LOGITS);
            int first = all ? r.from : r.ids.length - r.logits;
            for (int t = first; t < r.ids.length; t++) {
                System.arraycopy(resid, (r.row + t - r.from) * d, rows, n * d, d);
                owner[n] = r;
                token[n++] = t;
                if (n == HEAD_ROWS) {
                    head(n, rows, normed, logits, owner, token, sink);
                    n = 0;
                }
            }
        }
        if (n > 0) {
            head(n, rows, normed, logits, owner, token, sink);
        }
    }

    private void head(int n, float[] rows, float[] normed, float[] logits, Run[] owner, int[] token, LogitsSink sink) {
        int d = model.width();
        int vocabulary = model.vocabulary();
        model.finalNorm().forward(rows, 0, n, normed, 0);
        for (int i = 0; i < n; i++) {
            touchGlobal(owner[i], token[i], HookPoint.FINAL_NORM, normed, i * d, d);
        }
        model.logits(normed, n, logits);
        for (int i = 0; i < n; i++) {
            touchGlobal(owner[i], token[i], HookPoint.LOGITS, logits, i * vocabulary, vocabulary);
            if (token[i] >= owner[i].ids.length - owner[i].logits) {
                sink.accept(owner[i], token[i], logits, i * vocabulary);
            }
        }
    }

    private void touchGlobal(Run run, int token, HookPoint point, float[] values, int at, int width) {
        for (Intervention i : run.changes) {
            if (i.site().point().equals(point) && i.site().token() == token) {
                i.apply(values, at, width);
            }
        }
        if (run.keeps(model.layers(), point)) {
            float[][] kept = run.kept[model.layers()];
            if (kept[point.number()] == null) {
                kept[point.number()] = new float[run.tokens() * width];
            }
            System.arraycopy(values, at, kept[point.number()], (token - run.from) * width, width);
        }
    }
}
