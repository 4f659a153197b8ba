package lab.recall.edit;

import java.util.ArrayList;
import java.util.List;
import java.util.function.LongConsumer;
import lab.recall.base.BadRequest;
import lab.recall.base.Check;
import lab.recall.base.Interruption;
import lab.recall.base.Portions;
import lab.recall.facts.EditRequest;
import lab.recall.model.EditableMatrix;
import lab.recall.model.LanguageModel;
import lab.recall.study.Runner;
import lab.recall.text.Template;

/**
 * Rank-one model editing (ROME) of one matrix in one layer.
 *
 * <pre>{@code
 * var editor = RankOneEditor.of(mamba).at(2, Mamba.W_O);          // second moments from the texts that belong to the model
 * var done = editor.edit(EditRequest.of("{} is located in the city of", "Novux Bridge", "Malpolis"));
 * done.edit().applyTo(mamba).next("Novux Bridge is located in the city of").top(5)
 * done.value()                                               // the losses of the search
 * editor.edit(requests)                                      // many at once, each of the unedited model
 * }</pre>
 *
 * A key k is averaged over context templates, u = C^-1 k / |C^-1 k|, v is found by gradient, and W + (v - W k) / (k u) u' takes k to v. The
 * settings are {@link EditSettings#of}. Immutable: every setting gives an editor of its own. Source: arXiv 2404.03646, section 4; Meng et
 * al., arXiv 2202.05262, section 3.1.
 */
public final class RankOneEditor {
    /** Sampled context templates when none are given, as in the reference code. */
    public static final int CONTEXTS = 20;
    private static final long SEED = 1;
    /** Runs that are kept in memory together. */
    static final long BYTES = 256L << 20;

    /** What was found for a case. */
    public record Edited(RankOneEdit edit, FoundValue value) {
    }

    private final LanguageModel model;
    private final int layer;
    private final EditableMatrix matrix;
    private final EditSettings settings;
    /** Given, or sampled when they are needed first and kept. */
    private List<Template> contexts;
    /** Given, or collected when it is needed first and kept. */
    private SecondMoment moment;

    private RankOneEditor(LanguageModel model, int layer, EditableMatrix matrix, EditSettings settings,
            List<Template> contexts, SecondMoment moment) {
        this.model = model;
        this.layer = layer;
        this.matrix = matrix;
        this.settings = settings;
        this.contexts = contexts;
        this.moment = moment;
    }

    /** Of the family's published layer by relative depth and the matrix that writes to the residual stream, with the model's settings. */
    public static RankOneEditor of(LanguageModel model) {
        return new RankOneEditor(model, model.profile().editLayer(model), model.outputMatrix(), EditSettings.of(model), null, null);
    }

    /**
     * Of another matrix; second moments given before are let go.
     *
     * @throws BadRequest if the model has no such layer or matrix
     */
    public RankOneEditor at(int inLayer, EditableMatrix of) {
        Check.whole("layer", inLayer, 0, model.layers() - 1);
        if (!model.matrices().contains(of)) {
            throw new BadRequest("matrix", of.id() + ", which " + model.name() + ", a " + model.family() + ", does not have");
        }
        return new RankOneEditor(model, inLayer, of, settings, contexts, null);
    }

    /** With other hyper-parameters. */
    public RankOneEditor with(EditSettings others) {
        return new RankOneEditor(model, layer, matrix, others, contexts, moment);
    }

    /** With other context templates, the plain {@code {}} first. */
    public RankOneEditor contexts(List<Template> templates) {
        return new RankOneEditor(model, layer, matrix, settings, List.copyOf(templates), moment);
    }

    /** With the second moment of the matrix's keys. */
    public RankOneEditor moment(SecondMoment c) {
        return new RankOneEditor(model, layer, matrix, settings, contexts, c);
    }

    /** The model that it edits. */
    public LanguageModel model() {
        return model;
    }

    /** The edited layer. */
    public int layer() {
        return layer;
    }

    /** The edited matrix. */
    public EditableMatrix matrix() {
        return matrix;
    }

    /** Its hyper-parameters. */
    public EditSettings settings() {
        return settings;
    }

    /**
     * The second moment given, or else that of texts which belong to the model: collected now if it was not before, with a progress bar.
     */
    public SecondMoment collectMoment() {
        return collectMoment(Runner.shown());
    }

    /** The same with a runner's progress and store. */
    synchronized SecondMoment collectMoment(Runner runner) {
        if (moment == null) {
            moment = SecondMoments.of(model, List.of(layer), List.of(matrix))
                    .over(SecondMoments.texts(model, SecondMoments.DOCUMENTS, SEED), runner).of(layer, matrix);
        }
        return moment;
    }

    /** The context templates given, or else {@value #CONTEXTS} sampled ones and the plain one: sampled now if they were not before. */
    public List<Template> sampleContexts() {
        return sampleContexts(Runner.shown());
    }

    private synchronized List<Template> sampleContexts(Runner runner) {
        if (contexts == null) {
            contexts = ContextTemplates.of(model, CONTEXTS, SEED, runner);
        }
        return contexts;
    }

    /** What it asks of a study over requests. */
    EditsStudy.Asked asked(List<EditRequest> requests, Runner runner) {
        SecondMoment c = collectMoment(runner);
        return new EditsStudy.Asked(new EditsStudy.Settings(layer, matrix, settings, sampleContexts(runner), c.digest()), c, requests);
    }

    /** Edits one fact. */
    public Edited edit(EditRequest request) {
        return edit(List.of(request)).get(0);
    }

    /** Edits facts, each of the unedited model. */
    public List<Edited> edit(List<EditRequest> requests) {
        return edit(requests, Runner.shown());
    }

    /** Edits facts, each of the unedited model, with a runner's progress and store. */
    public List<Edited> edit(List<EditRequest> requests, Runner runner) {
        return runner.run(new EditsStudy(), model, asked(requests, runner));
    }

    /** Edits cases, each of the unedited model. */
    public List<Edited> cases(List<EditCase> cases) {
        return cases(model, layer, matrix, cases, settings, collectMoment(), done -> { });
    }

    /** Edits cases, each of the unedited model; tells how many are done. */
    static List<Edited> cases(LanguageModel model, int layer, EditableMatrix matrix, List<EditCase> cases,
            EditSettings settings, SecondMoment c, LongConsumer done) {
        List<Edited> all = new ArrayList<>();
        for (List<EditCase> some : Portions.of(cases, e -> bytes(model, e), BYTES)) {
            Interruption.check();
            all.addAll(edited(model, layer, matrix, CasePasses.run(model, some, List.of(layer), List.of(matrix)), settings, c));
            done.accept(all.size());
        }
        return all;
    }

    /** Edits one matrix for each case whose runs recorded it. */
    static List<Edited> edited(LanguageModel model, int layer, EditableMatrix matrix, List<CasePasses> cases,
            EditSettings settings, SecondMoment c) {
        List<FoundValue> values = ValueSearch.run(model, layer, matrix, cases, settings);
        List<Edited> all = new ArrayList<>();
        for (int i = 0; i < cases.size(); i++) {
            CasePasses p = cases.get(i);
            double[] mean = p.mean(layer, matrix.key());
            boolean consistent = settings.key() == EditSettings.KeyMode.CONSISTENT;
            double[] key = consistent ? mean : doubles(p.at(0, layer, matrix.key()));
            double[] now = consistent ? p.mean(layer, matrix.value()) : doubles(p.at(0, layer, matrix.value()));
            all.add(new Edited(RankOneEdit.of(layer, matrix, c, settings.ridge(), mean, key, values.get(i).value(), now), values.get(i)));
        }
        return all;
    }

    /**
     * How far an edited model is from W k = v: |W k - v| / |v|, with the key that the edit divided by, read from its runs.
     */
    static double error(LanguageModel edited, EditCase c, RankOneEdit edit, EditSettings settings) {
        CasePasses p = CasePasses.run(edited, List.of(c), List.of(edit.layer()), List.of(edit.matrix())).get(0);
        double[] value = settings.key() == EditSettings.KeyMode.CONSISTENT ? p.mean(edit.layer(), edit.matrix().value())
                : doubles(p.at(0, edit.layer(), edit.matrix().value()));
        double[] gap = new double[value.length];
        for (int i = 0; i < gap.length; i++) {
            gap[i] = value[i] - edit.v()[i];
        }
        return ValueSearch.norm(gap) / ValueSearch.norm(edit.v());
    }

    /** About what a case's runs and the search's recordings hold. */
    static long bytes(LanguageModel model, EditCase c) {
        long tokens = c.klPrompt().length;
        for (int[] context : c.contexts()) {
            tokens += context.length + c.target().length;
        }
        return tokens * model.layers() * model.width() * 20L * Float.BYTES
                + c.contexts().size() * (long) model.vocabulary() * c.target().length * Float.BYTES;
    }

    static double[] doubles(float[] v) {
        double[] d = new double[v.length];
        for (int i = 0; i < v.length; i++) {
            d[i] = v[i];
        }
        return d;
    }
}
