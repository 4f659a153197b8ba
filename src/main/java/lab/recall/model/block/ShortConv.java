package lab.recall.model.block;

import static lab.recall.model.block.ScanPoints.CONV_STATE;

import java.util.Arrays;
import lab.recall.math.CausalConv;
import lab.recall.model.Batch;
import lab.recall.model.Edges;
import lab.recall.model.Workspace;

/**
 * A layer's causal convolution on rows of a batch, with what lies left of a run, what a block of rows leaves to the next one, and edges
 * that are left out: rows of their targets are computed again without the cut taps.
 *
 * @param weight [tap][channel]
 * @param bias   [channel]; null for none
 */
record ShortConv(int taps, int channels, float[] weight, float[] bias) {
    private static final Workspace.Slot HISTORY = Workspace.slot();
    private static final Workspace.Slot CARRIED = Workspace.slot();

    /**
     * One segment.
     *
     * @param x    rows of all segments, with a stride; the channels begin at {@code at} of each
     * @param conv [rows, channels]
     */
    void forward(Batch b, Batch.Segment s, float[] x, int at, int stride, float[] conv) {
        int back = taps - 1;
        int first = s.row() * stride + at;
        float[] carried = b.work().floats(CARRIED, back * channels);
        float[] history = s.continues() ? carried : b.work().floats(HISTORY, back * channels);
        if (!s.continues()) {
            for (int k = 0; k < back; k++) {
                int token = s.from() - back + k;
                if (token >= 0 && s.past() instanceof ConvPast past) {
                    past.input(token, history, k * channels);
                } else {
                    Arrays.fill(history, k * channels, (k + 1) * channels, 0f);
                }
            }
        }
        CausalConv.forward(x, first, stride, s.tokens(), history, 0, taps, channels, weight, bias, conv, s.row() * channels);
        if (b.cuts(s) instanceof ScanCuts cuts && cuts.conv() != null) {
            without(s, cuts.conv(), x, first, stride, history, conv);
        }
        if (b.keeps(s, CONV_STATE)) {
            float[] last = new float[taps * channels];
            last(s, x, first, stride, history, taps, last);
            b.keep(s, CONV_STATE, last);
        }
        if (s.goesOn()) {
            last(s, x, first, stride, history, back, carried);
        }
    }

    private void without(Batch.Segment s, Edges edges, float[] x, int first, int stride, float[] history, float[] conv) {
        boolean[] cut = new boolean[taps];
        for (int t = Math.max(s.from(), edges.firstTarget()); t <= edges.lastTarget(); t++) {
            boolean any = false;
            for (int tap = 0; tap < taps; tap++) {
                cut[tap] = edges.has(t - (taps - 1 - tap), t);
                any |= cut[tap];
            }
            if (any) {
                CausalConv.forward(t - s.from(), cut, x, first, stride, history, 0, taps, channels, weight, bias, conv,
                        (s.row() + t - s.from()) * channels);
            }
        }
    }

    /** The last {@code count} inputs, oldest first; {@code last} may be the history. */
    private void last(Batch.Segment s, float[] x, int first, int stride, float[] history, int count, float[] last) {
        for (int k = 0; k < count; k++) {
            int token = s.tokens() - count + k;
            if (token >= 0) {
                System.arraycopy(x, first + token * stride, last, k * channels, channels);
            } else if (token + taps - 1 >= 0) {
                System.arraycopy(history, (token + taps - 1) * channels, last, k * channels, channels);
            }
        }
    }

    /** Multiplies one token's inputs into what they add to that token and each later one, [tokens, channels]; zeros beyond the taps. */
    float[] terms(float[] input, int tokens) {
        float[] terms = new float[tokens * channels];
        for (int t = 0; t < Math.min(taps, tokens); t++) {
            for (int i = 0; i < channels; i++) {
                terms[t * channels + i] = weight[(taps - 1 - t) * channels + i] * input[i];
            }
        }
        return terms;
    }

    /** What a token has from no other: the bias. */
    float[] rest() {
        return bias == null ? new float[channels] : bias.clone();
    }
}
