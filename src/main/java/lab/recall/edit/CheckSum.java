package lab.recall.edit;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import lab.recall.model.LanguageModel;

/** SHA-256 of numbers or texts, which tells whether a file was made with the same ones. */
final class CheckSum {
    /** So many numbers of each matrix stand for a model: training or an edit changes them all. */
    private static final int NUMBERS = 4096;

    private final MessageDigest digest;

    CheckSum() {
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private CheckSum(CheckSum like) {
        try {
            digest = (MessageDigest) like.digest.clone();
        } catch (CloneNotSupportedException e) {
            throw new IllegalStateException(e);
        }
    }

    static String of(float[] numbers) {
        return new CheckSum().add(numbers).hex();
    }

    /** Of the matrices that can be edited, in all layers. */
    static String of(LanguageModel model) {
        CheckSum sum = new CheckSum();
        List<EditMatrix> matrices = EditMatrix.all(model);
        for (int l = 0; l < model.layers(); l++) {
            for (EditMatrix m : matrices) {
                float[] rows = m.rows(model, l);
                sum.add(Arrays.copyOf(rows, Math.min(rows.length, NUMBERS)));
            }
        }
        return sum.hex();
    }

    CheckSum add(float[] numbers) {
        ByteBuffer bytes = ByteBuffer.allocate(numbers.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(numbers);
        digest.update(bytes.array());
        return this;
    }

    CheckSum add(String text) {
        digest.update((text + '\n').getBytes(StandardCharsets.UTF_8));
        return this;
    }

    /** Of what was added so far; more can be added. */
    String hex() {
        return HexFormat.of().formatHex(new CheckSum(this).digest.digest());
    }
}
