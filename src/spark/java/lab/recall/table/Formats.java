package lab.recall.table;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import lab.recall.base.BadData;
import lab.recall.base.BadRequest;
import lab.recall.base.Json;
import lab.recall.base.Said;
import lab.recall.sweep.SweepFormats;
import lab.recall.sweep.SweepRow;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.schema.CoreSchema;

/** YAML 1.2 by its core schema, in which {@code no} is a text; Parquet by its own library. */
public final class Formats implements SweepFormats {
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    @Override
    public ObjectNode yaml(byte[] text, String where) {
        JsonNode node;
        try {
            String letters = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(text)).toString();
            LoadSettings settings = LoadSettings.builder().setSchema(new CoreSchema()).setAllowDuplicateKeys(false)
                    .setAllowRecursiveKeys(false).setLabel(where).build();
            Iterator<Object> documents = new Load(settings).loadAllFromString(letters).iterator();
            node = documents.hasNext() ? node(documents.next(), "") : NODES.nullNode();
            if (documents.hasNext()) {
                throw new BadData(where, "more than one document of YAML, expected one");
            }
            Json.requireWhole(node, "");
        } catch (CharacterCodingException e) {
            throw new BadData(where, "", "not YAML (no UTF-8)", e);
        } catch (MarkedYamlEngineException e) {
            String line = e.getProblemMark().or(e::getContextMark).map(mark -> ", line " + (mark.getLine() + 1)).orElse("");
            throw new BadData(where, "", "not YAML (" + Said.of(e.getProblem()) + line + ")", e);
        } catch (YamlEngineException e) {
            throw new BadData(where, "", "not YAML (" + Said.of(e.getMessage()) + ")", e);
        } catch (BadRequest e) {
            throw new BadData(where, e.field(), e.reason(), e);
        } catch (StackOverflowError e) {
            throw new BadData(where, "", "not YAML (lists or objects nested too deeply)", e);
        }
        if (!(node instanceof ObjectNode object)) {
            throw new BadData(where, "not an object of YAML, expected such as models: [tiny-mamba]");
        }
        return object;
    }

    private static JsonNode node(Object value, String place) {
        if (value instanceof Map<?, ?> map) {
            ObjectNode object = NODES.objectNode();
            map.forEach((key, v) -> {
                if (!(key instanceof String name)) {
                    throw new BadRequest(place, "the key " + Said.of(key) + " is no text; quotes make it one");
                }
                object.set(name, node(v, place.isEmpty() ? name : place + "." + name));
            });
            return object;
        }
        if (value instanceof List<?> list) {
            ArrayNode array = NODES.arrayNode();
            for (Object v : list) {
                array.add(node(v, place + "[" + array.size() + "]"));
            }
            return array;
        }
        if (value == null) {
            return NODES.nullNode();
        }
        if (value instanceof String text) {
            return NODES.textNode(text);
        }
        if (value instanceof Boolean truth) {
            return NODES.booleanNode(truth);
        }
        if (value instanceof Integer number) {
            return NODES.numberNode(number);
        }
        if (value instanceof Long number) {
            return NODES.numberNode(number);
        }
        if (value instanceof BigInteger number) {
            return NODES.numberNode(number);
        }
        if (value instanceof Double number) {
            return NODES.numberNode(number);
        }
        throw new BadRequest(place, Said.of(value) + ", expected a text, a number, true, false, a list or an object");
    }

    @Override
    public void parquet(List<SweepRow> rows, Path file) {
        ParquetTable.write(rows, file);
    }
}
