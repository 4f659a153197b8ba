package lab.recall.model;

import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import lab.recall.checkpoint.Checkpoint;
import lab.recall.checkpoint.Tensor;
import lab.recall.math.LayerNorm;
import lab.recall.math.PackedMatrix;
import lab.recall.math.Parallel;
import lab.recall.math.Rotary;

/**
 * A GPT-NeoX language model, Pythia among them; see {@link LanguageModel#open}. Old checkpoints' buffers are passed over.
 *
 * <p>Source: Black et al., arXiv 2204.06745.
 */
public final class GptNeoX extends LanguageModel {
    private static final List<HookPoint> POINTS = List.of(HookPoint.EMBED, HookPoint.RESID_PRE, HookPoint.LN1, HookPoint.Q, HookPoint.K,
            HookPoint.V, HookPoint.ATTN_PROBS, HookPoint.ATTN_CTX, HookPoint.ATTN_OUT, HookPoint.LN2, HookPoint.MLP_PRE,
            HookPoint.MLP_ACT, HookPoint.MLP_OUT, HookPoint.RESID_POST, HookPoint.FINAL_NORM, HookPoint.LOGITS);
    private static final List<HookPoint> STATE_POINTS = List.of(HookPoint.K, HookPoint.V, HookPoint.RESID_POST);

    private final NeoXConfig config;
    private final NeoXBlock[] blocks;
    /** The stored row of each packed row of query_key_value. */
    private final int[] order;
    private final float[] finalNorm;
    private final float[] finalNormBias;
    private final Rotary rotary;

    GptNeoX(ModelFolder source, Checkpoint checkpoint, Supplier<Checkpoint> again, List<String> warnings) {
        this(source, checkpoint, again, NeoXConfig.of(checkpoint, warnings), warnings);
    }

    private GptNeoX(ModelFolder source, Checkpoint checkpoint, Supplier<Checkpoint> again, NeoXConfig config, List<String> warnings) {
        super(source, again, warnings, new Weights(checkpoint).tensor("gpt_neox.embed_in.weight", config.vocabulary(), config.width()),
                head(checkpoint, config));
        this.config = config;
        Weights weights = new Weights(checkpoint);
        this.finalNorm = weights.vector("gpt_neox.final_layer_norm.weight", config.width());
        this.finalNormBias = weights.vector("gpt_neox.final_layer_norm.bias", config.width());
        this.rotary = new Rotary(config.headWidth(), config.rotary(), config.base());
        this.blocks = new NeoXBlock[config.layers()];
        this.order = NeoXBlock.headOrder(config);
        for (int l = 0; l < blocks.length; l++) {
            blocks[l] = new NeoXBlock(config, read(weights, config, "gpt_neox.layers." + l + "."), rotary);
        }
    }

    private GptNeoX(GptNeoX like, Map<String, Tensor> changed, NeoXBlock[] blocks) {
        super(like, changed);
        this.config = like.config;
        this.finalNorm = like.finalNorm;
        this.finalNormBias = like.finalNormBias;
        this.order = like.order;
        this.rotary = like.rotary;
        this.blocks = blocks;
    }

    @Override
    GptNeoX withLayer(int layer, Checkpoint from, Map<String, Tensor> all) {
        NeoXBlock[] now = blocks.clone();
        now[layer] = new NeoXBlock(config, read(new Weights(from), config, "gpt_neox.layers." + layer + "."), rotary);
        return new GptNeoX(this, all, now);
    }

    private static PackedMatrix head(Checkpoint checkpoint, NeoXConfig c) {
        return new Weights(checkpoint).matrix(c.tied() ? "gpt_neox.embed_in.weight" : "embed_out.weight", c.vocabulary(), c.width());
    }

    private static NeoXBlock.Weights read(Weights w, NeoXConfig c, String layer) {
        int d = c.width();
        int[] order = NeoXBlock.headOrder(c);
        float[] stored = w.vector(layer + "attention.query_key_value.bias", 3 * d);
        float[] qkvBias = new float[3 * d];
        for (int i = 0; i < qkvBias.length; i++) {
            qkvBias[i] = stored[order[i]];
        }
        return new NeoXBlock.Weights(
                w.vector(layer + "input_layernorm.weight", d), w.vector(layer + "input_layernorm.bias", d),
                w.vector(layer + "post_attention_layernorm.weight", d), w.vector(layer + "post_attention_layernorm.bias", d),
                w.matrix(layer + "attention.query_key_value.weight", 3 * d, d, order), qkvBias,
                w.matrix(layer + "attention.dense.weight", d, d), w.vector(layer + "attention.dense.bias", d),
                w.matrix(layer + "mlp.dense_h_to_4h.weight", c.hidden(), d), w.vector(layer + "mlp.dense_h_to_4h.bias", c.hidden()),
                w.matrix(layer + "mlp.dense_4h_to_h.weight", d, c.hidden()), w.vector(layer + "mlp.dense_4h_to_h.bias", d));
    }

    @Override
    public String family() {
        return "GPT-NeoX";
    }

    /** Number of attention heads. */
    public int heads() {
        return config.heads();
    }

    @Override
    public int layers() {
        return config.layers();
    }

    @Override
    public int width() {
        return config.width();
    }

    @Override
    public long parameters() {
        long d = config.width();
        long f = config.hidden();
        long layer = 4 * d + 3 * d * d + 3 * d + d * d + d + 2 * f * d + f + d;
        return layer * layers() + (config.tied() ? 1L : 2L) * vocabulary() * d + 2 * d;
    }

    @Override
    public List<HookPoint> points() {
        return POINTS;
    }

    @Override
    public int width(HookPoint point) {
        requirePoint(point);
        return switch (point) {
            case MLP_PRE, MLP_ACT -> config.hidden();
            case LOGITS -> config.vocabulary();
            default -> config.width();
        };
    }

    @Override
    List<HookPoint> statePoints() {
        return STATE_POINTS;
    }

    @Override
    Block block(int layer) {
        return blocks[layer];
    }

    @Override
    void finalNorm(float[] rows, int count, float[] normed) {
        LayerNorm.forward(rows, 0, count, width(), finalNorm, finalNormBias, config.epsilon(), normed, 0);
    }

    @Override
    FinalNorm finalNorm() {
        return new FinalNorm(finalNorm, finalNormBias, config.epsilon());
    }

    @Override
    void finalNormBackward(float[] x, int xAt, int count, float[] dNormed, float[] dX, int dXAt, Map<String, float[]> parameters) {
        boolean weights = parameters != null;
        float[] weight = weights ? parameters.computeIfAbsent("gpt_neox.final_layer_norm.weight", n -> new float[width()]) : null;
        float[] bias = weights ? parameters.computeIfAbsent("gpt_neox.final_layer_norm.bias", n -> new float[width()]) : null;
        LayerNorm.backward(x, xAt, count, width(), finalNorm, config.epsilon(), dNormed, 0, dX, dXAt, weight, bias);
    }

    @Override
    String embeddingName() {
        return "gpt_neox.embed_in.weight";
    }

    @Override
    String headName() {
        return config.tied() ? embeddingName() : "embed_out.weight";
    }

    @Override
    boolean isParameter(String name) {
        boolean buffer = name.endsWith("attention.bias") || name.endsWith("attention.masked_bias") || name.endsWith("rotary_emb.inv_freq");
        return !buffer && (name.startsWith("gpt_neox.") || (name.equals("embed_out.weight") && !config.tied()));
    }

    @Override
    void asStored(Map<String, float[]> raw, Map<String, float[]> stored) {
        raw.forEach((name, g) -> {
            if (!name.contains("query_key_value")) {
                stored.put(name, g);
                return;
            }
            int width = g.length / order.length;
            float[] back = stored.computeIfAbsent(name, n -> new float[g.length]);
            for (int r = 0; r < order.length; r++) {
                System.arraycopy(g, r * width, back, order[r] * width, width);
            }
        });
    }

    @Override
    void take(Map<String, float[]> weights) {
        super.take(weights);
        copy(weights.get("gpt_neox.final_layer_norm.weight"), finalNorm);
        copy(weights.get("gpt_neox.final_layer_norm.bias"), finalNormBias);
        Parallel.forEach(layers(), l -> {
            NeoXBlock.Weights w = blocks[l].w;
            String layer = "gpt_neox.layers." + l + ".";
            copy(weights.get(layer + "input_layernorm.weight"), w.norm1());
            copy(weights.get(layer + "input_layernorm.bias"), w.norm1Bias());
            copy(weights.get(layer + "post_attention_layernorm.weight"), w.norm2());
            copy(weights.get(layer + "post_attention_layernorm.bias"), w.norm2Bias());
            w.qkv().set(weights.get(layer + "attention.query_key_value.weight"), order);
            float[] stored = weights.get(layer + "attention.query_key_value.bias");
            for (int i = 0; i < order.length; i++) {
                w.qkvBias()[i] = stored[order[i]];
            }
            w.dense().set(weights.get(layer + "attention.dense.weight"), null);
            copy(weights.get(layer + "attention.dense.bias"), w.denseBias());
            w.up().set(weights.get(layer + "mlp.dense_h_to_4h.weight"), null);
            copy(weights.get(layer + "mlp.dense_h_to_4h.bias"), w.upBias());
            w.down().set(weights.get(layer + "mlp.dense_4h_to_h.weight"), null);
            copy(weights.get(layer + "mlp.dense_4h_to_h.bias"), w.downBias());
        });
    }

    @Override
    Activation shaped(int layer, HookPoint point, float[] values, int tokens) {
        String name = point.name(layer);
        int heads = config.heads();
        return switch (point) {
            case ATTN_PROBS -> new Activation(name, new long[] {heads, tokens, values.length / heads / tokens}, values.clone());
            case Q, K, V -> new Activation(name, new long[] {heads, tokens, config.headWidth()}, byHead(values, tokens));
            default -> new Activation(name, new long[] {tokens, width(point)}, values.clone());
        };
    }

    /** [tokens, heads, head width] to [heads, tokens, head width]. */
    private float[] byHead(float[] values, int tokens) {
        int hw = config.headWidth();
        float[] out = new float[values.length];
        for (int t = 0; t < tokens; t++) {
            for (int h = 0; h < config.heads(); h++) {
                System.arraycopy(values, (t * config.heads() + h) * hw, out, (h * tokens + t) * hw, hw);
            }
        }
        return out;
    }
}
