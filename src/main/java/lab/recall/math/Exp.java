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

    /** 1 / (1 + exp(-x)), without overflow. */
    static float sigmoid(float x) {
        float e = exp(-Math.abs(x));
        float s = 1f / (1f + e);
        return x < 0 ? e * s : s;
    }
}
