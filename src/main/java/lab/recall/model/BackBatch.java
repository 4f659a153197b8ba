package lab.recall.model;

import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** Gradients of one or more runs that go back through a layer together: rows are (cotangent, token) pairs. */
final class BackBatch {
    /**
     * The rows of one cotangent: tokens {@code from ..} to the last one of a recorded pass, at rows {@code row ..}.
     *
     * @param tape what the layer's block prepared for the pass; null: the block does it itself, as it is needed, in its scratch buffers
     */
    record Segment(Cotangent cotangent, int row, int from, int tokens, Object tape) {
        /** Index of the first token among the pass's recorded ones. */
        int first() {
            return from - cotangent.pass.from();
        }

        float[] values(int layer, HookPoint point) {
            return cotangent.pass.values(layer, point);
        }
    }

    /** A gradient on its way down from the last layer's residual stream. */
    static final class Cotangent {
        final Pass pass;
        final int from;
        /** Which gradients to keep, [layer, L for embed][point]; null for none. */
        final boolean[][] keep;
        final float[][][] kept;
        int row;

        Cotangent(Pass pass, int from, boolean[][] keep) {
            this.pass = pass;
            this.from = from;
            this.keep = keep;
            this.kept = keep == null ? null : new float[keep.length][HookPoint.values().length][];
        }

        int tokens() {
            return pass.length() - from;
        }
    }

    final int layer;
    final List<Segment> segments;
    final int rows;
    /** Gradient of the residual stream, [rows, width], from index {@link #at}. */
    final float[] grad;
    final int at;
    final Workspace work;
    /** Receives the gradients of the layer's weights under their checkpoint names; null when nobody asks. */
    final Map<String, float[]> parameters;

    BackBatch(int layer, List<Segment> segments, int rows, float[] grad, int at, Workspace work, Map<String, float[]> parameters) {
        this.layer = layer;
        this.segments = segments;
        this.rows = rows;
        this.grad = grad;
        this.at = at;
        this.work = work;
        this.parameters = parameters;
    }

    /** Keeps the gradient at a point where asked for, and stops it where the run had the value replaced. */
    void hook(HookPoint point, float[] grads, int gradsAt, int stride, int width) {
        for (Segment s : segments) {
            hook(s.cotangent, layer, point, grads, gradsAt + s.row * stride, stride, width);
        }
    }

    static void hook(Cotangent c, int layer, HookPoint point, float[] grads, int first, int stride, int width) {
        int slot = point.isGlobal() ? c.pass.model().layers() : layer;
        if (c.keep != null && c.keep[slot][point.ordinal()]) {
            float[] copy = new float[c.tokens() * width];
            for (int t = 0; t < c.tokens(); t++) {
                System.arraycopy(grads, first + t * stride, copy, t * width, width);
            }
            c.kept[slot][point.ordinal()] = copy;
        }
        for (Intervention i : c.pass.changes()) {
            Site site = i.site();
            if (i instanceof Intervention.Replace && site.point() == point
                    && (point.isGlobal() || site.layer() == layer) && site.token() >= c.from) {
                int row = first + (site.token() - c.from) * stride;
                Arrays.fill(grads, row, row + width, 0f);
            }
        }
    }

    /** The accumulator of a weight's gradient. */
    float[] parameter(String name, int size) {
        return parameters.computeIfAbsent(name, n -> new float[size]);
    }
}
