package lab.recall.model;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import lab.recall.base.BadRequest;
import lab.recall.math.Softmax;

/**
 * How likely a target of one or more tokens is after a prompt, each token read with the target's earlier ones in place.
 *
 * <pre>{@code
 * TargetScore s = TargetScore.of(model, List.of(ids), List.of(List.of(target)))[0][0];
 * s.probability(), s.loss(), s.greedy()
 * }</pre>
 *
 * @param logs   log p of each of the target's tokens
 * @param greedy whether each of them is the most probable one at its place
 */
public record TargetScore(double[] logs, boolean greedy) {
    /**
     * Of targets after prompts, many together, [prompt][target].
     *
     * @param sequences prompts, each with all of its targets but the last token after it
     * @param targets   for each of them some targets, token ids each
     * @throws BadRequest when an id is outside the vocabulary, or a target empty or longer than its sequence
     * @throws lab.recall.base.Unsolvable when logits are not finite
     */
    public static TargetScore[][] of(LanguageModel model, List<int[]> sequences, List<List<int[]>> targets) {
        Reader reader = new Reader(model, targets);
        List<Run> runs = new ArrayList<>(sequences.size());
        Map<Run, Integer> number = new IdentityHashMap<>();
        for (int i = 0; i < sequences.size(); i++) {
            int[] ids = model.checked(sequences.get(i));
            if (reader.tokens(i) > ids.length) {
                throw new BadRequest("", "sequence " + i + ": " + ids.length + " tokens, its target has " + reader.tokens(i));
            }
            Run run = Run.whole(model, ids, List.of(), null, reader.tokens(i));
            number.put(run, i);
            runs.add(run);
        }
        model.engine().run(runs, (run, token, logits, at) -> reader.read(number.get(run), run.ids.length - token, logits, at), rows -> { });
        return reader.scores();
    }

    /** Mean of -log p over the target's tokens. */
    public double loss() {
        return -log() / logs.length;
    }

    /** Probability of the whole target. */
    public double probability() {
        return Math.exp(log());
    }

    private double log() {
        double sum = 0;
        for (double l : logs) {
            sum += l;
        }
        return sum;
    }

    /** Reads targets from rows of logits as they come. */
    static final class Reader {
        private final LanguageModel model;
        private final List<List<int[]>> targets;
        private final double[][][] logs;
        private final boolean[][] greedy;

        Reader(LanguageModel model, List<List<int[]>> targets) {
            this.model = model;
            this.targets = targets;
            this.logs = targets.stream()
                    .map(of -> of.stream().map(t -> new double[t.length]).toArray(double[][]::new)).toArray(double[][][]::new);
            this.greedy = new boolean[targets.size()][];
            for (int run = 0; run < greedy.length; run++) {
                greedy[run] = new boolean[targets.get(run).size()];
                Arrays.fill(greedy[run], true);
                for (int[] target : targets.get(run)) {
                    if (target.length == 0) {
                        throw new BadRequest("target", "empty, expected at least one token");
                    }
                    for (int id : target) {
                        model.requireId(id);
                    }
                }
            }
        }

        /** How many last tokens of a run are read. */
        int tokens(int run) {
            return targets.get(run).stream().mapToInt(t -> t.length).max().orElse(0);
        }

        /** The logits of a run's token, {@code fromEnd} being 1 for its last one. */
        void read(int run, int fromEnd, float[] logits, int at) {
            double sum = Softmax.logSumExp(logits, at, model.vocabulary());
            if (!Double.isFinite(sum)) {
                throw model.notFinite();
            }
            for (int i = 0; i < logs[run].length; i++) {
                int[] target = targets.get(run).get(i);
                if (fromEnd > target.length) {
                    continue;
                }
                int id = target[target.length - fromEnd];
                logs[run][i][target.length - fromEnd] = logits[at + id] - sum;
                greedy[run][i] &= isLargest(logits, at, id);
            }
        }

        private boolean isLargest(float[] logits, int at, int id) {
            for (int j = 0; j < model.vocabulary(); j++) {
                if (logits[at + j] > logits[at + id]) {
                    return false;
                }
            }
            return true;
        }

        TargetScore[][] scores() {
            TargetScore[][] scores = new TargetScore[logs.length][];
            for (int run = 0; run < scores.length; run++) {
                scores[run] = new TargetScore[logs[run].length];
                for (int i = 0; i < scores[run].length; i++) {
                    scores[run][i] = new TargetScore(logs[run][i], greedy[run][i]);
                }
            }
            return scores;
        }
    }
}
