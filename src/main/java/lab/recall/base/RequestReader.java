package lab.recall.base;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.exc.InputCoercionException;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonMappingException.Reference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.exc.MismatchedInputException;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.Arrays;
import java.util.Collection;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Reads a record from JSON, that of a request or of a file; what is wrong with a field is said in one sentence that names it.
 *
 * <pre>{@code
 * TraceRequest r = RequestReader.read(Json.object(file), TraceRequest.class);
 * }</pre>
 */
public final class RequestReader {
    private RequestReader() {
    }

    /**
     * The record that an object's fields say.
     *
     * @throws BadRequest if a field is unknown, of another kind, or refused by the record
     */
    public static <Q> Q read(ObjectNode fields, Class<Q> type) {
        requireKnown(fields, type, "");
        try {
            return Json.MAPPER.treeToValue(fields, type);
        } catch (JsonMappingException e) {
            for (Throwable t = e.getCause(); t != null; t = t.getCause()) {
                if (t instanceof BadRequest bad) {
                    String within = path(e);
                    throw within.isEmpty() ? bad : bad.of(bad.field().isEmpty() ? within : within + "." + bad.field());
                }
            }
            throw new BadRequest(path(e), said(fields, e) + expected(e), e);
        } catch (JsonProcessingException e) {
            throw new BadRequest("", Json.reason(e, false), e);
        }
    }

    /** Refuses fields that a record, or a record in it, does not have, before any is missed under its right name; and gaps in lists. */
    private static void requireKnown(JsonNode node, Type type, String where) {
        if (type instanceof ParameterizedType list && node.isArray()) {
            for (int i = 0; i < node.size(); i++) {
                if (node.get(i).isNull()) {
                    throw new BadRequest(where + "[" + i + "]", "null, expected a value");
                }
                requireKnown(node.get(i), list.getActualTypeArguments()[0], where + "[" + i + "]");
            }
        }
        if (!(type instanceof Class<?> c && c.isRecord() && node instanceof ObjectNode fields)) {
            return;
        }
        Map<String, Type> known = new TreeMap<>();
        for (RecordComponent part : c.getRecordComponents()) {
            known.put(name(part), part.getGenericType());
        }
        fields.fieldNames().forEachRemaining(name -> {
            String field = where.isEmpty() ? name : where + "." + name;
            if (!known.containsKey(name)) {
                throw new BadRequest(where.isEmpty() ? Said.of(name) : where + "." + Said.of(name), "unknown field; known here are "
                        + String.join(", ", known.keySet()) + Nearest.question(name, known.keySet()).replace("; did", ". Did"));
            }
            requireKnown(fields.get(name), known.get(name), field);
        });
    }

    private static String path(JsonMappingException e) {
        StringBuilder path = new StringBuilder();
        for (Reference r : e.getPath()) {
            path.append(r.getFieldName() == null ? "[" + r.getIndex() + "]" : (path.isEmpty() ? "" : ".") + r.getFieldName());
        }
        return path.toString();
    }

    /** The value that was given. */
    private static String said(ObjectNode fields, JsonMappingException e) {
        JsonNode at = fields;
        for (Reference r : e.getPath()) {
            at = r.getFieldName() == null ? at.path(r.getIndex()) : at.path(r.getFieldName());
        }
        return at.isMissingNode() ? "" : Said.of(at) + ", ";
    }

    private static String expected(JsonMappingException e) {
        Class<?> type = e instanceof MismatchedInputException m ? m.getTargetType()
                : e.getCause() instanceof InputCoercionException c ? c.getTargetType() : null;
        if (type == null) {
            return "cannot be read";
        }
        return "expected " + (type == Integer.class || type == int.class || type == Long.class || type == long.class ? "a whole number"
                : type == Double.class || type == double.class || type == float.class ? "a number"
                : type == Boolean.class || type == boolean.class ? "true or false"
                : type == String.class ? "a text"
                : Collection.class.isAssignableFrom(type) || type.isArray() ? "a list"
                : type.isRecord() ? "an object with " + components(type) : "something else");
    }

    private static String components(Class<?> type) {
        return Arrays.stream(type.getRecordComponents()).map(RequestReader::name).collect(Collectors.joining(", "));
    }

    /** A component's name in JSON: its own in snake case, or what stands for it where that is no word of Java's. */
    public static String name(RecordComponent component) {
        JsonProperty said = component.getAccessor().getAnnotation(JsonProperty.class);
        return said == null ? Json.name(component.getName()) : said.value();
    }
}
