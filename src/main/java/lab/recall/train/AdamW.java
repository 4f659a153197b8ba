package lab.recall.train;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import lab.recall.base.BadRequest;
import lab.recall.base.Check;
import lab.recall.math.Parallel;

/**
 * Adam with decoupled weight decay, in PyTorch's order of operations.
 *
 * <pre>{@code
 * var adam = new AdamW(0.9, 0.999, 1e-8, 0.01, name -> true);
 * adam.step(weights, gradients, 1e-3, 1);                    // by name, in place: learning rate, factor of the gradients
 * }</pre>
 *
 * Numbers are f32, corrections for the start f64. Source: Loshchilov and Hutter, arXiv 1711.05101, algorithm 2.
 */
public final class AdamW {
    private final double beta1;
    private final double beta2;
    private final double epsilon;
    private final double decay;
    private final Predicate<String> decays;
    private final Map<String, float[]> first = new LinkedHashMap<>();
    private final Map<String, float[]> second = new LinkedHashMap<>();
    private int steps;

    /** @param decays whether a weight decays, by name */
    public AdamW(double beta1, double beta2, double epsilon, double decay, Predicate<String> decays) {
        this.beta1 = beta1;
        this.beta2 = beta2;
        this.epsilon = epsilon;
        this.decay = decay;
        this.decays = decays;
    }

    /** Checks a share of an old moment that stays; at 1 nothing new would ever count. */
    static double beta(String field, double value) {
        if (Check.number(field, value, 0) >= 1) {
            throw new BadRequest(field, value + ", expected a number from 0 to below 1");
        }
        return value;
    }

    /** Checks what keeps the division finite where a weight has had no gradient yet: at 0 it would become NaN. */
    static double epsilon(String field, double value) {
        if ((float) Check.number(field, value, 0) == 0) {
            throw new BadRequest(field, value + ", expected a number above 0 in single precision, such as 1e-8");
        }
        return value;
    }

    /** Number of steps so far. */
    public int steps() {
        return steps;
    }

    /** First moments by name, its own arrays. */
    Map<String, float[]> first() {
        return first;
    }

    /** Second moments by name, its own arrays. */
    Map<String, float[]> second() {
        return second;
    }

    /** Goes on from moments that were kept. */
    void resume(int done, Map<String, float[]> firstMoments, Map<String, float[]> secondMoments) {
        steps = done;
        first.putAll(firstMoments);
        second.putAll(secondMoments);
    }

    /** The Euclidean norm of all gradients together, the same for any number of threads. */
    static double norm(Map<String, float[]> gradients) {
        List<float[]> all = new ArrayList<>(gradients.values());
        double[] squares = new double[all.size()];
        Parallel.forEach(squares.length, i -> squares[i] = squares(all.get(i)));
        double sum = 0;
        for (double s : squares) {
            sum += s;
        }
        return Math.sqrt(sum);
    }

    private static double squares(float[] g) {
        double a = 0;
        double b = 0;
        int i = 0;
        for (; i < g.length - 1; i += 2) {
            a += (double) g[i] * g[i];
            b += (double) g[i + 1] * g[i + 1];
        }
        return a + (i < g.length ? (double) g[i] * g[i] : 0) + b;
    }

    /**
     * One step, in place.
     *
     * @param rate   learning rate
     * @param factor of the gradients: below 1 where they are clipped
     */
    public void step(Map<String, float[]> weights, Map<String, float[]> gradients, double rate, double factor) {
        steps++;
        float size = (float) (rate / (1 - Math.pow(beta1, steps)));
        float root = (float) (1 / Math.sqrt(1 - Math.pow(beta2, steps)));
        List<String> names = new ArrayList<>(weights.keySet());
        for (String name : names) {
            first.computeIfAbsent(name, n -> new float[weights.get(n).length]);
            second.computeIfAbsent(name, n -> new float[weights.get(n).length]);
        }
        Parallel.forEach(names.size(), i -> {
            String name = names.get(i);
            float keep = (float) (decays.test(name) ? 1 - rate * decay : 1);
            step(weights.get(name), gradients.get(name), first.get(name), second.get(name), keep, size, root, (float) factor);
        });
    }

    private void step(float[] w, float[] gradient, float[] m, float[] v, float keep, float size, float root, float factor) {
        float b1 = (float) beta1;
        float c1 = (float) (1 - beta1);
        float b2 = (float) beta2;
        float c2 = (float) (1 - beta2);
        float eps = (float) epsilon;
        for (int i = 0; i < w.length; i++) {
            float g = factor * gradient[i];
            m[i] = b1 * m[i] + c1 * g;
            v[i] = b2 * v[i] + c2 * g * g;
            w[i] = w[i] * keep - size * m[i] / ((float) Math.sqrt(v[i]) * root + eps);
        }
    }
}
