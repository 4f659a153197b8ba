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
            versions.put(threads, ask(List.of("version", "--threads", "" + threads)));
        }
        return versions.get(threads);
    }

    /** The quickest of the peer's tries. */
    double seconds(List<String> arguments) throws IOException, InterruptedException {
        return isHere() ? ask(arguments).path("seconds_best").asDouble(Double.NaN) : Double.NaN;
    }

    /** The peer prints one line of JSON. */
    private JsonNode ask(List<String> arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(python, script));
        command.addAll(arguments);
        ProcessBuilder b = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.appendTo(log.toFile()));
        b.environment().keySet().removeAll(List.of("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"));   // the user's, for ND4J
        b.environment().put("OMP_WAIT_POLICY", "PASSIVE");
        Process p = b.start();
        String out = new String(p.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        if (p.waitFor() != 0 || out.isEmpty()) {
            throw new IOException("PyTorch failed at '" + String.join(" ", arguments) + "' (log: " + log + ")");
        }
        return JSON.readTree(out.substring(out.lastIndexOf('\n') + 1));
    }
}
