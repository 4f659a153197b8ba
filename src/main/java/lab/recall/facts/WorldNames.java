package lab.recall.facts;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;

/** Invents names: one word each for cities, countries, languages and the like, two words for places, people, companies and products. */
final class WorldNames {
    private static final String[] ONSETS = {"b", "d", "f", "g", "k", "l", "m", "n", "p", "r", "s", "t", "v", "z", "br", "dr", "gl", "kr",
        "pl", "sk", "st", "tr"};
    private static final String[] SINGLE = {"b", "d", "f", "g", "k", "l", "m", "n", "p", "r", "s", "t", "v", "z"};
    private static final String[] VOWELS = {"a", "e", "i", "o", "u"};
    private static final String[] CODAS = {"l", "m", "n", "r", "s", "th", "k", "x"};

    private final Random random;
    private final boolean grid;
    private final Set<String> used = new HashSet<>();
    private final JsonNode plan;
    /** Words and first names that the subjects of a grid share. */
    private final List<String> roots;
    private final List<String> given;

    /**
     * @param plan a world's description
     * @param grid whether subjects share their words, so that no single word tells which one is meant
     */
    WorldNames(JsonNode plan, Random random, boolean grid) {
        this.plan = plan;
        this.random = random;
        this.grid = grid;
        this.roots = texts(plan.get("roots"));
        this.given = texts(plan.get("given"));
        used.addAll(roots);
        used.addAll(given);
    }

    private static List<String> texts(JsonNode list) {
        List<String> all = new ArrayList<>();
        list.forEach(w -> all.add(w.asText()));
        return all;
    }

    /** Names for every kind of subject and object. */
    Map<String, List<String>> all() {
        Map<String, List<String>> all = new HashMap<>();
        plan.get("subjects").properties().forEach(e -> all.put(e.getKey(),
                e.getValue().has("first") ? twoWords(e.getValue()) : words(e.getKey(), e.getValue())));
        plan.get("objects").properties().forEach(e -> all.put(e.getKey(), words(e.getKey(), e.getValue())));
        return all;
    }

    private List<String> words(String kind, JsonNode how) {
        if (how.has("words")) {
            return texts(how.get("words"));
        }
        List<String> all = new ArrayList<>();
        List<String> endings = how.has("endings") ? texts(how.get("endings")) : List.of("");
        boolean small = kind.equals("currency");
        while (all.size() < how.get("count").asInt()) {
            String ending = endings.get(all.size() % endings.size());
            all.add(fresh(() -> (small ? syllable() : capital(syllable())) + ending));
        }
        return all;
    }

    /** Some cells of the grid of first and last words, or a first word of its own for every subject. */
    private List<String> twoWords(JsonNode how) {
        List<String> last = how.get("last").isArray() ? texts(how.get("last")) : roots;
        int count = how.get("count").asInt();
        boolean person = how.get("first").asText().equals("given");
        List<String> all = new ArrayList<>();
        if (grid) {
            for (String f : person ? given : roots) {
                last.forEach(l -> all.add(f + " " + l));
            }
            Collections.shuffle(all, random);
            return all.subList(0, count);
        }
        while (all.size() < count) {
            all.add((person ? givenName() : root()) + " " + last.get(random.nextInt(last.size())));
        }
        return all;
    }

    private String root() {
        return fresh(() -> capital(pick(ONSETS) + pick(VOWELS) + pick(SINGLE) + pick(VOWELS) + pick(CODAS)));
    }

    private String givenName() {
        return fresh(() -> capital(pick(ONSETS) + pick(VOWELS) + pick(SINGLE) + pick(VOWELS)));
    }

    private String syllable() {
        return pick(ONSETS) + pick(VOWELS) + pick(CODAS);
    }

    private interface Draw {
        String word();
    }

    private String fresh(Draw draw) {
        String word = draw.word();
        while (!used.add(word)) {
            word = draw.word();
        }
        return word;
    }

    private String pick(String[] from) {
        return from[random.nextInt(from.length)];
    }

    private static String capital(String word) {
        return Character.toUpperCase(word.charAt(0)) + word.substring(1);
    }
}
