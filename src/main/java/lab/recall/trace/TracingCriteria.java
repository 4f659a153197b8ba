package lab.recall.trace;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import lab.recall.facts.PaperNumbers;
import lab.recall.model.HookPoint;
import lab.recall.model.LanguageModel;
import lab.recall.model.block.AttentionPoints;
import lab.recall.model.block.ScanPoints;
import lab.recall.stats.RelativeDepth;
import lab.recall.view.Criteria;
import lab.recall.view.Criteria.Criterion;
import lab.recall.view.Criteria.Found;

/**
 * The shapes that the paper's averaged traces and path blocking show, examined on a model: each criterion is one function of curves by
 * layer, applied to this model's and to the published ones. Layers are compared by relative depth, l / L.
 *
 * <pre>{@code
 * TracingCriteria.of(mamba, Map.of(RESID_POST, residual, OUT, o, Y, s, GATE, g))
 * TracingCriteria.of(PathBlocking.of(mamba).over(pairs))
 * }</pre>
 *
 * Published averages were not corrected for their baseline (0.03 for o and g, 0.08 for Pythia's MLP) and are clipped at 0.8 or 0.5.
 */
public final class TracingCriteria {
    private static final double MANY_LAYERS = 64;
    /** The published maps are clipped at 0.798 and 0.499. */
    private static final double CLIPPED = 0.01;

    private interface Source {
        /** No point: with nothing blocked. */
        double[] at(Optional<HookPoint> point, Position position);
    }

    /**
     * Curves by layer: a component, or none, at a token.
     *
     * @param slack by how much the top of their range is clipped
     */
    private record Curves(Source source, double slack) {
        double[] at(HookPoint point, Position position) {
            return source.at(Optional.of(point), position);
        }

        /** With nothing blocked. */
        double[] at(Position position) {
            return source.at(Optional.empty(), position);
        }
    }

    private TracingCriteria() {
    }

    /** Criteria A and B, on the traces that are given. */
    public static Criteria of(LanguageModel model, Map<HookPoint, AverageTrace> traces) {
        boolean mamba = model.points().contains(ScanPoints.IN_X);
        PaperNumbers paper = PaperNumbers.of("tracing_average");
        Map<HookPoint, String> names = mamba
                ? Map.of(HookPoint.RESID_POST, "mamba residual", ScanPoints.OUT, "mamba o", ScanPoints.Y, "mamba s",
                        ScanPoints.GATE, "mamba g(mlp_after_silu)")
                : Map.of(HookPoint.RESID_POST, "pythia residual", AttentionPoints.ATTN_OUT, "pythia attn", AttentionPoints.MLP_OUT, "pythia mlp");
        Map<Position, String> rows = Map.of(Position.SUBJECT_SECOND_LAST, "subj 2nd-last", Position.SUBJECT_LAST, "subj last",
                Position.FURTHER, "further", Position.LAST, "last");
        return examined(model.name() + ", causal tracing", mamba ? mambaTraces() : neoxTraces(),
                (point, position) -> traces.get(point.orElseThrow()).means(position),
                (point, position) -> paper.curve("grids", names.get(point.orElseThrow()), rows.get(position))).evidence(paper.evidence());
    }

    /** Criteria C. */
    public static Criteria of(BlockedPaths blocked) {
        boolean mamba = blocked.model().family().equals("Mamba");
        PaperNumbers paper = PaperNumbers.of("path_blocking");
        Map<HookPoint, String> names = Map.of(ScanPoints.Y, "s blocked (SSM severed)", ScanPoints.GATE, "g blocked (gate severed)",
                ScanPoints.OUT, "o blocked (block severed)", AttentionPoints.ATTN_OUT, "attn blocked", AttentionPoints.MLP_OUT, "mlp blocked");
        return examined(blocked.model().name() + ", path blocking", mamba ? mambaPaths() : neoxPaths(),
                (point, position) -> point.map(p -> blocked.means(p, position)).orElseGet(() -> blocked.means(position)),
                (point, position) -> paper.curve("figures", (mamba ? "mamba-2.8b" : "pythia-2.8b-deduped")
                        + (position == Position.LAST ? "_prompt_last" : "_subject_last") + "_path_blocking",
                        point.map(names::get).orElse("no block")))
                .evidence(paper.evidence());
    }

    private static Criteria examined(String title, List<Criterion<Curves>> criteria, Source here, Source paper) {
        return Criteria.examined(title, criteria, new Curves(here, 0), new Curves(paper, CLIPPED));
    }

    private static List<Criterion<Curves>> mambaTraces() {
        List<Criterion<Curves>> all = new ArrayList<>();
        all.add(new Criterion<>("A1", "residual, subject's last token: peak of at least 0.4, at 0.3 to 0.65 of the depth",
                c -> peak(c.at(HookPoint.RESID_POST, Position.SUBJECT_LAST), 0.4, 0.3, 0.65)));
        all.add(new Criterion<>("A1", "residual, last token: at least 0.8 in the last fifth of the layers", c -> {
            double[] last = c.at(HookPoint.RESID_POST, Position.LAST);
            double least = RelativeDepth.least(last, 0.8, 1);
            return new Found("at least " + number(least), least >= 0.8 - c.slack);
        }));
        all.add(new Criterion<>("A2", "residual, subject's last token: from above 0.5 to below 0.1 within 5 of 64 layers",
                c -> fall(c.at(HookPoint.RESID_POST, Position.SUBJECT_LAST))));
        all.add(new Criterion<>("A3", "residual, tokens after the subject: at most 0.01 everywhere", c -> {
            double most = RelativeDepth.most(c.at(HookPoint.RESID_POST, Position.FURTHER), 0, 1);
            return new Found("at most " + number(most), most <= 0.01);
        }));
        all.add(new Criterion<>("A3", "residual, subject's last token but one: at most 0.06", c -> {
            double most = RelativeDepth.most(c.at(HookPoint.RESID_POST, Position.SUBJECT_SECOND_LAST), 0, 1);
            return new Found("at most " + number(most), most <= 0.06);
        }));
        all.add(new Criterion<>("B1", "o, subject's last token: at least 0.4 between 0.2 and 0.4 of the depth",
                c -> peak(c.at(ScanPoints.OUT, Position.SUBJECT_LAST), 0.4, 0.2, 0.4)));
        all.add(new Criterion<>("B1", "o, last token: at least 0.5 between 0.6 and 0.85 of the depth",
                c -> peak(c.at(ScanPoints.OUT, Position.LAST), 0.5 - c.slack, 0.6, 0.85)));
        all.add(new Criterion<>("B2", "s: at most 0.05 at the subject's last token, at least 0.4 at the last token where o peaks", c -> {
            double early = RelativeDepth.most(c.at(ScanPoints.Y, Position.SUBJECT_LAST), 0, 1);
            double late = c.at(ScanPoints.Y, Position.LAST)[RelativeDepth.peak(c.at(ScanPoints.OUT, Position.LAST))];
            return new Found("at most " + number(early) + "; " + number(late), early <= 0.05 && late >= 0.4);
        }));
        all.add(new Criterion<>("B3", "g: peak at the subject's last token below half of o's; at most 0.1 at the last token", c -> {
            double early = RelativeDepth.most(c.at(ScanPoints.GATE, Position.SUBJECT_LAST), 0, 1);
            double whole = RelativeDepth.most(c.at(ScanPoints.OUT, Position.SUBJECT_LAST), 0, 1);
            double late = RelativeDepth.most(c.at(ScanPoints.GATE, Position.LAST), 0, 1);
            return new Found(number(early) + " against " + number(whole) + "; " + number(late), early < whole / 2 && late <= 0.1);
        }));
        all.add(new Criterion<>("B4", "o − s − g at the subject's last token: above 0 from 0.1 to 0.4 of the depth", c -> {
            double[] o = c.at(ScanPoints.OUT, Position.SUBJECT_LAST);
            double[] s = c.at(ScanPoints.Y, Position.SUBJECT_LAST);
            double[] g = c.at(ScanPoints.GATE, Position.SUBJECT_LAST);
            double least = RelativeDepth.least(IntStream.range(0, o.length).mapToDouble(l -> o[l] - s[l] - g[l]).toArray(), 0.1, 0.4);
            return new Found(String.format(Locale.ROOT, "at least %.3f", least), least > 0);
        }));
        return all;
    }

    private static List<Criterion<Curves>> neoxTraces() {
        List<Criterion<Curves>> all = new ArrayList<>();
        all.add(new Criterion<>("B5", "MLP, subject's last token: at least 0.5 in the first third of the layers",
                c -> peak(c.at(AttentionPoints.MLP_OUT, Position.SUBJECT_LAST), 0.5, 0, 0.34)));
        all.add(new Criterion<>("B5", "attention, last token: at least 0.5 between 0.4 and 0.75 of the depth",
                c -> peak(c.at(AttentionPoints.ATTN_OUT, Position.LAST), 0.5, 0.4, 0.75)));
        all.add(new Criterion<>("B5", "MLP, last token: at most 0.2", c -> {
            double most = RelativeDepth.most(c.at(AttentionPoints.MLP_OUT, Position.LAST), 0, 1);
            return new Found("at most " + number(most), most <= 0.2);
        }));
        all.add(new Criterion<>("B5", "residual: the last token overtakes the subject's last token at 0.45 to 0.75 of the depth", c -> {
            double[] subject = c.at(HookPoint.RESID_POST, Position.SUBJECT_LAST);
            double[] last = c.at(HookPoint.RESID_POST, Position.LAST);
            int layer = IntStream.range(0, last.length).filter(l -> last[l] > subject[l]).findFirst().orElse(last.length - 1);
            double depth = layer / (double) last.length;
            return new Found("at layer " + layer + " of " + last.length, depth >= 0.45 && depth <= 0.75);
        }));
        return all;
    }

    private static List<Criterion<Curves>> mambaPaths() {
        List<Criterion<Curves>> all = new ArrayList<>();
        all.add(new Criterion<>("C1", "subject's last token, nothing blocked: peak of at least 0.6 at 0.45 to 0.7 of the depth",
                c -> peak(c.at(Position.SUBJECT_LAST), 0.6, 0.45, 0.7)));
        all.add(new Criterion<>("C1", "subject's last token at 0.16 to 0.32 of the depth: blocking o costs most, then g, then s", c -> {
            double o = lost(c, ScanPoints.OUT, Position.SUBJECT_LAST, 0.16, 0.32);
            double g = lost(c, ScanPoints.GATE, Position.SUBJECT_LAST, 0.16, 0.32);
            double s = lost(c, ScanPoints.Y, Position.SUBJECT_LAST, 0.16, 0.32);
            return new Found("o " + number(o) + ", g " + number(g) + ", s " + number(s), o >= g && g >= s && s > 0);
        }));
        all.add(new Criterion<>("C1", "subject's last token, nothing blocked: below 0.1 in the last fifth of the layers", c -> {
            double most = RelativeDepth.most(c.at(Position.SUBJECT_LAST), 0.8, 1);
            return new Found("at most " + number(most), most < 0.1);
        }));
        all.add(new Criterion<>("C1", "subject's last token in the first 15 of 64 layers: with o blocked less than 0.25 is left", c -> {
            double most = RelativeDepth.most(c.at(ScanPoints.OUT, Position.SUBJECT_LAST), 0, 15 / MANY_LAYERS);
            return new Found("at most " + number(most), most < 0.25);
        }));
        all.add(new Criterion<>("C1", "subject's last token at 0.62 of the depth: blocking s or g costs less than 0.1", c -> {
            double g = lost(c, ScanPoints.GATE, Position.SUBJECT_LAST, 0.6, 0.65);
            double s = lost(c, ScanPoints.Y, Position.SUBJECT_LAST, 0.6, 0.65);
            return new Found("g " + number(g) + ", s " + number(s), g < 0.1 && s < 0.1);
        }));
        all.add(new Criterion<>("C2",
                "subject's last token beyond 0.47 of the depth: blocking g costs no more than blocking s, within 0.05", c -> {
            double g = lost(c, ScanPoints.GATE, Position.SUBJECT_LAST, 0.47, 0.65);
            double s = lost(c, ScanPoints.Y, Position.SUBJECT_LAST, 0.47, 0.65);
            return new Found("g " + number(g) + ", s " + number(s), g <= s + 0.05);
        }));
        all.add(new Criterion<>("C3",
                "last token at 0.73 to 0.79 of the depth: blocking o costs at least 0.5, s at least 0.2, g at most 0.1", c -> {
            double o = lost(c, ScanPoints.OUT, Position.LAST, 0.73, 0.79);
            double g = lost(c, ScanPoints.GATE, Position.LAST, 0.73, 0.79);
            double s = lost(c, ScanPoints.Y, Position.LAST, 0.73, 0.79);
            return new Found("o " + number(o) + ", s " + number(s) + ", g " + number(g), o >= 0.5 && s >= 0.2 && g <= 0.1);
        }));
        return all;
    }

    private static List<Criterion<Curves>> neoxPaths() {
        List<Criterion<Curves>> all = new ArrayList<>();
        all.add(new Criterion<>("C4",
                "subject's last token in the first quarter: blocking the MLP costs at least 0.25, attention 0.1 to 0.2", c -> {
            double mlp = lost(c, AttentionPoints.MLP_OUT, Position.SUBJECT_LAST, 0.03, 0.25);
            double attention = lost(c, AttentionPoints.ATTN_OUT, Position.SUBJECT_LAST, 0.03, 0.25);
            return new Found("MLP " + number(mlp) + ", attention " + number(attention),
                    mlp >= 0.25 && attention >= 0.1 && attention <= 0.2);
        }));
        all.add(new Criterion<>("C4", "last token at 0.6 to 0.75 of the depth: blocking either costs less than 0.1", c -> {
            double mlp = lost(c, AttentionPoints.MLP_OUT, Position.LAST, 0.6, 0.75);
            double attention = lost(c, AttentionPoints.ATTN_OUT, Position.LAST, 0.6, 0.75);
            return new Found("MLP " + number(mlp) + ", attention " + number(attention), mlp < 0.1 && attention < 0.1);
        }));
        return all;
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

    /** Mean recovery that blocking costs in a range of relative depth. */
    private static double lost(Curves c, HookPoint blocked, Position token, double from, double to) {
        double[] without = c.at(token);
        double[] with = c.at(blocked, token);
        return RelativeDepth.layers(without.length, from, to).mapToDouble(l -> without[l] - with[l]).average().orElseThrow();
    }

    private static String number(double v) {
        return String.format(Locale.ROOT, "%.2f", v).replace("-0.00", "0.00");
    }
}
