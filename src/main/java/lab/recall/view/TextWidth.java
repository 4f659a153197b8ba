package lab.recall.view;

import java.awt.Font;
import java.awt.font.FontRenderContext;

/** How wide texts are, where nothing is drawn yet. */
final class TextWidth {
    private static final FontRenderContext PLAIN = new FontRenderContext(null, true, false);

    private TextWidth() {
    }

    /** In pixels, rounded up. */
    static int of(Font font, String text) {
        return (int) Math.ceil(font.getStringBounds(text, PLAIN).getWidth());
    }
}
