package lab.recall.model.block;

import static lab.recall.model.block.ScanPoints.STATE;
import static lab.recall.model.block.ScanPoints.WRITE;

import java.util.Arrays;
import java.util.List;
import lab.recall.model.Batch;
import lab.recall.model.HookPoint;
import lab.recall.model.Intervention;
import lab.recall.model.Workspace;

/**
 * Takes tokens through a recurrence whose state somebody reads or changes: those that nobody looks at together, the others one by one, in
 * parts with the hooks of {@link ScanPoints#WRITE} and {@link ScanPoints#STATE} between them.
 *
 * <pre>{@code
 * if (b.asks(WRITE) || b.asks(STATE)) Memory.forward(b, s, steps, state);
 * Memory.again(pass.memoryChanges(layer, to), from, to, steps, state)     // the same recurrence from a pass's kept terms
 * }</pre>
 *
 * The numbers are those of the scan in one piece, bit for bit, where nothing is changed, or only into what it is.
 */
public final class Memory {
    private static final Workspace.Slot TERM = Workspace.slot();
    private static final Workspace.Slot NATURAL = Workspace.slot();
    private static final Workspace.Slot APART = Workspace.slot();
    private static final Workspace.Slot BEFORE = Workspace.slot();

    private Memory() {
    }

    /** A recurrence in parts. Tokens count from the first one at hand; states and terms are in an order of its own. */
    public interface Steps {
        /** Numbers of a state. */
        int size();

        /** Takes some tokens together, and reads each. */
        void run(int first, int tokens, float[] state);

        /** What a token puts into the state. */
        void write(int token, float[] term);

        /** Lets the state decay and adds the term. */
        void advance(int token, float[] term, float[] state);

        /**
         * What a token reads of the state behind it.
         *
         * @param changed whether that is another state than the recurrence has come to
         */
        void read(int token, float[] state, boolean changed);

        /** Goes on behind the token that was read last, from another state than it has left. */
        void changed(float[] state);

        /** From its own order to the natural one of the hook points. */
        void toNatural(float[] own, float[] natural);

        /** And back. */
        void toOwn(float[] natural, float[] own);
    }

    /** Sees a value where it is computed and may change it in place; tells whether it did. */
    private interface Touch {
        boolean at(HookPoint point, float[] values);
    }

    /**
     * Takes the tokens of a segment.
     *
     * @param state in: before the first token; out: behind the last one
     */
    public static void forward(Batch b, Batch.Segment s, Steps steps, float[] state) {
        int end = s.from() + s.tokens();
        float[] term = b.work().floats(TERM, steps.size());
        float[] natural = b.work().floats(NATURAL, steps.size());
        for (int done = s.from();; done++) {
            int next = b.nextTouched(s, done, WRITE, STATE);
            if (next > done) {
                steps.run(done - s.from(), next - done, state);
            }
            if (next == end) {
                return;
            }
            done = next;
            int token = next;
            boolean apart = b.readsApart(s, token);
            float[] read = apart ? b.work().floats(APART, steps.size()) : state;
            if (apart) {
                System.arraycopy(state, 0, read, 0, steps.size());
            }
            boolean changed = step(steps, token - s.from(), term, state, (p, v) -> touch(b, s, token, p, false, steps, v, natural));
            boolean seen = apart ? step(steps, token - s.from(), term, read, (p, v) -> touch(b, s, token, p, true, steps, v, natural))
                    : changed;
            steps.read(token - s.from(), read, seen);
            if (changed) {
                steps.changed(state);
            }
        }
    }

    /** What is put back as it is counts as nothing. */
    private static boolean touch(Batch b, Batch.Segment s, int token, HookPoint point, boolean forReadOut, Steps steps, float[] values,
            float[] natural) {
        if (!b.touches(s, token, point)) {
            return false;
        }
        int size = steps.size();
        steps.toNatural(values, natural);
        float[] before = b.work().floats(BEFORE, size);
        System.arraycopy(natural, 0, before, 0, size);
        b.hook(s, token, point, forReadOut, natural, size);
        return put(steps, before, natural, values);
    }

    private static boolean put(Steps steps, float[] before, float[] natural, float[] values) {
        boolean changed = !Arrays.equals(before, 0, steps.size(), natural, 0, steps.size());
        if (changed) {
            steps.toOwn(natural, values);
        }
        return changed;
    }

    /**
     * Takes a pass's tokens {@code from .. to - 1} again.
     *
     * @param changes what the pass had changed, by token
     * @param state   in: before the first of them; out: behind the last one
     */
    public static void again(List<Intervention> changes, int from, int to, Steps steps, float[] state) {
        if (changes.isEmpty()) {
            steps.run(from, to - from, state);
            return;
        }
        float[] term = new float[steps.size()];
        float[] natural = new float[steps.size()];
        float[] before = new float[steps.size()];
        int done = from;
        for (Intervention change : changes) {
            int token = change.site().token();
            if (token < done || token >= to) {
                continue;                                   // another one of a token that is done, or none of these tokens
            }
            steps.run(done, token - done, state);
            boolean changed = step(steps, token, term, state, (p, values) -> {
                steps.toNatural(values, natural);
                System.arraycopy(natural, 0, before, 0, steps.size());
                changes.stream().filter(c -> c.site().token() == token && c.site().point().equals(p))
                        .forEach(c -> c.apply(natural, 0, steps.size()));
                return put(steps, before, natural, values);
            });
            steps.read(token, state, changed);
            if (changed) {
                steps.changed(state);
            }
            done = token + 1;
        }
        steps.run(done, to - done, state);
    }

    /** Whether something was changed. */
    private static boolean step(Steps steps, int token, float[] term, float[] state, Touch touch) {
        steps.write(token, term);
        boolean written = touch.at(WRITE, term);
        steps.advance(token, term, state);
        return touch.at(STATE, state) || written;
    }
}
