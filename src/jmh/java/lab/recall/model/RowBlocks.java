package lab.recall.model;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** How often a plain pass reads its weights: asked of the engine, not worked out again. */
public final class RowBlocks {
    /** Rows of a long prompt that go through a layer together. */
    public static final int ROWS = Batch.BLOCK_ROWS;

    private RowBlocks() {
    }

    /** In how many blocks some prompts of equal length go through a layer; each reads all the layer's weights once. */
    public static int ofLayer(LanguageModel model, int prompts, int tokens) {
        Run run = Run.whole(model, new int[tokens], List.of(), null, 1);
        int blocks = 0;
        for (List<Run> chunk : Engine.chunks(Collections.nCopies(prompts, run))) {
            List<Batch.Segment> segments = new ArrayList<>();
            for (Run r : chunk) {
                segments.add(new Batch.Segment(r, segments.size() * tokens, 0, tokens, null));
            }
            blocks += new Batch(0, segments, chunk.size() * tokens, null, 0, 0, null).blocks().size();
        }
        return blocks;
    }

    /** In how many blocks so many rows go through the head. */
    public static int ofHead(int rows) {
        return (rows + Engine.HEAD_ROWS - 1) / Engine.HEAD_ROWS;
    }
}
