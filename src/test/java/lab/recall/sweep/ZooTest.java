package lab.recall.sweep;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import lab.recall.base.BadData;
import lab.recall.base.BadRequest;
import lab.recall.stats.Estimate;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.knowm.xchart.XYSeries;

/** Tables of sweeps read back, and the rule that says which seed is embedded. */
final class ZooTest {
    @TempDir
    Path dir;

    @BeforeEach
    void write() throws IOException {
        StringBuilder results = new StringBuilder(SweepRow.COLUMNS);
        StringBuilder training = new StringBuilder();
        double[] most = {0.5, 0.3, 0.3, 0.9};
        for (int seed = 1; seed <= 4; seed++) {
            for (int layer = 0; layer < 2; layer++) {
                results.append("a/" + seed + ",trace,,resid_post/subject_last/" + layer + "," + (layer == 1 ? most[seed - 1] : 0.1) + ",,,7\n");
            }
            training.append("{\"model\": \"a/" + seed + "\", \"step\": 10, \"seen\": 0.5, \"dropped\": 0.25, \"held_out\": null}\n");
        }
        results.append("b/1,trace,,resid_post/subject_last/0,0.25,0.125,0.5,3\nb/1,trace,,\"other, quoted/0\",,,,0\n");
        Files.writeString(dir.resolve("results.csv"), results);
        Files.writeString(dir.resolve("steps.csv"), SweepRow.COLUMNS + "a/1/steps/10,trace,,resid_post/subject_last/0,0.5,,,3\n");
        Files.writeString(dir.resolve("training.jsonl"), training);
    }

    @Test
    void numbersAreReadWithTheirIntervals() {
        Zoo zoo = Zoo.of(dir);
        assertEquals(List.of("a", "b"), zoo.kinds());
        assertEquals(List.of(1, 2, 3, 4), zoo.seeds("a"));
        assertEquals(new Estimate(0.25, 0.125, 0.5, 3), zoo.at("b", 1, "trace", "resid_post/subject_last/0"));
        assertEquals(new Estimate(Double.NaN, Double.NaN, Double.NaN, 0), zoo.at("b", 1, "trace", "other, quoted/0"));
        assertArrayEquals(new double[] {0.1, 0.9}, zoo.results().byLayer("a/4", "trace", "resid_post/subject_last"));
        assertEquals(0.25, zoo.learned("a", 3).get(0).dropped());
        assertEquals(Double.NaN, zoo.learned("a", 3).get(0).heldOut());
    }

    /** Sorted 0.3 (seed 2), 0.3 (seed 3), 0.5 (seed 1), 0.9 (seed 4): the lower median is seed 3. */
    @Test
    void theLowerMedianIsEmbeddedAndOfEqualsTheSmallerComesFirst() {
        assertEquals(3, Zoo.of(dir).median("a"));
        assertEquals(1, Zoo.of(dir).median("b"));
        assertEquals(List.of("seed 1", "seed 2", "seed 3, embedded", "seed 4"), Zoo.of(dir).chart("a", "trace", "resid_post/subject_last",
                "last").getSeriesCollection().stream().map(XYSeries::getName).sorted().toList());
    }

    @Test
    void whatIsNotThereIsSaid() throws IOException {
        Zoo zoo = Zoo.of(dir);
        assertEquals("kind: 'c', expected a or b", assertThrows(BadRequest.class, () -> zoo.seeds("c")).getMessage());
        assertEquals("place: 'x/0' is not in the table of trace of a/1",
                assertThrows(BadRequest.class, () -> zoo.results().byLayer("a/1", "trace", "x")).getMessage());
        assertEquals("study: 'y' of a/1 is not in the table",
                assertThrows(BadRequest.class, () -> zoo.at("a", 1, "y", "x")).getMessage());
        assertEquals("kind: 'b': no models on the way were kept of it",
                assertThrows(BadRequest.class, () -> zoo.learning("b")).getMessage());
        Files.writeString(dir.resolve("results.csv"), "model,study\n");
        assertTrue(assertThrows(BadData.class, () -> Zoo.of(dir)).getMessage().contains("line 1"));
        Files.writeString(dir.resolve("results.csv"), SweepRow.COLUMNS + "a/1,trace,seed=2,x/0,1,1,1,1\n");
        assertTrue(assertThrows(BadData.class, () -> Zoo.of(dir)).getMessage().contains("line 2: a setting"));
    }
}
