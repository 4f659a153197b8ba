package lab.recall.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import lab.recall.checkpoint.Checkpoint;
import lab.recall.checkpoint.Tensor;
import lab.recall.math.Elementwise;
import lab.recall.math.PackedMatrix;
import lab.recall.math.Parallel;
import lab.recall.math.RmsNorm;

/**
 * A Mamba-1 language model; see {@link LanguageModel#open}. Reads HuggingFace's layout and that of state-spaces.
 *
 * <p>Source: Gu and Dao, arXiv 2312.00752.
 */
public final class Mamba extends LanguageModel {
    private static final List<HookPoint> POINTS = List.of(HookPoint.EMBED, HookPoint.RESID_PRE, HookPoint.NORMED, HookPoint.IN_X,
            HookPoint.IN_Z, HookPoint.CONV, HookPoint.X_ACT, HookPoint.DELTA, HookPoint.B, HookPoint.C, HookPoint.Y, HookPoint.GATE,
            HookPoint.GATED, HookPoint.OUT, HookPoint.RESID_POST, HookPoint.SSM_STATE, HookPoint.CONV_STATE, HookPoint.FINAL_NORM,
            HookPoint.LOGITS);
    private static final List<HookPoint> STATE_POINTS = List.of(HookPoint.IN_X, HookPoint.X_ACT, HookPoint.DELTA, HookPoint.B,
            HookPoint.RESID_POST);

    private final MambaConfig config;
    private final String embeddingName;
    private final MambaBlock[] blocks;
    private final float[] finalNorm;

    Mamba(ModelFolder source, Checkpoint checkpoint, Supplier<Checkpoint> again, List<String> warnings) {
        this(source, checkpoint, again, MambaConfig.of(checkpoint, embeddingName(checkpoint), warnings), warnings);
    }

    private Mamba(ModelFolder source, Checkpoint checkpoint, Supplier<Checkpoint> again, MambaConfig config, List<String> warnings) {
        super(source, again, warnings, new Weights(checkpoint).tensor(embeddingName(checkpoint), config.vocabulary(), config.width()),
                head(checkpoint, config));
        this.config = config;
        this.embeddingName = embeddingName(checkpoint);
        Weights weights = new Weights(checkpoint);
        this.finalNorm = weights.vector("backbone.norm_f.weight", config.width());
        this.blocks = new MambaBlock[config.layers()];
        for (int l = 0; l < blocks.length; l++) {
            blocks[l] = new MambaBlock(config, read(weights, config, "backbone.layers." + l + "."));
        }
    }

    private Mamba(Mamba like, Map<String, Tensor> changed, MambaBlock[] blocks) {
        super(like, changed);
        this.config = like.config;
        this.embeddingName = like.embeddingName;
        this.finalNorm = like.finalNorm;
        this.blocks = blocks;
    }

    @Override
    Mamba withLayer(int layer, Checkpoint from, Map<String, Tensor> all) {
        MambaBlock[] now = blocks.clone();
        now[layer] = new MambaBlock(config, read(new Weights(from), config, "backbone.layers." + layer + "."));
        return new Mamba(this, all, now);
    }

    /** HuggingFace writes {@code embeddings}, state-spaces {@code embedding}. */
    private static String embeddingName(Checkpoint checkpoint) {
        return checkpoint.find("backbone.embeddings.weight").isPresent() ? "backbone.embeddings.weight" : "backbone.embedding.weight";
    }

    private static PackedMatrix head(Checkpoint checkpoint, MambaConfig c) {
        return new Weights(checkpoint).matrix(c.tied() ? embeddingName(checkpoint) : "lm_head.weight", c.vocabulary(), c.width());
    }

    private static MambaBlock.Weights read(Weights w, MambaConfig c, String layer) {
        String m = layer + "mixer.";
        int e = c.inner();
        return new MambaBlock.Weights(
                w.vector(layer + "norm.weight", c.width()),
                w.matrix(m + "in_proj.weight", 2 * e, c.width()), w.optional(m + "in_proj.bias", 2 * e),
                transposed(w.vector(m + "conv1d.weight", e, 1, c.taps()), e, c.taps()), w.optional(m + "conv1d.bias", e),
                w.matrix(m + "x_proj.weight", c.rank() + 2 * c.states(), e),
                w.matrix(m + "dt_proj.weight", e, c.rank()), w.vector(m + "dt_proj.bias", e),
                decay(w.vector(m + "A_log", e, c.states()), e, c.states()), w.vector(m + "D", e),
                w.matrix(m + "out_proj.weight", c.width(), e), w.optional(m + "out_proj.bias", c.width()));
    }

    /** A = -exp(A_log), [E, N] to [N, E]; an exponential beyond f32 becomes its greatest number, which decays to 0 all the same. */
    private static float[] decay(float[] log, int inner, int states) {
        return decay(log, inner, states, new float[log.length]);
    }

    private static float[] decay(float[] log, int inner, int states, float[] a) {
        transposed(log, inner, states, a);
        for (int i = 0; i < a.length; i++) {
            a[i] = (float) -Math.min(Math.exp(a[i]), Float.MAX_VALUE);
        }
        return a;
    }

    private static float[] transposed(float[] m, int rows, int columns) {
        return transposed(m, rows, columns, new float[m.length]);
    }

    private static float[] transposed(float[] m, int rows, int columns, float[] t) {
        for (int r = 0; r < rows; r++) {
            for (int c = 0; c < columns; c++) {
                t[c * rows + r] = m[r * columns + c];
            }
        }
        return t;
    }

    @Override
    public String family() {
        return "Mamba";
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
        long e = config.inner();
        long d = config.width();
        MambaBlock.Weights w = blocks[0].w;
        long layer = d + 2 * e * d + e * config.taps() + (config.rank() + 2L * config.states()) * e + e * config.rank() + e
                + e * config.states() + e + d * e;
        for (float[] bias : new float[][] {w.inBias(), w.convBias(), w.outBias()}) {
            layer += bias == null ? 0 : bias.length;
        }
        return layer * layers() + (config.tied() ? 1L : 2L) * vocabulary() * d + d;
    }

    @Override
    public List<HookPoint> points() {
        return POINTS;
    }

    @Override
    public int width(HookPoint point) {
        requirePoint(point);
        return switch (point) {
            case IN_X, IN_Z, CONV, X_ACT, DELTA, Y, GATE, GATED -> config.inner();
            case B, C -> config.states();
            case SSM_STATE -> config.inner() * config.states();
            case CONV_STATE -> config.inner() * config.taps();
            case LOGITS -> config.vocabulary();
            default -> config.width();
        };
    }

    /**
     * What the scan of a layer carries from one token to y at each token from it on, [tokens - source, E]:
     * C_t (Π exp(delta_r A)) delta_s B_s x_s. All sources' terms and {@link #skipTerm} add up to y.
     *
     * @param pass one that recorded x_act, delta, B and C from token 0 on
     */
    public float[] scanTerms(Pass pass, int layer, int source) {
        return blocks[layer].scanTerms(pass, layer, source);
    }

    /** What the scan's skip term D x_act adds to y at a token, [E]. */
    public float[] skipTerm(Pass pass, int layer, int token) {
        float[] term = pass.get(new Site(layer, HookPoint.X_ACT, token));
        Elementwise.multiply(blocks[layer].w.skip(), 0, term, 0, term.length);
        return term;
    }

    /**
     * What the convolution of a layer carries from one token to another, [E]; zeros beyond its taps. With {@link #convBias} all add up to
     * conv.
     */
    public float[] convTerm(Pass pass, int layer, int source, int target) {
        float[] term = new float[config.inner()];
        int tap = config.taps() - 1 - (target - source);
        if (tap >= 0 && tap < config.taps()) {
            System.arraycopy(blocks[layer].w.conv(), tap * term.length, term, 0, term.length);
            Elementwise.multiply(pass.get(new Site(layer, HookPoint.IN_X, source)), 0, term, 0, term.length);
        }
        return term;
    }

    /** Bias of the convolution, [E]. */
    public float[] convBias(int layer) {
        float[] bias = blocks[layer].w.convBias();
        return bias == null ? new float[config.inner()] : bias.clone();
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
        RmsNorm.forward(rows, 0, count, width(), finalNorm, config.epsilon(), normed, 0);
    }

    @Override
    FinalNorm finalNorm() {
        return new FinalNorm(finalNorm, null, config.epsilon());
    }

    @Override
    void finalNormBackward(float[] x, int xAt, int count, float[] dNormed, float[] dX, int dXAt, Map<String, float[]> parameters) {
        float[] weight = parameters == null ? null : parameters.computeIfAbsent("backbone.norm_f.weight", n -> new float[width()]);
        RmsNorm.backward(x, xAt, count, width(), finalNorm, config.epsilon(), dNormed, 0, dX, dXAt, weight);
    }

    @Override
    String embeddingName() {
        return embeddingName;
    }

    @Override
    String headName() {
        return config.tied() ? embeddingName : "lm_head.weight";
    }

    @Override
    String publicName(String weight) {
        return weight.equals("backbone.embedding.weight") ? "backbone.embeddings.weight" : weight;
    }

    /** The state-spaces form has other field names. */
    @Override
    ObjectNode publicConfig(JsonNode stored) {
        ObjectNode json = super.publicConfig(stored);
        if (json.has("hidden_size")) {
            return json;
        }
        MambaBlock.Weights w = blocks[0].w;
        json.removeAll();
        json.putArray("architectures").add("MambaForCausalLM");
        return json.put("model_type", "mamba").put("hidden_size", config.width()).put("num_hidden_layers", config.layers())
                .put("state_size", config.states()).put("conv_kernel", config.taps()).put("expand", config.inner() / config.width())
                .put("intermediate_size", config.inner()).put("time_step_rank", config.rank()).put("vocab_size", config.vocabulary())
                .put("layer_norm_epsilon", config.epsilon()).put("use_bias", w.inBias() != null).put("use_conv_bias", w.convBias() != null)
                .put("hidden_act", "silu").put("residual_in_fp32", true)
                .put("tie_word_embeddings", config.tied()).put("torch_dtype", "float32");
    }

    @Override
    boolean isParameter(String name) {
        return name.startsWith("backbone.") || (name.equals("lm_head.weight") && !config.tied());
    }

    @Override
    void asStored(Map<String, float[]> raw, Map<String, float[]> stored) {
        raw.forEach((name, g) -> {
            if (name.endsWith(".mixer.A")) {                // A = -exp(A_log), so dA_log = dA A
                int layer = Integer.parseInt(name.split("\\.")[2]);
                Elementwise.multiply(blocks[layer].w.a(), 0, g, 0, g.length);
                transposed(g, config.states(), config.inner(), stored.computeIfAbsent(name + "_log", n -> new float[g.length]));
            } else if (name.endsWith(".mixer.conv1d")) {
                transposed(g, config.taps(), config.inner(), stored.computeIfAbsent(name + ".weight", n -> new float[g.length]));
            } else {
                stored.put(name, g);
            }
        });
    }

    @Override
    void take(Map<String, float[]> weights) {
        super.take(weights);
        copy(weights.get("backbone.norm_f.weight"), finalNorm);
        Parallel.forEach(layers(), l -> {
            MambaBlock.Weights w = blocks[l].w;
            String layer = "backbone.layers." + l + ".";
            String m = layer + "mixer.";
            copy(weights.get(layer + "norm.weight"), w.norm());
            w.inProj().set(weights.get(m + "in_proj.weight"), null);
            copy(weights.get(m + "in_proj.bias"), w.inBias());
            transposed(weights.get(m + "conv1d.weight"), config.inner(), config.taps(), w.conv());
            copy(weights.get(m + "conv1d.bias"), w.convBias());
            w.xProj().set(weights.get(m + "x_proj.weight"), null);
            w.dtProj().set(weights.get(m + "dt_proj.weight"), null);
            copy(weights.get(m + "dt_proj.bias"), w.dtBias());
            decay(weights.get(m + "A_log"), config.inner(), config.states(), w.a());
            copy(weights.get(m + "D"), w.skip());
            w.outProj().set(weights.get(m + "out_proj.weight"), null);
            copy(weights.get(m + "out_proj.bias"), w.outBias());
        });
    }

    @Override
    Activation shaped(int layer, HookPoint point, float[] values, int tokens) {
        String name = point.name(layer);
        return switch (point) {
            case SSM_STATE -> new Activation(name, new long[] {config.inner(), config.states()},
                    transposed(values, config.states(), config.inner()));
            case CONV_STATE -> new Activation(name, new long[] {config.inner(), config.taps()},
                    transposed(values, config.taps(), config.inner()));
            default -> new Activation(name, new long[] {tokens, width(point)}, values.clone());
        };
    }
}
