package lab.recall.paper;

import static lab.recall.paper.Found.HALF;
import static lab.recall.paper.Found.TENTH;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.BiFunction;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import lab.recall.base.BadRequest;
import lab.recall.paper.Criteria.Criterion;
import lab.recall.paper.Found.Span;
import lab.recall.stats.Estimate;
import lab.recall.stats.RelativeDepth;
import lab.recall.stats.Samples;
import lab.recall.study.ModelCard;
import lab.recall.trace.AverageTrace;
import lab.recall.trace.BlockedPaths;
import lab.recall.trace.Position;

/**
 * The shapes that the paper's averaged traces and path blocking show, examined on a model: each criterion is one function of curves by
 * layer, applied to this model's and to the published ones, with bounds that are shares of the latter. Layers are compared by relative
 * depth, (l + 1) / L; a last layer in which something holds by construction is left out.
 *
 * <pre>{@code
 * TracingCriteria.of(List.of(residual, o, s, g))             // of a GPT-NeoX: residual, attention, mlp
 * TracingCriteria.of(PathBlocking.of(mamba).over(pairs))
 * }</pre>
 *
 * Published averages were not corrected for their baseline (0.03 for o and g, 0.08 for Pythia's MLP) and are clipped at 0.8 or 0.5: the
 * median of a map, most of whose cells are empty, is taken off here.
 */
public final class TracingCriteria {
    /** Files of {@code data/paper}. */
    private static final String TRACED = "tracing_average";
    private static final String PATHS = "path_blocking";
    private static final Position AT_SUBJECT = Position.SUBJECT_LAST;
    static final String RESIDUAL = "resid_post";
    private static final String O = "out";
    private static final String S = "y";
    private static final String G = "gate";
    static final String ATTENTION = "attn_out";
    static final String MLP = "mlp_out";
    /** What the files of {@code data/paper} call traces of a point, rows, and curves with a point blocked. */
    static final Map<String, String> TRACES = Map.of(RESIDUAL, "residual", O, "o", S, "s", G, "g(mlp_after_silu)",
            ATTENTION, "attn", MLP, "mlp");
    static final Map<Position, String> ROWS = Map.of(Position.SUBJECT_SECOND_LAST, "subj 2nd-last",
            Position.SUBJECT_LAST, "subj last", Position.FURTHER, "further", Position.LAST, "last");
    static final Map<String, String> BLOCKED = Map.of(BlockedPaths.NOTHING, "no block", S, "s blocked (SSM severed)",
            G, "g blocked (gate severed)", O, "o blocked (block severed)", ATTENTION, "attn blocked", MLP, "mlp blocked");
    /** The last layer says what the criterion is about by construction. */
    private static final double BEFORE_LAST = 1 - 1e-6;

    /** Curves by layer: what was put back, or blocked, at a token. */
    record Curves(BiFunction<String, Position, Samples> source) {
        Samples at(String point, Position token) {
            return source.apply(point, token);
        }

        Estimate[] each(String point, Position token) {
            return at(point, token).estimates();
        }

        /** Recovery that blocking costs, pair by pair. */
        Samples lost(String blocked, Position token) {
            return at(BlockedPaths.NOTHING, token).minus(at(blocked, token));
        }

        /** Its mean over a range of relative depth. */
        Estimate lost(String blocked, Position token, double from, double to) {
            return mean(lost(blocked, token), from, to);
        }

        /** By how much blocking one costs more than blocking another. */
        Estimate more(String blocked, String than, Position token, double from, double to) {
            return mean(at(than, token).minus(at(blocked, token)), from, to);
        }

        /** What there is to be lost. */
        Estimate left(Position token, double from, double to) {
            return mean(at(BlockedPaths.NOTHING, token), from, to);
        }
    }

    private TracingCriteria() {
    }

    private static int[] in(Samples s, double from, double to) {
        return RelativeDepth.layers(s.places(), from, to).toArray();
    }

    static Estimate mean(Samples s, double from, double to) {
        return s.mean(in(s, from, to));
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
        }, (point, token) -> of(all, point).samples(token), traces(model), TRACED);
    }

    /** The published traces of a model, less the median of each map. */
    static Curves traces(PaperModel model) {
        PaperNumbers paper = PaperNumbers.of(TRACED);
        return new Curves((point, token) -> {
            String grid = model.key() + " " + TRACES.get(point);
            double empty = background(paper, grid);
            return Samples.published(Arrays.stream(paper.curve("grids", grid, ROWS.get(token))).map(v -> v - empty).toArray());
        });
    }

    /** What a published map has where nothing was put back that matters: the median of its cells. */
    static double background(PaperNumbers paper, String grid) {
        double[] cells = ROWS.values().stream().flatMapToDouble(r -> Arrays.stream(paper.curve("grids", grid, r))).sorted().toArray();
        return cells[cells.length / 2];
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
        }, blocked::samples, paths(model), PATHS);
    }

    /** Whether each of some components was blocked in a published model. */
    static boolean hasPaths(PaperModel model, List<String> components) {
        return components.stream().allMatch(c -> BLOCKED.containsKey(c) && PaperNumbers.of(PATHS)
                .at("figures", model.checkpoint() + "_subject_last_path_blocking").has(BLOCKED.get(c)));
    }

    /** The published recoveries of a model, with components blocked. */
    static Curves paths(PaperModel model) {
        PaperNumbers paper = PaperNumbers.of(PATHS);
        return new Curves((point, token) -> Samples.published(paper.curve("figures", model.checkpoint()
                + (token == Position.LAST ? "_prompt" : "_subject") + "_last_path_blocking", BLOCKED.get(point))));
    }

    private static Criteria examined(String title, List<Criterion<Curves>> criteria, BiFunction<String, Position, Samples> here,
            Curves published, String file) {
        return Criteria.examined(title, criteria, new Curves(here), published, PaperNumbers.of(file).evidence());
    }

    /** At least half as much as in the paper at its most, chosen on other pairs. */
    private static Found large(String point, Position token, Curves here, Curves paper) {
        return Found.atLeast(here.at(point, token).highest(), HALF * paper.at(point, token).highest().mean());
    }

    /** The same, and where it is. */
    private static Found peak(String point, Position token, Curves here, Curves paper) {
        return large(point, token, here, paper)
                .and(Found.place(Span.peak(here.each(point, token)), Span.peak(paper.each(point, token))));
    }

    /** At most a tenth of the paper's largest effect, everywhere. */
    private static Found little(String point, Position token, Curves here, Curves paper, Samples most) {
        Samples s = here.at(point, token);
        return Found.everywhere(s.estimates(), in(s, 0, 1), TENTH * most.highest().mean(), false);
    }

    private static List<Criterion<Curves>> mambaTraces() {
        List<Criterion<Curves>> all = new ArrayList<>(List.of(
                new Criterion<>("A1", "residual, subject's last token: as large at its most, and half of that until as deep a layer",
                        (c, p) -> large(RESIDUAL, Position.SUBJECT_LAST, c, p).and(Found.place(
                                Span.until(c.at(RESIDUAL, Position.SUBJECT_LAST)), Span.until(p.at(RESIDUAL, Position.SUBJECT_LAST))))),
                new Criterion<>("A1", "residual, subject's last token: rises as much from the first layer to its most",
                        (c, p) -> Found.atLeast(c.at(RESIDUAL, Position.SUBJECT_LAST).sinceFirst().highest(),
                                HALF * p.at(RESIDUAL, Position.SUBJECT_LAST).sinceFirst().highest().mean())),
                new Criterion<>("A1", "residual, last token: as large in the last fifth of the layers but the last, where it is 1",
                        (c, p) -> {
                            Samples s = c.at(RESIDUAL, Position.LAST);
                            return Found.everywhere(s.estimates(), in(s, 0.8, BEFORE_LAST),
                                    HALF * p.at(RESIDUAL, Position.LAST).highest().mean(), true);
                        }),
                new Criterion<>("A2", "residual, subject's last token: from half of its most to a tenth within at most twice as much of "
                        + "the depth", (c, p) -> fall(c.at(RESIDUAL, Position.SUBJECT_LAST), p.at(RESIDUAL, Position.SUBJECT_LAST))),
                new Criterion<>("A3", "residual, tokens after the subject: little everywhere",
                        (c, p) -> little(RESIDUAL, Position.FURTHER, c, p, p.at(RESIDUAL, Position.SUBJECT_LAST))),
                new Criterion<>("A3", "residual, subject's last token but one: little everywhere",
                        (c, p) -> little(RESIDUAL, Position.SUBJECT_SECOND_LAST, c, p, p.at(RESIDUAL, Position.SUBJECT_LAST)))));
        all.addAll(mambaComponents());
        return all;
    }

    private static List<Criterion<Curves>> mambaComponents() {
        return List.of(
                new Criterion<>("B1", "o, subject's last token: as large at its most, and as deep",
                        (c, p) -> peak(O, Position.SUBJECT_LAST, c, p)),
                new Criterion<>("B1", "o, last token: as large at its most, and as deep", (c, p) -> peak(O, Position.LAST, c, p)),
                new Criterion<>("B2", "s: as large at the last token, little at the subject's",
                        (c, p) -> large(S, Position.LAST, c, p)
                                .and(little(S, Position.SUBJECT_LAST, c, p, p.at(S, Position.LAST)))),
                new Criterion<>("B3", "g: at the subject's last token at most half of the paper's o; little at the last token",
                        (c, p) -> Found.atMost(c.at(G, Position.SUBJECT_LAST).highest(),
                                HALF * p.at(O, Position.SUBJECT_LAST).highest().mean())
                                .and(little(G, Position.LAST, c, p, p.at(O, Position.LAST)))),
                new Criterion<>("B4", "o − s − g at the subject's last token: as large a mean at 0.1 to 0.4 of the depth",
                        (c, p) -> Found.atLeast(rest(c), HALF * rest(p).mean())));
    }

    private static Estimate rest(Curves c) {
        return mean(c.at(O, Position.SUBJECT_LAST).minus(c.at(S, Position.SUBJECT_LAST), c.at(G, Position.SUBJECT_LAST)), 0.1, 0.4);
    }

    private static List<Criterion<Curves>> pythiaTraces() {
        return List.of(
                new Criterion<>("B5", "MLP, subject's last token: as large at its most, and as deep",
                        (c, p) -> peak(MLP, Position.SUBJECT_LAST, c, p)),
                new Criterion<>("B5", "attention, last token: as large at its most, and as deep",
                        (c, p) -> peak(ATTENTION, Position.LAST, c, p)),
                new Criterion<>("B5", "MLP, last token: at most half of what the paper's has at the subject's last token",
                        (c, p) -> Found.atMost(c.at(MLP, Position.LAST).highest(),
                                HALF * p.at(MLP, Position.SUBJECT_LAST).highest().mean())),
                new Criterion<>("B5", "residual: the last token overtakes the subject's last token as deep",
                        (c, p) -> Found.place(handOver(c), handOver(p))));
    }

    private static Span handOver(Curves c) {
        return Span.firstAbove(c.at(RESIDUAL, Position.LAST).minus(c.at(RESIDUAL, Position.SUBJECT_LAST)).estimates(), 0);
    }

    /** From the last layer with half of the most to the first after it with a tenth. */
    private static Found fall(Samples here, Samples paper) {
        double allowed = 2 * longest(paper) / (double) paper.places();
        if (1.0 / here.places() > allowed) {
            return Found.nothing("one layer of " + here.places() + " is more");
        }
        int least = Math.max(1, first(here.lows(), here) - Span.until(here).last());
        int most = longest(here);
        return new Found("in " + (least == most ? "" : least + " to ") + most + " of " + here.places() + " layers",
                Verdict.of(most <= allowed * here.places() + 1e-9, least <= allowed * here.places() + 1e-9));
    }

    private static int longest(Samples s) {
        return Math.max(1, first(s.highs(), s) - Span.until(s).first());
    }

    /** The first layer from the last with half of the most on that has at most a tenth; L where there is none. */
    private static int first(double[] values, Samples s) {
        double tenth = TENTH * RelativeDepth.most(s.means(), 0, 1);
        return IntStream.range(Math.max(0, Span.until(s).first()), values.length).filter(l -> values[l] <= tenth).findFirst()
                .orElse(values.length);
    }

    private static List<Criterion<Curves>> mambaPaths() {
        return List.of(
                new Criterion<>("C1", "subject's last token, nothing blocked: as large at its most, and half of that until as deep a layer",
                        (c, p) -> large(BlockedPaths.NOTHING, AT_SUBJECT, c, p).and(Found.place(
                                Span.until(c.at(BlockedPaths.NOTHING, AT_SUBJECT)), Span.until(p.at(BlockedPaths.NOTHING, AT_SUBJECT))))),
                new Criterion<>("C1", "subject's last token at 0.16 to 0.32 of the depth: blocking o costs as much, more than g, g more "
                        + "than s, and s something", (c, p) -> {
                    Found size = Found.atLeast(c.lost(O, AT_SUBJECT, 0.16, 0.32), HALF * p.lost(O, AT_SUBJECT, 0.16, 0.32).mean());
                    Found order = Found.atLeast(c.more(O, G, AT_SUBJECT, 0.16, 0.32), 0).as("o − g")
                            .and(Found.atLeast(c.more(G, S, AT_SUBJECT, 0.16, 0.32), 0).as("g − s"))
                            .and(Found.atLeast(c.lost(S, AT_SUBJECT, 0.16, 0.32), 0).as("s"));
                    return size.as("o").and(order);
                }),
                new Criterion<>("C1", "subject's last token, nothing blocked: little in the last fifth of the layers but the last, where "
                        + "it is 0", (c, p) -> {
                    Samples s = c.at(BlockedPaths.NOTHING, AT_SUBJECT);
                    return Found.everywhere(s.estimates(), in(s, 0.8, BEFORE_LAST),
                            TENTH * p.at(BlockedPaths.NOTHING, AT_SUBJECT).highest().mean(), false);
                }),
                new Criterion<>("C1", "subject's last token up to 0.25 of the depth: with o blocked little is left", (c, p) -> {
                    Samples s = c.at(O, AT_SUBJECT);
                    return Found.everywhere(s.estimates(), in(s, 0, 0.25),
                            TENTH * p.at(BlockedPaths.NOTHING, AT_SUBJECT).highest().mean(), false);
                }),
                new Criterion<>("C1", "subject's last token at 0.62 of the depth: blocking s or g costs little", (c, p) ->
                        ifLeft(c, p, AT_SUBJECT, 0.6, 0.65, () -> cheap(S, c, p, AT_SUBJECT, 0.6, 0.65).as("s")
                                .and(cheap(G, c, p, AT_SUBJECT, 0.6, 0.65).as("g")))),
                new Criterion<>("C2", "subject's last token beyond 0.47 of the depth: blocking g costs hardly more than s", (c, p) ->
                        ifLeft(c, p, AT_SUBJECT, 0.47, 0.65, () -> Found.atMost(c.more(G, S, AT_SUBJECT, 0.47, 0.65),
                                TENTH * p.at(BlockedPaths.NOTHING, AT_SUBJECT).highest().mean()).as("g − s"))),
                new Criterion<>("C3", "last token at 0.73 to 0.79 of the depth: blocking o and s costs as much, g little", (c, p) ->
                        ifLeft(c, p, Position.LAST, 0.73, 0.79, () -> dear(O, c, p, Position.LAST, 0.73, 0.79).as("o")
                                .and(dear(S, c, p, Position.LAST, 0.73, 0.79).as("s"))
                                .and(cheap(G, c, p, Position.LAST, 0.73, 0.79).as("g")))));
    }

    private static List<Criterion<Curves>> pythiaPaths() {
        return List.of(
                new Criterion<>("C4", "subject's last token in the first quarter: blocking the MLP costs as much, and more than attention, "
                        + "which costs as much, too", (c, p) -> ifLeft(c, p, AT_SUBJECT, 0.03, 0.25,
                                () -> dear(MLP, c, p, AT_SUBJECT, 0.03, 0.25).as("MLP")
                                        .and(dear(ATTENTION, c, p, AT_SUBJECT, 0.03, 0.25).as("attention"))
                                        .and(Found.atLeast(c.more(MLP, ATTENTION, AT_SUBJECT, 0.03, 0.25), 0).as("MLP − attention")))),
                new Criterion<>("C4", "last token at 0.6 to 0.75 of the depth: blocking either costs little", (c, p) ->
                        ifLeft(c, p, Position.LAST, 0.6, 0.75, () -> cheap(MLP, c, p, Position.LAST, 0.6, 0.75).as("MLP")
                                .and(cheap(ATTENTION, c, p, Position.LAST, 0.6, 0.75).as("attention")))));
    }

    /** Where next to nothing returns, nothing can be lost: not testable. */
    private static Found ifLeft(Curves here, Curves paper, Position token, double from, double to, Supplier<Found> found) {
        Estimate left = here.left(token, from, to);
        if (left.n() == 0) {
            return Found.nothing("no layer there");
        }
        return left.high() < HALF * paper.left(token, from, to).mean()
                ? Found.nothing("nothing blocked: " + Found.said(left)) : found.get();
    }

    private static Found dear(String blocked, Curves here, Curves paper, Position token, double from, double to) {
        return Found.atLeast(here.lost(blocked, token, from, to), HALF * paper.lost(blocked, token, from, to).mean());
    }

    private static Found cheap(String blocked, Curves here, Curves paper, Position token, double from, double to) {
        return Found.atMost(here.lost(blocked, token, from, to), TENTH * paper.at(BlockedPaths.NOTHING, token).highest().mean());
    }
}
