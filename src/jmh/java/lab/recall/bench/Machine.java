package lab.recall.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import lab.recall.math.FmaPeak;

/** What the times are measured on. */
final class Machine {
    /** Tries of a peak, some 30 ms each. */
    private static final int TRIES = 4;

    private final Map<Integer, Double> peaks = new HashMap<>();

    static String processor() throws IOException {
        Map<String, String> told = new HashMap<>();
        Path info = Path.of("/proc/cpuinfo");
        for (String line : Files.exists(info) ? Files.readAllLines(info) : List.<String>of()) {
            String[] parts = line.split(":", 2);
            if (parts.length == 2) {
                told.putIfAbsent(parts[0].strip(), parts[1].strip());
            }
        }
        if (!told.containsKey("model name")) {
            return System.getProperty("os.arch");
        }
        return told.get("model name") + ", family " + told.get("cpu family") + " model " + told.get("model");
    }

    static int lanes() {
        return FmaPeak.lanes();
    }

    /** Forgets the peaks of the row before. */
    void forget() {
        peaks.clear();
    }

    /** Measures beside a row: the peak of one thread and of the row's threads at once. The best since {@link #forget} counts. */
    void measure(int threads) {
        peaks.merge(1, FmaPeak.gigaflops(1, TRIES), Math::max);
        if (threads > 1) {
            peaks.merge(threads, FmaPeak.gigaflops(threads, TRIES), Math::max);
        }
    }

    /** GFLOP/s of so many threads at once. */
    double peak(int threads) {
        return peaks.get(threads);
    }
}
