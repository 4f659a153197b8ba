package lab.recall.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import lab.recall.checkpoint.SafeTensors;
import lab.recall.checkpoint.Tensor;
import lab.recall.model.LanguageModel;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The command knockout, from options to files. */
class KnockoutCommandTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    Path dir;
    private final Terminal terminal = new Terminal();

    private int knockout(Path out, String... options) {
        return terminal.recall(Stream.concat(Stream.of("knockout", "--out", out.toString()), Stream.of(options)).toArray(String[]::new));
    }

    @Test
    void twoModelsSideBySide() throws IOException {
        assertEquals(0, knockout(dir, "--model", "tiny-mamba", "--model", "tiny-neox", "--form", "edges", "--facts", "6", "--flows"), () -> terminal.err());
        assertTrue(terminal.out().contains("subject's last token"), terminal.out());
        for (String file : new String[] {"tiny-mamba/result.json", "tiny-neox/curves.csv", "tiny-mamba/curves-chart.svg", "tiny-mamba/flows-map.png",
            "together-subject.png"}) {
            assertTrue(Files.size(dir.resolve(file)) > 0, file);
        }
        Map<String, Tensor> arrays = SafeTensors.read(dir.resolve("tiny-mamba").resolve("result.safetensors"));
        int layers = LanguageModel.open("tiny-mamba").layers();
        assertArrayEquals(new long[] {4, layers}, arrays.get("change").shape());
        assertArrayEquals(new long[] {10, layers}, arrays.get("flow").shape());
        assertFalse(Files.exists(dir.resolve("tiny-mamba").resolve("journal.jsonl")), "a finished run leaves no journal");
    }

    @ParameterizedTest
    @ValueSource(strings = {"published", "every", "held"})
    void otherForms(String form) {
        assertEquals(0, knockout(dir, "--model", "tiny-mamba", "--form", form, "--facts", "3", "--window", "1"), () -> terminal.err());
        assertTrue(Files.exists(dir.resolve("curves.json")));
    }

    /** The second model is refused; what was found for the first one stands in its journal, and is not computed again. */
    @Test
    void goesOnFromItsJournal() throws IOException {
        assertEquals(2, knockout(dir, "--model", "tiny-mamba", "--model", "tiny-neox", "--form", "published", "--facts", "2"));
        assertTrue(terminal.err().contains("form: 'published', expected edges"), terminal.err());
        Path folder = dir.resolve("tiny-mamba");
        Path journal = folder.resolve("journal.jsonl");
        List<String> lines = Files.readAllLines(journal).stream().filter(l -> !l.isEmpty()).toList();
        assertEquals(2, lines.size());
        ObjectNode piece = (ObjectNode) JSON.readTree(lines.get(1));
        ArrayNode marked = JSON.createArrayNode();
        for (JsonNode fact : piece.get("value")) {
            ArrayNode routes = marked.addArray();
            for (JsonNode route : fact) {
                ArrayNode layers = routes.addArray();
                route.forEach(l -> layers.add(-0.25));
            }
        }
        piece.set("value", marked);
        Files.writeString(journal, lines.get(0) + "\n" + piece + "\n");
        assertEquals(0, knockout(folder, "--model", "tiny-mamba", "--form", "published", "--facts", "2"), () -> terminal.err());
        for (float change : SafeTensors.read(folder.resolve("result.safetensors")).get("change").floats()) {
            assertEquals(-0.25f, change);
        }
        assertFalse(Files.exists(journal));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "--model tiny-neox --form published|expected edges", "--model tiny-mamba --form magic|--form: 'magic'", "--model tiny-mamba|--form",
        "--model tiny-mamba --form edges --facts 0|--facts: 0", "--model tiny-mamba --form edges --window 0|--window: 0",
        "--model tiny-mamba --form edges --relation nope|nope", "--model tiny-mamba --form edges --relations missing|missing",
        "--model tiny-mamba --form published --flows|flows", "--model tiny-mamba --form published --texts missing|--texts: missing",
        "--model nope --form edges|nope", "--form edges|--model"})
    void badOptionsAreOneSentence(String options, String why) {
        Path out = dir.resolve("out");
        assertEquals(2, knockout(out, options.split(" ")), terminal.err());
        assertTrue(terminal.err().contains(why), terminal.err());
        assertEquals(1, terminal.err().strip().lines().count(), terminal.err());
        assertFalse(Files.exists(out), "nothing is written");
    }
}
