package lab.recall.base;

import com.fasterxml.jackson.annotation.JsonAutoDetect.Visibility;
import com.fasterxml.jackson.annotation.PropertyAccessor;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.cfg.CoercionAction;
import com.fasterxml.jackson.databind.cfg.CoercionInputShape;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.type.LogicalType;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;

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

    /** The one mapper. */
    public static final ObjectMapper MAPPER = JsonMapper.builder(JsonFactory.builder()
                    .streamReadConstraints(StreamReadConstraints.builder().maxStringLength(LONGEST_TEXT).build())
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
     * The object in a file that Python has written, which has the bare words Infinity, -Infinity and NaN where numbers may be so: they come
     * as {@code {"__float__": "Infinity"}}, the strict form that transformers 5 writes itself.
     *
     * @throws BadData when there is anything else
     */
    public static ObjectNode ofPython(Path file) {
        ObjectReader lenient = MAPPER.reader().with(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS);
        return (ObjectNode) strict(object(lenient, InputFiles.bytes(file), file.toString()));
    }

    private static JsonNode strict(JsonNode node) {
        if (node.isDouble() && !Double.isFinite(node.asDouble())) {
            return MAPPER.createObjectNode().put("__float__", String.valueOf(node.asDouble()));
        }
        if (node instanceof ObjectNode object) {
            object.fieldNames().forEachRemaining(name -> object.replace(name, strict(object.get(name))));
        } else if (node instanceof ArrayNode array) {
            for (int i = 0; i < array.size(); i++) {
                array.set(i, strict(array.get(i)));
            }
        }
        return node;
    }

    private static ObjectNode object(ObjectReader reader, byte[] text, String where) {
        JsonNode node;
        try {
            node = reader.readTree(text);
        } catch (JsonProcessingException e) {
            throw new BadData(where, "",
                    "not JSON (" + reason(e, new String(text, StandardCharsets.UTF_8).strip().contains("\n")) + ")", e);
        } catch (IOException | StackOverflowError e) {
            throw new BadData(where, "", "not JSON", e);
        }
        if (!(node instanceof ObjectNode object)) {
            throw new BadData(where, "not a JSON object");
        }
        return object;
    }

    /** What is wrong with a text, in one line; {@code manyLines}: and in which one. */
    public static String reason(JsonProcessingException e, boolean manyLines) {
        String why = e.getOriginalMessage().lines().findFirst().orElse("");
        return why + (manyLines && e.getLocation() != null ? ", line " + e.getLocation().getLineNr() : "");
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
