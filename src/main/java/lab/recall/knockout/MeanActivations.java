package lab.recall.knockout;

import java.util.Arrays;
import java.util.List;
import lab.recall.facts.Documents;
import lab.recall.facts.Relations;
import lab.recall.model.HookPoint;
import lab.recall.model.LanguageModel;
import lab.recall.model.Pass;
import lab.recall.model.Recording;
import lab.recall.text.Tokenizer;

/**
 * Mean values of hook points over documents, in every layer: each document is averaged over its tokens, then documents are averaged.
 *
 * <pre>{@code
 * MeanActivations means = MeanActivations.of(mamba, MeanActivations.documents(mamba, 128, seed), IN_X, DELTA);
 * means.get(4, IN_X)                                        // [width]
 * }</pre>
 *
 * Source: arXiv 2404.03646, section 6: the first {@value #TOKENS} tokens of each document, no special token before it.
 */
public final class MeanActivations {
    static final int TOKENS = 128;
    private static final long BYTES = 200L << 20;

    private final LanguageModel model;
    private final int documents;
    private final double[][][] sums;

    private MeanActivations(LanguageModel model, int documents) {
        this.model = model;
        this.documents = documents;
        this.sums = new double[model.layers()][HookPoint.values().length][];
    }

    /** Of documents as token ids; longer ones are cut off. */
    public static MeanActivations of(LanguageModel model, List<int[]> documents, HookPoint... points) {
        if (documents.isEmpty()) {
            throw new IllegalArgumentException("documents: none, expected at least one");
        }
        MeanActivations means = new MeanActivations(model, documents.size());
        long each = 0;
        for (HookPoint p : points) {
            each += (long) model.width(p) * TOKENS * model.layers() * Float.BYTES;
        }
        int together = (int) Math.max(1, Math.min(64, BYTES / Math.max(1, each)));
        for (int from = 0; from < documents.size(); from += together) {
            List<int[]> some = documents.subList(from, Math.min(documents.size(), from + together)).stream()
                    .map(d -> Arrays.copyOf(d, Math.min(d.length, TOKENS))).toList();
            model.runAll(some, Recording.points(points)).forEach(pass -> means.add(pass, points));
        }
        return means;
    }

    private void add(Pass pass, HookPoint... points) {
        for (HookPoint p : points) {
            int width = model.width(p);
            for (int l = 0; l < sums.length; l++) {
                double[] sum = sums[l][p.ordinal()] == null ? new double[width] : sums[l][p.ordinal()];
                float[] values = pass.values(l, p);
                for (int i = 0; i < pass.length() * width; i++) {
                    sum[i % width] += (double) values[i] / pass.length();
                }
                sums[l][p.ordinal()] = sum;
            }
        }
    }

    /** The mean in a layer, [width]. */
    public float[] get(int layer, HookPoint point) {
        double[] sum = sums[layer][point.ordinal()];
        if (sum == null) {
            throw new IllegalArgumentException(point.id() + " was not averaged; ask for it in MeanActivations.of");
        }
        float[] mean = new float[sum.length];
        for (int i = 0; i < mean.length; i++) {
            mean[i] = (float) (sum[i] / documents);
        }
        return mean;
    }

    /** How many documents. */
    public int documents() {
        return documents;
    }

    /** Documents of a few sentences each, made of facts of the relations that belong to a model; the same seed gives the same ones. */
    public static List<int[]> documents(LanguageModel model, int count, long seed) {
        return documents(model, Relations.of(model), count, seed);
    }

    /** Documents of a few sentences each, made of facts of some relations; the same seed gives the same ones. */
    public static List<int[]> documents(LanguageModel model, Relations relations, int count, long seed) {
        Tokenizer tokenizer = model.requireTokenizer();
        return Documents.of(Documents.sentences(relations), count, seed).stream().map(d -> tokenizer.encode(d, false).ids()).toList();
    }
}
