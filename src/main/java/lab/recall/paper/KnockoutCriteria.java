package lab.recall.paper;

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
import lab.recall.paper.Criteria.Found;
import lab.recall.stats.RelativeDepth;

/**
 * The shapes of the paper's knock-out curves, examined on a model: each criterion is one function of curves by centre layer, applied to
 * this model's and to the published ones. Layers are compared by relative depth, l / L.
 *
 * <pre>{@code
 * KnockoutCriteria.of("tiny-mamba, the paper's form", wide, single)      // single: of windows of one layer, for F5
 * KnockoutCriteria.readers(wide.means(SUBJECT), wide.window())           // layers, the one that reads most first
 * }</pre>
 *
 * Source: arXiv 2404.03646, section 6, Mamba-2.8b, decoded from the figure within 0.002.
 */
public final class KnockoutCriteria {
    private static final int PAPER_WINDOW = 10;
    private static final Map<TokenGroup, String> NAMES = Map.of(TokenGroup.SUBJECT, "subject", TokenGroup.SUBJECT_LAST, "subj_last",
            TokenGroup.NON_SUBJECT, "non_subject", TokenGroup.PROMPT_LAST, "prompt_last");

    /** Curves by centre layer of what is knocked out. */
    private interface Curves extends Function<TokenGroup, double[]> {
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
        Curves here = wide::means;
        Curves published = group -> paper.curve("categories", NAMES.get(group));
        int reader = readers(here.apply(TokenGroup.SUBJECT), wide.window()).get(0);
        int spike = single.lowest(Route.from(TokenGroup.SUBJECT));
        List<Integer> readers = readers(published.apply(TokenGroup.SUBJECT), PAPER_WINDOW);
        return Criteria.examined(title, criteria(), here, published, paper.evidence()).add("F5",
                "subject: the layer at whose entering and leaving the window the curve steps most is where one layer alone costs most",
                new Found("steps at layer " + reader + ", one layer alone at " + spike, reader == spike),
                "steps at layers " + readers.get(0) + " and " + readers.get(1) + "; one layer alone was not run");
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
                new Criterion<>("F1", "subject: at most -0.5 everywhere in the first three eighths of the layers", c -> {
                    double most = RelativeDepth.most(c.apply(TokenGroup.SUBJECT), 0, 0.375);
                    return new Found("at most " + number(most), most <= -0.5);
                }),
                new Criterion<>("F1", "subject: above -0.3 at 0.47 to 0.59 of the depth, then at most -0.7 at 0.67 to 0.75", c -> {
                    double between = RelativeDepth.least(c.apply(TokenGroup.SUBJECT), 0.468, 0.594);
                    double second = RelativeDepth.least(c.apply(TokenGroup.SUBJECT), 0.671, 0.75);
                    return new Found("at least " + number(between) + "; " + number(second), between > -0.3 && second <= -0.7);
                }),
                new Criterion<>("F1", "subject: within 0.05 of 0 in the last sixth",
                        c -> nearNothing(c.apply(TokenGroup.SUBJECT), 0.828, 1, 0.05)),
                new Criterion<>("F2",
                        "subject's last token: -0.2 to 0 in the first fifth, at most -0.4 at 0.67 to 0.75 of the depth", c -> {
                    double[] curve = c.apply(TokenGroup.SUBJECT_LAST);
                    double early = RelativeDepth.least(curve, 0, 0.19);
                    double second = RelativeDepth.least(curve, 0.671, 0.75);
                    return new Found("at least " + number(early) + "; " + number(second),
                            early >= -0.2 && RelativeDepth.most(curve, 0, 0.19) <= 0 && second <= -0.4);
                }),
                new Criterion<>("F2", "subject's last token: mean of at most -0.25 at 0.27 to 0.375 of the depth", c -> {
                    double mean = RelativeDepth.mean(c.apply(TokenGroup.SUBJECT_LAST), 0.265, 0.375);
                    return new Found(number(mean), mean <= -0.25);
                }),
                new Criterion<>("F3", "non-subject: mean of -0.65 to -0.2 in the first half, within 0.1 of 0 in the last tenth", c -> {
                    double[] curve = c.apply(TokenGroup.NON_SUBJECT);
                    double mean = RelativeDepth.mean(curve, 0, 0.5);
                    Found end = nearNothing(curve, 0.9, 1, 0.1);
                    return new Found(number(mean) + "; " + end.text(), mean >= -0.65 && mean <= -0.2 && end.held());
                }),
                new Criterion<>("F4", "prompt's last token: within 0.05 of 0 in the first fifth",
                        c -> nearNothing(c.apply(TokenGroup.PROMPT_LAST), 0, 0.219, 0.05)),
                new Criterion<>("F4", "prompt's last token: mean of -0.3 to -0.05 at 0.31 to 0.78 of the depth", c -> {
                    double mean = RelativeDepth.mean(c.apply(TokenGroup.PROMPT_LAST), 0.3125, 0.782);
                    return new Found(number(mean), mean >= -0.3 && mean <= -0.05);
                }),
                new Criterion<>("F4", "prompt's last token: at least 0.3 in the last eighth", c -> {
                    double least = RelativeDepth.least(c.apply(TokenGroup.PROMPT_LAST), 0.875, 1);
                    return new Found("at least " + number(least), least >= 0.3);
                }));
    }

    private static Found nearNothing(double[] curve, double from, double to, double bound) {
        double farthest = RelativeDepth.layers(curve.length, from, to).mapToDouble(l -> Math.abs(curve[l])).max().orElseThrow();
        return new Found("at most " + number(farthest) + " from 0", farthest <= bound);
    }

    /** Changes are small: one decimal more than elsewhere. */
    private static String number(double v) {
        return Criteria.number(v, 3);
    }
}
