package lab.recall.paper;

import static lab.recall.paper.Found.HALF;
import static lab.recall.paper.Found.TENTH;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.IntStream;
import lab.recall.base.BadRequest;
import lab.recall.knockout.KnockoutCurves;
import lab.recall.knockout.Route;
import lab.recall.knockout.TokenGroup;
import lab.recall.paper.Criteria.Criterion;
import lab.recall.stats.Estimate;
import lab.recall.stats.RelativeDepth;
import lab.recall.stats.Samples;

/**
 * The shapes of the paper's knock-out curves, examined on a model: each criterion is one function of curves by centre layer, applied to
 * this model's and to the published ones, with bounds that are shares of the latter. Layers are compared by relative depth, (l + 1) / L.
 *
 * <pre>{@code
 * KnockoutCriteria.of("tiny-mamba, the paper's form", wide, single)      // single: of windows of one layer, for F5
 * KnockoutCriteria.readers(wide.means(SUBJECT), wide.window())           // layers, the one that reads most first
 * }</pre>
 *
 * Source: arXiv 2404.03646, section 6, Mamba-2.8b, decoded from the figure within 0.002.
 */
public final class KnockoutCriteria {
    static final int PAPER_WINDOW = 10;
    static final Map<TokenGroup, String> NAMES = Map.of(TokenGroup.SUBJECT, "subject", TokenGroup.SUBJECT_LAST, "subj_last",
            TokenGroup.NON_SUBJECT, "non_subject", TokenGroup.PROMPT_LAST, "prompt_last");

    /** Curves by centre layer of what is knocked out. */
    private interface Curves extends Function<TokenGroup, Samples> {
    }

    private KnockoutCriteria() {
    }

    /**
     * Criteria F: on curves of the paper's window in proportion, and on curves of windows of one layer.
     *
     * @throws BadRequest if the paper has no knock-out of the model's family
     */
    public static Criteria of(String title, KnockoutCurves wide, KnockoutCurves single) {
        PaperModel.of(wide.model(), "knock-out", PaperModel.MAMBA);
        PaperNumbers paper = PaperNumbers.of("knockout");
        Curves here = group -> wide.samples(Route.from(group));
        Curves published = group -> Samples.published(paper.curve("categories", NAMES.get(group)));
        int reader = readers(wide.means(TokenGroup.SUBJECT), wide.window()).get(0);
        List<Integer> readers = readers(published.apply(TokenGroup.SUBJECT).means(), PAPER_WINDOW);
        return Criteria.examined(title, criteria(), here, published, paper.evidence()).add("F5",
                "subject: the layer at whose entering and leaving the window the curve steps most is where one layer alone costs most",
                spike(reader, single.samples(Route.from(TokenGroup.SUBJECT))),
                "steps at layers " + readers.get(0) + " and " + readers.get(1) + "; one layer alone was not run");
    }

    /** Which single layers may be the one that costs most. */
    private static Found spike(int reader, Samples single) {
        double surely = Arrays.stream(single.highs()).min().orElseThrow();
        double[] low = single.lows();
        List<Integer> maybe = IntStream.range(0, low.length).filter(l -> low[l] <= surely).boxed().toList();
        return new Found("steps at layer " + reader + ", one layer alone at " + String.join(" or ", maybe.stream().map(String::valueOf)
                .toList()), Verdict.of(maybe.equals(List.of(reader)), maybe.contains(reader)));
    }

    /**
     * Layers by how far a curve falls when they enter the window and rises when they leave it, the largest step first. The window around l
     * is [l - w/2, l + (w+1)/2), so layer m enters at centre m - (w+1)/2 + 1 and has left at m + w/2 + 1.
     */
    public static List<Integer> readers(double[] curve, int window) {
        double[] step = new double[curve.length];
        for (int m = 0; m < curve.length; m++) {
            int enters = m - (window + 1) / 2 + 1;
            int left = m + window / 2 + 1;
            step[m] = (enters > 0 ? curve[enters - 1] - curve[enters] : 0) + (left < curve.length ? curve[left] - curve[left - 1] : 0);
        }
        return IntStream.range(0, step.length).boxed().sorted(Comparator.comparingDouble(m -> -step[m])).toList();
    }

    private static List<Criterion<Curves>> criteria() {
        return List.of(
                new Criterion<>("F1", "subject: costs as much everywhere in the first three eighths of the layers", (c, p) -> {
                    Samples s = c.apply(TokenGroup.SUBJECT);
                    return Found.everywhere(s.estimates(), in(s, 0, 0.375),
                            HALF * RelativeDepth.most(p.apply(TokenGroup.SUBJECT).means(), 0, 0.375), false);
                }),
                new Criterion<>("F1", "subject: at 0.47 to 0.6 of the depth it costs at most half of the paper's most, at 0.67 to 0.76 at "
                        + "least", (c, p) -> {
                    Samples s = c.apply(TokenGroup.SUBJECT);
                    return Found.atLeast(s.mean(in(s, 0.48, 0.61)), HALF * most(p))
                            .and(lowest(TokenGroup.SUBJECT, c, 0.68, 0.766, HALF * most(p)));
                }),
                new Criterion<>("F1", "subject: little in the last sixth", (c, p) -> little(TokenGroup.SUBJECT, c, p, 0.84, 1)),
                new Criterion<>("F2", "subject's last token: in the first fifth at most half of what the paper's costs at 0.67 to 0.76 of "
                        + "the depth, there at least", (c, p) -> {
                    double dip = RelativeDepth.least(p.apply(TokenGroup.SUBJECT_LAST).means(), 0.68, 0.766);
                    Samples s = c.apply(TokenGroup.SUBJECT_LAST);
                    return Found.everywhere(s.estimates(), in(s, 0, 0.2), HALF * dip, true)
                            .and(lowest(TokenGroup.SUBJECT_LAST, c, 0.68, 0.766, HALF * dip));
                }),
                new Criterion<>("F2", "subject's last token: as large a mean at 0.27 to 0.39 of the depth",
                        (c, p) -> mean(TokenGroup.SUBJECT_LAST, c, p, 0.28, 0.39)),
                new Criterion<>("F3", "non-subject: as large a mean in the first half, little in the last tenth",
                        (c, p) -> mean(TokenGroup.NON_SUBJECT, c, p, 0, 0.5).and(little(TokenGroup.NON_SUBJECT, c, p, 0.91, 1))),
                new Criterion<>("F4", "prompt's last token: little in the first fifth",
                        (c, p) -> little(TokenGroup.PROMPT_LAST, c, p, 0, 0.23)),
                new Criterion<>("F4", "prompt's last token: as large a mean at 0.33 to 0.8 of the depth",
                        (c, p) -> mean(TokenGroup.PROMPT_LAST, c, p, 0.328, 0.797)),
                new Criterion<>("F4", "prompt's last token: gains as much everywhere in the last eighth", (c, p) -> {
                    Samples s = c.apply(TokenGroup.PROMPT_LAST);
                    return Found.everywhere(s.estimates(), in(s, 0.89, 1),
                            HALF * RelativeDepth.least(p.apply(TokenGroup.PROMPT_LAST).means(), 0.89, 1), true);
                }));
    }

    private static int[] in(Samples s, double from, double to) {
        return RelativeDepth.layers(s.places(), from, to).toArray();
    }

    /** What the paper's costs most, below 0. */
    private static double most(Curves paper) {
        return paper.apply(TokenGroup.SUBJECT).lowest().mean();
    }

    private static Found little(TokenGroup group, Curves here, Curves paper, double from, double to) {
        Samples s = here.apply(group);
        return Found.nearNothing(s.estimates(), in(s, from, to), TENTH * Math.abs(most(paper)));
    }

    /** As large a mean as in the paper, of the same sign. */
    private static Found mean(TokenGroup group, Curves here, Curves paper, double from, double to) {
        Samples s = here.apply(group);
        double published = RelativeDepth.mean(paper.apply(group).means(), from, to);
        Estimate mean = s.mean(in(s, from, to));
        return published < 0 ? Found.atMost(mean, HALF * published) : Found.atLeast(mean, HALF * published);
    }

    private static Found lowest(TokenGroup group, Curves here, double from, double to, double bound) {
        Samples s = here.apply(group);
        int[] layers = in(s, from, to);
        return layers.length == 0 ? Found.nothing("no layer there") : Found.atMost(s.lowest(layers), bound);
    }
}
