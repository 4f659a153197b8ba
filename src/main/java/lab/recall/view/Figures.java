package lab.recall.view;

import java.nio.file.Path;
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
 * They go to the folder that the environment variable RECALL_FIGURES names, else to {@code target/figures} of the project (the system
 * property {@code recall.home}, else the working directory). A slash in a name, such as that of a hub id, becomes a dash.
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

    private static void write(String name, Object what) {
        String said = System.getenv("RECALL_FIGURES");
        Path folder = said == null ? Path.of(System.getProperty("recall.home", "")).resolve("target").resolve("figures") : Path.of(said);
        AtomicFiles.folder(folder);
        Export.files(name.replace('/', '-'), what).forEach((file, bytes) -> AtomicFiles.write(folder.resolve(file), bytes));
    }
}
