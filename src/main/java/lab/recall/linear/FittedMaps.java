package lab.recall.linear;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import lab.recall.base.BadRequest;
import lab.recall.base.Interruption;
import lab.recall.base.Said;
import lab.recall.base.Unsolvable;
import lab.recall.facts.Fact;
import lab.recall.facts.KnownFacts;
import lab.recall.math.Cholesky;
import lab.recall.model.HookPoint;
import lab.recall.model.Jacobian;
import lab.recall.model.LanguageModel;
import lab.recall.model.Pass;
import lab.recall.model.Readout;
import lab.recall.model.Recording;
import lab.recall.model.Site;
import lab.recall.stats.Estimate;
import lab.recall.stats.RelativeDepth;
import lab.recall.study.ModelCard;
import lab.recall.view.Charts;
import lab.recall.view.Showable;
import lab.recall.view.Tables;
import org.knowm.xchart.XYChart;
import tech.tablesaw.api.Table;

/**
 * Affine maps that are fitted to facts, from the subject's state after a layer to the last residual stream: whether one map serves a
 * relation, asked without any gradient; shows itself as a table.
 *
 * <pre>{@code
 * var fitted = FittedMaps.of(mamba, Relations.of(mamba).knownBy(mamba));
 * fitted.faithfulness("place_in_city", 4)                    // share, exact interval, number of facts
 * fitted.beside(LinearSweep.of(mamba).zeroShot().over(relations))
 * }</pre>
 *
 * A Jacobian says what the model reads of a state, and is 0 once nothing reads it; a fitted map says what stands in the state, whether it
 * is read or not. Ridge regression over the known facts of a relation, asked without examples; they are dealt into five parts, and each
 * part is read by the map of the other four. Nothing is chosen: the ridge is a tenth of the mean diagonal. On what a fitted map may find by
 * itself: Hewitt and Liang, arXiv 1909.03368.
 */
public final class FittedMaps implements Showable {
    /** Fewer known facts than this leave too few for a part. */
    public static final int LEAST = 15;
    private static final int PARTS = 5;
    private static final double RIDGE = 0.1;
    private static final long SEED = 1;

    private final ModelCard model;
    private final List<String> asked;
    /** By relation: which facts came out right, [embedding and layers][fact]. */
    private final Map<String, double[][]> right;
    private final Map<String, Double> constants;

    private FittedMaps(ModelCard model, List<String> asked, Map<String, double[][]> right, Map<String, Double> constants) {
        this.model = model;
        this.asked = asked;
        this.right = right;
        this.constants = constants;
    }

    /** Of every relation of which the model knows at least {@value #LEAST} facts. */
    public static FittedMaps of(LanguageModel model, KnownFacts known) {
        Map<String, double[][]> right = new LinkedHashMap<>();
        Map<String, Double> constants = new LinkedHashMap<>();
        List<String> relations = known.facts().stream().map(Fact::relation).distinct().toList();
        for (String relation : relations) {
            List<KnownFacts.Known> facts = known.only(relation).sample(Integer.MAX_VALUE, SEED);
            if (facts.size() >= LEAST) {
                Interruption.check();
                List<String> answers = facts.stream().map(f -> model.requireTokenizer().decode(f.answer())).toList();
                constants.put(relation, Baselines.constant(facts.stream().map(KnownFacts.Known::fact).toList(), answers));
                right.put(relation, tested(model, facts));
            }
        }
        return new FittedMaps(ModelCard.of(model), relations, right, constants);
    }

    private static double[][] tested(LanguageModel model, List<KnownFacts.Known> facts) {
        int layers = model.layers();
        int n = facts.size();
        float[][][] states = new float[layers + 1][n][];
        float[][] ends = new float[n][];
        for (int i = 0; i < n; i++) {
            KnownFacts.Known f = facts.get(i);
            Pass pass = model.run(f.prompt().ids(), Recording.points(HookPoint.EMBED, HookPoint.RESID_POST));
            for (int l = Jacobian.EMBED; l < layers; l++) {
                states[l + 1][i] = pass.get(LinearOperator.site(l, f.prompt().subjectLast()));
            }
            ends[i] = pass.get(new Site(layers - 1, HookPoint.RESID_POST, pass.length() - 1));
        }
        int[] part = parts(n);
        double[][] right = new double[layers + 1][n];
        for (int p = 0; p < PARTS; p++) {
            int one = p;
            int[] train = IntStream.range(0, n).filter(i -> part[i] != one).toArray();
            int[] test = IntStream.range(0, n).filter(i -> part[i] == one).toArray();
            for (int l = 0; l <= layers; l++) {
                int[] tokens = tokens(model, states[l], ends, train, test);
                for (int t = 0; t < test.length; t++) {
                    right[l][test[t]] = facts.get(test[t]).fact().begunBy(model.requireTokenizer().decode(tokens[t])) ? 1 : 0;
                }
            }
        }
        return right;
    }

    private static int[] parts(int n) {
        List<Integer> order = new ArrayList<>(IntStream.range(0, n).boxed().toList());
        Collections.shuffle(order, new Random(SEED));
        int[] part = new int[n];
        for (int i = 0; i < n; i++) {
            part[order.get(i)] = i % PARTS;
        }
        return part;
    }

    /** What comes next after the fitted map of some facts, for others. */
    private static int[] tokens(LanguageModel model, float[][] states, float[][] ends, int[] train, int[] test) {
        double[][] found = fitted(states, ends, train, test, RIDGE);
        int d = ends[0].length;
        float[] rows = new float[test.length * d];
        for (int t = 0; t < test.length; t++) {
            for (int k = 0; k < d; k++) {
                rows[t * d + k] = (float) found[t][k];
            }
        }
        return Arrays.stream(Readout.tokens(model, rows, test.length, new float[d], new double[] {1})).mapToInt(of -> of[0]).toArray();
    }

    /**
     * Ridge regression in its dual form, which takes as many unknowns as there are facts: z = mean z + (h - mean h) H' (H H' + r I)^-1 Z.
     *
     * @param ridge share of the mean diagonal of H H'
     */
    static double[][] fitted(float[][] h, float[][] z, int[] train, int[] test, double ridge) {
        double[] meanH = mean(h, train);
        double[] meanZ = mean(z, train);
        int n = train.length;
        double[][] upper = new double[n][];
        double trace = 0;
        for (int i = 0; i < n; i++) {
            upper[i] = new double[n - i];
            for (int j = i; j < n; j++) {
                upper[i][j - i] = product(h[train[i]], h[train[j]], meanH);
            }
            trace += upper[i][0];
        }
        double more = trace == 0 ? 1 : ridge * trace / n;           // where all states are alike the mean is all there is
        for (double[] row : upper) {
            row[0] += more;
        }
        Cholesky matrix = Cholesky.of(upper);
        double[][] found = new double[test.length][];
        for (int t = 0; t < test.length; t++) {
            float[] state = h[test[t]];
            double[] weights = matrix.solve(IntStream.of(train).mapToDouble(i -> product(h[i], state, meanH)).toArray());
            found[t] = meanZ.clone();
            for (int i = 0; i < n; i++) {
                for (int k = 0; k < meanZ.length; k++) {
                    found[t][k] += weights[i] * (z[train[i]][k] - meanZ[k]);
                }
            }
        }
        return found;
    }

    private static double[] mean(float[][] rows, int[] some) {
        double[] mean = new double[rows[0].length];
        for (int i : some) {
            for (int k = 0; k < mean.length; k++) {
                mean[k] += rows[i][k] / (double) some.length;
            }
        }
        return mean;
    }

    private static double product(float[] a, float[] b, double[] mean) {
        double sum = 0;
        for (int k = 0; k < mean.length; k++) {
            sum += (a[k] - mean[k]) * (b[k] - mean[k]);
        }
        return sum;
    }

    /** The relations with enough known facts. */
    public List<String> measured() {
        return List.copyOf(right.keySet());
    }

    private double[][] of(String relation) {
        if (!right.containsKey(relation)) {
            throw new BadRequest("relation", "'" + Said.of(relation) + "', expected one with " + LEAST + " known facts: "
                    + String.join(", ", right.keySet()));
        }
        return right.get(relation);
    }

    /**
     * Share of a relation's facts whose object the fitted map finds.
     *
     * @param layer after which h is taken; {@link Jacobian#EMBED} for the embedding
     * @throws BadRequest of a relation with too few known facts
     */
    public Estimate faithfulness(String relation, int layer) {
        return Estimate.share(of(relation)[layer + 1]);
    }

    /** Shares by layer, the embedding first. */
    private double[] byLayer(String relation) {
        return Arrays.stream(of(relation)).mapToDouble(facts -> Arrays.stream(facts).average().orElseThrow()).toArray();
    }

    /**
     * The last layer at which faithfulness is at least half way from the best constant answer to its largest value, as
     * {@link LinearRelation#lastLinearLayer} has it of a Jacobian's map.
     */
    public int lastLayer(String relation) {
        double[] curve = byLayer(relation);
        double half = (Arrays.stream(curve).max().orElseThrow() + constants.get(relation)) / 2;
        return IntStream.range(0, curve.length).filter(l -> curve[l] >= half).max().orElseThrow() - 1;
    }

    /**
     * Means over the relations that both measured, by the layer after which h is taken: the Jacobians' maps (chosen on other facts), the
     * fitted ones, and the best constant answer.
     *
     * @throws Unsolvable if there is no such relation
     */
    public XYChart beside(LinearRelations jacobians) {
        List<LinearRelation> both = jacobians.measured().stream().filter(r -> right.containsKey(r.name())
                && r.layers().length == model.layers() + 1).toList();
        if (both.isEmpty()) {
            throw new Unsolvable(model.name(), "no relation has " + LEAST + " known facts and a sweep over all layers");
        }
        XYChart chart = Charts.lines(model.name() + ", faithfulness, mean over " + both.size() + " relations",
                "layer after which h is taken (-1: embedding)", "share of facts");
        double[] x = Arrays.stream(both.get(0).layers()).mapToDouble(l -> l).toArray();
        line(chart, "map of Jacobians", x, both.stream().map(r -> r.faithfulnessByLayer(Selection.NESTED)).toList());
        line(chart, "fitted map", x, both.stream().map(r -> byLayer(r.name())).toList());
        double constant = both.stream().mapToDouble(LinearRelation::constant).average().orElseThrow();
        Charts.level(chart, "best constant answer", x[0], x[x.length - 1], constant);
        return Charts.range(chart, 0, 1);
    }

    private static void line(XYChart chart, String name, double[] x, List<double[]> curves) {
        Estimate[] e = IntStream.range(0, x.length).mapToObj(l -> Estimate.mean(curves.stream().mapToDouble(c -> c[l]).toArray(), SEED))
                .toArray(Estimate[]::new);
        Charts.line(chart, name, x, Arrays.stream(e).mapToDouble(Estimate::mean).toArray(),
                Arrays.stream(e).mapToDouble(Estimate::low).toArray(), Arrays.stream(e).mapToDouble(Estimate::high).toArray());
    }

    /** Of each relation its best constant answer, and the fitted map's share at the embedding, at its last useful layer and at the end. */
    public Table table() {
        List<List<Object>> rows = new ArrayList<>();
        for (String r : asked) {
            if (right.containsKey(r)) {
                int last = lastLayer(r);
                rows.add(List.of(r, right.get(r)[0].length, Tables.number(constants.get(r)), faithfulness(r, Jacobian.EMBED).toString(),
                        faithfulness(r, RelativeDepth.peak(byLayer(r)) - 1).toString(), LinearRelation.label(last),
                        faithfulness(r, model.layers() - 1).toString()));
            }
        }
        return Tables.of(model.name() + ", maps fitted by ridge regression, on facts that they were not fitted to", List.of("relation",
                "facts", "best constant answer", "from the embedding", "at the best layer", "half of it until layer",
                "from the last layer"), rows);
    }

    @Override
    public Object view() {
        return table();
    }
}
