package lab.recall.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import lab.recall.Golden;
import lab.recall.checkpoint.SafeTensors;
import lab.recall.checkpoint.Tensor;
import lab.recall.model.Intervention;
import lab.recall.model.LanguageModel;
import lab.recall.model.Recording;
import lab.recall.model.Site;
import lab.recall.model.block.ScanPoints;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The memory of a layer in request files: read at a token, changed, changed for its read-out alone. */
class StateRequestTest {
    private static final int[] IDS = {3, 14, 15, 9};

    @TempDir
    Path dir;
    private final Terminal terminal = new Terminal();

    private int recall(String request) throws IOException {
        Path file = Files.writeString(dir.resolve("request.json"), request.replace('\'', '"'));
        return terminal.recall("run", file.toString(), "--out", dir.resolve("out").toString());
    }

    @ParameterizedTest
    @ValueSource(strings = {"mamba-a-f32", "mamba2-b-bf16"})
    void readAndChanged(String name) throws IOException {
        LanguageModel model = LanguageModel.open(Golden.folder(name));
        int width = model.width(ScanPoints.STATE);
        float[] ones = new float[width];
        Arrays.fill(ones, 1);
        String request = "{'experiment':'activations','model':'" + model.folder() + "','prompt':{'ids':[3,14,15,9]},"
                + "'points':['logits','layers.1.y','layers.1.state@1','layers.1.state@3','layers.*.write@0'],'interventions':["
                + "{'at':'layers.1.state','token':1,'set':" + Arrays.toString(ones) + "},"
                + "{'at':'layers.1.write','token':2,'zero':true},{'at':'layers.2.state','token':3,'zero':true,'read_only':true}]}";
        assertEquals(0, recall(request), () -> terminal.err());
        Map<String, Tensor> found = SafeTensors.read(dir.resolve("out/result.safetensors"));
        Set<String> writes = Set.of("layers.0.write@0", "layers.1.write@0", "layers.2.write@0");
        assertTrue(found.keySet().containsAll(writes), found.keySet().toString());
        assertEquals(model.layers() + 4, found.size(), found.keySet().toString());
        assertArrayEquals(ones, found.get("layers.1.state@1").floats());
        assertArrayEquals(model.stateShape(ScanPoints.STATE), found.get("layers.1.state@3").shape());
        float[] logits = model.run(IDS, Recording.nothing(), Intervention.set(new Site(1, ScanPoints.STATE, 1), ones),
                Intervention.zero(new Site(1, ScanPoints.WRITE, 2), width),
                Intervention.readOnly(Intervention.zero(new Site(2, ScanPoints.STATE, 3), width))).logits();
        float[] all = found.get("logits").floats();
        Golden.same("logits", logits, Arrays.copyOfRange(all, all.length - logits.length, all.length));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "'points':['layers.1.state']|points[0]: 'layers.1.state', expected a token behind it, such as layers.1.state@0",
        "'points':['logits','layers.*.write']|points[1]: 'layers.*.write', expected a token behind it",
        "'points':['layers.1.state@2']|points[0] (token): 2, expected a whole number from 0 to 1",
        "'points':['layers.1.y@1']|points[0]: 'layers.1.y@1', expected a name without a token; with one are asked write, state",
        "'points':['layers.9.state@1']|matches no hook point",
        "'points':['y'],'interventions':[{'at':'layers.1.state','token':2,'zero':true}]|interventions[0].token: 2",
        "'points':['y'],'interventions':[{'at':'layers.1.state','token':1,'set':[1,2]}]|expected a list of 1024 numbers, got 2",
        "'points':['y'],'interventions':[{'at':'layers.1.y','token':1,'zero':true,'read_only':true}]"
                + "|interventions[0].read_only: true, expected it only beside a layer's memory (write, state)",
        "'points':['y'],'interventions':[{'at':'layers.1.state','token':1,'zero':true,'read_only':1}]|read_only: 1"})
    void badRequestsAreOneSentence(String fields, String why) throws IOException {
        refused("{'experiment':'activations','model':'tiny-mamba','prompt':{'ids':[1,2]}," + fields + "}", why);
    }

    @Test
    void whatHasNoMemoryOrNoGradient() throws IOException {
        refused("{'experiment':'activations','model':'tiny-neox','prompt':{'ids':[1,2]},'points':['layers.1.state@1']}",
                "expected a name without a token");
        refused("{'experiment':'activations','model':'tiny-neox','prompt':{'ids':[1,2]},'points':['logits'],"
                + "'interventions':[{'at':'layers.1.state','token':1,'zero':true}]}", "a point of GPT-NeoX");
        refused("{'experiment':'gradient','model':'tiny-mamba','prompt':{'ids':[1,2]},'target':0,'sites':[[0,'state',1]]}",
                "sites[0]: 'state' is a layer's memory, at which no gradient is taken");
        refused("{'experiment':'trace','model':'tiny-mamba','points':['state'],'attribution':true}",
                "attribution: true, expected false with 'state'");
        refused("{'experiment':'trace','model':'tiny-neox','points':['state']}", "points: 'state' is no point of a layer of GPT-NeoX");
    }

    private void refused(String request, String why) throws IOException {
        assertEquals(2, recall(request), () -> terminal.err());
        assertTrue(terminal.err().contains(why), terminal.err());
        assertEquals(1, terminal.err().strip().lines().count(), terminal.err());
        assertFalse(Files.exists(dir.resolve("out")), "nothing is written");
    }
}
