package lab.recall.stats;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

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
}
