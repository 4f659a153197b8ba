package lab.recall.paper;

import com.fasterxml.jackson.databind.JsonNode;
import lab.recall.base.BadData;
import lab.recall.base.Json;
import lab.recall.text.DataFolder;

/**
 * The numbers that the paper published, from {@code data/paper}.
 *
 * <pre>{@code
 * double[] curve = PaperNumbers.of("tracing_average").curve("grids", "mamba residual", "subj last");   // by layer
 * }</pre>
 *
 * Read from stored notebook output or decoded from the published vector figures; {@link #evidence} says which. Source: arXiv 2404.03646.
 */
public final class PaperNumbers {
    private final String name;
    private final JsonNode json;

    private PaperNumbers(String name, JsonNode json) {
        this.name = name;
        this.json = json;
    }

    /**
     * A file of {@code data/paper}, without its ending.
     *
     * @throws BadData when there is no such file
     */
    public static PaperNumbers of(String name) {
        return new PaperNumbers(name, Json.object(DataFolder.find("paper/" + name + ".json")));
    }

    /** How exact the numbers are and where they were read. */
    public String evidence() {
        return json.path("evidence").asText("");
    }

    /**
     * A list of numbers at a path of field names.
     *
     * @throws BadData when there is none
     */
    public double[] curve(String... path) {
        JsonNode list = at(path);
        if (!list.isArray()) {
            throw new BadData("data/paper/" + name + ".json", String.join(" / ", path) + " is no list of numbers");
        }
        double[] curve = new double[list.size()];
        for (int i = 0; i < curve.length; i++) {
            curve[i] = list.get(i).asDouble(Double.NaN);
        }
        return curve;
    }

    /**
     * What stands at a path of field names, as JSON.
     *
     * @throws BadData when there is nothing
     */
    public JsonNode at(String... path) {
        JsonNode node = json;
        for (String p : path) {
            if (!node.has(p)) {
                throw new BadData("data/paper/" + name + ".json", "no '" + p + "' in " + String.join(" / ", path));
            }
            node = node.get(p);
        }
        return node;
    }
}
