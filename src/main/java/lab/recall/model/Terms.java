package lab.recall.model;

/**
 * The terms that a mixer's output is the sum of.
 *
 * <pre>{@code
 * Pass pass = model.run(ids, terms.recording());
 * terms.of(pass, 4, 2)                                       // what token 2 carries to itself and to each later token in layer 4
 * }</pre>
 */
public interface Terms {
    /** The point that they add up to. */
    HookPoint sum();

    /** What a pass must have kept, from token 0 on. */
    Recording recording();

    /** What a source carries to each token from itself on, [tokens - source, width of the sum]. */
    float[] of(Pass pass, int layer, int source);

    /** What a token has from no source, [width of the sum]. */
    float[] rest(Pass pass, int layer, int token);
}
