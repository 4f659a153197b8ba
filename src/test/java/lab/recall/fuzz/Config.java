package lab.recall.fuzz;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.math.BigInteger;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import lab.recall.Golden;
import lab.recall.base.Json;
import lab.recall.checkpoint.Checkpoint;
import lab.recall.checkpoint.SafeTensors;
import lab.recall.checkpoint.Tensor;
import lab.recall.model.DeclaredFields;
import lab.recall.model.LanguageModel;
import lab.recall.text.Prompt;

/**
 * A config.json of some family, beside weights: whatever it is changed to, a model that opens has the logits that {@link Dense} has of the
 * same file.
 */
final class Config {
    private static final int[] IDS = {3, 1, 4, 1, 5, 9};
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
    private static final List<String> WORDS = List.of("", "x", "1", "auto", "silu", "swish", "gelu", "gelu_new", "relu", "default",
            "linear", "dynamic", "llama3", "yarn", "Mamba1", "Mamba2", "float16", "full_attention", "sliding_attention", "NaN");

    private final String name;
    private final Path folder;
    private final ObjectNode good;
    private final Map<String, Tensor> tensors;
    private final DeclaredFields declared;

    private Config(String name, Path folder) {
        this.name = name;
        this.folder = folder;
        this.good = Json.pythonObject(folder.resolve("config.json"));
        this.tensors = SafeTensors.read(folder.resolve("model.safetensors"));
        this.declared = DeclaredFields.of(folder);
    }

    /** Every family in each of its forms, below a folder. */
    static List<Config> all(Path work) throws IOException {
        List<Config> all = new ArrayList<>();
        for (String golden : List.of("mamba-a-f32", "falcon-a-f32", "mamba2-a-f32", "mamba2-b-bf16", "neox-a-f32", "llama-a-f32",
                "llama-b-bf16", "gpt2-a-f32", "gpt2-b-hub")) {
            all.add(of(work, golden, golden, c -> { }, t -> t));
        }
        all.add(of(work, "mamba untied", "mamba-b-bf16-untied", c -> { }, t -> t));
        all.add(of(work, "mamba of state-spaces", "mamba-a-f32", c -> replace(c, "{`d_model`: 32, `n_layer`: 4, `vocab_size`: 121,"
                + " `ssm_cfg`: {}, `rms_norm`: true, `residual_in_fp32`: true, `fused_add_norm`: true, `pad_vocab_size_multiple`: 8}"),
                t -> t));
        all.add(of(work, "mamba2 of state-spaces", "mamba2-a-f32", c -> replace(c, "{`d_model`: 32, `n_layer`: 4, `vocab_size`: 96,"
                + " `ssm_cfg`: {`layer`: `Mamba2`, `headdim`: 8, `d_state`: 16}, `rms_norm`: true, `tie_embeddings`: true}"),
                t -> t.name().startsWith("backbone.embeddings") ? t.named("backbone.embedding.weight") : t));
        try {
            for (String made : List.of("neox-rope-parameters", "state-spaces-layernorm")) {
                Path from = Path.of(Config.class.getResource("/configs/" + made).toURI());
                all.add(of(work, made, from, c -> { }, SafeTensors.read(from.resolve("model.safetensors")).values()));
            }
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
        for (String scaling : List.of("{`rope_type`: `linear`, `factor`: 4.0}", "{`type`: `dynamic`, `factor`: 2.0}",
                "{`rope_type`: `llama3`, `factor`: 8.0, `low_freq_factor`: 1.0, `high_freq_factor`: 4.0,"
                        + " `original_max_position_embeddings`: 16}")) {
            all.add(of(work, "llama " + scaling, "llama-b-bf16", c -> c.set("rope_scaling", json(scaling)), t -> t));
        }
        all.add(of(work, "mistral", "llama-a-f32", c -> c.put("model_type", "mistral").put("sliding_window", 32), t -> t));
        Path qwen = Golden.folder("llama-a-f32");
        List<Tensor> biased = new ArrayList<>(SafeTensors.read(qwen.resolve("model.safetensors")).values());
        Random random = new Random(5);
        for (Tensor t : List.copyOf(biased)) {
            if (t.name().matches(".*[qkv]_proj.weight")) {
                double[] bias = random.doubles(t.shape()[0], -0.3, 0.3).toArray();
                biased.add(Tensor.of(t.name().replace("weight", "bias"), bias, bias.length));
            }
        }
        all.add(of(work, "qwen2", qwen, c -> c.put("model_type", "qwen2").put("use_sliding_window", false), biased));
        return all;
    }

    private static Config of(Path work, String name, String golden, Consumer<ObjectNode> change, UnaryOperator<Tensor> tensors)
            throws IOException {
        Path from = Golden.folder(golden);
        return of(work, name, from, change,
                Checkpoint.open(from).tensors().values().stream().map(tensors).toList());
    }

    private static Config of(Path work, String name, Path from, Consumer<ObjectNode> change, Collection<Tensor> tensors)
            throws IOException {
        Path to = Files.createDirectories(work.resolve("configs").resolve(name.replaceAll("\\W+", "-")));
        ObjectNode json = Json.pythonObject(from.resolve("config.json"));
        change.accept(json);
        return new Config(name, Golden.write(to, json, tensors));
    }

    private static void replace(ObjectNode config, String json) {
        config.removeAll();
        config.setAll((ObjectNode) json(json));
    }

    private static JsonNode json(String text) {
        try {
            return Json.MAPPER.readTree(text.replace('`', '"'));
        } catch (IOException e) {
            throw new IllegalArgumentException(text, e);
        }
    }

    /** As one of the kinds of files. */
    Subject subject(Path work) {
        return new Subject("config.json of " + name, inside(work), Json.python(good), Subject::changed, file -> check());
    }

    /** A kind of file of which this field alone is changed. */
    Subject subject(Path work, String field) {
        return new Subject(field + " of " + name, inside(work), Json.python(good), (from, random) -> changed(field, random),
                file -> check(field));
    }

    private String inside(Path work) {
        return work.relativize(folder.resolve("config.json")).toString();
    }

    /** Every field that its family declares, and every {@code nth} of those that are known of any model, from the {@code first} on. */
    List<String> fields(int first, int nth) {
        List<String> all = new ArrayList<>(declared.own());
        List<String> others = List.copyOf(declared.others());
        for (int i = first; i < others.size(); i += nth) {
            all.add(others.get(i));
        }
        return all;
    }

    /** The file with another value in this field, or without it. */
    byte[] changed(String field, Random random) {
        ObjectNode bad = good.deepCopy();
        int dot = field.indexOf('.');
        ObjectNode at = dot < 0 ? bad
                : bad.path(field.substring(0, dot)) instanceof ObjectNode object ? object : bad.putObject(field.substring(0, dot));
        String key = field.substring(dot + 1);
        if (random.nextInt(12) == 0) {
            at.remove(key);
        } else {
            at.set(key, value(at.path(key), random));
        }
        return Json.python(bad);
    }

    private static JsonNode value(JsonNode old, Random random) {
        if (old.isNumber() && random.nextBoolean()) {
            double n = old.doubleValue();
            double[] near = {n + 1, n - 1, -n, 2 * n, n / 2, n * 1000, n + 0.5, n * 1e9};
            double other = near[random.nextInt(near.length)];
            return old.isIntegralNumber() && other == Math.rint(other) ? JSON.numberNode((long) other) : JSON.numberNode(other);
        }
        if (old.isBoolean() && random.nextBoolean()) {
            return JSON.booleanNode(!old.booleanValue());
        }
        int[] whole = {0, 1, 2, 3, 4, 8, 16, 32, 64, -1, Integer.MAX_VALUE, Integer.MIN_VALUE};
        double[] others = {0.5, 0.25, 1.0, 1e-3, -0.5, 1e39, 1e308, 1e-320, Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY};
        ArrayNode two = JSON.arrayNode().add(0.01).add(others[random.nextInt(others.length)]);
        return switch (random.nextInt(10)) {
            case 0 -> JSON.nullNode();
            case 1 -> JSON.booleanNode(random.nextBoolean());
            case 2, 3 -> JSON.numberNode(whole[random.nextInt(whole.length)]);
            case 4 -> JSON.numberNode(others[random.nextInt(others.length)]);
            case 5 -> JSON.numberNode(BigInteger.ONE.shiftLeft(32 * (1 + random.nextInt(4))));
            case 6 -> random.nextBoolean() ? JSON.arrayNode() : two;
            case 7 -> random.nextBoolean() ? JSON.objectNode() : JSON.objectNode().set("x", old.isMissingNode() ? JSON.nullNode() : old);
            case 8 -> JSON.arrayNode().add(old.isMissingNode() ? JSON.textNode("x") : old);
            default -> JSON.textNode(WORDS.get(random.nextInt(WORDS.size())));
        };
    }

    /** Opens what stands there now. */
    private Dense check() {
        LanguageModel model = LanguageModel.open(folder);
        return check(model);
    }

    private Dense check(LanguageModel model) {
        model.next(Prompt.ofIds(IDS));                          // numbers that f32 does not hold are said
        float[] logits = model.run(IDS).logits();
        Dense dense = Dense.of(Json.pythonObject(folder.resolve("config.json")), tensors);
        double[] expected = dense.logits(IDS);
        double allowed = 1e-4 * Math.max(1, Golden.largest(expected));
        for (int i = 0; i < expected.length; i++) {
            if (!(Math.abs(expected[i] - logits[i]) <= allowed)) {
                throw new IllegalStateException("logit " + i + " is " + logits[i] + ", expected " + expected[i]);
            }
        }
        return dense;
    }

    /**
     * The same after {@link #changed}: a field that says something else than before, and on which no number depends, is declared harmless
     * or named in a warning.
     */
    void check(String field) {
        LanguageModel model = LanguageModel.open(folder);
        Dense dense = check(model);
        JsonNode before = at(good, field);
        JsonNode now = at(Json.pythonObject(folder.resolve("config.json")), field);
        boolean asksNothing = now.isMissingNode() || now.isNull() || now.equals(before) || now.isContainerNode() && now.isEmpty()
                || now.isBoolean() && !now.booleanValue() || now.isNumber() && now.doubleValue() == 0;
        if (!asksNothing && !dense.read().contains(field) && !declared.harmless().contains(field)
                && model.warnings().stream().noneMatch(w -> w.contains(field))) {
            throw new IllegalStateException(field + " = " + now + " in place of " + before + " is passed over without a word");
        }
    }

    private static JsonNode at(JsonNode json, String field) {
        JsonNode at = json;
        for (String part : field.split("\\.")) {
            at = at.path(part);
        }
        return at;
    }
}
