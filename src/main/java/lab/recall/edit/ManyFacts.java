package lab.recall.edit;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import lab.recall.base.BadRequest;
import lab.recall.base.Check;
import lab.recall.facts.EditRequests;
import lab.recall.math.Cholesky;
import lab.recall.model.LanguageModel;
import lab.recall.study.Runner;
import lab.recall.view.Charts;
import lab.recall.view.Showable;
import lab.recall.view.Tables;
import org.knowm.xchart.XYChart;
import tech.tablesaw.api.Table;

/**
 * Several facts in one model: edited one after another, or all at once by least squares in one matrix.
 *
 * <pre>{@code
 * var many = ManyFacts.of(editor);
 * LanguageModel after = many.sequence(requests);             // with a progress bar
 * LanguageModel joint = many.joint(requests, 1);
 * many.asTheyGrow(requests, List.of(1, 10, 50, 100), 1)      // both, with their scores
 * }</pre>
 *
 * Together: W + R K' (weight C + K K')^-1, with keys K averaged over contexts and R the distances of their values from what W gives
 * (MEMIT's update in one layer: Meng et al., arXiv 2210.07229, equation 14). A small weight meets the requests, a large one keeps what was
 * there.
 */
public final class ManyFacts {
    private final RankOneEditor editor;

    private ManyFacts(RankOneEditor editor) {
        this.editor = editor;
    }

    /** With an editor's layer, matrix, settings, contexts and second moment. */
    public static ManyFacts of(RankOneEditor editor) {
        return new ManyFacts(editor);
    }

    /** Each request edited into the model that the one before has left, with a progress bar. */
    public LanguageModel sequence(EditRequests requests) {
        return sequence(requests, Runner.shown());
    }

    /** The same with a runner's progress and store. */
    public LanguageModel sequence(EditRequests requests, Runner runner) {
        return RankOneEdit.apply(editor.model(), chain(requests, runner));
    }

    private List<RankOneEdit> chain(EditRequests requests, Runner runner) {
        return ChainStudy.run(editor.model(), editor.asked(requests.all(), runner), runner);
    }

    /**
     * All requests edited into the model at once, with a progress bar.
     *
     * @param weight of the second moment against the requests' keys, above 0: about how many tokens of it one request counts for
     * @throws BadRequest if the weight is too small for keys that depend on each other
     */
    public LanguageModel joint(EditRequests requests, double weight) {
        return joint(requests, weight, Runner.shown());
    }

    /** The same with a runner's progress and store. */
    public LanguageModel joint(EditRequests requests, double weight, Runner runner) {
        Check.positive("weight", weight);
        return joint(found(requests, runner), requests.size(), weight, editor.collectMoment(runner));
    }

    private record Pair(double[] key, double[] gap) {
    }

    /** Each request's mean key, and how far its value is from what the unedited matrix gives. */
    private List<Pair> found(EditRequests requests, Runner runner) {
        EditSettings consistent = editor.settings().withKey(EditSettings.KeyMode.CONSISTENT);
        editor.sampleContexts();                                // once for both editors
        editor.collectMoment(runner);
        return editor.with(consistent).edit(requests.all(), runner).stream().map(e -> {
            double along = e.edit().keyDotU();
            double[] gap = e.edit().left().clone();
            for (int i = 0; i < gap.length; i++) {
                gap[i] *= along;
            }
            return new Pair(e.edit().key(), gap);
        }).toList();
    }

    /** By the Woodbury identity: R (weight I + K' C^-1 K)^-1 (C^-1 K)'. */
    private LanguageModel joint(List<Pair> pairs, int count, double weight, SecondMoment moment) {
        double[][] solved = new double[count][];
        for (int i = 0; i < count; i++) {
            solved[i] = moment.solve(pairs.get(i).key, editor.settings().ridge());
        }
        double[][] gram = new double[count][];
        for (int i = 0; i < count; i++) {
            gram[i] = new double[count - i];
            for (int j = i; j < count; j++) {
                gram[i][j - i] = RankOneEdit.dot(pairs.get(i).key, solved[j]) + (i == j ? weight : 0);
            }
        }
        Cholesky factor = factor(gram, weight);
        int width = editor.matrix().rows(editor.model(), editor.layer()).length / solved[0].length;
        double[][] change = new double[width][solved[0].length];
        for (int row = 0; row < width; row++) {
            double[] gaps = new double[count];
            for (int i = 0; i < count; i++) {
                gaps[i] = pairs.get(i).gap[row];
            }
            double[] parts = factor.solve(gaps);            // the Gram matrix is symmetric: a row of R times its inverse
            for (int i = 0; i < count; i++) {
                for (int j = 0; j < solved[i].length; j++) {
                    change[row][j] += parts[i] * solved[i][j];
                }
            }
        }
        float[] rows = editor.matrix().rows(editor.model(), editor.layer());
        for (int i = 0; i < rows.length; i++) {
            rows[i] = (float) (rows[i] + change[i / solved[0].length][i % solved[0].length]);
        }
        return editor.matrix().with(editor.model(), editor.layer(), rows);
    }

    private static Cholesky factor(double[][] gram, double weight) {
        try {
            return Cholesky.of(gram);
        } catch (ArithmeticException e) {
            throw new BadRequest("weight", weight + " is too small: the keys of these " + gram.length + " requests depend on each other"
                    + " (a subject asked about twice?), so that they cannot all get their values; give a larger weight, such as 1", e);
        }
    }

    /** Scores of the first n requests when just these are edited into the model, one after another and jointly. */
    public record Growth(String title, List<Integer> counts, Map<String, List<EditScores>> scores) implements Showable {
        /** A row for each way and number. */
        public Table table() {
            List<List<Object>> rows = new ArrayList<>();
            scores.forEach((way, all) -> {
                for (int i = 0; i < counts.size(); i++) {
                    List<Object> row = new ArrayList<>(List.of(way, counts.get(i)));
                    for (EditScores.Measure m : EditScores.Measure.values()) {
                        row.add(all.get(i).success(m).toString());
                    }
                    row.add(all.get(i).score().toString());
                    rows.add(row);
                }
            });
            return Tables.of(title + "; means over cases with their 95 % intervals",
                    List.of("edited", "facts", "efficacy", "generalisation", "specificity", "score"), rows);
        }

        /** The harmonic means as the number of facts grows. */
        public XYChart chart() {
            XYChart chart = Charts.lines(title, "facts", "score");
            chart.getStyler().setYAxisMin(0.0).setYAxisMax(1.05);
            double[] x = counts.stream().mapToDouble(n -> n).toArray();
            scores.forEach((way, all) -> Charts.line(chart, way, x, all.stream().mapToDouble(s -> s.score().mean()).toArray(),
                    all.stream().mapToDouble(s -> s.score().low()).toArray(), all.stream().mapToDouble(s -> s.score().high()).toArray()));
            return chart;
        }

        @Override
        public Object view() {
            return chart();
        }
    }

    /** Both ways for each number of facts, with a progress bar. */
    public Growth asTheyGrow(EditRequests requests, List<Integer> counts, double weight) {
        return asTheyGrow(requests, counts, weight, Runner.shown());
    }

    /**
     * Both ways for each number of facts, with a runner's progress and store.
     *
     * @throws BadRequest if a number is below 1 or above that of the requests
     */
    public Growth asTheyGrow(EditRequests requests, List<Integer> counts, double weight, Runner runner) {
        Check.positive("weight", weight);
        List<Integer> order = counts.stream().distinct().sorted().toList();
        if (order.isEmpty() || order.get(0) < 1 || order.get(order.size() - 1) > requests.size()) {
            throw new BadRequest("counts", counts + ", expected whole numbers from 1 to " + requests.size());
        }
        int most = order.get(order.size() - 1);
        List<RankOneEdit> edits = chain(requests.first(most), runner);
        List<EditScores> sequence = new ArrayList<>();
        LanguageModel now = editor.model();
        for (int n = 1; n <= most; n++) {
            now = edits.get(n - 1).applyTo(now);
            if (order.contains(n)) {
                sequence.add(scores(now, requests.first(n), "one after another"));
            }
        }
        List<Pair> pairs = found(requests.first(most), runner);
        SecondMoment moment = editor.collectMoment(runner);
        List<EditScores> joint = order.stream().map(n -> scores(joint(pairs, n, weight, moment), requests.first(n), "together")).toList();
        Map<String, List<EditScores>> all = new LinkedHashMap<>();
        all.put("one after another", sequence);
        all.put("together, weight " + Tables.number(weight), joint);
        return new Growth(editor.model().name() + ", several facts in " + editor.matrix().label() + " of layer " + editor.layer(),
                order, all);
    }

    private EditScores scores(LanguageModel edited, EditRequests requests, String how) {
        return new EditScores(requests.size() + " facts, " + how, EditTests.of(edited, requests.all()).on(edited));
    }
}
