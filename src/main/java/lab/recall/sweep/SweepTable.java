package lab.recall.sweep;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import lab.recall.base.BadData;
import lab.recall.base.BadRequest;
import lab.recall.base.InputFiles;
import lab.recall.stats.Estimate;
import tech.tablesaw.api.ColumnType;
import tech.tablesaw.api.Row;
import tech.tablesaw.api.Table;
import tech.tablesaw.io.csv.CsvReadOptions;

/**
 * The table of a sweep without grids, read back from its results.csv.
 *
 * <pre>{@code
 * SweepTable t = SweepTable.read(Path.of("target/sweep/results.csv"));
 * t.at("tiny-mamba", "where", "resid_post/subject_last/3")   // with its interval
 * t.byLayer("tiny-mamba", "where", "resid_post/subject_last") // the means of layers 0, 1, ..
 * }</pre>
 */
public final class SweepTable {
    private static final ColumnType[] TYPES = {ColumnType.STRING, ColumnType.STRING, ColumnType.STRING, ColumnType.STRING,
        ColumnType.DOUBLE, ColumnType.DOUBLE, ColumnType.DOUBLE, ColumnType.INTEGER};

    private final Map<String, Map<String, Map<String, Estimate>>> rows = new LinkedHashMap<>();

    private SweepTable() {
    }

    /**
     * Reads a file.
     *
     * @throws BadData when it is missing, no such table, or one with grids
     */
    public static SweepTable read(Path file) {
        String text = new String(InputFiles.bytes(file), StandardCharsets.UTF_8);
        if (!text.startsWith(SweepRow.COLUMNS)) {
            throw new BadData(file, "line 1", "expected the columns of a sweep's results.csv, " + SweepRow.COLUMNS.strip());
        }
        SweepTable all = new SweepTable();
        for (Row r : Table.read().usingOptions(CsvReadOptions.builderFromString(text).columnTypes(TYPES))) {
            if (!r.getString("setting").isEmpty()) {
                throw new BadData(file, "line " + (r.getRowNumber() + 2), "a setting, expected a sweep without grids");
            }
            all.rows.computeIfAbsent(r.getString("model"), m -> new LinkedHashMap<>())
                    .computeIfAbsent(r.getString("study"), s -> new LinkedHashMap<>())
                    .put(r.getString("place"), new Estimate(r.getDouble("mean"), r.getDouble("low"), r.getDouble("high"), r.getInt("n")));
        }
        return all;
    }

    /** Its models, as the sweep's file names them. */
    public List<String> models() {
        return List.copyOf(rows.keySet());
    }

    /**
     * All numbers of a study of a model, by place.
     *
     * @throws BadRequest when there are none
     */
    public Map<String, Estimate> of(String model, String study) {
        Map<String, Estimate> all = rows.getOrDefault(model, Map.of()).get(study);
        if (all == null) {
            throw new BadRequest("study", "'" + study + "' of " + model + " is not in the table");
        }
        return all;
    }

    /**
     * One number.
     *
     * @throws BadRequest when it is not there
     */
    public Estimate at(String model, String study, String place) {
        Estimate e = of(model, study).get(place);
        if (e == null) {
            throw new BadRequest("place", "'" + place + "' is not in the table of " + study + " of " + model);
        }
        return e;
    }

    /**
     * The means of layers 0, 1, ..
     *
     * @param place without the layer
     * @throws BadRequest when there is no layer
     */
    public double[] byLayer(String model, String study, String place) {
        Map<String, Estimate> all = of(model, study);
        List<Double> means = new ArrayList<>();
        for (Estimate e = all.get(place + "/0"); e != null; e = all.get(place + "/" + means.size())) {
            means.add(e.mean());
        }
        if (means.isEmpty()) {
            at(model, study, place + "/0");
        }
        return means.stream().mapToDouble(m -> m).toArray();
    }
}
