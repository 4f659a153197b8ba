package lab.recall.trace;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import lab.recall.facts.FactPair;
import lab.recall.text.Prompt;

/** How effects are averaged over pairs of facts. */
public enum Averaging {
    /**
     * The corrupt run's probability is subtracted, as the paper defines the effect; a pair without tokens at a position is left out there;
     * pairs whose two runs differ by less than {@value #LEAST_SPAN} in probability are left out everywhere, since their ratio is noise.
     */
    CORRECTED,
    /**
     * As the reference code averaged: p / (p_clean - p_corrupt), nothing subtracted and no small denominator left out. Empty positions
     * count as 0 where the code padded and make the whole mean NaN where it averaged nothing; of two facts about one subject the later
     * counts.
     */
    PUBLISHED;

    static final double LEAST_SPAN = 0.05;

    /**
     * What each pair gives to each position's mean, [position][layer][pair].
     *
     * @param grids one a pair
     * @param cells of the grids; those of single tokens for {@link #PUBLISHED}
     */
    double[][][] samples(List<FactPair> pairs, List<InterchangeGrid> grids, Cells cells) {
        return this == CORRECTED ? corrected(pairs, grids, cells) : published(pairs, grids);
    }

    private static double[][][] corrected(List<FactPair> pairs, List<InterchangeGrid> grids, Cells cells) {
        double[][][] effects = new double[grids.size()][][];
        for (int i = 0; i < effects.length; i++) {
            InterchangeGrid g = grids.get(i);
            effects[i] = g.pClean() - g.pCorrupt() >= LEAST_SPAN ? g.effect() : new double[0][];
        }
        return byPosition(pairs, effects, cells);
    }

    /** Means of effects over the cells of a position, [position][layer][pair]; NaN where a pair has none, or no effects. */
    static double[][][] byPosition(List<FactPair> pairs, double[][][] effects, Cells cells) {
        int layers = Arrays.stream(effects).mapToInt(e -> e.length).max().orElse(0);
        double[][][] samples = new double[Position.values().length][layers][effects.length];
        for (int i = 0; i < effects.length; i++) {
            List<Position> rows = effects[i].length > 0 ? cells.rows(pairs.get(i).cleanPrompt()) : List.of();
            for (int l = 0; l < layers; l++) {
                double[] sum = new double[samples.length];
                int[] n = new int[samples.length];
                for (int c = 0; c < rows.size(); c++) {
                    int position = rows.get(c).ordinal();
                    sum[position] += effects[i][l][c];
                    n[position]++;
                }
                for (int p = 0; p < samples.length; p++) {
                    samples[p][l][i] = n[p] > 0 ? sum[p] / n[p] : Double.NaN;
                }
            }
        }
        return samples;
    }

    private static double[][][] published(List<FactPair> pairs, List<InterchangeGrid> grids) {
        Map<String, Integer> latest = new HashMap<>();
        for (int i = 0; i < grids.size(); i++) {
            latest.put(pairs.get(i).clean().relation() + "\n" + pairs.get(i).clean().subject(), i);
        }
        int[] counted = latest.values().stream().mapToInt(i -> i).sorted().toArray();
        int layers = grids.get(0).p().length;
        double[][][] samples = new double[Position.values().length][layers][counted.length];
        for (int n = 0; n < counted.length; n++) {
            InterchangeGrid g = grids.get(counted[n]);
            Prompt prompt = pairs.get(counted[n]).cleanPrompt();
            for (int l = 0; l < layers; l++) {
                double[] ratio = Arrays.stream(g.p()[l]).map(p -> p / (g.pClean() - g.pCorrupt())).toArray();
                for (Position p : Position.values()) {
                    samples[p.ordinal()][l][n] = published(p, prompt, ratio);
                }
            }
        }
        for (double[][] position : samples) {
            for (double[] layer : position) {
                if (Arrays.stream(layer).anyMatch(Double::isNaN)) {
                    Arrays.fill(layer, Double.NaN);
                }
            }
        }
        return samples;
    }

    private static double published(Position position, Prompt prompt, double[] ratio) {
        int begin = prompt.subjectStart();
        int end = prompt.subjectEnd();
        int last = prompt.length() - 1;
        return switch (position) {
            case PREFIX -> mean(ratio, 0, begin);
            case SUBJECT_EARLY -> end - 2 == begin ? 0 : mean(ratio, begin, end - 2);
            case SUBJECT_SECOND_LAST -> ratio[end >= 2 ? end - 2 : last];       // of a subject of one token, the token before it
            case SUBJECT_LAST -> ratio[end - 1];
            case FURTHER -> end >= last ? 0 : mean(ratio, end, last);
            case LAST -> ratio[last];
            case SUBJECT -> ratio[last + 1];
        };
    }

    private static double mean(double[] values, int from, int to) {
        return from >= to ? Double.NaN : Arrays.stream(values, from, to).average().orElseThrow();
    }
}
