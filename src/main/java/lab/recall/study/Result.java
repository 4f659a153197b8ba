package lab.recall.study;

import java.util.List;
import java.util.Map;

/**
 * What an experiment found: a record of numbers and the card of the model, and no model. As JSON and back it is an equal record.
 */
public interface Result {
    /** Numbers and texts for result.json, in order. */
    default Map<String, Object> scalars() {
        return Map.of();
    }

    /** Arrays for result.safetensors. */
    default List<NamedArray> arrays() {
        return List.of();
    }

    /** Means with their intervals, in order, for the table of a sweep; of every experiment over facts. */
    default List<Measured> measures() {
        return List.of();
    }

    /** Tables (written as CSV and JSON), charts and heat maps (PNG and SVG). */
    default List<NamedView> views() {
        return List.of();
    }
}
