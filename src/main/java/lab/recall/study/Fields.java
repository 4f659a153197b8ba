package lab.recall.study;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;

/**
 * Reads the fields of one JSON object: each kind of value has one reader, which names the field and the allowed range when it is wrong.
 *
 * <pre>{@code
 * Fields f = Fields.parse(text);
 * int window = f.integer("window", 1, 48, 1);                // with a default
 * f.done();                                                  // refuses what nobody read
 * }</pre>
 */
public final class Fields {
    private static final ObjectMapper JSON = new ObjectMapper().enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS).enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS);

    private final ObjectNode values;
    private final String where;
    private final Set<String> known;
    private final ObjectNode settings;

    private Fields(ObjectNode values, String where, Set<String> known) {
        this.values = values;
        this.where = where;
        this.known = known;
        this.settings = values.deepCopy();
    }

    /** The object of a request's text. */
    public static Fields parse(String text) {
        return parse(text, "the request");
    }

    /**
     * The object of a text.
     *
     * @param what what the text is, as messages say it
     */
    public static Fields parse(String text, String what) {
        JsonNode node;
        try {
            node = JSON.readTree(text);
        } catch (JsonProcessingException | StackOverflowError e) {
            String why = e instanceof JsonProcessingException j ? j.getOriginalMessage().lines().findFirst().orElse("") : "too deep";
            boolean many = text.strip().contains("\n");
            String where = many && e instanceof JsonProcessingException j && j.getLocation() != null ? ", line " + j.getLocation().getLineNr() : "";
            throw new IllegalArgumentException(what + " is not JSON (" + why + where + ")", e);
        }
        if (!(node instanceof ObjectNode object)) {
            throw new IllegalArgumentException(what + " is not a JSON object");
        }
        return new Fields(object, "", new TreeSet<>());
    }

    /** Declares fields that may stand here and refuses all others. */
    public void allow(List<String> names) {
        known.addAll(names);
        done();
    }

    /** Refuses fields that nobody read. */
    public void done() {
        values.fieldNames().forEachRemaining(f -> {
            if (!known.contains(f)) {
                throw new IllegalArgumentException(name(f) + ": unknown field; known here are " + String.join(", ", known));
            }
        });
    }

    /** The object with its defaults filled in. */
    public ObjectNode settings() {
        return settings;
    }

    /** The field's full name, for messages. */
    public String name(String field) {
        return where.isEmpty() ? field : where + "." + field;
    }

    /** Whether the field stands here. */
    public boolean has(String field) {
        known.add(field);
        return values.has(field);
    }

    /** A text. */
    public String text(String field) {
        JsonNode v = take(field);
        if (!v.isTextual()) {
            throw bad(field, v, "a text");
        }
        return v.asText();
    }

    /** A text, or the default. */
    public String text(String field, String otherwise) {
        if (!has(field)) {
            settings.put(field, otherwise);
            return otherwise;
        }
        return text(field);
    }

    /** One of some words; the first one when it is absent. */
    public String choice(String field, List<String> words) {
        String word = text(field, words.get(0));
        if (!words.contains(word)) {
            throw new IllegalArgumentException(name(field) + ": '" + word + "', expected " + String.join(" or ", words));
        }
        return word;
    }

    /** One of some words; has to be there. */
    public String requiredChoice(String field, List<String> words) {
        take(field);
        return choice(field, words);
    }

    /** A whole number in a range. */
    public int integer(String field, int low, int high) {
        return whole(take(field), name(field), low, high);
    }

    /** A whole number in a range, or the default. */
    public int integer(String field, int low, int high, int otherwise) {
        if (!has(field)) {
            settings.put(field, otherwise);
            return otherwise;
        }
        return integer(field, low, high);
    }

    /** A list of different whole numbers in a range, in order; not empty. */
    public List<Integer> integers(String field, int low, int high) {
        List<Integer> all = new ArrayList<>();
        for (JsonNode v : list(field)) {
            all.add(whole(v, name(field) + "[" + all.size() + "]", low, high));
        }
        if (all.stream().distinct().count() < all.size()) {
            throw bad(field, values.get(field), "different numbers");
        }
        return all.stream().sorted().toList();
    }

    /** A flag that can only be true. */
    public void onlyTrue(String field) {
        JsonNode v = take(field);
        if (!v.isBoolean() || !v.asBoolean()) {
            throw bad(field, v, "true");
        }
    }

    /** A list of texts that is not empty. */
    public List<String> texts(String field) {
        List<String> all = new ArrayList<>();
        for (JsonNode v : list(field)) {
            if (!v.isTextual()) {
                throw new IllegalArgumentException(name(field) + "[" + all.size() + "]: " + v + ", expected a text");
            }
            all.add(v.asText());
        }
        return all;
    }

    /** Token ids below the vocabulary's size; not empty. */
    public int[] ids(String field, int vocabulary) {
        return ids(list(field), name(field), vocabulary);
    }

    private static int[] ids(JsonNode list, String where, int vocabulary) {
        int[] ids = new int[list.size()];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = whole(list.get(i), where + "[" + i + "]", 0, vocabulary - 1);
        }
        return ids;
    }

    /** A prompt: {"text": ".."} as the tokenizer gives it, or {"ids": [..]} as they are. */
    public int[] prompt(String field, int vocabulary, Function<String, int[]> tokenizer) {
        return object(field).promptHere(vocabulary, tokenizer, false);
    }

    /** A list of prompts, of which those given by ids may be empty. */
    public List<int[]> prompts(String field, int vocabulary, Function<String, int[]> tokenizer) {
        list(field);
        return objects(field).stream().map(o -> o.promptHere(vocabulary, tokenizer, true)).toList();
    }

    private int[] promptHere(int vocabulary, Function<String, int[]> tokenizer, boolean mayBeEmpty) {
        boolean text = has("text");
        if (text == has("ids")) {
            throw new IllegalArgumentException(where + ": expected either text or ids");
        }
        done();
        if (!text) {
            return mayBeEmpty && values.get("ids").isArray() && values.get("ids").isEmpty() ? new int[0] : ids("ids", vocabulary);
        }
        try {
            return tokenizer.apply(text("text"));
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(where + ": " + e.getMessage(), e);
        }
    }

    /** Rows of token ids of equal length. */
    public int[][] rows(String field, int vocabulary) {
        JsonNode list = list(field);
        int[][] rows = new int[list.size()][];
        for (int r = 0; r < rows.length; r++) {
            String row = name(field) + "[" + r + "]";
            if (!list.get(r).isArray() || list.get(r).size() != list.get(0).size() || list.get(r).isEmpty()) {
                throw new IllegalArgumentException(row + ": expected a list of token ids, as many as in every row");
            }
            rows[r] = ids(list.get(r), row, vocabulary);
        }
        return rows;
    }

    /** A finite number of at least {@code low}. */
    public double number(String field, double low) {
        JsonNode v = take(field);
        if (!v.isNumber() || !Double.isFinite(v.asDouble()) || v.asDouble() < low) {
            throw bad(field, v, "a finite number" + (low > Double.NEGATIVE_INFINITY ? " of at least " + low : ""));
        }
        return v.asDouble();
    }

    /** A finite number of at least {@code low}, or the default. */
    public double number(String field, double low, double otherwise) {
        if (!has(field)) {
            settings.put(field, otherwise);
            return otherwise;
        }
        return number(field, low);
    }

    /** True or false; false when it is absent. */
    public boolean flag(String field) {
        if (!has(field)) {
            settings.put(field, false);
            return false;
        }
        JsonNode v = take(field);
        if (!v.isBoolean()) {
            throw bad(field, v, "true or false");
        }
        return v.asBoolean();
    }

    /** A layer: 0..layers-1, or -1 for "embed". */
    public int layer(String field, int layers) {
        JsonNode v = take(field);
        if (v.isTextual() && v.asText().equals("embed")) {
            return -1;
        }
        if (v.isTextual()) {
            throw bad(field, v, "\"embed\" or a whole number from 0 to " + (layers - 1));
        }
        return whole(v, name(field), 0, layers - 1);
    }

    /** A list of lists of three: [layer, point, token]. */
    public List<Place> places(String field, int layers, int tokens) {
        List<Place> all = new ArrayList<>();
        for (JsonNode v : list(field)) {
            String here = name(field) + "[" + all.size() + "]";
            if (!v.isArray() || v.size() != 3 || !v.get(1).isTextual()) {
                throw new IllegalArgumentException(here + ": expected [layer, point, token]");
            }
            all.add(new Place(whole(v.get(0), here + " (layer)", 0, layers - 1), v.get(1).asText(), whole(v.get(2), here + " (token)", 0, tokens - 1)));
        }
        return all;
    }

    /** Layers [first, last], both inclusive. */
    public int[] layerRange(String field, int layers) {
        JsonNode v = take(field);
        if (!v.isArray() || v.size() != 2) {
            throw bad(field, v, "[first, last]");
        }
        int first = whole(v.get(0), name(field) + "[0]", 0, layers - 1);
        return new int[] {first, whole(v.get(1), name(field) + "[1]", first, layers - 1)};
    }

    /** A list of [source, target] with 0 <= source <= target < tokens; may be empty. */
    public List<int[]> edges(String field, int tokens) {
        JsonNode list = take(field);
        if (!list.isArray()) {
            throw bad(field, list, "a list of [source, target]");
        }
        List<int[]> all = new ArrayList<>();
        for (JsonNode v : list) {
            String here = name(field) + "[" + all.size() + "]";
            if (!v.isArray() || v.size() != 2) {
                throw new IllegalArgumentException(here + ": " + v + ", expected [source, target]");
            }
            int target = whole(v.get(1), here + " (target)", 0, tokens - 1);
            all.add(new int[] {whole(v.get(0), here + " (source)", 0, target), target});
        }
        return all;
    }

    /** A layer, the name of a point, and a token. */
    public record Place(int layer, String point, int token) {
    }

    /** So many finite numbers. */
    public float[] vector(String field, int size) {
        JsonNode v = take(field);
        if (!v.isArray() || v.size() != size) {
            throw new IllegalArgumentException(name(field) + ": expected a list of " + size + " numbers" + (v.isArray() ? ", got " + v.size() : ""));
        }
        float[] all = new float[size];
        for (int i = 0; i < size; i++) {
            all[i] = (float) v.get(i).asDouble();
            if (!v.get(i).isNumber() || !Float.isFinite(all[i])) {
                throw new IllegalArgumentException(name(field) + "[" + i + "]: " + v.get(i) + ", expected a finite number");
            }
        }
        return all;
    }

    /** A list of objects; empty when the field is absent. */
    public List<Fields> objects(String field) {
        List<Fields> all = new ArrayList<>();
        if (!has(field)) {
            return all;
        }
        JsonNode v = take(field);
        if (!v.isArray()) {
            throw bad(field, v, "a list");
        }
        for (JsonNode o : v) {
            all.add(object(o, name(field) + "[" + all.size() + "]"));
        }
        return all;
    }

    /** An object. */
    public Fields object(String field) {
        return object(take(field), name(field));
    }

    private static Fields object(JsonNode v, String where) {
        if (!(v instanceof ObjectNode o)) {
            throw new IllegalArgumentException(where + ": expected an object");
        }
        return new Fields(o, where, new TreeSet<>());
    }

    private JsonNode list(String field) {
        JsonNode v = take(field);
        if (!v.isArray() || v.isEmpty()) {
            throw new IllegalArgumentException(name(field) + ": expected a list that is not empty");
        }
        return v;
    }

    private JsonNode take(String field) {
        if (!has(field)) {
            throw new IllegalArgumentException(name(field) + ": missing");
        }
        return values.get(field);
    }

    private IllegalArgumentException bad(String field, JsonNode value, String expected) {
        return new IllegalArgumentException(name(field) + ": " + value + ", expected " + expected);
    }

    private static int whole(JsonNode v, String where, int low, int high) {
        if (!v.isIntegralNumber() || !v.canConvertToInt() || v.asInt() < low || v.asInt() > high) {
            throw new IllegalArgumentException(where + ": " + v + ", expected a whole number from " + low + " to " + high);
        }
        return v.asInt();
    }
}
