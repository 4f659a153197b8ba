package lab.recall.checkpoint;

import java.util.Arrays;
import java.util.stream.Collectors;

/** Number formats of stored tensors, named as safetensors names them; little-endian. */
public enum DType {
    F64(8), F32(4), F16(2), BF16(2),
    /** One sign, four bits of exponent, three of mantissa; no infinity (E4M3FN). */
    F8_E4M3(1),
    /** The upper half of an F16. */
    F8_E5M2(1),
    I64(8), I32(4), I16(2), I8(1), U64(8), U32(4), U16(2), U8(1), BOOL(1),
    /** Pairs of F32: they stand in files, and are not read. */
    C64(8),
    /** Pairs of F64: they stand in files, and are not read. */
    C128(16),
    /** A format that is not known here: tensors of it stand in files and are copied, and are not read. */
    OTHER(0);

    private final int bytes;

    DType(int bytes) {
        this.bytes = bytes;
    }

    /** Size of one number; 0 where it is not known. */
    public int bytes() {
        return bytes;
    }

    /** Whether its numbers are read. */
    public boolean isRead() {
        return compareTo(C64) < 0;
    }

    /** Whether its numbers have fractions. */
    public boolean isFloating() {
        return compareTo(I64) < 0;
    }

    /** The one of this name; {@link #OTHER} where none has it. */
    static DType of(String name) {
        return Arrays.stream(values()).filter(d -> d != OTHER && d.name().equals(name)).findFirst().orElse(OTHER);
    }

    static String known() {
        return Arrays.stream(values()).filter(DType::isRead).map(Enum::name).collect(Collectors.joining(", "));
    }
}
