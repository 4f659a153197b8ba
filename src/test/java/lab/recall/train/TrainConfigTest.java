package lab.recall.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import lab.recall.base.BadData;
import lab.recall.base.BadRequest;
import lab.recall.base.Unsolvable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a training's configuration may say. */
class TrainConfigTest {
    private static final String CONFIG = TrainerTest.CONFIG.replace("MODEL", TrainerTest.MAMBA);

    @Test
    void aConfigurationIsTheSameWhenReadAgain() {
        TrainConfig config = TrainConfig.parse(CONFIG);
        assertEquals(config, TrainConfig.parse(config.settings().toString()));
        assertEquals(0.7, config.with("corpus.lists", 0.7).said().corpus().lists());
        assertEquals(0.2, config.said().corpus().lists());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "\"steps\": 9|\"steps\": 0|steps|0, expected a whole number from 1 to 1000000",
        "\"steps\": 9|\"steps\": 1.5|steps|1.5, expected a whole number",
        "\"seed\": 3|\"sead\": 3|sead|unknown field; known here are",
        "\"final\": 0.05|\"finall\": 0.05|optimizer.finall"
                + "|unknown field; known here are beta1, beta2, clip, eps, final, lr, warm_up, weight_decay. Did you mean 'final'?",
        "\"seed\": 3, ||seed|missing",
        "\"lr\": 0.004|\"lr\": \"x\"|optimizer.lr|\"x\", expected a number",
        "\"lr\": 0.004, ||optimizer.lr|missing",
        "\"eps\": 1e-8|\"eps\": 0|optimizer.eps|0.0, expected a number above 0",
        "\"lists\": 0.2|\"lists\": 2|corpus.lists|2.0, expected a number from 0 to 1",
        "\"binding\": 0.2|\"binding\": 0.8|corpus|before, behind and binding are shares, their sum is above 1",
        "\"states\": 4|\"states\": 4, \"heads\": 2|model.heads|unknown field; known here are layers, states, width",
        "\"states\": 4|\"states\": null|model.states|missing",
        "\"names\": \"grid\"|\"names\": \"grid\", \"folder\": \"w\"|world.seed|the folder holds the world",
        "\"names\": \"grid\"|\"names\": \"grid\", \"invented\": true|world.invented|a world without a folder always is",
        "\"seed\": 5, \"names\": \"grid\"|\"folder\": \"w\", \"invented\": \"no\"|world.invented|\"no\", expected true or false",
        "\"names\": \"grid\"|\"names\": \"odd\"|world.names|'odd', expected grid or unique"
    })
    void aBadFieldIsNamed(String good, String bad, String field, String reason) {
        assertTrue(CONFIG.contains(good));
        String text = CONFIG.replace(good, bad == null ? "" : bad);
        BadRequest said = assertThrows(BadRequest.class, () -> TrainConfig.parse(text));
        assertEquals(field, said.field());
        assertTrue(said.reason().startsWith(reason), said.reason());
    }

    @Test
    void aFoldersWorldIsInventedUnlessItSaysOtherwise() {
        String folder = CONFIG.replace("\"seed\": 5, \"names\": \"grid\"", "\"folder\": \"w\"");
        assertTrue(TrainConfig.parse(folder).facts().inventedWorld());
        assertFalse(TrainConfig.parse(folder).with("world.invented", false).facts().inventedWorld());
    }

    @Test
    void aFilesBadFieldIsItsPlace(@TempDir Path dir) throws IOException {
        Path file = Files.writeString(dir.resolve("c.json"), CONFIG.replace("\"lr\": 0.004", "\"lr\": -1"));
        BadData said = assertThrows(BadData.class, () -> TrainConfig.read(file));
        assertEquals(file.toString(), said.file());
        assertEquals("optimizer.lr", said.place());
        assertTrue(said.getMessage().startsWith(file + ": optimizer.lr: -1"), said.getMessage());
    }

    @Test
    void aLossThatIsNotFiniteHasNoEnd(@TempDir Path dir) {
        TrainConfig config = TrainConfig.parse(CONFIG.replace("\"lr\": 0.004", "\"lr\": 1e30"));
        Unsolvable said = assertThrows(Unsolvable.class, () -> new Trainer(config, dir).train(b -> { }, s -> { }, l -> { }));
        assertEquals("optimizer.lr", said.what());
        assertTrue(said.reason().startsWith("the loss is no longer finite at step "), said.reason());
    }
}
