package lab.recall.linear;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import lab.recall.facts.Fact;
import lab.recall.text.Tokenizer;

/** What can be reached without looking at the subject: the same two numbers for tests and for published relations. */
public final class Baselines {
    private Baselines() {
    }

    /**
     * The best constant answer: the largest share of facts whose objects one and the same token begins.
     *
     * @param tokens texts of those that come into question
     */
    static double constant(List<Fact> facts, Collection<String> tokens) {
        long most = tokens.stream().distinct().mapToLong(t -> facts.stream().filter(f -> f.begunBy(t)).count()).max().orElse(0);
        return most / (double) facts.size();
    }

    /** The best constant answer among the first tokens of the facts' own objects; never below {@link #chance}. */
    public static double constant(List<Fact> facts, Tokenizer tokenizer) {
        return constant(facts, facts.stream().map(f -> tokenizer.decode(first(tokenizer, f))).toList());
    }

    /** The paper's red bars: the probability that two objects, drawn at random, without a blank before them, begin with the same token. */
    public static double chance(List<Fact> facts, Tokenizer tokenizer) {
        Map<Integer, Long> counts = facts.stream().map(f -> first(tokenizer, f))
                .collect(Collectors.groupingBy(Function.identity(), Collectors.counting()));
        double n = facts.size();
        return counts.values().stream().mapToDouble(c -> c / n * (c / n)).sum();
    }

    private static int first(Tokenizer tokenizer, Fact fact) {
        return tokenizer.encode(fact.object(), false).ids()[0];
    }
}
