package lab.recall.knockout;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;
import lab.recall.facts.PaperNumbers;
import lab.recall.stats.RelativeDepth;
import lab.recall.view.Criteria;
import lab.recall.view.Criteria.Criterion;
import lab.recall.view.Criteria.Found;

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
    private interface Curves {
        double[] of(TokenGroup group);
    }

    private KnockoutCriteria() {
    }

    /** Criteria F: on curves of the paper's window in proportion, and on curves of windows of one layer. */
    public static Criteria of(String title, KnockoutCurves wide, KnockoutCurves single) {
        PaperNumbers paper = PaperNumbers.of("knockout");
        Curves here = wide::means;
        Criteria all = Criteria.examined(title, criteria(), here, group -> paper.curve("categories", NAMES.get(group)))
                .evidence(paper.evidence());
        int reader = readers(wide.means(TokenGroup.SUBJECT), wide.window()).get(0);
        int spike = single.lowest(Route.from(TokenGroup.SUBJECT));
        List<Integer> published = readers(paper.curve("categories", NAMES.get(TokenGroup.SUBJECT)), PAPER_WINDOW);
        return all.add("F5",
                "subject: the layer at whose entering and leaving the window the curve steps most is where one layer alone costs most",
                "steps at layer " + reader + ", one layer alone at " + spike, reader == spike,
                "steps at layers " + published.get(0) + " and " + published.get(1) + "; one layer alone was not run");
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
        List<Criterion<Curves>> all = new ArrayList<>();
        all.add(new Criterion<>("F1", "subject: at most -0.5 everywhere in the first three eighths of the layers", c -> {
            double most = RelativeDepth.most(c.of(TokenGroup.SUBJECT), 0, 0.375);
            return new Found("at most " + number(most), most <= -0.5);
        }));
        all.add(new Criterion<>("F1", "subject: above -0.3 at 0.47 to 0.59 of the depth, then at most -0.7 at 0.67 to 0.75", c -> {
            double between = RelativeDepth.least(c.of(TokenGroup.SUBJECT), 0.468, 0.594);
            double second = RelativeDepth.least(c.of(TokenGroup.SUBJECT), 0.671, 0.75);
            return new Found("at least " + number(between) + "; " + number(second), between > -0.3 && second <= -0.7);
        }));
        all.add(new Criterion<>("F1", "subject: within 0.05 of 0 in the last sixth",
                c -> nearNothing(c.of(TokenGroup.SUBJECT), 0.828, 1, 0.05)));
        all.add(new Criterion<>("F2",
                "subject's last token: -0.2 to 0 in the first fifth, at most -0.4 at 0.67 to 0.75 of the depth", c -> {
            double[] curve = c.of(TokenGroup.SUBJECT_LAST);
            double early = RelativeDepth.least(curve, 0, 0.19);
            double second = RelativeDepth.least(curve, 0.671, 0.75);
            return new Found("at least " + number(early) + "; " + number(second),
                    early >= -0.2 && RelativeDepth.most(curve, 0, 0.19) <= 0 && second <= -0.4);
        }));
        all.add(new Criterion<>("F2", "subject's last token: mean of at most -0.25 at 0.27 to 0.375 of the depth", c -> {
            double mean = RelativeDepth.mean(c.of(TokenGroup.SUBJECT_LAST), 0.265, 0.375);
            return new Found(number(mean), mean <= -0.25);
        }));
        all.add(new Criterion<>("F3", "non-subject: mean of -0.65 to -0.2 in the first half, within 0.1 of 0 in the last tenth", c -> {
            double[] curve = c.of(TokenGroup.NON_SUBJECT);
            double mean = RelativeDepth.mean(curve, 0, 0.5);
            Found end = nearNothing(curve, 0.9, 1, 0.1);
            return new Found(number(mean) + "; " + end.text(), mean >= -0.65 && mean <= -0.2 && end.held());
        }));
        all.add(new Criterion<>("F4", "prompt's last token: within 0.05 of 0 in the first fifth",
                c -> nearNothing(c.of(TokenGroup.PROMPT_LAST), 0, 0.219, 0.05)));
        all.add(new Criterion<>("F4", "prompt's last token: mean of -0.3 to -0.05 at 0.31 to 0.78 of the depth", c -> {
            double mean = RelativeDepth.mean(c.of(TokenGroup.PROMPT_LAST), 0.3125, 0.782);
            return new Found(number(mean), mean >= -0.3 && mean <= -0.05);
        }));
        all.add(new Criterion<>("F4", "prompt's last token: at least 0.3 in the last eighth", c -> {
            double least = RelativeDepth.least(c.of(TokenGroup.PROMPT_LAST), 0.875, 1);
            return new Found("at least " + number(least), least >= 0.3);
        }));
        return all;
    }

    private static Found nearNothing(double[] curve, double from, double to, double bound) {
        double farthest = RelativeDepth.layers(curve.length, from, to).mapToDouble(l -> Math.abs(curve[l])).max().orElseThrow();
        return new Found("at most " + number(farthest) + " from 0", farthest <= bound);
    }

    private static String number(double v) {
        return String.format(Locale.ROOT, "%.3f", v).replace("-0.000", "0.000");
    }
}
