package lab.recall.study;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Stream;
import lab.recall.base.Digest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StoreTest {
    private static final String KEY = new Digest().add("a piece").hex();
    private static final double[] NUMBERS = {1.0 / 3, Double.NaN, Math.nextUp(0.1), -0.0, Double.MIN_VALUE, Double.NEGATIVE_INFINITY};

    @TempDir
    Path dir;

    private Path file() throws IOException {
        try (Stream<Path> files = Files.walk(dir)) {
            return files.filter(Files::isRegularFile).findFirst().orElseThrow();
        }
    }

    @Test
    void numbersComeBackBitForBit() {
        Store.at(dir).write(KEY, NUMBERS);
        assertArrayEquals(NUMBERS, Store.at(dir).read(KEY, double[].class).orElseThrow());
        Store.at(dir).write(KEY, new float[] {1f / 3, Float.NaN, -0f});
        assertArrayEquals(new float[] {1f / 3, Float.NaN, -0f}, Store.at(dir).read(KEY, float[].class).orElseThrow());
    }

    @Test
    void anUnknownKeyIsNotThere() {
        assertEquals(Optional.empty(), Store.at(dir).read(KEY, double[].class));
    }

    @Test
    void aFileThatWasCutShortIsNotThere() throws IOException {
        Store.at(dir).write(KEY, NUMBERS);
        byte[] whole = Files.readAllBytes(file());
        for (int length = 0; length < whole.length; length += 7) {
            Files.write(file(), Arrays.copyOf(whole, length));
            assertEquals(Optional.empty(), Store.at(dir).read(KEY, double[].class), "cut after " + length);
        }
    }

    @Test
    void aChangedNumberIsNotTakenBack() throws IOException {
        Store.at(dir).write(KEY, new double[] {0.25, 0.5});
        Files.writeString(file(), Files.readString(file()).replace("0.25", "0.75"));
        assertEquals(Optional.empty(), Store.at(dir).read(KEY, double[].class));
    }

    @Test
    void anotherClassIsNotThere() {
        Store.at(dir).write(KEY, "words");
        assertEquals(Optional.empty(), Store.at(dir).read(KEY, double[].class));
    }

    @Test
    void clearLeavesFilesOfOthersAlone() throws IOException {
        Store store = Store.at(dir);
        Files.writeString(dir.resolve("notes.txt"), "mine");
        store.write(KEY, NUMBERS);
        assertTrue(store.size() > 0);
        store.clear();
        assertEquals(0, store.size());
        assertTrue(Files.exists(dir.resolve("notes.txt")));
    }

    @Test
    void nothingIsKeptInNone() {
        Store.none().write(KEY, NUMBERS);
        assertEquals(Optional.empty(), Store.none().read(KEY, double[].class));
        assertFalse(Store.none().keeps());
    }

    /** Two requests side by side in one process may find the same piece at the same time. */
    @Test
    void twoThreadsMayWriteOnePiece() throws InterruptedException {
        Store store = Store.at(dir);
        Thread[] threads = new Thread[4];
        for (int t = 0; t < threads.length; t++) {
            threads[t] = new Thread(() -> {
                for (int i = 0; i < 200; i++) {
                    store.write(KEY, NUMBERS);
                }
            });
            threads[t].start();
        }
        for (Thread t : threads) {
            t.join();
        }
        assertTrue(store.keeps());
        assertArrayEquals(NUMBERS, store.read(KEY, double[].class).orElseThrow());
    }

    @Test
    void anInterruptKeepsWhatIsDone() {
        Store store = Store.at(dir);
        Thread.currentThread().interrupt();
        store.write(KEY, NUMBERS);
        assertTrue(Thread.interrupted(), "the flag stays");
        assertArrayEquals(NUMBERS, store.read(KEY, double[].class).orElseThrow());
    }
}
