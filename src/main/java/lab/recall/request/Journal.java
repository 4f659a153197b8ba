package lab.recall.request;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/**
 * The finished pieces of long work, one JSON line each, so that an interrupted run goes on where it stopped.
 *
 * <pre>{@code
 * try (Journal journal = Journal.under(folder, request)) {
 *     double[][] grid = journal.piece("pair 12", double[][].class, () -> trace(pair));
 * }
 * }</pre>
 *
 * The file, journal.jsonl, begins with the first piece. Its first line is the request: a journal of another request is begun anew. A line
 * that was cut short by a kill is left out. Numbers come back bit for bit.
 */
public final class Journal implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Path file;
    private final String request;
    private final Map<String, JsonNode> pieces = new HashMap<>();
    private final AtomicInteger taken = new AtomicInteger();
    private boolean goesOn;
    private BufferedWriter out;

    private Journal(Path file, String request) {
        this.file = file;
        this.request = request;
    }

    /** The journal of a request in a folder; goes on with the one that is there. */
    public static Journal under(Path folder, JsonNode request) {
        try {
            Journal journal = new Journal(folder.resolve("journal.jsonl"), JSON.writeValueAsString(request));
            journal.read();
            return journal;
        } catch (IOException e) {
            throw new IllegalArgumentException(folder + ": its journal.jsonl cannot be read (" + e.getMessage() + ")", e);
        }
    }

    /** Keeps nothing. */
    public static Journal none() {
        return new Journal(null, null);
    }

    private void read() throws IOException {
        List<String> lines = Files.exists(file) ? new String(Files.readAllBytes(file), StandardCharsets.UTF_8).lines().toList() : List.of();
        goesOn = !lines.isEmpty() && lines.get(0).equals(request);
        for (String line : goesOn ? lines.subList(1, lines.size()) : List.<String>of()) {
            try {
                if (JSON.readTree(line) instanceof ObjectNode piece && piece.hasNonNull("piece") && piece.has("value")) {
                    pieces.put(piece.get("piece").asText(), piece.get("value"));
                }
            } catch (JsonProcessingException e) {
                continue;                   // cut short
            }
        }
    }

    /** Whether a piece is done. */
    public synchronized boolean has(String name) {
        return pieces.containsKey(name);
    }

    /** How many pieces came from what an earlier run wrote down, in words; "" when none did. */
    public String resumed() {
        return taken.get() == 0 ? "" : taken.get() + " finished pieces of an interrupted run were taken from " + file;
    }

    /** A piece: what is written down of it, or else computed and written down. */
    public <T> T piece(String name, Class<T> type, Supplier<T> work) {
        JsonNode done;
        synchronized (this) {
            done = pieces.get(name);
        }
        try {
            if (done != null) {
                taken.incrementAndGet();
                return JSON.treeToValue(done, type);
            }
            T value = work.get();
            if (file != null) {
                write(name, value);
            }
            return value;
        } catch (IOException e) {
            throw new IllegalArgumentException(file + ": " + e.getMessage(), e);
        }
    }

    private synchronized void write(String name, Object value) throws IOException {
        if (out == null) {
            Files.createDirectories(file.toAbsolutePath().getParent());
            if (!goesOn) {
                AtomicFiles.write(file, (request + "\n").getBytes(StandardCharsets.UTF_8));
            }
            out = Files.newBufferedWriter(file, StandardOpenOption.APPEND);
            out.newLine();                  // ends a line that was cut short; an empty one means nothing
        }
        ObjectNode line = JSON.createObjectNode().put("piece", name);
        line.set("value", JSON.valueToTree(value));
        out.write(JSON.writeValueAsString(line));
        out.newLine();
        out.flush();
    }

    /** Ends the work on the file, which stays. */
    @Override
    public void close() {
        try {
            if (out != null) {
                out.close();
                out = null;
                goesOn = true;
            }
        } catch (IOException e) {
            throw new IllegalArgumentException(file + ": cannot be written (" + e.getMessage() + ")", e);
        }
    }

    /** Removes the file: the result stands elsewhere. */
    public void delete() {
        close();
        try {
            if (file != null) {
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            throw new IllegalArgumentException(file + ": cannot be removed (" + e.getMessage() + ")", e);
        }
    }
}
