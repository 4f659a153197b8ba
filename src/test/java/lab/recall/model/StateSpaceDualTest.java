package lab.recall.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import lab.recall.GgufBytes;
import lab.recall.Golden;
import lab.recall.base.BadData;
import lab.recall.base.Json;
import lab.recall.checkpoint.SafeTensors;
import lab.recall.checkpoint.Tensor;
import lab.recall.model.block.DualPoints;
import lab.recall.model.block.ScanPoints;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What Mamba-2 and Falcon-Mamba may be beside what the goldens are: forms, biases, limits, widths of the kernel, GGUF; what is refused. */
class StateSpaceDualTest {
    private static final int[] IDS = {3, 14, 15, 9, 26, 5, 35};

    @TempDir
    Path dir;
    private final Random random = new Random(8);

    /** A golden's folder with other fields and tensors, in f32. */
    private final class Folder {
        final ObjectNode config;
        final Map<String, Tensor> tensors = new LinkedHashMap<>();
        final int layers;

        Folder(String name) {
            config = Json.pythonObject(Golden.folder(name).resolve("config.json"));
            layers = config.path("num_hidden_layers").asInt();
            SafeTensors.read(Golden.folder(name).resolve("model.safetensors")).values().forEach(t -> put(t.name(), t.floats(), t.shape()));
        }

        Folder put(String name, float[] values, long... shape) {
            tensors.put(name, Tensor.of(name, values, shape));
            return this;
        }

        Folder random(String part, int size) {
            for (int l = 0; l < layers; l++) {
                float[] values = new float[size];
                for (int i = 0; i < size; i++) {
                    values[i] = (float) random.nextGaussian() * 0.3f;
                }
                put("backbone.layers." + l + ".mixer." + part, values, size);
            }
            return this;
        }

        LanguageModel open(String as) throws IOException {
            return LanguageModel.open(Golden.write(Files.createDirectories(dir.resolve(as)), config, tensors.values()));
        }
    }

    private static float[] logits(LanguageModel model) {
        return model.run(IDS).logits();
    }

    /** A bias is what is added at the points that it goes to. */
    @ParameterizedTest
    @CsvSource({"mamba2-b-bf16", "falcon-a-f32"})
    void biasesOfProjections(String name) throws IOException {
        LanguageModel plain = new Folder(name).open("plain");
        List<HookPoint> parts = name.startsWith("mamba2") ? List.of(ScanPoints.IN_Z, ScanPoints.IN_X, DualPoints.IN_B, DualPoints.IN_C,
                DualPoints.IN_DT) : List.of(ScanPoints.IN_X, ScanPoints.IN_Z);
        int all = parts.stream().mapToInt(plain::width).sum();
        Folder biased = new Folder(name).random("in_proj.bias", all).random("out_proj.bias", plain.width());
        assertTrue(assertThrows(BadData.class, () -> biased.open("b")).getMessage().contains("use_bias = false, but the weights have"));
        biased.config.put("use_bias", true);
        LanguageModel model = biased.open("biased");
        List<Intervention> added = new ArrayList<>();
        for (int l = 0; l < plain.layers(); l++) {
            float[] bias = model.weight("backbone.layers." + l + ".mixer.in_proj.bias");
            int at = 0;
            for (HookPoint p : parts) {
                added.add(Intervention.add(Site.everywhere(l, p), Arrays.copyOfRange(bias, at, at += plain.width(p))));
            }
            added.add(Intervention.add(Site.everywhere(l, ScanPoints.OUT), model.weight("backbone.layers." + l + ".mixer.out_proj.bias")));
        }
        assertArrayEquals(plain.run(IDS, Recording.nothing(), added).logits(), logits(model), 1e-4f);
        Trainable trained = new Trainable(model, 1, IDS.length);
        trained.backward(new int[][] {IDS}, null);
        assertEquals(model.weights().keySet(), trained.gradients().keySet(), "each bias has a gradient");
    }

    /** Two taps are four of which the older two are zero; without a bias is with one of zeros. */
    @ParameterizedTest
    @CsvSource({"mamba2-b-bf16", "falcon-a-f32"})
    void kernelsOfAnyWidthAndWithoutABias(String name) throws IOException {
        Folder four = new Folder(name);
        Folder two = new Folder(name);
        for (int l = 0; l < four.layers; l++) {
            String conv = "backbone.layers." + l + ".mixer.conv1d.";
            float[] wide = four.tensors.get(conv + "weight").floats();
            int channels = wide.length / 4;
            float[] narrow = new float[channels * 2];
            for (int i = 0; i < wide.length; i++) {
                if (i % 4 < 2) {
                    wide[i] = 0;
                } else {
                    narrow[i / 4 * 2 + i % 4 - 2] = wide[i];
                }
            }
            four.put(conv + "weight", wide, channels, 1, 4).put(conv + "bias", new float[channels], channels);
            two.put(conv + "weight", narrow, channels, 1, 2).tensors.remove(conv + "bias");
        }
        two.config.put("conv_kernel", 2).put("use_conv_bias", false);
        LanguageModel model = two.open("two");
        assertEquals(List.of(), model.warnings());
        assertArrayEquals(logits(four.open("four")), logits(model), 1e-5f);
        Pass part = model.run(Arrays.copyOf(IDS, 1)).then(Arrays.copyOfRange(IDS, 1, IDS.length));
        Golden.same("continued", logits(model), part.logits());
        model.save(dir.resolve("saved"));
        Golden.same("saved", logits(model), logits(LanguageModel.open(dir.resolve("saved"))));
    }

    @Test
    void limitsOfTheStep() throws IOException {
        Folder folder = new Folder("mamba2-b-bf16");
        folder.config.putArray("time_step_limit").add(0.3).add(0.9);
        LanguageModel model = folder.open("limited");
        Pass pass = model.run(IDS, Recording.gradients());
        Gradients g = Gradients.of(pass, 7, Recording.points(DualPoints.IN_DT));
        int held = 0;
        int free = 0;
        for (int l = 0; l < model.layers(); l++) {
            float[] bias = model.weight("backbone.layers." + l + ".mixer.dt_bias");
            for (int t = 0; t < IDS.length; t++) {
                float[] in = pass.get(new Site(l, DualPoints.IN_DT, t));
                float[] delta = pass.get(new Site(l, ScanPoints.DELTA, t));
                float[] slope = g.get(new Site(l, DualPoints.IN_DT, t));
                for (int h = 0; h < in.length; h++) {
                    double step = Math.log1p(Math.exp(in[h] + (double) bias[h]));
                    assertEquals(Math.min(Math.max(step, 0.3f), 0.9f), delta[h], 1e-5);
                    boolean isHeld = step < 0.3 || step > 0.9;
                    held += isHeld ? 1 : 0;
                    free += isHeld || slope[h] == 0 ? 0 : 1;
                    assertTrue(!isHeld || slope[h] == 0, "nothing changes a delta that is held");
                }
            }
        }
        assertTrue(held > 5 && free > 5, held + " held, " + free + " free");
        model.save(dir.resolve("saved"));
        Golden.same("saved", logits(model), logits(LanguageModel.open(dir.resolve("saved"))));
    }

    /** Infinity as transformers 5, as Python writes it, or not said: the same; so it is saved. */
    @Test
    void anInfiniteLimit() throws IOException {
        Path from = Golden.folder("mamba2-b-bf16");
        String config = Files.readString(from.resolve("config.json"));
        assertTrue(config.contains("Infinity") && !config.contains("__float__"));
        LanguageModel model = LanguageModel.open(from);
        model.save(dir.resolve("saved"));
        assertEquals(Double.POSITIVE_INFINITY,
                Json.pythonObject(dir.resolve("saved/config.json")).path("time_step_limit").path(1).asDouble());
        Golden.same("saved", logits(model), logits(LanguageModel.open(dir.resolve("saved"))));
        Folder none = new Folder("mamba2-b-bf16");
        none.config.remove("time_step_limit");
        Golden.same("not said", logits(model), logits(none.open("none")));
        Files.writeString(Files.createDirectories(dir.resolve("bad")).resolve("config.json"),
                config.replace("\"layer_norm_epsilon\": 1e-05", "\"layer_norm_epsilon\": NaN"));
        Files.copy(from.resolve("model.safetensors"), dir.resolve("bad/model.safetensors"));
        assertTrue(assertThrows(BadData.class, () -> LanguageModel.open(dir.resolve("bad"))).getMessage()
                .contains("layer_norm_epsilon = \"NaN\", expected a positive number"));
    }

    /** The form of state-spaces: other fields, another name of the embedding, the head tied, a name for no type. */
    @Test
    void theFormOfStateSpaces() throws IOException {
        Folder folder = new Folder("mamba2-a-f32");
        LanguageModel published = folder.open("published");
        Tensor table = folder.tensors.remove("backbone.embeddings.weight");
        folder.put("backbone.embedding.weight", table.floats(), table.shape());
        folder.config.removeAll();
        folder.config.put("d_model", 32).put("n_layer", 4).put("vocab_size", 90).put("rms_norm", true).put("residual_in_fp32", true)
                .put("pad_vocab_size_multiple", 16).put("d_intermediate", 0).putArray("attn_layer_idx");
        ObjectNode ssm = folder.config.putObject("ssm_cfg").put("layer", "Mamba2").put("d_state", 16).put("headdim", 8);
        LanguageModel model = folder.open("original");
        assertEquals("Mamba-2", model.family());
        assertEquals(List.of(), model.warnings());
        Golden.same("either form", logits(published), logits(model));
        model.save(dir.resolve("saved"));
        assertEquals(16, Json.object(dir.resolve("saved/config.json")).path("state_size").asInt());
        assertEquals(1, Json.object(dir.resolve("saved/config.json")).path("n_groups").asInt());
        assertFalse(Json.object(dir.resolve("saved/config.json")).has("time_step_limit"), "no limit is what is meant");
        Golden.same("saved", logits(model), logits(LanguageModel.open(dir.resolve("saved"))));

        ssm.put("rmsnorm", false);
        refused(folder, "rmsnorm = false; only true is known");
        ssm.put("rmsnorm", true).put("D_has_hdim", true);
        refused(folder, "D_has_hdim = true; only false is known");
        ssm.put("D_has_hdim", false).put("d_state", 32);
        refused(folder, "d_state = 32 and ngroups = 1, but backbone.layers.0.mixer.conv1d.weight has 32 rows for B and C");
        ssm.put("d_state", 16).put("bias", true);
        refused(folder, "bias = true, but the weights lack");
        ssm.remove("bias");
        folder.config.put("d_intermediate", 64);
        refused(folder, "d_intermediate = 64; only none is known");
    }

    private static void refused(Folder folder, String why) {
        String said = assertThrows(BadData.class, () -> folder.open("refused")).getMessage();
        assertTrue(said.contains(why) && !said.contains("\n"), said);
    }

    @Test
    void fieldsThatSayOtherThings() {
        Folder folder = new Folder("mamba2-b-bf16");
        folder.config.put("n_groups", 3);
        refused(folder, "state_size = 8 and n_groups = 3, but");
        folder.config.put("n_groups", 2).put("hidden_act", "gelu");
        refused(folder, "hidden_act = gelu; only silu is known");
        folder.config.put("hidden_act", "silu").putArray("time_step_limit").add(0.5).add(0.1);
        refused(folder, "time_step_limit = [0.5,0.1], expected two numbers");
        folder.config.putArray("time_step_limit").add(1e40).add(1e41);
        refused(folder, "the first in f32");
        folder.config.remove("time_step_limit");
        folder.tensors.remove("lm_head.weight");
        refused(folder, "lm_head.weight");
        Folder falcon = new Folder("falcon-a-f32");
        falcon.config.put("use_conv_bias", false);
        refused(falcon, "use_conv_bias = false, but the weights have");
        falcon.config.put("use_conv_bias", true).put("mixer_rms_eps", -1);
        refused(falcon, "mixer_rms_eps = -1, expected a positive number");
    }

    /** As llama.cpp's converter writes them. */
    @ParameterizedTest
    @ValueSource(strings = {"mamba2-b-bf16", "falcon-a-f32"})
    void gguf(String name) throws IOException {
        Folder folder = new Folder(name);
        boolean falcon = name.startsWith("falcon");
        String arch = falcon ? "mamba" : "mamba2";
        GgufBytes file = new GgufBytes().key("general.architecture", arch).key(arch + ".embedding_length", 32)
                .key(arch + ".block_count", folder.layers).key(arch + ".context_length", 64).key(arch + ".feed_forward_length", 0)
                .key(arch + ".attention.head_count", 0).key(arch + ".ssm.conv_kernel", 4).key(arch + ".ssm.inner_size", falcon ? 56 : 64)
                .key(arch + ".ssm.state_size", falcon ? 16 : 8).key(arch + ".ssm.time_step_rank", 4)
                .key(arch + ".attention.layer_norm_rms_epsilon", 1e-5f);
        file.key(falcon ? arch + ".ssm.dt_b_c_rms" : arch + ".ssm.group_count", falcon ? (Object) true : (Object) 2);
        Map<String, String> names = Map.ofEntries(Map.entry("mixer.in_proj.weight", "ssm_in.weight"),
                Map.entry("mixer.conv1d.weight", "ssm_conv1d.weight"), Map.entry("mixer.conv1d.bias", "ssm_conv1d.bias"),
                Map.entry("mixer.x_proj.weight", "ssm_x.weight"), Map.entry("mixer.dt_proj.weight", "ssm_dt.weight"),
                Map.entry("mixer.dt_proj.bias", "ssm_dt.bias"), Map.entry("mixer.dt_bias", "ssm_dt.bias"),
                Map.entry("mixer.A_log", "ssm_a"), Map.entry("mixer.D", "ssm_d"), Map.entry("mixer.norm.weight", "ssm_norm.weight"),
                Map.entry("mixer.out_proj.weight", "ssm_out.weight"), Map.entry("norm.weight", "attn_norm.weight"));
        for (Tensor t : folder.tensors.values()) {
            String[] parts = t.name().split("\\.", 4);
            String gguf = parts[1].equals("layers") ? "blk." + parts[2] + "." + names.get(parts[3])
                    : Map.of("backbone.embeddings.weight", "token_embd.weight", "backbone.norm_f.weight", "output_norm.weight",
                            "lm_head.weight", "output.weight").get(t.name());
            float[] values = t.floats();
            if (t.name().endsWith("A_log")) {
                for (int i = 0; i < values.length; i++) {
                    values[i] = (float) -Math.exp(values[i]);
                }
            }
            long[] shape = t.shape();
            if (t.name().endsWith("conv1d.weight")) {
                shape = new long[] {4, shape[0]};
            } else if (t.name().endsWith("mixer.norm.weight")) {
                shape = new long[] {32, 2};
            } else if (!falcon && (t.name().endsWith("A_log") || t.name().endsWith(".D"))) {
                shape = new long[] {1, shape[0]};
            } else if (shape.length == 2) {
                shape = new long[] {shape[1], shape[0]};
            }
            file.floats(gguf, values, shape);
        }
        Path path = Files.write(dir.resolve("m.gguf"), file.bytes());
        LanguageModel model = LanguageModel.open(path);
        assertEquals(falcon ? "Falcon-Mamba" : "Mamba-2", model.family());
        assertArrayEquals(logits(folder.open("plain")), logits(model), 1e-4f);
    }
}
