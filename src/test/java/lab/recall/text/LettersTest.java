package lab.recall.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import lab.recall.base.BadRequest;
import lab.recall.base.Json;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LettersTest {
    /** Of 95 ASCII letters. */
    private final Tokenizer small = Tokenizer.open(DataFolder.find("models/tiny-mamba/tokenizer.json"));

    @ParameterizedTest
    @CsvSource({"日本 is,日", "The café,é", "a 😀 b,😀", "5 € more,€"})
    void aPromptWithLettersThatHaveNoTokensIsRefused(String text, String lost) {
        String message = assertThrows(BadRequest.class, () -> Prompt.of(small, text)).getMessage();
        assertTrue(message.contains("no tokens for '" + lost + "'"), message);
        assertThrows(BadRequest.class, () -> new Template("{} and more").fill(small, text));
        assertThrows(BadRequest.class, () -> new Template(text + " of {}").fill(small, "x"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"Novux Bridge is in", " x\n\n y ", "<|endoftext|>a", "a\u00a0b", "a\u200db", "\ta"})
    void blanksAndLettersWithoutAShapeMayBeLeftOut(String text) {
        assertArrayEquals(small.encode(text, true).ids(), Letters.encode(small, text, true).ids());
    }

    @ParameterizedTest
    @ValueSource(strings = {"日本 😀 café", "cafe\u0301", "\ufffd", "👩\u200d👩\u200d👧", "ﷺ ☃ \u0627\u0650", "½ ² ₂ Ⅳ", "“q” – … ¿",
        "\u0344 \u2126"})
    void aTokenizerOfAllBytesLeavesNothingOut(String text) {
        Tokenizer all = Tokenizer.bundled20b();
        assertArrayEquals(all.encode(text, true).ids(), Letters.encode(all, text, true).ids());
    }

    /** é is C3 A9, ã is C3 A3: a tokenizer with the first byte alone has a token for a part of each. */
    @Test
    void aLetterOfWhichOnlySomeBytesHaveTokensIsLost() {
        ObjectNode json = Json.object(DataFolder.find("models/tiny-mamba/tokenizer.json"));
        ((ObjectNode) json.at("/model/vocab")).put("Ã", 865);
        Tokenizer part = Tokenizer.of(json, "part");
        String message = assertThrows(BadRequest.class, () -> Prompt.of(part, "The café")).getMessage();
        assertTrue(message.contains("no tokens for 'é'"), message);
    }
}
