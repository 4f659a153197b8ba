package lab.recall.checkpoint;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Stream;
import lab.recall.base.BadData;
import lab.recall.base.Json;

/** The parts of a tokenizer.json of byte-level BPE, for what carries its vocabulary in another form. */
final class TokenizerJson {
    /**
     * A token that is put in.
     *
     * @param id of its text
     */
    record Special(String text, long id) {
    }

    private TokenizerJson() {
    }

    /** A whole one without parts: no truncation, no padding. */
    static ObjectNode empty() {
        ObjectNode json = Json.MAPPER.createObjectNode().put("version", "1.0").putNull("truncation").putNull("padding");
        json.putArray("added_tokens");
        return json;
    }

    /** Adds a token that is found before a text is cut into words. */
    static void add(ObjectNode json, long id, String text, boolean isSpecial) {
        ((ArrayNode) json.get("added_tokens")).addObject().put("id", id).put("content", text).put("single_word", false).put("lstrip", false)
                .put("rstrip", false).put("normalized", false).put("special", isSpecial);
    }

    /** The part of its bytes; {@code words}: cuts a text as GPT-2 does, too. */
    static ObjectNode bytes(boolean words) {
        return Json.MAPPER.createObjectNode().put("type", "ByteLevel").put("add_prefix_space", false).put("trim_offsets", true)
                .put("use_regex", words);
    }

    /** Several parts, one after another; {@code name} is what the kind of part calls them. */
    static ObjectNode sequence(String name, ObjectNode... parts) {
        ObjectNode all = Json.MAPPER.createObjectNode().put("type", "Sequence");
        all.putArray(name).addAll(List.of(parts));
        return all;
    }

    /** Tokens that begin and end every text. */
    static ObjectNode template(List<Special> first, List<Special> last) {
        ObjectNode template = Json.MAPPER.createObjectNode().put("type", "TemplateProcessing");
        ArrayNode single = template.putArray("single");
        ArrayNode pair = template.putArray("pair");
        for (String text : List.of("A", "B")) {
            int type = text.equals("A") ? 0 : 1;
            ArrayNode one = Json.MAPPER.createArrayNode();
            first.forEach(s -> one.add(part("SpecialToken", s.text, type)));
            one.add(part("Sequence", text, type));
            last.forEach(s -> one.add(part("SpecialToken", s.text, type)));
            pair.addAll(one);
            if (type == 0) {
                single.addAll(one);
            }
        }
        ObjectNode ids = template.putObject("special_tokens");
        Stream.concat(first.stream(), last.stream()).forEach(s -> {
            ObjectNode entry = ids.putObject(s.text).put("id", s.text);
            entry.putArray("ids").add(s.id);
            entry.putArray("tokens").add(s.text);
        });
        return template;
    }

    private static ObjectNode part(String kind, String id, int type) {
        ObjectNode part = Json.MAPPER.createObjectNode();
        part.putObject(kind).put("id", id).put("type_id", type);
        return part;
    }

    /**
     * Its pairs.
     *
     * @param bad what is wrong, in the words of the file
     */
    static ObjectNode pairs(Map<String, Integer> vocabulary, List<String> merges, boolean ignoreMerges, Function<String, BadData> bad) {
        ObjectNode model = Json.MAPPER.createObjectNode().put("type", "BPE").putNull("dropout").putNull("unk_token")
                .putNull("continuing_subword_prefix").putNull("end_of_word_suffix").put("fuse_unk", false).put("byte_fallback", false)
                .put("ignore_merges", ignoreMerges);
        ObjectNode tokens = model.putObject("vocab");
        vocabulary.forEach(tokens::put);
        ArrayNode all = model.putArray("merges");
        for (int i = 0; i < merges.size(); i++) {
            String merge = merges.get(i);
            int blank = merge.indexOf(' ', 1);
            if (blank < 0 || !vocabulary.containsKey(merge.substring(0, blank)) || !vocabulary.containsKey(merge.substring(blank + 1))
                    || !vocabulary.containsKey(merge.substring(0, blank) + merge.substring(blank + 1))) {
                throw bad.apply("has the merge " + GgufFile.shown(merge) + " (number " + i + "), expected two tokens that make a third");
            }
            all.add(merge);
        }
        return model;
    }
}
