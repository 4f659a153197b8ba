package lab.recall.model.block;

import lab.recall.model.Past;

/** What lies left of a run in a layer that begins with a {@link ShortConv}. */
interface ConvPast extends Past {
    /** Copies the convolution's inputs at a token, all channels. */
    void input(int token, float[] to, int at);
}
