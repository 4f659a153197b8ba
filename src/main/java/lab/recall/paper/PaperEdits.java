package lab.recall.paper;

import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import lab.recall.edit.EditCurves;
import lab.recall.edit.EditScores.Measure;
import lab.recall.model.EditableMatrix;
import lab.recall.stats.RelativeDepth;
import lab.recall.view.Charts;
import org.knowm.xchart.XYChart;

/**
 * The paper's scores of 2,000 edits at each layer of Mamba-2.8b and Pythia-2.8b, beside those found here.
 *
 * <pre>{@code
 * PaperEdits.beside(curves)                                  // the harmonic mean
 * PaperEdits.beside(curves, Measure.SPECIFICITY)
 * }</pre>
 *
 * Source: arXiv 2404.03646, section 4.
 */
public final class PaperEdits {
    /** What the files of {@code data/paper} call the harmonic mean of the three shares. */
    static final String SCORE = "score";
    static final String W_A = "in_proj.x";
    static final String W_G = "in_proj.z";
    static final String W_O = "out_proj";
    static final String W_DOWN = "mlp.dense_4h_to_h";
    /** The matrices that the paper edited, by id, and what its files call them. */
    private static final Map<String, String> LETTERS = Map.of(W_A, "W_a", W_G, "W_g", W_O, "W_o", W_DOWN, "W_down");

    private PaperEdits() {
    }

    /**
     * The harmonic mean over relative depth; dashed beside each matrix's line the paper's, where it edited such a matrix of a model of this
     * family.
     */
    public static XYChart beside(EditCurves curves) {
        return beside(curves, curves.scoreByDepth(), SCORE);
    }

    /** The same of a share. */
    public static XYChart beside(EditCurves curves, Measure measure) {
        return beside(curves, curves.byDepth(measure), measure.label());
    }

    private static XYChart beside(EditCurves curves, XYChart chart, String measure) {
        PaperModel.of(curves.model()).ifPresent(paper -> {
            for (EditableMatrix m : curves.matrices()) {
                if (matrices(paper).contains(m.id())) {
                    double[] curve = curve(paper, m.id(), measure);
                    Charts.counterpart(chart, m.label(), m.label() + ", paper's " + paper.label(), RelativeDepth.each(curve.length), curve);
                }
            }
        });
        return chart;
    }

    /** What the paper calls a matrix. */
    static String letter(String matrix) {
        return LETTERS.get(matrix);
    }

    /** The ids of the matrices that the paper edited. */
    static Set<String> matrices(PaperModel model) {
        return LETTERS.keySet().stream().filter(id -> numbers(model).at("matrices").has(LETTERS.get(id))).collect(Collectors.toSet());
    }

    /**
     * A curve by layer, from 0 to 1.
     *
     * @param matrix  its id
     * @param measure a share's label, or {@link #SCORE}
     */
    static double[] curve(PaperModel model, String matrix, String measure) {
        return StreamSupport.stream(numbers(model).at("matrices", LETTERS.get(matrix)).spliterator(), false)
                .mapToDouble(row -> row.path(measure).asDouble() / 100).toArray();
    }

    static PaperNumbers numbers(PaperModel model) {
        return PaperNumbers.of("rome_" + model.key());
    }
}
