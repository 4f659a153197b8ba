package lab.recall.stats;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
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

class SamplesTest {
    /** Noise around 0 at many layers: the best layer of the same cases looks good, that of other cases does not. */
    @Test
    void theBestOfManyIsNotFlattered() {
        double flattered = 0;
        double fair = 0;
        for (int seed = 0; seed < 20; seed++) {
            Random random = new Random(seed);
            double[][] noise = new double[40][30];
            for (double[] layer : noise) {
                Arrays.setAll(layer, i -> random.nextGaussian());
            }
            Samples s = new Samples(noise, IntStream.range(0, 30).mapToObj(i -> "r" + i).toList());
            flattered += Arrays.stream(s.means()).max().orElseThrow() / 20;
            fair += s.highest().mean() / 20;
        }
        assertTrue(flattered > 0.3, "" + flattered);
        assertEquals(0, fair, 0.12);
    }

    @Test
    void aLayerThatIsBestForAllIsFound() {
        double[][] v = {{0.1, 0.2, 0.1, 0.2, 0.1, 0.2}, {0.9, 0.7, 0.8, 0.7, 0.9, 0.8}, {-0.5, -0.4, -0.6, -0.5, -0.4, -0.6}};
        Samples s = new Samples(v, Collections.nCopies(6, "r"));
        assertEquals(0.8, s.highest().mean(), 1e-12);
        assertEquals(-0.5, s.lowest().mean(), 1e-12);
        assertEquals(0.15, s.highest(0, 2).mean(), 1e-12);
        assertEquals(-0.5, s.where(new Samples(new double[][] {v[0], v[2], v[1]}, Collections.nCopies(6, "r"))).mean(), 1e-12);
        assertEquals(0.475, s.mean(0, 1).mean(), 1e-12);
        assertArrayEquals(new double[] {0, 0, 0}, s.minus(s).means());
        assertThrows(BadRequest.class, () -> s.minus(Samples.published(1, 2, 3)));
    }

    /** Case by case: what both share is no error of the difference. */
    @Test
    void differencesOfTheBestArePaired() {
        Random random = new Random(1);
        double[] common = random.doubles(30).map(v -> 10 * v).toArray();
        double[][] a = {common, Arrays.stream(common).map(v -> v + 1).toArray()};
        double[][] b = {Arrays.stream(common).map(v -> v - 1).toArray(), Arrays.stream(common).map(v -> v + 0.5).toArray(), common};
        List<String> clusters = IntStream.range(0, 30).mapToObj(i -> "r" + i % 10).toList();
        Samples one = new Samples(a, clusters);
        Samples two = new Samples(b, clusters);
        Estimate most = one.highestMinus(two);
        assertEquals(0.5, most.mean(), 1e-12);
        assertEquals(0.5, most.low(), 1e-9);
        assertEquals(0.5, most.high(), 1e-9);
        assertEquals(1, one.lowestMinus(two).mean(), 1e-12);
        assertTrue(one.highest().high() - one.highest().low() > 1, "each by itself is uncertain");
        assertThrows(BadRequest.class, () -> one.highestMinus(Samples.published(1)));
        assertArrayEquals(common, one.cases(0));
    }

    @Test
    void publishedNumbersHaveNoError() {
        Samples s = Samples.published(0.1, 0.6, 0.3);
        assertEquals(Estimate.exactly(0.6), s.highest());
        assertEquals(Estimate.exactly(0.1), s.lowest());
        assertEquals(Estimate.exactly(0.3), s.highest(0, 2));
        assertEquals(new Samples(new double[][] {{1, Double.NaN}}, List.of("a", "b")).at(0).n(), 1);
    }

    @Test
    void aCaseHasNoPartInItsOwnChoice() {
        int[] chosen = CrossFit.chosen(10, 10, (option, cases) -> Arrays.stream(cases).anyMatch(c -> c == option) ? -1 : option);
        for (int i = 0; i < 10; i++) {
            assertTrue(chosen[i] >= 0 && chosen[i] < 10);
        }
        int[] counted = new int[10];
        CrossFit.chosen(10, 1, (option, cases) -> {
            for (int c : cases) {
                counted[c]++;
            }
            return cases.length;
        });
        assertArrayEquals(IntStream.range(0, 10).map(i -> 4).toArray(), counted, "each case chooses for four parts of five");
        assertArrayEquals(new int[] {-1}, CrossFit.chosen(1, 3, (option, cases) -> option));
    }

    @Test
    void depthIsWhatLiesBehind() {
        assertEquals(1, RelativeDepth.of(7, 8));
        assertEquals(0, RelativeDepth.of(-1, 8));
        assertArrayEquals(new int[] {3, 4}, RelativeDepth.layers(8, 0.5, 0.63).toArray());
        assertEquals(0, RelativeDepth.layers(2, 0.6, 0.9).count());
        assertTrue(Double.isNaN(RelativeDepth.most(new double[] {1, 2}, 0.6, 0.9)));
    }
}
