package lab.recall.train;

import java.util.HashMap;
import java.util.Map;

/**
 * Adam with decoupled weight decay, in PyTorch's order of operations.
 *
 * <pre>{@code
 * var adam = new AdamW(1e-3, 0.9, 0.999, 1e-8, 0.01);
 * adam.step(weights, gradients);                             // by name, in place
 * }</pre>
 *
 * Moments are kept in f32, corrections computed in f64. Source: Loshchilov and Hutter, arXiv 1711.05101, algorithm 2.
 */
public final class AdamW {
    private final double rate;
    private final double beta1;
    private final double beta2;
    private final double epsilon;
    private final double decay;
    private final Map<String, float[]> first = new HashMap<>();
    private final Map<String, float[]> second = new HashMap<>();
    private int steps;

    /** @param rate learning rate; @param decay weight decay, for every weight */
    public AdamW(double rate, double beta1, double beta2, double epsilon, double decay) {
        this.rate = rate;
        this.beta1 = beta1;
        this.beta2 = beta2;
        this.epsilon = epsilon;
        this.decay = decay;
    }

    /** One step, in place. */
    public void step(Map<String, float[]> weights, Map<String, float[]> gradients) {
        steps++;
        double size = rate / (1 - Math.pow(beta1, steps));
        double root = 1 / Math.sqrt(1 - Math.pow(beta2, steps));
        weights.forEach((name, w) -> {
            float[] g = gradients.get(name);
            float[] m = first.computeIfAbsent(name, n -> new float[w.length]);
            float[] v = second.computeIfAbsent(name, n -> new float[w.length]);
            for (int i = 0; i < w.length; i++) {
                m[i] = (float) (beta1 * m[i] + (1 - beta1) * g[i]);
                v[i] = (float) (beta2 * v[i] + (1 - beta2) * g[i] * g[i]);
                w[i] = (float) (w[i] * (1 - rate * decay) - size * m[i] / (Math.sqrt(v[i]) * root + epsilon));
            }
        });
    }
}
