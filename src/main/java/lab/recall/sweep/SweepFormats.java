package lab.recall.sweep;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.List;
import java.util.ServiceLoader;
import lab.recall.base.BadRequest;
import lab.recall.base.InputFiles;
import lab.recall.base.Json;

/**
 * The formats that need more than the product's class path; found by {@link ServiceLoader}.
 *
 * <pre>{@code
 * SweepFormats formats = SweepFormats.find();
 * Sweep sweep = Sweep.read(formats.read(Path.of("sweep.yaml")));
 * formats.parquet(rows, Path.of("results.parquet"));
 * }</pre>
 */
public interface SweepFormats {
    /**
     * The object in a text of YAML.
     *
     * @param where it stands, for messages
     * @throws lab.recall.base.BadData when it is none
     */
    ObjectNode yaml(byte[] text, String where);

    /** Writes a table: the same bytes for the same rows. */
    void parquet(List<SweepRow> rows, Path file);

    /** The object in a file of JSON or YAML, by its name. */
    default ObjectNode read(Path file) {
        String name = file.getFileName() == null ? "" : file.getFileName().toString();
        if (name.endsWith(".json")) {
            return Json.object(file);
        }
        if (name.endsWith(".yaml") || name.endsWith(".yml")) {
            return yaml(InputFiles.bytes(file), file.toString());
        }
        throw new BadRequest("SWEEP", file + ", expected a name that ends with .yaml, .yml or .json");
    }

    /** Those on this class path. */
    static SweepFormats find() {
        return ServiceLoader.load(SweepFormats.class, SweepFormats.class.getClassLoader()).findFirst().orElseThrow(() ->
                new BadRequest("sweep", "needs the class path of Spark; environment/recall sweep has it"));
    }
}
