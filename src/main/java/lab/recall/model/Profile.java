package lab.recall.model;

/**
 * How the paper's settings carry over to a family, as shares of a model's depth.
 *
 * @param traceWindow layers that a component is traced over
 * @param knockoutHalf layers before the centre, and from it on, that are knocked out together
 */
public record Profile(double traceWindow, double knockoutHalf) {
    /** 10 and 5 of 64 layers, as in Mamba-2.8b: two matrices mix and transform together in each of many layers. */
    public static final Profile DEEP = new Profile(10.0 / 64, 5.0 / 64);
    /** 10 and 5 of 32 layers, as in Pythia-2.8b: a layer has an attention and an MLP. */
    public static final Profile WIDE = new Profile(10.0 / 32, 5.0 / 32);

    /** Layers of the window around the centre when a component is traced in such a model, at least 1. */
    public int traceWindow(LanguageModel model) {
        return Math.max(1, (int) Math.round(traceWindow * model.layers()));
    }

    /** Layers of the window that is knocked out in such a model, at least 2. */
    public int knockoutWindow(LanguageModel model) {
        return 2 * Math.max(1, (int) Math.round(knockoutHalf * model.layers()));
    }
}
