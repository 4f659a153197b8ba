package lab.recall.facts;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import lab.recall.model.LanguageModel;
import lab.recall.stats.Estimate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FactsTest {
    @Test
    void bundledRelationsAreThere() {
        assertEquals(26, Relations.lre().all().size());
        assertEquals(12, Relations.world().all().size());
        assertEquals("The capital of {} is the city of", Relations.lre().get("country_capital_city").template().text());
        assertThrows(IllegalArgumentException.class, () -> Relations.world().get("nothing"));
    }

    @Test
    void aNonTrivialPrefixBeginsTheObject() {
        Fact f = new Fact("r", "France", "Paris");
        assertTrue(f.begunBy(" Par"));
        assertTrue(f.begunBy(" paris"));
        assertFalse(f.begunBy(" "));
        assertFalse(f.begunBy(" the"));
        assertFalse(f.begunBy(" Parish"));
    }

    @Test
    void pairsFitAndTheSeedDecides() {
        LanguageModel model = LanguageModel.open("tiny-mamba");
        KnownFacts known = Relations.of(model).knownBy(model);
        FactPairs pairs = known.pairs(40, 3);
        assertEquals(40, pairs.size());
        for (FactPair p : pairs.pairs()) {
            assertEquals(p.clean().relation(), p.corrupt().relation());
            assertNotEquals(p.clean().subject(), p.corrupt().subject());
            assertNotEquals(p.clean().object(), p.corrupt().object());
            assertEquals(p.cleanPrompt().length(), p.corruptPrompt().length());
            assertEquals(p.cleanPrompt().subjectStart(), p.corruptPrompt().subjectStart());
            assertEquals(p.cleanPrompt().subjectEnd(), p.corruptPrompt().subjectEnd());
        }
        assertEquals(pairs.pairs().stream().map(FactPair::clean).toList(), known.pairs(40, 3).pairs().stream().map(FactPair::clean).toList());
        assertNotEquals(pairs.pairs().stream().map(FactPair::clean).toList(), known.pairs(40, 4).pairs().stream().map(FactPair::clean).toList());
    }

    @Test
    void aFileThatIsNoRelationIsRefused(@TempDir Path dir) throws IOException {
        Path file = dir.resolve("r.json");
        for (String text : new String[] {"{", "{}", "{\"prompt_templates\":[\"{} is\"],\"samples\":[{\"subject\":1}]}",
            "{\"prompt_templates\":[\"no place\"],\"samples\":[]}"}) {
            Files.writeString(file, text);
            assertThrows(IllegalArgumentException.class, () -> Relation.read(file), text);
        }
        Files.delete(file);
        assertThrows(IllegalArgumentException.class, () -> Relations.folder(dir));
    }

    @Test
    void theIntervalHoldsTheMeanAndShrinks() {
        double[] few = {0, 1, 0, 1, 1, 0, Double.NaN};
        Estimate e = Estimate.mean(few, 1);
        assertEquals(6, e.n());
        assertEquals(0.5, e.mean());
        assertTrue(e.low() < 0.5 && e.high() > 0.5 && e.low() >= 0 && e.high() <= 1);
        double[] many = new double[600];
        for (int i = 0; i < many.length; i++) {
            many[i] = i % 2;
        }
        Estimate narrow = Estimate.mean(many, 1);
        assertTrue(narrow.high() - narrow.low() < (e.high() - e.low()) / 3);
        assertEquals(1.96 * 2 * 0.5 / Math.sqrt(600), narrow.high() - narrow.low(), 0.01);
        assertEquals(0, Estimate.mean(new double[] {Double.NaN}, 1).n());
    }
}
