package lab.recall.model;

import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** Gradients of one or more runs that go back through a layer together: rows are (cotangent, token) pairs. */
public final class BackBatch {
    /**
     * The rows of one cotangent: tokens {@code from ..} to the last one of a recorded pass, at rows {@code row ..}.
     *
     * @param tape what the layer's block prepared for the pass; null: the block does it itself, as it is needed, in its scratch buffers
     */
    public record Segment(Cotangent cotangent, int row, int from, int tokens, Tape tape) {
        /** Index of the first token among the pass's recorded ones. */
        public int first() {
            return from - cotangent.pass.from();
        }

        /** The pass that it goes back through. */
        public Pass pass() {
            return cotangent.pass;
        }

        /** What the pass kept of a point. */
        public float[] values(int layer, HookPoint point) {
            return cotangent.pass.values(layer, point);
        }
    }

    /** A gradient on its way down from the last layer's residual stream. */
    public static final class Cotangent {
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
            this.kept = keep == null ? null : new float[keep.length][HookPoint.count()][];
        }

        int tokens() {
            return pass.length() - from;
        }
    }

    private final int layer;
    private final List<Segment> segments;
    private final int rows;
    private final float[] grad;
    private final int at;
    private final Workspace work;
    private final Map<String, float[]> parameters;

    BackBatch(int layer, List<Segment> segments, int rows, float[] grad, int at, Workspace work, Map<String, float[]> parameters) {
        this.layer = layer;
        this.segments = segments;
        this.rows = rows;
        this.grad = grad;
        this.at = at;
        this.work = work;
        this.parameters = parameters;
    }

    /** The layer at work. */
    public int layer() {
        return layer;
    }

    /** Cotangents with their rows. */
    public List<Segment> segments() {
        return segments;
    }

    /** Rows in all. */
    public int rows() {
        return rows;
    }

    /** Gradient of the residual stream, [rows, width], from index {@link #at}. */
    public float[] grad() {
        return grad;
    }

    /** Where the first row of {@link #grad} begins. */
    public int at() {
        return at;
    }

    /** Scratch buffers of the thread at work. */
    public Workspace work() {
        return work;
    }

    /** Receives the gradients of the layer's weights under their checkpoint names; null when nobody asks. */
    public Map<String, float[]> parameters() {
        return parameters;
    }

    /** Keeps the gradient at a point where asked for, and stops it where the run had the value replaced. */
    public void hook(HookPoint point, float[] grads, int gradsAt, int stride, int width) {
        for (Segment s : segments) {
            hook(s.cotangent, layer, point, grads, gradsAt + s.row * stride, stride, width);
        }
    }

    static void hook(Cotangent c, int layer, HookPoint point, float[] grads, int first, int stride, int width) {
        int slot = point.isGlobal() ? c.pass.model().layers() : layer;
        if (c.keep != null && c.keep[slot][point.number()]) {
            float[] copy = new float[c.tokens() * width];
            for (int t = 0; t < c.tokens(); t++) {
                System.arraycopy(grads, first + t * stride, copy, t * width, width);
            }
            c.kept[slot][point.number()] = copy;
        }
        for (Intervention i : c.pass.changes()) {
            Site site = i.site();
            if (i instanceof Intervention.Replace && site.point().equals(point)
                    && (point.isGlobal() || site.layer() == layer) && site.token() >= c.from) {
                int row = first + (site.token() - c.from) * stride;
                Arrays.fill(grads, row, row + width, 0f);
            }
        }
    }

    /** The accumulator of a weight's gradient. */
    public float[] parameter(String name, int size) {
        return parameters.computeIfAbsent(name, n -> new float[size]);
    }
}
