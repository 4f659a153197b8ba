package lab.recall.checkpoint;

/** f32 numbers to the nearest ones of a smaller format, ties to even. */
public final class Rounding {
    private Rounding() {
    }

    /** Replaces numbers by the nearest ones that a format has; all are in F32 and F64. */
    public static void round(DType format, float[] values) {
        for (int i = 0; i < values.length && (format == DType.BF16 || format == DType.F16); i++) {
            values[i] = format == DType.BF16 ? Float.intBitsToFloat(bf16(values[i]) << 16) : Tensor.half(f16(values[i]));
        }
    }

    /** The bits of the nearest bf16. */
    static short bf16(float value) {
        int bits = Float.floatToRawIntBits(value);
        if (Float.isNaN(value)) {
            return (short) (bits >>> 16 | 0x40);
        }
        return (short) (bits + 0x7fff + (bits >>> 16 & 1) >>> 16);
    }

    /** The bits of the nearest f16; what is too large becomes infinite. */
    static short f16(float value) {
        int bits = Float.floatToRawIntBits(value);
        int sign = bits >>> 16 & 0x8000;
        float size = Math.abs(value);
        if (!(size < Float.POSITIVE_INFINITY)) {
            return (short) (sign | (Float.isNaN(value) ? 0x7e00 : 0x7c00));
        }
        if (size < 0x1p-14f) {                                          // as a whole number of the smallest steps
            return (short) (sign | (int) Math.rint(size * 0x1p24));
        }
        int rounded = (bits & 0x7fffffff) + 0xfff + (bits >>> 13 & 1);
        int half = (rounded >>> 13) - (112 << 10);
        return (short) (sign | Math.min(half, 0x7c00));
    }
}
