package lab.recall.model.block;

import lab.recall.math.Gelu;
import lab.recall.math.Silu;
import lab.recall.math.TanhGelu;
import lab.recall.model.Settings;

/** What an MLP puts each of its hidden numbers through. */
public enum Pointwise {
    /** x Φ(x). */
    GELU {
        @Override
        void forward(float[] x, int count, float[] out) {
            Gelu.forward(x, 0, count, out, 0);
        }

        @Override
        void backward(float[] x, int xAt, int count, float[] dOut, int dOutAt, float[] dX, int dXAt) {
            Gelu.backward(x, xAt, count, dOut, dOutAt, dX, dXAt);
        }
    },
    /** The same by the tangent form. */
    TANH_GELU {
        @Override
        void forward(float[] x, int count, float[] out) {
            TanhGelu.forward(x, 0, count, out, 0);
        }

        @Override
        void backward(float[] x, int xAt, int count, float[] dOut, int dOutAt, float[] dX, int dXAt) {
            TanhGelu.backward(x, xAt, count, dOut, dOutAt, dX, dXAt);
        }
    },
    /** x sigmoid(x). */
    SILU {
        @Override
        void forward(float[] x, int count, float[] out) {
            Silu.forward(x, 0, count, 1, count, out, 0);
        }

        @Override
        void backward(float[] x, int xAt, int count, float[] dOut, int dOutAt, float[] dX, int dXAt) {
            Silu.backward(x, xAt, count, 1, count, dOut, dOutAt, dX, dXAt, count);
        }
    };

    /**
     * The one that a field of config.json names, by HuggingFace's words.
     *
     * @throws lab.recall.base.BadData when it names none of these
     */
    public static Pointwise of(Settings set, String key, String otherwise) {
        return switch (set.word(key, otherwise, "gelu", "gelu_new", "gelu_pytorch_tanh", "silu", "swish")) {
            case "gelu" -> GELU;
            case "silu", "swish" -> SILU;
            default -> TANH_GELU;
        };
    }

    /** Of numbers from index 0 on; out may be x. */
    abstract void forward(float[] x, int count, float[] out);

    /** Gradients of x from those of its values, written; both may be the same. */
    abstract void backward(float[] x, int xAt, int count, float[] dOut, int dOutAt, float[] dX, int dXAt);
}
