package lab.recall.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.Stream;
import lab.recall.checkpoint.SafeTensors;
import lab.recall.checkpoint.Tensor;
import lab.recall.model.LanguageModel;
import lab.recall.text.DataFolder;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The command knockout, from options to files. */
class KnockoutCommandTest {
    @TempDir
    Path dir;
    private final Terminal terminal = new Terminal();

    @BeforeAll
    static void keepNothing() {
        System.setProperty("recall.store", "none");
    }

    private int knockout(Path out, String... options) {
        return terminal.recall(Stream.concat(Stream.of("knockout", "--out", out.toString()), Stream.of(options)).toArray(String[]::new));
    }

    @Test
    void twoModelsSideBySide() throws IOException {
        int code = knockout(dir, "--model", "tiny-mamba", "--model", "tiny-neox", "--form", "edges", "--facts", "6", "--flows");
        assertEquals(0, code, () -> terminal.err());
        assertTrue(terminal.out().contains("subject's last token"), terminal.out());
        for (String file : new String[] {"tiny-mamba/result.json", "tiny-neox/curves.csv", "tiny-mamba/curves-chart.svg",
            "tiny-mamba/flows-map.png", "together-subject.png"}) {
            assertTrue(Files.size(dir.resolve(file)) > 0, file);
        }
        Map<String, Tensor> arrays = SafeTensors.read(dir.resolve("tiny-mamba").resolve("result.safetensors"));
        int layers = LanguageModel.open("tiny-mamba").layers();
        assertArrayEquals(new long[] {4, layers}, arrays.get("change").shape());
        assertArrayEquals(new long[] {10, layers}, arrays.get("flow").shape());
        Map<String, Tensor> other = SafeTensors.read(dir.resolve("tiny-neox").resolve("result.safetensors"));
        assertEquals(arrays.keySet(), other.keySet());
    }

    @ParameterizedTest
    @ValueSource(strings = {"published", "every", "held"})
    void otherForms(String form) {
        assertEquals(0, knockout(dir, "--model", "tiny-mamba", "--form", form, "--facts", "3", "--window", "1"), () -> terminal.err());
        assertTrue(Files.exists(dir.resolve("curves.json")));
    }

    /** The second model is refused; what was found for the first one is there, and is not computed again. */
    @Test
    void goesOnWithItsPieces() throws IOException {
        assertEquals(2, knockout(dir, "--model", "tiny-mamba", "--model", "tiny-neox", "--form", "published", "--facts", "2"));
        assertTrue(terminal.err().contains("--form: 'published', expected edges"), terminal.err());
        Path folder = dir.resolve("tiny-mamba");
        float[] first = change(folder);
        assertEquals(0, knockout(folder, "--model", "tiny-mamba", "--form", "published", "--facts", "2"), () -> terminal.err());
        assertTrue(terminal.out().contains("1 finished pieces of an earlier run"), terminal.out());
        assertArrayEquals(first, change(folder));
    }

    /** The same command on texts and relations that have changed gives what it gives in a new folder. */
    @Test
    void changedFilesCount() throws IOException {
        Path texts = Files.writeString(dir.resolve("texts.txt"), "Novux Bridge is located in the city of\nsome other words\n");
        Path relations = Files.createDirectories(dir.resolve("relations"));
        Path world = DataFolder.find("world");
        Files.copy(world.resolve("place_in_city.json"), relations.resolve("a.json"));
        String[] options = {"--model", "tiny-mamba", "--form", "held", "--facts", "5", "--texts", texts.toString(),
            "--relations", relations.toString()};
        assertEquals(0, knockout(dir.resolve("one"), options), () -> terminal.err());
        float[] before = change(dir.resolve("one"));
        Files.writeString(texts, "Novux Bridge is located in the city of\nsome words\n");
        assertChanged(before, options);
        before = change(dir.resolve("one"));
        Files.copy(world.resolve("city_in_country.json"), relations.resolve("a.json"), StandardCopyOption.REPLACE_EXISTING);
        assertChanged(before, options);
    }

    private void assertChanged(float[] before, String... options) throws IOException {
        assertEquals(0, knockout(dir.resolve("one"), options), () -> terminal.err());
        Path fresh = Files.createTempDirectory(dir, "fresh");
        assertEquals(0, knockout(fresh, options), () -> terminal.err());
        assertArrayEquals(change(fresh), change(dir.resolve("one")));
        assertFalse(Arrays.equals(before, change(fresh)));
    }

    private static float[] change(Path folder) throws IOException {
        return SafeTensors.read(folder.resolve("result.safetensors")).get("change").floats();
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
