package lab.recall.view;

import java.awt.Color;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import lab.recall.base.BadRequest;
import lab.recall.base.Said;
import tech.tablesaw.api.Table;

/**
 * Tokens in their order, each on a ground coloured by a number, which it says when it is pointed at.
 *
 * <pre>{@code
 * TokenColours.of(List.of("Novux", " Bridge", " is"), new double[] {Double.NaN, 3.2, 0.1})
 * TokenColours.of(tokens, values).title("surprisal in bits").range(0, 12).colours(HeatMap.Colours.REDS)
 * }</pre>
 *
 * Text, not a picture: it can be searched and copied, and is the same without scripts, on an exported page and in a notebook that nobody
 * has trusted. The numbers stand below it as a table, folded. A token whose number is NaN has none, and no colour.
 */
public final class TokenColours {
    private static final int SWATCHES = 5;

    private final String title;
    private final List<String> tokens;
    private final double[] values;
    private final HeatMap.Colours colours;
    private final double low;
    private final double high;

    private TokenColours(String title, List<String> tokens, double[] values, HeatMap.Colours colours, double low, double high) {
        this.title = title;
        this.tokens = tokens;
        this.values = values;
        this.colours = colours;
        this.low = low;
        this.high = high;
    }

    /**
     * Tokens with a number each; from white to purple, or blue below 0 and red above where some are negative.
     *
     * @throws BadRequest when there is no token, or not a number for each
     */
    public static TokenColours of(List<String> tokens, double[] values) {
        if (tokens.isEmpty() || tokens.size() != values.length) {
            throw new BadRequest("", tokens.size() + " tokens and " + values.length
                    + " numbers, expected at least one token and a number for each");
        }
        double[] finite = Arrays.stream(values).filter(Double::isFinite).toArray();
        double least = Arrays.stream(finite).min().orElse(0);
        double most = Arrays.stream(finite).max().orElse(1);
        double end = Math.max(-least, most);
        return least < 0 ? new TokenColours("", List.copyOf(tokens), values.clone(), HeatMap.Colours.DIVERGING, -end, end)
                : new TokenColours("", List.copyOf(tokens), values.clone(), HeatMap.Colours.PURPLES, least, most);
    }

    /** What the numbers are. */
    public TokenColours title(String name) {
        return new TokenColours(name, tokens, values, colours, low, high);
    }

    /** The colour scale. */
    public TokenColours colours(HeatMap.Colours scale) {
        return new TokenColours(title, tokens, values, scale, low, high);
    }

    /**
     * The numbers at the ends of the scale; without it, the smallest and the largest.
     *
     * @throws BadRequest unless the first is below the second
     */
    public TokenColours range(double from, double to) {
        if (!(from < to)) {
            throw new BadRequest("", "colours from " + from + " to " + to + ", expected a smaller number first");
        }
        return new TokenColours(title, tokens, values, colours, from, to);
    }

    /** The same numbers as a table. */
    public Table table() {
        return Tables.of(title, List.of("index", "token", "value"),
                IntStream.range(0, values.length).mapToObj(i -> List.<Object>of(i, tokens.get(i), values[i])).toList());
    }

    String html() {
        StringBuilder b = new StringBuilder("<div>");
        if (!title.isEmpty()) {
            b.append("<div style=\"font-weight:bold\">").append(Tables.escape(title)).append("</div>");
        }
        b.append("<div style=\"white-space:pre-wrap;line-height:2\">");
        for (int i = 0; i < values.length; i++) {
            b.append("<span title=\"").append(Tables.escape(name(i))).append(": ").append(Tables.number(values[i])).append('"')
                    .append(ground(values[i])).append('>').append(tokens.get(i).isBlank() ? "·" : Tables.escape(tokens.get(i)))
                    .append("</span>");
        }
        b.append("</div><div style=\"font-size:smaller\">");
        for (int i = 0; i < SWATCHES; i++) {
            double at = low + (high - low) * i / (SWATCHES - 1);
            b.append("<span").append(ground(at)).append(">&nbsp;").append(Tables.number(at)).append("&nbsp;</span>");
        }
        return b.append(' ').append(Tables.escape(said())).append("</div><details><summary>the numbers</summary>")
                .append(TableHtml.of(table().setName(""))).append("</details></div>").toString();
    }

    /** For who sees no colours: which tokens have the largest numbers. */
    private String said() {
        List<Integer> order = new ArrayList<>(IntStream.range(0, values.length).filter(i -> !Double.isNaN(values[i])).boxed().toList());
        order.sort((i, j) -> Double.compare(values[j], values[i]));
        return order.isEmpty() ? "no token has a number" : "largest: " + String.join(", ", order.stream().limit(3)
                .map(i -> name(i) + " " + Tables.number(values[i])).toList());
    }

    /** A token without the blank before it; a dot where nothing else is in it. */
    private String name(int i) {
        return tokens.get(i).isBlank() ? "·" : Said.visible(tokens.get(i)).strip();
    }

    private String ground(double value) {
        if (Double.isNaN(value)) {
            return "";
        }
        Color ground = colours.at(high > low ? (value - low) / (high - low) : 0.5);
        return " style=\"background-color:" + HeatMap.Colours.css(ground.getRGB()) + ";color:"
                + HeatMap.Colours.css(HeatMap.Colours.ink(ground).getRGB()) + "\"";
    }

    /** {@code Novux [–] Bridge [3.2000] is [0.1000]} */
    String text() {
        StringBuilder b = new StringBuilder(title.isEmpty() ? "" : Said.visible(title) + ":");
        for (int i = 0; i < values.length; i++) {
            b.append(' ').append(name(i)).append(" [").append(Tables.number(values[i])).append(']');
        }
        return b.toString().strip();
    }
}
