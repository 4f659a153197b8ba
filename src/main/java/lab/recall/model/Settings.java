package lab.recall.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.List;
import lab.recall.base.BadData;
import lab.recall.base.Json;

/** Reads config.json; a wrong value is refused with file and key, one that the tensors contradict becomes a warning. */
public final class Settings {
    /** How {@link Json#ofPython} gives the word Infinity. */
    private static final ObjectNode INFINITE = Json.MAPPER.createObjectNode().put("__float__", "Infinity");

    private final Path folder;
    private final JsonNode json;
    private final List<String> warnings;

    Settings(Path folder, JsonNode json, List<String> warnings) {
        this.folder = folder;
        this.json = json;
        this.warnings = warnings;
    }

    /**
     * A whole number above 0.
     *
     * @throws BadData when there is none
     */
    public int positive(String key) {
        JsonNode v = json.path(key);
        if (v.isMissingNode() || v.isNull()) {
            throw new BadData(folder, "config.json has no " + key);
        }
        if (!v.isIntegralNumber() || v.asLong() <= 0 || v.asLong() > 100_000_000) {
            throw new BadData(folder, "config.json has " + key + " = " + v + ", expected a positive whole number");
        }
        return v.asInt();
    }

    /**
     * The same; {@code otherwise} where there is none.
     *
     * @throws BadData when it is no such number
     */
    public int positive(String key, int otherwise) {
        JsonNode v = json.path(key);
        return v.isMissingNode() || v.isNull() ? otherwise : positive(key);
    }

    /**
     * A number above 0; {@code otherwise} where there is none.
     *
     * @throws BadData when it is no such number
     */
    public double number(String key, double otherwise) {
        JsonNode v = json.path(key);
        if (v.isMissingNode() || v.isNull()) {
            return otherwise;
        }
        if (!v.isNumber() || !(v.asDouble() > 0)) {
            throw new BadData(folder, "config.json has " + key + " = " + v + ", expected a positive number");
        }
        return v.asDouble();
    }

    /**
     * True or false; {@code otherwise} where there is none.
     *
     * @throws BadData when it is neither
     */
    public boolean flag(String key, boolean otherwise) {
        JsonNode v = json.path(key);
        if (v.isMissingNode() || v.isNull()) {
            return otherwise;
        }
        if (!v.isBoolean()) {
            throw new BadData(folder, "config.json has " + key + " = " + v + ", expected true or false");
        }
        return v.asBoolean();
    }

    /**
     * A word; {@code otherwise} where there is none.
     *
     * @throws BadData when it is none of those that are known
     */
    public String word(String key, String otherwise, String... known) {
        String word = json.path(key).asText(otherwise);
        if (!List.of(known).contains(word)) {
            throw refused(key, word + "; only " + String.join(" or ", known) + (known.length == 1 ? " is" : " are") + " known");
        }
        return word;
    }

    /**
     * Two numbers, from and to, of which the second may be infinite; these two where there are none.
     *
     * @throws BadData when it is anything else
     */
    public double[] range(String key, double from, double to) {
        JsonNode v = json.path(key);
        if (v.isMissingNode() || v.isNull()) {
            return new double[] {from, to};
        }
        double low = v.size() == 2 && v.get(0).isNumber() ? v.get(0).asDouble() : Double.NaN;
        double high = v.size() != 2 ? Double.NaN : v.get(1).equals(INFINITE) ? Double.POSITIVE_INFINITY
                : v.get(1).isNumber() ? v.get(1).asDouble() : Double.NaN;
        if (!(low >= 0 && low <= high)) {
            throw refused(key, v + ", expected two numbers, [from, to], 0 <= from <= to, the second may be Infinity");
        }
        return new double[] {low, high};
    }

    /** Two numbers as {@link #range(String, double, double)} reads them. */
    public static ArrayNode range(double from, double to) {
        ArrayNode range = Json.MAPPER.createArrayNode().add(from);
        return Double.isInfinite(to) ? range.add(INFINITE.deepCopy()) : range.add(to);
    }

    /**
     * Refuses another value than the one that is known, which is also that of a missing field.
     *
     * @throws BadData when it is another one
     */
    public void only(String key, boolean known) {
        if (flag(key, known) != known) {
            throw refused(key, !known + "; only " + known + " is known");
        }
    }

    /**
     * Refuses fields that ask for something that is not known; null, 0 and an empty list ask for nothing.
     *
     * @throws BadData when one of them says anything else
     */
    public void none(String... keys) {
        for (String key : keys) {
            JsonNode v = json.path(key);
            boolean nothing = v.isMissingNode() || v.isNull() || (v.isNumber() && v.asDouble() == 0) || (v.isArray() && v.isEmpty());
            if (!nothing) {
                throw refused(key, v + "; only none is known");
            }
        }
    }

    /** The fields of a field. */
    public Settings part(String key) {
        return new Settings(folder, json.path(key), warnings);
    }

    /** What is wrong with a value. */
    public BadData refused(String key, String why) {
        return new BadData(folder, "config.json has " + key + " = " + why);
    }

    /**
     * Refuses true or false that the tensors contradict; {@code otherwise} where there is none.
     *
     * @throws BadData when it is neither, or not what the tensors say
     */
    public void matches(String key, boolean otherwise, boolean fromTensors) {
        if (flag(key, otherwise) != fromTensors) {
            throw refused(key, !fromTensors + (json.has(key) ? "" : " (what is meant where it is missing)") + ", but the weights "
                    + (fromTensors ? "have" : "lack") + " what it stands for");
        }
    }

    /** Notes a number that the tensors contradict; the tensors are right. */
    public void agrees(String key, int fromTensors) {
        JsonNode v = json.path(key);
        if (v.isNumber() && v.asInt() != fromTensors) {
            warnings.add(folder.getFileName() + "/config.json says " + key + " = " + v
                    + ", the tensors say " + fromTensors + "; the tensors are used");
        }
    }
}
