package lab.recall.trace;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import lab.recall.base.BadRequest;
import lab.recall.base.Json;
import lab.recall.facts.FactPair;
import lab.recall.facts.FactPairs;
import lab.recall.facts.Pairing;
import lab.recall.facts.Relations;
import lab.recall.model.HookPoint;
import lab.recall.model.Intervention;
import lab.recall.model.LanguageModel;
import lab.recall.model.Pass;
import lab.recall.model.Recording;
import lab.recall.model.Site;
import lab.recall.model.block.ScanPoints;
import lab.recall.study.Runner;
import lab.recall.text.Prompt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tokens that are put back together. */
class TogetherTest {
    private static FactPairs pairs(LanguageModel model, int count) {
        return Relations.of(model).knownBy(model, Runner.silent()).pairs(count, 1);
    }

    /** p of the clean answer in a run of the corrupt prompt that is changed at some tokens in one layer, nothing shared with other runs. */
    private static double alone(LanguageModel model, FactPair pair, HookPoint point, int layer, int... tokens) {
        Pass clean = model.run(pair.cleanPrompt().ids(), Recording.points(point));
        Intervention[] changes = Arrays.stream(tokens).mapToObj(t -> Intervention.patch(new Site(layer, point, t), clean))
                .toArray(Intervention[]::new);
        return model.run(pair.corruptPrompt().ids(), Recording.nothing(), changes).probability(pair.answer());
    }

    @Test
    void cellsOfAPrompt() {
        Prompt p = new Prompt(null, new int[9], 1, 5);
        assertArrayEquals(new int[][] {{0}, {1, 2}, {3}, {4}, {5, 6, 7}, {8}, {1, 2, 3, 4}}, Cells.TOGETHER.of(p).toArray(int[][]::new));
        assertEquals(List.of(Position.PREFIX, Position.SUBJECT_EARLY, Position.SUBJECT_SECOND_LAST, Position.SUBJECT_LAST, Position.FURTHER,
                Position.LAST, Position.SUBJECT), Cells.TOGETHER.rows(p));
        Prompt short_ = new Prompt(null, new int[2], 0, 1);
        assertEquals(List.of(Position.SUBJECT_LAST, Position.LAST, Position.SUBJECT), Cells.TOGETHER.rows(short_));
        assertEquals(Cells.TOKENS.rows(short_), Cells.TOGETHER.rows(short_));
        assertEquals(10, Cells.TOKENS.of(p).size());
        assertEquals(10, Cells.TOKENS.rows(p).size());
    }

    @ParameterizedTest
    @ValueSource(strings = {"tiny-mamba", "tiny-neox"})
    void everyCellIsThatOfARunOfItsOwn(String name) {
        LanguageModel model = LanguageModel.open(name);
        for (FactPair pair : pairs(model, 3).pairs()) {
            for (HookPoint point : List.of(HookPoint.RESID_POST, CausalTrace.components(model).get(0))) {
                ExampleTrace found = CausalTrace.of(model).component(point).window(1).together().of(pair);
                List<int[]> cells = Cells.TOGETHER.of(pair.cleanPrompt());
                assertTrue(cells.size() < pair.cleanPrompt().length(), "some row has several tokens");
                for (int l = 0; l < model.layers(); l++) {
                    for (int c = 0; c < cells.size(); c++) {
                        assertEquals(alone(model, pair, point, l, cells.get(c)), found.grid().p()[l][c], 1e-6, point + " " + l + " " + c);
                    }
                }
                assertEquals(cells.size(), found.heatmap().png().length > 0 ? found.grid().p()[0].length : -1);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"tiny-mamba", "tiny-neox"})
    void rowsOfOneTokenAreThoseOfPlainTraces(String name) {
        LanguageModel model = LanguageModel.open(name);
        FactPairs pairs = pairs(model, 20);
        AverageTrace plain = CausalTrace.of(model).residual().over(pairs, Runner.silent());
        AverageTrace together = CausalTrace.of(model).residual().together().over(pairs, Runner.silent());
        for (Position p : List.of(Position.SUBJECT_SECOND_LAST, Position.SUBJECT_LAST, Position.LAST, Position.SUBJECT)) {
            assertArrayEquals(plain.means(p), together.means(p), 1e-6, p.label());
        }
        assertTrue(together.at(Position.FURTHER, 3).n() > 0);
        assertNotEquals(plain.at(Position.FURTHER, 3), together.at(Position.FURTHER, 3));
        assertEquals(plain.handOverLayer(), together.handOverLayer());
        assertEquals(plain.at(Position.SUBJECT, 2).mean() - plain.at(Position.SUBJECT_LAST, 2).mean(),
                together.difference(Position.SUBJECT, Position.SUBJECT_LAST, 2).mean(), 1e-6);
    }

    @Test
    void whatNeedsSingleTokensIsRefused() {
        LanguageModel model = LanguageModel.open("tiny-mamba");
        FactPairs pairs = pairs(model, 4);
        AverageTrace plain = CausalTrace.of(model).residual().over(pairs, Runner.silent());
        AverageTrace together = CausalTrace.of(model).residual().together().over(pairs, Runner.silent());
        assertThrows(IllegalArgumentException.class, () -> together.minus(plain));
        assertEquals(0, together.minus(together).at(Position.SUBJECT, 1).mean());
        assertThrows(BadRequest.class, () -> together.rankCorrelation(together));
        AverageTrace state = CausalTrace.of(model).component(ScanPoints.STATE).together().over(pairs, Runner.silent());
        assertTrue(assertThrows(BadRequest.class, state::afterSubject).getMessage().contains("ask a trace of single tokens"));
        FactPairs padded = Relations.of(model).knownBy(model, Runner.silent()).pairs(4, 1, Pairing.PUBLISHED);
        assertTrue(assertThrows(BadRequest.class, () -> CausalTrace.of(model).averaging(Averaging.PUBLISHED).together()
                .over(padded, Runner.silent())).getMessage().startsWith("together: the reference code put back one token at a time"));
        AverageTrace published = CausalTrace.of(model).averaging(Averaging.PUBLISHED).over(repeated(padded), Runner.silent());
        assertThrows(BadRequest.class, published::bySubjectTokens);
    }

    /** With its first pair twice: as published the later one counts alone. */
    private static FactPairs repeated(FactPairs pairs) {
        List<FactPair> all = new ArrayList<>(pairs.pairs());
        all.add(all.get(0));
        return new FactPairs(all, 0);
    }

    @Test
    void tracesApartByTheSubjectsTokensMakeUpTheWhole() {
        LanguageModel model = LanguageModel.open("tiny-mamba-unbound");          // whose subjects differ in length
        AverageTrace whole = CausalTrace.of(model).residual().together().over(pairs(model, 40), Runner.silent());
        BySubjectTokens apart = whole.bySubjectTokens();
        assertTrue(apart.lengths().size() > 1, apart.lengths().toString());
        double sum = 0;
        int pairs = 0;
        for (int n : apart.lengths()) {
            assertEquals(n == 1, apart.of(n).at(Position.SUBJECT_SECOND_LAST, 0).n() == 0);
            sum += apart.of(n).at(Position.SUBJECT, 3).mean() * apart.of(n).pairs();
            pairs += apart.of(n).pairs();
        }
        assertEquals(whole.pairs(), pairs);
        assertEquals(whole.at(Position.SUBJECT, 3).mean(), sum / pairs, 1e-9);
        assertEquals(apart.lengths().size(), apart.table().rowCount());
        assertTrue(apart.heatmap(Position.SUBJECT_LAST).png().length > 0);
        assertThrows(BadRequest.class, () -> apart.of(100));
        assertEquals(0, whole.only("none", p -> false).pairs());
    }

    @ParameterizedTest
    @ValueSource(strings = {"tiny-mamba", "tiny-neox"})
    void pathsAreBlockedAtTheWholeSubject(String name) {
        LanguageModel model = LanguageModel.open(name);
        FactPairs pairs = pairs(model, 6);
        BlockedPaths blocked = PathBlocking.of(model).together().over(pairs, Runner.silent());
        assertEquals(List.of(Position.SUBJECT, Position.LAST), blocked.tokens());
        AverageTrace plain = CausalTrace.of(model).residual().over(pairs, Runner.silent());
        assertArrayEquals(plain.means(Position.SUBJECT), blocked.means(BlockedPaths.NOTHING, Position.SUBJECT), 1e-6);
        assertThrows(BadRequest.class, () -> blocked.recovery(Position.SUBJECT_LAST, 0));

        HookPoint severed = PathBlocking.blockable(model).get(0);
        int layer = 1;
        double sum = 0;
        int n = 0;
        for (FactPair pair : pairs.pairs()) {
            Pass clean = model.run(pair.cleanPrompt().ids(), Recording.points(HookPoint.RESID_POST));
            Pass corrupt = model.run(pair.corruptPrompt().ids(), Recording.points(severed));
            List<Intervention> changes = new ArrayList<>();
            for (int t = pair.cleanPrompt().subjectStart(); t < pair.cleanPrompt().subjectEnd(); t++) {
                changes.add(Intervention.patch(new Site(layer, HookPoint.RESID_POST, t), clean));
                for (int k = layer + 1; k < model.layers(); k++) {
                    changes.add(Intervention.patch(new Site(k, severed, t), corrupt));
                }
            }
            double p = model.run(pair.corruptPrompt().ids(), Recording.nothing(), changes.toArray(Intervention[]::new))
                    .probability(pair.answer());
            double span = clean.probability(pair.answer()) - corrupt.probability(pair.answer());
            if (span >= Averaging.LEAST_SPAN) {
                sum += (p - corrupt.probability(pair.answer())) / span;
                n++;
            }
        }
        assertEquals(sum / n, blocked.recovery(severed, Position.SUBJECT, layer).mean(), 1e-5);
    }

    /** What is written to a folder and read again is the same, in either form. */
    @Test
    void resultsAreTheSameAsJsonAndBack() throws IOException {
        LanguageModel model = LanguageModel.open("tiny-mamba");
        FactPairs pairs = pairs(model, 4);
        AverageTrace together = CausalTrace.of(model).residual().together().over(pairs, Runner.silent());
        assertEquals(together, Json.MAPPER.readValue(Json.compact(together), AverageTrace.class));
        BlockedPaths blocked = PathBlocking.of(model).together().over(pairs, Runner.silent());
        BlockedPaths again = Json.MAPPER.readValue(Json.compact(blocked), BlockedPaths.class);
        assertEquals(blocked, again);
        assertEquals(blocked.tokens(), again.tokens());
    }
}
