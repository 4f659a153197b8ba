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
import lab.recall.Golden;
import lab.recall.checkpoint.SafeTensors;
import lab.recall.checkpoint.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The command line, from request files to result files. */
class RunTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    Path dir;
    private final Terminal terminal = new Terminal();

    static List<String> cases() {
        return Golden.CASES;
    }

    static List<String> withInterventions() {
        return Golden.WITH_INTERVENTIONS;
    }

    private int recall(String... args) {
        return terminal.recall(args);
    }

    private Map<String, Tensor> run(JsonNode request) throws IOException {
        Path file = Files.writeString(dir.resolve("request.json"), request.toString());
        assertEquals(0, recall("run", file.toString(), "--out", dir.resolve("out").toString(), "--fresh"), () -> terminal.err());
        return SafeTensors.read(dir.resolve("out").resolve("result.safetensors"));
    }

    private static ObjectNode request(String experiment, String name) {
        return JSON.createObjectNode().put("experiment", experiment).put("model", Golden.folder(name).toString());
    }

    private static void prompt(ObjectNode request, String field, int[] ids) {
        ArrayNode list = request.putObject(field).putArray("ids");
        Arrays.stream(ids).forEach(list::add);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void activations(String name) throws IOException {
        ObjectNode r = request("activations", name);
        prompt(r, "prompt", Golden.ids(Golden.values(name, "forward").get("input_ids"), 0));
        r.putArray("points").add("*");
        Map<String, Tensor> result = run(r);
        for (Map.Entry<String, Tensor> e : Golden.values(name, "activations").entrySet()) {
            Tensor t = result.get(e.getKey());
            if (t == null) {
                assertFalse(e.getKey().startsWith("layers."), e.getKey() + " is missing");
                continue;
            }
            assertArrayEquals(Arrays.copyOfRange(e.getValue().shape(), 1, e.getValue().shape().length), t.shape(), e.getKey());
            Golden.close(e.getKey(), t.floats(), Golden.slice(e.getValue(), 0), Golden.largest(e.getValue().doubles()));
        }
        Golden.close("logits", result.get("logits").floats(), Golden.slice(Golden.values(name, "forward").get("logits"), 0));
    }

    @ParameterizedTest
    @MethodSource("withInterventions")
    void interchange(String name) throws IOException {
        Map<String, Tensor> g = Golden.values(name, "interventions");
        for (String key : g.keySet()) {
            ObjectNode r = request("interchange", name).put("point", "residual");
            if (key.startsWith("window3_p.")) {
                r.put("point", key.substring(10)).put("window", 3);
            } else if (key.startsWith("severed_p.")) {
                r.put("sever", key.substring(10));
            } else if (!key.equals("ie_p")) {
                continue;
            }
            prompt(r, "clean", Golden.ids(g.get("clean_ids"), 0));
            prompt(r, "corrupt", Golden.ids(g.get("corrupt_ids"), 0));
            float[] p = run(r).get("p").floats();
            double[] expected = g.get(key).doubles();
            for (int i = 0; i < p.length; i++) {
                Golden.probability(key + " " + i, p[i], expected[i]);
            }
            JsonNode json = JSON.readTree(dir.resolve("out").resolve("result.json").toFile());
            int share = key.startsWith("window3_p.") && g.get("ie_p").shape()[0] == 3 ? 3 : 2;  // a window of all layers saves less
            assertTrue(json.get("rows").asLong() * share < json.get("naive_rows").asLong() * (share - 1),
                    key + ": " + json.get("rows") + " of " + json.get("naive_rows"));
            assertEquals(1, json.get("settings").path("window").asInt() == 3 ? 1 : json.get("settings").get("window").asInt());
        }
    }

    @ParameterizedTest
    @MethodSource("withInterventions")
    void interventions(String name) throws IOException {
        Map<String, Tensor> g = Golden.values(name, "interventions");
        boolean mamba = Golden.scans(name);
        int[] clean = Golden.ids(g.get("clean_ids"), 0);
        int[] corrupt = Golden.ids(g.get("corrupt_ids"), 0);
        ObjectNode plain = request("activations", name);
        prompt(plain, "prompt", clean);
        plain.putArray("points").add("*.residual").add(mamba ? "*.out" : "*.mlp_out");
        Map<String, Tensor> values = run(plain);
        int layers = (int) g.get("ie_logits").shape()[0];
        String middle = "layers." + layers / 2 + ".";
        double[] steer = g.get("steer_vector").doubles();
        for (int i = 0; i < steer.length; i++) {
            steer[i] *= 2;
        }
        check(name, clean, middle + "residual", "all", "add", steer, g.get("steer_all_logits"));
        check(name, clean, middle + "residual", 4, "add", steer, g.get("steer_tok4_logits"));
        check(name, clean, middle + (mamba ? "out" : "mlp_out"), "all", "zero", null, g.get("zero_ablate_logits"));
        double[] out = values.get(middle + (mamba ? "out" : "mlp_out")).doubles();
        double[] mean = new double[steer.length];
        for (int i = 0; i < out.length; i++) {
            mean[i % mean.length] += out[i] / clean.length;
        }
        check(name, clean, middle + (mamba ? "out" : "mlp_out"), "all", "set", mean, g.get("mean_ablate_logits"));
        int d = steer.length;
        for (int t : new int[] {2, 4, 11}) {
            double[] value = Arrays.copyOfRange(values.get("layers.1.resid_post").doubles(), t * d, (t + 1) * d);
            ObjectNode r = intervened(name, corrupt, "layers.1.resid_post", t, "set", value);
            float[] logits = run(r).get("logits").floats();
            int v = logits.length / clean.length;
            double[] all = g.get("ie_logits").doubles();
            int at = (clean.length + t) * v;
            Golden.close("ie_logits", Arrays.copyOfRange(logits, (clean.length - 1) * v, clean.length * v),
                    Arrays.copyOfRange(all, at, at + v), Golden.largest(all));
        }
    }

    private void check(String name, int[] ids, String at, Object token, String kind, double[] vector, Tensor golden) throws IOException {
        float[] logits = run(intervened(name, ids, at, token, kind, vector)).get("logits").floats();
        Golden.close(golden.name(), logits, golden.doubles());
    }

    private static ObjectNode intervened(String name, int[] ids, String at, Object token, String kind, double[] vector) {
        ObjectNode r = request("activations", name);
        prompt(r, "prompt", ids);
        r.putArray("points").add("logits");
        ObjectNode i = r.putArray("interventions").addObject().put("at", at);
        i.set("token", JSON.valueToTree(token));
        i.set(kind, vector == null ? JSON.valueToTree(true) : JSON.valueToTree(vector));
        return r;
    }

    @ParameterizedTest
    @MethodSource("withInterventions")
    void gradientsAndJacobians(String name) throws IOException {
        int[] ids = Golden.ids(Golden.values(name, "forward").get("input_ids"), 0);
        Map<String, Tensor> g = Golden.values(name, "grad_hooks");
        ObjectNode r = request("gradient", name).put("target", (int) g.get("target").longs()[0]);
        prompt(r, "prompt", Golden.ids(g.containsKey("input_ids") ? g.get("input_ids")
                : Tensor.of("ids", Arrays.stream(ids).asLongStream().toArray(), ids.length), 0));
        ArrayNode sites = r.putArray("sites");
        List<String> names = g.keySet().stream().filter(k -> k.startsWith("layers.")).toList();
        for (String n : names) {
            String[] parts = n.split("[.@]");
            sites.addArray().add(Integer.parseInt(parts[1])).add(parts[2]).add(Integer.parseInt(parts[3]));
        }
        Map<String, Tensor> found = run(r);
        for (String n : names) {
            assertArrayEquals(g.get(n).shape(), found.get(n).shape(), n);
            Golden.gradient(n, found.get(n).floats(), g.get(n).doubles());
        }
        Map<String, Tensor> jacobians = Golden.values(name, "jacobian");
        for (String key : jacobians.keySet()) {
            if (!key.startsWith("J_l")) {
                continue;
            }
            String[] parts = key.substring(3).split("_t");
            ObjectNode j = request("jacobian", name).put("token", Integer.parseInt(parts[1]));
            j.set("layer", parts[0].equals("embed") ? JSON.valueToTree("embed") : JSON.valueToTree(Integer.parseInt(parts[0])));
            prompt(j, "prompt", jacobians.containsKey("input_ids") ? Golden.ids(jacobians.get("input_ids"), 0) : ids);
            Golden.close(key, run(j).get("J").floats(), jacobians.get(key).doubles());
        }
    }

    @ParameterizedTest
    @MethodSource("withInterventions")
    void linearOperator(String name) throws IOException {
        Map<String, Tensor> g = Golden.values(name, "lre");
        int token = (int) g.get("subject_pos").longs()[0];
        ObjectNode r = request("lre", name).put("layer", g.get("h_layer").longs()[0])
                .put("beta", g.get("beta").doubles()[0]).put("rank", 8);
        for (String[] field : new String[][] {{"samples", "prompts"}, {"tests", "test_prompts"}}) {
            ArrayNode list = r.putArray(field[0]);
            for (int i = 0; i < g.get(field[1]).shape()[0]; i++) {
                ObjectNode example = list.addObject().put("token", token);
                prompt(example, "prompt", Golden.ids(g.get(field[1]), i));
            }
        }
        Map<String, Tensor> found = run(r);
        Map<String, String> names = Map.of("W", "W", "b", "b", "logits", "test_logits",
                "singular_values", "singular_values", "W_rank", "W_rank8",
                "W_pinv", "Wpinv_rank8", "rank_logits", "rank8_logits");
        assertEquals(names.keySet(), found.keySet());
        for (Map.Entry<String, String> e : names.entrySet()) {
            assertArrayEquals(g.get(e.getValue()).shape(), found.get(e.getKey()).shape(), e.getKey());
            Golden.close(e.getKey(), found.get(e.getKey()).floats(), g.get(e.getValue()).doubles());
        }
    }

    @ParameterizedTest
    @CsvSource({"mamba-a-f32", "falcon-a-f32", "mamba2-a-f32", "neox-a-f32", "llama-a-f32", "gpt2-a-f32"})
    void threeStepsOfAdamW(String name) throws IOException {
        Map<String, Tensor> meta = Golden.values(name, "train_meta");
        Map<String, Tensor> gradients = Golden.values(name, "param_grads");
        ObjectNode r = request("train_step", name).put("steps", 3).put("gradients", true);
        ArrayNode rows = r.putArray("ids");
        for (int b = 0; b < meta.get("input_ids").shape()[0]; b++) {
            ArrayNode row = rows.addArray();
            Arrays.stream(Golden.ids(meta.get("input_ids"), b)).forEach(row::add);
        }
        r.putObject("optimizer").put("lr", 1e-3).put("beta1", 0.9).put("beta2", 0.999).put("eps", 1e-8).put("weight_decay", 0.01);
        Map<String, Tensor> found = run(r);
        Golden.close("losses", found.get("losses").floats(), meta.get("losses").doubles());
        for (Map.Entry<String, Tensor> e : Golden.values(name, "adamw3_weights").entrySet()) {
            double[] g = gradients.get(e.getKey()).doubles();
            double[] mine = found.get("grad." + e.getKey()).doubles();
            double allowed = 2e-4 * Math.max(1e-3, Golden.largest(g));
            double[] expected = e.getValue().doubles();
            double[] weights = found.get(e.getKey()).doubles();
            assertArrayEquals(e.getValue().shape(), found.get(e.getKey()).shape(), e.getKey());
            for (int i = 0; i < g.length; i++) {
                assertEquals(g[i], mine[i], allowed, "gradient of " + e.getKey() + " " + i);
                assertEquals(expected[i], weights[i], Math.abs(g[i]) > 1e-4 ? 1e-4 : 3.1e-3, e.getKey() + " " + i);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("withInterventions")
    void edges(String name) throws IOException {
        Map<String, Tensor> g = Golden.values(name, "edges");
        for (String key : g.keySet()) {
            String set = key.substring(0, Math.max(0, key.indexOf('.')));
            if (!g.containsKey("edges." + set)) {
                continue;
            }
            ObjectNode r = request("edges", name).put("cut", key.substring(set.length() + 1).replace("attn", "attention"));
            prompt(r, "prompt", Golden.ids(g.get("input_ids"), 0));
            Arrays.stream(g.get("layers").longs()).forEach(r.putArray("layers")::add);
            long[] pairs = g.get("edges." + set).longs();
            ArrayNode list = r.putArray("edges");
            for (int i = 0; i < pairs.length; i += 2) {
                list.addArray().add(pairs[i]).add(pairs[i + 1]);
            }
            r.put("term_norms", Golden.scans(name));
            Map<String, Tensor> result = run(r);
            assertArrayEquals(g.get(key).shape(), result.get("logits").shape());
            Golden.close(key, result.get("logits").floats(), g.get(key).doubles());
            if (Golden.scans(name)) {
                assertArrayEquals(g.get("scan_term_norm").shape(), result.get("scan_term_norm").shape());
                Golden.close("scan_term_norm", result.get("scan_term_norm").floats(), g.get("scan_term_norm").doubles());
            }
        }
    }

    private static final String EDGES = "'experiment':'edges','model':'tiny-mamba','prompt':{'ids':[1,2,3]}";
    private static final String LRE = "'experiment':'lre','model':'tiny-mamba','beta':1";
    private static final String GOOD = "'experiment':'activations','model':'tiny-mamba','prompt':{'ids':[1,2]},'points':['logits']";

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "{'experiment':'magic','model':'tiny-mamba'}|experiment",
        "{'model':'tiny-mamba'}|experiment: missing",
        "{'experiment':'activations','model':'nope','prompt':{'ids':[1]},'points':['*']}|model: 'nope'",
        "{GOOD,'windw':1}|windw: unknown field",
        "{GOOD,'threads':0}|threads: 0, expected a whole number from 1",
        "{GOOD,'model':'tiny-mamba'}|Duplicate",
        "{'experiment':'activations','model':'tiny-mamba','prompt':{'ids':[]},'points':['*']}|prompt.ids",
        "{'experiment':'activations','model':'tiny-mamba','prompt':{'ids':[1,865]},'points':['*']}"
                + "|prompt.ids[1]: 865, expected a whole number from 0 to 864",
        "{'experiment':'activations','model':'tiny-mamba','prompt':{'ids':[1.5]},'points':['*']}|prompt.ids[0]",
        "{'experiment':'activations','model':'tiny-mamba','prompt':{'text':''},'points':['*']}|prompt: the prompt is empty",
        "{'experiment':'activations','model':'tiny-mamba','prompt':{'text':'a','ids':[1]},'points':['*']}"
                + "|prompt: expected either text or ids",
        "{'experiment':'gradient','model':'tiny-mamba','prompt':{'ids':[1]},'target':0,'sites':[[0,'y']]}"
                + "|sites[0]: [0, y], expected [layer, point, token]",
        "{'experiment':'gradient','model':'tiny-mamba','prompt':{'ids':[1]},'target':0,'sites':[[8,'y',0]]}|sites[0] (layer): 8",
        "{'experiment':'jacobian','model':'tiny-mamba','prompt':{'ids':[1]},'layer':'top','token':0}|layer: 'top'",
        "{'experiment':'jacobian','model':'tiny-mamba','prompt':{'ids':[1]},'layer':0,'token':1}|token: 1",
        "{'experiment':'train_step','model':'tiny-mamba','ids':[[1]],'steps':1}|ids: rows of 1 token",
        "{'experiment':'train_step','model':'tiny-mamba','ids':[[1,2],[1]],'steps':1}|ids[1]",
        "{'experiment':'train_step','model':'tiny-mamba','ids':[[1,2]],'steps':1,'optimizer':{'lr':-1}}|optimizer.lr: -1",
        "{'experiment':'train_step','model':'tiny-mamba','ids':[[1,2]],'steps':1,'optimizer':{'lr':1,'beta1':0.9,'beta2':1}}"
                + "|optimizer.beta2: 1.0",
        "{'experiment':'train_step','model':'tiny-mamba','ids':[[1,2]],'steps':1,'optimizer':{'lr':1,'beta1':0.9,'beta2':0.9,'eps':0}}"
                + "|optimizer.eps: 0.0",
        "{'experiment':'activations','model':'tiny-mamba','prompt':{'ids':[1]},'points':['layers.9.*']}|matches no hook point",
        "{GOOD,'interventions':[{'at':'layers.1.resid_pots','token':0,'zero':true}]}|did you mean 'resid_post'",
        "{GOOD,'interventions':[{'at':'layers.8.y','token':0,'zero':true}]}|from 0 to 7",
        "{GOOD,'interventions':[{'at':'layers.1.y','token':2,'zero':true}]}|interventions[0].token: 2, expected a whole number from 0 to 1",
        "{GOOD,'interventions':[{'at':'layers.1.B','token':0,'add':[1]}]}|expected a list of 8 numbers, got 1",
        "{GOOD,'interventions':[{'at':'layers.1.ssm_state','token':0,'zero':true}]}|value per token",
        "{GOOD,'interventions':[{'at':'layers.1.q','token':0,'zero':true}]}|Mamba",
        "{GOOD,'interventions':[{'at':'layers.1.y','token':0}]}|exactly one of",
        "{GOOD,'interventions':[{'at':'layers.1.y','token':0,'zero':true,'x':1}]}|unknown field",
        "{GOOD,'interventions':[{'at':'layers.1.B','token':0,'set':[1e999,0,0,0,0,0,0,0]}]}|finite",
        "{'experiment':'interchange','model':'tiny-mamba','clean':{'ids':[1,2]},'corrupt':{'ids':[1]},'point':'y'}|corrupt: 1 tokens",
        "{'experiment':'interchange','model':'tiny-mamba','clean':{'ids':[1]},'corrupt':{'ids':[1]},'point':'attn_out'}|attn_out",
        "{'experiment':'interchange','model':'tiny-mamba','clean':{'ids':[1]},'corrupt':{'ids':[1]},'point':'y','window':0}|window: 0",
        "{'experiment':'interchange','model':'tiny-mamba','clean':{'ids':[1]},'corrupt':{'ids':[1]},'point':'y','sever':'y'}|sever",
        "{'experiment':'interchange','model':'tiny-mamba','clean':{'ids':[1]},'corrupt':{'ids':[1]},'point':'y','answer':865}|answer: 865",
        "{LRE,'layer':0,'samples':[],'tests':[{'prompt':{'ids':[1]},'token':0}]}|samples: expected a list of at least one",
        "{LRE,'layer':0,'samples':[{'prompt':{'ids':[1]},'token':1}],'tests':[{'prompt':{'ids':[1]},'token':0}]}"
                + "|samples[0].token: 1, expected a whole number from 0 to 0",
        "{LRE,'layer':8,'samples':[{'prompt':{'ids':[1]},'token':0}],'tests':[{'prompt':{'ids':[1]},'token':0}]}"
                + "|layer: 8, expected a whole number from 0 to 7",
        "{LRE,'layer':'embed','samples':[{'prompt':{'ids':[1]},'token':0}]}|tests: expected a list of at least one",
        "{LRE,'layer':0,'samples':[{'prompt':{'ids':[1]},'token':0,'x':1}],'tests':[]}|samples[0].x: unknown field",
        "{LRE,'layer':0,'samples':[{'prompt':{'ids':[1]},'token':0}],'tests':[{'prompt':{'ids':[1]},'token':0}],'rank':65}"
                + "|rank: 65, expected a whole number from 1 to 64",
        "{'experiment':'lre','model':'tiny-mamba','layer':0,'samples':[{'prompt':{'ids':[1]},'token':0}],'tests':[]}|beta: missing",
        "{EDGES,'layers':[0,1],'edges':[[0,1]]}|cut: missing",
        "{EDGES,'layers':[0,1],'edges':[[0,1]],'cut':'attention'}|cut: 'attention', expected conv or scan or both",
        "{EDGES,'layers':[0,8],'edges':[[0,1]],'cut':'scan'}|layers[1]: 8, expected a whole number from 0 to 7",
        "{EDGES,'layers':[2,1],'edges':[[0,1]],'cut':'scan'}|layers[1]: 1, expected a whole number from 2 to 7",
        "{EDGES,'layers':[2],'edges':[[0,1]],'cut':'scan'}|layers: [2], expected [first, last]",
        "{EDGES,'layers':[0,1],'edges':[[2,1]],'cut':'scan'}|edges[0] (source): 2, expected a whole number from 0 to 1",
        "{EDGES,'layers':[0,1],'edges':[[0,1],[0,3]],'cut':'scan'}|edges[1] (target): 3, expected a whole number from 0 to 2",
        "{EDGES,'layers':[0,1],'edges':[[0]],'cut':'scan'}|edges[0]: [0], expected [source, target]",
        "{EDGES,'layers':[0,1],'edges':[[0,0.5]],'cut':'scan'}|edges[0][1]: 0.5, expected a whole number",
        "{EDGES,'layers':[0,1],'edges':3,'cut':'scan'}|edges: 3, expected a list",
        "{EDGES,'layers':[0,1],'cut':'scan'}|edges: missing",
        "{EDGES,'layers':[0,1],'edges':[],'cut':'scan','term_norms':1}|term_norms: 1, expected true or false",
        "{NEOX,'layers':[0,1],'edges':[],'cut':'both'}|cut: 'both', expected attention",
        "{NEOX,'layers':[0,1],'edges':[],'cut':'attention','term_norms':true}|term_norms: true, expected false",
        "{NEOX,'layers':[0,1],'edges':[[0,1],[1,1],[1,1]],'cut':'attention'}|edges: token 1 would attend to nothing",
        "{'experiment':'knockout','model':'tiny-mamba','form':'edges','window':17}|window: 17, expected a whole number from 1 to 16",
        "{'experiment':'knockout','model':'tiny-mamba','form':'edges','relation':'x'}|relation: 'x' is no relation here",
        "{'experiment':'knockout','model':'tiny-mamba','form':'edges','relations':'/nope'}|relations: /nope",
        "{'experiment':'knockout','model':'tiny-mamba','form':'published','flows':true}|flows: true, expected false",
        "{'experiment':'knockout','model':'tiny-mamba','form':'held','texts':'/nope'}|texts: /nope: no such file",
        "{'experiment':'knockout','model':'tiny-mamba','form':'held','documents':'x'}|documents: 'x', expected a whole number",
        "{'experiment':'knockout','model':'tiny-mamba','form':'edges','texts':'x'}|texts: only the forms published and held",
        "{'experiment':'knockout','model':'tiny-mamba','form':'edges','documents':3}|documents: only the forms published and held",
        "{'experiment':'knockout','model':'tiny-mamba'}|form: missing",
        "[]|not a JSON object",
        "{|not JSON"})
    void badRequestsAreOneSentence(String text, String why) throws IOException {
        Path file = Files.writeString(dir.resolve("r.json"), text.replace("GOOD", GOOD).replace("EDGES", EDGES).replace("LRE", LRE)
                .replace("NEOX", EDGES.replace("mamba", "neox"))
                .replace('\'', '"').replace("\"nope\":", "'nope':"));
        assertEquals(2, recall("run", file.toString(), "--out", dir.resolve("out").toString()), terminal.err());
        assertTrue(terminal.err().replace('"', '\'').contains(why), terminal.err());
        assertEquals(1, terminal.err().strip().lines().count(), terminal.err());
        assertFalse(Files.exists(dir.resolve("out")), "nothing is written");
    }

    @Test
    void manyRequestsInOneFile() throws IOException {
        String good = "{\"experiment\":\"activations\",\"model\":\"tiny-neox\","
                + "\"prompt\":{\"text\":\"Novux Bridge is\"},\"points\":[\"logits\"]}";
        Path file = Files.writeString(dir.resolve("many.jsonl"), good + "\n{\"experiment\":\"x\"}\n\n"
                + good.replace("tiny-neox", "tiny-mamba") + "\n");
        Path out = dir.resolve("out");
        assertEquals(2, recall("run", file.toString(), "--out", out.toString()));
        assertTrue(terminal.err().startsWith("line 1: experiment"), terminal.err());
        assertTrue(Files.exists(out.resolve("0").resolve("result.safetensors")) && Files.exists(out.resolve("3").resolve("result.json")));
        assertFalse(Files.exists(out.resolve("1")));
        var time = Files.getLastModifiedTime(out.resolve("3").resolve("result.json"));
        Files.delete(out.resolve("0").resolve("result.json"));
        recall("run", file.toString(), "--out", out.toString());
        assertTrue(Files.exists(out.resolve("0").resolve("result.json")), "what is missing is made again");
        assertEquals(time, Files.getLastModifiedTime(out.resolve("3").resolve("result.json")), "what is there is not");
    }

    @Test
    void theOtherCommands() throws IOException {
        assertEquals(0, recall("models"));
        assertTrue(terminal.out().contains("tiny-mamba") && terminal.out().contains("GPT-NeoX"), terminal.out());
        assertEquals(0, recall("info", "tiny-mamba", "--json"));
        assertEquals(8, JSON.readTree(terminal.out()).get("layers").asInt());
        assertEquals("world", JSON.readTree(terminal.out()).get("relations").asText());
        assertTrue(JSON.readTree(terminal.out()).get("invented_world").asBoolean());
        assertEquals(6, JSON.readTree(terminal.out()).at("/edits/clamp_norm_factor").asDouble());
        assertTrue(JSON.readTree(terminal.out()).get("folder").asText().endsWith("tiny-mamba"));
        assertFalse(JSON.readTree(terminal.out()).has("digest"));
        assertEquals(0, recall("info", "tiny-mamba", "--json", "--digest"));
        assertTrue(JSON.readTree(terminal.out()).get("digest").asText().matches("[0-9a-f]{64}"), terminal.out());
        assertEquals(0, recall("info", Golden.folder("mamba-a-f32").toString()));
        assertTrue(terminal.out().lines().toList().containsAll(List.of("relations         lre", "invented_world    false",
                "edits             {clamp_norm_factor=3.0, ridge=0.0}")), terminal.out());
        assertEquals(0, recall("next", "tiny-mamba", "Dosith Stadium is located in the city of", "--json", "--top", "3"));
        assertEquals(" Malpolis", JSON.readTree(terminal.out()).get(0).get("token").asText());
        assertEquals(0, recall("--help"));
        for (String command : new String[] {"models", "info", "next", "run", "knockout", "edit", "edit-sweep",
            "trace", "path-blocking", "lre", "store", "parity"}) {
            assertEquals(0, recall(command, "--help"), command);
            assertTrue(terminal.out().contains("Usage"), terminal.out());
        }
        for (String[] bad : new String[][] {{"fly"}, {"next", "tiny-mamba"}, {"next", "tiny-mamba", ""},
            {"next", "tiny-mamba", "a", "--top", "0"},
            {"info", "nope"}, {"info", "org/nope"}, {"parity", "tiny-mamba"}, {"run", "missing.json", "--out", "x"},
            {"run", "missing.json"},
            {"next", Golden.folder("mamba-a-f32").toString(), "text"}}) {
            assertEquals(2, recall(bad), Arrays.toString(bad));
            assertEquals(1, terminal.err().strip().lines().count(), terminal.err());
        }
    }
}
