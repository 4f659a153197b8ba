package lab.recall.trace;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import lab.recall.base.BadRequest;
import lab.recall.base.Progress;
import lab.recall.facts.Fact;
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
import lab.recall.stats.Estimate;
import lab.recall.study.Runner;
import lab.recall.study.Store;
import lab.recall.text.Prompt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Averages over pairs, path blocking and attribution. */
class TraceTest {
    @TempDir
    Path dir;

    private static FactPairs pairs(LanguageModel model, int count) {
        return Relations.of(model).knownBy(model).pairs(count, 1);
    }

    /** Ids 0..: a prompt of {@code length} tokens whose subject is [start, end). */
    private static FactPair pair(String subject, int length, int start, int end) {
        Prompt p = new Prompt(null, new int[length], start, end);
        return new FactPair(new Fact("r", subject, "x"), new Fact("r", "other", "y"), p, p, 0);
    }

    /** One layer; p = 0.1 (cell + 1), clean 0.9, corrupt 0.1. */
    private static InterchangeGrid grid(int tokens, double pClean) {
        double[] p = new double[tokens + 1];
        for (int i = 0; i < p.length; i++) {
            p[i] = 0.1 * (i + 1);
        }
        return new InterchangeGrid(new double[][] {p}, pClean, 0.1, 0, false, 0, 0);
    }

    private static double at(double[][][] samples, Position p, int pair) {
        return samples[p.ordinal()][0][pair];
    }

    @Test
    void correctedAveragesSubtractAndLeaveOut() {
        List<FactPair> pairs = List.of(pair("a", 7, 1, 4), pair("b", 7, 0, 1), pair("c", 7, 1, 4));
        double[][][] s = Averaging.CORRECTED.samples(pairs, List.of(grid(7, 0.9), grid(7, 0.9), grid(7, 0.14)), Cells.TOKENS);
        // effect of cell i: (0.1 (i + 1) - 0.1) / 0.8
        assertEquals(0, at(s, Position.PREFIX, 0), 1e-12);
        assertEquals(0.1 / 0.8, at(s, Position.SUBJECT_EARLY, 0), 1e-12);
        assertEquals(0.2 / 0.8, at(s, Position.SUBJECT_SECOND_LAST, 0), 1e-12);
        assertEquals(0.3 / 0.8, at(s, Position.SUBJECT_LAST, 0), 1e-12);
        assertEquals((0.4 + 0.5) / 2 / 0.8, at(s, Position.FURTHER, 0), 1e-12);
        assertEquals(0.6 / 0.8, at(s, Position.LAST, 0), 1e-12);
        assertEquals(0.7 / 0.8, at(s, Position.SUBJECT, 0), 1e-12);
        assertTrue(Double.isNaN(at(s, Position.PREFIX, 1)) && Double.isNaN(at(s, Position.SUBJECT_SECOND_LAST, 1)), "no such tokens");
        assertTrue(Double.isNaN(at(s, Position.LAST, 2)), "the two runs hardly differ");
    }

    /** The reference code's defects, one by one. */
    @Test
    void publishedAveragesDoAsTheReferenceDid() {
        List<FactPair> pairs = List.of(pair("a", 7, 1, 3), pair("b", 7, 1, 4), pair("a", 7, 1, 4));
        double[][][] s = Averaging.PUBLISHED.samples(pairs, List.of(grid(7, 0.9), grid(7, 0.14), grid(7, 0.9)), Cells.TOKENS);
        assertEquals(2, s[0][0].length, "the later fact about a subject counts");
        assertEquals(0.7 / 0.04, at(s, Position.LAST, 0), 1e-9, "nothing subtracted, no denominator refused");
        assertEquals(0.2 / 0.8, at(s, Position.SUBJECT_EARLY, 1), 1e-12);
        double[][][] two = Averaging.PUBLISHED.samples(List.of(pair("a", 7, 1, 3)), List.of(grid(7, 0.9)), Cells.TOKENS);
        assertEquals(0, at(two, Position.SUBJECT_EARLY, 0), "a subject of two tokens counts as 0");
        double[][][] one = Averaging.PUBLISHED.samples(List.of(pair("a", 7, 0, 1), pair("b", 7, 1, 4)),
                List.of(grid(7, 0.9), grid(7, 0.9)), Cells.TOKENS);
        assertTrue(Double.isNaN(at(one, Position.PREFIX, 1)) && Double.isNaN(at(one, Position.SUBJECT_EARLY, 1)),
                "one empty position spoils the row");
        assertEquals(0.7 / 0.8, at(one, Position.SUBJECT_SECOND_LAST, 0), 1e-12, "index -1 is the last token");
    }

    /** The memory of each layer put back: one cell by hand, averages token by token, and where this model keeps the subject. */
    @Test
    void inWhichLayersMemoryTheSubjectLives() {
        LanguageModel model = LanguageModel.open("tiny-mamba");
        FactPairs pairs = pairs(model, 12);
        AverageTrace trace = CausalTrace.of(model).component(ScanPoints.STATE).over(pairs, Runner.silent());
        AfterSubject life = trace.afterSubject();
        for (int l = 0; l < model.layers(); l++) {
            assertEquals(trace.at(Position.SUBJECT_LAST, l), life.at(0, l));
        }
        assertEquals(5, trace.peak(Position.LAST), "which no position of the residual stream tells");
        assertTrue(life.until(5).isPresent() && life.until(0).isEmpty(), life.byLayer().print());
        assertEquals((life.longest() + 1) * model.layers(), life.table().rowCount());
        FactPair pair = pairs.pairs().get(0);
        int token = pair.cleanPrompt().length() - 2;
        Pass clean = model.run(pair.cleanPrompt().ids(), Recording.points(ScanPoints.STATE));
        double p = model.run(pair.corruptPrompt().ids(), Recording.nothing(),
                Intervention.patch(new Site(5, ScanPoints.STATE, token), clean)).probability(pair.answer());
        InterchangeGrid grid = Interchange.of(model).point(ScanPoints.STATE)
                .run(pair.cleanPrompt().ids(), pair.corruptPrompt().ids(), pair.answer());
        assertEquals(p, grid.p()[5][token], 1e-6);
        assertThrows(BadRequest.class, () -> life.at(life.longest() + 1, 0));
        assertThrows(BadRequest.class, () -> trace.minus(trace).afterSubject());
    }

    @ParameterizedTest
    @ValueSource(strings = {"tiny-mamba", "tiny-neox"})
    void differencesAndBlockedPaths(String name) {
        LanguageModel model = LanguageModel.open(name);
        FactPairs pairs = pairs(model, 12);
        AverageTrace residual = CausalTrace.of(model).residual().over(pairs, Runner.silent());
        int last = model.layers() - 1;
        assertEquals(1, residual.at(Position.LAST, last).mean(), 1e-4);
        assertEquals(1, residual.at(Position.SUBJECT, 0).mean(), 0.1, "the subject is all that differs");
        assertTrue(residual.at(Position.SUBJECT_LAST, 1).mean() > 0.05);
        assertEquals(0, residual.minus(residual).at(Position.SUBJECT_LAST, 1).mean());
        HookPoint c = CausalTrace.components(model).get(0);
        AverageTrace component = CausalTrace.of(model).component(c).over(pairs, Runner.silent());
        Estimate gap = residual.minus(component).at(Position.SUBJECT_LAST, 1);
        assertEquals(residual.at(Position.SUBJECT_LAST, 1).mean() - component.at(Position.SUBJECT_LAST, 1).mean(), gap.mean(), 1e-12);
        FactPairs others = Relations.of(model).knownBy(model).pairs(12, 2);
        AverageTrace elsewhere = CausalTrace.of(model).residual().over(others, Runner.silent());
        assertThrows(IllegalArgumentException.class, () -> residual.minus(elsewhere));
        assertThrows(IllegalArgumentException.class, () -> residual.rankCorrelation(elsewhere));

        BlockedPaths blocked = PathBlocking.of(model).over(pairs, Runner.silent());
        for (int l = 0; l <= last; l++) {
            for (Position p : blocked.tokens()) {
                assertEquals(residual.at(p, l).mean(), blocked.recovery(p, l).mean(), 1e-6, "nothing blocked is plain tracing");
            }
        }
        for (HookPoint b : PathBlocking.blockable(model)) {
            assertEquals(1, blocked.recovery(b, Position.LAST, last).mean(), 1e-4, "restored behind what is blocked");
            assertEquals(0, blocked.damage(b, Position.LAST, last).mean(), 1e-4);
        }
        assertThrows(IllegalArgumentException.class, () -> blocked.recovery(HookPoint.EMBED, Position.LAST, 0));
    }

    /** Gradient times difference: exact in the last layer's last token only to first order, but close in rank everywhere. */
    @Test
    void attributionFollowsTheExactEffects() {
        LanguageModel model = LanguageModel.open("tiny-mamba");
        FactPairs pairs = pairs(model, 30);
        AverageTrace exact = CausalTrace.of(model).residual().over(pairs, Runner.silent());
        AverageTrace fast = AttributionPatching.of(model).over(pairs, Runner.silent());
        assertTrue(exact.rankCorrelation(fast).low() > 0.5, exact.rankCorrelation(fast).toString());
        assertEquals(1, exact.rankCorrelation(exact).mean(), 1e-12);
    }

    @Test
    void noiseIsSeededAndAveraged() {
        LanguageModel model = LanguageModel.open("tiny-mamba");
        FactPairs pairs = pairs(model, 4);
        double[] a = CausalTrace.of(model).noise(3, 3, 7).over(pairs, Runner.silent()).means(Position.SUBJECT_LAST);
        assertArrayEquals(a, CausalTrace.of(model).noise(3, 3, 7).over(pairs, Runner.silent()).means(Position.SUBJECT_LAST));
        double[] b = CausalTrace.of(model).noise(3, 3, 8).over(pairs, Runner.silent()).means(Position.SUBJECT_LAST);
        assertTrue(Math.abs(a[3] - b[3]) > 1e-6);
        assertThrows(IllegalArgumentException.class, () -> CausalTrace.of(model).noise(0, 3, 1));
        assertThrows(IllegalArgumentException.class, () -> CausalTrace.of(model).noise(3, 0, 1));
    }

    /** A run that goes on from kept pieces gives the same numbers bit for bit. */
    @Test
    void goesOnFromKeptPieces() throws IOException {
        LanguageModel model = LanguageModel.open("tiny-mamba");
        FactPairs pairs = pairs(model, 70);
        AverageTrace whole = CausalTrace.of(model).over(pairs, Runner.silent());
        assertThrows(IllegalStateException.class,
                () -> CausalTrace.of(model).over(pairs, Runner.of(Store.at(dir), Store.none(), stopsAfterTwoThirds())));
        Runner again = Runner.of(Store.at(dir), Store.none(), Progress.silent());
        AverageTrace resumed = CausalTrace.of(model).over(pairs, again);
        assertEquals(1, again.taken(), "the first 32 of 70 pairs");
        assertEquals(whole, resumed);
    }

    private static Progress stopsAfterTwoThirds() {
        return new Progress() {
            private long total;

            @Override
            public void start(String task, String unit, long all) {
                total = all;
            }

            @Override
            public void to(long done) {
                if (done > total * 2 / 3) {
                    throw new IllegalStateException("stopped");
                }
            }

            @Override
            public void finish() {
                assertTrue(total > 0);
            }
        };
    }

    @Test
    void publishedPairsAlignSubjectsAtTheirEnd() {
        LanguageModel model = LanguageModel.open("tiny-mamba-unbound");        // whose subjects differ in length
        var known = Relations.of(model).knownBy(model);
        FactPairs padded = known.pairs(200, 1, Pairing.PUBLISHED);
        int pads = 0;
        for (FactPair p : padded.pairs()) {
            Prompt a = p.cleanPrompt();
            Prompt b = p.corruptPrompt();
            assertEquals(a.length(), b.length());
            assertEquals(a.subjectEnd(), b.subjectEnd());
            assertEquals(a.subjectStart(), b.subjectStart());
            assertEquals(p.clean().relation(), p.corrupt().relation());
            pads += a.ids()[1] == 0 || b.ids()[1] == 0 ? 1 : 0;
        }
        assertTrue(pads > 0, "some subjects differ in length");
        assertEquals(0, padded.unmatched());
        assertTrue(CausalTrace.of(model).averaging(Averaging.PUBLISHED).over(padded, Runner.silent()).pairs() > 100);
        assertThrows(IllegalArgumentException.class, () -> Relations.of(model).knownBy(model).pairs(0, 1));
    }
}
