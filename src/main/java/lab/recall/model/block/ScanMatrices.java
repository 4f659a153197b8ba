package lab.recall.model.block;

import lab.recall.model.EditableMatrix;

/** The matrices of layers of a scan that rank-one editing changes; letters are those of the paper (arXiv 2404.03646, section 4). */
public final class ScanMatrices {
    /** The weight that holds W_a and W_g. */
    public static final String IN_PROJ = "backbone.layers.{}.mixer.in_proj.weight";
    /** The rows of in_proj that make the convolution's input, above those of the gate. */
    public static final EditableMatrix W_A = EditableMatrix.of("in_proj.x", "W_a", ScanPoints.NORMED, ScanPoints.IN_X, IN_PROJ);
    /** The rows of in_proj that make the gate, below the others. */
    public static final EditableMatrix W_G = EditableMatrix.of("in_proj.z", "W_g", ScanPoints.NORMED, ScanPoints.IN_Z, IN_PROJ)
            .below(ScanPoints.IN_X);
    /** out_proj. */
    public static final EditableMatrix W_O = EditableMatrix.of("out_proj", "W_o", ScanPoints.GATED, ScanPoints.OUT,
            "backbone.layers.{}.mixer.out_proj.weight");

    private ScanMatrices() {
    }
}
