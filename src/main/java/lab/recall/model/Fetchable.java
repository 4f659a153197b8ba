package lab.recall.model;

import java.util.ArrayList;
import java.util.List;
import lab.recall.base.Json;
import lab.recall.checkpoint.HubCache;
import lab.recall.text.DataFolder;

/** Models that {@code environment/fetch} brings into the HuggingFace cache, by the names in {@code data/fetch.json}. */
final class Fetchable {
    private Fetchable() {
    }

    static List<String> names() {
        List<String> names = new ArrayList<>();
        Json.object(DataFolder.find("fetch.json")).fieldNames().forEachRemaining(names::add);
        return names;
    }

    /** Whether a name, or a name with {@code @} and a revision, stands in the table and is not in the cache. */
    static boolean isMissing(String id) {
        String name = id.split("@", 2)[0];
        return !HubCache.has(name) && names().contains(name);
    }

    /** What gets it. */
    static String command(String id) {
        return "environment/fetch " + id.split("@", 2)[0];
    }
}
