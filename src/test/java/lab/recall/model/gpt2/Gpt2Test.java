package lab.recall.model.gpt2;

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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import lab.recall.GgufBytes;
import lab.recall.Golden;
import lab.recall.base.BadData;
import lab.recall.base.BadRequest;
import lab.recall.checkpoint.SafeTensors;
import lab.recall.checkpoint.Tensor;
import lab.recall.model.EditableMatrix;
import lab.recall.model.LanguageModel;
import lab.recall.model.Trainable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the goldens do not hold of GPT-2: scores of other scales, the end of its positions, names of both kinds, GGUF. */
class Gpt2Test {
    private static final Path GOLDEN = Golden.folder("gpt2-a-f32");
    private static final int[] IDS = {5, 17, 80, 2, 33, 33, 41, 9};
    private static final int D = 32;

    @TempDir
    Path dir;

    private static Map<String, Tensor> tensors() {
        return new LinkedHashMap<>(SafeTensors.read(GOLDEN.resolve("model.safetensors")));
    }

    private Path folder(Consumer<ObjectNode> config, Map<String, Tensor> tensors) throws IOException {
        return Golden.copy(GOLDEN, dir, config, tensors.values());
    }

    private interface Factor {
        double at(int layer);
    }

    /** The golden's weights with the queries of each layer multiplied. */
    private static Map<String, Tensor> queries(Factor factor) {
        Map<String, Tensor> all = tensors();
        for (int l = 0; l < 4; l++) {
            for (String kind : List.of("weight", "bias")) {
                String name = "transformer.h." + l + ".attn.c_attn." + kind;
                float[] values = all.get(name).floats();
                for (int i = 0; i < values.length; i++) {
                    if (i % (3 * D) < D) {
                        values[i] *= (float) factor.at(l);
                    }
                }
                all.put(name, Tensor.of(name, values, all.get(name).shape()));
            }
        }
        return all;
    }

    private static void asTheGolden(LanguageModel model) {
        assertArrayEquals(LanguageModel.open(GOLDEN).run(IDS).logits(), model.run(IDS).logits(), 1e-4f);
    }

    @Test
    void scoresOfOtherScales() throws IOException {
        float[] plain = LanguageModel.open(GOLDEN).run(IDS).logits();
        asTheGolden(LanguageModel.open(folder(c -> c.put("scale_attn_weights", false), queries(l -> 1 / Math.sqrt(8)))));
        asTheGolden(LanguageModel.open(folder(c -> c.put("scale_attn_by_inverse_layer_idx", true), queries(l -> l + 1))));
        float[] other = LanguageModel.open(folder(c -> c.put("scale_attn_by_inverse_layer_idx", true), tensors())).run(IDS).logits();
        assertTrue(Math.abs(plain[0] - other[0]) > 1e-3, "another model");
        asTheGolden(LanguageModel.open(folder(c -> c.put("reorder_and_upcast_attn", true), tensors())));
    }

    @Test
    void whatIsNotKnownIsRefused() throws IOException {
        assertTrue(refused(c -> c.put("add_cross_attention", true)).contains("add_cross_attention = true; only false is known"));
        assertTrue(refused(c -> c.put("activation_function", "relu")).contains("activation_function = relu; only gelu or gelu_new"));
        assertTrue(refused(c -> c.put("n_head", 5)).contains("n_head = 5, which does not divide the width 32"));
        assertTrue(refused(c -> c.put("scale_attn_weights", 3)).contains("scale_attn_weights = 3, expected true or false"));
    }

    private String refused(Consumer<ObjectNode> config) throws IOException {
        Path folder = folder(config, tensors());
        String said = assertThrows(BadData.class, () -> LanguageModel.open(folder)).getMessage();
        assertFalse(said.contains("\n"), said);
        return said;
    }

    @Test
    void positionsEnd() {
        LanguageModel model = LanguageModel.open(GOLDEN);
        assertEquals(64, model.run(new int[64]).length());
        String said = "65 tokens: gpt2-a-f32 reads at most 64, where its table of positions ends";
        assertEquals(said, assertThrows(BadRequest.class, () -> model.run(new int[65])).getMessage());
        assertEquals(said, assertThrows(BadRequest.class, () -> model.run(new int[64]).then(1)).getMessage());
        assertEquals(said, assertThrows(BadRequest.class, () -> new Trainable(model, 1, 65)).getMessage());
    }

    @Test
    void namesWithAndWithoutTheirFront() throws IOException {
        Map<String, Tensor> bare = new LinkedHashMap<>();
        tensors().forEach((name, t) -> bare.put(name, t.named(name.replaceFirst("^transformer\\.", ""))));
        LanguageModel model = LanguageModel.open(folder(c -> { }, bare));
        asTheGolden(model);
        assertTrue(model.weights().containsKey("h.3.mlp.c_proj.weight"));
        EditableMatrix matrix = EditableMatrix.of(model, "mlp.c_proj");
        float[] rows = matrix.rows(model, 2);
        assertArrayEquals(matrix.rows(LanguageModel.open(GOLDEN), 2), rows);
        rows[1] += 1;                                           // of the first output, from the second input
        LanguageModel edited = matrix.with(model, 2, rows);
        assertEquals(model.weight("h.2.mlp.c_proj.weight")[D] + 1, edited.weight("h.2.mlp.c_proj.weight")[D]);
        edited.save(dir.resolve("saved"));
        LanguageModel saved = LanguageModel.open(dir.resolve("saved"));
        assertTrue(saved.weights().containsKey("transformer.h.2.mlp.c_proj.weight"));
        Golden.same("saved", edited.run(IDS).logits(), saved.run(IDS).logits());
    }

    @Test
    void aHeadOfItsOwn() throws IOException {
        Map<String, Tensor> all = tensors();
        Tensor head = Tensor.of("lm_head.weight", new float[96 * D], 96, D);
        all.put(head.name(), head);
        asTheGolden(LanguageModel.open(folder(c -> { }, all)));
        LanguageModel own = LanguageModel.open(folder(c -> c.put("tie_word_embeddings", false), all));
        assertArrayEquals(new float[96], own.run(IDS).logits());
        own.save(dir.resolve("saved"));
        assertTrue(LanguageModel.open(dir.resolve("saved")).weights().containsKey("lm_head.weight"));
    }

    @Test
    void aFreshOneHasWhatItsSizesSay() {
        new Gpt2Sizes(24, 2, 3).fresh(40, 1).write(dir, LanguageModel.open("tiny-mamba").folder().resolve("tokenizer.json"));
        LanguageModel model = LanguageModel.open(dir);
        assertEquals(List.of(), model.warnings());
        assertEquals(512, model.run(new int[512]).length());
        assertTrue(assertThrows(BadRequest.class, () -> new Gpt2Sizes(25, 2, 3)).getMessage().contains("heads: 3 do not divide"));
    }

    /** As llama.cpp's converter writes it: matrices turned. */
    @Test
    void gguf() throws IOException {
        GgufBytes bytes = new GgufBytes().key("general.architecture", "gpt2").key("tokenizer.ggml.model", "no_vocab")
                .key("gpt2.context_length", 64).key("gpt2.embedding_length", D).key("gpt2.block_count", 4)
                .key("gpt2.feed_forward_length", 4 * D).key("gpt2.attention.head_count", 4)
                .key("gpt2.attention.layer_norm_epsilon", 1e-5f);
        Map<String, String> names = Map.of("wte", "token_embd", "wpe", "position_embd", "ln_f", "output_norm", "ln_1", "attn_norm",
                "ln_2", "ffn_norm", "attn.c_attn", "attn_qkv", "attn.c_proj", "attn_output", "mlp.c_fc", "ffn_up",
                "mlp.c_proj", "ffn_down");
        for (Tensor t : tensors().values()) {
            int dot = t.name().lastIndexOf('.');
            String[] parts = t.name().substring("transformer.".length(), dot).split("(?<=^h\\.\\d)\\.");
            String in = parts.length == 1 ? names.get(parts[0]) : "blk." + parts[0].substring(2) + "." + names.get(parts[1]);
            List<Long> sizes = new ArrayList<>();
            for (long n : t.shape()) {
                sizes.add(0, n);
            }
            float[] values = t.floats();
            if (t.name().contains(".c_") && sizes.size() == 2) {
                int outputs = (int) t.shape()[1];
                int inputs = (int) t.shape()[0];
                values = new float[values.length];
                for (int i = 0; i < values.length; i++) {
                    values[i % outputs * inputs + i / outputs] = t.floats()[i];
                }
                sizes = List.of((long) inputs, (long) outputs);
            }
            bytes.floats(in + t.name().substring(dot), values, sizes.stream().mapToLong(n -> n).toArray());
        }
        LanguageModel model = LanguageModel.open(Files.write(dir.resolve("m.gguf"), bytes.bytes()));
        assertEquals(List.of(), model.warnings());
        Golden.same("gguf", LanguageModel.open(GOLDEN).run(IDS).logits(), model.run(IDS).logits());
        model.save(dir.resolve("saved"));
        Golden.same("again", model.run(IDS).logits(), LanguageModel.open(dir.resolve("saved")).run(IDS).logits());
    }
}
