package lab.recall.math;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Random;
import java.util.function.IntToDoubleFunction;
import org.junit.jupiter.api.Test;

/** Sums have one order for any lanes, and never read past their row. */
class SumsTest {
    private static final int MOST = 67;

    private final float[] a = numbers(1);
    private final float[] b = numbers(2);
    private final float[] x = numbers(3);

    /** Rows end where the array ends: one read too far is an exception. */
    private static float[] numbers(long seed) {
        Random random = new Random(seed);
        float[] all = new float[MOST];
        for (int i = 0; i < MOST; i++) {
            all[i] = (float) (random.nextGaussian() * Math.exp(3 * random.nextGaussian()));
        }
        return all;
    }

    /** Eight chains and what is left over, as the class promises. */
    private static double eightChains(int width, IntToDoubleFunction term) {
        double[] s = new double[8];
        int whole = width / 8 * 8;
        for (int i = 0; i < whole; i++) {
            s[i % 8] += term.applyAsDouble(i);
        }
        double rest = 0;
        for (int i = whole; i < width; i++) {
            rest += term.applyAsDouble(i);
        }
        return ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7])) + rest;
    }

    @Test
    void everyWidthGivesTheBitsOfEightChains() {
        double mean = 0.37;
        for (int width = 0; width <= MOST; width++) {
            int at = MOST - width;
            String row = "width " + width;
            assertEquals(eightChains(width, i -> x[at + i]), Sums.of(x, at, width), row);
            assertEquals(eightChains(width, i -> (x[at + i] - mean) * (x[at + i] - mean)), Sums.squares(x, at, width, mean), row);
            assertEquals(eightChains(width, i -> (double) a[at + i] * b[at + i]), Sums.products(a, at, b, at, width), row);
            assertEquals(eightChains(width, i -> (double) a[at + i] * b[at + i] * (x[at + i] - mean)),
                    Sums.products(a, at, b, at, x, at, mean, width), row);
        }
    }
}
