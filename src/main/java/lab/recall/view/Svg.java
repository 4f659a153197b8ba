package lab.recall.view;

import de.erichseifert.vectorgraphics2d.Document;
import de.erichseifert.vectorgraphics2d.Processors;
import de.erichseifert.vectorgraphics2d.VectorGraphics2D;
import de.erichseifert.vectorgraphics2d.util.PageSize;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.Shape;
import java.awt.geom.Path2D;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.knowm.xchart.internal.chartpart.Chart;
import org.knowm.xchart.style.AxesChartStyler;

/** Pictures drawn by Java2D, as SVG; words are texts, also those that XChart draws as shapes. */
final class Svg {
    private Svg() {
    }

    static byte[] of(int width, int height, Consumer<Graphics2D> drawing) {
        return of(width, height, new VectorGraphics2D(), drawing);
    }

    /** The same of charts with such fonts. */
    static byte[] of(int width, int height, List<Chart<?, ?>> charts, Consumer<Graphics2D> drawing) {
        return of(width, height, new WithTexts(new TextOutlines(charts.stream().flatMap(c -> fonts(c).stream()).toList())), drawing);
    }

    private static byte[] of(int width, int height, VectorGraphics2D g, Consumer<Graphics2D> drawing) {
        drawing.accept(g);
        Document document = Processors.get("svg").getDocument(g.getCommands(), new PageSize(0, 0, width, height));
        try (ByteArrayOutputStream out = new ByteArrayOutputStream()) {
            document.writeTo(out);
            return out.toByteArray();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<Font> fonts(Chart<?, ?> chart) {
        Font[] all = {chart.getStyler().getChartTitleFont(), chart.getStyler().getLegendFont()};
        return chart.getStyler() instanceof AxesChartStyler axes
                ? List.of(all[0], all[1], axes.getAxisTitleFont(), axes.getAxisTickLabelsFont()) : Arrays.asList(all);
    }

    /** Draws shapes that are words as words. */
    private static final class WithTexts extends VectorGraphics2D {
        private final TextOutlines outlines;

        WithTexts(TextOutlines outlines) {
            this.outlines = outlines;
        }

        @Override
        public void fill(Shape shape) {
            Optional<TextOutlines.Text> text = shape instanceof Path2D ? outlines.read(shape) : Optional.empty();
            if (text.isEmpty()) {
                super.fill(shape);
                return;
            }
            Font before = getFont();
            setFont(text.get().font());
            rotate(text.get().turn());
            drawString(text.get().text(), (float) text.get().x(), 0);
            rotate(-text.get().turn());
            setFont(before);
        }
    }
}
