package lab.recall.view;

import de.erichseifert.vectorgraphics2d.Document;
import de.erichseifert.vectorgraphics2d.Processors;
import de.erichseifert.vectorgraphics2d.VectorGraphics2D;
import de.erichseifert.vectorgraphics2d.util.PageSize;
import java.awt.Graphics2D;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.function.Consumer;

/** Pictures drawn by Java2D, as SVG. */
final class Svg {
    private Svg() {
    }

    static byte[] of(int width, int height, Consumer<Graphics2D> drawing) {
        VectorGraphics2D g = new VectorGraphics2D();
        drawing.accept(g);
        Document document = Processors.get("svg").getDocument(g.getCommands(), new PageSize(0, 0, width, height));
        try (ByteArrayOutputStream out = new ByteArrayOutputStream()) {
            document.writeTo(out);
            return out.toByteArray();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
