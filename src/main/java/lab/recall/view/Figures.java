package lab.recall.view;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import lab.recall.base.AtomicFiles;
import org.knowm.xchart.internal.chartpart.Chart;

/**
 * Pictures as files.
 *
 * <pre>{@code
 * Figures.save("causal-tracing-averages", trace.heatmap());  // .png and .svg
 * }</pre>
 *
 * They go to the folder that the environment variable RECALL_FIGURES names, else to {@code target/figures} of the project (the system
 * property {@code recall.home}, else the working directory). A slash in a name, such as that of a hub id, becomes a dash.
 */
public final class Figures {
    private Figures() {
    }

    /** Writes NAME.png and NAME.svg of a heat map. */
    public static HeatMap save(String name, HeatMap map) {
        write(name, map);
        return map;
    }

    /** Writes NAME.png and NAME.svg of a chart. */
    public static <C extends Chart<?, ?>> C save(String name, C chart) {
        write(name, chart);
        return chart;
    }

    private static void write(String name, Object picture) {
        String said = System.getenv("RECALL_FIGURES");
        Path folder = said == null ? Path.of(System.getProperty("recall.home", "")).resolve("target").resolve("figures") : Path.of(said);
        try {
            Files.createDirectories(folder);
            for (Map.Entry<String, byte[]> file : Export.files(name.replace('/', '-'), picture).entrySet()) {
                AtomicFiles.write(folder.resolve(file.getKey()), file.getValue());
            }
        } catch (IOException e) {
            throw new UncheckedIOException(folder + ": the picture '" + name + "' cannot be written (" + AtomicFiles.reason(e) + ")", e);
        }
    }
}
