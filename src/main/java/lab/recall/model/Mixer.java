package lab.recall.model;

import java.util.Optional;

/** One way by which a layer's tokens read earlier ones: a convolution, a scan, an attention. */
public interface Mixer {
    /** Its word in requests: {@code scan}. */
    String id();

    /** Its name in titles: {@code convolution}. */
    default String title() {
        return id();
    }

    /** Leaves what edges carry through it out of their targets' values in a layer; no other token notices. */
    Intervention.Cut cut(int layer, Edges edges);

    /** Whether each token must keep a source that it reads. */
    default boolean needsSource() {
        return false;
    }

    /** Its output as a sum of one term for each source, where it is one. */
    default Optional<Terms> terms() {
        return Optional.empty();
    }

    /** The point that holds how much each token reads of each source, [heads, target, source], where there is one. */
    default Optional<HookPoint> weights() {
        return Optional.empty();
    }

    /** The point that holds what each head has gathered, head beside head, where there are heads. */
    default Optional<HookPoint> heads() {
        return Optional.empty();
    }

    /** The point by which a token lets what passes over it decay, where it does. */
    default Optional<HookPoint> decay() {
        return Optional.empty();
    }

    /**
     * The same cut where an edge's source lets all that passes over it to the edge's target decay by a given value of {@link #decay}:
     * nothing of the source reaches the target then, not even how much it lets others decay.
     */
    default Intervention.Cut cut(int layer, Edges edges, float[] decay) {
        throw new UnsupportedOperationException(id() + " has no decay");
    }
}
