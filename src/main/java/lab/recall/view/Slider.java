package lab.recall.view;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import lab.recall.base.BadRequest;
import lab.recall.base.Check;
import lab.recall.base.Json;
import lab.recall.base.Said;
import tech.tablesaw.api.Table;

/**
 * Heat maps of the same rows and columns, one at a time, moved through by a slider, such as one for each layer.
 *
 * <pre>{@code
 * Slider.over("attention", "layer", maps)                    // a map for each layer, counted from 0
 * Slider.over("attention", "layer", maps).at(3)              // one of them, to be shown or saved by itself
 * Slider.over("attention", "layer", maps).table()            // all numbers
 * }</pre>
 *
 * The first map is sent as a picture, the others as numbers, of which a script paints their cells. Where scripts are left out, the first
 * picture and a table stay that says where each map has its largest number. The colours and their range are the first map's.
 */
public final class Slider {
    private static final String SCRIPT = Script.element("slider.js");

    private final String title;
    private final String what;
    private final List<HeatMap> maps;

    private Slider(String title, String what, List<HeatMap> maps) {
        this.title = title;
        this.what = what;
        this.maps = maps;
    }

    /**
     * A slider.
     *
     * @param title of all maps; their own are not shown
     * @param what  is moved through, such as layer
     * @throws BadRequest when there is no map, one of several side by side, or one with another number of rows or columns than the first
     */
    public static Slider over(String title, String what, List<HeatMap> maps) {
        if (maps.isEmpty()) {
            throw new BadRequest("", "a slider needs at least one heat map");
        }
        int rows = maps.get(0).values().length;
        int columns = maps.get(0).values()[0].length;
        for (int k = 0; k < maps.size(); k++) {
            HeatMap m = maps.get(k);
            if (m.panels().size() > 1) {
                throw new BadRequest("", what + " " + k + " of a slider is of several maps side by side, expected one");
            }
            if (m.values().length != rows || m.values()[0].length != columns) {
                throw new BadRequest("", what + " " + k + " of a slider has " + m.values().length + " rows and " + m.values()[0].length
                        + " columns, expected " + rows + " and " + columns + " as in the first");
            }
        }
        double[] ends = maps.get(0).ends(maps);
        return new Slider(title, what, maps.stream().map(m -> m.colours(maps.get(0).colours()).range(ends[0], ends[1])).toList());
    }

    /**
     * One of the maps, counted from 0.
     *
     * @throws BadRequest when there is none
     */
    public HeatMap at(int k) {
        return maps.get(Check.whole(what, k, 0, maps.size() - 1)).frame(title + ", " + what + " " + k);
    }

    /** All numbers, a row for each cell of each map. */
    public Table table() {
        List<List<Object>> rows = new ArrayList<>();
        for (int k = 0; k < maps.size(); k++) {
            double[][] v = maps.get(k).values();
            for (int r = 0; r < v.length; r++) {
                for (int c = 0; c < v[r].length; c++) {
                    rows.add(List.of(k, maps.get(k).row(r), maps.get(k).column(c), v[r][c]));
                }
            }
        }
        return Tables.of(title, List.of(what, "row", "column", "value"), rows);
    }

    /** Where each map has its largest number: what can be read without a script. */
    private Table largest() {
        List<List<Object>> rows = new ArrayList<>();
        for (int k = 0; k < maps.size(); k++) {
            HeatMap m = maps.get(k);
            int[] at = m.largest().orElse(null);
            rows.add(at == null ? List.of(k, "–", Double.NaN) : List.of(k, m.place(at[0], at[1]), m.values()[at[0]][at[1]]));
        }
        return Tables.of("", List.of(what, "where", "largest"), rows);
    }

    /** What stands still while the slider moves: the title, the names, the scale. */
    HeatMap picture() {
        return maps.get(0).frame(title);
    }

    String html(byte[] png) {
        HeatMapPicture at = picture().picture();
        HeatMapPicture.Panel p = at.panels().get(0);
        double[] ends = maps.get(0).ends(maps);
        Map<String, Object> frames = new LinkedHashMap<>();
        frames.put("title", Said.visible(title));
        frames.put("what", Said.visible(what));
        frames.put("from", ends[0]);
        frames.put("to", ends[1]);
        frames.put("stops", maps.get(0).colours().stops());
        frames.put("cell", List.of(p.left(), p.top(), p.cellWidth(), p.cellHeight()));
        frames.put("columns", p.map().values()[0].length);
        frames.put("values", maps.stream().map(Slider::numbers).toList());
        String named = Tables.escape(what);
        return "<div class=\"recall-slider\" data-frames=\"" + Tables.escape(Json.tree(frames).toString()) + "\"><div>" + named
                + " 0 of 0 to " + (maps.size() - 1) + "</div>" + picture().html(png) + "</div><details><summary>the largest number by "
                + named + "</summary>" + TableHtml.of(largest()) + "</details>" + SCRIPT;
    }

    /** As they are said when a cell is pointed at. */
    private static String numbers(HeatMap map) {
        return Arrays.stream(map.values()).flatMapToDouble(Arrays::stream).mapToObj(Tables::number).collect(Collectors.joining(" "));
    }

    String text() {
        return "[slider: " + Said.visible(title) + ", " + Said.visible(what) + " 0 to " + (maps.size() - 1) + "]";
    }
}
