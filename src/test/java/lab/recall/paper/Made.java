package lab.recall.paper;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import lab.recall.base.Json;
import lab.recall.edit.CaseScores;
import lab.recall.edit.EditCurves;
import lab.recall.edit.EditScores.Measure;
import lab.recall.model.ModelFacts;
import lab.recall.study.ModelCard;

/** Results that no model gave: of curves that are known, and of families of which the paper has nothing. */
final class Made {
    private static final ModelFacts FACTS = new ModelFacts("world", true, true, null);
    static final ModelCard MAMBA = new ModelCard("tiny-mamba", "Mamba", 8, 64, 2000, "1", FACTS);
    static final ModelCard NEOX = new ModelCard("tiny-neox", "GPT-NeoX", 8, 64, 2000, "2", FACTS);
    /** It writes to the residual stream by a matrix that has the name of Mamba's. */
    static final ModelCard OTHER = new ModelCard("some", "Llama", 8, 64, 2000, "3", FACTS);

    /** A curve of a matrix, by its id, and a share. */
    interface Curve {
        double[] at(String matrix, Measure measure);
    }

    private Made() {
    }

    /** The paper's. */
    static Curve published(PaperModel model) {
        return (matrix, measure) -> PaperEdits.curve(model, matrix, measure.label());
    }

    /** One case at each layer, the numbers of a curve read at the same relative depth. */
    static EditCurves edits(ModelCard model, List<String> matrices, Curve curve) {
        return edits(model, IntStream.range(0, model.layers()).boxed().toList(), matrices, curve);
    }

    static EditCurves edits(ModelCard model, List<Integer> layers, List<String> matrices, Curve curve) {
        Map<String, List<List<CaseScores>>> found = new LinkedHashMap<>();
        for (String m : matrices) {
            List<List<CaseScores>> all = new ArrayList<>();
            for (int l : layers) {
                double[] success = new double[CaseScores.KINDS];
                for (Measure measure : Measure.values()) {
                    double[] published = curve.at(m, measure);
                    success[measure.ordinal()] = published[l * published.length / model.layers()];
                }
                all.add(List.of(new CaseScores(success, success, success)));
            }
            found.put(m, all);
        }
        return read(Json.tree(Map.of("model", model, "layers", layers, "found", found)), EditCurves.class);
    }

    /** The same result, found on a model of another family. */
    static <T> T elsewhere(T found, Class<T> type) {
        ObjectNode json = (ObjectNode) Json.tree(found);
        json.set("model", Json.tree(OTHER));
        return read(json, type);
    }

    /** What JSON says. */
    static <T> T read(JsonNode json, Class<T> type) {
        try {
            return Json.MAPPER.treeToValue(json, type);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }
}
