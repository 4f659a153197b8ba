package lab.recall.study;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import lab.recall.base.AtomicFiles;
import lab.recall.base.BadData;
import lab.recall.base.BadRequest;
import lab.recall.base.Json;
import lab.recall.checkpoint.SafeTensors;
import lab.recall.checkpoint.Tensor;
import lab.recall.view.Export;

/**
 * The folder of one request: its result, and under {@code store} the finished pieces of its work.
 *
 * <pre>{@code
 * try (ResultFolder folder = ResultFolder.of(out, request, false)) {
 *     folder.write(..);
 * }
 * }</pre>
 *
 * One process at a time works in it, by the lock {@code store/writer.lock}. A folder that holds another request's work is refused before
 * anything in it is touched.
 */
final class ResultFolder implements AutoCloseable {
    private static final String RESULT = "result.json";
    private static final String REQUEST = "request.json";
    private static final String LOCK = "writer.lock";
    private static final String EARLIER = "journal.jsonl";
    /** In the store while one result takes another's place: the names of both's files. */
    private static final String CHANGING = "changing.json";
    private static final Set<Path> HELD = ConcurrentHashMap.newKeySet();
    private static final String STAGE = ".result.part-";

    private final Path folder;
    private final ObjectNode request;
    private final boolean made;
    private final Store store;
    private final FileChannel lock;
    private final Path held;
    private boolean written;

    private ResultFolder(Path folder, ObjectNode request, boolean made, FileChannel lock, Path held) {
        this.held = held;
        this.folder = folder;
        this.request = request;
        this.made = made;
        this.store = Store.at(folder.resolve("store"));
        this.lock = lock;
    }

    /**
     * Takes a folder for a request.
     *
     * @param request as it was asked, without threads
     * @param fresh   whether work and result of another request, or of an earlier form, may be replaced
     * @throws BadRequest if the folder holds other work, or another process works in it
     */
    static ResultFolder of(Path folder, ObjectNode request, boolean fresh) {
        if (Files.exists(folder) && !Files.isDirectory(folder)) {
            throw new BadRequest("out", folder + " is a file, expected a folder");
        }
        if (!fresh) {
            requireOwn(folder, request);
        }
        boolean made = !Files.exists(folder);
        Path store = folder.resolve("store");
        try {
            Files.createDirectories(store);
        } catch (IOException e) {
            throw new BadRequest("out", folder + " cannot be made (" + AtomicFiles.reason(e) + ")", e);
        }
        ResultFolder taken;
        try {
            taken = new ResultFolder(folder, request, made, lock(folder, store), store.toRealPath().resolve(LOCK));
        } catch (IOException e) {
            throw new UncheckedIOException(folder + ": cannot be written (" + AtomicFiles.reason(e) + ")", e);
        }
        try {
            if (!fresh) {
                requireOwn(folder, request);                // another process may have worked here until just now
            }
            AtomicFiles.removeLeftOver(folder);
            AtomicFiles.removeLeftOver(store);
            taken.store.removeLeftOver();
            removeStages(folder);
            taken.endChange();
            if (fresh) {
                taken.store.clear();
                Files.deleteIfExists(folder.resolve(EARLIER));
            }
            AtomicFiles.write(store.resolve(REQUEST), Json.pretty(request));
            return taken;
        } catch (IOException e) {
            taken.close();
            throw new UncheckedIOException(folder + ": cannot be written (" + AtomicFiles.reason(e) + ")", e);
        } catch (RuntimeException e) {
            taken.close();
            throw e;
        }
    }

    private static void requireOwn(Path folder, ObjectNode request) {
        if (Files.exists(folder.resolve(EARLIER))) {
            throw new BadRequest("out", folder + " holds a " + EARLIER
                    + " of an earlier form of this program; --fresh begins anew, another folder keeps it");
        }
        Path work = folder.resolve("store").resolve(REQUEST);
        requireSame(folder, work, request, "", "work");
        if (!Files.exists(work)) {              // else the result may be an earlier one, which this work is to replace
            requireSame(folder, folder.resolve(RESULT), request, "request", "result");
        }
    }

    private static void requireSame(Path folder, Path file, ObjectNode request, String field, String what) {
        if (!Files.exists(file)) {
            return;
        }
        JsonNode there;
        try {
            there = Json.object(file);
        } catch (BadData e) {
            throw new BadRequest("out", "the " + file.getFileName() + " in " + folder + " cannot be read ("
                    + e.reason() + "); --fresh replaces it", e);
        }
        there = field.isEmpty() ? there : there.path(field);
        if (!there.equals(request)) {
            throw new BadRequest("out", folder + " holds the " + what
                    + " of another request; --fresh begins anew, another folder keeps it");
        }
    }

    /** A process's lock ends when it closes any channel of the file: so whether this one has it is asked before one is opened. */
    private static FileChannel lock(Path folder, Path store) throws IOException {
        Path file = store.toRealPath().resolve(LOCK);
        if (!HELD.add(file)) {
            throw inUse(folder);
        }
        FileChannel channel = null;
        try {
            channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            if (channel.tryLock() != null && Files.exists(file)) {
                return channel;
            }
        } catch (OverlappingFileLockException e) {          // a thread of this process that came by another path
            HELD.remove(file);
            throw inUse(folder);
        } catch (IOException e) {
            HELD.remove(file);
            throw e;
        }
        channel.close();
        HELD.remove(file);
        throw inUse(folder);
    }

    private static BadRequest inUse(Path folder) {
        return new BadRequest("out", "another process works in " + folder + "; wait for it, or give another folder");
    }

    /** The finished pieces. */
    Store store() {
        return store;
    }

    /** Whether a folder holds the answer to this very request. */
    static boolean answers(ObjectNode request, Path folder) {
        try {
            return Files.exists(folder.resolve(RESULT)) && Json.object(folder.resolve(RESULT)).path("request").equals(request);
        } catch (BadData e) {
            return false;
        }
    }

    /** Whether the result in a folder was found on the model of this digest. */
    static boolean isOf(String model, Path folder) {
        return Json.object(folder.resolve(RESULT)).path("model_digest").asText().equals(model);
    }

    /** Writes the result: all of it beside its place first, result.json moved last; then the files of an earlier one are removed. */
    void write(String experiment, ModelCard model, JsonNode settings, double seconds, Result result) {
        ObjectNode json = Json.MAPPER.createObjectNode();
        json.put("experiment", experiment);
        json.set("request", request);
        json.set("settings", settings);
        json.put("model_digest", model.digest());
        json.set("model_facts", Json.tree(model.facts()));
        json.put("seconds", seconds);
        result.scalars().forEach((k, v) -> json.set(k, Json.tree(v)));
        Map<String, byte[]> shown = new LinkedHashMap<>();
        Overlay.views(result).forEach(v -> shown.putAll(Export.files(v.name(), v.view())));
        List<String> files = new ArrayList<>(shown.keySet());
        files.addAll(result.arrays().isEmpty() ? List.of() : List.of("result.safetensors"));
        json.set("files", Json.tree(files));
        Path stage = folder.resolve(STAGE + ProcessHandle.current().pid());
        try {
            Files.createDirectories(stage);
            if (!result.arrays().isEmpty()) {
                SafeTensors.write(stage.resolve("result.safetensors"),
                        result.arrays().stream().map(a -> Tensor.of(a.name(), a.values(), a.shape())).toList(), Map.of());
            }
            for (Map.Entry<String, byte[]> file : shown.entrySet()) {
                Files.write(stage.resolve(file.getKey()), file.getValue());
            }
            Files.write(stage.resolve(RESULT), Json.pretty(json));
            Files.createDirectories(changing().getParent());
            Set<String> both = new TreeSet<>(files);
            both.addAll(files(folder.resolve(RESULT)));
            AtomicFiles.write(changing(), Json.pretty(Map.of("files", both)));
            for (String file : files) {
                move(stage, file);
            }
            move(stage, RESULT);
            written = true;
        } catch (IOException e) {
            throw new UncheckedIOException(folder + ": the result cannot be written (" + AtomicFiles.reason(e) + ")", e);
        } finally {
            removeStages(folder);
            endChange();
        }
    }

    private Path changing() {
        return folder.resolve("store").resolve(CHANGING);
    }

    /** Removes the files that are not of the result that is there, of those of a change that has ended, well or not, or was killed. */
    private void endChange() {
        if (!Files.exists(changing())) {
            return;
        }
        List<String> stay = files(folder.resolve(RESULT));
        try {
            for (String file : files(changing())) {
                if (!stay.contains(file) && Files.isRegularFile(folder.resolve(file))) {
                    Files.delete(folder.resolve(file));
                }
            }
            Files.delete(changing());
        } catch (IOException e) {
            throw new UncheckedIOException(folder + ": cannot be written (" + AtomicFiles.reason(e) + ")", e);
        }
    }

    private void move(Path stage, String file) throws IOException {
        Files.move(stage.resolve(file), folder.resolve(file), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    /** The names that stand under {@code files} in a file of JSON; none where it cannot be read. */
    private static List<String> files(Path json) {
        List<String> names = new ArrayList<>();
        if (Files.exists(json)) {
            try {
                for (JsonNode file : Json.object(json).path("files")) {
                    String name = file.asText();
                    if (file.isTextual() && name.matches("[\\w-][\\w.-]*") && !name.equals(RESULT)) {
                        names.add(name);
                    }
                }
            } catch (BadData e) {
                return List.of();
            }
        }
        return names;
    }

    private static void removeStages(Path folder) {
        try (Stream<Path> all = Files.list(folder)) {
            for (Path stage : all.filter(f -> f.getFileName().toString().startsWith(STAGE)).toList()) {
                remove(stage);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(folder + ": cannot be read (" + AtomicFiles.reason(e) + ")", e);
        }
    }

    private static void remove(Path tree) throws IOException {
        try (Stream<Path> all = Files.walk(tree)) {
            for (Path file : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        }
    }

    /** Lets the folder go; where nothing was kept and nothing found, it is as before. */
    @Override
    public void close() {
        try (lock) {                                        // until it is tidy, nobody else may begin here
            if (!written && store.size() == 0) {
                remove(folder.resolve("store"));
                if (made) {
                    Files.deleteIfExists(folder);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(folder + ": cannot be written (" + AtomicFiles.reason(e) + ")", e);
        } finally {
            HELD.remove(held);
        }
    }
}
