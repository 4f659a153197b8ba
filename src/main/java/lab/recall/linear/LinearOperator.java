package lab.recall.linear;

import java.util.Arrays;
import java.util.List;
import lab.recall.base.BadRequest;
import lab.recall.math.PackedMatrix;
import lab.recall.math.Parallel;
import lab.recall.math.Svd;
import lab.recall.model.HookPoint;
import lab.recall.model.Jacobian;
import lab.recall.model.Pass;
import lab.recall.model.Site;
import lab.recall.view.HeatMap;

/**
 * A relation as one affine map: from a subject's state h after a layer to the last residual stream, beta W h + b.
 *
 * <pre>{@code
 * LinearOperator op = LinearOperator.mean(4, jacobians);
 * float[] z = op.apply(h, 2.5);                              // model.logitLens(z) says what comes next
 * op.svd().inverse(16)                                       // from a wanted change of z to a change of h
 * op.heatmap()
 * }</pre>
 *
 * W is the mean Jacobian of some examples, b the mean of z - J h. Source: arXiv 2308.09124, sections 3.2 and 3.3.
 *
 * @param layer    after which h is taken; {@link Jacobian#EMBED} for the embedding
 * @param width    d
 * @param examples how many it is the mean of
 * @param matrix   W, [d, d]
 * @param bias     b, [d]
 */
public record LinearOperator(int layer, int width, int examples, float[] matrix, float[] bias) {
    private static final int MOST_CELLS = 128;
    /** Numbers that are worth a thread of their own. */
    private static final int TOGETHER = 16_384;

    /**
     * The mean over examples.
     *
     * @throws BadRequest if there is none
     */
    public static LinearOperator mean(int layer, List<Jacobian> examples) {
        if (examples.isEmpty()) {
            throw new BadRequest("examples", "[], expected at least one: a mean Jacobian is taken over them");
        }
        int d = examples.get(0).h().length;
        Mean mean = new Mean(layer, d);
        for (Jacobian j : examples) {
            mean.add(0, d, j.values(), d, j.h(), j.z());
            mean.count();
        }
        return mean.operator();
    }

    /** A mean that examples are added to, rows at a time; holds 8 d² bytes. */
    static final class Mean {
        private final int layer;
        private final int d;
        private final double[] matrix;
        private final double[] bias;
        private int n;

        Mean(int layer, int width) {
            this.layer = layer;
            this.d = width;
            this.matrix = new double[width * width];
            this.bias = new double[width];
        }

        /** Adds one example's Jacobians to the mean of each layer, as they are found. */
        static void add(List<Mean> means, Pass pass, int token) {
            int[] layers = means.stream().mapToInt(m -> m.layer).toArray();
            float[][] h = Arrays.stream(layers).mapToObj(l -> Jacobian.start(pass, l, token)).toArray(float[][]::new);
            float[] z = Jacobian.end(pass);
            Jacobian.rows(pass, layers, token,
                    (i, first, count, values, stride) -> means.get(i).add(first, count, values, stride, h[i], z));
            means.forEach(Mean::count);
        }

        private void add(int first, int rows, float[] values, int stride, float[] h, float[] z) {
            Parallel.ranges(rows, Math.max(1, TOGETHER / d), (from, to) -> {
                for (int r = from; r < to; r++) {
                    double image = 0;
                    for (int k = 0; k < d; k++) {
                        float v = values[r * stride + k];
                        matrix[(first + r) * d + k] += v;
                        image += (double) v * h[k];
                    }
                    bias[first + r] += z[first + r] - image;
                }
            });
        }

        private void count() {
            n++;
        }

        LinearOperator operator() {
            return new LinearOperator(layer, d, n, divided(matrix), divided(bias));
        }

        private float[] divided(double[] sum) {
            float[] mean = new float[sum.length];
            for (int i = 0; i < mean.length; i++) {
                mean[i] = (float) (sum[i] / n);
            }
            return mean;
        }
    }

    /** beta W h + b. */
    public float[] apply(float[] h, double beta) {
        float[] z = new float[width];
        for (int i = 0; i < width; i++) {
            double image = 0;
            for (int k = 0; k < width; k++) {
                image += (double) matrix[i * width + k] * h[k];
            }
            z[i] = (float) (beta * image + bias[i]);
        }
        return z;
    }

    /** W h of many states, [rows, d]. */
    float[] images(float[] states, int rows) {
        float[] images = new float[rows * width];
        PackedMatrix.of(matrix, width, width).multiply(states, 0, width, rows, images, 0, width);
        return images;
    }

    /** Singular values and vectors of W. */
    public Svd svd() {
        return svd(width);
    }

    /** With the vectors that ranks up to a number take. */
    public Svd svd(int rank) {
        return Svd.of(matrix, width, rank);
    }

    /** W as a picture; of a wide one the first rows and columns. */
    public HeatMap heatmap() {
        int shown = Math.min(width, MOST_CELLS);
        double[][] rows = new double[shown][shown];
        for (int r = 0; r < shown; r++) {
            for (int c = 0; c < shown; c++) {
                rows[r][c] = matrix[r * width + c];
            }
        }
        String of = examples == 1 ? "one example" : "mean of " + examples + " examples";
        String part = shown < width ? ", its corner" : "";
        return HeatMap.signed("W, " + of + ", from " + place(layer) + " to the last residual stream" + part, rows)
                .rowAxis("row").columns("column");
    }

    /** Where h is read and moved. */
    static Site site(int layer, int token) {
        return layer == Jacobian.EMBED ? new Site(0, HookPoint.EMBED, token) : new Site(layer, HookPoint.RESID_POST, token);
    }

    /** A layer's name in titles. */
    static String place(int layer) {
        return layer == Jacobian.EMBED ? "the embedding" : "layer " + layer;
    }
}
