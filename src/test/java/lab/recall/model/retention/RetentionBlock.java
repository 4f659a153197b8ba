package lab.recall.model.retention;

import static lab.recall.model.HookPoint.RESID_POST;
import static lab.recall.model.HookPoint.RESID_PRE;
import static lab.recall.model.retention.RetentionPoints.CARRIED;
import static lab.recall.model.retention.RetentionPoints.KEY;
import static lab.recall.model.retention.RetentionPoints.MEMORY;
import static lab.recall.model.retention.RetentionPoints.MIX;
import static lab.recall.model.retention.RetentionPoints.PUT_OUT;
import static lab.recall.model.retention.RetentionPoints.QUERY;
import static lab.recall.model.retention.RetentionPoints.UNIT;
import static lab.recall.model.retention.RetentionPoints.VALUE;
import static lab.recall.model.retention.RetentionPoints.VALVE;
import static lab.recall.model.retention.RetentionPoints.VALVE_IN;

import java.util.Arrays;
import java.util.List;
import lab.recall.base.BadRequest;
import lab.recall.math.Elementwise;
import lab.recall.math.MatMul;
import lab.recall.math.PackedMatrix;
import lab.recall.math.Silu;
import lab.recall.model.BackBatch;
import lab.recall.model.Batch;
import lab.recall.model.Block;
import lab.recall.model.BlockWork;
import lab.recall.model.Edges;
import lab.recall.model.HookPoint;
import lab.recall.model.Intervention;
import lab.recall.model.LayerCuts;
import lab.recall.model.Norm;
import lab.recall.model.Pass;
import lab.recall.model.Past;
import lab.recall.model.Run;
import lab.recall.model.Site;
import lab.recall.model.Tape;
import lab.recall.model.Weights;
import lab.recall.model.Workspace;

/**
 * A layer of gated retention.
 *
 * <p>Glossary: d residual width, H heads, N and P widths of a head's key and value, S a head's memory [N, P], r its rate.
 * <pre>
 * unit = RMSNorm(h)                                  [d]       S_t   = r S_(t-1) + key_t' value_t   in each head
 * query, key, value, valve_in = in(unit) [HN] [HN] [HP] [HP]   mix_t = query_t S_t                  [HP]
 * valve = SiLU(valve_in)                             [HP]      carried = mix valve                  [HP]
 * h'  = h + put_out                                  [d]       put_out = out(carried) + shift       [d]
 * </pre>
 * Source: Sun et al., arXiv 2307.08621, section 2.
 */
final class RetentionBlock implements Block {
    private static final Workspace.Slot NORMED = Workspace.slot();
    private static final Workspace.Slot PROJECTED = Workspace.slot();
    private static final Workspace.Slot READ = Workspace.slot();
    private static final Workspace.Slot GATE = Workspace.slot();
    private static final Workspace.Slot STATE = Workspace.slot();

    private final int d;
    private final int heads;
    private final int keys;
    private final int values;
    /** Widths of all heads' queries or keys, of their values, and of a row of all projections. */
    private final int q;
    private final int v;
    private final int wide;
    private final Norm norm;
    private final PackedMatrix in;
    private final float[] rate;
    private final PackedMatrix out;
    private final float[] shift;
    /** Of its weights' names: {@code stack.2.}. */
    private final String prefix;

    RetentionBlock(RetentionConfig c, Weights w, String prefix) {
        this.d = c.width();
        this.heads = c.heads();
        this.keys = c.keys();
        this.values = c.values();
        this.q = heads * keys;
        this.v = heads * values;
        this.wide = 2 * q + 2 * v;
        this.prefix = prefix;
        this.norm = Norm.rms(w, prefix + "scale", d, c.epsilon());
        this.in = w.transposedMatrix(prefix + "in.kernel", wide, d);
        this.rate = w.vector(prefix + "fade", new Rate(), heads);
        this.out = w.transposedMatrix(prefix + "out.kernel", d, v);
        this.shift = w.vector(prefix + "out.shift", d);
    }

    /** r = sigmoid(fade). */
    private static final class Rate implements Weights.Layout {
        private float[] rate;

        @Override
        public void load(float[] stored, float[] used) {
            for (int h = 0; h < used.length; h++) {
                used[h] = (float) (1 / (1 + Math.exp(-stored[h])));
            }
            rate = used;
        }

        @Override
        public void gradient(float[] used, float[] stored) {
            for (int h = 0; h < used.length; h++) {
                stored[h] = used[h] * rate[h] * (1 - rate[h]);
            }
        }
    }

    /** Keys and values of all tokens from 0 on. */
    private record Memory(float[] keys, float[] values) implements Past, Tape {
    }

    /** A token reads each earlier one's key and value; the rest is norm and gate. */
    @Override
    public BlockWork work() {
        return BlockWork.ofMatrices((long) wide * d + (long) d * v, 4L * d + 5L * v, 2L * q + 2L * v);
    }

    @Override
    public void forward(Batch batch) {
        for (Batch b : batch.blocks()) {
            int rows = b.rows();
            float[] unit = b.work().floats(NORMED, rows * d);
            norm.forward(b.resid(), b.at(), rows, unit, 0);
            b.hook(UNIT, unit, 0, d, d);
            float[] f = b.work().floats(PROJECTED, rows * wide);
            in.multiply(unit, 0, d, rows, f, 0, wide);
            b.hook(QUERY, f, 0, wide, q);
            b.hook(KEY, f, q, wide, q);
            b.hook(VALUE, f, 2 * q, wide, v);
            b.hook(VALVE_IN, f, 2 * q + v, wide, v);
            float[] mix = b.work().floats(READ, rows * v);
            for (Batch.Segment s : b.segments()) {
                read(b, s, f, mix);
            }
            b.hook(MIX, mix, 0, v, v);
            float[] valve = b.work().floats(GATE, rows * v);
            Silu.forward(f, 2 * q + v, wide, rows, v, valve, 0);
            b.hook(VALVE, valve, 0, v, v);
            Elementwise.multiply(valve, 0, mix, 0, rows * v);
            b.hook(CARRIED, mix, 0, v, v);
            float[] putOut = unit;                      // the norm is not read again
            out.multiply(mix, 0, v, rows, shift, putOut, 0, d);
            b.hook(PUT_OUT, putOut, 0, d, d);
            Elementwise.add(putOut, 0, b.resid(), b.at(), rows * d);
        }
    }

    private void read(Batch b, Batch.Segment s, float[] f, float[] mix) {
        float[] state = b.work().floats(STATE, q * values);
        if (!s.continues()) {                           // else the block before has left it there
            Arrays.fill(state, 0, q * values, 0f);
            for (int t = 0; t < s.from(); t++) {
                step(state, memory(s).keys, t * q, memory(s).values, t * v);
            }
        }
        for (int r = s.row(); r < s.row() + s.tokens(); r++) {
            step(state, f, r * wide + q, f, r * wide + 2 * q);
            Arrays.fill(mix, r * v, (r + 1) * v, 0f);
            for (int n = 0; n < q; n++) {
                for (int p = 0; p < values; p++) {
                    mix[r * v + n / keys * values + p] += f[r * wide + n] * state[n * values + p];
                }
            }
        }
        if (b.keeps(s, MEMORY)) {
            b.keep(s, MEMORY, Arrays.copyOf(state, q * values));
        }
        if (b.cuts(s) instanceof RetentionMixer.AllLeft left) {
            without(s, left.edges(), f, mix);
        }
    }

    private static Memory memory(Batch.Segment s) {
        return (Memory) s.past();
    }

    /** S = r S + key' value. */
    private void step(float[] state, float[] key, int keyAt, float[] value, int valueAt) {
        for (int n = 0; n < q; n++) {
            int h = n / keys;
            for (int p = 0; p < values; p++) {
                state[n * values + p] = rate[h] * state[n * values + p] + key[keyAt + n] * value[valueAt + h * values + p];
            }
        }
    }

    /** Rows of mix whose targets leave sources out: sums of the terms that stay. */
    private void without(Batch.Segment s, Edges edges, float[] f, float[] mix) {
        for (int t = Math.max(s.from(), edges.firstTarget()); t < s.from() + s.tokens(); t++) {
            int row = s.row() + t - s.from();
            if (edges.count(t) > 0) {
                Arrays.fill(mix, row * v, (row + 1) * v, 0f);
                for (int source = 0; source <= t; source++) {
                    int at = (s.row() + source - s.from()) * wide;
                    if (!edges.has(source, t) && source < s.from()) {
                        addTerm(t - source, f, row * wide, memory(s).keys, source * q, memory(s).values, source * v, mix, row * v);
                    } else if (!edges.has(source, t)) {
                        addTerm(t - source, f, row * wide, f, at + q, f, at + 2 * q, mix, row * v);
                    }
                }
            }
        }
    }

    /** mix += r^distance (query key) value in each head. */
    private void addTerm(int distance, float[] query, int queryAt, float[] key, int keyAt, float[] value, int valueAt,
            float[] mix, int at) {
        for (int h = 0; h < heads; h++) {
            float weight = (float) (Math.pow(rate[h], distance) * dot(query, queryAt + h * keys, key, keyAt + h * keys, keys));
            for (int p = h * values; p < (h + 1) * values; p++) {
                mix[at + p] += weight * value[valueAt + p];
            }
        }
    }

    private static double dot(float[] a, int aAt, float[] b, int bAt, int count) {
        double sum = 0;
        for (int i = 0; i < count; i++) {
            sum += a[aAt + i] * b[bAt + i];
        }
        return sum;
    }

    /** What a token carries to itself and to each later one, [tokens - source, HP]. */
    float[] terms(Pass pass, int layer, int source) {
        float[] terms = new float[(pass.length() - source) * v];
        for (int t = source; t < pass.length(); t++) {
            addTerm(t - source, pass.get(new Site(layer, QUERY, t)), 0, pass.get(new Site(layer, KEY, source)), 0,
                    pass.get(new Site(layer, VALUE, source)), 0, terms, (t - source) * v);
        }
        return terms;
    }

    @Override
    public List<HookPoint> statePoints() {
        return List.of(KEY, VALUE, RESID_POST);
    }

    @Override
    public List<HookPoint> tapePoints() {
        return List.of(RESID_PRE, UNIT, QUERY, KEY, VALUE, VALVE_IN, MIX, VALVE, CARRIED);
    }

    @Override
    public Memory tape(Pass pass, int layer) {
        float[] allKeys = new float[pass.length() * q];
        float[] allValues = new float[pass.length() * v];
        for (int t = 0; t < pass.length(); t++) {
            System.arraycopy(pass.get(new Site(layer, KEY, t)), 0, allKeys, t * q, q);
            System.arraycopy(pass.get(new Site(layer, VALUE, t)), 0, allValues, t * v, v);
        }
        return new Memory(allKeys, allValues);
    }

    @Override
    public Past past(Pass pass, int layer, List<Run> runs) {
        return tape(pass, layer);
    }

    @Override
    public LayerCuts cuts(List<Intervention.Cut> cuts) {
        Edges all = Edges.none();
        for (Intervention.Cut cut : cuts) {
            if (!(cut instanceof RetentionMixer.Left)) {
                throw new BadRequest("", cut.site() + ": edges are cut at mix");
            }
            all = all.and(cut.edges());
        }
        return new RetentionMixer.AllLeft(all);
    }

    @Override
    public void backward(BackBatch b) {
        int rows = b.rows();
        int layer = b.layer();
        float[] dPutOut = Arrays.copyOfRange(b.grad(), b.at(), b.at() + rows * d);
        b.hook(PUT_OUT, dPutOut, 0, d, d);
        float[] dMix = new float[rows * v];
        out.transposed().multiply(dPutOut, 0, d, rows, dMix, 0, v);
        b.hook(CARRIED, dMix, 0, v, v);
        float[] dValve = dMix.clone();
        for (BackBatch.Segment s : b.segments()) {
            Elementwise.multiply(s.values(layer, VALVE), s.first() * v, dMix, s.row() * v, s.tokens() * v);
            Elementwise.multiply(s.values(layer, MIX), s.first() * v, dValve, s.row() * v, s.tokens() * v);
        }
        b.hook(MIX, dMix, 0, v, v);
        b.hook(VALVE, dValve, 0, v, v);
        float[] df = new float[rows * wide];
        for (BackBatch.Segment s : b.segments()) {
            Silu.backward(s.values(layer, VALVE_IN), s.first() * v, v, s.tokens(), v, dValve, s.row() * v, df, s.row() * wide + 2 * q + v,
                    wide);
            readBackward(b, s, dMix, df);
        }
        b.hook(QUERY, df, 0, wide, q);
        b.hook(KEY, df, q, wide, q);
        b.hook(VALUE, df, 2 * q, wide, v);
        b.hook(VALVE_IN, df, 2 * q + v, wide, v);
        float[] dUnit = new float[rows * d];
        in.transposed().multiply(df, 0, wide, rows, dUnit, 0, d);
        b.hook(UNIT, dUnit, 0, d, d);
        for (BackBatch.Segment s : b.segments()) {
            norm.backward(s.values(layer, RESID_PRE), s.first() * d, s.tokens(), dUnit, s.row() * d, b.grad(), b.at() + s.row() * d,
                    b.parameters());
        }
        if (b.parameters() != null) {
            weightGradients(b, dPutOut, df);
        }
    }

    /** Through mix, term by term; tokens left of the segment get nothing. */
    private void readBackward(BackBatch b, BackBatch.Segment s, float[] dMix, float[] df) {
        Memory all = s.tape() instanceof Memory prepared ? prepared : tape(s.pass(), b.layer());
        float[] query = s.values(b.layer(), QUERY);
        float[] dRate = b.parameters() == null ? new float[heads] : b.parameter(prefix + "fade", heads);
        for (int t = s.from(); t < s.from() + s.tokens(); t++) {
            int row = s.row() + t - s.from();
            for (int source = 0; source <= t; source++) {
                for (int h = 0; h < heads; h++) {
                    int queryAt = (t - s.pass().from()) * q + h * keys;
                    int keyAt = source * q + h * keys;
                    int valueAt = source * v + h * values;
                    double decay = Math.pow(rate[h], t - source);
                    double read = dot(query, queryAt, all.keys, keyAt, keys);
                    double asked = dot(dMix, row * v + h * values, all.values, valueAt, values);
                    dRate[h] += (float) ((t - source) * decay / rate[h] * read * asked);
                    int to = row * wide + h * keys;
                    int from = (row - t + source) * wide + h * keys;
                    for (int n = 0; n < keys; n++) {
                        df[to + n] += (float) (decay * asked * all.keys[keyAt + n]);
                        if (source >= s.from()) {
                            df[from + q + n] += (float) (decay * asked * query[queryAt + n]);
                        }
                    }
                    for (int p = 0; p < values && source >= s.from(); p++) {
                        df[(row - t + source) * wide + 2 * q + h * values + p] += (float) (decay * read * dMix[row * v + h * values + p]);
                    }
                }
            }
        }
    }

    private void weightGradients(BackBatch b, float[] dPutOut, float[] df) {
        for (BackBatch.Segment s : b.segments()) {
            MatMul.addOuter(dPutOut, s.row() * d, d, s.values(b.layer(), CARRIED), s.first() * v, v, s.tokens(), d, v,
                    b.parameter(prefix + "out.kernel", d * v));
            MatMul.addOuter(df, s.row() * wide, wide, s.values(b.layer(), UNIT), s.first() * d, d, s.tokens(), wide, d,
                    b.parameter(prefix + "in.kernel", wide * d));
        }
        Elementwise.addRows(dPutOut, 0, d, b.rows(), d, b.parameter(prefix + "out.shift", d));
    }
}
