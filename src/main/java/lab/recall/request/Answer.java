package lab.recall.request;

import java.util.List;
import java.util.Map;

/**
 * What an experiment found.
 *
 * @param scalars numbers and texts for result.json, in order
 * @param arrays  arrays for result.safetensors
 * @param views   tables (written as CSV and JSON), charts and heat maps (PNG and SVG)
 */
public record Answer(Map<String, Object> scalars, List<NamedArray> arrays, List<NamedView> views) {
    /** Without tables and pictures. */
    public Answer(Map<String, Object> scalars, List<NamedArray> arrays) {
        this(scalars, arrays, List.of());
    }
}
