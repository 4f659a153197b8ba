package lab.recall.model.block;

import java.util.Arrays;
import lab.recall.math.ChunkedScan;
import lab.recall.math.HeadScan;
import lab.recall.model.Workspace;

/**
 * Where a scan of heads is in a text: the chunk's tokens so far, and the state before them.
 *
 * <p>Chunks begin at every {@link ChunkedScan#CHUNK}th token of a text, whatever its tokens come in, and behind a token whose state was
 * changed. So a run, its forks and its continuations meet the same chunks, hence the same bits. The state of a token inside a chunk is not
 * needed on the way; who asks for it gets it by the recurrence from the chunk's beginning.
 */
final class DualChunk {
    private static final Workspace.Slot ROWS = Workspace.slot();
    private static final Workspace.Slot STEPS = Workspace.slot();
    private static final Workspace.Slot BEFORE = Workspace.slot();

    private final DualSizes c;
    private final StateSpaceDualBlock.Parts w;
    /** x and B of the tokens so far, [CHUNK, E + G N]. */
    private final float[] rows;
    /** Their delta, [CHUNK, H]. */
    private final float[] steps;
    private final float[] before;
    private boolean isFirst;
    private int first;
    private int count;

    /** In buffers of the thread at work: those of one layer at a time. */
    DualChunk(DualSizes sizes, StateSpaceDualBlock.Parts parts, Workspace work) {
        this.c = sizes;
        this.w = parts;
        this.rows = work.floats(ROWS, ChunkedScan.CHUNK * stride());
        this.steps = work.floats(STEPS, ChunkedScan.CHUNK * c.scan().heads());
        this.before = work.floats(BEFORE, c.scan().size());
        begin(Start.OF_TEXT);
    }

    /** In buffers of its own. */
    DualChunk(DualSizes sizes, StateSpaceDualBlock.Parts parts) {
        this(sizes, parts, new Workspace());
    }

    /**
     * Where a chunk begins.
     *
     * @param token its first one
     * @param state before it; null for none
     */
    record Start(int token, float[] state) {
        static final Start OF_TEXT = new Start(0, null);

        /** The first token of the chunk that a token is in, where nothing was changed. */
        static int before(int token) {
            return token / ChunkedScan.CHUNK * ChunkedScan.CHUNK;
        }
    }

    private int stride() {
        return c.inner() + c.shared();
    }

    void begin(Start start) {
        first = start.token;
        count = 0;
        isFirst = start.state == null;
        if (!isFirst) {
            System.arraycopy(start.state, 0, before, 0, c.scan().size());
        }
    }

    /** Begins behind the last token, from another state than that token has left. */
    void changed(float[] state) {
        begin(new Start(first + count, state));
    }

    /** Where the chunk of the next token begins. */
    Start start() {
        room();
        return new Start(first, isFirst ? null : Arrays.copyOf(before, c.scan().size()));
    }

    /** How many tokens fit in, at least one: a full chunk is closed, and the next one begins. */
    int room() {
        if (count > 0 && Start.before(first + count) == first + count) {
            ChunkedScan.close(c.scan(), count, rows, 0, stride(), rows, c.inner(), stride(), steps, 0, w.a(), before, !isFirst);
            isFirst = false;
            first += count;
            count = 0;
        }
        return Start.before(first + count) + ChunkedScan.CHUNK - first - count;
    }

    /** Takes some tokens in, for which there is room. */
    void add(int tokens, float[] x, int xAt, int xStride, float[] b, int bAt, int bStride, float[] delta, int deltaAt) {
        for (int t = 0; t < tokens; t++) {
            int to = (count + t) * stride();
            System.arraycopy(x, xAt + t * xStride, rows, to, c.inner());
            System.arraycopy(b, bAt + t * bStride, rows, to + c.inner(), c.shared());
        }
        int heads = c.scan().heads();
        System.arraycopy(delta, deltaAt, steps, count * heads, tokens * heads);
        count += tokens;
    }

    /** y of the tokens that were taken in last. */
    void read(int tokens, float[] cs, int cAt, int cStride, float[] y, int yAt) {
        ChunkedScan.read(c.scan(), count - tokens, tokens, rows, 0, stride(), rows, c.inner(), stride(), cs, cAt, cStride, steps, 0, w.a(),
                w.skip(), isFirst ? null : before, y, yAt);
    }

    /** Where the next token begins a chunk: the state before it. */
    void settle(float[] state) {
        room();
        if (count == 0) {
            beginning(state);
        }
    }

    private void beginning(float[] state) {
        if (isFirst) {
            Arrays.fill(state, 0, c.scan().size(), 0f);
        } else {
            System.arraycopy(before, 0, state, 0, c.scan().size());
        }
    }

    /** The state behind the last token, by the recurrence from the chunk's beginning. */
    void state(float[] state) {
        beginning(state);
        HeadScan.advance(c.scan(), count, rows, 0, stride(), steps, 0, w.a(), rows, c.inner(), stride(), state, 0);
    }
}
