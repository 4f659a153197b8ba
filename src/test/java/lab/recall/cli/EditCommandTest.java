package lab.recall.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import lab.recall.Golden;
import lab.recall.checkpoint.SafeTensors;
import lab.recall.checkpoint.Tensor;
import lab.recall.edit.EditCurves;
import lab.recall.edit.EditScores;
import lab.recall.edit.EditSweep;
import lab.recall.facts.EditRequests;
import lab.recall.facts.Relations;
import lab.recall.model.LanguageModel;
import lab.recall.model.block.ScanMatrices;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Requests rome, edit and edit_sweep, and the commands edit and edit-sweep. */
class EditCommandTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String[] FACT = {"--subject", "Dosith Stadium", "--prompt", "{} is located in the city of",
        "--target", "Stathburg"};

    @TempDir
    Path dir;
    private final Terminal terminal = new Terminal();

    @BeforeEach
    void store() {
        System.setProperty("recall.store", dir.resolve("user").toString());
    }

    private int recall(String... args) {
        return terminal.recall(args);
    }

    private int edit(String[] first, String... more) {
        return recall(Stream.of(new String[] {"edit", "--model", "tiny-mamba", "--contexts", "2", "--documents", "60"}, first, more)
                .flatMap(Arrays::stream).toArray(String[]::new));
    }

    private static ArrayNode list(ArrayNode into, Tensor ids) {
        Arrays.stream(ids.longs()).forEach(into::add);
        return into;
    }

    private ObjectNode rome(String name, String matrix) {
        Path file = Golden.folder(name).resolve("rome." + matrix + ".safetensors");
        Map<String, Tensor> g = SafeTensors.read(file);
        ObjectNode r = JSON.createObjectNode().put("experiment", "rome").put("model", Golden.folder(name).toString())
                .put("layer", 1).put("matrix", matrix);
        list(r.putObject("prompt").putArray("ids"), g.get("prompt"));
        r.put("subject_last", g.get("subject_last").longs()[0]);
        ArrayNode prefixes = r.putArray("prefixes");
        for (String p : List.of("prefix0", "prefix1", "prefix2")) {
            list(prefixes.addObject().putArray("ids"), g.get(p));
        }
        list(r.putArray("target"), g.get("target"));
        list(r.putObject("kl_prompt").putArray("ids"), g.get("kl_prompt"));
        r.put("kl_pos", g.get("kl_pos").longs()[0]).put("covariance", file.toString());
        r.putObject("hyperparameters").put("steps", 20).put("lr", 0.5).put("weight_decay", 0.5).put("kl_factor", 0.0625)
                .put("clamp_norm_factor", 3).put("stop_loss", 0.05);
        return r;
    }

    private int run(JsonNode request) throws IOException {
        return recall("run", Files.writeString(dir.resolve("request.json"), request.toString()).toString(),
                "--out", dir.resolve("out").toString());
    }

    @ParameterizedTest
    @CsvSource({"mamba-a-f32,out_proj", "mamba-a-f32,in_proj.x", "mamba-a-f32,in_proj.z",
        "mamba-b-bf16-untied,out_proj", "mamba-b-bf16-untied,in_proj.x", "mamba-b-bf16-untied,in_proj.z",
        "neox-a-f32,mlp.dense_4h_to_h", "neox-b-seq-f16-sharded,mlp.dense_4h_to_h"})
    void goldensByRequest(String name, String matrix) throws IOException {
        assertEquals(0, run(rome(name, matrix).put("save", dir.resolve("saved").toString())), () -> terminal.err());
        Map<String, Tensor> found = SafeTensors.read(dir.resolve("out").resolve("result.safetensors"));
        Map<String, Tensor> g = SafeTensors.read(Golden.folder(name).resolve("rome." + matrix + ".safetensors"));
        for (String array : List.of("u", "v", "losses", "loss_parts", "W_new")) {
            double[] x = found.get(array).doubles();
            double[] all = g.get(array).doubles();                      // of in_proj both halves, the gate's behind the other
            double[] golden = matrix.equals("in_proj.z")
                    ? Arrays.copyOfRange(all, all.length - x.length, all.length) : Arrays.copyOf(all, x.length);
            assertEquals(array.equals("W_new") && matrix.startsWith("in_proj") ? all.length / 2 : all.length, x.length, array);
            double scale = Golden.largest(golden);
            for (int i = 0; i < x.length; i++) {
                assertEquals(golden[i], x[i], (array.equals("u") ? 1e-4 : 5e-3) * scale, array + " " + i);
            }
        }
        JsonNode json = JSON.readTree(dir.resolve("out").resolve("result.json").toFile());
        assertEquals(g.get("p").doubles()[0], json.get("p_before").asDouble(), 1e-4);
        assertEquals(g.get("p").doubles()[1], json.get("p_after").asDouble(), 5e-3);
        assertEquals(g.get("steps_run").longs()[0], json.get("steps_run").asLong());
        assertTrue(json.get("value_error").asDouble() <= 1e-4);
        double[] logits = g.get("edited_logits").doubles();
        int[] ids = Stream.of(g.get("prompt").longs(), new long[] {g.get("target").longs()[0]})
                .flatMapToLong(Arrays::stream).mapToInt(i -> (int) i).toArray();
        float[] last = LanguageModel.open(dir.resolve("saved")).run(ids).logits();
        double scale = Golden.largest(logits);
        for (int i = 0; i < last.length; i++) {
            assertEquals(logits[logits.length - last.length + i], last[i], 5e-3 * scale, "logit " + i + " of the saved model");
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "matrix|'mlp.dense_4h_to_h'|matrix: 'mlp.dense_4h_to_h', expected in_proj.x or in_proj.z or out_proj",
        "layer|4|layer: 4, expected a whole number from 0 to 3",
        "subject_last|7|subject_last: 7, expected a whole number from 0 to 6",
        "prefixes|[{'ids':[1]}]|prefixes[0]: expected {'ids': []}",
        "prefixes|[]|prefixes: expected a list that is not empty",
        "target|[]|target: expected a list that is not empty",
        "kl_pos|5|kl_pos: 5, expected a whole number from 0 to 4",
        "covariance|'/nope'|covariance: /nope: no such file",
        "covariance|'SINGULAR'|covariance: singular",
        "covariance|'IDENTITY8'|holds no C of shape [64, 64]",
        "hyperparameters|{'steps':0}|hyperparameters.steps: 0",
        "hyperparameters|{'steps':2,'lr':-1}|hyperparameters.lr: -1",
        "hyperparameters|{'steps':2,'lr':1,'weight_decay':0,'kl_factor':0,'clamp_norm_factor':1,'stop_loss':0,'x':1}|"
                + "hyperparameters.x: unknown field",
        "key|'magic'|key: 'magic', expected published or consistent"})
    void badEditsAreOneSentence(String field, String value, String why) throws IOException {
        double[] ones = new double[64 * 64];
        Arrays.fill(ones, 1);
        Path singular = dir.resolve("singular.safetensors");
        SafeTensors.write(singular, List.of(Tensor.of("C", ones, 64, 64)), Map.of());
        Path small = dir.resolve("small.safetensors");
        SafeTensors.write(small, List.of(Tensor.of("C", new double[64], 8, 8)), Map.of());
        ObjectNode r = rome("mamba-a-f32", "out_proj").put("save", dir.resolve("saved").toString());
        r.set(field, JSON.readTree(value.replace('\'', '"')
                .replace("SINGULAR", singular.toString()).replace("IDENTITY8", small.toString())));
        assertEquals(2, run(r));
        assertTrue(terminal.err().replace('"', '\'').contains(why), terminal.err());
        assertEquals(1, terminal.err().strip().lines().count(), terminal.err());
        assertFalse(Files.exists(dir.resolve("out")) || Files.exists(dir.resolve("saved")), "nothing is written");
    }

    @Test
    void beforeAndAfter() throws IOException {
        Path change = dir.resolve("change.safetensors");
        assertEquals(0, edit(FACT, "--true", "Malpolis", "--save", dir.resolve("edited").toString(), "--change", change.toString(), "--out",
                dir.resolve("out").toString()), () -> terminal.err());
        assertTrue(terminal.out().contains("Malpolis") && terminal.out().contains("Stathburg")
                && terminal.out().contains("key dot u"), terminal.out());
        assertTrue(Files.size(dir.resolve("out").resolve("losses.png")) > 0 && Files.exists(dir.resolve("out").resolve("tests.csv")));
        String prompt = "Dosith Stadium is located in the city of";
        assertEquals(" Stathburg", LanguageModel.open(dir.resolve("edited")).next(prompt).token(0));
        String weight = "backbone.layers.1.mixer.out_proj.weight";
        LanguageModel tiny = LanguageModel.open("tiny-mamba");
        assertEquals(0, recall("edit", "--model", dir.resolve("edited").toString(),
                "--revert", change.toString(), "--save", dir.resolve("back").toString()), () -> terminal.err());
        assertArrayEquals(tiny.weight(weight), LanguageModel.open(dir.resolve("back")).weight(weight), "bit for bit");
        assertEquals(0, recall("edit", "--model", "tiny-mamba", "--apply", change.toString(),
                "--save", dir.resolve("again").toString()), () -> terminal.err());
        assertArrayEquals(LanguageModel.open(dir.resolve("edited")).weight(weight),
                LanguageModel.open(dir.resolve("again")).weight(weight));
    }

    @ParameterizedTest
    @CsvSource({"each", "sequence", "joint"})
    void severalRequests(String how) throws IOException {
        Path file = Files.writeString(dir.resolve("requests.json"), """
                [{"case_id": 3, "requested_rewrite": {"prompt": "{} is located in the city of", "subject": "Dosith Stadium", \
                "relation_id": "P1",
                  "target_new": {"str": "Stathburg", "id": "Q1"}, "target_true": {"str": "Malpolis", "id": "Q2"}},
                  "paraphrase_prompts": ["Dosith Stadium stands in the city of"], \
                "neighborhood_prompts": ["Lofir Temple is located in the city of"]},
                 {"case_id": 4, "requested_rewrite": {"prompt": "{} is located in the city of", "subject": "Dosith Bridge",
                  "target_new": {"str": "Malpolis"}, "target_true": {"str": "Stathburg"}}, \
                "paraphrase_prompts": [], "neighborhood_prompts": []}]
                """);
        assertEquals(0, edit(new String[] {"--requests", file.toString()}, "--how", how), () -> terminal.err());
        assertTrue(terminal.out().contains("efficacy: 1.0"), terminal.out());
        assertTrue(terminal.out().contains("requests: 2"), terminal.out());
    }

    @Test
    void aSweepOfTwoModels() throws IOException {
        assertEquals(0, recall("edit-sweep", "--model", "tiny-mamba", "--model", "tiny-neox", "--requests", "3",
                "--contexts", "1", "--documents", "120", "--layer", "1,2", "--out", dir.toString()), () -> terminal.err());
        Map<String, Tensor> arrays = SafeTensors.read(dir.resolve("tiny-mamba").resolve("result.safetensors"));
        assertArrayEquals(new long[] {3, 8}, arrays.get("in_proj.x.efficacy").shape());
        assertTrue(Float.isNaN(arrays.get("out_proj.score").floats()[0]) && !Float.isNaN(arrays.get("out_proj.score").floats()[1]));
        assertTrue(Files.size(dir.resolve("tiny-neox").resolve("efficacy.svg")) > 0
                && Files.exists(dir.resolve("together-score.png"))
                && Files.exists(dir.resolve("tiny-neox").resolve("edits.csv")));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "--subject Novux --prompt Nothing --target Malpolis|does not stand in the prompt", "--subject Novux --prompt {} --target|--target",
        "--subject Novux|expected --subject, --prompt and --target", "--requests /nope|--requests: /nope: no such file",
        "--subject Novux --prompt {}_is --target x --layer 8|--layer: 8",
        "--subject Novux --prompt {}_is --target x --matrix W|--matrix: 'W'",
        "--subject Novux --prompt {}_is --target x --covariance /nope|--covariance: /nope",
        "--subject Novux --prompt {}_is --target x --change /|--change: /: is a folder, expected the name of a file",
        "--subject Novux --prompt {}_is --target x --texts /nope|--texts: /nope: no such file",
        "--subject Novux --prompt {}_is --target x --requests y|leave out file", "--apply /nope|--save", "--apply /nope --save x|/nope",
        "--apply a --revert b --save x|--apply"})
    void badOptionsAreOneSentence(String options, String why) {
        assertEquals(2, edit(options.split(" ")), terminal.out());
        assertTrue(terminal.err().contains(why), terminal.err());
        assertEquals(1, terminal.err().strip().lines().count(), terminal.err());
    }

    @Test
    void anEmptyTargetIsOneSentence() {
        assertEquals(2, edit(new String[] {"--subject", "Novux", "--prompt", "{} is", "--target", " "}));
        assertTrue(terminal.err().startsWith("--target: empty"), terminal.err());
    }

    /** One fact asked about twice, with a weight so small that the two cannot be told apart. */
    @Test
    void aTinyWeightIsOneSentence() throws IOException {
        String one = "{\"requested_rewrite\": {\"prompt\": \"{} is located in the city of\", \"subject\": \"Dosith Stadium\", "
                + "\"target_new\": {\"str\": \"Stathburg\"}}}";
        Path file = Files.writeString(dir.resolve("twice.jsonl"), one + "\n" + one + "\n");
        for (String weight : List.of("1e-300", "0")) {
            assertEquals(2, edit(new String[] {"--requests", file.toString()}, "--how", "joint",
                    "--weight", weight, "--save", dir.resolve("m").toString()));
            assertTrue(terminal.err().startsWith("--weight: "), terminal.err());
            assertEquals(1, terminal.err().strip().lines().count(), terminal.err());
            assertFalse(Files.exists(dir.resolve("m")));
        }
    }

    /** Sums are kept in a file by a sweep and used by an edit, which then reads no text; another model's are refused. */
    @Test
    void secondMomentsAreKept() throws IOException {
        Path file = dir.resolve("moments.safetensors");
        String[] sweep = {"edit-sweep", "--requests", "1", "--contexts", "1", "--documents", "120",
            "--layer", "1,2", "--moments", file.toString(), "--out"};
        assertEquals(0, recall(with(sweep, dir.resolve("a").toString(), "--model", "tiny-mamba")), () -> terminal.err());
        byte[] kept = Files.readAllBytes(file);
        String[] plain = {"edit", "--model", "tiny-mamba", "--contexts", "1", "--documents", "120", "--layer", "1"};
        assertEquals(0, recall(with(with(plain, FACT), "--out", dir.resolve("b").toString())), () -> terminal.err());
        assertEquals(0, recall(with(with(plain, FACT), "--out", dir.resolve("c").toString(),
                "--moments", file.toString())), () -> terminal.err());
        float[] u = SafeTensors.read(dir.resolve("b").resolve("result.safetensors")).get("u").floats();
        assertArrayEquals(u, SafeTensors.read(dir.resolve("c").resolve("result.safetensors")).get("u").floats());
        assertArrayEquals(kept, Files.readAllBytes(file));
        assertEquals(2, recall(with(sweep, dir.resolve("d").toString(), "--model", "tiny-neox")));
        assertTrue(terminal.err().startsWith("--moments: ") && terminal.err().contains("another model"), terminal.err());
        assertEquals(2, recall(with(with(plain, FACT), "--moments", file.toString(), "--seed", "2")));
        assertTrue(terminal.err().startsWith("--texts: others than the 120"), terminal.err());
        assertEquals(2, recall(with(with(plain, FACT), "--moments", file.toString(), "--covariance", "identity")));
        assertTrue(terminal.err().startsWith("--moments: a covariance is given"), terminal.err());
    }

    private static String[] with(String[] first, String... more) {
        return Stream.of(first, more).flatMap(Arrays::stream).toArray(String[]::new);
    }

    /** A sweep of which only the requests are said is the same by a fluent call and by the command. */
    @Test
    void aSweepsDefaultsAreThoseOfTheFluentCall() {
        assertEquals(0, recall("edit-sweep", "--model", "tiny-mamba", "--requests", "2", "--layer", "1",
                "--matrix", "in_proj.x", "--out", dir.toString()), () -> terminal.err());
        LanguageModel mamba = LanguageModel.open("tiny-mamba");
        Relations relations = Relations.of(mamba);
        EditCurves curves = EditSweep.of(mamba).layers(List.of(1)).matrices(List.of(ScanMatrices.W_A))
                .over(EditRequests.of(relations, relations.knownBy(mamba), 2, 1));
        Map<String, Tensor> arrays = SafeTensors.read(dir.resolve("result.safetensors"));
        for (EditScores.Measure m : EditScores.Measure.values()) {
            assertEquals((float) curves.at(ScanMatrices.W_A, 1).success(m).mean(), arrays.get("in_proj.x." + m.label()).floats()[1]);
        }
        assertEquals((float) curves.at(ScanMatrices.W_A, 1).score().mean(), arrays.get("in_proj.x.score").floats()[1]);
    }
}
