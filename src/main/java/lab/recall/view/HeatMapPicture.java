package lab.recall.view;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.FontMetrics;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** Where everything of a heat map stands, and how it is drawn. */
final class HeatMapPicture {
    private static final Font PLAIN = new Font(Font.SANS_SERIF, Font.PLAIN, 13);
    private static final Font BOLD = PLAIN.deriveFont(Font.BOLD, 14f);
    private static final Font SMALL = PLAIN.deriveFont(11f);
    private static final Color FRAME = new Color(0x999999);
    private static final Color EMPTY = new Color(0xeeeeee);
    private static final int TITLE_LINE = 18;
    private static final int GAP = 14;
    private static final int STRIP = 14;
    /** Between rows and those that stand apart. */
    private static final int APART = 8;
    private static final int LEAST_HEIGHT = 110;
    /** Cells that hold a number in small letters. */
    private static final int NUMBER_WIDTH = 32;
    private static final int NUMBER_HEIGHT = 18;
    private static final int MOST_NUMBERS = 200;

    private final HeatMap map;
    private final List<Panel> panels = new ArrayList<>();
    private final List<HeatMap.Colours> scales;
    private final int width;
    private final int height;
    private final int top;
    private final int tallest;
    private final int bar;

    /**
     * One of the maps.
     *
     * @param outer     left end of its names
     * @param left      of its cells
     * @param isUpright whether the columns' names stand upright
     */
    record Panel(HeatMap map, int outer, int left, int top, int cellWidth, int cellHeight, List<String> title, boolean isUpright) {
        int x(int column) {
            return left + column * cellWidth;
        }

        int y(int row) {
            return top + row * cellHeight + (row >= map.together() ? APART : 0);
        }

        private int wide() {
            return cellWidth * map.values()[0].length;
        }

        private int tall() {
            return y(map.values().length) - top;
        }
    }

    HeatMapPicture(HeatMap map) {
        this.map = map;
        this.scales = map.panels().stream().map(HeatMap::colours).distinct().toList();
        Graphics2D g = new BufferedImage(1, 1, BufferedImage.TYPE_INT_RGB).createGraphics();
        FontMetrics plain = g.getFontMetrics(PLAIN);
        FontMetrics bold = g.getFontMetrics(BOLD);
        List<List<String>> titles = map.panels().stream()
                .map(m -> lines(bold, m.ownTitle(), names(plain, m) + cellWidth(m) * m.values()[0].length)).toList();
        top = 16 + TITLE_LINE * titles.stream().mapToInt(List::size).max().orElseThrow();
        int x = GAP;
        int most = 0;
        int below = 0;
        for (int i = 0; i < titles.size(); i++) {
            HeatMap m = map.panels().get(i);
            int names = names(plain, m);
            boolean isUpright = isUpright(plain, m);
            Panel p = new Panel(m, x, x + names, top, cellWidth(m), Math.max(3, Math.min(24, 560 / m.values().length)), titles.get(i),
                    isUpright);
            panels.add(p);
            x += names + p.wide() + GAP + 6;
            most = Math.max(most, p.tall());
            below = Math.max(below, (isUpright ? widest(plain, m.columnNames()) + 8 : 20) + (m.columnAxis().isEmpty() ? 0 : 20) + 6);
        }
        tallest = Math.max(most, LEAST_HEIGHT);
        bar = x + 4;
        int ticks = Arrays.stream(ticks()).mapToInt(plain::stringWidth).max().orElseThrow();
        width = bar + STRIP * scales.size() + 6 + ticks + (map.measure().isEmpty() ? 6 : 24);
        height = Math.max(top + tallest + below, top + (map.measure().isEmpty() ? 0 : plain.stringWidth(map.measure())) + 10);
        g.dispose();
    }

    int width() {
        return width;
    }

    List<Panel> panels() {
        return panels;
    }

    private int cellWidth(HeatMap m) {
        return Math.max(4, Math.min(46, (map.panels().size() == 1 ? 620 : 340) / m.values()[0].length));
    }

    private static int widest(FontMetrics font, List<String> names) {
        return names.stream().mapToInt(font::stringWidth).max().orElse(0);
    }

    /** What the rows' names and their axis take. */
    private static int names(FontMetrics font, HeatMap m) {
        return (m.rowNames().isEmpty() ? 0 : widest(font, m.rowNames()) + 8) + (m.rowAxis().isEmpty() ? 0 : 20);
    }

    /** Where two names or more are wider than their columns, and a line of text is not, all stand upright. */
    private boolean isUpright(FontMetrics font, HeatMap m) {
        int cell = cellWidth(m);
        return cell >= font.getAscent() && m.columnNames().stream().filter(n -> font.stringWidth(n) > cell - 2).count() >= 2;
    }

    /** A title's words in as many lines as its map's width asks for. */
    private static List<String> lines(FontMetrics font, String title, int room) {
        List<String> lines = new ArrayList<>();
        String line = "";
        for (String word : title.split(" ", -1)) {
            String longer = line.isEmpty() ? word : line + " " + word;
            if (!line.isEmpty() && font.stringWidth(longer) > room) {
                lines.add(line);
                longer = word;
            }
            line = longer;
        }
        lines.add(line);
        return lines;
    }

    byte[] png() {
        return Png.of(width, height, this::draw);
    }

    byte[] svg() {
        return Svg.of(width, height, this::draw);
    }

    private void draw(Graphics2D g) {
        g.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
        g.setRenderingHint(RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
        g.setColor(Color.WHITE);
        g.fillRect(0, 0, width, height);
        double[] ends = map.ends();
        for (Panel p : panels) {
            cells(g, p, ends[0], ends[1]);
            texts(g, p);
        }
        bar(g);
    }

    private void cells(Graphics2D g, Panel p, double from, double to) {
        double[][] values = p.map.values();
        boolean hasNumbers = p.map.hasNumbers() && p.cellWidth >= NUMBER_WIDTH && p.cellHeight >= NUMBER_HEIGHT
                && values.length * values[0].length <= MOST_NUMBERS;
        boolean isWhole = Arrays.stream(values).flatMapToDouble(Arrays::stream).allMatch(v -> Double.isNaN(v) || v == Math.rint(v));
        g.setFont(SMALL);
        for (int r = 0; r < values.length; r++) {
            for (int c = 0; c < values[r].length; c++) {
                double v = values[r][c];
                Color colour = Double.isNaN(v) ? EMPTY : p.map.colours().at(to > from ? (v - from) / (to - from) : 0.5);
                g.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_OFF);
                g.setColor(colour);
                g.fillRect(p.x(c), p.y(r), p.cellWidth, p.cellHeight);
                if (Double.isNaN(v)) {
                    g.setColor(new Color(0xbbbbbb));
                    g.drawLine(p.x(c), p.y(r) + p.cellHeight, p.x(c) + p.cellWidth, p.y(r));
                } else if (hasNumbers) {
                    g.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
                    g.setColor(HeatMap.Colours.ink(colour));
                    centred(g, number(v, isWhole), p.x(c) + p.cellWidth / 2, p.y(r) + p.cellHeight / 2 + 4);
                }
            }
        }
        g.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
        g.setColor(FRAME);
        g.setStroke(new BasicStroke(1f));
        int together = p.map.together();
        g.drawRect(p.left, p.top, p.wide(), p.cellHeight * together);
        if (together < values.length) {
            g.drawRect(p.left, p.y(together), p.wide(), p.cellHeight * (values.length - together));
        }
    }

    private static String number(double v, boolean isWhole) {
        return isWhole || Double.isInfinite(v) ? Tables.number(v) : String.format(Locale.ROOT, "%.2f", v).replace("-0.00", "0.00");
    }

    private static void centred(Graphics2D g, String text, int x, int y) {
        g.drawString(text, x - g.getFontMetrics().stringWidth(text) / 2, y);
    }

    /** A text that reads upwards, its middle at a point of its left edge. */
    private static void upwards(Graphics2D g, String text, int x, double end) {
        Graphics2D turned = (Graphics2D) g.create();
        turned.rotate(-Math.PI / 2, x, end);
        turned.drawString(text, x, (int) Math.round(end));
        turned.dispose();
    }

    private static void texts(Graphics2D g, Panel p) {
        HeatMap m = p.map;
        g.setColor(Charts.INK);
        g.setFont(BOLD);
        boolean fits = p.title.size() == 1 && g.getFontMetrics().stringWidth(p.title.get(0)) <= p.wide();
        for (int i = 0; i < p.title.size(); i++) {
            g.drawString(p.title.get(i), fits ? p.left : p.outer, p.top - 12 - TITLE_LINE * (p.title.size() - 1 - i));
        }
        g.setFont(PLAIN);
        FontMetrics font = g.getFontMetrics();
        int every = Math.max(1, (font.getAscent() + 2 + p.cellHeight - 1) / p.cellHeight);
        for (int r = 0; r < m.rowNames().size(); r += every) {
            String name = m.rowNames().get(r);
            g.drawString(name, p.left - 6 - font.stringWidth(name), p.y(r) + (p.cellHeight + font.getAscent()) / 2 - 2);
        }
        int below = p.top + p.tall();
        int columns = m.values()[0].length;
        int step = p.isUpright ? 1 : step(columns, p.cellWidth, m.columnNames().isEmpty() ? 22 : 40);
        for (int c = 0; c < columns; c += step) {
            String name = m.columnNames().isEmpty() ? String.valueOf(c) : m.columnNames().get(c);
            int middle = p.x(c) + p.cellWidth / 2;
            if (p.isUpright) {
                upwards(g, name, middle + font.getAscent() / 2 - 1, below + 6.0 + font.stringWidth(name));
            } else {
                centred(g, name, middle, below + 17);
            }
        }
        int axis = below + (p.isUpright ? widest(font, m.columnNames()) + 24 : 37);
        centred(g, m.columnAxis(), p.left + p.wide() / 2, axis);
        if (!m.rowAxis().isEmpty()) {
            upwards(g, m.rowAxis(), p.outer + 12, p.top + (p.tall() + font.stringWidth(m.rowAxis())) / 2.0);
        }
    }

    private static int step(int count, int cell, int room) {
        for (int step : new int[] {1, 2, 5, 10, 20, 50, 100}) {
            if (step * cell >= room || step >= count) {
                return step;
            }
        }
        return 100;
    }

    private String[] ticks() {
        double[] ends = map.ends();
        double span = Math.abs(ends[1] - ends[0]);
        String format = span < 0.01 ? "%.4f" : span < 0.1 ? "%.3f" : "%.2f";
        String[] ticks = new String[5];
        for (int i = 0; i < ticks.length; i++) {
            ticks[i] = String.format(Locale.ROOT, format, ends[0] + (ends[1] - ends[0]) * i / 4);
        }
        return ticks;
    }

    /** A strip for each scale of colours; all have the same numbers. */
    private void bar(Graphics2D g) {
        for (int s = 0; s < scales.size(); s++) {
            int left = bar + s * STRIP;
            for (int y = 0; y < tallest; y++) {
                g.setColor(scales.get(s).at(1 - y / (tallest - 1.0)));
                g.fillRect(left, top + y, STRIP, 1);
            }
            g.setColor(FRAME);
            g.drawRect(left, top, STRIP, tallest);
        }
        g.setColor(Charts.INK);
        g.setFont(PLAIN.deriveFont(12f));
        String[] ticks = ticks();
        int right = bar + STRIP * scales.size() + 5;
        for (int i = 0; i < ticks.length; i++) {
            g.drawString(ticks[i], right, top + tallest - Math.round(tallest * i / 4f) + 4);
        }
        if (!map.measure().isEmpty()) {
            int room = g.getFontMetrics().stringWidth(map.measure());
            upwards(g, map.measure(), width - 8, top + Math.max(room, (tallest + room) / 2.0));
        }
    }
}
