package lab.recall.stats;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import lab.recall.base.BadRequest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvFileSource;

class EstimateTest {
    private static final double[] VALUES = {1, Double.NaN, 0};

    private static double mean(int[] drawn) {
        return Arrays.stream(drawn).mapToDouble(i -> VALUES[i]).filter(v -> !Double.isNaN(v)).average().orElse(Double.NaN);
    }

    /** A draw of the second case alone has no mean: one of 27. */
    @Test
    void drawsWithoutAValueAreLeftOut() {
        Estimate e = Estimate.of(3, EstimateTest::mean, 1);
        assertEquals(0.5, e.mean());
        assertEquals(0, e.low());
        assertEquals(1, e.high());
        assertEquals(3, e.n());
    }

    /** Bounds from binomial tails in whole numbers; stats/clopper_pearson.py makes them. */
    @ParameterizedTest
    @CsvFileSource(resources = "/stats/clopper_pearson.csv", numLinesToSkip = 1)
    void sharesHaveClopperAndPearsonsBounds(int of, int n, double low, double high) {
        Estimate e = Estimate.share(of, n);
        assertEquals(of / (double) n, e.mean(), 1e-15);
        assertEquals(low, e.low(), 1e-8);
        assertEquals(high, e.high(), 1e-8);
        assertEquals(n, e.n());
        assertEquals(e, Estimate.share(IntStream.range(0, n).mapToDouble(i -> i < of ? 1 : 0).toArray()));
    }

    @Test
    void aShareIsNeverCertain() {
        assertEquals("1.000 [0.863, 1.000]", Estimate.share(25, 25).toString());
        assertEquals("–", Estimate.share(0, 0).toString());
        assertEquals(2, Estimate.share(new double[] {1, Double.NaN, 0.5}).n());
        assertTrue(Estimate.share(new double[] {1, 0, 1}, 0.99).low() < Estimate.share(new double[] {1, 0, 1}).low());
        assertThrows(BadRequest.class, () -> Estimate.share(3, 2));
        assertThrows(BadRequest.class, () -> Estimate.share(-1, 2));
        assertEquals("1.5 is no share of a case, expected a number from 0 to 1",
                assertThrows(BadRequest.class, () -> Estimate.share(new double[] {1.5})).getMessage());
    }

    /** Cases of a cluster say the same: the interval is that of the clusters, however many cases stand in each. */
    @Test
    void alikeCasesCountAsOne() {
        double[] few = {0.1, 0.5, 0.9, 0.2, 0.7};
        double[] many = IntStream.range(0, 100).mapToDouble(i -> few[i / 20]).toArray();
        List<String> relations = IntStream.range(0, 100).mapToObj(i -> "r" + i / 20).toList();
        Estimate apart = Estimate.mean(few, 3);
        Estimate together = Estimate.clustered(many, relations, 3);
        assertEquals(apart.mean(), together.mean(), 1e-12);
        assertEquals(apart.low(), together.low(), 1e-12);
        assertEquals(apart.high(), together.high(), 1e-12);
        assertEquals(100, together.n());
        Estimate blind = Estimate.mean(many, 3);
        assertTrue(together.high() - together.low() > 3 * (blind.high() - blind.low()), together + " " + blind);
        assertEquals(blind, Estimate.clustered(many, Collections.nCopies(100, "one"), 3), "of one relation its cases are drawn");
        assertThrows(BadRequest.class, () -> Estimate.clustered(few, relations, 3));
    }

    /** In 95 of 100 experiments of six relations the mean of all is inside, within what 400 experiments can tell: at least 92. */
    @Test
    void intervalsOfFewRelationsCover() {
        Random random = new Random(5);
        int inside = 0;
        for (int e = 0; e < 400; e++) {
            double[] values = new double[60];
            for (int relation = 0; relation < 6; relation++) {
                double mean = random.nextGaussian();
                for (int i = 0; i < 10; i++) {
                    values[relation * 10 + i] = mean + random.nextGaussian();
                }
            }
            Estimate found = Estimate.clustered(values, IntStream.range(0, 60).mapToObj(i -> "r" + i / 10).toList(), e);
            inside += found.low() <= 0 && 0 <= found.high() ? 1 : 0;
        }
        assertTrue(inside >= 368, inside + " of 400");
    }
}
