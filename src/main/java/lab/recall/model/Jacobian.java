package lab.recall.model;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntConsumer;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * How the final residual stream at the last token moves with the residual stream at another place: d z / d h.
 *
 * <pre>{@code
 * Pass pass = model.run(ids, Recording.gradients());
 * Jacobian j = Jacobian.of(pass, 4, subjectLast);            // after layer 4; Jacobian.EMBED: the embedding
 * j.array()                                                  // INDArray [d, d]
 * Jacobian.of(pass, new int[] {EMBED, 0, 1}, subjectLast)    // after several layers, for little more than the lowest one alone
 * }</pre>
 *
 * z = resid_post of the last layer at the last token, h = resid_post of the layer at the token. All d rows go down the layers above h
 * together, only from the token on. Source: arXiv 2308.09124, section 3.2.
 *
 * @param values d z[i] / d h[j] at i * d + j
 * @param h      [d]
 * @param z      [d]
 */
public record Jacobian(float[] values, float[] h, float[] z) {
    /** The layer before the first one. */
    public static final int EMBED = -1;
    private static final long GROUP_BYTES = 128L << 20;

    /** Of a pass that was run with {@link Recording#gradients()}. */
    public static Jacobian of(Pass pass, int layer, int token) {
        return of(pass, new int[] {layer}, token).get(0);
    }

    /** After several layers, in their order: one way down from the last layer passes them all. */
    public static List<Jacobian> of(Pass pass, int[] layers, int token) {
        LanguageModel model = pass.model();
        model.requireTape(pass);
        for (int layer : layers) {
            if (layer < EMBED || layer >= model.layers()) {
                throw new IllegalArgumentException("layer: " + layer + ", expected embed or a whole number from 0 to " + (model.layers() - 1));
            }
        }
        if (token < pass.from() || token >= pass.length()) {
            throw new IllegalArgumentException("token: " + token + ", expected a whole number from " + pass.from() + " to " + (pass.length() - 1));
        }
        int d = model.width();
        int tokens = pass.length() - token;
        float[][] values = new float[model.layers() + 1][];
        for (int layer : layers) {
            values[layer + 1] = new float[d * d];
        }
        int lowest = Arrays.stream(layers).min().orElseThrow();
        int together = (int) Math.max(1, Math.min(d, GROUP_BYTES / ((long) tokens * d * Float.BYTES)));
        for (int first = 0; first < d; first += together) {
            int count = Math.min(together, d - first);
            float[] grad = new float[count * tokens * d];
            List<BackBatch.Cotangent> rows = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                BackBatch.Cotangent c = new BackBatch.Cotangent(pass, token, null);
                c.row = i * tokens;
                grad[(c.row + tokens - 1) * d + first + i] = 1f;
                rows.add(c);
            }
            int from = first;
            IntConsumer gather = before -> {
                for (int i = 0; i < count && values[before] != null; i++) {
                    System.arraycopy(grad, i * tokens * d, values[before], (from + i) * d, d);
                }
            };
            gather.accept(model.layers());
            new Backward(model).run(rows, grad, lowest + 1, gather);
        }
        float[] z = pass.get(new Site(model.layers() - 1, HookPoint.RESID_POST, pass.length() - 1));
        return Arrays.stream(layers).mapToObj(l -> new Jacobian(values[l + 1], pass.get(site(l, token)), z)).toList();
    }

    /** Where the residual stream after a layer, or the embedding, is kept by such a pass. */
    private static Site site(int layer, int token) {
        return layer == EMBED ? new Site(0, HookPoint.RESID_PRE, token) : new Site(layer, HookPoint.RESID_POST, token);
    }

    /** As an array [d, d]. */
    public INDArray array() {
        return Nd4j.create(Arrays.copyOf(values, values.length), new long[] {h.length, h.length}, 'c');
    }
}
