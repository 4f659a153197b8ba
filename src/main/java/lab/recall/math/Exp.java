package lab.recall.math;

/**
 * The exponential in f32, one value at a time, with the arithmetic of the vector form: results are the same bit for bit.
 *
 * <p>x = n ln 2 + r with |r| at most ln 2 / 2 (Cody and Waite's two-part constant), a polynomial for e^r, and n added to the exponent.
 * At most 1 ulp from -87 to 88, 0 below, its value at 88 above.
 */
final class Exp {
    static final float LOWEST = -87f;
    static final float HIGHEST = 88f;
    static final float LOG2_E = 1.44269504f;
    /** Adding it rounds to a whole number, which then stands in the low bits. */
    static final float ROUND = 12582912f;
    static final float LN2_HIGH = 0.693145751953125f;
    static final float LN2_LOW = 1.42860677e-6f;
    static final float P0 = 1.9875691500e-4f;
    static final float P1 = 1.3981999507e-3f;
    static final float P2 = 8.3334519073e-3f;
    static final float P3 = 4.1665795894e-2f;
    static final float P4 = 1.6666665459e-1f;
    static final float P5 = 5.0000001201e-1f;

    /** 2^r = 1 + r (C1 + .. + C6 r^5) for |r| up to 1/2: a minimax fit, 1.04 ulp with all roundings. */
    static final float C1 = 0.6931472f;
    static final float C2 = 0.24022648f;
    static final float C3 = 0.055503324f;
    static final float C4 = 0.009618437f;
    static final float C5 = 0.0013398875f;
    static final float C6 = 0.00015353362f;
    /** The bits of the least power's rounded sum: {@link #exp2} is never below 2^-125.5. */
    static final int LEAST_POWER = Float.floatToRawIntBits(-125f + ROUND);

    private Exp() {
    }

    static float exp(float value) {
        float x = Math.min(Math.max(value, LOWEST), HIGHEST);
        float f = Math.fma(x, LOG2_E, ROUND);
        float n = f - ROUND;
        float r = Math.fma(n, -LN2_HIGH, x);
        r = Math.fma(n, -LN2_LOW, r);
        float p = Math.fma(P0, r, P1);
        p = Math.fma(p, r, P2);
        p = Math.fma(p, r, P3);
        p = Math.fma(p, r, P4);
        p = Math.fma(p, r, P5);
        p = Math.fma(p, r * r, r) + 1f;
        float e = Float.intBitsToFloat(Float.floatToRawIntBits(p) + (Float.floatToRawIntBits(f) << 23));
        return value < LOWEST ? 0f : e;
    }

    /**
     * 2^v for v from -125 to 0, and below -125 a number near 2^-125. Fewer steps behind one another than {@link #exp} has: the scan waits
     * for them, token by token. The sum is taken in pairs, as the vector form does.
     */
    static float exp2(float v) {
        float f = v + ROUND;
        float r = v - (f - ROUND);
        float square = r * r;
        float p = Math.fma(Math.fma(C6, r, C5), square, Math.fma(C4, r, C3));
        p = Math.fma(Math.fma(p, square, Math.fma(C2, r, C1)), r, 1f);
        int k = Math.max(Float.floatToRawIntBits(f), LEAST_POWER) << 23;
        return Float.intBitsToFloat(Float.floatToRawIntBits(p) + k);
    }

    /** 1 / (1 + exp(-x)), without overflow. */
    static float sigmoid(float x) {
        float e = exp(-Math.abs(x));
        float s = 1f / (1f + e);
        return x < 0 ? e * s : s;
    }
}
