package lab.recall.model;

import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.function.IntConsumer;
import lab.recall.math.Parallel;

/** Takes gradients of the last layer's residual stream down through the layers, many cotangents together. */
final class Backward {
    private static final int CHUNK_ROWS = 256;

    private final LanguageModel model;

    Backward(LanguageModel model) {
        this.model = model;
    }

    /**
     * Goes from the last layer to layer {@code down}.
     *
     * @param cotangents each with its first row in {@code grad}, in order
     * @param grad       [rows, width], in: gradients after the last layer; out: those before layer {@code down}
     */
    void run(List<BackBatch.Cotangent> cotangents, float[] grad, int down) {
        run(cotangents, grad, down, layer -> { });
    }

    /** The same; {@code before} is called with each layer when {@code grad} holds the gradients before it. */
    void run(List<BackBatch.Cotangent> cotangents, float[] grad, int down, IntConsumer before) {
        int d = model.width();
        List<List<BackBatch.Cotangent>> chunks = chunks(cotangents);
        for (int layer = model.layers() - 1; layer >= down; layer--) {
            for (BackBatch.Cotangent c : cotangents) {
                BackBatch.hook(c, layer, HookPoint.RESID_POST, grad, c.row * d, d, d);
            }
            Block block = model.block(layer);
            Map<Pass, Tape> tapes = tapes(cotangents, layer, block);
            int at = layer;
            if (chunks.size() >= Parallel.threads()) {
                Parallel.forEach(chunks.size(), i -> backward(chunks.get(i), at, block, tapes, grad));
            } else {
                chunks.forEach(chunk -> backward(chunk, at, block, tapes, grad));
            }
            for (BackBatch.Cotangent c : cotangents) {
                BackBatch.hook(c, layer, HookPoint.RESID_PRE, grad, c.row * d, d, d);
            }
            before.accept(layer);
            if (Thread.currentThread().isInterrupted()) {
                throw new CancellationException("interrupted");
            }
        }
        if (down == 0) {
            for (BackBatch.Cotangent c : cotangents) {
                BackBatch.hook(c, 0, HookPoint.EMBED, grad, c.row * d, d, d);
            }
        }
    }

    private void backward(List<BackBatch.Cotangent> chunk, int layer, Block block, Map<Pass, Tape> tapes, float[] grad) {
        int first = chunk.get(0).row;
        List<BackBatch.Segment> segments = new ArrayList<>(chunk.size());
        int rows = 0;
        for (BackBatch.Cotangent c : chunk) {
            segments.add(new BackBatch.Segment(c, c.row - first, c.from, c.tokens(), tapes.get(c.pass)));
            rows += c.tokens();
        }
        block.backward(new BackBatch(layer, segments, rows, grad, first * model.width(), Workspace.own(), null));
    }

    /** What cotangents of a pass share. For one that is alone and as long as its pass the block makes it itself, in buffers used again. */
    private static Map<Pass, Tape> tapes(List<BackBatch.Cotangent> cotangents, int layer, Block block) {
        Map<Pass, Integer> uses = new IdentityHashMap<>();
        cotangents.forEach(c -> uses.merge(c.pass, c.from > c.pass.from() ? 2 : 1, Integer::sum));
        List<Pass> passes = uses.keySet().stream().filter(p -> uses.get(p) > 1).toList();
        Tape[] found = new Tape[passes.size()];
        Parallel.forEach(found.length, i -> found[i] = block.tape(passes.get(i), layer));
        Map<Pass, Tape> tapes = new IdentityHashMap<>();
        for (int i = 0; i < found.length; i++) {
            tapes.put(passes.get(i), found[i]);
        }
        return tapes;
    }

    private static List<List<BackBatch.Cotangent>> chunks(List<BackBatch.Cotangent> all) {
        List<List<BackBatch.Cotangent>> chunks = new ArrayList<>();
        int start = 0;
        int rows = 0;
        for (int i = 0; i < all.size(); i++) {
            if (i > start && rows + all.get(i).tokens() > CHUNK_ROWS) {
                chunks.add(all.subList(start, i));
                start = i;
                rows = 0;
            }
            rows += all.get(i).tokens();
        }
        chunks.add(all.subList(start, all.size()));
        return chunks;
    }
}
