package lab.recall.base;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * SHA-256 of texts, numbers and files: tells whether two things are the same.
 *
 * <pre>{@code
 * String key = new Digest().add("trace").add(json).hex();
 * }</pre>
 */
public final class Digest {
    private static final int BUFFER = 1 << 20;

    private final MessageDigest digest;

    /** Of nothing yet. */
    public Digest() {
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private Digest(Digest like) {
        try {
            digest = (MessageDigest) like.digest.clone();
        } catch (CloneNotSupportedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Of some bytes. */
    public static String of(byte[] bytes) {
        return new Digest().add(bytes).hex();
    }

    /** Of numbers. */
    public static String of(float[] numbers) {
        return new Digest().add(numbers).hex();
    }

    /** Adds bytes. */
    public Digest add(byte[] bytes) {
        digest.update(bytes);
        return this;
    }

    /** Adds a text and its end. */
    public Digest add(String text) {
        return add((text + '\n').getBytes(StandardCharsets.UTF_8));
    }

    /** Adds the bits of numbers. */
    public Digest add(float[] numbers) {
        int most = BUFFER / Float.BYTES;
        ByteBuffer bytes = ByteBuffer.allocate(Math.min(numbers.length, most) * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (int from = 0; from < numbers.length; from += most) {
            int count = Math.min(most, numbers.length - from);
            bytes.asFloatBuffer().put(numbers, from, count);
            digest.update(bytes.array(), 0, count * Float.BYTES);
        }
        return this;
    }

    /** Adds the bits of numbers. */
    public Digest add(double[] numbers) {
        int most = BUFFER / Double.BYTES;
        ByteBuffer bytes = ByteBuffer.allocate(Math.min(numbers.length, most) * Double.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (int from = 0; from < numbers.length; from += most) {
            int count = Math.min(most, numbers.length - from);
            bytes.asDoubleBuffer().put(numbers, from, count);
            digest.update(bytes.array(), 0, count * Double.BYTES);
        }
        return this;
    }

    /** Adds a file's bytes, read as a stream. */
    public Digest add(Path file) throws IOException {
        byte[] buffer = new byte[BUFFER];
        try (InputStream in = Files.newInputStream(file)) {
            for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                digest.update(buffer, 0, read);
                Interruption.check();
            }
        }
        return this;
    }

    /** Of what was added so far, in hexadecimal digits; more can be added. */
    public String hex() {
        return HexFormat.of().formatHex(new Digest(this).digest.digest());
    }
}
