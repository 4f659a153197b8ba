package lab.recall.model;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;
import lab.recall.base.BadRequest;
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
 * Jacobian.rows(pass, layers, subjectLast, receiver)         // without holding them
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
    /** Gradients that are on their way down together. */
    private static final long GROUP_BYTES = 128L << 20;

    /** Takes rows of Jacobians as they are found. */
    public interface Rows {
        /**
         * Rows {@code first ..} of one layer's Jacobian, once each.
         *
         * @param layer  number in the list of layers that were asked for
         * @param values row after row at a stride, from index 0; only valid during the call
         */
        void take(int layer, int first, int count, float[] values, int stride);
    }

    /**
     * Of a pass that was run with {@link Recording#gradients()}.
     *
     * @throws BadRequest when there is no such layer or token
     * @throws lab.recall.base.Unsolvable when logits are not finite
     */
    public static Jacobian of(Pass pass, int layer, int token) {
        return of(pass, new int[] {layer}, token).get(0);
    }

    /**
     * After several layers, in their order: one way down from the last layer passes them all. Holds 4 d² bytes a layer.
     *
     * @throws BadRequest when there is no such layer or token
     * @throws lab.recall.base.Unsolvable when logits are not finite
     */
    public static List<Jacobian> of(Pass pass, int[] layers, int token) {
        int d = pass.model().width();
        float[][] values = new float[layers.length][d * d];
        rows(pass, layers, token, (layer, first, count, from, stride) -> {
            for (int i = 0; i < count; i++) {
                System.arraycopy(from, i * stride, values[layer], (first + i) * d, d);
            }
        });
        return IntStream.range(0, layers.length).mapToObj(i -> new Jacobian(values[i], start(pass, layers[i], token), end(pass))).toList();
    }

    /**
     * The same, given away row by row: beside what the receiver keeps it holds 128 MB of gradients, or one row's.
     *
     * @throws BadRequest when there is no such layer or token
     * @throws lab.recall.base.Unsolvable when logits are not finite
     */
    public static void rows(Pass pass, int[] layers, int token, Rows receiver) {
        LanguageModel model = pass.model();
        model.requireTape(pass);
        pass.requireFinite();
        for (int layer : layers) {
            if (layer < EMBED || layer >= model.layers()) {
                throw new BadRequest("layer", layer + ", expected embed or a whole number from 0 to " + (model.layers() - 1));
            }
        }
        if (token < pass.from() || token >= pass.length()) {
            throw new BadRequest("token", token + ", expected a whole number from " + pass.from() + " to " + (pass.length() - 1));
        }
        int d = model.width();
        int tokens = pass.length() - token;
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
            IntConsumer give = before -> {
                for (int i = 0; i < layers.length; i++) {
                    if (layers[i] + 1 == before) {
                        receiver.take(i, from, count, grad, tokens * d);
                    }
                }
            };
            give.accept(model.layers());
            new Backward(model).run(rows, grad, lowest + 1, give);
        }
    }

    /** h, of such a pass. */
    public static float[] start(Pass pass, int layer, int token) {
        return pass.get(layer == EMBED ? new Site(0, HookPoint.RESID_PRE, token) : new Site(layer, HookPoint.RESID_POST, token));
    }

    /** z. */
    public static float[] end(Pass pass) {
        return pass.get(new Site(pass.model().layers() - 1, HookPoint.RESID_POST, pass.length() - 1));
    }

    /** As an array [d, d]. */
    public INDArray array() {
        return Nd4j.create(Arrays.copyOf(values, values.length), new long[] {h.length, h.length}, 'c');
    }
}
