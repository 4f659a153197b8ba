package lab.recall.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import lab.recall.model.LanguageModel;
import lab.recall.study.StudiesTest;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Every command on weights that are no numbers: one sentence, exit code 2. */
class NotFiniteCommandTest {
    private static final Map<String, Float> KINDS = new TreeMap<>(Map.of("nan", Float.NaN, "infinity", Float.POSITIVE_INFINITY));

    @TempDir
    static Path models;

    @TempDir
    Path dir;
    private final Terminal terminal = new Terminal();

    @BeforeAll
    static void write() {
        System.setProperty("recall.store", "none");
        LanguageModel whole = LanguageModel.open("tiny-mamba");
        String weight = "backbone.layers.5.mixer.out_proj.weight";
        KINDS.forEach((kind, value) -> {
            float[] values = whole.weight(weight);
            Arrays.fill(values, 100, 200, value);
            whole.with(weight, values).save(models.resolve(kind));
        });
    }

    static Stream<Arguments> experiments() {
        return KINDS.keySet().stream().flatMap(kind -> StudiesTest.REQUESTS.keySet().stream().map(name -> Arguments.of(kind, name)));
    }

    static List<String> kinds() {
        return List.copyOf(KINDS.keySet());
    }

    private void refused(String... args) {
        assertEquals(2, terminal.recall(args), terminal.err());
        assertEquals(1, terminal.err().lines().filter(l -> !l.startsWith("warning: ")).count(), terminal.err());
        assertTrue(terminal.err().contains("not finite"), terminal.err());
    }

    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("experiments")
    void anExperiment(String kind, String name) throws IOException {
        String json = ("{'experiment':'" + name + "','model':'" + models.resolve(kind) + "'," + StudiesTest.REQUESTS.get(name) + "}")
                .replace('\'', '"');
        Path request = Files.writeString(dir.resolve("request.json"), json);
        refused("run", request.toString(), "--out", dir.resolve("out").toString());
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void nextGenerateAndEdit(String kind) {
        String model = models.resolve(kind).toString();
        refused("next", model, "Novux Bridge is located in the city of");
        refused("generate", model, "Novux Bridge is located in the city of");
        refused("generate", model, "Novux Bridge is located in the city of", "--seed", "3");
        refused("edit", "--model", model, "--subject", "Novux Bridge", "--prompt", "{} is located in the city of", "--target", "Malpolis");
    }

    /** One weight of a layer's rates, of a layer's queries: where an exponential comes behind it, and with bits that would pass it. */
    @ParameterizedTest
    @CsvSource({"tiny-mamba, backbone.layers.3.mixer.A_log, 0x7fc00000", "tiny-mamba, backbone.layers.3.mixer.A_log, 0xffffffff",
        "tiny-mamba, backbone.layers.3.mixer.dt_proj.bias, 0xffffffff", "tiny-mamba, backbone.layers.3.mixer.conv1d.bias, 0xffffffff",
        "tiny-neox, gpt_neox.layers.2.attention.query_key_value.bias, 0x7fc00000",
        "tiny-neox, gpt_neox.layers.2.attention.query_key_value.bias, 0xffffffff",
        "tiny-neox, gpt_neox.layers.2.mlp.dense_h_to_4h.bias, 0xffffffff"})
    void oneWeight(String name, String weight, String bits) {
        LanguageModel whole = LanguageModel.open(name);
        float[] values = whole.weight(weight);
        values[0] = Float.intBitsToFloat(Integer.parseUnsignedInt(bits.substring(2), 16));
        whole.with(weight, values).save(dir.resolve("one"));
        refused("next", dir.resolve("one").toString(), "Novux Bridge is located in the city of");
    }

    @Test
    void aModelOfNumbersIsNot() {
        assertEquals(0, terminal.recall("next", "tiny-mamba", "Novux Bridge is located in the city of"), terminal.err());
    }
}
