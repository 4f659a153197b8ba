package lab.recall.request;

import java.util.List;
import java.util.Map;

/**
 * What an experiment found.
 *
 * @param scalars numbers and texts for result.json, in order
 * @param arrays  arrays for result.safetensors
 */
public record Answer(Map<String, Object> scalars, List<NamedArray> arrays) {
}
