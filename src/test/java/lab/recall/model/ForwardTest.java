package lab.recall.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import lab.recall.Golden;
import lab.recall.checkpoint.Tensor;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Forward passes, hook points, continuation: every golden checkpoint. */
class ForwardTest {
    static List<String> cases() {
        return Golden.CASES;
    }

    @ParameterizedTest
    @MethodSource("cases")
    void logits(String name) {
        LanguageModel model = LanguageModel.open(Golden.folder(name));
        Map<String, Tensor> golden = Golden.values(name, "forward");
        double[] logits = golden.get("logits").doubles();
        List<int[]> prompts = List.of(Golden.ids(golden.get("input_ids"), 0), Golden.ids(golden.get("input_ids"), 1));
        List<Pass> together = model.runAll(prompts, Recording.of("logits"));
        for (int row = 0; row < 2; row++) {
            double[] expected = Golden.slice(golden.get("logits"), row);
            Golden.close(name + " logits", together.get(row).activation(0, HookPoint.LOGITS).values(), expected, Golden.largest(logits));
            Golden.same("alone as in a batch", together.get(row).logits(), model.run(prompts.get(row)).logits());
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void everyHookPoint(String name) {
        LanguageModel model = LanguageModel.open(Golden.folder(name));
        Map<String, Tensor> golden = Golden.values(name, "activations");
        int[] ids = Golden.ids(Golden.values(name, "forward").get("input_ids"), 0);
        Pass pass = model.run(ids, Recording.all());
        for (int t = 0; t < ids.length; t++) {
            Golden.same("embeddings without a run", pass.get(new Site(0, HookPoint.EMBED, t)), model.embeddings(ids)[t]);
        }
        int checked = 0;
        for (Activation a : pass.activations()) {
            Tensor expected = golden.get(a.name());
            if (expected == null) {
                continue;               // resid_pre and the first-named globals stand there under other names
            }
            assertArrayEquals(Arrays.copyOfRange(expected.shape(), 1, expected.shape().length), a.shape(), a.name());
            Golden.close(a.name(), a.values(), Golden.slice(expected, 0), Golden.largest(expected.doubles()));
            checked++;
        }
        assertEquals(golden.keySet().stream().filter(n -> n.startsWith("layers.") || n.equals("embed") || n.equals("final_norm")).count(),
                checked, "points checked");
    }

    @ParameterizedTest
    @MethodSource("cases")
    void greedyFromKeptStates(String name) {
        LanguageModel model = LanguageModel.open(Golden.folder(name));
        Map<String, Tensor> golden = Golden.values(name, "forward");
        int[] expected = Golden.ids(golden.get("greedy_ids"), 0);
        Pass pass = model.run(Golden.ids(golden.get("input_ids"), 0));
        for (int id : expected) {
            assertEquals(id, pass.argmax(), "greedy token");
            pass = pass.then(id);
        }
        Golden.same("continued as from the start", model.run(pass.ids()).logits(), pass.logits());
    }

    @ParameterizedTest
    @MethodSource("cases")
    void leftPaddingIsAnUnpaddedPrompt(String name) {
        LanguageModel model = LanguageModel.open(Golden.folder(name));
        Map<String, Tensor> golden = Golden.values(name, "forward");
        Tensor mask = golden.get("padded_mask");
        int[] padded = Golden.ids(golden.get("padded_ids"), 0);
        int first = 0;
        while (mask.longs()[first] == 0) {
            first++;
        }
        assertTrue(first > 0, "the golden is padded");
        float[] logits = model.run(Arrays.copyOfRange(padded, first, padded.length), Recording.of("logits"))
                .activation(0, HookPoint.LOGITS).values();
        double[] expected = golden.get("padded_logits").doubles();
        Golden.close("logits", logits, Arrays.copyOfRange(expected, first * model.vocabulary(), padded.length * model.vocabulary()),
                Golden.largest(expected));
    }
}
