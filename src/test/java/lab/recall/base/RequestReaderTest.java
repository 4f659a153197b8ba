package lab.recall.base;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RequestReaderTest {
    record Inner(Double rate) {
        Inner {
            Check.number("rate", Check.given("rate", rate), 0);
        }
    }

    record Asked(Integer pairs, String mode, List<Integer> layers, Boolean reverse, Inner inner) {
        Asked {
            pairs = Check.whole("pairs", Check.or(pairs, 200), 1, 1000);
            mode = Check.word("mode", Check.or(mode, "corrected"), List.of("corrected", "published"));
            layers = Check.or(layers, List.of());
            reverse = Check.or(reverse, false);
        }
    }

    private static ObjectNode json(String text) {
        return Json.object(text.replace('\'', '"').getBytes(StandardCharsets.UTF_8), "the request");
    }

    @Test
    void defaultsStandInTheConstructor() {
        assertEquals(new Asked(200, "corrected", List.of(), false, null), RequestReader.read(json("{}"), Asked.class));
    }

    @Test
    void aRecordIsTheSameAsJsonAndBack() {
        Asked asked = new Asked(3, "published", List.of(1, 2), true, new Inner(0.5));
        assertEquals(asked, RequestReader.read((ObjectNode) Json.tree(asked), Asked.class));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "{'pairs': 0}|pairs: 0, expected a whole number from 1 to 1000",
        "{'pairs': 'x'}|pairs: \"x\", expected a whole number",
        "{'pairs': 1.5}|pairs: 1.5, expected a whole number",
        "{'pairs': 3000000000}|pairs: 3000000000, expected a whole number",
        "{'pairs': [1]}|pairs: [1], expected a whole number",
        "{'mode': 3}|mode: 3, expected a text",
        "{'mode': 'publishd'}|mode: 'publishd', expected corrected or published; did you mean 'published'?",
        "{'reverse': 'yes'}|reverse: \"yes\", expected true or false",
        "{'layers': 4}|layers: 4, expected a list",
        "{'layers': [1, 'x']}|layers[1]: \"x\", expected a whole number",
        "{'layers': [1, null]}|layers[1]: null, expected a value",
        "{'inner': {'rate': -1}}|inner.rate: -1.0, expected a finite number of at least 0.0",
        "{'inner': {}}|inner.rate: missing",
        "{'inner': 7}|inner: 7, expected an object with rate",
        "{'inner': {'rat': 1}}|inner.rat: unknown field; known here are rate. Did you mean 'rate'?",
        "{'pair': 3}|pair: unknown field; known here are inner, layers, mode, pairs, reverse. Did you mean 'pairs'?"})
    void whatIsWrongIsOneSentenceThatNamesTheField(String text, String sentence) {
        assertEquals(sentence, assertThrows(BadRequest.class, () -> RequestReader.read(json(text), Asked.class)).getMessage());
    }
}
