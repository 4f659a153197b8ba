package lab.recall.model;

/** How large the values at an architecture's own points are. */
public interface PointSizes {
    /** Numbers that one token has at a point; of a {@link HookPoint.Kind#WHOLE whole} one, all that it has. */
    int width(HookPoint point);

    /** Heads that a token's numbers at a point belong to, one after another; 0 where they are one vector. */
    default int heads(HookPoint point) {
        return 0;
    }

    /** The natural shape of what a token has at a {@link HookPoint.Kind#STATE state}, outermost size first. */
    default long[] state(HookPoint point) {
        return new long[] {width(point)};
    }

    /** What was kept of a {@link HookPoint.Kind#WHOLE whole} point, in its natural shape. */
    Activation whole(String name, HookPoint point, float[] values, int tokens);
}
