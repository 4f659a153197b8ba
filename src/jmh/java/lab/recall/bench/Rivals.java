package lab.recall.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Other tools that answer the questions of {@link PeerJobs}, each in a process of its own; environment/peers/grid.py says what is said. */
final class Rivals {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String BATCHED = "layers batched";

    private final List<List<String>> commands = new ArrayList<>();
    private final Path log;
    private final Map<JsonNode, List<Answer>> answers = new HashMap<>();

    /**
     * Those that are installed.
     *
     * @param python with the tools that are asked by {@code script}; "" without
     */
    Rivals(String python, String script, Path log) {
        if (!python.isEmpty()) {
            commands.add(List.of(python, script, "transformers"));
            commands.add(List.of(python, script, "transformer_lens"));
        }
        this.log = log;
    }

    /**
     * What one tool found.
     *
     * @param tool    its name, version and threads
     * @param first   seconds from the start of its process to its first grid, the loading of the model included
     * @param seconds of a grid with the model open, by how it is made
     * @param grids   probabilities by layer and token, in the same ways
     */
    record Answer(JsonNode tool, double first, Map<String, Double> seconds, Map<String, double[]> grids) {
        String name() {
            return tool.path("name").asText() + " " + tool.path("version").asText();
        }
    }

    /** The answers of all that open the model; one question is asked once. */
    List<Answer> ask(JsonNode question) throws IOException, InterruptedException {
        if (!answers.containsKey(question)) {
            List<Answer> all = new ArrayList<>();
            for (List<String> command : commands) {
                Answer a = ask(command, question, false);
                if (a.tool.has("unknown")) {
                    System.out.println(a.name() + " knows no " + a.tool.path("unknown").asText() + ": left out");
                } else {
                    all.add(question.path("threads").asInt() == 1 ? a : quicker(a, ask(command, question, true)));
                }
            }
            answers.put(question, all);
        }
        return answers.get(question);
    }

    private static Answer quicker(Answer a, Answer b) {
        b.seconds.forEach((way, s) -> a.seconds.merge(way, s, Math::min));
        return new Answer(a.tool, Math.min(a.first, b.first), a.seconds, a.grids);
    }

    private Answer ask(List<String> command, JsonNode question, boolean sleeping) throws IOException, InterruptedException {
        ProcessBuilder b = Peer.process(command, log, sleeping);
        String threads = question.path("threads").asText();
        List.of("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
                .forEach(v -> b.environment().put(v, threads));
        long start = System.nanoTime();
        Process p = b.start();
        try (var out = p.outputWriter(StandardCharsets.UTF_8)) {
            out.write(question.toString());
        }
        try (var lines = new BufferedReader(new InputStreamReader(p.getInputStream(), StandardCharsets.UTF_8))) {
            JsonNode first = line(lines, command);
            double loaded = (System.nanoTime() - start) / 1e9;
            Map<String, Double> seconds = new LinkedHashMap<>();
            Map<String, double[]> grids = new LinkedHashMap<>();
            if (!first.has("unknown")) {
                JsonNode later = line(lines, command);
                later.path("seconds").fields().forEachRemaining(e -> {
                    seconds.put(e.getKey(), e.getValue().asDouble());
                    grids.put(e.getKey(), JSON.convertValue((e.getKey().equals(BATCHED) ? later : first).path("grid"), double[].class));
                });
            }
            if (p.waitFor() != 0) {
                throw failed(command);
            }
            ((ObjectNode) first).remove("grid");
            return new Answer(first, loaded, seconds, grids);
        }
    }

    private JsonNode line(BufferedReader lines, List<String> command) throws IOException {
        String line = lines.readLine();
        if (line == null) {
            throw failed(command);
        }
        return JSON.readTree(line);
    }

    private IOException failed(List<String> command) {
        return new IOException("'" + String.join(" ", command) + "' failed (log: " + log + ")");
    }
}
