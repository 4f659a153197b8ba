package lab.recall.study;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;

/**
 * What can be set beside results of others, such as published numbers, so that no experiment knows of it. Found by {@link ServiceLoader}.
 *
 * <pre>{@code
 * Overlay.views(result)                                      // what a result's folder shows
 * }</pre>
 */
public interface Overlay {
    /** Views that stand in the place of the result's own of the same name, or after them; none where there is nothing to be added. */
    List<NamedView> over(Result result);

    /** A result's own views, with what all overlays add. */
    static List<NamedView> views(Result result) {
        Map<String, NamedView> all = new LinkedHashMap<>();
        result.views().forEach(v -> all.put(v.name(), v));
        for (Overlay overlay : ServiceLoader.load(Overlay.class, Overlay.class.getClassLoader())) {
            overlay.over(result).forEach(v -> all.put(v.name(), v));
        }
        return List.copyOf(all.values());
    }
}
