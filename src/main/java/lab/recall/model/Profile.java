package lab.recall.model;

/**
 * How published settings carry over to a family, as shares of a model's depth.
 *
 * @param traceWindow layers that a component is traced over
 * @param knockoutHalf layers before the centre, and from it on, that are knocked out together
 * @param editLayer layer that is edited unless another is named
 */
public record Profile(double traceWindow, double knockoutHalf, double editLayer) {
    private static final double PAPER_EDIT = 15.0 / 64;
    /** 10, 5 and layer 15 of 64, as in Mamba-2.8b: two matrices mix and transform together in each of many layers. */
    public static final Profile DEEP = new Profile(10.0 / 64, 5.0 / 64, PAPER_EDIT);
    /** 10 and 5 of 32 layers, as in Pythia-2.8b: a layer has an attention and an MLP. The paper names no layer of its edits but Mamba's. */
    public static final Profile WIDE = new Profile(10.0 / 32, 5.0 / 32, PAPER_EDIT);

    /** The same with another layer to edit, as a share of the depth. */
    public Profile withEditLayer(double share) {
        return new Profile(traceWindow, knockoutHalf, share);
    }

    /** Layers of the window around the centre when a component is traced in such a model, at least 1. */
    public int traceWindow(LanguageModel model) {
        return Math.max(1, (int) Math.round(traceWindow * model.layers()));
    }

    /** The layer that is edited in such a model unless another is named. */
    public int editLayer(LanguageModel model) {
        return (int) (editLayer * model.layers());
    }

    /** Layers of the window that is knocked out in such a model, at least 2. */
    public int knockoutWindow(LanguageModel model) {
        return 2 * Math.max(1, (int) Math.round(knockoutHalf * model.layers()));
    }
}
