package lab.recall;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import lab.recall.base.Json;
import lab.recall.model.HookPoint;
import lab.recall.model.LanguageModel;
import org.junit.jupiter.api.Test;

/** The words of notebook 01: each name is one of a hook point, with the paper's letter that the point has. */
class GlossaryTest {
    @Test
    void namesAreThoseOfHookPoints() {
        Map<String, HookPoint> points = new HashMap<>();
        for (String model : List.of("tiny-mamba", "tiny-neox")) {
            LanguageModel.open(model).points().forEach(p -> points.put(p.id(), p));
        }
        List<String[]> rows = new ArrayList<>();
        for (JsonNode cell : Json.object(Path.of("notebooks", "01-start-here.ipynb")).get("cells")) {
            for (JsonNode line : cell.get("source")) {
                String[] parts = line.asText().strip().split(" *\\| *");
                if (cell.get("cell_type").asText().equals("markdown") && parts.length == 5 && parts[2].startsWith("`")) {
                    rows.add(parts);
                }
            }
        }
        assertTrue(rows.size() >= 10, rows.size() + " rows");
        for (String[] row : rows) {
            HookPoint point = points.get(row[2].replace("`", ""));
            assertTrue(point != null, row[2] + " is no hook point");
            assertEquals(point.letter().orElse("–"), row[1], row[2]);
        }
    }
}
