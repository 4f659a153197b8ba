package lab.recall.linear;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;

/**
 * One measure of a relation over its splits, by layer and setting (beta, or the rank): chooses settings and scores facts. A fact's score is
 * its mean over the splits that tested it, so that facts are what intervals are taken over.
 */
final class Outcomes {
    private static final int PARTS = 5;
    private static final long SEED = 1;

    private final int facts;
    private final int[][] tests;
    /** [split][layer][setting]. */
    private final List<List<List<Marks>>> marks;
    private final int[] part;

    /**
     * @param facts how many the relation has
     * @param tests numbers of the facts that each split tests
     * @param marks [split][layer][setting]
     */
    Outcomes(int facts, int[][] tests, List<List<List<Marks>>> marks) {
        this.facts = facts;
        this.tests = tests;
        this.marks = marks;
        List<Integer> order = new ArrayList<>(Arrays.stream(tests).flatMapToInt(Arrays::stream).distinct().sorted().boxed().toList());
        Collections.shuffle(order, new Random(SEED));
        part = new int[facts];
        for (int i = 0; i < order.size(); i++) {
            part[order.get(i)] = i % PARTS;
        }
    }

    int layers() {
        return marks.get(0).size();
    }

    /** Scores of facts with the layer and the settings chosen; NaN where a fact was not tested. */
    double[] best(Selection how) {
        return scored(how, this::layer);
    }

    /** Scores of facts at a layer, with the settings chosen there. */
    double[] at(int layer, Selection how) {
        return scored(how, choosing -> layer);
    }

    /** The layers that are chosen, one of each part under NESTED. */
    TreeSet<Integer> chosenLayers(Selection how) {
        TreeSet<Integer> layers = new TreeSet<>();
        parts(how).forEach(p -> layers.add(layer(choosing(how, p))));
        return layers;
    }

    /** The setting that is best on all tests of a split at a layer. */
    int setting(int split, int layer) {
        return setting(split, layer, fact -> true);
    }

    private interface Layer {
        int of(IntPredicate choosing);
    }

    private double[] scored(Selection how, Layer chooser) {
        double[] right = new double[facts];
        int[] tried = new int[facts];
        parts(how).forEach(p -> {
            IntPredicate choosing = choosing(how, p);
            int layer = chooser.of(choosing);
            for (int s = 0; s < tests.length; s++) {
                Marks of = marks.get(s).get(layer).get(setting(s, layer, choosing));
                for (int i = 0; i < tests[s].length; i++) {
                    int fact = tests[s][i];
                    if ((how == Selection.PUBLISHED || part[fact] == p) && of.tried(i)) {
                        right[fact] += of.right(i) ? 1 : 0;
                        tried[fact]++;
                    }
                }
            }
        });
        return IntStream.range(0, facts).mapToDouble(f -> tried[f] == 0 ? Double.NaN : right[f] / tried[f]).toArray();
    }

    private static IntStream parts(Selection how) {
        return IntStream.range(0, how == Selection.PUBLISHED ? 1 : PARTS);
    }

    private IntPredicate choosing(Selection how, int scoredPart) {
        return how == Selection.PUBLISHED ? fact -> true : fact -> part[fact] != scoredPart;
    }

    /** The best layer by the mean over splits, each with its best setting. */
    private int layer(IntPredicate choosing) {
        double[] rates = new double[layers()];
        for (int l = 0; l < rates.length; l++) {
            for (int s = 0; s < tests.length; s++) {
                rates[l] += rate(s, l, setting(s, l, choosing), choosing);
            }
        }
        return middleOfBest(rates);
    }

    private int setting(int split, int layer, IntPredicate choosing) {
        int settings = marks.get(split).get(layer).size();
        return middleOfBest(IntStream.range(0, settings).mapToDouble(k -> rate(split, layer, k, choosing)).toArray());
    }

    private double rate(int split, int layer, int setting, IntPredicate choosing) {
        Marks of = marks.get(split).get(layer).get(setting);
        int right = 0;
        int tried = 0;
        for (int i = 0; i < of.tests(); i++) {
            if (of.tried(i) && choosing.test(tests[split][i])) {
                tried++;
                right += of.right(i) ? 1 : 0;
            }
        }
        return tried == 0 ? 0 : right / (double) tried;
    }

    /** Of several that are equally good the middle one: the least likely to be good by chance. */
    private static int middleOfBest(double[] rates) {
        double most = Arrays.stream(rates).max().orElseThrow();
        int[] best = IntStream.range(0, rates.length).filter(i -> rates[i] >= most - 1e-12).toArray();
        return best[(best.length - 1) / 2];
    }
}
