package lab.recall.checkpoint;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import lab.recall.base.BadData;

/**
 * A GGUF file's metadata of its architecture: keys are given without its name and dot. What is never asked for is refused at the end, for
 * nobody knows what it changes.
 *
 * <pre>{@code
 * fields.count("block_count")                                // mamba.block_count
 * }</pre>
 */
public final class GgufFields {
    private static final long MOST = 100_000_000;

    private final GgufFile file;
    private final String architecture;
    private final Set<String> asked = new TreeSet<>();

    GgufFields(GgufFile file, String architecture) {
        this.file = file;
        this.architecture = architecture;
    }

    /**
     * A number of things.
     *
     * @throws BadData when it is missing or not from 1 to 10^8
     */
    public int count(String key) {
        return given(key, file.whole(asked(key)).map(n -> inRange(key, n)));
    }

    /**
     * The same, or what stands for a missing one.
     *
     * @throws BadData when it is not from 1 to 10^8
     */
    public int count(String key, int otherwise) {
        return file.whole(asked(key)).map(n -> inRange(key, n)).orElse(otherwise);
    }

    private int inRange(String key, long n) {
        if (n < 1 || n > MOST) {
            throw bad(key, "is " + n + ", expected a whole number from 1 to " + MOST);
        }
        return (int) n;
    }

    /**
     * A finite number above 0.
     *
     * @throws BadData when it is missing or anything else
     */
    public double number(String key) {
        return given(key, file.number(asked(key)).map(n -> positive(key, n)));
    }

    /**
     * The same, or what stands for a missing one.
     *
     * @throws BadData when it is anything else
     */
    public double number(String key, double otherwise) {
        return file.number(asked(key)).map(n -> positive(key, n)).orElse(otherwise);
    }

    private double positive(String key, double n) {
        if (!Double.isFinite(n) || n <= 0) {
            throw bad(key, "is " + n + ", expected a finite number above 0");
        }
        return n;
    }

    /**
     * True or false.
     *
     * @throws BadData when it is missing or anything else
     */
    public boolean flag(String key) {
        return given(key, file.flag(asked(key)));
    }

    /**
     * The same, or what stands for a missing one.
     *
     * @throws BadData when it is anything else
     */
    public boolean flag(String key, boolean otherwise) {
        return file.flag(asked(key)).orElse(otherwise);
    }

    /**
     * A text, or what stands for a missing one.
     *
     * @throws BadData when it is anything else
     */
    public String text(String key, String otherwise) {
        return file.text(asked(key)).orElse(otherwise);
    }

    private <T> T given(String key, Optional<T> value) {
        return value.orElseThrow(() -> new BadData(file.file(), "the key " + architecture + "." + key + " is missing"));
    }

    /** Keys that may stand there and change no number. */
    public void harmless(String... keys) {
        Arrays.stream(keys).forEach(this::asked);
    }

    /** What general.architecture says. */
    public String architecture() {
        return architecture;
    }

    /** A tensor by its name in the file, where it is there. */
    public Optional<Tensor> tensor(String name) {
        return Optional.ofNullable(file.tensors().get(name));
    }

    /** Whether there is a tensor of this name. */
    public boolean hasTensor(String name) {
        return file.tensors().containsKey(name);
    }

    /** The file. */
    public Path file() {
        return file.file();
    }

    /** Rows of the embedding. */
    public long vocabulary() {
        long[] shape = file.tensor("token_embd.weight").shape();
        return shape.length == 0 ? 0 : shape[0];
    }

    /** What is wrong with a key's value. */
    public BadData bad(String key, String reason) {
        return new BadData(file.file(), architecture + "." + key + " " + reason);
    }

    private String asked(String key) {
        asked.add(key);
        return architecture + "." + key;
    }

    /** Refuses keys of this architecture that nobody asked for. */
    void requireAllAsked() {
        String front = architecture + ".";
        file.keys().stream().filter(k -> k.startsWith(front) && !asked.contains(k.substring(front.length()))).findFirst().ifPresent(k -> {
            throw new BadData(file.file(), "the key " + GgufFile.shown(k) + " is not known, and may change what the model computes");
        });
    }
}
