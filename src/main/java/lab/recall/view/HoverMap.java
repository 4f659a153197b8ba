package lab.recall.view;

import java.util.Base64;

/** A heat map as HTML: the PNG, and over each cell an area of an image map whose title is the cell's text. */
final class HoverMap {
    /** More cells than anybody points at, and a page grows by a hundred bytes for each. */
    private static final int MOST_CELLS = 3_000;

    private HoverMap() {
    }

    static String html(HeatMapPicture at, byte[] picture) {
        String png = Base64.getEncoder().encodeToString(picture);
        StringBuilder b = new StringBuilder("<img width=\"" + at.width() + "\" alt=\"" + Tables.escape(alternative(at)) + "\"");
        int cells = at.panels().stream().mapToInt(p -> p.map().values().length * p.map().values()[0].length).sum();
        if (cells > MOST_CELLS) {
            return b.append(" src=\"data:image/png;base64,").append(png).append("\">").toString();
        }
        // the same picture has the same name: nothing in a notebook changes when it is run again
        String name = "map-" + Integer.toHexString(png.hashCode());
        b.append(" usemap=\"#").append(name).append("\" style=\"max-width:none\" src=\"data:image/png;base64,").append(png)
                .append("\"><map name=\"").append(name).append("\">");
        for (HeatMapPicture.Panel p : at.panels()) {
            for (int r = 0; r < p.map().values().length; r++) {
                for (int c = 0; c < p.map().values()[r].length; c++) {
                    int x = p.x(c);
                    int y = p.y(r);
                    b.append("<area shape=\"rect\" coords=\"").append(x).append(',').append(y).append(',')
                            .append(x + p.cellWidth()).append(',').append(y + p.cellHeight())
                            .append("\" title=\"").append(Tables.escape(p.map().said(r, c))).append("\">");
                }
            }
        }
        return b.append("</map>").toString();
    }

    /** For who cannot see it: what it shows, and where its largest value is. */
    private static String alternative(HeatMapPicture at) {
        StringBuilder b = new StringBuilder("Heat map");
        for (HeatMapPicture.Panel p : at.panels()) {
            double[][] v = p.map().values();
            b.append(at.panels().size() == 1 ? ": " : "; ").append(p.map().ownTitle()).append(", ").append(v.length).append(" rows, ")
                    .append(v[0].length).append(" columns");
            p.map().largest().ifPresent(i -> b.append("; largest: ").append(p.map().said(i[0], i[1])));
        }
        return b.toString();
    }
}
