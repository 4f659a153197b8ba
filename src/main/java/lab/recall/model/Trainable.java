package lab.recall.model;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import lab.recall.base.BadRequest;
import lab.recall.math.CrossEntropy;
import lab.recall.math.Elementwise;
import lab.recall.math.MatMul;
import lab.recall.math.Parallel;

/**
 * A model in training: its weights as plain f32 arrays that may be changed, the loss of a batch, and its gradients.
 *
 * <pre>{@code
 * Trainable t = new Trainable(model, 24, 40);                // rows, tokens a row
 * double loss = t.backward(ids, null);                       // fills t.gradients()
 * adam.step(t.weights(), t.gradients());
 * t.changed();                                               // the next call sees the new weights
 * LanguageModel now = t.model();
 * }</pre>
 *
 * The rows are split into parts of about equal size, by their number alone; a part goes forward and back in one thread with sums of its
 * own, and these are added up in the order of the parts: the numbers are the same for any number of threads. Buffers are made once. Not
 * safe for several threads.
 */
public final class Trainable {
    /** A part has about this many tokens: enough for the products, few enough for the caches. */
    private static final int PART_TOKENS = 256;
    private static final int MOST_PARTS = 8;
    private static final int HEAD_ROWS = 64;
    private static final Workspace.Slot LAST = Workspace.slot();
    private static final Workspace.Slot NORMED = Workspace.slot();
    private static final Workspace.Slot LOGITS = Workspace.slot();
    private static final Workspace.Slot D_NORMED = Workspace.slot();
    private static final Workspace.Slot D_LAST = Workspace.slot();

    private final LanguageModel model;
    private final int[] lengths;
    private final Map<String, float[]> weights;
    private final Map<String, float[]> gradients = new LinkedHashMap<>();
    private final Part[] parts;

    /**
     * Batches of {@code rows} rows of {@code tokens} tokens each. The model itself stays as it is.
     *
     * @throws BadRequest when there is no row, or none with a token to predict
     */
    public Trainable(LanguageModel model, int rows, int tokens) {
        this(model, filled(rows, tokens));
    }

    /** @param lengths tokens of each row of a batch */
    Trainable(LanguageModel model, int[] lengths) {
        this.weights = model.weights();
        this.model = model.with(weights);
        this.lengths = lengths.clone();
        int tokens = 0;
        for (int n : lengths) {
            if (n < 2) {
                throw new BadRequest("ids", "a row of " + n + " tokens; each needs at least 2, one to predict from the other");
            }
            tokens += n;
        }
        this.parts = new Part[Math.max(1, Math.min(Math.min(MOST_PARTS, lengths.length), (tokens + PART_TOKENS - 1) / PART_TOKENS))];
        for (int p = 0; p < parts.length; p++) {
            parts[p] = new Part(p * lengths.length / parts.length, (p + 1) * lengths.length / parts.length);
        }
    }

    private static int[] filled(int rows, int tokens) {
        if (rows < 1) {
            throw new BadRequest("rows", rows + ", expected at least 1");
        }
        int[] lengths = new int[rows];
        Arrays.fill(lengths, tokens);
        return lengths;
    }

    /** The weights of now by checkpoint name, a tied head once; after writing to them call {@link #changed}. */
    public Map<String, float[]> weights() {
        return weights;
    }

    /** What the last {@link #backward} found, by checkpoint name. The arrays are used again. */
    public Map<String, float[]> gradients() {
        return gradients;
    }

    /** Takes the weights on that were written to {@link #weights}. */
    public void changed() {
        model.take(weights);
    }

    /** A model with a copy of the weights of now. */
    public LanguageModel model() {
        return model.with(weights);
    }

    /**
     * Loss and gradients of a batch.
     *
     * @param ids  [rows][tokens]
     * @param care how much the prediction of token t + 1 counts, [rows][tokens - 1]; null: all alike
     * @return mean cross-entropy of next-token prediction, weighted by {@code care}
     * @throws BadRequest when the batch is of another size, has an id outside the vocabulary, or nothing counts
     */
    public double backward(int[][] ids, float[][] care) {
        double loss = run(ids, care, true);
        List<String> names = new ArrayList<>(parts[0].raw.keySet());
        Parallel.forEach(names.size(), i -> {
            float[] sum = parts[0].raw.get(names.get(i));
            for (int p = 1; p < parts.length; p++) {
                Elementwise.add(parts[p].raw.get(names.get(i)), 0, sum, 0, sum.length);
            }
        });
        model.asStored(parts[0].raw, gradients);
        return loss;
    }

    /**
     * The loss alone.
     *
     * @throws BadRequest as {@link #backward}
     */
    public double loss(int[][] ids, float[][] care) {
        return run(ids, care, false);
    }

    private double run(int[][] ids, float[][] care, boolean backward) {
        double total = 0;
        for (int r = 0; r < lengths.length; r++) {
            if (ids.length != lengths.length || ids[r].length != lengths[r]) {
                throw new BadRequest("ids", "expected " + lengths.length + " rows, row " + r + " with " + lengths[r] + " tokens");
            }
            for (int t = 0; t < lengths[r] - 1; t++) {
                total += care == null ? 1 : care[r][t];
            }
        }
        if (!(total > 0)) {
            throw new BadRequest("care", total + " in all, expected more than 0");
        }
        double scale = 1 / total;
        Parallel.forEach(parts.length, p -> parts[p].run(ids, care, scale, backward));
        double loss = 0;
        for (Part p : parts) {
            loss += p.loss;
        }
        return loss / total;
    }

    /** Some rows of a batch and all buffers that they need. */
    private final class Part {
        private final int first;
        private final int rows;
        private final Run[] runs;
        private final List<Batch.Segment> segments = new ArrayList<>();
        private final Batch[] forward = new Batch[model.layers()];
        private final BackBatch[] back = new BackBatch[model.layers()];
        private final Workspace work = new Workspace();
        private final float[] resid;
        private final float[] grad;
        private final Map<String, float[]> raw = new LinkedHashMap<>();
        private double loss;

        Part(int first, int end) {
            this.first = first;
            this.runs = new Run[end - first];
            boolean[][] keep = Recording.gradients().table(model);
            List<BackBatch.Segment> backSegments = new ArrayList<>();
            int row = 0;
            for (int i = 0; i < runs.length; i++) {
                int length = lengths[first + i];
                runs[i] = Run.whole(model, new int[length], List.of(), keep, 0);
                runs[i].kept = new float[model.layers() + 1][HookPoint.count()][];
                runs[i].row = row;
                segments.add(new Batch.Segment(runs[i], row, 0, length, null));
                BackBatch.Cotangent cotangent = new BackBatch.Cotangent(new Pass(model, runs[i], null), 0, null);
                cotangent.row = row;
                backSegments.add(new BackBatch.Segment(cotangent, row, 0, length, null));
                row += length;
            }
            this.rows = row;
            this.resid = new float[rows * model.width()];
            this.grad = new float[rows * model.width()];
            for (int l = 0; l < forward.length; l++) {
                forward[l] = new Batch(l, segments, rows, resid, 0, model.width(), work);
                back[l] = new BackBatch(l, backSegments, rows, grad, 0, work, raw);
            }
        }

        void run(int[][] ids, float[][] care, double scale, boolean backward) {
            int d = model.width();
            float[] embedding = weights.get(model.embeddingName());
            float[] positions = model.positionsName().map(weights::get).orElse(null);
            for (int i = 0; i < runs.length; i++) {
                System.arraycopy(ids[first + i], 0, runs[i].ids, 0, runs[i].ids.length);
                for (int t = 0; t < runs[i].ids.length; t++) {
                    model.requireId(runs[i].ids[t]);
                    System.arraycopy(embedding, runs[i].ids[t] * d, resid, (runs[i].row + t) * d, d);
                }
                if (positions != null) {
                    Elementwise.add(positions, 0, resid, runs[i].row * d, runs[i].ids.length * d);
                }
            }
            for (int l = 0; l < forward.length; l++) {
                for (Batch.Segment s : segments) {
                    forward[l].touch(s, HookPoint.RESID_PRE, resid, s.row() * d, d, d);
                }
                model.block(l).forward(forward[l]);
            }
            if (backward) {
                raw.values().forEach(g -> Arrays.fill(g, 0f));
                Arrays.fill(grad, 0f);
            }
            head(care, scale, backward);
            if (!backward) {
                return;
            }
            for (int l = back.length - 1; l >= 0; l--) {
                model.block(l).backward(back[l]);
            }
            float[] dEmbedding = raw.computeIfAbsent(model.embeddingName(), n -> new float[model.vocabulary() * d]);
            for (Run run : runs) {
                for (int t = 0; t < run.ids.length; t++) {
                    Elementwise.add(grad, (run.row + t) * d, dEmbedding, run.ids[t] * d, d);
                }
            }
            model.positionsName().ifPresent(name -> {
                float[] dPositions = raw.computeIfAbsent(name, n -> new float[weights.get(n).length]);
                for (Run run : runs) {
                    Elementwise.add(grad, run.row * d, dPositions, 0, run.ids.length * d);
                }
            });
        }

        /** Loss of the tokens that count; with {@code backward}, gradients of the head, the final norm and the last residual stream. */
        private void head(float[][] care, double scale, boolean backward) {
            int d = model.width();
            float[] last = work.floats(LAST, HEAD_ROWS * d);
            int[] at = new int[HEAD_ROWS];
            int[] targets = new int[HEAD_ROWS];
            float[] weight = new float[HEAD_ROWS];
            loss = 0;
            int n = 0;
            for (int i = 0; i < runs.length; i++) {
                for (int t = 0; t < runs[i].ids.length - 1; t++) {
                    float w = care == null ? 1f : care[first + i][t];
                    if (w == 0) {
                        continue;
                    }
                    at[n] = (runs[i].row + t) * d;
                    targets[n] = runs[i].ids[t + 1];
                    weight[n] = w;
                    System.arraycopy(resid, at[n], last, n * d, d);
                    if (++n == HEAD_ROWS) {
                        head(n, last, at, targets, weight, scale, backward);
                        n = 0;
                    }
                }
            }
            head(n, last, at, targets, weight, scale, backward);
        }

        private void head(int n, float[] last, int[] at, int[] targets, float[] weight, double scale, boolean backward) {
            int d = model.width();
            int v = model.vocabulary();
            float[] normed = work.floats(NORMED, HEAD_ROWS * d);
            float[] logits = work.floats(LOGITS, HEAD_ROWS * v);
            model.finalNorm().forward(last, 0, n, normed, 0);
            model.logits(normed, n, logits);
            for (int i = 0; i < n; i++) {
                loss += weight[i] * CrossEntropy.backward(logits, i * v, v, targets[i], (float) (weight[i] * scale), logits, i * v);
            }
            if (!backward) {
                return;
            }
            MatMul.addOuter(logits, 0, v, normed, 0, d, n, v, d, raw.computeIfAbsent(model.headName(), name -> new float[v * d]));
            float[] dNormed = work.floats(D_NORMED, HEAD_ROWS * d);
            model.headBackward(logits, 0, n, dNormed, 0);
            float[] dLast = work.floats(D_LAST, HEAD_ROWS * d);
            Arrays.fill(dLast, 0, n * d, 0f);
            model.finalNorm().backward(last, 0, n, dNormed, 0, dLast, 0, raw);
            for (int i = 0; i < n; i++) {
                System.arraycopy(dLast, i * d, grad, at[i], d);
            }
        }
    }
}
