package lab.recall.knockout;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongConsumer;
import lab.recall.base.Portions;
import lab.recall.model.HookPoint;
import lab.recall.model.LanguageModel;
import lab.recall.model.Pass;
import lab.recall.model.Recording;
import lab.recall.study.Cost;
import lab.recall.study.ModelCard;
import lab.recall.study.Runner;
import lab.recall.study.Study;

/**
 * Means over documents. A piece gives the sums over its documents, [point][layer][width]: as large for one document as for all of a piece.
 * Kept for all requests.
 */
final class MeansStudy extends Study<MeansStudy.Asked, MeansStudy.Piece, double[][][], MeanActivations> {
    /** What passes may keep in memory together. */
    private static final long BYTES = 200L << 20;

    /** What is averaged over which documents. */
    record Asked(List<HookPoint> points, List<int[]> documents) {
    }

    /** Some of the documents, cut off. */
    record Piece(List<int[]> documents) {
    }

    MeansStudy() {
        super("mean_activations", "documents", double[][][].class);
    }

    @Override
    public Object settings(Asked asked) {
        return asked.points;
    }

    @Override
    public String title(LanguageModel model, Asked asked) {
        return "means of " + String.join(", ", asked.points.stream().map(HookPoint::id).toList());
    }

    @Override
    public long size(LanguageModel model, Asked asked, Piece piece) {
        return piece.documents.size();
    }

    @Override
    public boolean isShared() {
        return true;
    }

    @Override
    public List<Piece> plan(LanguageModel model, Asked asked, Runner runner) {
        List<int[]> cut = asked.documents.stream().map(d -> Arrays.copyOf(d, Math.min(d.length, MeanActivations.TOKENS))).toList();
        return Study.parts(cut).stream().map(Piece::new).toList();
    }

    @Override
    public double[][][] compute(LanguageModel model, Asked asked, Piece piece, LongConsumer done) {
        HookPoint[] points = asked.points.toArray(HookPoint[]::new);
        double[][][] sums = zeros(model, points);
        long widths = asked.points.stream().mapToLong(model::width).sum();
        long read = 0;
        for (List<int[]> some : Portions.of(piece.documents, d -> d.length * widths * model.layers() * Float.BYTES, BYTES)) {
            model.runAll(some, Recording.points(points)).forEach(pass -> add(sums, pass, points));
            read += some.size();
            done.accept(read);
        }
        return sums;
    }

    private static double[][][] zeros(LanguageModel model, HookPoint[] points) {
        return Arrays.stream(points).map(p -> new double[model.layers()][model.width(p)]).toArray(double[][][]::new);
    }

    private static void add(double[][][] sums, Pass pass, HookPoint[] points) {
        for (int p = 0; p < points.length; p++) {
            for (int l = 0; l < sums[p].length; l++) {
                double[] sum = sums[p][l];
                float[] values = pass.values(l, points[p]);
                for (int i = 0; i < pass.length() * sum.length; i++) {
                    sum[i % sum.length] += (double) values[i] / pass.length();
                }
            }
        }
    }

    @Override
    public Cost cost(LanguageModel model, Asked asked, Piece piece) {
        Cost cost = Cost.of(model);
        piece.documents.forEach(d -> cost.run(d.length, 1));
        return cost;
    }

    @Override
    public MeanActivations supposed(LanguageModel model, Asked asked, List<Piece> pieces, List<double[][][]> found) {
        return combine(model, asked, pieces, filled(found, i -> zeros(model, asked.points.toArray(HookPoint[]::new))));
    }

    @Override
    public Optional<Asked> sent(Asked asked, Piece piece) {
        return Optional.of(new Asked(asked.points, List.of()));
    }

    @Override
    public boolean fits(LanguageModel model, Asked asked, Piece piece, double[][][] found) {
        double[][][] like = zeros(model, asked.points.toArray(HookPoint[]::new));
        boolean fits = found.length == like.length;
        for (int p = 0; fits && p < like.length; p++) {
            fits = found[p] != null && found[p].length == like[p].length;
            for (int l = 0; fits && l < like[p].length; l++) {
                fits = found[p][l] != null && found[p][l].length == like[p][l].length;
            }
        }
        return fits;
    }

    @Override
    public MeanActivations combine(LanguageModel model, Asked asked, List<Piece> pieces, List<double[][][]> found) {
        Map<HookPoint, float[][]> means = new LinkedHashMap<>();
        for (int p = 0; p < asked.points.size(); p++) {
            float[][] mean = new float[model.layers()][model.width(asked.points.get(p))];
            for (int l = 0; l < mean.length; l++) {
                for (int i = 0; i < mean[l].length; i++) {
                    double sum = 0;
                    for (double[][][] piece : found) {
                        sum += piece[p][l][i];
                    }
                    mean[l][i] = (float) (sum / asked.documents.size());
                }
            }
            means.put(asked.points.get(p), mean);
        }
        return new MeanActivations(ModelCard.of(model), asked.documents.size(), means);
    }
}
