package lab.recall.text;

import static lab.recall.text.TokenizerRules.COUNT;
import static lab.recall.text.TokenizerRules.FLAG;
import static lab.recall.text.TokenizerRules.LIST;
import static lab.recall.text.TokenizerRules.OBJECT;
import static lab.recall.text.TokenizerRules.TEXT;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.HashMap;
import java.util.Map;
import lab.recall.base.BadRequest;
import lab.recall.base.Said;
import lab.recall.text.TokenizerRules.Rule;

/**
 * The model of a tokenizer.json: its tokens and how words are made of them.
 *
 * @param ids     of its tokens
 * @param isSound whether the library is known to hold with it on any text
 */
record TokenizerModel(Map<String, Integer> ids, boolean isSound) {
    private static final String PLACE = "model";
    private static final String VOCABULARY = "model.vocab";
    private static final String MERGES = "model.merges";
    private static final Rule NO_CHANCE = new Rule("null or 0: tokens would be drawn at random",
            v -> v.isNull() || v.isNumber() && v.doubleValue() == 0);
    private static final Rule FLAG_OR_NULL = FLAG.orNull();
    private static final Rule TEXT_OR_NULL = TEXT.orNull();

    /**
     * Checks a model; one that does not say its type is given it.
     *
     * @throws BadRequest that names the place of what is wrong
     */
    static TokenizerModel read(JsonNode model) {
        OBJECT.check(model, PLACE);
        ObjectNode said = (ObjectNode) model;
        if (!said.has(TokenizerParts.TYPE)) {
            said.put(TokenizerParts.TYPE, said.has("merges") ? "BPE" : said.has("max_input_chars_per_word") ? "WordPiece"
                    : said.path("vocab").isArray() ? "Unigram" : "WordLevel");
        }
        Rule types = TokenizerRules.words("BPE", "WordPiece", "WordLevel", "Unigram");
        types.check(said.get(TokenizerParts.TYPE), PLACE + "." + TokenizerParts.TYPE);
        return switch (said.get(TokenizerParts.TYPE).textValue()) {
            case "BPE" -> pairs(said);
            case "Unigram" -> unigram(said);
            case "WordPiece" -> words(said, Map.of("unk_token", TEXT, "continuing_subword_prefix", TEXT,
                    "max_input_chars_per_word", COUNT, "vocab", OBJECT));
            default -> words(said, Map.of("unk_token", TEXT, "vocab", OBJECT));
        };
    }

    private static TokenizerModel words(ObjectNode model, Map<String, Rule> fields) {
        TokenizerRules.check(model, PLACE, fields, Map.of());
        Map<String, Integer> ids = vocabulary(model.get("vocab"));
        if (!ids.containsKey(model.get("unk_token").textValue())) {
            throw new BadRequest("model.unk_token", Said.of(model.get("unk_token")) + " is not in the vocabulary");
        }
        return new TokenizerModel(ids, false);
    }

    private static TokenizerModel pairs(ObjectNode model) {
        TokenizerRules.check(model, PLACE, Map.of("vocab", OBJECT, "merges", LIST), Map.of("dropout", NO_CHANCE, "unk_token", TEXT_OR_NULL,
                "continuing_subword_prefix", TEXT_OR_NULL, "end_of_word_suffix", TEXT_OR_NULL, "fuse_unk", FLAG_OR_NULL,
                "byte_fallback", FLAG_OR_NULL, "ignore_merges", FLAG_OR_NULL));
        Map<String, Integer> ids = vocabulary(model.get("vocab"));
        String prefix = model.path("continuing_subword_prefix").asText("");
        JsonNode merges = model.get("merges");
        for (int i = 0; i < merges.size(); i++) {
            merge(merges.get(i), merges.get(0).isTextual(), i, ids, prefix);
        }
        return new TokenizerModel(ids, prefix.isEmpty() && model.path("end_of_word_suffix").asText("").isEmpty());
    }

    /** A merge is a text of two tokens with a blank between, or a list of the two; all are of one form. */
    private static void merge(JsonNode merge, boolean isText, int number, Map<String, Integer> ids, String prefix) {
        String[] parts = isText && merge.isTextual() ? merge.textValue().split(" ", -1)
                : !isText && merge.isArray() && merge.size() == 2 && merge.get(0).isTextual() && merge.get(1).isTextual()
                ? new String[] {merge.get(0).textValue(), merge.get(1).textValue()} : new String[0];
        if (isText && merge.isTextual() && merge.textValue().startsWith("#version")) {
            return;
        }
        if (parts.length != 2) {
            throw new BadRequest(MERGES + "[" + number + "]", Said.of(merge) + ", expected two tokens");
        }
        String whole = parts[1].startsWith(prefix) ? parts[0] + parts[1].substring(prefix.length()) : "";
        for (String token : new String[] {parts[0], parts[1], whole}) {
            if (!ids.containsKey(token)) {
                throw new BadRequest(MERGES + "[" + number + "]", Said.of(merge)
                        + " names or makes a token that is not in the vocabulary: '" + Said.of(token) + "'");
            }
        }
    }

    private static TokenizerModel unigram(ObjectNode model) {
        TokenizerRules.check(model, PLACE, Map.of("vocab", LIST), Map.of("unk_id", COUNT.orNull(), "byte_fallback", FLAG));
        JsonNode list = model.get("vocab");
        Map<String, Integer> ids = new HashMap<>();
        TokenizerRules.each(list, VOCABULARY, (entry, place) -> {
            if (!entry.isArray() || entry.size() != 2 || !entry.get(0).isTextual() || !entry.get(1).isNumber()
                    || !Double.isFinite(entry.get(1).doubleValue())) {
                throw new BadRequest(place, Said.of(entry) + ", expected a list of a token and its score");
            }
            ids.put(entry.get(0).textValue(), ids.size());
        });
        if (ids.size() < list.size()) {
            throw new BadRequest(VOCABULARY, "holds a token twice");
        }
        if (model.path("unk_id").isNumber() && model.get("unk_id").intValue() >= list.size()) {
            throw new BadRequest("model.unk_id", model.get("unk_id") + ", but there are " + list.size() + " tokens");
        }
        return new TokenizerModel(ids, false);
    }

    private static Map<String, Integer> vocabulary(JsonNode vocabulary) {
        Map<String, Integer> ids = new HashMap<>(2 * vocabulary.size());
        vocabulary.properties().forEach(e -> {
            if (!COUNT.holds().test(e.getValue())) {
                COUNT.check(e.getValue(), TokenizerRules.within(VOCABULARY, e.getKey()));
            }
            ids.put(e.getKey(), e.getValue().intValue());
        });
        int[] all = ids.values().stream().mapToInt(i -> i).sorted().toArray();
        for (int i = 1; i < all.length; i++) {
            if (all[i] == all[i - 1]) {
                int twice = all[i];
                throw new BadRequest(VOCABULARY, "gives the id " + twice + " to "
                        + Said.of(ids.keySet().stream().filter(t -> ids.get(t) == twice).sorted().toList()));
            }
        }
        return ids;
    }

    /** The largest of its ids; -1 where it has no token. */
    int largest() {
        return ids.values().stream().mapToInt(i -> i).max().orElse(-1);
    }
}
