package lab.recall.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import lab.recall.base.BadData;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TensorNamesTest {
    private static final Path FOLDER = Path.of("folder");

    private static List<String> own(String trunk, String... names) {
        return List.copyOf(TensorNames.own(new LinkedHashSet<>(List.of(names)), trunk, FOLDER).values());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "module.", "_orig_mod.", "model.", "module._orig_mod.", "_orig_mod.module.", "model._orig_mod."})
    void wrappersAreTakenAwayAndTrunksPutInFront(String wrapper) {
        List<String> expected = List.of("backbone.embeddings.weight", "backbone.layers.0.norm.weight", "lm_head.weight");
        assertEquals(expected, own("backbone.", wrapper + "backbone.embeddings.weight", wrapper + "backbone.layers.0.norm.weight",
                wrapper + "lm_head.weight"));
        assertEquals(expected, own("backbone.", wrapper + "embeddings.weight", wrapper + "layers.0.norm.weight",
                wrapper + "lm_head.weight"));
        assertEquals(List.of("gpt_neox.layers.0.attention.bias", "embed_out.weight"),
                own("gpt_neox.", wrapper + "layers.0.attention.bias", wrapper + "embed_out.weight"));
    }

    /** A trunk may have the name of a wrapper. */
    @Test
    void aTrunkThatIsCalledModelKeepsItsName() {
        List<String> expected = List.of("model.layers.0.mlp.weight", "lm_head.weight");
        assertEquals(expected, own("model.", "model.layers.0.mlp.weight", "lm_head.weight"));
        assertEquals(expected, own("model.", "layers.0.mlp.weight", "lm_head.weight"));
        assertEquals(expected, own("model.", "module.model.layers.0.mlp.weight", "module.lm_head.weight"));
    }

    @Test
    void whatStandsBesideTheTrunkIsLeftAlone() {
        assertEquals(List.of("backbone.norm_f.weight", "ema.norm_f.weight"), own("backbone.", "backbone.norm_f.weight",
                "ema.norm_f.weight"));
    }

    @Test
    void twoModelsInOneFileAreRefused() {
        String message = assertThrows(BadData.class, () -> TensorNames.own(new LinkedHashSet<>(List.of("module.backbone.norm_f.weight",
                "backbone.norm_f.weight")), "backbone.", FOLDER)).getMessage();
        assertTrue(message.contains("'module.backbone.norm_f.weight' and 'backbone.norm_f.weight' are both"), message);
        assertEquals(Set.of(), TensorNames.own(Set.of(), "backbone.", FOLDER).keySet());
    }
}
