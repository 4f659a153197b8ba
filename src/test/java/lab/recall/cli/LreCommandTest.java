package lab.recall.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import lab.recall.checkpoint.SafeTensors;
import lab.recall.checkpoint.Tensor;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The command lre, from options to files. */
class LreCommandTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    Path dir;
    private final Terminal terminal = new Terminal();

    @BeforeAll
    static void keepNothing() {
        System.setProperty("recall.store", "none");
    }

    private int lre(Path out, String... options) {
        return terminal.recall(Stream.concat(Stream.of("lre", "--out", out.toString()), Stream.of(options)).toArray(String[]::new));
    }

    @Test
    void twoModelsSideBySide() throws IOException {
        assertEquals(0, lre(dir, "--model", "tiny-mamba", "--model", "tiny-neox", "--relation", "city_in_country",
                "--prompt", "zero-shot", "--splits", "2", "--every", "4", "--facts", "8", "--ranks", "4,16"), () -> terminal.err());
        assertTrue(terminal.out().contains("1 of 1 relations measured; faithfulness "), terminal.out());
        for (String file : new String[] {"tiny-mamba/result.json", "tiny-neox/relations.csv", "tiny-mamba/relations-bars.svg",
            "tiny-mamba/layers.csv", "tiny-mamba/layers-city_in_country.png", "relations-bars.png"}) {
            assertTrue(Files.size(dir.resolve(file)) > 0, file);
        }
        Map<String, Tensor> arrays = SafeTensors.read(dir.resolve("tiny-mamba").resolve("result.safetensors"));
        assertArrayEquals(new long[] {1, 3, 3}, arrays.get("faithfulness").shape(), "embedding, layers 0 and 4; mean, low, high");
        assertArrayEquals(new long[] {1, 3, 3}, arrays.get("causality").shape());
        JsonNode result = JSON.readTree(dir.resolve("tiny-mamba").resolve("result.json").toFile());
        assertTrue(result.get("mean_faithfulness").get("mean").asDouble() > result.get("mean_constant").get("mean").asDouble());
    }

    /** The invented world's tokenizer has not all letters of real facts: what it would leave out is no question to the model. */
    @Test
    void lettersThatTheTokenizerLeavesOutAreSaid() {
        assertEquals(2, lre(dir.resolve("out"), "--model", "tiny-mamba", "--relation", "country_largest_city", "--relations", "lre"));
        assertTrue(terminal.err().contains("the tokenizer has no tokens for 'o' in 'The largest city in Switzerland is Zurich"),
                terminal.err());
        assertFalse(Files.exists(dir.resolve("out/relations.csv")));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "--relation nope|--relation: 'nope'", "--relations missing|--relations: missing",
        "--prompt loud|--prompt: 'loud', expected in-context or zero-shot",
        "--mode magic|--mode: 'magic', expected nested or published", "--samples 0|--samples: 0", "--splits 0|--splits: 0",
        "--ranks 65|--ranks: [65], expected whole numbers from 1 to 64", "--ranks 8,0|--ranks[1]: 0, expected a whole number of at least 1",
        "--facts 5|--facts: 5, expected a whole number from 6", "--every 9|--every: 9, expected a whole number from 1 to 8",
        "--seed x|--seed: 'x'"})
    void badOptionsAreOneSentence(String options, String why) {
        Path out = dir.resolve("out");
        String[] args = Stream.concat(Stream.of("--model", "tiny-mamba"), Stream.of(options.split(" "))).toArray(String[]::new);
        assertEquals(2, lre(out, args), terminal.err());
        assertTrue(terminal.err().contains(why), terminal.err());
        assertEquals(1, terminal.err().strip().lines().count(), terminal.err());
        assertFalse(Files.exists(out), "nothing is written");
    }
}
