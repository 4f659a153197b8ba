package lab.recall.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import lab.recall.base.BadData;
import lab.recall.base.BadRequest;
import lab.recall.base.Json;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a tokenizer.json may say; what would end the process, and what would never end. */
class TokenizerFileTest {
    private static final Path OWN = DataFolder.find("models/tiny-mamba/tokenizer.json");
    private static final String TEXT = "Novux Bridge is located in the city of";

    @TempDir
    Path dir;

    private static ObjectNode own() {
        return Json.object(OWN);
    }

    /** The tokenizer of the tiny models with another value at a JSON pointer; {@code null} as a text leaves it out. */
    private static ObjectNode with(String pointer, String value) {
        ObjectNode json = own();
        int last = pointer.lastIndexOf('/');
        JsonNode parent = last == 0 ? json : json.at(pointer.substring(0, last));
        String name = pointer.substring(last + 1);
        JsonNode node = value == null ? null
                : Json.object(("{\"v\":" + value.replace('`', '"') + "}").getBytes(StandardCharsets.UTF_8), "the test").get("v");
        if (parent instanceof ArrayNode list) {
            if (node == null) {
                list.remove(Integer.parseInt(name));
            } else {
                list.set(Integer.parseInt(name), node);
            }
        } else if (node == null) {
            ((ObjectNode) parent).remove(name);
        } else {
            ((ObjectNode) parent).set(name, node);
        }
        return json;
    }

    @Test
    void theBundledOnesAreOpenedInThisProcess() {
        for (Path file : new Path[] {OWN, Tokenizer.bundled20bFile()}) {
            TokenizerFile checked = TokenizerFile.of(Json.object(file), file);
            assertTrue(checked.isSound(), file.toString());
            assertEquals(checked.size(), Tokenizer.open(file).size());
        }
        assertEquals(Tokenizer.open(Tokenizer.bundled20bFile()).size(), Tokenizer.bundled20b().size());
    }

    @Test
    void bothProcessesGiveTheSame() {
        TokenizerFile checked = TokenizerFile.of(own(), OWN);
        TokenizerLibrary here = new TokenizerHere(checked.json());
        TokenizerLibrary apart = new TokenizerProcess(checked.json(), 10);
        for (String text : new String[] {TEXT, "", "😀 Kraków\n\t x", " ".repeat(1000)}) {
            TokenizerLibrary.Tokens a = here.encode(text, true);
            TokenizerLibrary.Tokens b = apart.encode(text, true);
            assertArrayEquals(a.ids(), b.ids());
            assertArrayEquals(a.starts(), b.starts());
            assertArrayEquals(a.ends(), b.ends());
            assertEquals(here.decode(a.ids()), apart.decode(b.ids()));
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '~', quoteCharacter = '#', value = {
        "/decoder/type~`ByteLevl`~decoder.type: \"ByteLevl\", expected one of",
        "/decoder/type~~decoder.type: missing, expected one of",
        "/decoder/add_prefix_space~7~decoder.add_prefix_space: 7, expected true or false",
        "/decoder/add_prefix_space~~decoder.add_prefix_space: missing, expected true or false",
        "/decoder/trim~true~decoder.trim: unknown field; known here are",
        "/decoder~[]~decoder: [], expected an object",
        "/decoders~{}~decoders: unknown field; known here are",
        "/version~`2.0`~version: \"2.0\", expected \"1.0\"",
        "/pre_tokenizer~{`type`: `FixedLength`, `length`: 0}~pre_tokenizer.length: 0, expected a whole number of at least 1",
        "/pre_tokenizer~{`type`: `Split`, `pattern`: {`Regex`: 7}, `behavior`: `Isolated`, `invert`: false}~pre_tokenizer.pattern: {",
        "/pre_tokenizer~{`type`: `Split`, `pattern`: `x`, `behavior`: `Isolated`, `invert`: false}~pre_tokenizer.pattern: \"x\", expected",
        "/pre_tokenizer~{`type`: `Metaspace`, `replacement`: `ab`}~pre_tokenizer.replacement: \"ab\", expected one letter",
        "/normalizer~{`type`: `Precompiled`, `precompiled_charsmap`: `?`}~precompiled_charsmap: \"?\", expected bytes in base 64",
        "/normalizer~{`type`: `Sequence`, `normalizers`: [{`type`: `NFC`}, 3]}~normalizer.normalizers[1]: 3, expected an object",
        "/post_processor/special_tokens~{}~post_processor.single[0]: names the special token \"<|endoftext|>\", which special_tokens does",
        "/post_processor/single~[]~post_processor.single: holds the text A 0 times and the text B 0 times, expected A once",
        "/post_processor/single/1~{`Sequence`: {`id`: `C`, `type_id`: 0}}~post_processor.single[1].Sequence.id: \"C\", expected A or B",
        "/post_processor/single/1~{`Text`: {}}~post_processor.single[1]: \"Text\", expected Sequence or SpecialToken",
        "/post_processor/special_tokens/<|endoftext|>/ids~[0, 1]~has 2 ids for 1 tokens, expected as many, at least one",
        "/post_processor/special_tokens/<|endoftext|>/ids~[1000]~post_processor.special_tokens.<|endoftext|>.ids: 1000, which no token has",
        "/post_processor~{`type`: `BertProcessing`, `sep`: [`a`, 1], `cls`: [`b`, 5000]}~post_processor.cls: 5000, which no token has",
        "/post_processor/special_tokens/<|endoftext|>/ids~[4294967295]~expected a whole number from 0 to 2147483647",
        "/model/type~`BPF`~model.type: \"BPF\", expected BPE or WordPiece or WordLevel or Unigram",
        "/model/dropout~0.1~model.dropout: 0.1, expected null or 0: tokens would be drawn at random",
        "/model/vocab/!~2147483648~model.vocab.!: 2147483648, expected a whole number from 0 to 2147483647",
        "/model/vocab/!~2~model.vocab: gives the id 2 to [!, \"]",
        "/model/vocab/!~1.5~model.vocab.!: 1.5, expected a whole number",
        "/model/vocab~[]~model.vocab: [], expected an object",
        "/model/merges/0~`a b c`~model.merges[0]: \"a b c\", expected two tokens",
        "/model/merges/0~`a`~model.merges[0]: \"a\", expected two tokens",
        "/model/merges/1~[`a`, `b`]~model.merges[1]: [\"a\",\"b\"], expected two tokens",
        "/model/merges/0~`zq zq`~names or makes a token that is not in the vocabulary",
        "/added_tokens/0/id~1~added_tokens[0].id: 1 for '<|endoftext|>', expected 0, which it has elsewhere in the file",
        "/added_tokens/0/content~`<new>`~expected 865: added tokens follow the vocabulary one by one",
        "/added_tokens/0/content~``~added_tokens[0].content: empty, expected a token",
        "/added_tokens/0/special~~added_tokens[0].special: missing, expected true or false",
        "/added_tokens~{}~added_tokens: {}, expected a list",
        "/model~~model: missing, expected an object"})
    void whatIsWrongIsSaidWithItsPlace(String pointer, String value, String sentence) {
        ObjectNode json = with(pointer, value);
        BadData said = assertThrows(BadData.class, () -> Tokenizer.of(json, "tokenizer.json"));
        assertTrue(said.getMessage().startsWith("tokenizer.json: ") && said.getMessage().contains(sentence), said.getMessage());
    }

    @Test
    void oneChangedLetterIsNotJson() throws IOException {
        String changed = Files.readString(OWN).replaceFirst("(?s)(\"decoder\".*?)true", "$1urue");
        Path file = Files.writeString(dir.resolve("tokenizer.json"), changed);
        String message = assertThrows(BadData.class, () -> Tokenizer.open(file)).getMessage();
        assertTrue(message.startsWith(file + ": not JSON (Unrecognized token 'urue'"), message);
    }

    /** Types of which some make the library end its process: they do their work in another one, or are refused there. */
    @ParameterizedTest
    @ValueSource(strings = {
        "{`type`: `Precompiled`, `precompiled_charsmap`: `AAAA`}",
        "{`type`: `Replace`, `pattern`: {`Regex`: `(`}, `content`: ``}"})
    void aNormalizerThatTheLibraryFailsOnIsRefused(String normalizer) {
        ObjectNode json = with("/normalizer", normalizer);
        String message = assertThrows(BadData.class, () -> Tokenizer.of(json, "tokenizer.json")).getMessage();
        assertTrue(message.startsWith("tokenizer.json: not a tokenizer.json ("), message);
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "{`type`: `BertNormalizer`, `clean_text`: true, `handle_chinese_chars`: true, `strip_accents`: null, `lowercase`: false}",
        "{`type`: `Strip`, `strip_left`: true, `strip_right`: true}", "{`type`: `Nmt`}",
        "{`type`: `Replace`, `pattern`: {`Regex`: `x{2,}`}, `content`: `x`}"})
    void aNormalizerThatIsNotKnownToBeSoundWorksApart(String normalizer) {
        Tokenizer t = Tokenizer.of(with("/normalizer", normalizer), "tokenizer.json");
        assertArrayEquals(Tokenizer.open(OWN).encode(TEXT, true).ids(), t.encode(TEXT, true).ids());
    }

    @Test
    void aPatternThatExplodesEndsInOneSentence() {
        Tokenizer t = Tokenizer.of(with("/pre_tokenizer",
                "{`type`: `Split`, `pattern`: {`Regex`: `(a|a|a|aa)+$`}, `behavior`: `Isolated`, `invert`: false}"), "tokenizer.json");
        String text = "a".repeat(40) + "!";
        String message = assertThrows(BadData.class, () -> t.encode(text, true)).getMessage();
        assertTrue(message.startsWith("tokenizer.json: cannot tokenize '" + text + "' (the library gave up on it: ")
                && message.contains("retry-limit-in-match"), message);
        assertTrue(t.encode("a", true).ids().length > 0, "other texts go on");
    }

    @Test
    void aPatternThatDoesNotEndIsEnded() {
        TokenizerLibrary slow = new TokenizerProcess(TokenizerFile.of(with("/pre_tokenizer",
                "{`type`: `Split`, `pattern`: {`Regex`: `a*b`}, `behavior`: `Isolated`, `invert`: false}"), "tokenizer.json").json(), 1);
        assertEquals("it took longer than 1 s and was ended",
                assertThrows(IllegalStateException.class, () -> slow.encode("a".repeat(1 << 20), true)).getMessage());
        assertTrue(slow.encode("ab", true).ids().length > 0, "other texts go on");
    }

    @Test
    void wordsWithoutATokenForUnknownOnesAreRefused() {
        ObjectNode json = with("/model", "{`type`: `WordLevel`, `vocab`: {`a`: 0}, `unk_token`: `[UNK]`}");
        assertEquals("tokenizer.json: model.unk_token: \"[UNK]\" is not in the vocabulary",
                assertThrows(BadData.class, () -> Tokenizer.of(json, "tokenizer.json")).getMessage());
        ObjectNode scores = with("/model", "{`type`: `Unigram`, `vocab`: [[`a`, -1]], `unk_id`: null}");
        scores.putArray("added_tokens");
        scores.putNull("post_processor");
        Tokenizer t = Tokenizer.of(scores, "tokenizer.json");
        assertEquals("tokenizer.json: cannot tokenize 'b' (Encountered an unknown token but `unk_id` is missing)",
                assertThrows(BadData.class, () -> t.encode("b", true)).getMessage());
    }

    @Test
    void halvesOfLettersAndEndlessTextsAreRefused() {
        Tokenizer t = Tokenizer.open(OWN);
        assertEquals("the text 'a\\ud83db' holds half a letter (a surrogate without its other half) at 1",
                assertThrows(BadRequest.class, () -> t.encode("a\ud83db", true)).getMessage());
        assertEquals("a text of 1048577 letters, at most 1048576 can be tokenized at once",
                assertThrows(BadRequest.class, () -> t.encode("a".repeat((1 << 20) + 1), true)).getMessage());
        Tokenizer.Encoding longest = Tokenizer.bundled20b().encode("😀".repeat(1 << 19), true);
        assertEquals(1 << 20, longest.ends()[longest.ends().length - 1]);
    }

    @Test
    void aTokenIsShownWithoutLettersThatMoveACursor() {
        Tokenizer t = Tokenizer.bundled20b();
        assertEquals("\\n", t.token(187));
        for (int id = 0; id < t.size(); id++) {
            String shown = t.token(id);
            assertTrue(shown.codePoints().noneMatch(Character::isISOControl), shown);
        }
    }
}
