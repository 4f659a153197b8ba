package lab.recall.edit;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import lab.recall.checkpoint.SafeTensors;
import lab.recall.checkpoint.Tensor;
import lab.recall.facts.Documents;
import lab.recall.facts.Relations;
import lab.recall.model.HookPoint;
import lab.recall.model.LanguageModel;
import lab.recall.model.Pass;
import lab.recall.model.Recording;
import lab.recall.request.Progress;

/**
 * Second moments of the keys of several layers and matrices, collected over text together.
 *
 * <pre>{@code
 * var moments = SecondMoments.of(mamba, List.of(2), EditMatrix.all(mamba)).over(SecondMoments.texts(mamba, 400, seed));
 * moments.of(2, W_O).tokens()
 * moments.keptIn(file).over(SecondMoments.texts(Path.of("wiki.jsonl")))   // streamed; goes on where it stopped
 * }</pre>
 *
 * A text is cut off after {@value #TOKENS} tokens. Source: the reference code of Meng et al., arXiv 2202.05262.
 */
public final class SecondMoments {
    static final int TOKENS = 2048;
    private static final int BATCH = 6144;
    private static final int WRITE_EVERY = 500;
    private static final String COUNTS = "documents_and_tokens";
    private static final ObjectMapper JSON = new ObjectMapper();

    private final LanguageModel model;
    private final Map<String, SecondMoment> moments = new LinkedHashMap<>();
    private Path file;
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
    public static Iterator<String> texts(LanguageModel model, int count, long seed) {
        return Documents.of(Documents.corpus(Relations.of(model)), count, seed).iterator();
    }

    /** Texts of a file: one a line, or in a .jsonl file the field {@code text} of each line. Read as they are used. */
    public static Iterator<String> texts(Path file) {
        BufferedReader reader;
        try {
            reader = Files.newBufferedReader(file);
        } catch (IOException e) {
            throw new IllegalArgumentException("texts: " + file + " cannot be read" + (Files.exists(file) ? "" : ": no such file"), e);
        }
        boolean json = file.toString().endsWith(".jsonl");
        Iterator<String> lines = reader.lines().filter(line -> !line.isBlank()).iterator();
        return new Iterator<>() {
            private long line;

            @Override
            public boolean hasNext() {
                try {
                    return lines.hasNext();
                } catch (UncheckedIOException e) {
                    throw new IllegalArgumentException("texts: " + file + " is not UTF-8 text", e);
                }
            }

            @Override
            public String next() {
                String text = lines.next();
                line++;
                return json ? field(file, line, text) : text;
            }
        };
    }

    private static String field(Path file, long line, String text) {
        try {
            JsonNode said = JSON.readTree(text).required("text");
            if (said.isTextual()) {
                return said.asText();
            }
            throw new IllegalArgumentException("text: " + said);
        } catch (JsonProcessingException | IllegalArgumentException e) {
            throw new IllegalArgumentException("texts: line " + line + " of " + file + " is no JSON object with a text", e);
        }
    }

    /** Keeps what is collected in a safetensors file, and goes on from what is there: sums of k k' and, as I64, documents and tokens. */
    public SecondMoments keptIn(Path safetensors) {
        file = safetensors;
        if (Files.exists(file)) {
            Map<String, Tensor> kept = SafeTensors.read(file);
            for (Map.Entry<String, SecondMoment> m : moments.entrySet()) {
                Tensor t = kept.get(m.getKey());
                int n = m.getValue().size();
                if (t == null || !Arrays.equals(t.shape(), new long[] {n, n}) || kept.get(COUNTS) == null) {
                    throw new IllegalArgumentException(file + ": holds no sums of " + m.getKey() + " of width " + n + "; collect into another file");
                }
            }
            documents = kept.get(COUNTS).longs()[0];
            tokens = kept.get(COUNTS).longs()[1];
            moments.replaceAll((name, m) -> new SecondMoment(m.size(), kept.get(name).doubles(), tokens));
        }
        return this;
    }

    private void write() {
        if (file != null) {
            List<Tensor> all = new ArrayList<>();
            moments.forEach((name, m) -> all.add(Tensor.of(name, m.sum(), m.size(), m.size())));
            all.add(Tensor.of(COUNTS, new long[] {documents, tokens}, 2));
            SafeTensors.write(file, all, Map.of("model", model.name(), "what", "sums of k k' over tokens, upper triangles"));
        }
    }

    /** Reads texts, with a progress bar. */
    public SecondMoments over(Iterator<String> texts) {
        return over(texts, Long.MAX_VALUE, Progress.bar());
    }

    /** Reads texts until they end or {@code most} of them are read, those of an earlier run included; these are passed over. */
    public SecondMoments over(Iterator<String> texts, long most, Progress progress) {
        progress.start("second moments", "texts", most == Long.MAX_VALUE ? 0 : most);
        for (long passed = 0; passed < documents && texts.hasNext(); passed++) {
            texts.next();
        }
        long written = documents;
        List<int[]> batch = new ArrayList<>();
        int rows = 0;
        while (texts.hasNext() && documents + batch.size() < most) {
            int[] ids = model.requireTokenizer().encode(texts.next(), true).ids();
            ids = Arrays.copyOf(ids, Math.min(ids.length, TOKENS));
            if (rows + ids.length > BATCH && !batch.isEmpty()) {
                add(batch);
                batch.clear();
                rows = 0;
                progress.to(documents);
                if (documents - written >= WRITE_EVERY) {
                    write();
                    written = documents;
                }
            }
            batch.add(ids);
            rows += ids.length;
        }
        add(batch);
        progress.to(documents);
        progress.finish();
        if (documents > written || file != null && !Files.exists(file)) {
            write();
        }
        if (tokens == 0) {
            throw new IllegalArgumentException("texts: none, expected at least one");
        }
        return this;
    }

    private void add(List<int[]> batch) {
        List<int[]> some = batch.stream().filter(ids -> ids.length > 0).toList();
        if (!some.isEmpty()) {
            List<Pass> passes = model.runAll(some, Recording.of(moments.keySet().toArray(String[]::new)));
            moments.forEach((name, m) -> add(m, name, passes));
            tokens += passes.stream().mapToInt(Pass::length).sum();
        }
        documents += batch.size();
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
