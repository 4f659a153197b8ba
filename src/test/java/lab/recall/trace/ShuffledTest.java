package lab.recall.trace;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.stream.IntStream;
import lab.recall.base.BadRequest;
import lab.recall.facts.FactPair;
import lab.recall.facts.FactPairs;
import lab.recall.facts.Relations;
import lab.recall.model.HookPoint;
import lab.recall.model.Intervention;
import lab.recall.model.LanguageModel;
import lab.recall.model.Pass;
import lab.recall.model.Recording;
import lab.recall.model.Site;
import lab.recall.study.Runner;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The negative control: other facts' answers. */
class ShuffledTest {
    private static FactPairs pairs(LanguageModel model, int count) {
        return Relations.of(model).knownBy(model, Runner.silent()).pairs(count, 1);
    }

    /** The effect on another answer, by whole runs. */
    private static double expected(LanguageModel model, FactPair pair, int other, int layer, int token, boolean reverse) {
        int[] from = (reverse ? pair.corruptPrompt() : pair.cleanPrompt()).ids();
        int[] into = (reverse ? pair.cleanPrompt() : pair.corruptPrompt()).ids();
        Pass source = model.run(from, Recording.points(HookPoint.RESID_POST));
        Pass base = model.run(into);
        double p = model.run(into, Recording.nothing(), Intervention.patch(new Site(layer, HookPoint.RESID_POST, token), source))
                .probability(other);
        double own = model.run(pair.cleanPrompt().ids()).probability(pair.answer())
                - model.run(pair.corruptPrompt().ids()).probability(pair.answer());
        return (reverse ? base.probability(other) - p : p - base.probability(other)) / own;
    }

    @ParameterizedTest
    @CsvSource({"tiny-mamba, false", "tiny-mamba, true", "tiny-neox, false"})
    void everyEffectIsOfAnotherAnswerInUnitsOfThePairsOwn(String name, boolean reverse) {
        LanguageModel model = LanguageModel.open(name);
        FactPairs pairs = pairs(model, 12);
        CausalTrace trace = reverse ? CausalTrace.of(model).reverse() : CausalTrace.of(model);
        AverageTrace found = trace.shuffled().over(pairs, Runner.silent());
        for (int layer : new int[] {0, model.layers() - 2}) {
            int l = layer;
            double mean = IntStream.range(0, pairs.size()).mapToDouble(i -> {
                FactPair own = pairs.get(i);
                return expected(model, own, other(model, pairs, i), l, own.cleanPrompt().subjectLast(), reverse);
            }).average().orElseThrow();
            assertEquals(mean, found.at(Position.SUBJECT_LAST, layer).mean(), 1e-5, name + " " + layer);
        }
        assertNotEquals(trace.over(pairs, Runner.silent()).at(Position.SUBJECT, 0), found.at(Position.SUBJECT, 0));
    }

    /** The next pair's of the same relation, else of any, that is neither the pair's own nor what its corrupt prompt says. */
    private static int other(LanguageModel model, FactPairs pairs, int i) {
        FactPair own = pairs.get(i);
        int said = model.run(own.corruptPrompt().ids()).argmax();
        List<FactPair> next = IntStream.range(1, pairs.size()).mapToObj(k -> pairs.get((i + k) % pairs.size()))
                .filter(p -> p.answer() != own.answer() && p.answer() != said).toList();
        return next.stream().filter(p -> p.clean().relation().equals(own.clean().relation())).findFirst().orElse(next.get(0)).answer();
    }

    @Test
    void theFactIsThereAndOtherAnswersAreNot() {
        LanguageModel model = LanguageModel.open("tiny-mamba");
        FactPairs pairs = pairs(model, 60);
        AverageTrace own = CausalTrace.of(model).over(pairs, Runner.silent());
        AverageTrace others = CausalTrace.of(model).shuffled().over(pairs, Runner.silent());
        assertTrue(own.at(Position.SUBJECT, 0).mean() > 0.9);
        for (Position p : Position.values()) {
            for (int l = 0; l < model.layers(); l++) {
                assertTrue(!(Math.abs(others.at(p, l).mean()) > 0.1), p + " " + l + ": " + others.at(p, l));
            }
        }
    }

    @Test
    void whatHasNoOtherAnswersIsRefused() {
        LanguageModel model = LanguageModel.open("tiny-mamba");
        CausalTrace shuffled = CausalTrace.of(model).shuffled();
        FactPairs one = pairs(model, 1);
        assertTrue(assertThrows(BadRequest.class, () -> shuffled.over(one, Runner.silent())).getMessage()
                .endsWith("has no other fact's answer among the pairs; expected more pairs"));
        assertTrue(assertThrows(BadRequest.class, () -> shuffled.of(one.get(0))).getMessage().startsWith("shuffled: one pair has no"));
        assertTrue(assertThrows(BadRequest.class, () -> shuffled.averaging(Averaging.PUBLISHED).over(one, Runner.silent())).getMessage()
                .startsWith("shuffled: the reference code"));
    }
}
