package lab.recall.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import lab.recall.GgufBytes;
import lab.recall.Golden;
import lab.recall.base.BadData;
import lab.recall.base.Json;
import lab.recall.checkpoint.GgufFile;
import lab.recall.checkpoint.GgufTokenizer;
import lab.recall.text.Template;
import lab.recall.text.Tokenizer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The tokenizers that GGUF files carry. */
class GgufTokenizerTest {
    private static final int NORMAL = 1;
    private static final int CONTROL = 3;
    private static final int USER_DEFINED = 4;

    @TempDir
    Path dir;

    private Tokenizer tokenizer(GgufBytes bytes) throws IOException {
        Path file = Files.write(dir.resolve("t.gguf"), bytes.bytes());
        return Tokenizer.of(Json.object(GgufTokenizer.json(GgufFile.open(file)).orElseThrow(), file.toString()), file);
    }

    private String refused(GgufBytes bytes) {
        String message = assertThrows(BadData.class, () -> tokenizer(bytes)).getMessage();
        assertTrue(message.contains("t.gguf: the tokenizer ") && !message.contains("\n"), message);
        return message;
    }

    /** The GPT-NeoX-20B tokenizer, as the converter writes it. */
    private static GgufBytes neox20b() {
        JsonNode json = Json.object(Tokenizer.bundled20bFile());
        String[] tokens = new String[50_277];
        int[] types = new int[tokens.length];
        Arrays.fill(types, NORMAL);
        json.path("model").path("vocab").properties().forEach(e -> tokens[e.getValue().asInt()] = e.getKey());
        json.path("added_tokens").forEach(t -> {
            tokens[t.path("id").asInt()] = t.path("content").asText();
            types[t.path("id").asInt()] = t.path("special").asBoolean() ? CONTROL : USER_DEFINED;
        });
        List<String> merges = new ArrayList<>();
        json.path("model").path("merges").forEach(m -> merges.add(m.asText()));
        return new GgufBytes().key("tokenizer.ggml.model", "gpt2").key("tokenizer.ggml.pre", "olmo")
                .key("tokenizer.ggml.tokens", List.of(tokens)).key("tokenizer.ggml.token_type", types)
                .key("tokenizer.ggml.merges", merges).key("tokenizer.ggml.bos_token_id", 0).key("tokenizer.ggml.eos_token_id", 0);
    }

    @Test
    void thatOfGptNeoXGivesTheSameTokens() throws IOException {
        Tokenizer carried = tokenizer(neox20b());
        Tokenizer own = Tokenizer.bundled20b();
        List<String> texts = new ArrayList<>(List.of("café in cafe\u0301", "a<|endoftext|>b", "<|padding|>", "日本 😀", "\t\n x", " "));
        Json.MAPPER.readTree(getClass().getResource("/tokenizer_20b_goldens.json")).forEach(g -> texts.add(g.path("text").asText()));
        for (String text : texts) {
            Tokenizer.Encoding expected = own.encode(text, true);
            Tokenizer.Encoding got = carried.encode(text, true);
            assertArrayEquals(expected.ids(), got.ids(), text);
            assertArrayEquals(expected.starts(), got.starts(), text);
            assertArrayEquals(expected.ends(), got.ends(), text);
            assertEquals(own.decode(expected.ids()), carried.decode(got.ids()));
        }
        assertEquals(0, carried.endOfText());
        Template template = new Template("The {} is located in");
        assertEquals(template.fill(own, "Space Needle").subjectStart(), template.fill(carried, "Space Needle").subjectStart());
    }

    /** Tokens that llama.cpp gives; see gguf/README.md. */
    @Test
    void everyWayToCutIsThatOfLlamaCpp() throws IOException {
        JsonNode golden = Json.object(Golden.gguf("tokens.json"));
        int compared = 0;
        for (Map.Entry<String, JsonNode> pre : golden.path("ids").properties()) {
            Tokenizer t = tokenizer(small(golden).key("tokenizer.ggml.pre", pre.getKey()));
            for (int i = 0; i < golden.path("texts").size(); i++) {
                int[] expected = Json.MAPPER.convertValue(pre.getValue().get(i), int[].class);
                String text = golden.path("texts").get(i).asText();
                assertArrayEquals(expected, t.encode(text, true).ids(), pre.getKey() + ": " + text);
                compared++;
            }
        }
        assertTrue(compared >= 100, compared + " texts");
    }

    private static GgufBytes small(JsonNode golden) {
        return new GgufBytes().key("tokenizer.ggml.model", "gpt2")
                .key("tokenizer.ggml.tokens", List.of(Json.MAPPER.convertValue(golden.path("tokens"), String[].class)))
                .key("tokenizer.ggml.token_type", Json.MAPPER.convertValue(golden.path("types"), int[].class))
                .key("tokenizer.ggml.merges", List.of(Json.MAPPER.convertValue(golden.path("merges"), String[].class)))
                .key("tokenizer.ggml.bos_token_id", golden.path("bos").asInt())
                .key("tokenizer.ggml.eos_token_id", golden.path("eos").asInt());
    }

    private static GgufBytes abc() {
        return new GgufBytes().key("tokenizer.ggml.model", "gpt2").key("tokenizer.ggml.pre", "gpt-2")
                .key("tokenizer.ggml.tokens", List.of("<s>", "a", "b", "ab", "</s>"))
                .key("tokenizer.ggml.token_type", new int[] {3, 1, 1, 1, 3})
                .key("tokenizer.ggml.merges", List.of("a b"));
    }

    @Test
    void theFirstAndTheLastTokenAreAddedWhereTheFileSaysSo() throws IOException {
        GgufBytes ids = abc().key("tokenizer.ggml.bos_token_id", 0).key("tokenizer.ggml.eos_token_id", 4);
        assertArrayEquals(new int[] {3, 1}, tokenizer(ids).encode("aba", true).ids());
        GgufBytes first = ids.key("tokenizer.ggml.add_bos_token", true);
        assertArrayEquals(new int[] {0, 3, 1}, tokenizer(first).encode("aba", true).ids());
        assertArrayEquals(new int[] {3, 1}, tokenizer(first).encode("aba", false).ids());
        assertEquals(1, new Template("{}a").fill(tokenizer(first), "ab").subjectStart());
        GgufBytes both = first.key("tokenizer.ggml.add_eos_token", true);
        assertArrayEquals(new int[] {0, 3, 1, 4}, tokenizer(both).encode("aba", true).ids());
        assertTrue(refused(abc().key("tokenizer.ggml.add_bos_token", true)).contains("has no bos_token_id"));
    }

    @Test
    void othersAreRefused() {
        String no = "tokenizer.ggml.";
        assertTrue(refused(new GgufBytes().key(no + "model", "llama")).contains("of the kind 'llama'; known is gpt2"));
        assertTrue(refused(new GgufBytes().key(no + "model", "gpt2")).contains("no list of tokens"));
        assertTrue(refused(new GgufBytes().key(no + "model", "gpt2").key(no + "tokens", List.of("a"))).contains("no list of merges"));
        GgufBytes letters = new GgufBytes().key(no + "model", "gpt2").key(no + "tokens", List.of("a", "b", "a"))
                .key(no + "merges", List.of("a b"));
        assertTrue(refused(letters).contains("the token 'a' twice, with the ids 0 and 2"));
        assertTrue(refused(new GgufBytes().key(no + "model", "gpt2").key(no + "tokens", List.of("a", "b"))
                .key(no + "merges", List.of("a b"))).contains("the merge 'a b' (number 0), expected two tokens that make a third"));
        assertTrue(refused(abc().key(no + "bos_token_id", 5)).contains("has 5 tokens, but bos_token_id = 5"));
        assertTrue(refused(abc().floats("token_embd.weight", new float[4], 1, 4)).contains("has 5 tokens, the model only 4"));
        assertTrue(refused(new GgufBytes().key(no + "model", "gpt2").key(no + "tokens", List.of("a")).key(no + "token_type", new int[2]))
                .contains("has 1 tokens, but 2 types"));
        assertTrue(refused(new GgufBytes().key(no + "model", "gpt2").key(no + "pre", "unheard").key(no + "tokens", List.of("a"))
                .key(no + "merges", List.of())).contains("'unheard' does (tokenizer.ggml.pre); known are gpt-2"));
    }

    @Test
    void aModelIsOpenedAndSavedWithItsTokenizer() throws IOException {
        LanguageModel model = LanguageModel.open(Golden.gguf("neox-f16.gguf"));
        assertEquals(List.of(), model.warnings());
        int[] ids = model.prompt("the cat").ids();
        assertTrue(ids.length > 0 && ids.length <= 7, Arrays.toString(ids));
        assertEquals("the cat", model.tokenizer().orElseThrow().decode(ids));
        assertTrue(model.files().stream().noneMatch(f -> f.endsWith("tokenizer.json")), model.files().toString());
        model.save(dir.resolve("saved"));
        assertArrayEquals(ids, LanguageModel.open(dir.resolve("saved")).prompt("the cat").ids());
    }
}
