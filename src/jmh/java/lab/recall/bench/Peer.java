package lab.recall.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** PyTorch in a process of its own, as its users have it. */
final class Peer {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final String python;
    private final String script;
    private final Path log;
    private final Map<Integer, JsonNode> versions = new HashMap<>();

    /** Without a Python all is missing. */
    Peer(String python, String script, Path log) {
        this.python = python;
        this.script = script;
        this.log = log;
    }

    boolean isHere() {
        return !python.isEmpty();
    }

    /** Version, BLAS and threads, when so many are asked for. */
    JsonNode version(int threads) throws IOException, InterruptedException {
        if (!versions.containsKey(threads)) {
            versions.put(threads, ask(List.of("version", "--threads", "" + threads), false));
        }
        return versions.get(threads);
    }

    /**
     * The quickest of the peer's tries. Several threads have them twice over: with threads that spin while they wait, as users have them,
     * quicker on a quiet machine; and with threads that sleep: where the cores are shared, spinning makes a pass up to ten times slower.
     */
    double seconds(List<String> arguments) throws IOException, InterruptedException {
        if (!isHere()) {
            return Double.NaN;
        }
        double best = ask(arguments, false).path("seconds_best").asDouble(Double.NaN);
        boolean one = arguments.get(arguments.indexOf("--threads") + 1).equals("1");
        return one ? best : Math.min(best, ask(arguments, true).path("seconds_best").asDouble(Double.NaN));
    }

    /** What is started as its users would, its errors in the log; its threads spin or sleep while they wait. */
    static ProcessBuilder process(List<String> command, Path log, boolean sleeping) {
        ProcessBuilder b = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.appendTo(log.toFile()));
        b.environment().keySet().removeAll(List.of("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "OMP_WAIT_POLICY"));   // the user's
        if (sleeping) {
            b.environment().put("OMP_WAIT_POLICY", "PASSIVE");
        }
        return b;
    }

    /** The peer prints one line of JSON. */
    private JsonNode ask(List<String> arguments, boolean sleeping) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(python, script));
        command.addAll(arguments);
        Process p = process(command, log, sleeping).start();
        String out = new String(p.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        if (p.waitFor() != 0 || out.isEmpty()) {
            throw new IOException("PyTorch failed at '" + String.join(" ", arguments) + "' (log: " + log + ")");
        }
        return JSON.readTree(out.substring(out.lastIndexOf('\n') + 1));
    }
}
