package lab.recall.edit;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import lab.recall.base.Progress;
import lab.recall.checkpoint.SafeTensors;
import lab.recall.checkpoint.Tensor;
import lab.recall.facts.Documents;
import lab.recall.facts.Relations;
import lab.recall.model.HookPoint;
import lab.recall.model.LanguageModel;
import lab.recall.model.Pass;
import lab.recall.model.Recording;
import lab.recall.view.ProgressBar;

/**
 * Second moments of the keys of several layers and matrices, collected over text together.
 *
 * <pre>{@code
 * var moments = SecondMoments.of(mamba, List.of(2), EditMatrix.all(mamba)).over(SecondMoments.texts(mamba, 400, seed));
 * moments.of(2, W_O).tokens()
 * moments.keptIn(file).over(Documents.read(Path.of("wiki.jsonl")))   // streamed; goes on where it stopped
 * }</pre>
 *
 * A text is cut off after {@value #TOKENS} tokens. Source: the reference code of Meng et al., arXiv 2202.05262.
 */
public final class SecondMoments {
    /** Texts that are read when nobody says how many. */
    public static final int DOCUMENTS = 400;
    static final int TOKENS = 2048;
    private static final int BATCH = 6144;
    private static final int WRITE_EVERY = 500;
    private static final String COUNTS = "documents_and_tokens";
    private static final String MODEL_SUM = "sha256_of_model";
    private static final String TEXTS_SUM = "sha256_of_texts";

    private final LanguageModel model;
    private final Map<String, SecondMoment> moments = new LinkedHashMap<>();
    private Path file;
    private Map<String, Tensor> others = Map.of();
    private String textsSum = new CheckSum().hex();
    private long documents;
    private long tokens;

    private SecondMoments(LanguageModel model) {
        this.model = model;
    }

    /** Of nothing yet, for all layers and matrices. */
    public static SecondMoments of(LanguageModel model) {
        return of(model, IntStream.range(0, model.layers()).boxed().toList(), EditMatrix.all(model));
    }

    /** Of nothing yet, for these layers and matrices; matrices with the same key share theirs. */
    public static SecondMoments of(LanguageModel model, List<Integer> layers, List<EditMatrix> matrices) {
        SecondMoments all = new SecondMoments(model);
        for (int l : layers) {
            for (EditMatrix m : matrices) {
                all.moments.computeIfAbsent(m.key().name(l), n -> SecondMoment.empty(model.width(m.key())));
            }
        }
        return all;
    }

    /** Texts made of the facts that belong to a model. */
    public static Stream<String> texts(LanguageModel model, int count, long seed) {
        return Documents.of(Documents.corpus(Relations.of(model)), count, seed).stream();
    }

    /**
     * Keeps what is collected in a safetensors file, and goes on from what is there: sums of k k' and, as I64, documents and tokens. What it
     * holds must be of this model, and when texts are read, of these texts; sums of more layers than are asked for stay in it.
     */
    public SecondMoments keptIn(Path safetensors) {
        file = safetensors;
        if (!Files.exists(file)) {
            return this;
        }
        Map<String, Tensor> kept;
        try {
            kept = new LinkedHashMap<>(SafeTensors.read(file));
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("moments: " + e.getMessage(), e);
        }
        Map<String, String> said = SafeTensors.metadata(file);
        Tensor counts = kept.get(COUNTS);
        if (counts == null || counts.size() != 2 || !said.containsKey(MODEL_SUM) || !said.containsKey(TEXTS_SUM)) {
            throw new IllegalArgumentException("moments: " + file + " is no file of second moments; collect into another file");
        }
        if (!said.get(MODEL_SUM).equals(CheckSum.of(model))) {
            throw new IllegalArgumentException("moments: " + file + " was collected on another model than this " + model.name() + " ("
                    + said.get("model") + "); collect into another file");
        }
        for (Map.Entry<String, SecondMoment> m : moments.entrySet()) {
            Tensor t = kept.get(m.getKey());
            int n = m.getValue().size();
            if (t == null || !Arrays.equals(t.shape(), new long[] {n, n})) {
                throw new IllegalArgumentException("moments: " + file + " holds no sums of " + m.getKey() + " of width " + n + "; collect into another file");
            }
        }
        documents = counts.longs()[0];
        tokens = counts.longs()[1];
        textsSum = said.get(TEXTS_SUM);
        moments.replaceAll((name, m) -> new SecondMoment(m.size(), kept.get(name).doubles(), tokens));
        kept.remove(COUNTS);
        kept.keySet().removeAll(moments.keySet());
        others = kept;
        return this;
    }

    /** Sums of other layers in the file grow with the ones asked for: they share the count of texts. */
    private void takeOthers() {
        others.forEach((name, t) -> moments.put(name, new SecondMoment((int) t.shape()[0], t.doubles(), tokens)));
        others = Map.of();
    }

    private void write() {
        if (file != null) {
            List<Tensor> all = new ArrayList<>();
            moments.forEach((name, m) -> all.add(Tensor.of(name, m.sum(), m.size(), m.size())));
            all.add(Tensor.of(COUNTS, new long[] {documents, tokens}, 2));
            SafeTensors.write(file, all, Map.of("what", "sums of k k' over tokens, upper triangles", "model", model.name(), MODEL_SUM, CheckSum.of(model),
                    TEXTS_SUM, textsSum));
        }
    }

    /** Reads texts, with a progress bar. */
    public SecondMoments over(Stream<String> texts) {
        return over(texts, Long.MAX_VALUE, ProgressBar.progress());
    }

    /** Reads texts until they end or {@code most} of them are read, those of an earlier run included; these are passed over. Closes the stream. */
    public SecondMoments over(Stream<String> texts, long most, Progress progress) {
        try (texts) {
            if (documents > most) {
                throw new IllegalArgumentException("documents: " + most + ", but there are sums over " + documents + " texts already"
                        + (file == null ? "" : " in " + file));
            }
            read(texts.iterator(), most, progress);
        }
        if (tokens == 0) {
            throw new IllegalArgumentException("texts: none, expected at least one");
        }
        return this;
    }

    private void read(Iterator<String> texts, long most, Progress progress) {
        progress.start("second moments", "texts", most == Long.MAX_VALUE ? 0 : most);
        CheckSum sum = new CheckSum();
        for (long passed = 0; passed < documents && texts.hasNext(); passed++) {
            sum.add(texts.next());
        }
        if (!sum.hex().equals(textsSum)) {
            throw new IllegalArgumentException("texts: others than the " + documents + " whose sums are there already"
                    + (file == null ? "" : " in " + file + "; collect into another file"));
        }
        long written = documents;
        List<int[]> batch = new ArrayList<>();
        int rows = 0;
        while (documents + batch.size() < most && texts.hasNext()) {
            takeOthers();
            String text = texts.next();
            int[] ids = model.requireTokenizer().encode(text, true).ids();
            ids = Arrays.copyOf(ids, Math.min(ids.length, TOKENS));
            if (rows + ids.length > BATCH && !batch.isEmpty()) {
                add(batch, sum);
                batch.clear();
                rows = 0;
                progress.to(documents);
                if (documents - written >= WRITE_EVERY) {
                    write();
                    written = documents;
                }
            }
            sum.add(text);
            batch.add(ids);
            rows += ids.length;
        }
        add(batch, sum);
        progress.to(documents);
        progress.finish();
        if (documents > written || file != null && !Files.exists(file)) {
            write();
        }
    }

    private void add(List<int[]> batch, CheckSum sum) {
        List<int[]> some = batch.stream().filter(ids -> ids.length > 0).toList();
        if (!some.isEmpty()) {
            List<Pass> passes = model.runAll(some, Recording.of(moments.keySet().toArray(String[]::new)));
            moments.forEach((name, m) -> add(m, name, passes));
            tokens += passes.stream().mapToInt(Pass::length).sum();
        }
        documents += batch.size();
        textsSum = sum.hex();
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

    /** That of a matrix's keys in a layer. */
    public SecondMoment of(int layer, EditMatrix matrix) {
        SecondMoment m = moments.get(matrix.key().name(layer));
        if (m == null) {
            throw new IllegalArgumentException("second moments of " + matrix.key().name(layer) + " were not collected; there are "
                    + String.join(", ", moments.keySet()));
        }
        return m;
    }

    /** How many texts were read. */
    public long documents() {
        return documents;
    }

    /** How many tokens were read. */
    public long tokens() {
        return tokens;
    }
}
