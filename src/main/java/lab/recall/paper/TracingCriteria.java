package lab.recall.paper;

import static lab.recall.paper.Criteria.number;

import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.BiFunction;
import java.util.stream.IntStream;
import lab.recall.base.BadRequest;
import lab.recall.paper.Criteria.Criterion;
import lab.recall.paper.Criteria.Found;
import lab.recall.stats.RelativeDepth;
import lab.recall.study.ModelCard;
import lab.recall.trace.AverageTrace;
import lab.recall.trace.BlockedPaths;
import lab.recall.trace.Position;

/**
 * The shapes that the paper's averaged traces and path blocking show, examined on a model: each criterion is one function of curves by
 * layer, applied to this model's and to the published ones. Layers are compared by relative depth, l / L.
 *
 * <pre>{@code
 * TracingCriteria.of(List.of(residual, o, s, g))             // of a GPT-NeoX: residual, attention, mlp
 * TracingCriteria.of(PathBlocking.of(mamba).over(pairs))
 * }</pre>
 *
 * Published averages were not corrected for their baseline (0.03 for o and g, 0.08 for Pythia's MLP) and are clipped at 0.8 or 0.5.
 */
public final class TracingCriteria {
    /** Files of {@code data/paper}. */
    private static final String TRACED = "tracing_average";
    private static final String PATHS = "path_blocking";
    static final String RESIDUAL = "resid_post";
    private static final String O = "out";
    private static final String S = "y";
    private static final String G = "gate";
    static final String ATTENTION = "attn_out";
    static final String MLP = "mlp_out";
    /** What the files of {@code data/paper} call traces of a point, rows, and curves with a point blocked. */
    private static final Map<String, String> TRACES = Map.of(RESIDUAL, "residual", O, "o", S, "s", G, "g(mlp_after_silu)",
            ATTENTION, "attn", MLP, "mlp");
    private static final Map<Position, String> ROWS = Map.of(Position.SUBJECT_SECOND_LAST, "subj 2nd-last",
            Position.SUBJECT_LAST, "subj last", Position.FURTHER, "further", Position.LAST, "last");
    private static final Map<String, String> BLOCKED = Map.of(BlockedPaths.NOTHING, "no block", S, "s blocked (SSM severed)",
            G, "g blocked (gate severed)", O, "o blocked (block severed)", ATTENTION, "attn blocked", MLP, "mlp blocked");

    private static final double MANY_LAYERS = 64;
    /** The published maps are clipped at 0.798 and 0.499. */
    private static final double CLIPPED = 0.01;

    /**
     * Curves by layer: what was put back, or blocked, at a token.
     *
     * @param slack by how much the top of their range is clipped
     */
    record Curves(BiFunction<String, Position, double[]> source, double slack) {
        double[] at(String point, Position token) {
            return source.apply(point, token);
        }

        /** Mean recovery that blocking costs in a range of relative depth. */
        double lost(String blocked, Position token, double from, double to) {
            double[] without = at(BlockedPaths.NOTHING, token);
            double[] with = at(blocked, token);
            return RelativeDepth.layers(without.length, from, to).mapToDouble(l -> without[l] - with[l]).average().orElseThrow();
        }
    }

    private TracingCriteria() {
    }

    /**
     * Criteria A and B, on one model's traces of its residual stream and its components.
     *
     * @throws BadRequest if one of them is missing or there twice, or if the paper has no traces of the model's family
     */
    public static Criteria of(Collection<AverageTrace> traces) {
        Map<String, AverageTrace> all = new HashMap<>();
        for (AverageTrace t : traces) {
            if (all.putIfAbsent(t.point().id(), t) != null) {
                throw new BadRequest("traces", "two of " + t.point().id() + ", expected one of each point");
            }
        }
        List<ModelCard> models = all.values().stream().map(AverageTrace::model).distinct().toList();
        if (models.size() != 1) {
            throw new BadRequest("traces", "of " + models.size() + " models, expected those of one");
        }
        PaperModel model = PaperModel.of(models.get(0), "causal tracing", PaperModel.MAMBA, PaperModel.PYTHIA);
        return examined(models.get(0).name() + ", causal tracing", switch (model) {
            case MAMBA -> mambaTraces();
            case PYTHIA -> pythiaTraces();
        }, (point, token) -> of(all, point).means(token), traces(model), TRACED);
    }

    /** The published traces of a model. */
    static Curves traces(PaperModel model) {
        PaperNumbers paper = PaperNumbers.of(TRACED);
        return new Curves((point, token) -> paper.curve("grids", model.key() + " " + TRACES.get(point), ROWS.get(token)), CLIPPED);
    }

    private static AverageTrace of(Map<String, AverageTrace> traces, String point) {
        if (!traces.containsKey(point)) {
            throw new BadRequest("traces", "none of " + point + ", which the paper's shapes are about; there are "
                    + String.join(", ", new TreeSet<>(traces.keySet())));
        }
        return traces.get(point);
    }

    /**
     * Criteria C.
     *
     * @throws BadRequest if the paper has no path blocking of the model's family
     */
    public static Criteria of(BlockedPaths blocked) {
        PaperModel model = PaperModel.of(blocked.model(), "path blocking", PaperModel.MAMBA, PaperModel.PYTHIA);
        return examined(blocked.model().name() + ", path blocking", switch (model) {
            case MAMBA -> mambaPaths();
            case PYTHIA -> pythiaPaths();
        }, blocked::means, paths(model), PATHS);
    }

    /** The published recoveries of a model, with components blocked. */
    static Curves paths(PaperModel model) {
        PaperNumbers paper = PaperNumbers.of(PATHS);
        return new Curves((point, token) -> paper.curve("figures", model.checkpoint() + (token == Position.LAST ? "_prompt" : "_subject")
                + "_last_path_blocking", BLOCKED.get(point)), CLIPPED);
    }

    private static Criteria examined(String title, List<Criterion<Curves>> criteria, BiFunction<String, Position, double[]> here,
            Curves published, String file) {
        return Criteria.examined(title, criteria, new Curves(here, 0), published, PaperNumbers.of(file).evidence());
    }

    private static List<Criterion<Curves>> mambaTraces() {
        return List.of(
                new Criterion<>("A1", "residual, subject's last token: peak of at least 0.4, at 0.3 to 0.65 of the depth",
                        c -> peak(c.at(RESIDUAL, Position.SUBJECT_LAST), 0.4, 0.3, 0.65)),
                new Criterion<>("A1", "residual, last token: at least 0.8 in the last fifth of the layers",
                        c -> Found.atLeast(c.at(RESIDUAL, Position.LAST), 0.8, 1, 0.8 - c.slack)),
                new Criterion<>("A2", "residual, subject's last token: from above 0.5 to below 0.1 within 5 of 64 layers",
                        c -> fall(c.at(RESIDUAL, Position.SUBJECT_LAST))),
                new Criterion<>("A3", "residual, tokens after the subject: at most 0.01 everywhere",
                        c -> Found.atMost(c.at(RESIDUAL, Position.FURTHER), 0, 1, 0.01)),
                new Criterion<>("A3", "residual, subject's last token but one: at most 0.06",
                        c -> Found.atMost(c.at(RESIDUAL, Position.SUBJECT_SECOND_LAST), 0, 1, 0.06)),
                new Criterion<>("B1", "o, subject's last token: at least 0.4 between 0.2 and 0.4 of the depth",
                        c -> peak(c.at(O, Position.SUBJECT_LAST), 0.4, 0.2, 0.4)),
                new Criterion<>("B1", "o, last token: at least 0.5 between 0.6 and 0.85 of the depth",
                        c -> peak(c.at(O, Position.LAST), 0.5 - c.slack, 0.6, 0.85)),
                new Criterion<>("B2", "s: at most 0.05 at the subject's last token, at least 0.4 at the last token where o peaks", c -> {
                    double early = RelativeDepth.most(c.at(S, Position.SUBJECT_LAST), 0, 1);
                    double late = c.at(S, Position.LAST)[RelativeDepth.peak(c.at(O, Position.LAST))];
                    return new Found("at most " + number(early) + "; " + number(late), early <= 0.05 && late >= 0.4);
                }),
                new Criterion<>("B3", "g: peak at the subject's last token below half of o's; at most 0.1 at the last token", c -> {
                    double early = RelativeDepth.most(c.at(G, Position.SUBJECT_LAST), 0, 1);
                    double whole = RelativeDepth.most(c.at(O, Position.SUBJECT_LAST), 0, 1);
                    double late = RelativeDepth.most(c.at(G, Position.LAST), 0, 1);
                    return new Found(number(early) + " against " + number(whole) + "; " + number(late),
                            early < whole / 2 && late <= 0.1);
                }),
                new Criterion<>("B4", "o − s − g at the subject's last token: above 0 from 0.1 to 0.4 of the depth", c -> {
                    double[] o = c.at(O, Position.SUBJECT_LAST);
                    double[] s = c.at(S, Position.SUBJECT_LAST);
                    double[] g = c.at(G, Position.SUBJECT_LAST);
                    double[] rest = IntStream.range(0, o.length).mapToDouble(l -> o[l] - s[l] - g[l]).toArray();
                    double least = RelativeDepth.least(rest, 0.1, 0.4);
                    return new Found(String.format(Locale.ROOT, "at least %.3f", least), least > 0);
                }));
    }

    private static List<Criterion<Curves>> pythiaTraces() {
        return List.of(
                new Criterion<>("B5", "MLP, subject's last token: at least 0.5 in the first third of the layers",
                        c -> peak(c.at(MLP, Position.SUBJECT_LAST), 0.5, 0, 0.34)),
                new Criterion<>("B5", "attention, last token: at least 0.5 between 0.4 and 0.75 of the depth",
                        c -> peak(c.at(ATTENTION, Position.LAST), 0.5, 0.4, 0.75)),
                new Criterion<>("B5", "MLP, last token: at most 0.2", c -> Found.atMost(c.at(MLP, Position.LAST), 0, 1, 0.2)),
                new Criterion<>("B5", "residual: the last token overtakes the subject's last token at 0.45 to 0.75 of the depth", c -> {
                    double[] last = c.at(RESIDUAL, Position.LAST);
                    int layer = RelativeDepth.overtakes(last, c.at(RESIDUAL, Position.SUBJECT_LAST)).orElse(last.length - 1);
                    double depth = layer / (double) last.length;
                    return new Found("at layer " + layer + " of " + last.length, depth >= 0.45 && depth <= 0.75);
                }));
    }

    private static List<Criterion<Curves>> mambaPaths() {
        return List.of(
                new Criterion<>("C1", "subject's last token, nothing blocked: peak of at least 0.6 at 0.45 to 0.7 of the depth",
                        c -> peak(c.at(BlockedPaths.NOTHING, Position.SUBJECT_LAST), 0.6, 0.45, 0.7)),
                new Criterion<>("C1", "subject's last token at 0.16 to 0.32 of the depth: blocking o costs most, then g, then s", c -> {
                    double o = c.lost(O, Position.SUBJECT_LAST, 0.16, 0.32);
                    double g = c.lost(G, Position.SUBJECT_LAST, 0.16, 0.32);
                    double s = c.lost(S, Position.SUBJECT_LAST, 0.16, 0.32);
                    return new Found("o " + number(o) + ", g " + number(g) + ", s " + number(s), o >= g && g >= s && s > 0);
                }),
                new Criterion<>("C1", "subject's last token, nothing blocked: below 0.1 in the last fifth of the layers",
                        c -> Found.below(c.at(BlockedPaths.NOTHING, Position.SUBJECT_LAST), 0.8, 1, 0.1)),
                new Criterion<>("C1", "subject's last token in the first 15 of 64 layers: with o blocked less than 0.25 is left",
                        c -> Found.below(c.at(O, Position.SUBJECT_LAST), 0, 15 / MANY_LAYERS, 0.25)),
                new Criterion<>("C1", "subject's last token at 0.62 of the depth: blocking s or g costs less than 0.1", c -> {
                    double g = c.lost(G, Position.SUBJECT_LAST, 0.6, 0.65);
                    double s = c.lost(S, Position.SUBJECT_LAST, 0.6, 0.65);
                    return new Found("g " + number(g) + ", s " + number(s), g < 0.1 && s < 0.1);
                }),
                new Criterion<>("C2",
                        "subject's last token beyond 0.47 of the depth: blocking g costs no more than blocking s, within 0.05", c -> {
                    double g = c.lost(G, Position.SUBJECT_LAST, 0.47, 0.65);
                    double s = c.lost(S, Position.SUBJECT_LAST, 0.47, 0.65);
                    return new Found("g " + number(g) + ", s " + number(s), g <= s + 0.05);
                }),
                new Criterion<>("C3",
                        "last token at 0.73 to 0.79 of the depth: blocking o costs at least 0.5, s at least 0.2, g at most 0.1", c -> {
                    double o = c.lost(O, Position.LAST, 0.73, 0.79);
                    double g = c.lost(G, Position.LAST, 0.73, 0.79);
                    double s = c.lost(S, Position.LAST, 0.73, 0.79);
                    return new Found("o " + number(o) + ", s " + number(s) + ", g " + number(g), o >= 0.5 && s >= 0.2 && g <= 0.1);
                }));
    }

    private static List<Criterion<Curves>> pythiaPaths() {
        return List.of(
                new Criterion<>("C4",
                        "subject's last token in the first quarter: blocking the MLP costs at least 0.25, attention 0.1 to 0.2", c -> {
                    double mlp = c.lost(MLP, Position.SUBJECT_LAST, 0.03, 0.25);
                    double attention = c.lost(ATTENTION, Position.SUBJECT_LAST, 0.03, 0.25);
                    return new Found("MLP " + number(mlp) + ", attention " + number(attention),
                            mlp >= 0.25 && attention >= 0.1 && attention <= 0.2);
                }),
                new Criterion<>("C4", "last token at 0.6 to 0.75 of the depth: blocking either costs less than 0.1", c -> {
                    double mlp = c.lost(MLP, Position.LAST, 0.6, 0.75);
                    double attention = c.lost(ATTENTION, Position.LAST, 0.6, 0.75);
                    return new Found("MLP " + number(mlp) + ", attention " + number(attention), mlp < 0.1 && attention < 0.1);
                }));
    }

    private static Found peak(double[] curve, double height, double from, double to) {
        int best = RelativeDepth.peak(curve);
        double inside = RelativeDepth.most(curve, from, to);
        return new Found(number(curve[best]) + " at layer " + best + " of " + curve.length,
                inside >= height && inside >= curve[best] - 0.05);
    }

    /** From the last layer above 0.5 to the first one below 0.1 after it. */
    private static Found fall(double[] curve) {
        int above = IntStream.range(0, curve.length).filter(l -> curve[l] > 0.5).reduce((a, b) -> b).orElse(-1);
        if (above < 0) {
            return new Found("never above 0.5", false);
        }
        int below = IntStream.range(above, curve.length).filter(l -> curve[l] < 0.1).findFirst().orElse(curve.length);
        return new Found("from layer " + above + " to " + below + " of " + curve.length,
                below - above <= Math.max(1, Math.ceil(5 / MANY_LAYERS * curve.length)));
    }
}
