package lab.recall.request;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JournalTest {
    private static final ObjectNode REQUEST = new ObjectMapper().createObjectNode().put("experiment", "trace").put("share", 0.1);

    @TempDir
    Path dir;
    private final AtomicInteger computed = new AtomicInteger();

    private double[] work() {
        computed.incrementAndGet();
        return new double[] {1.0 / 3, Double.NaN, Math.nextUp(0.1), -0.0};
    }

    private double[] piece(String name, ObjectNode request) {
        try (Journal journal = Journal.under(dir, request)) {
            return journal.piece(name, double[].class, this::work);
        }
    }

    @Test
    void finishedPiecesComeBackBitForBit() {
        assertFalse(Files.exists(dir.resolve("journal.jsonl")));
        double[] first = piece("a", REQUEST);
        assertArrayEquals(first, piece("a", REQUEST), "numbers");
        assertEquals(1, computed.get());
        piece("b", REQUEST);
        try (Journal journal = Journal.under(dir, REQUEST)) {
            assertEquals("", journal.resumed());
            journal.piece("a", double[].class, this::work);
            journal.piece("b", double[].class, this::work);
            assertEquals("2 finished pieces of an interrupted run were taken from " + dir.resolve("journal.jsonl"), journal.resumed());
        }
        piece("a", REQUEST.deepCopy().put("share", 0.2));
        assertEquals(3, computed.get(), "another piece, and another request's");
        piece("b", REQUEST);
        assertEquals(4, computed.get(), "the other request began the journal anew");
    }

    @Test
    void aLineThatWasCutShortIsLeftOut() throws IOException {
        piece("a", REQUEST);
        Path file = dir.resolve("journal.jsonl");
        String text = Files.readString(file);
        Files.writeString(file, text + "{\"piece\":\"b\",\"value\":[0.3");
        piece("b", REQUEST);
        piece("b", REQUEST);
        piece("a", REQUEST);
        assertEquals(2, computed.get());
        try (Journal journal = Journal.under(dir, REQUEST)) {
            assertTrue(journal.has("a") && journal.has("b") && !journal.has("c"));
            journal.delete();
        }
        assertFalse(Files.exists(file));
    }

    @Test
    void withoutAFileNothingIsKept() {
        try (Journal journal = Journal.none()) {
            journal.piece("a", double[].class, this::work);
            journal.piece("a", double[].class, this::work);
            assertEquals(2, computed.get());
            journal.delete();
        }
    }
}
