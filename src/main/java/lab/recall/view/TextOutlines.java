package lab.recall.view;

import java.awt.Font;
import java.awt.Shape;
import java.awt.font.FontRenderContext;
import java.awt.font.TextLayout;
import java.awt.geom.AffineTransform;
import java.awt.geom.PathIterator;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Reads texts back from their outlines: XChart draws all of its words as shapes, which in an SVG can be neither searched nor read out, and
 * take many times the room.
 *
 * <pre>{@code
 * new TextOutlines(List.of(titleFont, tickFont)).read(shape) // the text, its font, how it is turned; empty for any other shape
 * }</pre>
 *
 * A shape is a text if letter after letter of one font, each where the last one's width puts it, gives every point of it.
 */
final class TextOutlines {
    private static final FontRenderContext PLAIN = new FontRenderContext(null, true, false);
    private static final double[] TURNS = {0, -Math.PI / 2, Math.toRadians(-60), Math.toRadians(60)};
    /** Pixels. */
    private static final double SAME = 0.05;
    private static final String OTHERS = "−–—′″→←×·…≥≤≠²³₀βδλσΔ";

    /**
     * A text that was drawn as a shape.
     *
     * @param turn about the origin, in radians
     * @param x    where it begins on its base line, which goes through the origin
     */
    record Text(String text, Font font, double turn, double x) {
    }

    /** A letter's segments: kinds, and all coordinates from its own origin. */
    private record Glyph(char letter, int[] kinds, double[] points, double advance) {
    }

    private record Alphabet(Font font, List<Glyph> glyphs, double blank) {
    }

    private final List<Alphabet> alphabets;

    TextOutlines(Collection<Font> fonts) {
        alphabets = new LinkedHashSet<>(fonts).stream().map(TextOutlines::alphabet).toList();
    }

    private static Alphabet alphabet(Font font) {
        String letters = IntStream.rangeClosed('!', '~').mapToObj(c -> String.valueOf((char) c)).reduce("", String::concat) + OTHERS;
        List<Glyph> glyphs = new ArrayList<>();
        for (char c : letters.toCharArray()) {
            TextLayout layout = new TextLayout(String.valueOf(c), font, PLAIN);
            glyphs.add(glyph(c, layout.getOutline(null), layout.getAdvance()));
        }
        // a letter that begins as another does, such as i and the dotless one, is tried first
        glyphs.sort((a, b) -> Integer.compare(b.kinds.length, a.kinds.length));
        return new Alphabet(font, glyphs, new TextLayout(" ", font, PLAIN).getAdvance());
    }

    private static Glyph glyph(char letter, Shape outline, double advance) {
        List<Integer> kinds = new ArrayList<>();
        List<Double> points = new ArrayList<>();
        double[] six = new double[6];
        for (PathIterator it = outline.getPathIterator(null); !it.isDone(); it.next()) {
            int kind = it.currentSegment(six);
            kinds.add(kind);
            for (int i = 0; i < count(kind); i++) {
                points.add(six[i]);
            }
        }
        return new Glyph(letter, kinds.stream().mapToInt(k -> k).toArray(), points.stream().mapToDouble(p -> p).toArray(), advance);
    }

    private static int count(int kind) {
        return switch (kind) {
            case PathIterator.SEG_CUBICTO -> 6;
            case PathIterator.SEG_QUADTO -> 4;
            case PathIterator.SEG_CLOSE -> 0;
            default -> 2;
        };
    }

    Optional<Text> read(Shape shape) {
        for (double turn : TURNS) {
            Glyph all = glyph(' ', AffineTransform.getRotateInstance(-turn).createTransformedShape(shape), 0);
            for (Alphabet a : alphabets) {
                Optional<Text> text = read(all, a, turn);
                if (text.isPresent()) {
                    return text;
                }
            }
        }
        return Optional.empty();
    }

    private static Optional<Text> read(Glyph all, Alphabet a, double turn) {
        StringBuilder text = new StringBuilder();
        double begin = 0;
        double pen = 0;
        int kind = 0;
        int point = 0;
        while (kind < all.kinds.length) {
            Glyph found = null;
            double at = 0;
            for (Glyph g : a.glyphs) {
                double x = g.points.length == 0 ? 0 : all.points[point] - g.points[0];
                if (matches(all, kind, point, g, x) && (text.isEmpty() || x > pen - a.blank)) {
                    found = g;
                    at = x;
                    break;
                }
            }
            if (found == null) {
                return Optional.empty();
            }
            int blanks = text.isEmpty() ? 0 : (int) Math.round((at - pen) / a.blank);
            text.append(" ".repeat(Math.max(0, blanks))).append(found.letter);
            begin = text.length() == 1 ? at : begin;
            pen = at + found.advance;
            kind += found.kinds.length;
            point += found.points.length;
        }
        return text.isEmpty() ? Optional.empty() : Optional.of(new Text(text.toString(), a.font, turn, begin));
    }

    private static boolean matches(Glyph all, int kind, int point, Glyph g, double x) {
        if (g.kinds.length == 0 || kind + g.kinds.length > all.kinds.length || point + g.points.length > all.points.length) {
            return false;
        }
        for (int i = 0; i < g.kinds.length; i++) {
            if (all.kinds[kind + i] != g.kinds[i]) {
                return false;
            }
        }
        for (int i = 0; i < g.points.length; i++) {
            if (Math.abs(all.points[point + i] - g.points[i] - (i % 2 == 0 ? x : 0)) > SAME) {
                return false;
            }
        }
        return true;
    }
}
