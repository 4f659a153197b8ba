package lab.recall.fuzz;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.DoubleUnaryOperator;
import lab.recall.checkpoint.Tensor;

/**
 * A model's logits in plain loops over doubles, from its tensors and from what config.json says, read once more in HuggingFace's words and
 * with its defaults. It knows which fields it read: no number depends on the others.
 */
abstract class Dense {
    private final JsonNode config;
    private final Map<String, Tensor> tensors;
    private final Map<String, double[]> numbers = new HashMap<>();
    private final Set<String> read = new HashSet<>();

    Dense(JsonNode config, Map<String, Tensor> tensors) {
        this.config = config;
        this.tensors = tensors;
    }

    static Dense of(JsonNode config, Map<String, Tensor> tensors) {
        boolean attends = config.path("model_type").asText().matches("gpt_neox|gpt2|llama|mistral|qwen2");
        return attends ? new DenseAttention(config, tensors) : new DenseScans(config, tensors);
    }

    /** Of the last token. */
    abstract double[] logits(int[] ids);

    /** Fields on which the logits depend, or that say what was done in other words. */
    Set<String> read() {
        return read;
    }

    JsonNode at(String key) {
        JsonNode at = config;
        for (String part : key.split("\\.")) {
            at = at.path(part);
        }
        return at;
    }

    boolean says(String key) {
        read.add(key);
        return !at(key).isMissingNode() && !at(key).isNull();
    }

    double number(String key, double otherwise) {
        if (says(key) && !at(key).isNumber()) {
            throw new IllegalStateException(key + " is no number, but it opens");
        }
        return says(key) ? at(key).doubleValue() : otherwise;
    }

    int count(String key) {
        return (int) number(key, Double.NaN);
    }

    boolean flag(String key, boolean otherwise) {
        if (says(key) && !at(key).isBoolean()) {
            throw new IllegalStateException(key + " is neither true nor false, but it opens");
        }
        return says(key) ? at(key).booleanValue() : otherwise;
    }

    String word(String key, String otherwise) {
        return says(key) ? at(key).asText() : otherwise;
    }

    /** A field that is allowed to say this and nothing else. */
    void only(String key, Object... values) {
        JsonNode said = at(key);
        if (says(key) && Arrays.stream(values).noneMatch(v -> v instanceof Number n && said.isNumber()
                ? n.doubleValue() == said.doubleValue() : v.toString().equals(said.isTextual() ? said.asText() : said.toString()))) {
            throw new IllegalStateException(key + " = " + at(key) + ", but it opens");
        }
    }

    /** What tensors tell: right where it says the same; where it does not, something has to be said of it. */
    void size(String key, double fromTensors) {
        if (at(key).isNumber() && at(key).doubleValue() == fromTensors) {
            read.add(key);
        }
    }

    /** The word auto leaves it to the tensors. */
    void leftOpen(String key) {
        if (at(key).asText().equals("auto")) {
            read.add(key);
        }
    }

    void size(String key, boolean fromTensors) {
        if (at(key).isBoolean() && at(key).booleanValue() == fromTensors) {
            read.add(key);
        }
    }

    boolean has(String name) {
        return tensors.containsKey(name);
    }

    double[] weight(String name) {
        return numbers.computeIfAbsent(name, n -> tensors.get(n).doubles());
    }

    int rows(String name) {
        return (int) tensors.get(name).shape()[0];
    }

    int columns(String name) {
        return (int) tensors.get(name).shape()[1];
    }

    double[][] embedded(String name, int[] ids) {
        int d = columns(name);
        double[][] h = new double[ids.length][];
        for (int t = 0; t < ids.length; t++) {
            h[t] = Arrays.copyOfRange(weight(name), ids[t] * d, (ids[t] + 1) * d);
        }
        return h;
    }

    /** A linear map whose weight stands [outputs, inputs], with its bias where there is one. */
    double[][] map(double[][] x, String name) {
        return product(x, weight(name + ".weight"), has(name + ".bias") ? weight(name + ".bias") : null, false);
    }

    /** One whose weight stands [inputs, outputs]. */
    double[][] mapTransposed(double[][] x, String name) {
        return product(x, weight(name + ".weight"), weight(name + ".bias"), true);
    }

    private static double[][] product(double[][] x, double[] w, double[] bias, boolean transposed) {
        int inputs = x[0].length;
        int outputs = w.length / inputs;
        double[][] y = new double[x.length][outputs];
        for (int t = 0; t < x.length; t++) {
            for (int o = 0; o < outputs; o++) {
                double sum = bias == null ? 0 : bias[o];
                for (int i = 0; i < inputs; i++) {
                    sum += x[t][i] * w[transposed ? i * outputs + o : o * inputs + i];
                }
                y[t][o] = sum;
            }
        }
        return y;
    }

    /** A layer norm where {@code centred}, else an RMS norm; its bias where there is one. */
    double[][] norm(double[][] x, String name, double epsilon, boolean centred) {
        double[] weight = weight(name + ".weight");
        double[][] y = new double[x.length][];
        for (int t = 0; t < x.length; t++) {
            double mean = centred ? Arrays.stream(x[t]).sum() / x[t].length : 0;
            y[t] = scaled(Arrays.stream(x[t]).map(v -> v - mean).toArray(), epsilon);
            for (int i = 0; i < y[t].length; i++) {
                y[t][i] = y[t][i] * weight[i] + (centred ? weight(name + ".bias")[i] : 0);
            }
        }
        return y;
    }

    /** Divided by its root mean square. */
    static double[] scaled(double[] x, double epsilon) {
        double square = Arrays.stream(x).map(v -> v * v).sum() / x.length;
        return Arrays.stream(x).map(v -> v / Math.sqrt(square + epsilon)).toArray();
    }

    static void each(double[][] x, DoubleUnaryOperator f) {
        for (double[] row : x) {
            for (int i = 0; i < row.length; i++) {
                row[i] = f.applyAsDouble(row[i]);
            }
        }
    }

    static void add(double[][] h, double[][] more) {
        for (int t = 0; t < h.length; t++) {
            for (int i = 0; i < h[t].length; i++) {
                h[t][i] += more[t][i];
            }
        }
    }

    static double[][] columns(double[][] x, int from, int count) {
        return Arrays.stream(x).map(row -> Arrays.copyOfRange(row, from, from + count)).toArray(double[][]::new);
    }

    static double sigmoid(double x) {
        return 1 / (1 + Math.exp(-x));
    }

    static double silu(double x) {
        return x * sigmoid(x);
    }

    static double softplus(double x) {
        return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
    }

    /** x Φ(x), by the series of erf. */
    static double gelu(double x) {
        double z = x / Math.sqrt(2);
        if (Math.abs(z) > 4) {
            return Math.max(x, 0);
        }
        double sum = 0;
        double term = z;
        for (int n = 0; n < 120; n++) {
            sum += term / (2 * n + 1);
            term *= -z * z / (n + 1);
        }
        return x / 2 * (1 + 2 / Math.sqrt(Math.PI) * sum);
    }

    static double tanhGelu(double x) {
        return x / 2 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
    }
}
