package lab.recall.paper;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import lab.recall.base.BadData;
import lab.recall.base.BadRequest;
import lab.recall.base.Json;
import lab.recall.model.LanguageModel;
import lab.recall.model.Pass;
import lab.recall.text.Tokenizer;
import org.junit.jupiter.api.Test;

/** Printed probabilities beside a model's. */
class ParityTest {
    private static final String TEXT = " Novux Bridge is located in the city of";

    private static List<JsonNode> anchor(String token, double printed) {
        return List.of(Json.tree(Map.of("end_of_text", 2, "text", TEXT, "top", List.of(Map.of("token", token, "probability", printed)))));
    }

    @Test
    void aModelAgreesWithItsOwnNumbersAlone() {
        LanguageModel model = LanguageModel.open("tiny-mamba");
        Tokenizer t = model.requireTokenizer();
        int[] text = t.encode(TEXT, false).ids();
        int end = t.endOfText();
        Pass pass = model.run(IntStream.concat(IntStream.of(end, end), IntStream.of(text)).toArray());
        int id = model.next(TEXT).id(0);
        String token = t.decode(id);
        Parity own = Parity.of(model, anchor(token, pass.probability(id)), 1e-9);
        assertTrue(own.agrees(), own.table().print());
        assertEquals("tiny-mamba: 1 of 1 printed probabilities agree within 1.0e-09", own.summary());
        Parity other = Parity.of(model, anchor(token, pass.probability(id) + 0.002), 0.001);
        assertFalse(other.agrees());
        assertEquals("differs", other.rows().get(0).get(4));
        assertThrows(BadData.class, () -> Parity.of(model, anchor(" no single token at all", 0.5), 0.001));
    }

    @Test
    void checkpointsAreKnownByTheirNames() {
        assertEquals("mamba-2.8b", Parity.checkpoint("state-spaces/mamba-2.8b-hf"));
        assertEquals("pythia-2.8b-deduped", Parity.checkpoint("EleutherAI/pythia-2.8b-deduped"));
        assertEquals("", Parity.checkpoint("state-spaces/mamba-130m-hf"));
        assertEquals("model: tiny-neox is none of those of which the paper's code printed probabilities: mamba-2.8b, mamba-2.8b-slimpj, "
                + "pythia-2.8b-deduped", assertThrows(BadRequest.class, () -> Parity.of(LanguageModel.open("tiny-neox"))).getMessage());
    }

    /** Each printed token is one of the tokenizer's, and prompts that ran in one batch are as long as their texts say. */
    @Test
    void printedTokensAreTheTokenizers() {
        Tokenizer t = Tokenizer.bundled20b();
        PaperNumbers.of("parity").at("anchors").forEach(a -> {
            double sum = 0;
            for (JsonNode top : a.get("top")) {
                assertEquals(1, t.encode(top.get("token").asText(), false).ids().length, top.toString());
                sum += top.get("probability").asDouble();
            }
            assertTrue(sum <= 1, a.toString());
        });
        assertEquals(10, t.encode("The Space Needle is located in the city of", false).ids().length);
        assertEquals(2, t.encode(" The Space Needle is", false).ids().length - t.encode(" Louvre is", false).ids().length, "two paddings");
        assertEquals(t.encode(" By profession Bruce Lee was a", false).ids().length,
                t.encode(" By profession Harper Lee was a", false).ids().length, "no padding");
    }
}
