package lab.recall.facts;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import lab.recall.base.BadRequest;
import lab.recall.base.Nearest;
import lab.recall.base.Said;
import lab.recall.model.LanguageModel;
import lab.recall.study.Runner;
import lab.recall.text.Prompt;
import lab.recall.view.Showable;
import lab.recall.view.Tables;

/**
 * The facts that a model knows: its most probable next token begins the object (the paper's filter, section 3).
 *
 * <pre>{@code
 * KnownFacts known = Relations.of(mamba).knownBy(mamba);     // shows how many of each relation
 * known.summary()                                            // in a sentence
 * FactPairs pairs = known.pairs(60, seed);
 * known.pairsOfEach(7, seed), known.sampleOfEach(7, seed)    // so many of each relation at most
 * FactPairs.shared(List.of(known, ofAnotherModel), 60, seed) // pairs of the same facts in both
 * }</pre>
 */
public final class KnownFacts implements Showable {
    /**
     * A fact that the model knows.
     *
     * @param prompt its relation's template with the subject
     * @param answer the model's most probable next token, which begins the object
     */
    public record Known(Fact fact, Prompt prompt, int answer) {
        /** Whether the other fact can be this one's partner. */
        private boolean fits(Known other, Pairing pairing) {
            if (!fact.relation().equals(other.fact.relation()) || fact.subject().equals(other.fact.subject())
                    || fact.object().equals(other.fact.object())) {
                return false;
            }
            if (pairing == Pairing.PUBLISHED) {
                return Arrays.equals(prompt.ids(), prompt.subjectEnd(), prompt.length(),
                        other.prompt.ids(), other.prompt.subjectEnd(), other.prompt.length());
            }
            return prompt.length() == other.prompt.length() && prompt.subjectStart() == other.prompt.subjectStart()
                    && prompt.subjectEnd() == other.prompt.subjectEnd() && answer != other.answer;
        }
    }

    private final LanguageModel model;
    private final List<Relation> asked;
    private final List<Known> known;

    KnownFacts(LanguageModel model, List<Relation> asked, List<Known> known) {
        this.model = model;
        this.asked = asked;
        this.known = known;
    }

    /** Those of some relations; what was asked before is taken from the runner's store. */
    static KnownFacts of(LanguageModel model, List<Relation> relations, Runner runner) {
        return runner.run(new KnownStudy(), model, KnownStudy.Asked.of(model.requireTokenizer(), relations));
    }

    /**
     * Those of one relation.
     *
     * @throws BadRequest when it is none of those that were asked
     */
    public KnownFacts only(String relation) {
        if (asked.stream().noneMatch(r -> r.name().equals(relation))) {
            List<String> names = asked.stream().map(Relation::name).toList();
            throw new BadRequest("", "'" + Said.of(relation) + "' was not asked" + Nearest.question(relation, names) + "; asked were "
                    + String.join(", ", names));
        }
        return new KnownFacts(model, asked.stream().filter(r -> r.name().equals(relation)).toList(),
                known.stream().filter(k -> k.fact.relation().equals(relation)).toList());
    }

    /** Those of these facts that others know, too: what is set side by side is then of the same facts. */
    public KnownFacts and(KnownFacts... others) {
        List<Set<Fact>> sets = Arrays.stream(others).map(o -> Set.copyOf(o.facts())).toList();
        return new KnownFacts(model, asked, known.stream().filter(k -> sets.stream().allMatch(s -> s.contains(k.fact))).toList());
    }

    /** The pair of two facts, if both are known and their prompts lie token on token here. */
    Optional<FactPair> pair(Fact clean, Fact corrupt) {
        Optional<Known> a = known.stream().filter(k -> k.fact.equals(clean)).findFirst();
        Optional<Known> b = known.stream().filter(k -> k.fact.equals(corrupt)).findFirst();
        return a.isPresent() && b.isPresent() && a.get().fits(b.get(), Pairing.CORRECTED) ? Optional.of(pair(a.get(), b.get()))
                : Optional.empty();
    }

    /** How many facts are known. */
    public int size() {
        return known.size();
    }

    /** The known facts. */
    public List<Fact> facts() {
        return known.stream().map(Known::fact).toList();
    }

    /**
     * Some known facts with their prompts, drawn at random.
     *
     * @param count how many at most
     * @param seed  the same seed gives the same facts
     */
    public List<Known> sample(int count, long seed) {
        List<Known> order = new ArrayList<>(known);
        Collections.shuffle(order, new Random(seed));
        return List.copyOf(order.subList(0, Math.min(count, order.size())));
    }

    /**
     * The same from each relation.
     *
     * @param most how many of a relation at most
     */
    public List<Known> sampleOfEach(int most, long seed) {
        return asked.stream().flatMap(r -> only(r.name()).sample(most, seed).stream()).toList();
    }

    /**
     * Pairs whose prompts have the same length and their subjects at the same tokens.
     *
     * @throws BadRequest when no two known facts make a pair
     */
    public FactPairs pairs(int count, long seed) {
        return pairs(count, seed, Pairing.CORRECTED);
    }

    /**
     * Pairs of known facts of one relation with different subjects and objects. Each fact is the clean one of at most one pair; its partner
     * is drawn at random.
     *
     * @param count   how many at most
     * @param seed    the same seed gives the same pairs
     * @param pairing how the two prompts are laid token on token
     * @throws BadRequest when no two known facts make a pair
     */
    public FactPairs pairs(int count, long seed, Pairing pairing) {
        FactPairs pairs = drawn(count, seed, pairing);
        if (pairs.pairs().isEmpty()) {
            throw noPair();
        }
        return pairs;
    }

    /**
     * The same from each relation; one of whose facts no two make a pair gives none.
     *
     * @param most how many of a relation at most
     * @throws BadRequest when no two known facts make a pair
     */
    public FactPairs pairsOfEach(int most, long seed) {
        List<FactPairs> each = asked.stream().map(r -> only(r.name()).drawn(most, seed, Pairing.CORRECTED)).toList();
        List<FactPair> pairs = each.stream().flatMap(p -> p.pairs().stream()).toList();
        if (pairs.isEmpty()) {
            throw noPair();
        }
        return new FactPairs(pairs, each.stream().mapToInt(FactPairs::unmatched).sum());
    }

    private BadRequest noPair() {
        return new BadRequest("", model.name() + " knows " + known.size() + " of these "
                + asked.stream().mapToInt(r -> r.facts().size()).sum() + " facts, and no two of one relation make a pair");
    }

    private FactPairs drawn(int count, long seed, Pairing pairing) {
        Random random = new Random(seed);
        List<Known> order = new ArrayList<>(known);
        Collections.shuffle(order, random);
        List<FactPair> pairs = new ArrayList<>();
        int unmatched = 0;
        for (Known k : order) {
            if (pairs.size() == count) {
                break;
            }
            List<Known> partners = known.stream().filter(o -> k.fits(o, pairing)).toList();
            if (partners.isEmpty()) {
                unmatched++;
                continue;
            }
            pairs.add(pair(k, partners.get(random.nextInt(partners.size()))));
        }
        return new FactPairs(List.copyOf(pairs), unmatched);
    }

    /** Pads the shorter prompt on the left, as the reference code does; the subject's range then begins where the longer one begins. */
    private FactPair pair(Known clean, Known corrupt) {
        int length = Math.max(clean.prompt.length(), corrupt.prompt.length());
        if (clean.prompt.length() == corrupt.prompt.length() && clean.prompt.subjectStart() == corrupt.prompt.subjectStart()) {
            return new FactPair(clean.fact, corrupt.fact, clean.prompt, corrupt.prompt, clean.answer);
        }
        int pad = model.requireTokenizer().endOfText();
        Prompt a = clean.prompt.paddedLeft(pad, length - clean.prompt.length());
        Prompt b = corrupt.prompt.paddedLeft(pad, length - corrupt.prompt.length());
        int start = Math.min(a.subjectStart(), b.subjectStart());
        return new FactPair(clean.fact, corrupt.fact, a.withSubjectStart(start), b.withSubjectStart(start), clean.answer);
    }

    /** In a sentence: how many facts of how many, and of which relations the largest and the smallest share. */
    public String summary() {
        Map<Relation, Double> shares = new LinkedHashMap<>();
        asked.forEach(r -> shares.put(r, only(r.name()).size() / (double) r.facts().size()));
        Map.Entry<Relation, Double> most = Collections.max(shares.entrySet(), Map.Entry.comparingByValue());
        Map.Entry<Relation, Double> least = Collections.min(shares.entrySet(), Map.Entry.comparingByValue());
        String all = String.format(Locale.ROOT, "%s knows %d of %d facts", model.name(), size(),
                asked.stream().mapToInt(r -> r.facts().size()).sum());
        return asked.size() == 1 ? all + "." : String.format(Locale.ROOT, "%s, most of %s (%.2f), least of %s (%.2f).", all,
                most.getKey().name(), most.getValue(), least.getKey().name(), least.getValue());
    }

    @Override
    public Object view() {
        List<List<Object>> rows = new ArrayList<>();
        for (Relation r : asked) {
            rows.add(List.of(r.name(), r.template().text(), r.facts().size(), only(r.name()).size()));
        }
        return Tables.of("facts that " + model.name() + " knows", List.of("relation", "template", "facts", "known"), rows);
    }
}
