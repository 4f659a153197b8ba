package lab.recall;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Bytes of GGUF files, of right ones and of such that lie: counts, offsets and types are written as they are given. */
public final class GgufBytes {
    private static final int U32 = 4;
    private static final int I32 = 5;
    private static final int F32 = 6;
    private static final int BOOL = 7;
    private static final int TEXT = 8;
    private static final int LIST = 9;

    private final ByteArrayOutputStream keys = new ByteArrayOutputStream();
    private final ByteArrayOutputStream tensors = new ByteArrayOutputStream();
    private final ByteArrayOutputStream data = new ByteArrayOutputStream();
    private int version = 3;
    private long keyCount;
    private long tensorCount;

    public GgufBytes version(int said) {
        version = said;
        return this;
    }

    /** Says other counts than there are. */
    public GgufBytes counts(long tensorsSaid, long keysSaid) {
        tensorCount = tensorsSaid;
        keyCount = keysSaid;
        return this;
    }

    public GgufBytes key(String name, Object value) {
        if (value instanceof Integer n) {
            return key(name, U32, little(4).putInt(n));
        } else if (value instanceof Float x) {
            return key(name, F32, little(4).putFloat(x));
        } else if (value instanceof Boolean b) {
            return key(name, BOOL, little(1).put((byte) (b ? 1 : 0)));
        } else if (value instanceof String s) {
            return key(name, TEXT, text(s));
        } else if (value instanceof int[] all) {
            ByteBuffer b = little(12 + 4 * all.length).putInt(I32).putLong(all.length);
            for (int n : all) {
                b.putInt(n);
            }
            return key(name, LIST, b);
        }
        ByteArrayOutputStream items = new ByteArrayOutputStream();
        ((List<?>) value).forEach(s -> items.writeBytes(text((String) s).array()));
        return key(name, LIST, little(12 + items.size()).putInt(TEXT).putLong(((List<?>) value).size()).put(items.toByteArray()));
    }

    /** A key of any type and content. */
    public GgufBytes key(String name, int type, ByteBuffer content) {
        keys.writeBytes(text(name).array());
        keys.writeBytes(little(4).putInt(type).array());
        keys.writeBytes(content.array());
        keyCount++;
        return this;
    }

    /** A tensor's entry; sizes innermost first. */
    public GgufBytes tensor(String name, int type, long offset, long... sizes) {
        tensors.writeBytes(text(name).array());
        ByteBuffer b = little(4 + 8 * sizes.length + 12).putInt(sizes.length);
        for (long n : sizes) {
            b.putLong(n);
        }
        tensors.writeBytes(b.putInt(type).putLong(offset).array());
        tensorCount++;
        return this;
    }

    /** An F32 tensor and its numbers, behind those that are there. */
    public GgufBytes floats(String name, float[] numbers, long... sizes) {
        tensor(name, 0, data.size(), sizes);
        ByteBuffer b = little((4 * numbers.length + 31) / 32 * 32);
        b.asFloatBuffer().put(numbers);
        return data(b.array());
    }

    public GgufBytes data(byte[] bytes) {
        data.writeBytes(bytes);
        return this;
    }

    public byte[] bytes() {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        all.writeBytes("GGUF".getBytes(StandardCharsets.US_ASCII));
        all.writeBytes(little(20).putInt(version).putLong(tensorCount).putLong(keyCount).array());
        all.writeBytes(keys.toByteArray());
        all.writeBytes(tensors.toByteArray());
        all.writeBytes(new byte[(32 - all.size() % 32) % 32]);
        all.writeBytes(data.toByteArray());
        return all.toByteArray();
    }

    /** A text as the format has it. */
    public static ByteBuffer text(String s) {
        byte[] bytes = s.getBytes(StandardCharsets.UTF_8);
        return little(8 + bytes.length).putLong(bytes.length).put(bytes);
    }

    public static ByteBuffer little(int size) {
        return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    }
}
