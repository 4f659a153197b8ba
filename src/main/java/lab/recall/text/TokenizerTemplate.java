package lab.recall.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.util.Map;
import lab.recall.base.BadRequest;
import lab.recall.base.Said;

/** What a tokenizer.json puts around each text: a list of the text itself, {@code A}, and of special tokens. */
final class TokenizerTemplate {
    static final String TOKENS = "special_tokens";

    private TokenizerTemplate() {
    }

    static void check(JsonNode template, String place) {
        JsonNode tokens = template.get(TOKENS);
        for (String name : TokenizerRules.names(tokens)) {
            token(tokens.get(name), name, TokenizerRules.within(place + "." + TOKENS, name));
        }
        pieces(template, "single", place, 1, 0);
        pieces(template, "pair", place, 1, 1);
    }

    private static void token(JsonNode token, String name, String place) {
        TokenizerRules.check(token, place, Map.of("id", TokenizerRules.TEXT, "ids", TokenizerRules.LIST, "tokens", TokenizerRules.LIST),
                Map.of());
        TokenizerRules.each(token.get("ids"), place + ".ids", TokenizerRules.COUNT::check);
        TokenizerRules.each(token.get("tokens"), place + ".tokens", TokenizerRules.TEXT::check);
        if (!token.get("id").textValue().equals(name)) {
            throw new BadRequest(place + ".id", Said.of(token.get("id")) + ", expected the name under which it stands");
        }
        if (token.get("ids").isEmpty() || token.get("ids").size() != token.get("tokens").size()) {
            throw new BadRequest(place, "has " + token.get("ids").size() + " ids for " + token.get("tokens").size()
                    + " tokens, expected as many, at least one");
        }
    }

    private static void pieces(JsonNode template, String field, String place, int first, int second) {
        int[] found = new int[2];
        String list = place + "." + field;
        TokenizerRules.each(template.get(field), list, (piece, at) -> {
            if (!piece.isObject() || piece.size() != 1) {
                throw new BadRequest(at, Said.of(piece) + ", expected {\"Sequence\": ..} or {\"SpecialToken\": ..}");
            }
            String kind = piece.fieldNames().next();
            JsonNode what = piece.get(kind);
            TokenizerRules.words("Sequence", "SpecialToken").check(TextNode.valueOf(kind), at);
            TokenizerRules.check(what, at + "." + kind, Map.of("id", TokenizerRules.TEXT, "type_id", TokenizerRules.COUNT), Map.of());
            if (kind.equals("SpecialToken")) {
                if (!template.get(TOKENS).has(what.get("id").textValue())) {
                    throw new BadRequest(at, "names the special token " + Said.of(what.get("id")) + ", which special_tokens does not hold");
                }
            } else {
                TokenizerRules.words("A", "B").check(what.get("id"), at + ".Sequence.id");
                found[what.get("id").textValue().charAt(0) - 'A']++;
            }
        });
        if (found[0] != first || found[1] != second) {
            throw new BadRequest(list, "holds the text A " + found[0] + " times and the text B " + found[1] + " times, expected A once"
                    + (second == 0 ? "" : " and B once"));
        }
    }
}
