package lab.recall.study;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonMappingException.Reference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.exc.MismatchedInputException;
import com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.stream.Collectors;
import lab.recall.base.BadRequest;
import lab.recall.base.Json;
import lab.recall.base.Nearest;

/** Reads the record of a request from JSON; what is wrong with a field is said in one sentence that names it. */
public final class RequestReader {
    private static final int LONGEST = 60;

    private RequestReader() {
    }

    /** The record that an object's fields say. */
    public static <Q> Q read(ObjectNode fields, Class<Q> type) {
        try {
            return Json.MAPPER.treeToValue(fields, type);
        } catch (UnrecognizedPropertyException e) {
            List<String> known = e.getKnownPropertyIds().stream().map(String::valueOf).sorted().toList();
            throw new BadRequest(path(e), "unknown field; known here are " + String.join(", ", known)
                    + Nearest.question(e.getPropertyName(), known).replace("; did", ". Did"), e);
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

    private static String path(JsonMappingException e) {
        StringBuilder path = new StringBuilder();
        for (Reference r : e.getPath()) {
            path.append(r.getFieldName() == null ? "[" + r.getIndex() + "]" : (path.isEmpty() ? "" : ".") + r.getFieldName());
        }
        return path.toString();
    }

    /** The value that was given, if it is short. */
    private static String said(ObjectNode fields, JsonMappingException e) {
        JsonNode at = fields;
        for (Reference r : e.getPath()) {
            at = r.getFieldName() == null ? at.path(r.getIndex()) : at.path(r.getFieldName());
        }
        String text = at.toString();
        return at.isMissingNode() ? "" : (text.length() > LONGEST ? text.substring(0, LONGEST) + " .." : text) + ", ";
    }

    private static String expected(JsonMappingException e) {
        Class<?> type = e instanceof MismatchedInputException m ? m.getTargetType() : null;
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
        List<String> names = new ArrayList<>();
        for (var c : type.getRecordComponents()) {
            names.add(Json.name(c.getName()));
        }
        return names.stream().collect(Collectors.joining(", "));
    }
}
