package lab.recall.model;

import java.util.Map;
import lab.recall.math.LayerNorm;
import lab.recall.math.RmsNorm;

/**
 * A layer norm, or an RMS norm, which has no bias and takes no mean away.
 *
 * @param name   of its weight in the checkpoint
 * @param weight [d]
 * @param bias   [d]; null for an RMS norm
 */
public record Norm(String name, float[] weight, float[] bias, float epsilon) {
    /** An RMS norm; the name is that of its weight. */
    public static Norm rms(Weights weights, String name, int width, float epsilon) {
        return new Norm(name, weights.vector(name, width), null, epsilon);
    }

    /** A layer norm; its weight and bias are {@code name.weight} and {@code name.bias}. */
    public static Norm layer(Weights weights, String name, int width, float epsilon) {
        return new Norm(name + ".weight", weights.vector(name + ".weight", width), weights.vector(name + ".bias", width), epsilon);
    }

    /** The one that the checkpoint has: a layer norm where there is a bias, else an RMS norm; names as those of {@link #layer}. */
    public static Norm stored(Weights weights, String name, int width, float epsilon) {
        return weights.has(name + ".bias") ? layer(weights, name, width, epsilon) : rms(weights, name + ".weight", width, epsilon);
    }

    private int width() {
        return weight.length;
    }

    /** Of {@code rows} rows. */
    public void forward(float[] x, int xAt, int rows, float[] normed, int at) {
        if (bias == null) {
            RmsNorm.forward(x, xAt, rows, width(), weight, epsilon, normed, at);
        } else {
            LayerNorm.forward(x, xAt, rows, width(), weight, bias, epsilon, normed, at);
        }
    }

    /** Adds the gradients of rows to {@code dX}, and those of its own weights to {@code parameters} unless that is null. */
    public void backward(float[] x, int xAt, int rows, float[] dNormed, int at, float[] dX, int dXAt, Map<String, float[]> parameters) {
        float[] dWeight = parameters == null ? null : parameters.computeIfAbsent(name, n -> new float[width()]);
        if (bias == null) {
            RmsNorm.backward(x, xAt, rows, width(), weight, epsilon, dNormed, at, dX, dXAt, dWeight);
        } else {
            float[] dBias = parameters == null ? null : parameters.computeIfAbsent(biasName(), n -> new float[width()]);
            LayerNorm.backward(x, xAt, rows, width(), weight, epsilon, dNormed, at, dX, dXAt, dWeight, dBias);
        }
    }

    private String biasName() {
        return name.substring(0, name.length() - "weight".length()) + "bias";
    }

    /** Its linear part, (x - mean) weight or x weight: norm(x) = linear(x) / sqrt(product(x, x) + epsilon) + bias. */
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
