package lab.recall.facts;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import lab.recall.model.LanguageModel;
import lab.recall.model.Pass;
import lab.recall.model.Recording;
import lab.recall.text.Prompt;
import lab.recall.text.Tokenizer;
import lab.recall.view.ProgressBar;
import lab.recall.view.Showable;
import lab.recall.view.Tables;

/**
 * The facts that a model knows: its most probable next token begins the object (the paper's filter, section 3).
 *
 * <pre>{@code
 * KnownFacts known = Relations.of(mamba).knownBy(mamba);     // shows how many of each relation
 * FactPairs pairs = known.pairs(60, seed);
 * }</pre>
 */
public final class KnownFacts implements Showable {
    private static final int TOGETHER = 256;

    private record Known(Fact fact, Prompt prompt, int answer) {
        /** Whether the other's subject can take this one's place token by token. */
        boolean fits(Known other) {
            return fact.relation().equals(other.fact.relation()) && prompt.length() == other.prompt.length()
                    && prompt.subjectStart() == other.prompt.subjectStart() && prompt.subjectEnd() == other.prompt.subjectEnd()
                    && differs(other);
        }

        boolean differs(Known other) {
            return !fact.subject().equals(other.fact.subject()) && !fact.object().equals(other.fact.object()) && answer != other.answer;
        }
    }

    private final LanguageModel model;
    private final List<Relation> asked;
    private final List<Known> known;

    private KnownFacts(LanguageModel model, List<Relation> asked, List<Known> known) {
        this.model = model;
        this.asked = asked;
        this.known = known;
    }

    static KnownFacts of(LanguageModel model, List<Relation> relations) {
        Tokenizer tokenizer = model.requireTokenizer();
        List<Fact> facts = relations.stream().flatMap(r -> r.facts().stream()).toList();
        List<Prompt> prompts = relations.stream()
                .flatMap(r -> r.facts().stream().map(f -> r.template().fill(tokenizer, f.subject()))).toList();
        List<Known> known = new ArrayList<>();
        try (ProgressBar bar = ProgressBar.of("asking " + model.name(), "facts", facts.size())) {
            for (int from = 0; from < facts.size(); from += TOGETHER) {
                List<Prompt> some = prompts.subList(from, Math.min(facts.size(), from + TOGETHER));
                List<Pass> passes = model.runAll(some.stream().map(Prompt::ids).toList(), Recording.nothing());
                for (int i = 0; i < some.size(); i++) {
                    int next = passes.get(i).argmax();
                    if (facts.get(from + i).begunBy(tokenizer.decode(next))) {
                        known.add(new Known(facts.get(from + i), some.get(i), next));
                    }
                }
                bar.to(from + some.size());
            }
        }
        return new KnownFacts(model, List.copyOf(relations), List.copyOf(known));
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
     * Pairs of known facts of one relation with different subjects and objects, whose prompts have the same length and subjects at the same
     * tokens. Each fact is the clean one of at most one pair; its partner is drawn at random.
     *
     * @param count how many at most
     * @param seed  the same seed gives the same pairs
     */
    public FactPairs pairs(int count, long seed) {
        Random random = new Random(seed);
        List<Known> order = new ArrayList<>(known);
        Collections.shuffle(order, random);
        List<FactPair> pairs = new ArrayList<>();
        int unequal = 0;
        for (Known k : order) {
            if (pairs.size() == count) {
                break;
            }
            List<Known> partners = known.stream().filter(k::fits).toList();
            if (partners.isEmpty()) {
                unequal++;
                continue;
            }
            Known other = partners.get(random.nextInt(partners.size()));
            pairs.add(new FactPair(k.fact, other.fact, k.prompt, other.prompt, k.answer));
        }
        if (pairs.isEmpty()) {
            throw new IllegalArgumentException(model.name() + " knows " + known.size() + " of these " + asked.stream().mapToInt(r -> r.facts().size()).sum()
                    + " facts, and no two of one relation make a pair");
        }
        return new FactPairs(List.copyOf(pairs), unequal);
    }

    @Override
    public Object view() {
        List<List<Object>> rows = new ArrayList<>();
        for (Relation r : asked) {
            long count = known.stream().filter(k -> k.fact.relation().equals(r.name())).count();
            rows.add(List.of(r.name(), r.template().text(), r.facts().size(), (int) count));
        }
        return Tables.of("facts that " + model.name() + " knows", List.of("relation", "template", "facts", "known"), rows);
    }
}
