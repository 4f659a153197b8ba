package lab.recall.model.retention;

import lab.recall.base.Check;
import lab.recall.model.FreshModel;
import lab.recall.model.FreshSizes;

/** Sizes of a fresh model: heads of keys of {@code keys} numbers and values of {@code values}. */
record RetentionSizes(Integer width, Integer layers, Integer heads, Integer keys, Integer values) implements FreshSizes {
    RetentionSizes {
        Check.whole("width", Check.given("width", width), 1, FreshModel.WIDEST);
        Check.whole("layers", Check.given("layers", layers), 1, FreshModel.MOST_PARTS);
        Check.whole("heads", Check.given("heads", heads), 1, FreshModel.MOST_PARTS);
        Check.whole("keys", Check.given("keys", keys), 1, FreshModel.MOST_PARTS);
        Check.whole("values", Check.given("values", values), 1, FreshModel.MOST_PARTS);
    }

    @Override
    public FreshModel fresh(int vocabulary, long seed) {
        FreshModel m = new FreshModel(seed);
        m.config().put("model_type", "retention").put("depth", layers).put("epsilon", 1e-5);
        m.normal(RetentionConfig.TABLE, FreshModel.EMBEDDING, vocabulary, width);
        for (int l = 0; l < layers; l++) {
            String layer = "stack." + l + ".";
            m.constant(layer + "scale", 1, width);
            m.normal(layer + "in.kernel", 1 / Math.sqrt(width), width, 2 * heads * (keys + values));
            m.fill(layer + "fade", h -> 1.0 + h, heads);
            m.normal(layer + "out.kernel", 1 / Math.sqrt(2.0 * layers * heads * values), heads * values, width);
            m.constant(layer + "out.shift", 0, width);
        }
        m.constant("scale", 1, width);
        m.matrix("answer", vocabulary, width, 1);
        return m;
    }
}
