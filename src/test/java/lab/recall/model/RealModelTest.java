package lab.recall.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.stream.StreamSupport;
import lab.recall.base.Json;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/**
 * The model that {@code environment/fetch smollm2-135m} gets, beside what transformers reads of the same file: {@code .ci/nightly real}
 * fetches it and has {@code environment/peers/real_model.py} write the file that {@code -Dreal.expected} names.
 */
@EnabledIfSystemProperty(named = "real.expected", matches = ".+")
class RealModelTest {
    private final LanguageModel model = LanguageModel.open("smollm2-135m");
    private JsonNode expected;

    @BeforeEach
    void read() throws IOException {
        expected = Json.MAPPER.readTree(Path.of(System.getProperty("real.expected")).toFile());
    }

    private static double[] numbers(JsonNode list) {
        return StreamSupport.stream(list.spliterator(), false).mapToDouble(JsonNode::asDouble).toArray();
    }

    private static int[] ids(JsonNode list) {
        return StreamSupport.stream(list.spliterator(), false).mapToInt(JsonNode::asInt).toArray();
    }

    @Test
    void tokensAreTheSame() {
        assertEquals(1000, expected.path("lines").size());
        for (int i = 0; i < 1000; i++) {
            String line = expected.path("lines").path(i).asText();
            assertArrayEquals(ids(expected.path("ids").path(i)), model.requireTokenizer().encode(line, true).ids(), i + ": '" + line + "'");
        }
    }

    @Test
    void logitsAreTheSame() {
        assertEquals(20, expected.path("logits").size());
        double largest = 0;
        for (int i = 0; i < 20; i++) {
            float[] logits = model.run(ids(expected.path("ids").path(i)), Recording.nothing()).logits();
            double[] theirs = numbers(expected.path("logits").path(i));
            assertEquals(theirs.length, logits.length);
            for (int v = 0; v < theirs.length; v++) {
                assertEquals(theirs[v], logits[v], 1e-3, expected.path("lines").path(i).asText() + ", id " + v);
                largest = Math.max(largest, Math.abs(theirs[v] - logits[v]));
            }
        }
        System.out.println("largest difference of a logit: " + largest);
    }

    @Test
    void aFactOfTheWorldIsKnown() {
        NextToken next = model.next("The capital city of France is");
        assertEquals(" Paris", model.requireTokenizer().decode(next.id(0)));
        assertEquals(0.644, next.probability(0), 0.002);
    }
}
