package lab.recall.model;

/**
 * What is linear and what is quadratic in the norm before the head: norm(x) = linear(x) / sqrt(product(x, x) + epsilon) + bias. A layer
 * norm takes the mean away first; an RMS norm has no bias and does not.
 *
 * @param weight [d]
 * @param bias   [d]; null for an RMS norm
 */
record FinalNorm(float[] weight, float[] bias, float epsilon) {
    /** (x - mean) weight, or x weight. */
    void linear(float[] x, int at, float[] out, int outAt) {
        float mean = (float) mean(x, at);
        for (int i = 0; i < weight.length; i++) {
            out[outAt + i] = (x[at + i] - mean) * weight[i];
        }
    }

    /** The mean of a times b, each without its mean where the norm takes it away. */
    double product(float[] a, int aAt, float[] b, int bAt) {
        double meanA = mean(a, aAt);
        double meanB = mean(b, bAt);
        double sum = 0;
        for (int i = 0; i < weight.length; i++) {
            sum += (a[aAt + i] - meanA) * (b[bAt + i] - meanB);
        }
        return sum / weight.length;
    }

    private double mean(float[] x, int at) {
        if (bias == null) {
            return 0;
        }
        double sum = 0;
        for (int i = 0; i < weight.length; i++) {
            sum += x[at + i];
        }
        return sum / weight.length;
    }
}
