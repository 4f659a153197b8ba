package lab.recall.view;

import java.nio.file.Path;
import java.util.Map;
import lab.recall.base.AtomicFiles;
import org.knowm.xchart.internal.chartpart.Chart;
import tech.tablesaw.api.Table;

/**
 * Pictures and tables as files.
 *
 * <pre>{@code
 * Figures.save("causal-tracing-averages", trace.heatmap());  // .png and .svg
 * Figures.save("causal-tracing-averages", trace.byPosition()); // .csv and .json
 * }</pre>
 *
 * They go to {@code target/figures} of the project (the system property {@code recall.home}, else the working directory), and it is said
 * where they are; or to the folder that the environment variable RECALL_FIGURES names, of which nothing is said: who set it knows. A slash
 * in a name, such as that of a hub id, becomes a dash.
 */
public final class Figures {
    private Figures() {
    }

    /**
     * Writes NAME.png and NAME.svg of a heat map.
     *
     * @throws java.io.UncheckedIOException when they cannot be written
     */
    public static HeatMap save(String name, HeatMap map) {
        write(name, map);
        return map;
    }

    /**
     * Writes NAME.png and NAME.svg of a chart.
     *
     * @throws java.io.UncheckedIOException when they cannot be written
     */
    public static <C extends Chart<?, ?>> C save(String name, C chart) {
        write(name, chart);
        return chart;
    }

    /**
     * Writes NAME.png and NAME.svg of charts in a grid.
     *
     * @throws java.io.UncheckedIOException when they cannot be written
     */
    public static ChartGrid save(String name, ChartGrid grid) {
        write(name, grid);
        return grid;
    }

    /**
     * Writes NAME.csv and NAME.json of a table.
     *
     * @throws java.io.UncheckedIOException when they cannot be written
     */
    public static Table save(String name, Table table) {
        write(name, table);
        return table;
    }

    /**
     * Writes the first picture of a slider as NAME.png and NAME.svg, and all its numbers as NAME.csv and NAME.json.
     *
     * @throws java.io.UncheckedIOException when they cannot be written
     */
    public static Slider save(String name, Slider slider) {
        write(name, slider);
        return slider;
    }

    /**
     * Writes NAME.csv and NAME.json of coloured tokens.
     *
     * @throws java.io.UncheckedIOException when they cannot be written
     */
    public static TokenColours save(String name, TokenColours tokens) {
        write(name, tokens);
        return tokens;
    }

    private static void write(String name, Object what) {
        String said = System.getenv("RECALL_FIGURES");
        Path folder = said == null ? Path.of(System.getProperty("recall.home", "")).resolve("target").resolve("figures") : Path.of(said);
        AtomicFiles.folder(folder);
        Map<String, byte[]> files = Export.files(name.replace('/', '-'), what);
        files.forEach((file, bytes) -> AtomicFiles.write(folder.resolve(file), bytes));
        if (said == null) {
            System.out.println("saved in " + folder + ": " + String.join(", ", files.keySet()));
        }
    }
}
