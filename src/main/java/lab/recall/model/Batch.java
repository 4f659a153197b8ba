package lab.recall.model;

import java.util.ArrayList;
import java.util.List;

/**
 * Rows of one or more runs that go through a layer together, and the hooks on them.
 *
 * <p>Rows are (run, token) pairs; the rows of a run are consecutive tokens, its {@link Segment}. A layer computes a point for all rows,
 * calls {@link #hook}, and goes on with what the hook left there.
 */
public final class Batch {
    /**
     * The rows of one run, or some of them: tokens {@code from .. from + tokens - 1} at rows {@code row ..}.
     *
     * @param past what lies left of the run's first token; null when that is 0
     */
    public record Segment(Run run, int row, int from, int tokens, Past past) {
        /** Whether its first token follows the last one of the block before. */
        public boolean continues() {
            return from > run.from();
        }

        /** Whether the block behind goes on with it. */
        public boolean goesOn() {
            return from + tokens < run.ids.length;
        }
    }

    /**
     * Rows that go through a layer one after another before the next ones do: what they leave on the way stays in the second-level cache.
     */
    static final int BLOCK_ROWS = 64;
    /** More rows than that are not kept together for a run's sake. */
    private static final int MOST_ROWS = 80;

    private final List<Segment> segments;
    private final int rows;
    private final float[] resid;
    private final int at;
    private final int width;
    private final Workspace work;
    private final int layer;
    private final boolean[] asked;
    private List<Batch> blocks;

    /** @param layer 0..L-1, or L for what comes after the last layer */
    Batch(int layer, List<Segment> segments, int rows, float[] resid, int at, int width, Workspace work) {
        this.layer = layer;
        this.segments = segments;
        this.rows = rows;
        this.resid = resid;
        this.at = at;
        this.width = width;
        this.work = work;
        this.asked = asked(layer, segments);
    }

    /** Runs with their rows. */
    public List<Segment> segments() {
        return segments;
    }

    /** Rows in all. */
    public int rows() {
        return rows;
    }

    /** Residual stream, [rows, width], from index {@link #at}. */
    public float[] resid() {
        return resid;
    }

    /** Where the residual stream's first row begins. */
    public int at() {
        return at;
    }

    /** Scratch buffers of the thread at work. */
    public Workspace work() {
        return work;
    }

    /**
     * The same rows in blocks, in order, for a layer that takes them one after another. A run may be split between two blocks, but not one
     * that leaves edges out here.
     */
    public List<Batch> blocks() {
        if (blocks == null) {
            blocks = rows <= MOST_ROWS ? List.of(this) : split();
        }
        return blocks;
    }

    private List<Batch> split() {
        List<Batch> all = new ArrayList<>();
        List<Segment> block = new ArrayList<>();
        int first = 0;
        int count = 0;
        for (Segment s : segments) {
            for (int done = 0; done < s.tokens;) {
                int left = s.tokens - done;
                boolean whole = count + left <= MOST_ROWS || cuts(s) != null;
                if ((!whole && count >= BLOCK_ROWS - BLOCK_ROWS / 4) || (whole && count > 0 && count + left > MOST_ROWS)) {
                    all.add(block(block, first, count));
                    block = new ArrayList<>();
                    first += count;
                    count = 0;
                    continue;
                }
                int tokens = whole ? left : BLOCK_ROWS - count;
                block.add(new Segment(s.run, count, s.from + done, tokens, s.past));
                count += tokens;
                done += tokens;
            }
        }
        all.add(block(block, first, count));
        return all;
    }

    private Batch block(List<Segment> of, int firstRow, int count) {
        return new Batch(layer, of, count, resid, at + firstRow * width, width, work);
    }

    /** Whether anybody reads or changes this point in this layer. */
    public boolean asks(HookPoint point) {
        return point.number() < asked.length && asked[point.number()];
    }

    /**
     * Applies the changes at a point to its freshly computed values and keeps what was asked for. Values: [rows, width] with a row stride.
     */
    public void hook(HookPoint point, float[] values, int valuesAt, int stride, int width) {
        if (!asks(point)) {
            return;
        }
        for (Segment s : segments) {
            touch(s, point, values, valuesAt + s.row * stride, stride, width);
        }
    }

    /** The same for one segment, whose first row stands at {@code first}. */
    void touch(Segment s, HookPoint point, float[] values, int first, int stride, int width) {
        touch(s, layer, point, values, first, stride, width);
    }

    /** The same for a point that is counted to another layer than the one at work: the residual stream between two layers. */
    static void touch(Segment s, int layer, HookPoint point, float[] values, int first, int stride, int width) {
        for (Intervention i : s.run.changes) {
            Site site = i.site();
            if (site.point().equals(point) && (site.layer() == layer || point.isGlobal())
                    && site.token() >= s.from && site.token() < s.from + s.tokens) {
                i.apply(values, first + (site.token() - s.from) * stride, width);
            }
        }
        if (s.run.keeps(layer, point)) {
            float[] before = s.run.kept[layer][point.number()];
            float[] copy = before != null && before.length == s.run.tokens() * width ? before : new float[s.run.tokens() * width];
            int at = (s.from - s.run.from()) * width;
            for (int r = 0; r < s.tokens; r++) {
                System.arraycopy(values, first + r * stride, copy, at + r * width, width);
            }
            keep(s, layer, point, copy);
        }
    }

    /**
     * The first token of a segment, from {@code from} on, at which its run keeps or changes one of some points of a memory in the layer at
     * work; behind its last one if there is none.
     */
    public int nextTouched(Segment s, int from, HookPoint... points) {
        int next = s.from + s.tokens;
        for (HookPoint p : points) {
            if (s.run.keeps(layer, p)) {
                return from;
            }
            for (Intervention i : s.run.changes) {
                if (i.site().token() >= from && changes(i, p)) {
                    next = Math.min(next, i.site().token());
                }
            }
        }
        return next;
    }

    private boolean changes(Intervention i, HookPoint point) {
        return i.site().layer() == layer && i.site().point().equals(point);
    }

    /** Whether something is changed at a token for its own read-out alone. */
    public boolean readsApart(Segment s, int token) {
        for (Intervention i : s.run.changes) {
            if (i.isReadOnly() && i.site().layer() == layer && i.site().token() == token) {
                return true;
            }
        }
        return false;
    }

    /** Whether {@link #hook(Segment, int, HookPoint, boolean, float[], int)} would look at a memory at a token. */
    public boolean touches(Segment s, int token, HookPoint point) {
        return nextTouched(s, token, point) == token;
    }

    /**
     * The hook of a memory at one token, in its natural order.
     *
     * @param forReadOut whether these are the numbers that the token's own read-out sees and nobody else: nothing of them is kept
     */
    public void hook(Segment s, int token, HookPoint point, boolean forReadOut, float[] values, int width) {
        for (Intervention i : s.run.changes) {
            if (i.site().token() == token && changes(i, point) && (forReadOut || !i.isReadOnly())) {
                i.apply(values, 0, width);
            }
        }
        if (!forReadOut && s.run.keeps(layer, point)) {
            float[] kept = s.run.kept[layer][point.number()];
            if (kept == null) {
                kept = new float[Math.multiplyExact(s.run.tokens(), width)];
                keep(s, layer, point, kept);
            }
            System.arraycopy(values, 0, kept, (token - s.run.from()) * width, width);
        }
    }

    /** Whether a run asked for this point in the layer at work. */
    public boolean keeps(Segment s, HookPoint point) {
        return s.run.keeps(layer, point);
    }

    /** The edges that a run leaves out in the layer at work; null for none. */
    public LayerCuts cuts(Segment s) {
        return s.run.cuts(layer);
    }

    /** Keeps values of a point that has no value per token. */
    public void keep(Segment s, HookPoint point, float[] values) {
        keep(s, layer, point, values);
    }

    private static void keep(Segment s, int layer, HookPoint point, float[] values) {
        s.run.kept[layer][point.number()] = values;
    }

    private static boolean[] asked(int layer, List<Segment> segments) {
        boolean[] asked = new boolean[HookPoint.count()];
        boolean[][] last = null;
        for (Segment s : segments) {
            Run run = s.run;
            if (run.keep != null && run.keep != last) {
                last = run.keep;
                for (int p = 0; p < run.keep[layer].length; p++) {
                    asked[p] |= run.keep[layer][p];
                }
            }
            for (Intervention i : run.changes) {
                if (i.site().layer() == layer || i.site().point().isGlobal()) {
                    asked[i.site().point().number()] = true;
                }
            }
        }
        return asked;
    }
}
