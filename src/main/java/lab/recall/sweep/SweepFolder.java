package lab.recall.sweep;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import lab.recall.base.AtomicFiles;
import lab.recall.base.BadRequest;
import lab.recall.base.Json;

/**
 * The folder of a sweep: {@code sweep.json} names its requests, {@code requests/NAME} holds each one's result and kept pieces, and when all
 * are answered {@code results.csv} and {@code results.parquet} hold the table.
 *
 * <p>A sweep that has grown goes on in its folder; another one is refused.
 */
public final class SweepFolder {
    private static final String PLAN = "sweep.json";

    private final Path folder;

    private SweepFolder(Path folder) {
        this.folder = folder;
    }

    /**
     * Takes a folder for a plan.
     *
     * @param fresh whether another sweep's may be taken
     * @throws BadRequest if it holds the work of a sweep that asks what this one does not
     */
    public static SweepFolder of(Path folder, List<SweepRequest> plan, boolean fresh) {
        if (Files.exists(folder) && !Files.isDirectory(folder)) {
            throw new BadRequest("--out", folder + " is a file, expected a folder");
        }
        Path file = folder.resolve(PLAN);
        Set<String> names = new TreeSet<>();
        plan.forEach(r -> names.add(r.folder()));
        if (!fresh && Files.exists(file)) {
            for (var name : Json.object(file).path("requests")) {
                if (!names.contains(name.asText())) {
                    throw new BadRequest("--out",
                            folder + " holds the work of another sweep; --fresh begins anew, another folder keeps it");
                }
            }
        } else if (!fresh && Files.exists(folder.resolve("store"))) {
            throw new BadRequest("--out", folder + " holds the work of a request; give another folder");
        }
        AtomicFiles.folder(folder);
        AtomicFiles.removeLeftOver(folder);
        AtomicFiles.write(file, Json.prettyLine(Map.of("requests", names)));
        return new SweepFolder(folder);
    }

    /** Where a request's result goes in a sweep's folder. */
    public static Path of(Path folder, SweepRequest request) {
        return folder.resolve("requests").resolve(request.folder());
    }

    /** Where a request's result goes. */
    public Path of(SweepRequest request) {
        return of(folder, request);
    }

    /** Writes the table: CSV, and Parquet last. */
    public void write(List<SweepRow> rows, SweepFormats formats) {
        AtomicFiles.write(folder.resolve("results.csv"), SweepRow.csv(rows));
        AtomicFiles.make(folder.resolve("results.parquet"), part -> formats.parquet(rows, part));
    }
}
