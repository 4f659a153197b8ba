package lab.recall.edit;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import lab.recall.base.BadRequest;
import lab.recall.base.Digest;
import lab.recall.base.FileKind;
import lab.recall.base.InputFiles;
import lab.recall.base.Said;
import lab.recall.base.Unsolvable;
import lab.recall.checkpoint.Npz;
import lab.recall.checkpoint.SafeTensors;
import lab.recall.checkpoint.Tensor;
import lab.recall.math.Cholesky;
import lab.recall.math.Parallel;
import lab.recall.model.LanguageModel;
import lab.recall.study.Operation;
import lab.recall.study.Speed;

/**
 * The uncentred second moment of keys, C = E[k k'], summed in f64.
 *
 * <pre>{@code
 * SecondMoment c = SecondMoment.read(file, 1536);            // a safetensors file with C
 * double[] x = c.solve(key);                                 // C x = key
 * }</pre>
 *
 * Source: Meng et al., arXiv 2202.05262, section 3.1 and appendix E.5.
 */
public final class SecondMoment {
    /** Stands for no file. */
    static final String IDENTITY = "identity";
    private static final String SUM = "mom2.mom2";
    private static final String COUNT = "mom2.count";
    private static final double SYMMETRIC = 1e-3;
    /** A tile of keys, so many tokens by so many columns, stays in the cache for so many rows of the sums. */
    private static final int TOGETHER = 64;
    private static final int COLUMNS = 512;
    private static final int ROWS = 32;

    /** Sums of k k' over tokens, upper triangles. */
    static final Operation SUMS = new Operation("sums of k k'", SecondMoment::sums);
    /** C taken apart so that C x = k is solved. */
    static final Operation FACTORS = new Operation("factors of C", SecondMoment::factors);
    /** What is measured: as wide as is quick enough. */
    private static final int MEASURED = 768;

    private final int size;
    private final double[] sum;
    private long tokens;
    private Cholesky factor;
    private double factorShare;
    private String digest;

    /** @param sum over tokens, [size, size]; only the upper triangle is read and added to */
    SecondMoment(int size, double[] sum, long tokens) {
        this.size = size;
        this.sum = sum;
        this.tokens = tokens;
    }

    /**
     * As JSON: all that decides what it gives.
     *
     * @param sums rows of the upper triangle, as {@link #rows}
     */
    private record Sent(int size, long tokens, byte[] sums) {
    }

    @JsonValue
    private Sent sent() {
        return new Sent(size, tokens, rows(0, size));
    }

    @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
    private static SecondMoment read(Sent sent) {
        SecondMoment moment = new SecondMoment(sent.size, new double[Math.multiplyExact(sent.size, sent.size)], sent.tokens);
        moment.setRows(0, sent.size, sent.sums);
        return moment;
    }

    private static int measured(LanguageModel model) {
        return Math.min(MEASURED, model.matrices().stream().mapToInt(m -> model.width(m.key())).max().orElse(model.width()));
    }

    private static double sums(LanguageModel model) {
        int size = measured(model);
        int tokens = 4 * TOGETHER;
        double[] keys = new Random(1).doubles((long) tokens * size).toArray();
        SecondMoment moment = empty(size);
        return Speed.of((double) tokens * size * (size + 1), () -> moment.add(keys, tokens));
    }

    private static double factors(LanguageModel model) {
        int size = measured(model);
        SecondMoment moment = identity(size);
        return Speed.of(workOfFactor(size), () -> moment.factor(0));
    }

    /** Operations. */
    static double workOfFactor(double size) {
        return size * size * size / 3;
    }

    /** Of nothing yet. */
    static SecondMoment empty(int size) {
        return new SecondMoment(size, new double[Math.multiplyExact(size, size)], 0);
    }

    /** The identity: u is then the key's own direction. */
    public static SecondMoment identity(int size) {
        double[] c = new double[Math.multiplyExact(size, size)];
        for (int i = 0; i < size; i++) {
            c[i * size + i] = 1;
        }
        return new SecondMoment(size, c, 1);
    }

    /**
     * The tensor {@code C} [size, size] of a safetensors file, or of an .npz file; or what the reference code of Meng et al. keeps in an
     * .npz file, the sum {@code mom2.mom2} and over how many tokens it goes, {@code mom2.count}.
     *
     * @throws BadRequest if it holds none, or one that is not symmetric and finite
     */
    public static SecondMoment read(Path file, int size) {
        Map<String, Tensor> all = tensors(file, size);
        double[] values = matrix(all).doubles();
        double largest = Arrays.stream(values).map(Math::abs).max().orElse(0);
        for (int i = 0; i < size; i++) {
            for (int j = 0; j < size; j++) {
                if (!(Math.abs(values[i * size + j] - values[j * size + i]) <= SYMMETRIC * largest)) {
                    throw new BadRequest("covariance", matrix(all).name() + " of " + file + " is not symmetric and finite at [" + i + ", "
                            + j + "]");
                }
            }
        }
        return new SecondMoment(size, values, all.containsKey(COUNT) ? count(file, all.get(COUNT)) : 1);
    }

    /** The tensors of a file that holds a second moment of this size. */
    private static Map<String, Tensor> tensors(Path file, int size) {
        Map<String, Tensor> all;
        try {
            all = isZip(file) ? Npz.read(file) : SafeTensors.read(file);
        } catch (IllegalArgumentException e) {
            throw new BadRequest("covariance", e.getMessage(), e);
        }
        Tensor c = matrix(all);
        if (c == null || !Arrays.equals(c.shape(), new long[] {size, size})) {
            throw new BadRequest("covariance", file + " holds no C of shape [" + size + ", " + size + "]"
                    + (c == null ? ", and no " + SUM : ", but one of " + Said.of(Arrays.toString(c.shape()))));
        }
        if (!c.dtype().isFloating()) {
            throw new BadRequest("covariance", c.name() + " of " + file + " is " + Said.of(c.format()) + ", not a floating type");
        }
        if (all.containsKey(COUNT)) {
            count(file, all.get(COUNT));
        }
        return all;
    }

    private static boolean isZip(Path file) {
        return FileKind.of(InputFiles.start(file, FileKind.BYTES)).map(kind -> kind.words().equals(FileKind.NPZ)).orElse(false);
    }

    /** C itself, or its sum over tokens; null where there is neither. */
    private static Tensor matrix(Map<String, Tensor> all) {
        return all.containsKey(COUNT) ? all.get(SUM) : all.get("C");
    }

    private static long count(Path file, Tensor count) {
        double value = count.size() == 1 && count.dtype().isRead() ? count.doubles()[0] : Double.NaN;
        if (!(value >= 1 && value == Math.rint(value) && value < Long.MAX_VALUE)) {
            throw new BadRequest("covariance", COUNT + " of " + file + " is " + value + ", expected a whole number of tokens");
        }
        return (long) value;
    }

    /** What a request names: {@code identity}, or a file with C. */
    static SecondMoment named(String source, int size) {
        return source.equals(IDENTITY) ? identity(size) : read(Path.of(source), size);
    }

    /** Refuses what {@link #named} would refuse by its name and size, without reading numbers. */
    static void requireNamed(String source, int size) {
        if (!source.equals(IDENTITY)) {
            tensors(Path.of(source), size);
        }
    }

    /** Adds keys, [count, size], while it is collected. Each sum goes over the tokens in order, whatever the pieces and threads. */
    synchronized void add(double[] keys, int count) {
        tokens += count;
        factor = null;
        digest = null;
        Parallel.forEach((size + ROWS - 1) / ROWS, panel -> {
            int first = panel * ROWS;
            int end = Math.min(size, first + ROWS);
            for (int from = first; from < size; from += COLUMNS) {
                int to = Math.min(size, from + COLUMNS);
                for (int r = 0; r < count; r += TOGETHER) {
                    for (int i = first; i < end; i++) {
                        addRow(i, Math.max(i, from), to, keys, r, Math.min(count, r + TOGETHER));
                    }
                }
            }
        });
    }

    /** Columns of a row over some tokens. */
    private void addRow(int i, int from, int to, double[] keys, int first, int end) {
        int row = i * size;
        int r = first;
        for (; r + 4 <= end; r += 4) {
            int a = r * size;
            int b = a + size;
            int c = b + size;
            int d = c + size;
            double fa = keys[a + i];
            double fb = keys[b + i];
            double fc = keys[c + i];
            double fd = keys[d + i];
            for (int j = from; j < to; j++) {
                sum[row + j] = sum[row + j] + fa * keys[a + j] + fb * keys[b + j] + fc * keys[c + j] + fd * keys[d + j];
            }
        }
        for (; r < end; r++) {
            double f = keys[r * size + i];
            for (int j = from; j < to; j++) {
                sum[row + j] += f * keys[r * size + j];
            }
        }
    }

    /** Width of the keys. */
    public int size() {
        return size;
    }

    /** Over how many tokens. */
    public long tokens() {
        return tokens;
    }

    /** C, [size, size]. */
    public double[] matrix() {
        double[] c = new double[sum.length];
        for (int i = 0; i < size; i++) {
            for (int j = i; j < size; j++) {
                c[i * size + j] = sum[i * size + j] / tokens;
                c[j * size + i] = c[i * size + j];
            }
        }
        return c;
    }

    double[] sum() {
        return sum;
    }

    /** How many numbers some rows of the upper triangle have. */
    static int numbers(int size, int from, int to) {
        long count = 0;
        for (int i = from; i < to; i++) {
            count += size - i;
        }
        return Math.toIntExact(count);
    }

    /** Rows of the upper triangle of the sums, F64 in little-endian order. */
    byte[] rows(int from, int to) {
        ByteBuffer bytes = ByteBuffer.allocate(Math.multiplyExact(numbers(size, from, to), Double.BYTES)).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = from; i < to; i++) {
            bytes.asDoubleBuffer().put(sum, i * size + i, size - i);
            bytes.position(bytes.position() + (size - i) * Double.BYTES);
        }
        return bytes.array();
    }

    /** Sets them, before anything is read of it. */
    void setRows(int from, int to, byte[] rows) {
        ByteBuffer bytes = ByteBuffer.wrap(rows).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = from; i < to; i++) {
            bytes.asDoubleBuffer().get(sum, i * size + i, size - i);
            bytes.position(bytes.position() + (size - i) * Double.BYTES);
        }
    }

    /** Tells whether two are of the same sums. */
    synchronized String digest() {
        if (digest == null) {
            digest = new Digest().add(String.valueOf(tokens)).add(sum).hex();
        }
        return digest;
    }

    /** A copy that can be added to. */
    SecondMoment copy() {
        return new SecondMoment(size, sum.clone(), tokens);
    }

    /** x with C x = key. */
    public double[] solve(double[] key) {
        return solve(key, 0);
    }

    /**
     * x with (C + share (mean of C's diagonal) I) x = key. The paper adds nothing; keys that do not reach all directions need some, such as
     * those of a first layer, which reads each token by itself.
     *
     * @throws Unsolvable if the matrix is singular
     */
    public synchronized double[] solve(double[] key, double share) {
        if (key.length != size) {
            throw new BadRequest("covariance", "of keys of width " + size + ", expected " + key.length);
        }
        if (factor == null || share != factorShare) {
            factor = factor(share);
            factorShare = share;
        }
        return factor.solve(key);
    }

    private Cholesky factor(double share) {
        double[][] upper = new double[size][];
        double trace = 0;
        for (int i = 0; i < size; i++) {
            upper[i] = new double[size - i];
            for (int j = i; j < size; j++) {
                upper[i][j - i] = sum[i * size + j] / tokens;
            }
            trace += upper[i][0];
        }
        for (double[] row : upper) {
            row[0] += share * trace / size;
        }
        try {
            return Cholesky.of(upper);
        } catch (ArithmeticException e) {
            throw new Unsolvable("covariance", "singular: keys of width " + size + " over " + tokens
                    + (tokens == 1 ? " token" : " tokens") + " do not reach all directions; collect it over more text, or give a ridge", e);
        }
    }

    /** Writes C as a safetensors file that {@link #read} and Python open, F64. */
    public void write(Path file) {
        SafeTensors.write(file, List.of(Tensor.of("C", matrix(), size, size)), Map.of("tokens", String.valueOf(tokens)));
    }
}
