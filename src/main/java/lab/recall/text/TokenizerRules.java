package lab.recall.text;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import lab.recall.base.BadRequest;
import lab.recall.base.Nearest;
import lab.recall.base.Said;

/** What values of a tokenizer.json may be, and the sentences about those that are not: each a {@link BadRequest} with its place. */
final class TokenizerRules {
    /**
     * What a value may be.
     *
     * @param expected in words
     */
    record Rule(String expected, Predicate<JsonNode> holds) {
        void check(JsonNode value, String place) {
            if (!holds.test(value)) {
                throw new BadRequest(place, value.isMissingNode() ? "missing, expected " + expected
                        : Said.of(value) + ", expected " + expected);
            }
        }

        Rule orNull() {
            return new Rule(expected + " or null", v -> v.isNull() || holds.test(v));
        }
    }

    private static final int LONGEST = 10_000;
    /** What is put in the place of each blank, or before each text. */
    private static final int SHORT = 100;

    static final Rule FLAG = new Rule("true or false", JsonNode::isBoolean);
    static final Rule TEXT = new Rule("a text of at most " + LONGEST + " letters", TokenizerRules::isText);
    static final Rule SHORT_TEXT = new Rule("a text of at most " + SHORT + " letters",
            v -> v.isTextual() && v.textValue().length() <= SHORT);
    static final Rule LETTER = new Rule("one letter",
            v -> isText(v) && v.textValue().codePointCount(0, v.textValue().length()) == 1);
    static final Rule COUNT = new Rule("a whole number from 0 to " + Integer.MAX_VALUE,
            v -> v.isIntegralNumber() && v.canConvertToInt() && v.intValue() >= 0);
    static final Rule LENGTH = new Rule("a whole number of at least 1",
            v -> v.isIntegralNumber() && v.canConvertToInt() && v.intValue() >= 1);
    static final Rule BASE64 = new Rule("bytes in base 64", TokenizerRules::isBase64);
    static final Rule OBJECT = new Rule("an object", JsonNode::isObject);
    static final Rule LIST = new Rule("a list", JsonNode::isArray);
    /** What is looked for in a text. */
    static final Rule PATTERN = new Rule("{\"String\": text} or {\"Regex\": text}",
            v -> v.isObject() && v.size() == 1 && isText(v.elements().next()) && (v.has("String") || v.has("Regex")));
    /** A token and its id. */
    static final Rule TOKEN = new Rule("a list of a text and an id",
            v -> v.isArray() && v.size() == 2 && isText(v.get(0)) && COUNT.holds.test(v.get(1)));

    private TokenizerRules() {
    }

    static Rule words(String... words) {
        Set<String> known = new TreeSet<>(Arrays.asList(words));
        return new Rule(String.join(" or ", words), v -> v.isTextual() && known.contains(v.textValue()));
    }

    private static boolean isText(JsonNode v) {
        return v.isTextual() && v.textValue().length() <= LONGEST;
    }

    private static boolean isBase64(JsonNode v) {
        try {
            return v.isTextual() && Base64.getDecoder().decode(v.textValue()).length > 0;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    static String within(String place, String field) {
        return place.isEmpty() ? field : place + "." + Said.of(field);
    }

    /** Refuses fields that an object does not have. */
    static void requireKnown(JsonNode object, String place, Set<String> known) {
        object.fieldNames().forEachRemaining(name -> {
            if (!known.contains(name)) {
                throw new BadRequest(within(place, Said.of(name)), "unknown field; known here are " + String.join(", ", known)
                        + Nearest.question(name, known).replace("; did", ". Did"));
            }
        });
    }

    /** Checks an object's fields: all that must be there, those that may be, and no others. */
    static void check(JsonNode object, String place, Map<String, Rule> required, Map<String, Rule> optional) {
        OBJECT.check(object, place);
        Set<String> known = new TreeSet<>(required.keySet());
        known.addAll(optional.keySet());
        known.add(TokenizerParts.TYPE);
        requireKnown(object, place, known);
        required.forEach((name, rule) -> rule.check(object.path(name), within(place, name)));
        optional.forEach((name, rule) -> {
            if (object.has(name)) {
                rule.check(object.get(name), within(place, name));
            }
        });
    }

    /** Checks each of a list by its own. */
    interface Each {
        void check(JsonNode value, String place);
    }

    static void each(JsonNode list, String place, Each each) {
        LIST.check(list, place);
        for (int i = 0; i < list.size(); i++) {
            each.check(list.get(i), place + "[" + i + "]");
        }
    }

    static List<String> names(JsonNode object) {
        List<String> names = new ArrayList<>();
        object.fieldNames().forEachRemaining(names::add);
        return names;
    }
}
