package lab.recall.model.block;

import static lab.recall.model.HookPoint.RESID_POST;
import static lab.recall.model.HookPoint.RESID_PRE;
import static lab.recall.model.block.AttentionPoints.ATTN_CTX;
import static lab.recall.model.block.AttentionPoints.ATTN_OUT;
import static lab.recall.model.block.AttentionPoints.K;
import static lab.recall.model.block.AttentionPoints.LN1;
import static lab.recall.model.block.AttentionPoints.LN2;
import static lab.recall.model.block.AttentionPoints.Q;
import static lab.recall.model.block.AttentionPoints.V;

import java.util.List;
import java.util.stream.Stream;
import lab.recall.math.Elementwise;
import lab.recall.model.BackBatch;
import lab.recall.model.Batch;
import lab.recall.model.Block;
import lab.recall.model.BlockWork;
import lab.recall.model.HookPoint;
import lab.recall.model.Intervention;
import lab.recall.model.LayerCuts;
import lab.recall.model.Norm;
import lab.recall.model.Pass;
import lab.recall.model.Past;
import lab.recall.model.Run;
import lab.recall.model.Tape;
import lab.recall.model.Workspace;

/**
 * One layer of attention and MLP, one after the other or side by side.
 * <pre>
 * ln1 = norm(h)     attn_out = attention(ln1)     [d]
 * ln2 = norm(h + attn_out), or of h               [d]
 * h'  = h + attn_out + mlp(ln2)                   [d]
 * </pre>
 * Source: Radford et al., "Language Models are Unsupervised Multitask Learners", section 2.3; side by side: Black et al., arXiv
 * 2204.06745, section 2.
 */
public final class AttentionBlock implements Block {
    private static final Workspace.Slot NORMED = Workspace.slot();
    private static final Workspace.Slot ATTENDED = Workspace.slot();
    private static final Workspace.Slot D_MLP_OUT = Workspace.slot();
    private static final Workspace.Slot D_ATTN_OUT = Workspace.slot();
    private static final Workspace.Slot D_NORMED = Workspace.slot();

    private final int d;
    private final boolean isParallel;
    private final Norm norm1;
    private final Norm norm2;
    private final SelfAttention attention;
    private final Mlp mlp;

    /**
     * Of its parts.
     *
     * @param isParallel whether attention and MLP both read the layer's input
     */
    public AttentionBlock(Norm norm1, SelfAttention attention, Norm norm2, Mlp mlp, boolean isParallel) {
        this.d = norm1.weight().length;
        this.isParallel = isParallel;
        this.norm1 = norm1;
        this.norm2 = norm2;
        this.attention = attention;
        this.mlp = mlp;
    }

    @Override
    public void forward(Batch batch) {
        float[] projections = attention.projections(batch);
        for (Batch b : batch.blocks()) {
            float[] normed = b.work().floats(NORMED, b.rows() * d);
            norm1.forward(b.resid(), b.at(), b.rows(), normed, 0);
            b.hook(LN1, normed, 0, d, d);
            attention.project(b, normed, projections, (b.at() - batch.at()) / d);
        }
        float[] ctx = attention.read(batch, projections);
        for (Batch b : batch.blocks()) {
            afterAttention(b, ctx, (b.at() - batch.at()) / d);
        }
    }

    /** Two norms and the MLP's function; scores, their softmax and the sum for each token that is read. */
    @Override
    public BlockWork work() {
        return BlockWork.ofMatrices(attention.numbers() + mlp.numbers(), 8L * d + 8L * mlp.width(), attention.workOfRead());
    }

    private void afterAttention(Batch b, float[] ctx, int first) {
        int rows = b.rows();
        float[] attnOut = b.work().floats(ATTENDED, rows * d);
        attention.out(b, ctx, first, attnOut);
        if (!isParallel) {
            Elementwise.add(attnOut, 0, b.resid(), b.at(), rows * d);
        }
        float[] normed = b.work().floats(NORMED, rows * d);
        norm2.forward(b.resid(), b.at(), rows, normed, 0);
        b.hook(LN2, normed, 0, d, d);
        float[] hidden = mlp.hidden(b, normed);
        if (isParallel) {
            Elementwise.add(attnOut, 0, b.resid(), b.at(), rows * d);
        }
        mlp.out(b, hidden, normed);             // the norm is not read again
    }

    @Override
    public List<HookPoint> statePoints() {
        return List.of(K, V, RESID_POST);
    }

    @Override
    public List<HookPoint> tapePoints() {
        return Stream.concat(Stream.of(RESID_PRE, LN1, Q, K, V, ATTN_CTX, ATTN_OUT, LN2), mlp.tapePoints().stream()).toList();
    }

    /** What the attention needs, and the input of the second norm. */
    private record LayerTape(SelfAttention.KeysAndValues attention, float[] norm2Input) implements Tape {
    }

    @Override
    public LayerTape tape(Pass pass, int layer) {
        float[] h = pass.values(layer, RESID_PRE);
        float[] input = h;
        if (!isParallel) {
            input = h.clone();
            Elementwise.add(pass.values(layer, ATTN_OUT), 0, input, 0, input.length);
        }
        return new LayerTape(attention.keysAndValues(pass, layer), input);
    }

    /** A segment's tape; made here when it was not prepared. */
    private LayerTape tape(BackBatch b, BackBatch.Segment s) {
        return s.tape() instanceof LayerTape prepared ? prepared : tape(s.pass(), b.layer());
    }

    @Override
    public void backward(BackBatch b) {
        int size = b.rows() * d;
        float[] dMlpOut = b.work().floats(D_MLP_OUT, size);
        System.arraycopy(b.grad(), b.at(), dMlpOut, 0, size);
        float[] dAttnOut = b.work().floats(D_ATTN_OUT, size);
        System.arraycopy(b.grad(), b.at(), dAttnOut, 0, size);
        float[] dNormed = b.work().floats(D_NORMED, size);
        mlp.backward(b, dMlpOut, dNormed);
        List<LayerTape> tapes = b.segments().stream().map(s -> tape(b, s)).toList();
        for (int i = 0; i < tapes.size(); i++) {
            BackBatch.Segment s = b.segments().get(i);
            norm2.backward(tapes.get(i).norm2Input, s.first() * d, s.tokens(), dNormed, s.row() * d, b.grad(), b.at() + s.row() * d,
                    b.parameters());
        }
        if (!isParallel) {
            System.arraycopy(b.grad(), b.at(), dAttnOut, 0, size);      // the second norm reads the attention's output too
        }
        attention.backward(b, tapes.stream().map(LayerTape::attention).toList(), dAttnOut, dNormed);
        b.hook(LN1, dNormed, 0, d, d);
        for (BackBatch.Segment s : b.segments()) {
            norm1.backward(s.values(b.layer(), RESID_PRE), s.first() * d, s.tokens(), dNormed, s.row() * d, b.grad(),
                    b.at() + s.row() * d, b.parameters());
        }
    }

    @Override
    public Past past(Pass pass, int layer, List<Run> runs) {
        return attention.keysAndValues(pass, layer);
    }

    @Override
    public LayerCuts cuts(List<Intervention.Cut> cuts) {
        return attention.cuts(cuts);
    }
}
