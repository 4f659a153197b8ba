package lab.recall.model;

import lab.recall.base.BadRequest;

/**
 * The layers that are changed together around a layer l: range(max(0, l - w/2), min(L, l + (w+1)/2)), as the reference code counts them.
 *
 * <pre>{@code
 * LayerWindow w = LayerWindow.of(mamba, 3);
 * w.first(4), w.end(4)                                      // 3, 6
 * }</pre>
 *
 * @param width  w
 * @param layers L
 */
public record LayerWindow(int width, int layers) {
    /**
     * Of a model; a width beyond twice its layers changes nothing any more and is refused.
     *
     * @throws BadRequest when the width is none
     */
    public static LayerWindow of(LanguageModel model, int width) {
        if (width < 1 || width > 2 * model.layers()) {
            throw new BadRequest("window", width + ", expected a whole number from 1 to " + 2 * model.layers());
        }
        return new LayerWindow(width, model.layers());
    }

    /** The first layer of the window around a layer. */
    public int first(int layer) {
        return Math.max(0, layer - width / 2);
    }

    /** The layer after the last one. */
    public int end(int layer) {
        return Math.min(layers, layer + (width + 1) / 2);
    }

    /** For titles: nothing for a single layer. */
    public String label() {
        return width > 1 ? " over " + width + " layers" : "";
    }
}
