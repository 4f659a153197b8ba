package lab.recall.checkpoint;

import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Number formats of GGUF tensors, by the numbers that stand for them in the file.
 *
 * <p>A quantised row is cut into blocks of {@code block} numbers, {@code bytes} long each. Every block holds small whole numbers q, packed
 * to bits, and scales: x = d q or x = d q + m. d and m are halves; the K kinds cut their blocks of 256 further, with small whole scales for
 * each part. Decoding is done in f32, in the order of multiplications that llama.cpp has.
 */
enum GgufType {
    F32(0, DType.F32), F16(1, DType.F16), BF16(30, DType.BF16), F64(28, DType.F64),
    I8(24, DType.I8), I16(25, DType.I16), I32(26, DType.I32), I64(27, DType.I64),
    Q4_0(2, 32, 18, GgufBlocks::q40), Q4_1(3, 32, 20, GgufBlocks::q41), Q5_0(6, 32, 22, GgufBlocks::q50), Q5_1(7, 32, 24, GgufBlocks::q51),
    Q8_0(8, 32, 34, GgufBlocks::q80), Q2_K(10, 256, 84, GgufBlocks::q2k), Q3_K(11, 256, 110, GgufBlocks::q3k),
    Q4_K(12, 256, 144, GgufBlocks::q4k), Q5_K(13, 256, 176, GgufBlocks::q5k), Q6_K(14, 256, 210, GgufBlocks::q6k),
    IQ4_NL(20, 32, 18, GgufBlocks::iq4nl);

    private static final Map<Long, String> OTHERS = Map.ofEntries(Map.entry(9L, "Q8_1"), Map.entry(15L, "Q8_K"), Map.entry(16L, "IQ2_XXS"),
            Map.entry(17L, "IQ2_XS"), Map.entry(18L, "IQ3_XXS"), Map.entry(19L, "IQ1_S"), Map.entry(21L, "IQ3_S"), Map.entry(22L, "IQ2_S"),
            Map.entry(23L, "IQ4_XS"), Map.entry(29L, "IQ1_M"), Map.entry(34L, "TQ1_0"), Map.entry(35L, "TQ2_0"), Map.entry(39L, "MXFP4"));

    /** Decodes one block. */
    interface Decoder {
        /** From {@code packed[at..]} to {@code numbers[to..]}. */
        void decode(byte[] packed, int at, float[] numbers, int to);
    }

    private final int number;
    private final int block;
    private final int bytes;
    private final DType plain;
    private final Decoder decoder;

    GgufType(int number, DType plain) {
        this.number = number;
        this.block = 1;
        this.bytes = plain.bytes();
        this.plain = plain;
        this.decoder = null;
    }

    GgufType(int number, int block, int bytes, Decoder decoder) {
        this.number = number;
        this.block = block;
        this.bytes = bytes;
        this.plain = null;
        this.decoder = decoder;
    }

    static Optional<GgufType> of(long number) {
        return Arrays.stream(values()).filter(t -> t.number == number).findFirst();
    }

    /** A type as llama.cpp calls it, also one that is not known here. */
    static String name(long number) {
        return of(number).map(Enum::name).orElseGet(() -> OTHERS.containsKey(number) ? OTHERS.get(number) : "number " + number);
    }

    static String known() {
        return Arrays.stream(values()).map(Enum::name).collect(Collectors.joining(", "));
    }

    /** Numbers that stand together. */
    int block() {
        return block;
    }

    /** Bytes of one block. */
    int bytes() {
        return bytes;
    }

    /** What it is where it is not quantised. */
    Optional<DType> plain() {
        return Optional.ofNullable(plain);
    }

    /** Decodes blocks that stand one after another, from the beginning of both arrays on. */
    void decode(byte[] packed, int blocks, float[] numbers) {
        for (int i = 0; i < blocks; i++) {
            decoder.decode(packed, i * bytes, numbers, i * block);
        }
    }
}
