package lab.recall.model;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import lab.recall.base.Check;
import lab.recall.text.Prompt;
import lab.recall.view.HeatMap;
import lab.recall.view.Showable;
import lab.recall.view.Tables;
import tech.tablesaw.api.Table;

/**
 * Direct logit attribution: what each layer's parts add, by the residual stream alone, to the difference of two tokens' logits at a
 * prompt's last token; shows itself as a picture.
 *
 * <pre>{@code
 * mamba.attribution("Novux Bridge is located in the city of", "Polux Bridge is located in the city of")
 * LogitAttribution.of(mamba, prompt, answer, other).at(5, OUT)
 * }</pre>
 *
 * The residual stream before the head is the embedding and the sum of what all layers put out; with the final norm's scale held at its own
 * value the logits are linear in it, so that the parts add up to the difference, but for rounding. What a part does by way of later layers
 * is not in it. Source: Elhage et al., A Mathematical Framework for Transformer Circuits, 2021.
 */
public final class LogitAttribution implements Showable {
    private final String title;
    private final List<HookPoint> points;
    private final double start;
    private final double[][] parts;
    private final double difference;

    /**
     * @param start      of the embedding
     * @param parts      [point][layer]
     * @param difference of the model's own logits
     */
    private LogitAttribution(String title, List<HookPoint> points, double start, double[][] parts, double difference) {
        this.title = title;
        this.points = points;
        this.start = start;
        this.parts = parts;
        this.difference = difference;
    }

    /**
     * Of a prompt's last token.
     *
     * @param answer the token whose logit counts up
     * @param other  the one whose logit counts down
     */
    public static LogitAttribution of(LanguageModel model, Prompt prompt, int answer, int other) {
        Check.whole("answer", answer, 0, model.vocabulary() - 1);
        Check.whole("other", other, 0, model.vocabulary() - 1);
        // attention is added before the MLP reads the stream, so that it does not go to its end as it is; of a scan only the output does
        boolean hasAttention = model.mixing().weighing().isPresent();
        List<HookPoint> points = model.components().stream().filter(p -> hasAttention || !p.addedAt().equals(p)).toList();
        Recording keep = Recording.points(HookPoint.RESID_PRE, HookPoint.RESID_POST);
        for (HookPoint p : points) {
            keep = keep.and(Recording.points(p));
        }
        Pass pass = model.run(prompt.ids(), keep);
        int last = pass.length() - 1;
        int layers = model.layers();
        Direction along = new Direction(model, pass.get(new Site(layers - 1, HookPoint.RESID_POST, last)), answer, other);
        double[][] parts = points.stream().map(p -> IntStream.range(0, layers)
                .mapToDouble(l -> along.of(pass.get(new Site(l, p, last)))).toArray()).toArray(double[][]::new);
        float[] logits = pass.logits();
        return new LogitAttribution(model.name() + ": what adds to the logit of '" + model.token(answer).strip() + "' above '"
                + model.token(other).strip() + "'", points, along.of(pass.get(new Site(0, HookPoint.RESID_PRE, last))) + along.bias, parts,
                logits[answer] - (double) logits[other]);
    }

    /** From a vector in the residual stream to its part of the difference. */
    private static final class Direction {
        private final LanguageModel model;
        private final int answer;
        private final int other;
        private final double scale;
        private final double bias;

        Direction(LanguageModel model, float[] end, int answer, int other) {
            this.model = model;
            this.answer = answer;
            this.other = other;
            Norm norm = model.finalNorm();
            scale = Math.sqrt(norm.product(end, 0, end, 0) + norm.epsilon());
            bias = norm.bias() == null ? 0 : logits(norm.bias());
        }

        double of(float[] part) {
            float[] linear = new float[part.length];
            model.finalNorm().linear(part, 0, linear, 0);
            return logits(linear) / scale;
        }

        private double logits(float[] normed) {
            float[] logits = new float[model.vocabulary()];
            model.logits(normed, 1, logits);
            return logits[answer] - (double) logits[other];
        }
    }

    /** The parts of a layer, in the order of computation. */
    public List<HookPoint> points() {
        return points;
    }

    /** What a part of a layer adds. */
    public double at(int layer, HookPoint point) {
        return parts[points.indexOf(point)][layer];
    }

    /** What the embedding adds, with the final norm's bias. */
    public double start() {
        return start;
    }

    /** All parts together. */
    public double sum() {
        return start + Arrays.stream(parts).flatMapToDouble(Arrays::stream).sum();
    }

    /** The difference of the model's own logits, which the parts add up to. */
    public double difference() {
        return difference;
    }

    /** Parts in rows, the embedding and the layers in columns. */
    public HeatMap heatmap() {
        int layers = parts[0].length;
        double[][] rows = new double[points.size()][layers + 1];
        for (int p = 0; p < rows.length; p++) {
            rows[p][0] = p == 0 ? start : Double.NaN;
            System.arraycopy(parts[p], 0, rows[p], 1, layers);
        }
        List<String> columns = new ArrayList<>(List.of("emb"));
        IntStream.range(0, layers).forEach(l -> columns.add(String.valueOf(l)));
        return HeatMap.of(title, rows).rows(points.stream().map(HookPoint::title).toList()).columns("layer", columns).centred()
                .measure("logits");
    }

    /** A row for each layer, and how much all up to it add. */
    public Table table() {
        List<String> columns = new ArrayList<>(List.of("layer"));
        points.forEach(p -> columns.add(p.title()));
        columns.add("up to here");
        List<List<Object>> rows = new ArrayList<>();
        double sum = start;
        rows.add(row("embedding", new double[points.size()], sum));
        for (int l = 0; l < parts[0].length; l++) {
            int layer = l;
            double[] each = Arrays.stream(parts).mapToDouble(p -> p[layer]).toArray();
            sum += Arrays.stream(each).sum();
            rows.add(row(String.valueOf(l), each, sum));
        }
        return Tables.of(title, columns, rows);
    }

    private static List<Object> row(String name, double[] each, double sum) {
        List<Object> row = new ArrayList<>(List.of(name));
        Arrays.stream(each).forEach(row::add);
        row.add(sum);
        return row;
    }

    @Override
    public Object view() {
        return heatmap();
    }
}
