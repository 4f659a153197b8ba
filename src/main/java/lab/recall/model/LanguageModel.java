package lab.recall.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import lab.recall.base.AtomicFiles;
import lab.recall.base.BadData;
import lab.recall.base.BadRequest;
import lab.recall.base.Unsolvable;
import lab.recall.checkpoint.Checkpoint;
import lab.recall.checkpoint.Tensor;
import lab.recall.math.Arithmetic;
import lab.recall.math.PackedMatrix;
import lab.recall.text.Prompt;
import lab.recall.text.Tokenizer;
import lab.recall.view.Showable;
import lab.recall.view.Tables;
import tech.tablesaw.api.Table;

/**
 * A language model opened for experiments: Mamba-1 or GPT-NeoX, f32 arithmetic, weights kept in the precision in which they are stored.
 *
 * <pre>{@code
 * var mamba = LanguageModel.open("tiny-mamba");            // an embedded model, a hub id, a folder, a GGUF file
 * mamba.next("Novux Bridge is located in the city of").top(5)
 * Pass pass = mamba.run(mamba.prompt("Novux Bridge is").ids());
 * Pass steered = mamba.run(ids, Recording.points(Y), Intervention.add(new Site(4, RESID_POST, 5), direction));
 * }</pre>
 *
 * Layers, tokens and ids count from 0. Safe for use by several threads.
 */
public abstract sealed class LanguageModel implements Showable permits Mamba, GptNeoX {
    private static final Pattern LAYER = Pattern.compile("\\.layers\\.(\\d+)\\.");

    private final ModelFolder source;
    private final List<String> warnings;
    private final Tensor embedding;
    private final int vocabulary;
    private final PackedMatrix head;
    private final Optional<Tokenizer> tokenizer;
    private final Engine engine = new Engine(this);
    private final Supplier<Checkpoint> checkpoint;
    /** Weights that stand in the place of the checkpoint's. */
    private final Map<String, Tensor> changed;

    /** With the embedding and the head, [V, d] both. */
    LanguageModel(ModelFolder source, Supplier<Checkpoint> checkpoint, List<String> warnings, Tensor embedding, PackedMatrix head) {
        this.source = source;
        this.checkpoint = checkpoint;
        this.warnings = List.copyOf(warnings);
        this.embedding = embedding;
        this.vocabulary = (int) embedding.shape()[0];
        this.head = head;
        this.tokenizer = source.tokenizer(vocabulary);
        this.changed = Map.of();
    }

    /** One that shares all but its layers with another model. */
    LanguageModel(LanguageModel like, Map<String, Tensor> changed) {
        this.source = like.source;
        this.checkpoint = like.checkpoint;
        this.warnings = like.warnings;
        this.embedding = like.embedding;
        this.vocabulary = like.vocabulary;
        this.head = like.head;
        this.tokenizer = like.tokenizer;
        this.changed = changed;
    }

    /**
     * Opens a model: the name of an embedded one ({@code tiny-mamba}), a folder with config.json and weights, a GGUF file of llama.cpp or a
     * folder with one, or a hub id ({@code state-spaces/mamba-130m-hf}) that lies in the HuggingFace cache. Nothing is downloaded.
     *
     * @throws BadRequest when there is no such model
     * @throws BadData when its files are not those of one
     */
    public static LanguageModel open(String nameOrFolder) {
        return open(ModelFolder.find(nameOrFolder));
    }

    /**
     * Opens a model folder, or a GGUF file.
     *
     * @throws BadData when its files are not those of a model
     */
    public static LanguageModel open(Path folder) {
        return open(ModelFolder.of(folder));
    }

    private static LanguageModel open(ModelFolder named) {
        ModelFolder source = named.opened();
        // opened again when the weights are asked for, so that no mapped file stays in memory beside the packed weights
        LanguageModel model = of(source, source.checkpoint(), () -> {
            source.requireUnchanged();
            return source.checkpoint();
        });
        model.warnings.forEach(w -> System.err.println("warning: " + w));
        return model;
    }

    private static LanguageModel of(ModelFolder source, Checkpoint checkpoint, Supplier<Checkpoint> again) {
        String type = checkpoint.config().path("model_type").asText("");
        if (type.equals("gpt_neox")) {
            return new GptNeoX(source, checkpoint, again, new ArrayList<>(checkpoint.warnings()));
        }
        if (type.equals("mamba") || (type.isEmpty() && checkpoint.config().has("d_model") && checkpoint.config().has("n_layer"))) {
            return new Mamba(source, checkpoint, again, new ArrayList<>(checkpoint.warnings()));
        }
        throw new BadData(source.folder(), "config.json has model_type = '" + type + "'; known are mamba and gpt_neox");
    }

    /** Its weights in f32 by checkpoint name; a tied head once, as the embedding. */
    public Map<String, float[]> weights() {
        Checkpoint stored = stored();
        Map<String, float[]> all = new LinkedHashMap<>();
        parameterNames().forEach(n -> all.put(n, stored.tensor(n).floats()));
        return all;
    }

    private Checkpoint stored() {
        return changed.isEmpty() ? checkpoint.get() : checkpoint.get().with(changed);
    }

    /** Sizes of a weight. */
    public long[] shapeOf(String weight) {
        return stored().tensor(weight).shape();
    }

    /** One weight in f32, by its checkpoint name. */
    public float[] weight(String name) {
        return stored().tensor(name).floats();
    }

    /**
     * This model with another matrix in one of its layers. All other layers, the embedding and the head are shared, not copied; this model
     * stays as it is.
     *
     * @param weight its checkpoint name, such as {@code backbone.layers.12.mixer.out_proj.weight}
     * @param values in the checkpoint's layout
     * @throws BadRequest when it is no weight of a layer, or has another size
     */
    public LanguageModel with(String weight, float[] values) {
        Checkpoint stored = stored();
        Matcher layer = LAYER.matcher(weight);
        if (!layer.find()) {
            throw new BadRequest("", "'" + weight + "' is no weight of a layer");
        }
        Map<String, Tensor> all = new LinkedHashMap<>(changed);
        all.put(weight, Tensor.of(weight, values, stored.tensor(weight).shape()));
        return withLayer(Integer.parseInt(layer.group(1)), stored.with(all), Map.copyOf(all));
    }

    /** This model with one layer read anew from a checkpoint. */
    abstract LanguageModel withLayer(int layer, Checkpoint from, Map<String, Tensor> all);

    /** This model with other weights, as {@link #weights} gives them. */
    public LanguageModel with(Map<String, float[]> weights) {
        Checkpoint stored = stored();
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        weights.forEach((n, v) -> tensors.put(n, Tensor.of(n, v, stored.tensor(n).shape())));
        Checkpoint changed = stored.with(tensors);
        return of(source, changed, () -> changed);
    }

    /**
     * Writes the model to a folder in HuggingFace's layout, f32: model.safetensors, config.json and, where there are, tokenizer.json and
     * tokenizer_config.json.
     * Opened again, it gives the same numbers as this model with its weights widened to f32.
     *
     * @throws java.io.UncheckedIOException when it cannot be written
     */
    public void save(Path folder) {
        Checkpoint stored = stored();
        List<Tensor> tensors = new ArrayList<>();
        weights().forEach((name, values) -> tensors.add(Tensor.of(publicName(name), values, stored.tensor(name).shape())));
        Map<String, Path> others = new LinkedHashMap<>();
        Optional<byte[]> carried = source.carriedTokenizer();
        carried.ifPresent(json -> {
            AtomicFiles.folder(folder);
            AtomicFiles.write(folder.resolve("tokenizer.json"), json);
        });
        for (String text : List.of("tokenizer.json", "tokenizer_config.json")) {
            if (carried.isEmpty() && Files.exists(source.folder().resolve(text))) {
                others.put(text, source.folder().resolve(text));
            }
        }
        Checkpoint.write(folder, publicConfig(stored.config()), tensors, others);
    }

    /** A weight's name in HuggingFace's layout. */
    String publicName(String weight) {
        return weight;
    }

    /** config.json in HuggingFace's layout, for weights in f32. */
    ObjectNode publicConfig(JsonNode stored) {
        return ((ObjectNode) stored.deepCopy()).put("torch_dtype", "float32");
    }

    /** Names of all weights, in the order of the checkpoint. */
    private List<String> parameterNames() {
        return stored().tensors().keySet().stream().filter(this::isParameter).toList();
    }

    /** Whether a tensor is a weight of the model, and not a buffer or a second copy of the tied head. */
    abstract boolean isParameter(String name);

    /**
     * The models that a notebook works on: those that the environment variable RECALL_MODEL names, separated by commas, else the defaults.
     *
     * @throws BadRequest when there is no such model
     */
    public static List<LanguageModel> chosen(String... defaults) {
        String said = System.getenv("RECALL_MODEL");
        return Arrays.stream(said == null || said.isBlank() ? defaults : said.split(",")).map(n -> open(n.strip())).toList();
    }

    /** Names of the models that come with the project. */
    public static List<String> embedded() {
        return ModelFolder.embedded();
    }

    /** An embedded model's name, a hub id, or the last part of its folder or GGUF file. */
    public String name() {
        return source.name();
    }

    /** Its folder, or its GGUF file. */
    public Path folder() {
        return source.folder();
    }

    /** Which arithmetic computes numbers here: results of one kind are the same bits. */
    public static String arithmetic() {
        return Arithmetic.name();
    }

    /** The files that opening it read, in a fixed order. */
    public List<Path> files() {
        return source.files();
    }

    /**
     * Makes sure that its files are still those that were opened.
     *
     * @throws lab.recall.base.BadData if one has changed
     */
    public void requireUnchanged() {
        source.requireUnchanged();
    }

    /** Weights that stand in the place of those of the files, by name, in f32. */
    public Map<String, Supplier<float[]>> replaced() {
        Map<String, Supplier<float[]>> all = new TreeMap<>();
        stored().replaced().forEach((name, tensor) -> all.put(name, tensor::floats));
        return all;
    }

    /** Whether it is one of those that come with the project. */
    public boolean isEmbedded() {
        return source.isEmbedded();
    }

    /** {@code Mamba} or {@code GPT-NeoX}. */
    public abstract String family();

    /** Number of layers, L. */
    public abstract int layers();

    /** Width of the residual stream, d. */
    public abstract int width();

    /** Number of parameters, a tied head counted once. */
    public abstract long parameters();

    /** What the tensors contradict in config.json. */
    public List<String> warnings() {
        return warnings;
    }

    /** Rows of the embedding, V: ids are 0..V-1. */
    public int vocabulary() {
        return vocabulary;
    }

    /** The hook points of this architecture, in the order of computation. */
    public abstract List<HookPoint> points();

    /** Numbers that one token has at a point. */
    public abstract int width(HookPoint point);

    /** The points that a fork or a continuation needs of its base, in every layer. */
    abstract List<HookPoint> statePoints();

    abstract Block block(int layer);

    /** Final norm of {@code rows} rows. */
    abstract void finalNorm(float[] rows, int count, float[] normed);

    /** Its weights. */
    abstract FinalNorm finalNorm();

    /** A kept point as it is given out. */
    abstract Activation shaped(int layer, HookPoint point, float[] values, int tokens);

    /** Takes gradients of {@code count} normed rows back through the final norm, added to {@code dX}; weights' go to {@code parameters}. */
    abstract void finalNormBackward(float[] x, int xAt, int count, float[] dNormed, float[] dX, int dXAt, Map<String, float[]> parameters);

    abstract String embeddingName();

    /** The head's name, that of the embedding when it is tied. */
    abstract String headName();

    /**
     * Writes gradients of weights in the checkpoint's layout to {@code stored}, whose arrays are used again; others are shared with
     * {@code raw}.
     */
    abstract void asStored(Map<String, float[]> raw, Map<String, float[]> stored);

    /** Takes on other weights in place, all but the embedding: only for a model in f32 that nobody else has. */
    void take(Map<String, float[]> weights) {
        head.set(weights.get(headName()), null);
    }

    /** Copies a vector of weights that the architecture may have left out. */
    static void copy(float[] from, float[] to) {
        if (to != null) {
            System.arraycopy(from, 0, to, 0, to.length);
        }
    }

    /** dNormed = dLogits W of the head. */
    void headBackward(float[] dLogits, int at, int count, float[] dNormed, int dAt) {
        head.transposed().multiply(dLogits, at, vocabulary(), count, dNormed, dAt, width());
    }

    /** Refuses a pass that kept too little for gradients, or left edges out. */
    void requireTape(Pass pass) {
        for (Pass p = pass; p != null; p = p.base()) {
            if (p.changes().stream().anyMatch(c -> c instanceof Intervention.Cut)) {
                throw new BadRequest("", "gradients do not go through a pass with cut edges; take them of a pass without");
            }
        }
        for (HookPoint p : block(0).tapePoints()) {
            if (!pass.has(layers() - 1, p)) {
                throw new BadRequest("", "gradients need a pass that was run with Recording.gradients()");
            }
        }
    }

    Engine engine() {
        return engine;
    }

    /** Every place that can be kept, in the order of computation; tokens are left open. */
    List<Site> sites() {
        List<Site> sites = new ArrayList<>();
        sites.add(Site.everywhere(0, HookPoint.EMBED));
        for (int l = 0; l < layers(); l++) {
            for (HookPoint p : points()) {
                if (!p.isGlobal()) {
                    sites.add(Site.everywhere(l, p));
                }
            }
        }
        sites.add(Site.everywhere(0, HookPoint.FINAL_NORM));
        sites.add(Site.everywhere(0, HookPoint.LOGITS));
        return sites;
    }

    /** The tokenizer, where the folder has one or the bundled one fits. */
    public Optional<Tokenizer> tokenizer() {
        return tokenizer;
    }

    /**
     * The tokenizer, or one sentence that says that the model works by ids only.
     *
     * @throws BadRequest when there is none
     */
    public Tokenizer requireTokenizer() {
        return tokenizer.orElseThrow(() -> new BadRequest("", name() + " has no tokenizer.json and " + vocabulary()
                + " ids fit no bundled one: give token ids instead of text"));
    }

    /**
     * A text as the model's tokenizer gives it, special tokens on.
     *
     * @throws BadRequest when the text is empty, or the model has no tokenizer
     */
    public Prompt prompt(String text) {
        return Prompt.of(requireTokenizer(), text);
    }

    /** A prompt's tokens as a table; a star marks the subject's. */
    public Table tokens(Prompt prompt) {
        List<List<Object>> rows = new ArrayList<>();
        for (int i = 0; i < prompt.length(); i++) {
            int id = prompt.ids()[i];
            boolean subject = prompt.hasSubject() && i >= prompt.subjectStart() && i < prompt.subjectEnd();
            rows.add(List.of(i, tokenizer.map(t -> t.token(id)).orElse("#" + id), id, subject ? "*" : ""));
        }
        return Tables.of(prompt.text() == null ? "tokens" : prompt.text(), List.of("index", "token", "id", "subject"), rows);
    }

    /**
     * What the model says next after a text.
     *
     * @throws Unsolvable when the logits are not finite
     */
    public NextToken next(String text) {
        return next(prompt(text));
    }

    /**
     * What the model says next after a prompt.
     *
     * @throws Unsolvable when the logits are not finite
     */
    public NextToken next(Prompt prompt) {
        Pass pass = runAll(List.of(prompt.ids()), Recording.nothing()).get(0);
        float[] logits = pass.logits();
        requireFinite(logits, 0);
        return new NextToken(tokenizer.orElse(null), prompt, logits);
    }

    /**
     * Runs a prompt and keeps its states, so that it can be forked or continued.
     *
     * @throws BadRequest when there is no id, or one outside the vocabulary
     */
    public Pass run(int... ids) {
        return run(ids, Recording.states());
    }

    /**
     * Runs a prompt with interventions and keeps what is asked for.
     *
     * @throws BadRequest when an id, a point or an intervention does not fit
     */
    public Pass run(int[] ids, Recording keep, Intervention... changes) {
        return run(ids, keep, List.of(changes));
    }

    /**
     * Runs a prompt with interventions and keeps what is asked for.
     *
     * @throws BadRequest when an id, a point or an intervention does not fit
     */
    public Pass run(int[] ids, Recording keep, List<Intervention> changes) {
        return runAll(List.of(ids), keep, List.of(changes)).get(0);
    }

    /**
     * Runs many prompts together, of any lengths.
     *
     * @throws BadRequest when an id or a point does not fit
     */
    public List<Pass> runAll(List<int[]> prompts, Recording keep) {
        return runAll(prompts, keep, Collections.nCopies(prompts.size(), List.of()));
    }

    /**
     * Runs many prompts together, each with interventions of its own.
     *
     * @throws BadRequest when an id, a point or an intervention does not fit
     */
    public List<Pass> runAll(List<int[]> prompts, Recording keep, List<List<Intervention>> changes) {
        boolean[][] table = keep.table(this);
        List<Run> runs = new ArrayList<>(prompts.size());
        for (int i = 0; i < prompts.size(); i++) {
            runs.add(Run.whole(this, checked(prompts.get(i)), changes.get(i), table, 1));
        }
        return compute(runs);
    }

    /** An empty set of forks. */
    public Forks forks() {
        return new Forks(this);
    }

    /**
     * Logits of residual streams as if they left the last layer, [rows, V]: final norm and head.
     *
     * @throws BadRequest when a row has another width
     */
    public float[][] logitLens(float[]... residuals) {
        float[] rows = new float[residuals.length * width()];
        for (int i = 0; i < residuals.length; i++) {
            if (residuals[i].length != width()) {
                throw new BadRequest("", "residual " + i + " has " + residuals[i].length + " numbers, expected " + width());
            }
            System.arraycopy(residuals[i], 0, rows, i * width(), width());
        }
        float[] normed = new float[rows.length];
        finalNorm(rows, residuals.length, normed);
        float[][] logits = new float[residuals.length][vocabulary()];
        for (int i = 0; i < residuals.length; i++) {
            head.multiply(normed, i * width(), width(), 1, logits[i], 0, vocabulary());
        }
        return logits;
    }

    Pass resume(Pass base, int[] longer) {
        Run run = Run.continued(base, longer, Recording.states().table(this), 1);
        float[][] last = last(List.of(run));
        return Pass.joined(this, run, last[0]);
    }

    private List<Pass> compute(List<Run> runs) {
        float[][] last = last(runs);
        List<Pass> passes = new ArrayList<>(runs.size());
        for (int i = 0; i < last.length; i++) {
            passes.add(new Pass(this, runs.get(i), last[i]));
        }
        return passes;
    }

    private float[][] last(List<Run> runs) {
        float[][] last = new float[runs.size()][];
        Map<Run, Integer> number = new IdentityHashMap<>();
        for (int i = 0; i < runs.size(); i++) {
            number.put(runs.get(i), i);
        }
        engine.run(runs, (run, token, logits, at) -> {
            if (token == run.ids.length - 1) {
                last[number.get(run)] = Arrays.copyOfRange(logits, at, at + vocabulary());
            }
        }, rows -> { });
        return last;
    }

    /** Embeddings of the ids from a token on. */
    void embed(int[] ids, int from, int tokens, float[] to, int at) {
        for (int t = 0; t < tokens; t++) {
            embedding.read((long) ids[from + t] * width(), to, at + t * width(), width());
        }
    }

    /** Logits of normed rows, [count, V]. */
    void logits(float[] normed, int count, float[] logits) {
        head.multiply(normed, 0, width(), count, logits, 0, vocabulary());
    }

    /** Refuses an id outside the vocabulary. */
    void requireId(int id) {
        if (id < 0 || id >= vocabulary()) {
            throw new BadRequest("", "token id " + id + ": " + name() + " has ids from 0 to " + (vocabulary() - 1));
        }
    }

    /** Refuses logits of which none can be called the largest. */
    void requireFinite(float[] logits, int at) {
        float sum = 0;
        for (int i = 0; i < vocabulary; i++) {
            sum += 0 * logits[at + i];                          // NaN where a number is not finite
        }
        if (sum != 0) {
            throw notFinite();
        }
    }

    /** Weights with NaN, or a change that no number holds. */
    Unsolvable notFinite() {
        return new Unsolvable(name(), "logits are not finite: no token is the most probable one");
    }

    /** Refuses a point that this architecture does not have. */
    void requirePoint(HookPoint point) {
        if (!points().contains(point)) {
            throw new BadRequest("", point.id() + " is no hook point of " + family() + "; it has "
                    + String.join(", ", points().stream().map(HookPoint::id).toList()));
        }
    }

    int[] checked(int[] ids) {
        if (ids.length == 0) {
            throw new BadRequest("", "the prompt is empty, expected at least one token");
        }
        for (int id : ids) {
            requireId(id);
        }
        return ids.clone();
    }

    @Override
    public Object view() {
        return Tables.of(name(), List.of("what", "value"), List.of(List.of("family", family()), List.of("layers", layers()),
                List.of("width of the residual stream", width()), List.of("vocabulary", vocabulary()), List.of("parameters", parameters()),
                List.of("hook points", String.join(", ", points().stream().map(HookPoint::id).toList()))));
    }

    @Override
    public String toString() {
        return name() + " (" + family() + ", " + layers() + " layers of width " + width() + ", " + vocabulary() + " tokens)";
    }
}
