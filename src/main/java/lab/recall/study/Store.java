package lab.recall.study;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import lab.recall.base.AtomicFiles;
import lab.recall.base.Digest;
import lab.recall.base.Json;

/**
 * Finished pieces of work, a file each, found again by their content.
 *
 * <pre>{@code
 * Store store = Store.user();                                // RECALL_STORE, or the user's cache folder
 * store.write(key, grid);
 * Optional<double[][]> again = store.read(key, double[][].class);
 * }</pre>
 *
 * A key is a digest of everything that the piece depends on ({@link Runner}), so nothing that was computed from other content is ever given
 * back. A file holds two lines, a check sum and the value; one that was cut short or changed counts as not there. Numbers come back bit for
 * bit. Several processes may share a store.
 */
public final class Store {
    private static final String NONE = "none";
    /** Pieces, and parts of them on their way. */
    private static final Pattern OURS = Pattern.compile("[0-9a-f]{64}\\.json|\\.[0-9a-f]{64}\\.json\\.part-.*");
    private static final AtomicBoolean WARNED = new AtomicBoolean();

    private final Path root;
    /** Whether work goes on without it when it cannot be written to. */
    private final boolean mayFail;
    private boolean failed;

    private Store(Path root, boolean mayFail) {
        this.root = root;
        this.mayFail = mayFail;
    }

    /** In a folder, which is made when the first piece is kept. */
    public static Store at(Path folder) {
        return new Store(folder, false);
    }

    /** Keeps nothing. */
    public static Store none() {
        return new Store(null, true);
    }

    /** The user's: the folder that RECALL_STORE names ({@code none}: nothing is kept), else {@code recall-lab} in the cache folder. */
    public static Store user() {
        String said = System.getProperty("recall.store", System.getenv("RECALL_STORE"));
        if (said != null && !said.isBlank()) {
            return said.equals(NONE) ? none() : new Store(Path.of(said), true);
        }
        String cache = System.getenv("XDG_CACHE_HOME");
        Path home = Path.of(System.getProperty("user.home", ""));
        if (cache != null && !cache.isBlank()) {
            return new Store(Path.of(cache).resolve("recall-lab"), true);
        }
        return home.isAbsolute() && Files.isDirectory(home) ? new Store(home.resolve(".cache").resolve("recall-lab"), true) : none();
    }

    /** Its folder; none where nothing is kept. */
    public Optional<Path> folder() {
        return Optional.ofNullable(root);
    }

    boolean keeps() {
        return root != null && !failed;
    }

    private Path file(String key) {
        return root.resolve(key.substring(0, 2)).resolve(key + ".json");
    }

    /** What is kept under a key, if it is whole and of the class. */
    public <T> Optional<T> read(String key, Class<T> type) {
        if (!keeps()) {
            return Optional.empty();
        }
        try {
            byte[] bytes = Files.readAllBytes(file(key));
            int end = 0;
            while (end < bytes.length && bytes[end] != '\n') {
                end++;
            }
            byte[] value = Arrays.copyOfRange(bytes, Math.min(bytes.length, end + 1), bytes.length);
            String check = new String(bytes, 0, end, StandardCharsets.UTF_8);
            return check.equals(Digest.of(value)) ? Optional.ofNullable(Json.MAPPER.readValue(value, type)) : Optional.empty();
        } catch (IOException e) {
            return Optional.empty();                // not there, or not to be read: computed again
        }
    }

    /** Keeps a value under a key. */
    public void write(String key, Object value) {
        if (!keeps()) {
            return;
        }
        byte[] text = Json.compact(value);
        boolean interrupted = Thread.interrupted();         // the flag would close the file; what is done is kept first
        try {
            Path file = file(key);
            try {
                Files.createDirectories(file.getParent());
            } catch (IOException e) {
                throw new UncheckedIOException(file.getParent() + ": cannot be made (" + AtomicFiles.reason(e) + ")", e);
            }
            AtomicFiles.write(file, out -> {
                out.write((Digest.of(text) + '\n').getBytes(StandardCharsets.UTF_8));
                out.write(text);
            });
        } catch (UncheckedIOException e) {
            if (!mayFail) {
                throw e;
            }
            failed = true;
            if (WARNED.compareAndSet(false, true)) {
                System.err.println("warning: " + e.getMessage() + "; work goes on, and is not kept for other requests");
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Bytes of all that is kept. */
    public long size() {
        return files().mapToLong(f -> f.toFile().length()).sum();
    }

    /** Removes all that is kept. */
    public void clear() {
        files().toList().forEach(Store::delete);
    }

    private static void delete(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw new UncheckedIOException(file + ": cannot be removed (" + AtomicFiles.reason(e) + ")", e);
        }
    }

    /** Removes what killed processes left on their way to a piece; for one that works here alone. */
    void removeLeftOver() {
        files().filter(f -> !f.getFileName().toString().matches("[0-9a-f]{64}\\.json")).toList().forEach(Store::delete);
    }

    /** The files that are ours: in folders named by two digits. */
    private Stream<Path> files() {
        if (root == null || !Files.isDirectory(root)) {
            return Stream.empty();
        }
        try (Stream<Path> folders = Files.list(root)) {
            return folders.filter(f -> f.getFileName().toString().matches("[0-9a-f]{2}") && Files.isDirectory(f)).toList().stream()
                    .flatMap(Store::list).filter(f -> OURS.matcher(f.getFileName().toString()).matches());
        } catch (IOException e) {
            throw new UncheckedIOException(root + ": cannot be read (" + AtomicFiles.reason(e) + ")", e);
        }
    }

    private static Stream<Path> list(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            return files.toList().stream();
        } catch (IOException e) {
            throw new UncheckedIOException(folder + ": cannot be read (" + AtomicFiles.reason(e) + ")", e);
        }
    }
}
