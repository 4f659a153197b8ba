package lab.recall.text;

import static lab.recall.text.TokenizerRules.COUNT;
import static lab.recall.text.TokenizerRules.FLAG;
import static lab.recall.text.TokenizerRules.TEXT;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import lab.recall.base.BadData;
import lab.recall.base.BadRequest;
import lab.recall.base.Json;
import lab.recall.base.Said;
import lab.recall.text.TokenizerRules.Rule;

/**
 * A tokenizer.json, checked: the library is given what was checked here, written anew, and nothing else. It would end the process on what
 * it does not expect, pass over what it does not know, and give added tokens other ids than the file says.
 *
 * @param json    for the library; without truncation and padding, which are those of other uses than ours
 * @param isSound whether the library is known to hold with it on any text
 * @param size    ids are smaller than that
 */
record TokenizerFile(byte[] json, boolean isSound, int size) {
    private static final String VERSION = "1.0";
    private static final String ADDED = "added_tokens";
    private static final Map<String, Rule> TOKEN = Map.of("id", COUNT, "content", TEXT, "single_word", FLAG, "lstrip", FLAG, "rstrip", FLAG,
            "normalized", FLAG, "special", FLAG);
    private static final Set<String> FIELDS = new TreeSet<>(Set.of("version", "truncation", "padding", ADDED, "normalizer", "pre_tokenizer",
            "post_processor", "decoder", "model"));

    /**
     * Checks a tokenizer.
     *
     * @param where it stands, for messages
     * @throws BadData that names the place of what is wrong
     */
    static TokenizerFile of(ObjectNode said, Object where) {
        try {
            TokenizerRules.requireKnown(said, "", FIELDS);
            if (said.has("version") && !VERSION.equals(said.get("version").textValue())) {
                throw new BadRequest("version", Said.of(said.get("version")) + ", expected \"" + VERSION + "\"");
            }
            ObjectNode json = said.objectNode().setAll(said);
            json.putNull("truncation").putNull("padding");
            boolean sound = TokenizerParts.NORMALIZER.check(json.path("normalizer"), "normalizer");
            sound &= TokenizerParts.PRE_TOKENIZER.check(json.path("pre_tokenizer"), "pre_tokenizer");
            sound &= TokenizerParts.POST_PROCESSOR.check(json.path("post_processor"), "post_processor");
            sound &= TokenizerParts.DECODER.check(json.path("decoder"), "decoder");
            TokenizerModel model = TokenizerModel.read(json.path("model"));
            Map<String, Integer> added = added(json.path(ADDED), model);
            int largest = Math.max(model.largest(), added.values().stream().mapToInt(i -> i).max().orElse(-1));
            TokenizerParts.ids(json.path("post_processor"), "post_processor", (id, place) -> {
                if (!model.ids().containsValue(id) && !added.containsValue(id)) {
                    throw new BadRequest(place, id + ", which no token has");
                }
            });
            if (largest < 0 || largest == Integer.MAX_VALUE) {
                throw new BadRequest("model.vocab", largest < 0 ? "holds no token" : "gives the id " + largest + ", the largest there is");
            }
            return new TokenizerFile(Json.compact(json), sound && model.isSound() && isSound(json.path(ADDED)), largest + 1);
        } catch (BadRequest e) {
            throw new BadData(where, e.field(), e.reason(), e);
        }
    }

    /** Ids of added tokens. The library counts them itself and passes over those of the file: they must be the same. */
    private static Map<String, Integer> added(JsonNode tokens, TokenizerModel model) {
        Map<String, Integer> ids = new HashMap<>();
        if (tokens.isMissingNode()) {
            return ids;
        }
        Set<JsonNode> met = new HashSet<>();
        int[] largest = {-1};
        TokenizerRules.each(tokens, ADDED, (token, place) -> {
            TokenizerRules.check(token, place, TOKEN, Map.of());
            String content = token.get("content").textValue();
            if (content.isEmpty()) {
                throw new BadRequest(place + ".content", "empty, expected a token");
            }
            if (!met.add(token)) {
                return;
            }
            Integer known = ids.getOrDefault(content, model.ids().get(content));
            int id = known != null ? known : largest[0] >= model.ids().size() ? largest[0] + 1 : model.ids().size();
            if (token.get("id").intValue() != id) {
                throw new BadRequest(place + ".id", token.get("id") + " for '" + Said.of(content) + "', expected " + id
                        + (known != null ? ", which it has elsewhere in the file" : ": added tokens follow the vocabulary one by one"));
            }
            ids.put(content, id);
            largest[0] = Math.max(largest[0], id);
        });
        return ids;
    }

    /** The library fails where a token of blanks meets one that takes the blanks beside it. */
    private static boolean isSound(JsonNode tokens) {
        boolean takes = false;
        boolean blank = false;
        for (JsonNode token : tokens) {
            String content = token.get("content").textValue();
            takes |= token.get("lstrip").booleanValue() || token.get("rstrip").booleanValue();
            blank |= !content.strip().equals(content);
        }
        return !(takes && blank);
    }
}
