package lab.recall.knockout;

import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import lab.recall.base.BadRequest;
import lab.recall.base.Digest;
import lab.recall.facts.Documents;
import lab.recall.facts.Relations;
import lab.recall.model.HookPoint;
import lab.recall.model.LanguageModel;
import lab.recall.study.ModelCard;
import lab.recall.study.Runner;
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
 *
 * @param model     the model that read them
 * @param documents how many
 * @param means     [layer][width] of each point
 */
public record MeanActivations(ModelCard model, int documents, Map<HookPoint, float[][]> means) {
    static final int TOKENS = 128;

    public MeanActivations {
        means = Collections.unmodifiableMap(new LinkedHashMap<>(means));
    }

    /**
     * Of documents as token ids, with a progress bar; longer ones are cut off.
     *
     * @throws BadRequest if there is no document, or one without tokens
     */
    public static MeanActivations of(LanguageModel model, List<int[]> documents, HookPoint... points) {
        return of(model, documents, Runner.shown(), points);
    }

    /**
     * The same with a runner's progress; what was summed before is taken from its store.
     *
     * @throws BadRequest if there is no document, or one without tokens
     */
    public static MeanActivations of(LanguageModel model, List<int[]> documents, Runner runner, HookPoint... points) {
        if (documents.isEmpty()) {
            throw new BadRequest("documents", "none, expected at least one");
        }
        for (int i = 0; i < documents.size(); i++) {
            if (documents.get(i).length == 0) {
                throw new BadRequest("documents[" + i + "]", "no token, expected at least one");
            }
        }
        return runner.run(new MeansStudy(), model, new MeansStudy.Asked(List.of(points), List.copyOf(documents)));
    }

    /**
     * The mean in a layer, [width].
     *
     * @throws BadRequest if the point was not averaged
     */
    public float[] get(int layer, HookPoint point) {
        return of(point)[layer].clone();
    }

    private float[][] of(HookPoint point) {
        float[][] all = means.get(point);
        if (all == null) {
            throw new BadRequest("means", "without " + point.id() + ", which was not averaged; ask for it in MeanActivations.of");
        }
        return all;
    }

    /** Refuses what was found on a model of other sizes. */
    void requireFits(LanguageModel asked, HookPoint point) {
        if (of(point).length != asked.layers() || of(point)[0].length != asked.width(point)) {
            throw new BadRequest("means", "of " + model.name() + ", expected those of " + asked.name() + ", which has other sizes");
        }
    }

    /** Of the means of a point: what work that reads them depends on. */
    String digest(HookPoint point) {
        Digest digest = new Digest();
        for (float[] layer : of(point)) {
            digest.add(layer);
        }
        return digest.hex();
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

    @Override
    public boolean equals(Object other) {
        return other instanceof MeanActivations m && model.equals(m.model) && documents == m.documents
                && means.keySet().equals(m.means.keySet())
                && means.entrySet().stream().allMatch(e -> Arrays.deepEquals(e.getValue(), m.means.get(e.getKey())));
    }

    @Override
    public int hashCode() {
        return Objects.hash(model, documents, means.keySet());
    }

    @Override
    public String toString() {
        String points = means.keySet().stream().map(HookPoint::id).collect(Collectors.joining(", "));
        return "means of " + points + " over " + documents + " documents, " + model.name();
    }
}
