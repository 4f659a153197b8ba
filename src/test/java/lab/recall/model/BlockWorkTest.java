package lab.recall.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.LongStream;
import lab.recall.Golden;
import lab.recall.base.BadData;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What a block says of its operations, beside what its weights and a plain count say. */
class BlockWorkTest {
    @TempDir
    Path dir;

    static List<String> models() {
        return Golden.CASES;
    }

    /** Each number of a layer's matrices is multiplied once and added once. */
    @ParameterizedTest
    @MethodSource("models")
    void productsAreTwiceTheMatrices(String name) {
        LanguageModel model = LanguageModel.open(Golden.folder(name));
        long numbers = model.layerMatrices().stream().mapToLong(w -> LongStream.of(model.shapeOf(w)).reduce(1, (a, b) -> a * b)).sum();
        assertEquals(2 * numbers, LongStream.range(0, model.layers()).map(l -> model.block((int) l).work().products()).sum());
        assertTrue(model.block(0).work().mixing() > 0);
    }

    @Test
    void tokensReadWhatIsBeforeThem() {
        BlockWork work = new BlockWork(1000, 100, 7);
        double sum = 0;
        for (int t = 3; t < 11; t++) {
            sum += 1100;
            for (int s = 0; s <= t; s++) {
                sum += 7;
            }
        }
        assertEquals(sum, work.of(3, 11));
    }

    private Path config(String text) throws IOException {
        Files.writeString(dir.resolve("config.json"), text.replace('\'', '"'));
        return dir.resolve("config.json");
    }

    /** By hand: 2 (3 d E + E (R + 2 N) + E R) of products, 9 E N of the scan and 2 K E of the convolution, beside what is linear in E. */
    @Test
    void aModelOfAConfigurationHasItsSizes() throws IOException {
        LanguageModel model = LanguageModel.unlearned(config("{'model_type':'mamba','hidden_size':96,'num_hidden_layers':40,"
                + "'vocab_size':300,'state_size':16,'conv_kernel':4,'intermediate_size':192,'time_step_rank':6}"));
        assertEquals(40, model.layers());
        assertEquals(96, model.width());
        assertEquals(300, model.vocabulary());
        BlockWork work = model.block(39).work();
        assertEquals(2 * (3 * 96 * 192 + 192 * 38 + 192 * 6), work.products());
        double scan = 9.0 * 192 * 16 + 2 * 4 * 192;
        assertTrue(work.mixing() > scan && work.mixing() < scan + 14 * 192, work.toString());
        assertEquals(0, work.read());
        long before = model.rows();
        assertTrue(model.run(1, 2, 3).requireFinite().logits().length == 300);
        assertEquals(120, model.rows() - before);
        assertEquals(2, model.first(2).layers());
    }

    /** By hand: 12 d² numbers of matrices; each token that is read takes a score and a share of 2 d operations each. */
    @Test
    void anAttentionReadsEachToken() throws IOException {
        LanguageModel model = LanguageModel.unlearned(config("{'model_type':'gpt_neox','hidden_size':64,'num_hidden_layers':3,"
                + "'num_attention_heads':4,'intermediate_size':256,'vocab_size':300,'rotary_pct':0.25,'tie_word_embeddings':false}"));
        BlockWork work = model.block(2).work();
        assertEquals(24 * 64 * 64, work.products());
        assertTrue(work.read() >= 4 * 64 && work.read() <= 4 * 64 + 4 * 4, work.toString());
    }

    @Test
    void aConfigurationOfNoFamilyIsRefused() throws IOException {
        Path file = config("{'model_type':'mambo'}");
        assertTrue(assertThrows(BadData.class, () -> LanguageModel.unlearned(file)).getMessage().contains("known are"));
        Path none = dir.resolve("none");
        Files.createDirectory(none);
        assertThrows(BadData.class, () -> LanguageModel.unlearned(none));
    }
}
