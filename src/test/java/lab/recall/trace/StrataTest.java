package lab.recall.trace;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.InputStream;
import java.util.stream.StreamSupport;
import lab.recall.base.Json;
import lab.recall.facts.FactPairs;
import lab.recall.facts.Relations;
import lab.recall.model.LanguageModel;
import lab.recall.study.Runner;
import org.junit.jupiter.api.Test;

/** Means by the number of the subject's tokens, beside those of an independent model in numpy; trace/strata.py makes them. */
class StrataTest {
    private static int[] ids(JsonNode list) {
        return StreamSupport.stream(list.spliterator(), false).mapToInt(JsonNode::asInt).toArray();
    }

    private static double[] numbers(JsonNode list) {
        return StreamSupport.stream(list.spliterator(), false).mapToDouble(JsonNode::asDouble).toArray();
    }

    @Test
    void theSubjectsLastTokenAgreesWithNumpy() throws IOException {
        System.setProperty("recall.store", "none");
        JsonNode file;
        try (InputStream in = StrataTest.class.getResourceAsStream("/trace/strata.json")) {
            file = Json.object(in.readAllBytes(), "strata.json");
        }
        LanguageModel mamba = LanguageModel.open("tiny-mamba");
        FactPairs pairs = Relations.of(mamba).knownBy(mamba, Runner.silent()).pairs(file.get("pairs").size(), 1);
        for (int i = 0; i < pairs.size(); i++) {
            JsonNode pair = file.get("pairs").get(i);
            assertArrayEquals(ids(pair.get("clean")), pairs.get(i).cleanPrompt().ids(), "the same pairs, or the file is of other weights");
            assertArrayEquals(ids(pair.get("corrupt")), pairs.get(i).corruptPrompt().ids());
        }
        BySubjectTokens apart = CausalTrace.of(mamba).residual().over(pairs, Runner.silent()).bySubjectTokens();
        assertEquals(file.get("strata").size(), apart.lengths().size());
        for (JsonNode stratum : file.get("strata")) {
            AverageTrace trace = apart.of(stratum.get("tokens").asInt());
            assertEquals(stratum.get("pairs").asInt(), trace.pairs());
            assertArrayEquals(numbers(stratum.get("means")), trace.means(Position.SUBJECT_LAST), 1e-6);
        }
    }
}
