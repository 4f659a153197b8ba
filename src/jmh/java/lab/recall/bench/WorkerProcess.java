package lab.recall.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** A {@link Worker} in a JVM of its own. It waits while others are measured. */
final class WorkerProcess implements AutoCloseable {
    /** Starts workers of one revision: the file of JVM options and main class, and the worker's arguments. */
    record Factory(String java, Path options, Path log, String folder, String threads) {
        WorkerProcess start() throws IOException {
            return new WorkerProcess(this);
        }
    }

    private static final ObjectMapper JSON = new ObjectMapper();

    private final Factory factory;
    private final Process process;
    private final PrintWriter commands;
    private final BufferedReader answers;

    private WorkerProcess(Factory factory) throws IOException {
        this.factory = factory;
        process = new ProcessBuilder(factory.java, "@" + factory.options, factory.folder, factory.threads)
                .redirectError(ProcessBuilder.Redirect.appendTo(factory.log.toFile())).start();
        commands = new PrintWriter(process.getOutputStream(), true, StandardCharsets.UTF_8);
        answers = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    }

    JsonNode ask(String command) throws IOException {
        commands.println(command);
        String line = answers.readLine();
        if (line == null) {
            throw new IOException("'" + command + "' failed (log: " + factory.log + ")");
        }
        JsonNode answer = JSON.readTree(line);
        if (answer.has("refused")) {
            throw new IOException(answer.path("refused").asText());
        }
        return answer;
    }

    @Override
    public void close() {
        commands.close();
        process.destroy();
    }
}
