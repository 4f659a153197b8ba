package lab.recall.model;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.List;
import lab.recall.base.BadData;

/** Reads config.json; a wrong value is refused with file and key, one that the tensors contradict becomes a warning. */
public final class Settings {
    private final Path folder;
    private final JsonNode json;
    private final List<String> warnings;
    /** What stands before a key in sentences: nothing, or the object's key and a dot. */
    private final String front;

    Settings(Path folder, JsonNode json, List<String> warnings) {
        this(folder, json, warnings, "");
    }

    private Settings(Path folder, JsonNode json, List<String> warnings, String front) {
        this.folder = folder;
        this.json = json;
        this.warnings = warnings;
        this.front = front;
    }

    /** Whether there is a value. */
    public boolean has(String key) {
        return json.hasNonNull(key);
    }

    /** Whether the key stands there, if only with null. */
    public boolean says(String key) {
        return json.has(key);
    }

    /**
     * The fields of an object in it; none where it is not there.
     *
     * @throws BadData when it is no object
     */
    public Settings inside(String key) {
        if (has(key) && !json.path(key).isObject()) {
            throw refused(key, json.path(key) + ", expected an object");
        }
        return new Settings(folder, json.path(key), warnings, front + key + ".");
    }

    /**
     * A whole number above 0.
     *
     * @throws BadData when there is none
     */
    public int positive(String key) {
        JsonNode v = json.path(key);
        if (v.isMissingNode() || v.isNull()) {
            throw missing(key);
        }
        if (!v.isIntegralNumber() || v.asLong() <= 0 || v.asLong() > 100_000_000) {
            throw refused(key, v + ", expected a positive whole number");
        }
        return v.asInt();
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
            throw refused(key, v + ", expected a positive number");
        }
        return v.asDouble();
    }

    /**
     * A number above 0.
     *
     * @throws BadData when there is none
     */
    public double number(String key) {
        if (!has(key)) {
            throw missing(key);
        }
        return number(key, 0);
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
            throw refused(key, v + ", expected true or false");
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

    /** What is wrong with a value. */
    public BadData refused(String key, String why) {
        return new BadData(folder, "config.json has " + front + key + " = " + why);
    }

    private BadData missing(String key) {
        return new BadData(folder, "config.json has no " + front + key);
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
