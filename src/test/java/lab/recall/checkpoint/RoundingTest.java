package lab.recall.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** Every number of the smaller formats, and those between two of them. */
class RoundingTest {
    private static float f16(int bits) {
        return Tensor.half((short) bits);
    }

    private static float bf16(int bits) {
        return Float.intBitsToFloat(bits << 16);
    }

    private static float rounded(DType format, float value) {
        float[] one = {value};
        Rounding.round(format, one);
        return one[0];
    }

    private static void between(DType format, float low, float high, boolean lowIsEven) {
        float middle = (float) ((low + (double) high) / 2);
        assertEquals(lowIsEven ? low : high, rounded(format, middle), 0f, "a tie goes to the even one");
        assertEquals(low, rounded(format, Math.nextDown(middle)), 0f);
        assertEquals(high, rounded(format, Math.nextUp(middle)), 0f);
        assertEquals(-high, rounded(format, -Math.nextUp(middle)), 0f);
    }

    @Test
    void f16IsNearest() {
        for (int bits = 0; bits < 0x7c00; bits++) {
            assertEquals(bits, Rounding.f16(f16(bits)) & 0xffff);
            assertEquals(bits | 0x8000, Rounding.f16(-f16(bits)) & 0xffff);
            if (bits < 0x7bff) {
                between(DType.F16, f16(bits), f16(bits + 1), bits % 2 == 0);
            }
        }
        assertEquals(65504f, rounded(DType.F16, 65519.996f), "the largest one");
        assertEquals(Float.POSITIVE_INFINITY, rounded(DType.F16, 65520f));
        assertEquals(Float.NEGATIVE_INFINITY, rounded(DType.F16, Float.NEGATIVE_INFINITY));
        assertTrue(Float.isNaN(rounded(DType.F16, Float.NaN)));
    }

    @Test
    void bf16IsNearest() {
        for (int bits = 0; bits < 0x7f80; bits++) {
            assertEquals(bits, Rounding.bf16(bf16(bits)) & 0xffff);
            if (bits > 0 && bits < 0x7f7f) {
                between(DType.BF16, bf16(bits), bf16(bits + 1), bits % 2 == 0);
            }
        }
        assertEquals(Float.POSITIVE_INFINITY, rounded(DType.BF16, Float.MAX_VALUE));
        assertTrue(Float.isNaN(rounded(DType.BF16, Float.NaN)));
    }

    @Test
    void f32StaysAsItIs() {
        assertEquals(0.1f, rounded(DType.F32, 0.1f));
    }
}
