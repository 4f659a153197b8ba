package lab.recall.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.Collectors;
import lab.recall.base.BadData;
import lab.recall.base.Json;

/**
 * Reads config.json; a wrong value is refused with file and key, one that the tensors contradict becomes a warning.
 *
 * <pre>{@code
 * int layers = set.positive("num_hidden_layers");
 * double base = set.number(set.named("rotary_emb_base", "rope_theta", "rope_parameters.rope_theta"), 10000);
 * set.only("d_intermediate", 0);                             // what else it may say is not computed here
 * set.harmless("time_step_min");                             // may say anything: no number depends on it
 * }</pre>
 *
 * A dot leads into an object. What has been asked for or declared is known; when the model has been opened, a field that is not known is
 * refused if it changes numbers in models that have it, or named in one warning.
 */
public final class Settings {
    /** Fields of any model that no number here depends on: bookkeeping, training, generation; those that begin with _ are others. */
    private static final Set<String> HARMLESS = Set.of("architectures", "model_type", "auto_map", "transformers_version", "torch_dtype",
            "dtype", "use_cache", "tokenizer_class", "prefix", "bos_token_id", "eos_token_id", "pad_token_id", "sep_token_id",
            "cls_token_id", "unk_token_id", "mask_token_id", "decoder_start_token_id", "forced_bos_token_id", "forced_eos_token_id",
            "suppress_tokens", "begin_suppress_tokens", "initializer_range", "initializer_factor", "output_attentions",
            "output_hidden_states", "output_scores", "return_dict", "return_dict_in_generate", "torchscript", "use_bfloat16", "is_decoder",
            "cross_attention_hidden_size", "id2label", "label2id", "num_labels", "problem_type", "finetuning_task", "task_specific_params",
            "max_length", "min_length", "do_sample", "early_stopping", "num_beams", "num_beam_groups", "diversity_penalty", "temperature",
            "top_k", "top_p", "typical_p", "repetition_penalty", "length_penalty", "no_repeat_ngram_size", "encoder_no_repeat_ngram_size",
            "bad_words_ids", "num_return_sequences", "remove_invalid_values", "exponential_decay_length_penalty", "tf_legacy_loss",
            "chunk_size_feed_forward", "gradient_checkpointing", "attention_dropout", "hidden_dropout", "classifier_dropout",
            "attention_probs_dropout_prob", "hidden_dropout_prob", "attn_pdrop", "resid_pdrop", "embd_pdrop", "max_position_embeddings",
            "summary_activation", "summary_first_dropout", "summary_proj_to_labels", "summary_type", "summary_use_proj", "pretraining_tp",
            "attn_implementation", "unsloth_version", "unsloth_fixed");
    /** Fields by which models of some family compute other numbers, unless they say no or nothing. */
    private static final Set<String> CHANGING = Set.of("quantization_config", "is_encoder_decoder", "add_cross_attention", "pruned_heads",
            "rope_scaling", "rope_parameters", "rope_theta", "partial_rotary_factor", "rotary_pct", "rotary_emb_base", "rotary_dim",
            "alibi", "position_embedding_type", "sliding_window", "use_sliding_window", "layer_types", "attention_bias", "mlp_bias",
            "use_bias", "use_conv_bias", "hidden_act", "hidden_activation", "activation_function", "rms_norm", "norm_type",
            "d_intermediate", "attn_layer_idx", "attn_cfg", "num_key_value_heads", "multi_query", "head_dim", "use_parallel_residual",
            "parallel_attn", "num_experts", "num_local_experts", "n_routed_experts", "logit_scale", "logits_scaling",
            "embedding_multiplier", "residual_multiplier", "attention_multiplier", "lm_head_multiplier", "final_logit_softcapping",
            "attn_logit_softcapping", "query_pre_attn_scalar", "qk_layernorm", "use_qk_norm", "clip_qkv",
            "scale_attn_by_inverse_layer_idx", "reorder_and_upcast_attn", "scale_embedding", "embedding_scale", "word_embed_proj_dim",
            "layer_norm_eps", "layer_norm_epsilon", "rms_norm_eps", "norm_epsilon");

    private final Path folder;
    private final JsonNode json;
    private final String family;
    private final List<String> warnings;
    /** What stands before a key: nothing, or the object's key and a dot. */
    private final String front;
    /** Fields that have been asked for or declared. */
    private final Set<String> known;
    /** Those of them that may say anything. */
    private final Set<String> harmless;

    Settings(Path folder, JsonNode json, String family, List<String> warnings) {
        this(folder, json, family, warnings, "", new HashSet<>(), new HashSet<>(HARMLESS));
    }

    private Settings(Path folder, JsonNode json, String family, List<String> warnings, String front, Set<String> known,
                     Set<String> harmless) {
        this.folder = folder;
        this.json = json;
        this.family = family;
        this.warnings = warnings;
        this.front = front;
        this.known = known;
        this.harmless = harmless;
    }

    /**
     * The fields of an object in it; none where it is not there.
     *
     * @throws BadData when it is no object
     */
    public Settings inside(String key) {
        JsonNode v = at(key);
        if (isSaid(v) && !v.isObject()) {
            throw refused(key, v + ", expected an object");
        }
        return new Settings(folder, json, family, warnings, front + key + ".", known, harmless);
    }

    /** Whether a field says anything. */
    public boolean has(String key) {
        return isSaid(at(key));
    }

    /** Whether the key stands there, if only with null. */
    public boolean says(String key) {
        return !value(key).isMissingNode();
    }

    private JsonNode at(String key) {
        JsonNode at = json;
        for (String part : (front + key).split("\\.")) {
            at = at.path(part);
        }
        return at;
    }

    /** What a field says in whatever form; missing or null where it says nothing. */
    public JsonNode value(String key) {
        known.add(front + key);
        return at(key);
    }

    private static boolean isSaid(JsonNode value) {
        return !value.isMissingNode() && !value.isNull();
    }

    /**
     * A whole number above 0.
     *
     * @throws BadData when there is none
     */
    public int positive(String key) {
        JsonNode v = value(key);
        if (!isSaid(v)) {
            throw missing(key);
        }
        if (!v.isIntegralNumber() || v.asLong() <= 0 || v.asLong() > 100_000_000) {
            throw refused(key, v + ", expected a positive whole number");
        }
        return v.asInt();
    }

    /**
     * A whole number above 0; {@code otherwise} where there is none.
     *
     * @throws BadData when it is no such number
     */
    public int positive(String key, int otherwise) {
        return isSaid(value(key)) ? positive(key) : otherwise;
    }

    /**
     * A number above 0; {@code otherwise} where there is none.
     *
     * @throws BadData when it is no such number
     */
    public double number(String key, double otherwise) {
        JsonNode v = value(key);
        if (!isSaid(v)) {
            return otherwise;
        }
        if (!v.isNumber() || !(v.asDouble() > 0)) {
            throw refused(key, v + ", expected a positive number");
        }
        return v.asDouble();
    }

    /**
     * A number above 0.
     *
     * @throws BadData when there is none
     */
    public double number(String key) {
        if (!has(key)) {
            throw missing(key);
        }
        return number(key, 0);
    }

    /**
     * True or false; {@code otherwise} where there is none.
     *
     * @throws BadData when it is neither
     */
    public boolean flag(String key, boolean otherwise) {
        JsonNode v = value(key);
        if (!isSaid(v)) {
            return otherwise;
        }
        if (!v.isBoolean()) {
            throw refused(key, v + ", expected true or false");
        }
        return v.asBoolean();
    }

    /**
     * A word; {@code otherwise} where there is none.
     *
     * @throws BadData when it is none of those that are known
     */
    public String word(String key, String otherwise, String... known) {
        JsonNode v = value(key);
        String word = isSaid(v) ? v.asText() : otherwise;
        if (!List.of(known).contains(word)) {
            throw refused(key, (v.isTextual() ? word : v) + "; only " + String.join(" or ", known) + (known.length == 1 ? " is" : " are")
                    + " known");
        }
        return word;
    }

    /**
     * Of several names for the same, the one under which it is said; the first where it is not.
     *
     * @throws BadData when it is said twice, and differently
     */
    public String named(String... aliases) {
        List<String> said = Arrays.stream(aliases).filter(a -> isSaid(value(a))).toList();
        for (int i = 1; i < said.size(); i++) {
            if (!same(value(said.get(0)), value(said.get(i)))) {
                throw refused(said.get(0), value(said.get(0)) + ", but " + said.get(i) + " = " + value(said.get(i))
                        + "; both mean the same, expected one of them");
            }
        }
        return said.isEmpty() ? aliases[0] : said.get(0);
    }

    private static boolean same(JsonNode a, JsonNode b) {
        return a.isNumber() && b.isNumber() ? a.asDouble() == b.asDouble() : a.equals(b);
    }

    /**
     * A field that may say nothing else than one of these, which is what is computed here.
     *
     * @throws BadData when it does
     */
    public void only(String key, Object... values) {
        JsonNode v = value(key);
        if (isSaid(v) && Arrays.stream(values).noneMatch(known -> same(v, Json.tree(known)))) {
            throw refused(key, v + "; only " + Arrays.stream(values).map(known -> Json.tree(known).toString())
                    .collect(Collectors.joining(" or ")) + (values.length == 1 ? " is" : " are") + " known");
        }
    }

    /**
     * Two numbers, from and to, of which the second may be infinite; these two where there are none.
     *
     * @throws BadData when it is anything else
     */
    public double[] range(String key, double from, double to) {
        JsonNode v = value(key);
        if (!isSaid(v)) {
            return new double[] {from, to};
        }
        double low = v.size() == 2 && v.get(0).isNumber() ? v.get(0).asDouble() : Double.NaN;
        double high = v.size() == 2 && v.get(1).isNumber() ? v.get(1).asDouble() : Double.NaN;
        if (!(low >= 0 && low <= high && Float.isFinite((float) low))) {
            throw refused(key, v + ", expected two numbers, [from, to], 0 <= from <= to, the first in f32, the second may be Infinity");
        }
        return new double[] {low, high};
    }

    /** Two numbers as {@link #range(String, double, double)} reads them, an infinite one in the strict form that transformers 5 writes. */
    public static ArrayNode range(double from, double to) {
        ArrayNode range = Json.MAPPER.createArrayNode().add(from);
        return Double.isInfinite(to) ? range.add(Json.MAPPER.createObjectNode().put("__float__", "Infinity")) : range.add(to);
    }

    /**
     * Refuses fields that ask for something that is not known; null, 0 and an empty list ask for nothing.
     *
     * @throws BadData when one of them says anything else
     */
    public void none(String... keys) {
        for (String key : keys) {
            JsonNode v = value(key);
            if (isSaid(v) && !(v.isNumber() && v.asDouble() == 0) && !(v.isArray() && v.isEmpty())) {
                throw refused(key, v + "; only none is known");
            }
        }
    }

    /**
     * Refuses true or false that the tensors contradict; {@code otherwise} where there is none.
     *
     * @throws BadData when it is neither, or not what the tensors say
     */
    public void matches(String key, boolean otherwise, boolean fromTensors) {
        if (flag(key, otherwise) != fromTensors) {
            throw refused(key, !fromTensors + (isSaid(value(key)) ? "" : " (what is meant where it is missing)") + ", but the weights "
                    + (fromTensors ? "have" : "lack") + " what it stands for");
        }
    }

    /** Fields that may say anything: no number here depends on them. */
    public void harmless(String... keys) {
        for (String key : keys) {
            known.add(front + key);
            harmless.add(front + key);
        }
    }

    /** Fields that have been asked for or declared. */
    Set<String> declared() {
        return new TreeSet<>(known);
    }

    /** Those that may say anything, of this family or of any model. */
    Set<String> declaredHarmless() {
        return Set.copyOf(harmless);
    }

    /** Fields that are known of any model. */
    static Set<String> general() {
        Set<String> all = new TreeSet<>(HARMLESS);
        all.addAll(CHANGING);
        return all;
    }

    /** What is wrong with a value. */
    public BadData refused(String key, String why) {
        return new BadData(folder, "config.json has " + front + key + " = " + why);
    }

    private BadData missing(String key) {
        return new BadData(folder, "config.json has no " + front + key);
    }

    /** Notes a number that the tensors contradict; the tensors are right. */
    public void agrees(String key, double fromTensors) {
        agrees(key, fromTensors, said -> said);
    }

    /** The same of a number that the word auto leaves to them. */
    public void agreesOrAuto(String key, double fromTensors) {
        if (!value(key).asText().equals("auto")) {
            agrees(key, fromTensors);
        }
    }

    /** The same of a number that says the tensors' in another form. */
    public void agrees(String key, double fromTensors, DoubleUnaryOperator form) {
        JsonNode v = value(key);
        if (isSaid(v) && !(v.isNumber() && form.applyAsDouble(v.asDouble()) == fromTensors)) {
            contradicted(key, v, fromTensors == Math.rint(fromTensors) ? String.valueOf((long) fromTensors) : String.valueOf(fromTensors));
        }
    }

    /** Notes a flag that the tensors contradict; the tensors are right. */
    public void agrees(String key, boolean fromTensors) {
        JsonNode v = value(key);
        if (isSaid(v) && !(v.isBoolean() && v.asBoolean() == fromTensors)) {
            contradicted(key, v, String.valueOf(fromTensors));
        }
    }

    private void contradicted(String key, JsonNode said, String fromTensors) {
        warnings.add(folder.getFileName() + "/config.json says " + front + key + " = " + said + ", the tensors say " + fromTensors
                + "; the tensors are used");
    }

    /** Refuses or notes what nobody has asked for. */
    void requireAllKnown() {
        List<String> unknown = new ArrayList<>();
        json.properties().forEach(e -> {
            if (known.contains(e.getKey()) || HARMLESS.contains(e.getKey()) || e.getKey().startsWith("_")) {
                return;
            }
            if (e.getValue().isObject() && known.stream().anyMatch(k -> k.startsWith(e.getKey() + "."))) {
                e.getValue().properties().stream().filter(within -> !known.contains(e.getKey() + "." + within.getKey()))
                        .forEach(within -> examine(e.getKey() + "." + within.getKey(), within.getValue(), unknown));
            } else {
                examine(e.getKey(), e.getValue(), unknown);
            }
        });
        if (!unknown.isEmpty()) {
            warnings.add(folder.getFileName() + "/config.json has fields that are not known here: " + String.join(", ", unknown)
                    + "; they are passed over");
        }
    }

    private void examine(String key, JsonNode value, List<String> unknown) {
        if (value.isNull() || value.isContainerNode() && value.isEmpty()) {
            return;
        }
        if (Arrays.stream(key.split("\\.")).noneMatch(CHANGING::contains)) {
            unknown.add(key);
        } else if (!value.equals(Json.tree(false)) && !(value.isNumber() && value.asDouble() == 0)) {
            throw refused(key, value + ", which changes numbers; nothing is known of it in " + family + " models");
        }
    }
}
