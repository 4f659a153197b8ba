package lab.recall.base;

import com.fasterxml.jackson.annotation.JsonAutoDetect.Visibility;
import com.fasterxml.jackson.annotation.PropertyAccessor;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.cfg.CoercionAction;
import com.fasterxml.jackson.databind.cfg.CoercionInputShape;
import com.fasterxml.jackson.databind.exc.MismatchedInputException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.DoubleNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.type.LogicalType;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * JSON as this project reads and writes it: strictly, one value, no key twice; records by their components, in snake case.
 *
 * <pre>{@code
 * JsonNode config = Json.object(folder.resolve("config.json"));
 * byte[] text = Json.pretty(result);
 * TraceRequest r = Json.MAPPER.treeToValue(node, TraceRequest.class);
 * }</pre>
 */
public final class Json {
    /** A result of many arrays is longer than what Jackson takes for an attack. */
    private static final int LONGEST_TEXT = Integer.MAX_VALUE;
    /** A value takes up to 64 bytes in memory; it may take a half of it. */
    private static final long MOST_VALUES = Math.max(1_000_000, Runtime.getRuntime().maxMemory() / 128);

    /** The one mapper. */
    public static final ObjectMapper MAPPER = JsonMapper.builder(JsonFactory.builder()
                    .streamReadConstraints(StreamReadConstraints.builder().maxStringLength(LONGEST_TEXT).maxTokenCount(MOST_VALUES).build())
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
            .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
            .withCoercionConfig(LogicalType.Textual, text -> text.setCoercion(CoercionInputShape.Integer, CoercionAction.Fail)
                    .setCoercion(CoercionInputShape.Float, CoercionAction.Fail)
                    .setCoercion(CoercionInputShape.Boolean, CoercionAction.Fail))
            .visibility(PropertyAccessor.GETTER, Visibility.NONE).visibility(PropertyAccessor.IS_GETTER, Visibility.NONE)
            .visibility(PropertyAccessor.FIELD, Visibility.ANY)
            .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
            .build();

    private static final Pattern LONG_QUOTE = Pattern.compile("(['\"][^'\"]{" + Said.MOST + "})[^'\"]+");

    private Json() {
    }

    /**
     * The object in a file.
     *
     * @throws BadData when there is anything else
     */
    public static ObjectNode object(Path file) {
        return object(InputFiles.bytes(file), file.toString());
    }

    /**
     * The object in a text.
     *
     * @param where it stands, for messages
     * @throws BadData when it is anything else
     */
    public static ObjectNode object(byte[] text, String where) {
        return object(MAPPER.reader(), text, where);
    }

    /**
     * The object in a file that Python wrote: a bare NaN or Infinity is a number, and so is one as an object of {@code __float__}.
     *
     * @throws BadData when there is anything else
     */
    public static ObjectNode pythonObject(Path file) {
        ObjectNode object = object(MAPPER.reader().with(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS), InputFiles.bytes(file),
                file.toString());
        object.properties().forEach(e -> e.setValue(floats(e.getValue())));
        return object;
    }

    private static JsonNode floats(JsonNode node) {
        if (node instanceof ArrayNode list) {
            for (int i = 0; i < list.size(); i++) {
                list.set(i, floats(list.get(i)));
            }
        } else if (node instanceof ObjectNode object) {
            String said = object.size() == 1 ? object.path("__float__").asText() : "";
            if (said.matches("NaN|-?Infinity")) {
                return DoubleNode.valueOf(Double.parseDouble(said));
            }
            object.properties().forEach(e -> e.setValue(floats(e.getValue())));
        }
        return node;
    }

    private static ObjectNode object(ObjectReader reader, byte[] text, String where) {
        JsonNode node;
        try {
            node = reader.readTree(text);
        } catch (JsonProcessingException e) {
            throw new BadData(where, "", FileKind.of(text).filter(kind -> !kind.isText()).map(kind -> kind.words() + ", expected JSON")
                    .orElseGet(() -> "not JSON (" + reason(e, new String(text, StandardCharsets.UTF_8).strip().contains("\n")) + ")"), e);
        } catch (IOException | StackOverflowError e) {
            throw new BadData(where, "", "not JSON", e);
        }
        if (!(node instanceof ObjectNode object)) {
            throw new BadData(where, "not a JSON object");
        }
        try {
            if (mayHoldHalves(text)) {
                requireWhole(object, "");
            }
            return object;
        } catch (BadRequest e) {
            throw new BadData(where, e.field(), e.reason(), e);
        }
    }

    /** Whether a text may hold a half of a pair of surrogates: only an escape or UTF-16 can; in UTF-8 and in names Jackson refuses it. */
    private static boolean mayHoldHalves(byte[] text) {
        for (int i = 0; i + 2 < text.length; i++) {
            if (text[i] == '\\' && text[i + 1] == 'u' && (text[i + 2] == 'd' || text[i + 2] == 'D') || text[i] == 0) {
                return true;
            }
        }
        return false;
    }

    /**
     * Refuses halves of letters: no text that is written holds them, and no tokenizer takes them.
     *
     * @param place where the value stands; empty for the whole
     * @throws BadRequest that names the place
     */
    public static void requireWhole(JsonNode node, String place) {
        if (node.isTextual() && !isWhole(node.textValue())) {
            throw new BadRequest(place, "'" + Said.of(node.textValue()) + "' holds half a letter (a surrogate without its other half)");
        }
        node.properties().forEach(e -> requireWhole(e.getValue(), (place.isEmpty() ? "" : place + ".") + Said.of(e.getKey())));
        for (int i = 0; node.isArray() && i < node.size(); i++) {
            requireWhole(node.get(i), place + "[" + i + "]");
        }
    }

    private static boolean isWhole(String text) {
        return text.codePoints().noneMatch(c -> c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE);
    }

    /** What is wrong with a text, in one line; {@code manyLines}: and in which one. */
    public static String reason(JsonProcessingException e, boolean manyLines) {
        if (e instanceof StreamConstraintsException) {
            String what = e.getOriginalMessage();
            return what.startsWith("Token count") ? "more values than there is memory for"
                    : what.contains("nesting depth") ? "lists or objects nested too deeply" : "a number or name of too many letters";
        }
        if (e instanceof MismatchedInputException) {            // of a tree: only that something follows it
            return "more than one value";
        }
        String why = e.getOriginalMessage().lines().findFirst().orElse("").replaceAll(" *\\(?(start marker )?at \\[Source.*", "");
        return Said.sentence(LONG_QUOTE.matcher(why).replaceAll("$1 .."))
                + (manyLines && e.getLocation() != null ? ", line " + e.getLocation().getLineNr() : "");
    }

    /** A value as people read it. */
    public static byte[] pretty(Object value) {
        try {
            return MAPPER.writerWithDefaultPrettyPrinter().writeValueAsBytes(value);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The same and the end of its last line, as text files have it. */
    public static byte[] prettyLine(Object value) {
        byte[] text = pretty(value);
        byte[] line = Arrays.copyOf(text, text.length + 1);
        line[text.length] = '\n';
        return line;
    }

    /** A value as people read it and Python writes it: NaN and Infinity bare. */
    public static byte[] python(Object value) {
        try {
            return MAPPER.writerWithDefaultPrettyPrinter().without(JsonWriteFeature.WRITE_NAN_AS_STRINGS)
                    .writeValueAsBytes(value);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    /** A value in one line. */
    public static byte[] compact(Object value) {
        try {
            return MAPPER.writeValueAsBytes(value);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    /** A value as a tree. */
    public static JsonNode tree(Object value) {
        return MAPPER.valueToTree(value);
    }

    /** A component's name in JSON: in snake case. */
    public static String name(String component) {
        return component.replaceAll("(?<=[a-z0-9])(?=[A-Z])", "_").toLowerCase(Locale.ROOT);
    }
}
