package lab.recall.edit;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongConsumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import lab.recall.base.BadRequest;
import lab.recall.base.Digest;
import lab.recall.base.Interruption;
import lab.recall.base.Progress;
import lab.recall.checkpoint.SafeTensors;
import lab.recall.checkpoint.Tensor;
import lab.recall.model.EditableMatrix;
import lab.recall.model.HookPoint;
import lab.recall.model.LanguageModel;
import lab.recall.model.Pass;
import lab.recall.model.Recording;
import lab.recall.study.Cost;
import lab.recall.study.ModelCard;
import lab.recall.study.Runner;

/**
 * Second moments of the keys of several layers and matrices, collected over text together.
 *
 * <pre>{@code
 * var moments = SecondMoments.of(mamba, List.of(2), mamba.matrices()).over(SecondMoments.texts(mamba, 400, seed));
 * moments.of(2, W_O).tokens()
 * moments.keptIn(file).over(MomentTexts.file(Path.of("wiki.jsonl")))   // streamed; goes on where it stopped
 * }</pre>
 *
 * Immutable: collecting gives second moments of their own. What was collected once over the same texts is taken from the user's store,
 * unless a file keeps it. A text is cut off after {@value #TOKENS} tokens. Source: the reference code of Meng et al., arXiv 2202.05262.
 */
public final class SecondMoments {
    /** Texts that are read when nobody says how many. */
    public static final int DOCUMENTS = 400;
    static final int TOKENS = 2048;
    private static final int BATCH = 6144;
    private static final int WRITE_EVERY = 500;
    private static final String COUNTS = "documents_and_tokens";
    private static final String MODEL = "model";
    private static final String MODEL_DIGEST = "model_digest";
    /** Stood for a model in earlier files, by some of its numbers alone. */
    private static final String EARLIER = "sha256_of_model";
    private static final String TEXTS_DIGEST = "sha256_of_texts";

    private final LanguageModel model;
    /** Keys by the names of their hook points, with their widths. */
    private final Map<String, Integer> keys;
    /** Of each key; of none while nothing was read. */
    private final Map<String, SecondMoment> moments;
    /** Where it is kept; null for nowhere. */
    private final Path file;
    /** Sums in the file of layers that nobody asked for: they grow with the others, since all share the count of texts. */
    private final Map<String, Tensor> others;
    private final Count count;

    /**
     * What was read.
     *
     * @param texts their digest
     */
    private record Count(long documents, long tokens, String texts) {
        static final Count NOTHING = new Count(0, 0, new Digest().hex());
    }

    private SecondMoments(LanguageModel model, Map<String, Integer> keys, Map<String, SecondMoment> moments,
            Path file, Map<String, Tensor> others, Count count) {
        this.model = model;
        this.keys = keys;
        this.moments = moments;
        this.file = file;
        this.others = others;
        this.count = count;
    }

    /** Of nothing yet, for all layers and matrices. */
    public static SecondMoments of(LanguageModel model) {
        return of(model, IntStream.range(0, model.layers()).boxed().toList(), model.matrices());
    }

    /** Of nothing yet, for these layers and matrices; matrices with the same key share theirs. */
    public static SecondMoments of(LanguageModel model, List<Integer> layers, List<EditableMatrix> matrices) {
        Map<String, Integer> keys = new LinkedHashMap<>();
        for (int l : layers) {
            for (EditableMatrix m : matrices) {
                keys.put(m.key().name(l), model.width(m.key()));
            }
        }
        return empty(model, keys);
    }

    /** Of nothing yet, for keys by the names of their hook points, with their widths. */
    static SecondMoments empty(LanguageModel model, Map<String, Integer> keys) {
        return new SecondMoments(model, keys, Map.of(), null, Map.of(), Count.NOTHING);
    }

    /** Of what was collected before. */
    static SecondMoments of(LanguageModel model, Map<String, Integer> keys, Map<String, SecondMoment> moments,
            long documents, long tokens, String texts) {
        return new SecondMoments(model, keys, moments, null, Map.of(), new Count(documents, tokens, texts));
    }

    /** Texts made of the facts that belong to a model. */
    public static MomentTexts texts(LanguageModel model, int count, long seed) {
        return MomentTexts.of(model, count, seed);
    }

    /** What a file holds. */
    private record Kept(Map<String, Tensor> tensors, Count count) {
    }

    /**
     * Keeps what is collected in a safetensors file, and goes on from what is there: sums of k k' and, as I64, documents and tokens. What
     * it holds must be of this model, and when texts are read, of these texts; sums of more layers than are asked for stay in it.
     *
     * @throws BadRequest if the file is another one, or was collected on another model
     */
    public SecondMoments keptIn(Path safetensors) {
        if (!Files.exists(safetensors)) {
            return new SecondMoments(model, keys, moments, safetensors, Map.of(), count);
        }
        Kept kept = kept(safetensors);
        Map<String, SecondMoment> all = new LinkedHashMap<>();
        keys.forEach((name, size) -> all.put(name, new SecondMoment(size, kept.tensors.get(name).doubles(), kept.count.tokens)));
        Map<String, Tensor> rest = new LinkedHashMap<>(kept.tensors);
        rest.remove(COUNTS);
        rest.keySet().removeAll(all.keySet());
        return new SecondMoments(model, keys, all, safetensors, rest, kept.count);
    }

    /** Refuses a file of sums or of texts that cannot be used; either may be null. */
    void requireSources(String safetensors, String texts) {
        if (safetensors != null) {
            Path file = Path.of(safetensors);
            if (Files.exists(file)) {
                kept(file);
            }
        }
        if (texts != null) {
            MomentTexts.file(Path.of(texts)).require();
        }
    }

    private Kept kept(Path safetensors) {
        Map<String, Tensor> tensors;
        Map<String, String> said;
        try {
            tensors = SafeTensors.read(safetensors);
            said = SafeTensors.metadata(safetensors);
        } catch (IllegalArgumentException e) {
            throw new BadRequest("moments", e.getMessage(), e);
        }
        Tensor counts = tensors.get(COUNTS);
        if (counts == null || counts.size() != 2
                || !said.containsKey(TEXTS_DIGEST) || (!said.containsKey(MODEL_DIGEST) && !said.containsKey(EARLIER))) {
            throw new BadRequest("moments", safetensors + " is no file of second moments; collect into another file");
        }
        if (!said.containsKey(MODEL_DIGEST)) {
            throw new BadRequest("moments", safetensors
                    + " was written by an earlier form of this program, which did not say all of the model that it"
                    + " was collected on; collect into another file");
        }
        if (!said.get(MODEL_DIGEST).equals(ModelCard.of(model).digest())) {
            throw new BadRequest("moments", safetensors
                    + " was collected on another model than this " + model.name() + " (" + said.get(MODEL)
                    + "); collect into another file");
        }
        keys.forEach((name, size) -> {
            Tensor t = tensors.get(name);
            if (t == null || !Arrays.equals(t.shape(), new long[] {size, size})) {
                throw new BadRequest("moments", safetensors + " holds no sums of " + name
                        + " of width " + size + "; collect into another file");
            }
        });
        return new Kept(tensors, new Count(counts.longs()[0], counts.longs()[1], said.get(TEXTS_DIGEST)));
    }

    private void write() {
        if (file != null) {
            List<Tensor> all = new ArrayList<>();
            moments.forEach((name, m) -> all.add(Tensor.of(name, m.sum(), m.size(), m.size())));
            all.add(Tensor.of(COUNTS, new long[] {count.documents, count.tokens}, 2));
            SafeTensors.write(file, all, Map.of("what", "sums of k k' over tokens, upper triangles", MODEL, model.name(), MODEL_DIGEST,
                    ModelCard.of(model).digest(), TEXTS_DIGEST, count.texts));
        }
    }

    /** Reads texts, with a progress bar; what was collected over them before is taken from the user's store. */
    public SecondMoments over(MomentTexts texts) {
        return over(texts, Runner.shown());
    }

    /**
     * Reads texts, with a runner's progress and store. Those of an earlier run are passed over.
     *
     * @throws BadRequest if there is no text, or what was collected is of others, or of more
     */
    public SecondMoments over(MomentTexts texts, Runner runner) {
        long bytes = keys.values().stream().mapToLong(size -> (long) size * size * Double.BYTES).sum();
        if (runner.isPlan() || (file == null && count.documents == 0 && bytes <= MomentStudy.MOST_BYTES)) {
            return runner.run(new MomentStudy(), model, new MomentStudy.Asked(keys, texts));
        }
        Progress progress = runner.progress();
        progress.start("second moments", "texts", texts.most() == Long.MAX_VALUE ? 0 : texts.most());
        try {
            return read(texts, progress::to);
        } finally {
            progress.finish();
        }
    }

    /** Of collecting sums of keys over texts. */
    static Cost cost(LanguageModel model, Map<String, Integer> keys, MomentTexts texts) {
        Cost cost = Cost.of(model);
        try (Stream<String> all = texts.stream()) {
            all.map(text -> tokens(model, text)).filter(ids -> ids.length > 0).forEach(ids -> cost(cost, keys, ids.length));
        }
        return cost;
    }

    /** Of collecting them over so many texts of so many tokens. */
    public static Cost cost(LanguageModel model, List<EditableMatrix> matrices, int texts, int tokens) {
        Map<String, Integer> keys = of(model, IntStream.range(0, model.layers()).boxed().toList(), matrices).keys;
        return Cost.of(model).times(texts, cost(Cost.of(model), keys, Math.min(tokens, TOKENS)));
    }

    private static Cost cost(Cost cost, Map<String, Integer> keys, int tokens) {
        keys.values().forEach(size -> cost.more(SecondMoment.SUMS, (double) tokens * size * (size + 1)));
        return cost.run(tokens, 1);
    }

    private static int[] tokens(LanguageModel model, String text) {
        int[] ids = model.requireTokenizer().encode(text, true).ids();
        return Arrays.copyOf(ids, Math.min(ids.length, TOKENS));
    }

    /** Reads texts; tells how many are read. */
    SecondMoments read(MomentTexts texts, LongConsumer done) {
        if (count.documents > texts.most()) {
            throw new BadRequest("documents", texts.most() + ", but there are sums over " + count.documents + " texts already"
                    + (file == null ? "" : " in " + file));
        }
        try (Stream<String> all = texts.stream()) {
            return read(all.iterator(), done);
        }
    }

    private SecondMoments read(Iterator<String> texts, LongConsumer done) {
        Digest digest = new Digest();
        for (long passed = 0; passed < count.documents && next(texts); passed++) {
            digest.add(texts.next());
        }
        if (!digest.hex().equals(count.texts)) {
            throw new BadRequest("texts", "others than the " + count.documents + " whose sums are there already"
                    + (file == null ? "" : " in " + file + "; collect into another file"));
        }
        if (!next(texts)) {
            if (count.tokens == 0) {
                throw new BadRequest("texts", "none, expected at least one");
            }
            return this;
        }
        return new Collector(digest).over(texts, done);
    }

    private static boolean next(Iterator<String> texts) {
        try {
            return texts.hasNext();
        } catch (IllegalArgumentException e) {
            throw BadRequest.at("texts", e);
        }
    }

    /** Adds texts to copies of the sums. */
    private final class Collector {
        private final Map<String, SecondMoment> sums = new LinkedHashMap<>();
        private final Digest digest;
        private Count now = count;

        Collector(Digest digest) {
            this.digest = digest;
            keys.forEach((name, size) -> sums.put(name, count.tokens == 0 ? SecondMoment.empty(size) : moments.get(name).copy()));
            others.forEach((name, t) -> sums.put(name, new SecondMoment((int) t.shape()[0], t.doubles(), count.tokens)));
        }

        private SecondMoments found() {
            Map<String, Integer> sizes = new LinkedHashMap<>();
            sums.forEach((name, m) -> sizes.put(name, m.size()));
            return new SecondMoments(model, sizes, sums, file, Map.of(), now);
        }

        SecondMoments over(Iterator<String> texts, LongConsumer done) {
            long written = now.documents;
            List<int[]> batch = new ArrayList<>();
            int rows = 0;
            while (next(texts)) {
                String text = texts.next();
                int[] ids = tokens(model, text);
                if (rows + ids.length > BATCH && !batch.isEmpty()) {
                    add(batch);
                    batch.clear();
                    rows = 0;
                    done.accept(now.documents);
                    if (now.documents - written >= WRITE_EVERY) {
                        found().write();
                        written = now.documents;
                    }
                    Interruption.betweenPieces();
                }
                digest.add(text);
                batch.add(ids);
                rows += ids.length;
            }
            add(batch);
            done.accept(now.documents);
            if (now.tokens == 0) {
                throw new BadRequest("texts", "none, expected at least one");
            }
            SecondMoments found = found();
            found.write();
            return found;
        }

        private void add(List<int[]> batch) {
            List<int[]> some = batch.stream().filter(ids -> ids.length > 0).toList();
            long tokens = now.tokens;
            if (!some.isEmpty()) {
                List<Pass> passes = model.runAll(some, Recording.of(sums.keySet().toArray(String[]::new)));
                sums.forEach((name, m) -> SecondMoments.add(m, name, passes));
                tokens += passes.stream().mapToInt(Pass::length).sum();
            }
            now = new Count(now.documents + batch.size(), tokens, digest.hex());
        }
    }

    private static void add(SecondMoment moment, String name, List<Pass> passes) {
        String[] parts = name.split("\\.");
        int layer = Integer.parseInt(parts[1]);
        HookPoint point = HookPoint.of(parts[2]);
        int count = passes.stream().mapToInt(Pass::length).sum();
        double[] rows = new double[count * moment.size()];
        int at = 0;
        for (Pass p : passes) {
            for (float v : p.values(layer, point)) {
                rows[at++] = v;
            }
        }
        moment.add(rows, count);
    }

    /**
     * That of a matrix's keys in a layer.
     *
     * @throws BadRequest if it was not collected
     */
    public SecondMoment of(int layer, EditableMatrix matrix) {
        return of(matrix.key().name(layer));
    }

    SecondMoment of(String key) {
        SecondMoment m = moments.get(key);
        if (m == null) {
            throw new BadRequest("moments", "those of " + key + " were not collected; there are "
                    + (moments.isEmpty() ? "none" : String.join(", ", moments.keySet())));
        }
        return m;
    }

    /** How many texts were read. */
    public long documents() {
        return count.documents;
    }

    /** How many tokens were read. */
    public long tokens() {
        return count.tokens;
    }

    String textsDigest() {
        return count.texts;
    }
}
