package lab.recall.model.block;

import static lab.recall.model.block.DualPoints.IN_B;
import static lab.recall.model.block.DualPoints.IN_C;
import static lab.recall.model.block.ScanPoints.B;
import static lab.recall.model.block.ScanPoints.C;
import static lab.recall.model.block.ScanPoints.DELTA;
import static lab.recall.model.block.ScanPoints.IN_X;
import static lab.recall.model.block.ScanPoints.X_ACT;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import lab.recall.math.ChunkedScan;
import lab.recall.math.HeadScan;
import lab.recall.model.Intervention;
import lab.recall.model.Pass;
import lab.recall.model.Site;

/** What a pass's kept terms tell again: states of the scan, and the terms that its layer's sums are made of. */
final class DualStates implements ScanTerms {
    private final DualSizes c;
    private final StateSpaceDualBlock.Parts w;

    DualStates(DualSizes sizes, StateSpaceDualBlock.Parts parts) {
        this.c = sizes;
        this.w = parts;
    }

    /** Where the chunk of a token begins in a pass, and the token's state once it is asked for. */
    private final class Met {
        final int token;
        final DualChunk.Start start;
        private float[] state;

        Met(int token, DualChunk.Start start) {
            this.token = token;
            this.start = start;
        }

        synchronized float[] state(Pass pass, int layer) {
            if (state == null) {
                float[] found = start.state() == null ? new float[c.scan().size()] : start.state().clone();
                HeadScan.advance(c.scan(), token - start.token(), pass.values(layer, X_ACT), start.token() * c.inner(), c.inner(),
                        pass.values(layer, DELTA), start.token() * c.scan().heads(), w.a(), pass.values(layer, B),
                        start.token() * c.shared(), c.shared(), found, 0);
                state = found;
            }
            return state;
        }
    }

    private Met met(Pass pass, int layer, int token) {
        return pass.<Met>noted(layer, token, earlier ->
                new Met(token, on(pass, layer, earlier == null ? DualChunk.Start.OF_TEXT : earlier.start, token)));
    }

    /** The state that a token of a pass meets. */
    float[] before(Pass pass, int layer, int token) {
        return met(pass, layer, token).state(pass, layer);
    }

    /** Where the chunk of a token begins in a pass. */
    DualChunk.Start start(Pass pass, int layer, int token) {
        return met(pass, layer, token).start;
    }

    /** The same of some tokens. */
    Map<Integer, DualChunk.Start> starts(Pass pass, int layer, SortedSet<Integer> tokens) {
        Map<Integer, DualChunk.Start> found = new HashMap<>();
        DualChunk.Start start = DualChunk.Start.OF_TEXT;
        for (int token : tokens) {
            start = on(pass, layer, start, token);
            found.put(token, start);
        }
        return found;
    }

    /** From where one chunk of a pass begins to where that of a later token does. */
    private DualChunk.Start on(Pass pass, int layer, DualChunk.Start from, int token) {
        List<Intervention> changes = pass.memoryChanges(layer, token).stream().filter(i -> i.site().token() >= from.token()).toList();
        if (changes.isEmpty()) {
            return closed(pass, layer, from, DualChunk.Start.before(token), pass.values(layer, X_ACT), pass.values(layer, DELTA), 0);
        }
        DualChunk chunk = new DualChunk(c, w);
        chunk.begin(from);
        DualSteps steps = new DualSteps(chunk, c, w, pass.values(layer, X_ACT), 0, c.inner(), pass.values(layer, DELTA), 0,
                pass.values(layer, B), 0, 0, c.shared(), null, 0);
        Memory.again(changes, from.token(), token, steps, new float[steps.size()]);
        return chunk.start();
    }

    /**
     * Closes the chunks of a pass up to the beginning of another one.
     *
     * @param x     its inputs, or others in their place, from token {@code first} on; like delta
     */
    DualChunk.Start closed(Pass pass, int layer, DualChunk.Start from, int to, float[] x, float[] delta, int first) {
        if (from.token() >= to) {
            return from;
        }
        float[] state = from.state() == null ? new float[c.scan().size()] : from.state().clone();
        for (int at = from.token(); at < to;) {
            int end = DualChunk.Start.before(at) + ChunkedScan.CHUNK;
            ChunkedScan.close(c.scan(), end - at, x, (at - first) * c.inner(), c.inner(), pass.values(layer, B), at * c.shared(),
                    c.shared(), delta, (at - first) * c.scan().heads(), w.a(), state, at > from.token() || from.state() != null);
            at = end;
        }
        return new DualChunk.Start(to, state);
    }

    @Override
    public float[] scanTerms(Pass pass, int layer, int source) {
        pass.requireOwnMemory("terms of the scan");
        int tokens = pass.length() - source;
        float[] terms = new float[tokens * c.inner()];
        ChunkedScan.terms(c.scan(), tokens, pass.values(layer, X_ACT), source * c.inner(), pass.values(layer, B), source * c.shared(),
                pass.values(layer, C), source * c.shared(), c.shared(), pass.values(layer, DELTA), source * c.scan().heads(), w.a(), terms);
        return terms;
    }

    @Override
    public float[] skipTerm(Pass pass, int layer, int token) {
        float[] term = pass.get(new Site(layer, X_ACT, token));
        for (int e = 0; e < term.length; e++) {
            term[e] *= w.skip()[e / c.scan().width()];
        }
        return term;
    }

    @Override
    public float[] convTerms(Pass pass, int layer, int source) {
        float[] input = new float[c.channels()];
        DualPast.join(c, 0, pass.get(new Site(layer, IN_X, source)), pass.get(new Site(layer, IN_B, source)),
                pass.get(new Site(layer, IN_C, source)), input, 0);
        return w.conv().terms(input, pass.length() - source);
    }

    @Override
    public float[] convBias() {
        return w.conv().rest();
    }
}
