package lab.recall.model;

import java.util.List;

/**
 * Rows of one or more runs that go through a layer together, and the hooks on them.
 *
 * <p>Rows are (run, token) pairs; the rows of a run are consecutive tokens, its {@link Segment}. A layer computes a point for all rows,
 * calls {@link #hook}, and goes on with what the hook left there.
 */
final class Batch {
    /** The rows of one run: tokens {@code from .. from + tokens - 1} at rows {@code row ..}; {@code past} is null when from is 0. */
    record Segment(Run run, int row, int from, int tokens, Past past) {
    }

    final List<Segment> segments;
    final int rows;
    /** Residual stream, [rows, width], from index {@link #at}. */
    final float[] resid;
    final int at;
    final Workspace work;
    private final int layer;
    private final boolean[] asked;

    /** @param layer 0..L-1, or L for what comes after the last layer */
    Batch(int layer, List<Segment> segments, int rows, float[] resid, int at, Workspace work) {
        this.layer = layer;
        this.segments = segments;
        this.rows = rows;
        this.resid = resid;
        this.at = at;
        this.work = work;
        this.asked = asked(layer, segments);
    }

    /** Whether anybody reads or changes this point in this layer. */
    boolean asks(HookPoint point) {
        return asked[point.ordinal()];
    }

    /** Applies the changes at a point to its freshly computed values and keeps what was asked for. Values: [rows, width] with a row stride. */
    void hook(HookPoint point, float[] values, int valuesAt, int stride, int width) {
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
            if (site.point() == point && (site.layer() == layer || point.isGlobal())
                    && site.token() >= s.from && site.token() < s.from + s.tokens) {
                i.apply(values, first + (site.token() - s.from) * stride, width);
            }
        }
        if (s.run.keeps(layer, point)) {
            float[] before = s.run.kept[layer][point.ordinal()];
            float[] copy = before != null && before.length == s.tokens * width ? before : new float[s.tokens * width];
            for (int r = 0; r < s.tokens; r++) {
                System.arraycopy(values, first + r * stride, copy, r * width, width);
            }
            keep(s, layer, point, copy);
        }
    }

    /** Whether a run asked for this point in the layer at work. */
    boolean keeps(Segment s, HookPoint point) {
        return s.run.keeps(layer, point);
    }

    /** The edges that a run leaves out in the layer at work; null for none. */
    Cuts cuts(Segment s) {
        return s.run.cuts(layer);
    }

    /** Keeps values of a point that has no value per token. */
    void keep(Segment s, HookPoint point, float[] values) {
        keep(s, layer, point, values);
    }

    private static void keep(Segment s, int layer, HookPoint point, float[] values) {
        s.run.kept[layer][point.ordinal()] = values;
    }

    private static boolean[] asked(int layer, List<Segment> segments) {
        boolean[] asked = new boolean[HookPoint.values().length];
        boolean[][] last = null;
        for (Segment s : segments) {
            Run run = s.run;
            if (run.keep != null && run.keep != last) {
                last = run.keep;
                for (int p = 0; p < asked.length; p++) {
                    asked[p] |= run.keep[layer][p];
                }
            }
            for (Intervention i : run.changes) {
                if (i.site().layer() == layer || i.site().point().isGlobal()) {
                    asked[i.site().point().ordinal()] = true;
                }
            }
        }
        return asked;
    }
}
