package lab.recall.sweep;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import lab.recall.base.Digest;
import lab.recall.base.Json;

/**
 * One request of a sweep.
 *
 * @param model   as the file names it
 * @param study   its name in the file
 * @param setting the fields that the grid gives it, in words; empty where there is no grid
 * @param request the whole of it
 */
public record SweepRequest(String model, String study, String setting, ObjectNode request) {
    private static final int LETTERS = 12;

    SweepRequest of(String name) {
        return new SweepRequest(name, study, setting, request.deepCopy().put("model", name));
    }

    /** The folder of its result: the same for the same request, wherever it stands in a sweep. */
    public String folder() {
        Path last = Path.of(model).toAbsolutePath().normalize().getFileName();
        String name = last == null ? "" : last.toString().replaceAll("[^A-Za-z0-9._-]", "_");
        return name + "-" + study + "-" + new Digest().add(Json.compact(request)).hex().substring(0, LETTERS);
    }

    /** Model, study and setting, as a line of what is done. */
    @Override
    public String toString() {
        return model + ", " + study + (setting.isEmpty() ? "" : ", " + setting);
    }
}
