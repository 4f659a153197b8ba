package lab.recall.model;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.IntConsumer;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import lab.recall.base.BadData;
import lab.recall.base.BadRequest;
import lab.recall.base.Check;
import lab.recall.base.Said;
import lab.recall.base.Unsolvable;
import lab.recall.checkpoint.Checkpoint;
import lab.recall.checkpoint.DType;
import lab.recall.checkpoint.Tensor;
import lab.recall.math.Arithmetic;
import lab.recall.math.Elementwise;
import lab.recall.text.Prompt;
import lab.recall.text.Tokenizer;
import lab.recall.view.Showable;
import lab.recall.view.Tables;
import tech.tablesaw.api.Table;

/**
 * A language model opened for experiments, of any {@link Architecture}: f32 arithmetic, weights kept in the precision in which they are
 * stored.
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
public final class LanguageModel implements Showable {
    private final Architecture architecture;
    private final ModelFolder source;
    private final List<String> warnings;
    private final Body body;
    private final Ends ends;
    private final int vocabulary;
    private final int width;
    private final Block[] blocks;
    private final Weights.Parameters parameters;
    private final Optional<Tokenizer> tokenizer;
    /** What config.json says of end-of-sequence tokens, if anything. */
    private final Optional<Set<Integer>> endIds;
    private final Engine engine;
    private final StoredWeights stored;

    LanguageModel(Opening from, Ends ends, int layers, Body body) {
        this.architecture = from.architecture();
        this.source = from.folder();
        this.body = body;
        this.ends = ends;
        this.vocabulary = (int) ends.embedding().shape()[0];
        this.width = (int) ends.embedding().shape()[1];
        this.blocks = new Block[layers];
        for (int l = 0; l < layers; l++) {
            from.weights().parameters().reading(l);
            blocks[l] = l > 0 && from.isUnlearned() ? blocks[0] : body.block(l, from.weights());
        }
        this.engine = new Engine(this);
        this.parameters = from.weights().parameters();
        List<String> doubts = from.warnings();
        this.tokenizer = source.tokenizer(vocabulary(), architecture.usesBundledTokenizer(), from.config(), doubts);
        this.warnings = List.copyOf(doubts);
        this.endIds = endIds(source, from.config().path("eos_token_id"));
        this.stored = new StoredWeights(from.again(), Map.of(), parameters);
    }

    /** One that shares all but its layers with another model. */
    private LanguageModel(LanguageModel like, StoredWeights stored, Block[] blocks) {
        this.architecture = like.architecture;
        this.source = like.source;
        this.warnings = like.warnings;
        this.body = like.body;
        this.ends = like.ends;
        this.vocabulary = like.vocabulary;
        this.width = like.width;
        this.blocks = blocks;
        this.parameters = like.parameters;
        this.tokenizer = like.tokenizer;
        this.endIds = like.endIds;
        this.stored = stored;
        this.engine = like.engine.of(this);
    }

    /**
     * Opens a model: the name of an embedded one ({@code tiny-mamba}), or of one that {@code environment/fetch} has brought
     * ({@code smollm2-135m}); a folder with config.json and weights, a GGUF file of llama.cpp or a folder with one; or a hub id
     * ({@code state-spaces/mamba-130m-hf}) that lies in the HuggingFace cache. Nothing is downloaded.
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

    /**
     * A model of the sizes that a config.json says, without its weights: random ones stand in their place, the same in each layer. For
     * plans and measurements, not for answers.
     *
     * @param config a config.json, or a folder with one
     * @throws BadData when it is not that of a model
     */
    public static LanguageModel unlearned(Path config) {
        ModelFolder source = ModelFolder.of(Files.isDirectory(config) ? config : config.toAbsolutePath().getParent()).opened();
        JsonNode said = Checkpoint.config(source.folder());
        Architecture architecture = Architectures.reading(said, source.folder());
        Checkpoint like = FreshModel.alike(architecture.sizes(said), source.folder(), said);
        LanguageModel model = architecture.open(Opening.unlearned(architecture, source, like));
        model.warnings.forEach(w -> System.err.println("warning: " + w));
        return model;
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
        Architecture architecture = Architectures.reading(checkpoint.config(), source.folder());
        return architecture.open(new Opening(architecture, source, checkpoint, again, new ArrayList<>(checkpoint.warnings())));
    }

    /** Its weights in f32 by checkpoint name; a tied head once, as the embedding. */
    public Map<String, float[]> weights() {
        Map<String, float[]> all = new LinkedHashMap<>();
        stored.all().forEach(t -> all.put(t.name(), t.floats()));
        return all;
    }

    /**
     * Names of the weights that its layers read as linear maps: those decay in training, both ends of the model, norms, biases,
     * convolutions and rates do not.
     */
    public Set<String> layerMatrices() {
        return parameters.layerMatrices();
    }

    /** Sizes of a weight. */
    public long[] shapeOf(String weight) {
        return stored.open().tensor(weight).shape();
    }

    /** One weight in f32, by its checkpoint name. */
    public float[] weight(String name) {
        return stored.open().tensor(name).floats();
    }

    /** How its files store a weight. */
    public DType storedAs(String weight) {
        return stored.dtype(weight);
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
        int layer = parameters.layerOf(weight).orElseThrow(() -> new BadRequest("", "'" + weight + "' is no weight of a layer"));
        StoredWeights changed = stored.with(weight, values);
        Block[] now = blocks.clone();
        now[layer] = body.block(layer, new Weights(changed.open()));
        return new LanguageModel(this, changed, now);
    }

    /** This model with other weights, as {@link #weights} gives them. */
    public LanguageModel with(Map<String, float[]> weights) {
        Checkpoint before = stored.open();
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        weights.forEach((n, v) -> tensors.put(n, Tensor.of(n, v, before.tensor(n).shape())));
        Checkpoint changed = before.with(tensors);
        return of(source, changed, () -> changed);
    }

    /**
     * Writes the model to a folder in HuggingFace's layout, f32: model.safetensors, config.json and, where there are, its tokenizer's
     * files; beside them recall.json and the relations that it has of its own. One tensor after another: beside the model itself one is in
     * memory.
     * Opened again, it gives the same numbers as this model with its weights widened to f32, and is asked and edited the same way.
     *
     * @throws BadData when the folder holds other relations than the model's own
     * @throws java.io.UncheckedIOException when it cannot be written
     */
    public void save(Path folder) {
        stored.save(folder, body, source, false);
    }

    /**
     * The same in the formats that its own files have, as large as these: weights that stand in the place of theirs are rounded to the
     * nearest numbers there.
     *
     * @throws BadData when the folder holds other relations than the model's own
     * @throws java.io.UncheckedIOException when it cannot be written
     */
    public void saveAsStored(Path folder) {
        stored.save(folder, body, source, true);
    }

    /**
     * Refuses a folder that a request may not save this model to.
     *
     * @throws BadData when it is the model's own, or holds other relations than the model's
     */
    public void requireSavable(Path folder) {
        source.requireSavable(folder);
    }

    /** The name here of a weight that has this name in HuggingFace's layout. */
    String storedName(String publicName) {
        return body.storedName(publicName);
    }

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

    /** Names of the models that {@code environment/fetch} gets, there or not. */
    public static List<String> fetchable() {
        return Fetchable.names();
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
        stored.open().replaced().forEach((name, tensor) -> all.put(name, tensor::floats));
        return all;
    }

    /** What decides how it is asked and edited. */
    public ModelFacts facts() {
        return source.facts();
    }

    /** What it is one of: {@code Mamba}, {@code GPT-NeoX}. */
    public String family() {
        return architecture.family();
    }

    /** Number of layers, L. */
    public int layers() {
        return blocks.length;
    }

    /**
     * Token rows that it and models made of it have computed since it was opened; a row is one token through one layer, and those of
     * gradients do not count.
     */
    public long rows() {
        return engine.rows();
    }

    /** Its first layers alone, with both ends: as quick a layer as the whole model, for measurements. */
    public LanguageModel first(int layers) {
        return new LanguageModel(this, stored, Arrays.copyOf(blocks, Check.whole("layers", layers, 1, blocks.length)));
    }

    /** Width of the residual stream, d. */
    public int width() {
        return width;
    }

    /** Number of parameters, a tied head counted once. */
    public long parameters() {
        return stored.all().stream().mapToLong(Tensor::size).sum();
    }

    /** What is doubtful about its files: what tensors contradict, what nobody reads; each one sentence. */
    public List<String> warnings() {
        return warnings;
    }

    /** Rows of the embedding, V: ids are 0..V-1. */
    public int vocabulary() {
        return vocabulary;
    }

    /** The hook points of this architecture, in the order of computation. */
    public List<HookPoint> points() {
        return architecture.points();
    }

    /** Those that experiments set side by side: the components, and what enters the mixer of tokens. */
    public List<HookPoint> components() {
        return points().stream().filter(p -> p.role() == HookPoint.Role.COMPONENT || p.role() == HookPoint.Role.MIXER_INPUT).toList();
    }

    /** The matrices that rank-one editing changes. */
    public List<EditableMatrix> matrices() {
        return architecture.matrices();
    }

    /** The first of {@link #matrices} that writes to the residual stream. */
    public EditableMatrix outputMatrix() {
        return matrices().stream().filter(m -> m.value().addedAt().equals(HookPoint.RESID_POST)).findFirst().orElse(matrices().get(0));
    }

    /** How its tokens read each other. */
    public Mixing mixing() {
        return architecture.mixing();
    }

    /** How the paper's settings carry over to it. */
    public Profile profile() {
        return architecture.profile();
    }

    /**
     * Numbers that one token has at a point; of a point without a value for each token, all that it has.
     *
     * @throws BadRequest when this architecture has no such point
     */
    public int width(HookPoint point) {
        requirePoint(point);
        if (point.equals(HookPoint.LOGITS)) {
            return vocabulary();
        }
        return point.isGlobal() || point.role() == HookPoint.Role.STREAM ? width() : body.sizes().width(point);
    }

    /** Heads that a token's numbers at a point belong to, one after another; 0 where they are one vector. */
    public int heads(HookPoint point) {
        return body.sizes().heads(point);
    }

    /** The natural shape of what a token has at a point of a layer's memory, outermost size first: its numbers stand in that order. */
    public long[] stateShape(HookPoint point) {
        requirePoint(point);
        return body.sizes().state(point);
    }

    /** The points that a fork or a continuation needs of its base, in every layer. */
    List<HookPoint> statePoints() {
        return blocks[0].statePoints();
    }

    /** One of its layers, for what an architecture asks of its own. */
    public Block block(int layer) {
        return blocks[layer];
    }

    /** Its final norm. */
    Norm finalNorm() {
        return ends.finalNorm();
    }

    /** A kept point as it is given out. */
    Activation shaped(int layer, HookPoint point, float[] values, int tokens) {
        String name = point.name(layer);
        if (!point.isPerToken()) {
            return body.sizes().whole(name, point, values, tokens);
        }
        if (point.isState()) {
            return new Activation(name, LongStream.concat(LongStream.of(tokens), LongStream.of(stateShape(point))).toArray(),
                    Arrays.copyOf(values, tokens * width(point)));
        }
        int heads = point.isGlobal() ? 0 : heads(point);
        if (heads == 0) {
            return new Activation(name, new long[] {tokens, width(point)}, Arrays.copyOf(values, tokens * width(point)));
        }
        int width = width(point) / heads;
        float[] byHead = new float[tokens * width(point)];
        for (int t = 0; t < tokens; t++) {
            for (int h = 0; h < heads; h++) {
                System.arraycopy(values, (t * heads + h) * width, byHead, (h * tokens + t) * width, width);
            }
        }
        return new Activation(name, new long[] {heads, tokens, width}, byHead);
    }

    String embeddingName() {
        return ends.embedding().name();
    }

    /** The name of what is added to the embedding at each position, where there is such a table. */
    Optional<String> positionsName() {
        return Optional.ofNullable(ends.positions()).map(Tensor::name);
    }

    /** The head's name, that of the embedding when it is tied. */
    String headName() {
        return ends.headName();
    }

    /** Writes gradients of weights in the checkpoint's layout to {@code stored}; see {@link Weights.Parameters#asStored}. */
    void asStored(Map<String, float[]> raw, Map<String, float[]> stored) {
        parameters.asStored(raw, stored);
    }

    /** Takes on other weights in place, all but the embedding: only for a model in f32 that nobody else has. */
    void take(Map<String, float[]> weights) {
        parameters.take(weights);
    }

    /** dNormed = dLogits W of the head. */
    void headBackward(float[] dLogits, int at, int count, float[] dNormed, int dAt) {
        ends.head().transposed().multiply(dLogits, at, vocabulary(), count, dNormed, dAt, width());
    }

    /** Refuses a pass that kept too little for gradients, left edges out, or had its states changed. */
    void requireTape(Pass pass) {
        for (Pass p = pass; p != null; p = p.base()) {
            if (p.changes().stream().anyMatch(c -> c instanceof Intervention.Cut)) {
                throw new BadRequest("", "gradients do not go through a pass with cut edges; take them of a pass without");
            }
            p.requireOwnMemory("gradients");
        }
        for (HookPoint p : block(0).tapePoints()) {
            if (!pass.has(layers() - 1, p)) {
                throw new BadRequest("", "gradients need a pass that was run with Recording.gradients()");
            }
        }
    }

    /** Refuses points at which no gradient is taken. */
    void requireGradients(boolean[][] keep) {
        for (int l = 0; keep != null && l < layers(); l++) {
            for (HookPoint p : points()) {
                if (p.isState() && keep[l][p.number()]) {
                    List<String> others = points().stream().filter(o -> o.kind() == HookPoint.Kind.TOKEN).map(HookPoint::id).toList();
                    throw new BadRequest("", p.name(l) + ": no gradient is taken at a layer's memory; take it at one of "
                            + String.join(", ", others));
                }
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

    /** A token as text; its id where the model has no tokenizer. */
    String token(int id) {
        return tokenizer.map(t -> t.token(id)).orElse("#" + id);
    }

    /** The tokens of a prompt as text, the subject's with a star. */
    List<String> marked(Prompt prompt) {
        return IntStream.range(0, prompt.length()).mapToObj(t -> token(prompt.ids()[t])
                + (prompt.hasSubject() && t >= prompt.subjectStart() && t < prompt.subjectEnd() ? " *" : "")).toList();
    }

    /** A prompt's tokens as a table; a star marks the subject's. */
    public Table tokens(Prompt prompt) {
        List<List<Object>> rows = new ArrayList<>();
        for (int i = 0; i < prompt.length(); i++) {
            int id = prompt.ids()[i];
            boolean subject = prompt.hasSubject() && i >= prompt.subjectStart() && i < prompt.subjectEnd();
            rows.add(List.of(i, token(id), id, subject ? "*" : ""));
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
        finalNorm().forward(rows, 0, residuals.length, normed, 0);
        float[][] logits = new float[residuals.length][vocabulary()];
        for (int i = 0; i < residuals.length; i++) {
            ends.head().multiply(normed, i * width(), width(), 1, logits[i], 0, vocabulary());
        }
        return logits;
    }

    /**
     * The logit lens: what the residual stream is read as at each token after each layer, for the token that the model says next.
     *
     * @throws Unsolvable when the logits are not finite
     */
    public LensReading lens(String text) {
        return lens(prompt(text));
    }

    /** The same of a prompt, whose subject is marked. */
    public LensReading lens(Prompt prompt) {
        return lens(prompt, next(prompt).id(0));
    }

    /**
     * The same for another token.
     *
     * @throws BadRequest when the answer is no token
     */
    public LensReading lens(Prompt prompt, int answer) {
        return LensReading.of(this, prompt, Check.whole("answer", answer, 0, vocabulary() - 1));
    }

    /**
     * How much each token of a text surprised the model after those before it, in bits.
     *
     * @throws Unsolvable when the logits are not finite
     */
    public Surprisal surprisal(String text) {
        return surprisal(prompt(text));
    }

    /** The same of a prompt, whose subject is marked. */
    public Surprisal surprisal(Prompt prompt) {
        return Surprisal.of(this, prompt);
    }

    /**
     * Direct logit attribution: what each layer's parts add to the logit of the token that the model says next after a text, above that of
     * what it says after another.
     *
     * @throws Unsolvable when the logits are not finite
     */
    public LogitAttribution attribution(String text, String other) {
        Prompt prompt = prompt(text);
        return LogitAttribution.of(this, prompt, next(prompt).id(0), next(other).id(0));
    }

    /** What this model and another say after a text, side by side. */
    public Compared compare(LanguageModel other, String text) {
        return new Compared(this, other, text);
    }

    /**
     * How the model goes on after a text, greedily: up to so many tokens, or to its end-of-sequence token.
     *
     * @throws BadRequest when the text or the number does not fit
     * @throws Unsolvable when logits are not finite
     */
    public Generation generate(String text, int tokens) {
        return generate(prompt(text), tokens, Sampling.greedy(), List.of(), done -> { });
    }

    /**
     * The same by another choice of tokens, with interventions. Those at one token stay in force by what later tokens read of it; those
     * at all tokens are made at every new token too. A new token is computed from kept states: the numbers are those of whole runs.
     *
     * @param done told how many tokens there are so far
     * @throws BadRequest when the number or an intervention does not fit, or prompt and tokens are longer than the model reads
     * @throws Unsolvable when logits are not finite
     */
    public Generation generate(Prompt prompt, int tokens, Sampling how, List<Intervention> changes, IntConsumer done) {
        return Generation.of(this, prompt, tokens, how, changes, done);
    }

    private static Optional<Set<Integer>> endIds(ModelFolder source, JsonNode said) {
        if (said.isMissingNode()) {
            return Optional.empty();
        }
        Set<Integer> ids = new HashSet<>();
        for (JsonNode id : said.isNull() ? List.<JsonNode>of() : said.isArray() ? said : List.of(said)) {
            if (!id.isIntegralNumber() || !id.canConvertToInt()) {
                throw new BadData(source.folder(), "config.json has eos_token_id = " + Said.of(said.toString())
                        + ", expected a token id, or a list of them");
            }
            ids.add(id.asInt());
        }
        return Optional.of(ids);
    }

    /** Where generation stops: at what config.json says, or else at the tokenizer's end of text, which is not asked for before. */
    Set<Integer> endIds() {
        return endIds.orElseGet(() -> tokenizer.flatMap(Tokenizer::endOfTextIfAny).map(Set::of).orElse(Set.of()));
    }

    Pass resume(Pass base, int[] longer, List<Intervention> ongoing, int most) {
        Run run = Run.continued(base, longer, ongoing, Recording.states().table(this), 1);
        float[][] last = last(List.of(run));
        return Pass.joined(this, run, last[0], most);
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

    /**
     * What enters the first layer, [tokens, width], positions included: nothing is run.
     *
     * @throws BadRequest when there is no id, or one outside the vocabulary
     */
    public float[][] embeddings(int... ids) {
        checked(ids);
        float[] rows = new float[ids.length * width()];
        embed(ids, 0, ids.length, rows, 0);
        return IntStream.range(0, ids.length).mapToObj(t -> Arrays.copyOfRange(rows, t * width(), (t + 1) * width()))
                .toArray(float[][]::new);
    }

    /** Embeddings of the ids from a token on, positions included. */
    void embed(int[] ids, int from, int tokens, float[] to, int at) {
        int d = width();
        for (int t = 0; t < tokens; t++) {
            ends.embedding().read((long) ids[from + t] * d, to, at + t * d, d);
        }
        if (ends.positions() != null) {
            float[] added = new float[tokens * d];
            ends.positions().read((long) from * d, added, 0, added.length);
            Elementwise.add(added, 0, to, at, added.length);
        }
    }

    /** Refuses a prompt that is longer than the model reads. */
    void requireLength(int tokens) {
        body.reach().filter(r -> tokens > r.tokens()).ifPresent(r -> {
            throw new BadRequest("", tokens + " tokens: " + name() + " reads at most " + r.tokens() + ", where "
                    + r.because() + " ends");
        });
    }

    /** Logits of normed rows, [count, V]. */
    void logits(float[] normed, int count, float[] logits) {
        ends.head().multiply(normed, 0, width(), count, logits, 0, vocabulary());
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
        for (int i = 0; i < vocabulary(); i++) {
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
