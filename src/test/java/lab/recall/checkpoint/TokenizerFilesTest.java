package lab.recall.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import lab.recall.base.BadData;
import lab.recall.base.Json;
import lab.recall.text.DataFolder;
import lab.recall.text.Tokenizer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TokenizerFilesTest {
    private static final String VOCABULARY = "{\"<|endoftext|>\": 0, \"a\": 1, \"b\": 2, \"ab\": 3, \"Ġ\": 4, \"Ġab\": 5}";
    private static final String MERGES = "#version: 0.2\na b\nĠ ab\n";

    @TempDir
    Path dir;

    private void write(String name, String text) throws IOException {
        Files.writeString(dir.resolve(name), text.replace('\'', '"'));
    }

    private Tokenizer tokenizer() {
        TokenizerFiles files = TokenizerFiles.in(dir);
        assertEquals(List.of(), files.warnings());
        return files.made().map(json -> Tokenizer.of(Json.object(json, "made"), "made"))
                .orElseGet(() -> Tokenizer.open(files.file().orElseThrow()));
    }

    private String refused() {
        String message = assertThrows(BadData.class, this::tokenizer).getMessage();
        assertTrue(!message.contains("\n"), message);
        return message;
    }

    /** Those of the GPT-NeoX-20B tokenizer, in the files that older tools write. */
    @Test
    void vocabularyAndMergesGiveTheSameTokens() throws IOException {
        JsonNode json = Json.object(Tokenizer.bundled20bFile());
        Files.write(dir.resolve("vocab.json"), Json.compact(json.at("/model/vocab")));
        List<String> merges = new ArrayList<>(List.of("#version: 0.2"));
        json.at("/model/merges").forEach(m -> merges.add(m.asText()));
        Files.write(dir.resolve("merges.txt"), merges);
        ObjectNode config = Json.MAPPER.createObjectNode().put("tokenizer_class", "GPTNeoXTokenizer");
        json.path("added_tokens").forEach(t -> config.withObjectProperty("added_tokens_decoder").putObject(t.path("id").asText())
                .put("content", t.path("content").asText()).put("special", t.path("special").asBoolean()));
        Files.write(dir.resolve("tokenizer_config.json"), Json.compact(config));
        Tokenizer made = tokenizer();
        Tokenizer own = Tokenizer.bundled20b();
        for (String text : List.of("Hello world", "café in cafe\u0301", "a<|endoftext|>b", "日本 😀", "\t\n  x", "    y", "don't 12345")) {
            Tokenizer.Encoding expected = own.encode(text, true);
            Tokenizer.Encoding got = made.encode(text, true);
            assertArrayEquals(expected.ids(), got.ids(), text);
            assertArrayEquals(expected.starts(), got.starts(), text);
            assertArrayEquals(expected.ends(), got.ends(), text);
            assertEquals(text.equals("café in cafe\u0301") ? "café in café" : text, made.decode(got.ids()));
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {"{}|3 5", "{'tokenizer_class': 'GPT2TokenizerFast'}|3 5",
        "{'add_bos_token': true}|0 3 5", "{'add_eos_token': true}|3 5 0", "{'add_bos_token': true, 'add_eos_token': true}|0 3 5 0",
        "{'add_bos_token': false}|3 5", "{'add_bos_token': true, 'bos_token': {'content': 'b'}}|2 1 2 4 1 2",
        "{'add_prefix_space': true}|5 5", "{'add_bos_token': null}|3 5"})
    void itsConfigurationSaysWhatGoesAroundATextOfPairs(String config, String ids) throws IOException {
        write("vocab.json", VOCABULARY);
        Files.writeString(dir.resolve("merges.txt"), MERGES);
        write("tokenizer_config.json", config);
        assertArrayEquals(ids(ids), tokenizer().encode("ab ab", true).ids());
    }

    private static int[] ids(String text) {
        return Arrays.stream(text.split(" ")).mapToInt(Integer::parseInt).toArray();
    }

    /** The small models' tokenizer begins every text with id 0. */
    @ParameterizedTest
    @CsvSource(delimiter = ';', quoteCharacter = '`', value = {"{};true;false",
        "{'add_bos_token': true, 'bos_token': '<|endoftext|>'};true;false",
        "{'add_bos_token': false, 'bos_token': '<|endoftext|>'};false;false",
        "{'add_eos_token': true, 'eos_token': '<|endoftext|>'};true;true"})
    void itsConfigurationDecidesOverTokenizerJson(String config, boolean begins, boolean ends) throws IOException {
        Path own = DataFolder.find("models/tiny-mamba/tokenizer.json");
        Files.copy(own, dir.resolve("tokenizer.json"));
        write("tokenizer_config.json", config);
        int[] plain = Tokenizer.open(own).encode("The cat", false).ids();
        List<Integer> expected = new ArrayList<>(begins ? List.of(0) : List.of());
        Arrays.stream(plain).forEach(expected::add);
        expected.addAll(ends ? List.of(0) : List.of());
        assertEquals(expected, Arrays.stream(tokenizer().encode("The cat", true).ids()).boxed().toList());
        assertArrayEquals(plain, tokenizer().encode("The cat", false).ids());
    }

    @Test
    void whatTheyContradictIsRefused() throws IOException {
        write("vocab.json", VOCABULARY);
        Files.writeString(dir.resolve("merges.txt"), "#version: 0.2\na b\nĠ w\n");
        assertTrue(refused().contains("merges.txt: has the merge 'Ġ w' (number 1)"));
        Files.writeString(dir.resolve("merges.txt"), MERGES);
        write("vocab.json", VOCABULARY.replace("\"ab\": 3", "\"ab\": 2"));
        assertTrue(refused().contains("the id 2 twice, for 'b' and 'ab'"));
        write("vocab.json", VOCABULARY.replace("\"ab\": 3", "\"ab\": -1"));
        assertTrue(refused().contains("'ab' = -1, expected an id"));
        write("vocab.json", VOCABULARY);
        write("tokenizer_config.json", "{'add_bos_token': true, 'bos_token': 'x'}");
        assertTrue(refused().contains("the bos_token 'x', which is not in the vocabulary"));
        write("tokenizer_config.json", "{'add_bos_token': 1}");
        assertTrue(refused().contains("expected true or false"));
        write("tokenizer_config.json", "{'added_tokens_decoder': {'7': {'content': 'ab'}}}");
        assertTrue(refused().contains("the id 7, vocab.json the id 3"));
    }

    /** A text in another form is noted, and nothing takes its place. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {"tokenizer.model|x|tokenizer.model", "vocab.txt|x|vocab.txt",
        "vocab.json|{}|vocab.json", "tokenizer_config.json|{'tokenizer_class': 'LlamaTokenizer'}|LlamaTokenizer"})
    void anotherTokenizerIsNoted(String file, String text, String named) throws IOException {
        write(file, text);
        TokenizerFiles files = TokenizerFiles.in(dir);
        assertTrue(files.isSaid() && files.file().isEmpty());
        assertTrue(files.warnings().size() == 1 && files.warnings().get(0).contains(named), files.warnings().toString());
    }

    @Test
    void nothingIsSaidByAFolderWithoutOne() throws IOException {
        assertEquals(false, TokenizerFiles.in(dir).isSaid());
        write("tokenizer_config.json", "{'tokenizer_class': 'GPTNeoXTokenizer'}");
        assertEquals(false, TokenizerFiles.in(dir).isSaid());
        assertEquals(List.of(), TokenizerFiles.in(dir).warnings());
    }
}
