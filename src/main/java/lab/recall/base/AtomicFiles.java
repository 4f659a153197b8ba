package lab.recall.base;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;

/**
 * Writes files beside their place first and moves them there, so that none is ever half there.
 *
 * <pre>{@code
 * AtomicFiles.write(file, bytes);
 * AtomicFiles.write(file, out -> mapper.writeValue(out, value));
 * }</pre>
 *
 * A full disk, a folder that may not be written to and the like are the machine's failures: {@link UncheckedIOException} that names the
 * file.
 */
public final class AtomicFiles {
    private static final String PART = ".part-";
    private static final AtomicLong COUNT = new AtomicLong();

    /** Writes a file's content. */
    public interface Content {
        /** To a stream that the caller closes. */
        void to(OutputStream out) throws IOException;
    }

    /** Makes a whole file at a path that is free. */
    public interface Maker {
        /** Makes it. */
        void at(Path part) throws IOException;
    }

    private AtomicFiles() {
    }

    /**
     * Makes a folder and those above it, where they are not there.
     *
     * @throws UncheckedIOException when it cannot be made
     */
    public static void folder(Path folder) {
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw new UncheckedIOException(folder + ": cannot be written (" + reason(e) + ")", e);
        }
    }

    /**
     * Writes a file, in the place of one that is there.
     *
     * @throws UncheckedIOException when it cannot be written
     */
    public static void write(Path file, byte[] bytes) {
        write(file, out -> out.write(bytes));
    }

    /**
     * Writes a file as a stream, in the place of one that is there.
     *
     * @throws UncheckedIOException when it cannot be written
     */
    public static void write(Path file, Content content) {
        make(file, part -> {
            try (OutputStream out = Files.newOutputStream(part)) {
                content.to(out);
            }
        });
    }

    /**
     * Refuses what no file takes the place of: a folder, a device, a pipe.
     *
     * @throws BadData when that is there
     */
    public static void requireReplaceable(Path file) {
        if (Files.exists(file) && !Files.isRegularFile(file)) {
            throw new BadData(file, "is " + (Files.isDirectory(file) ? "a folder" : "no plain file") + ", expected the name of a file");
        }
    }

    /**
     * Has a file made beside its place, and moves it there; what killed processes left on their way to it is removed.
     *
     * @throws UncheckedIOException when it cannot be written
     * @throws BadData when {@link #requireReplaceable} refuses it
     */
    public static void make(Path file, Maker maker) {
        requireReplaceable(file);
        String name = "." + file.getFileName() + PART;
        // a number beside the process's own: two threads may write one file
        Path part = file.resolveSibling(name + ProcessHandle.current().pid() + '.' + COUNT.incrementAndGet());
        try {
            removeLeftOver(file.toAbsolutePath().getParent(), name);
            try {
                maker.at(part);
                Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            } finally {
                Files.deleteIfExists(part);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(file + ": cannot be written (" + reason(e) + ")", e);
        } catch (UncheckedIOException e) {
            throw new UncheckedIOException(file + ": cannot be written (" + reason(e.getCause()) + ")", e.getCause());
        }
    }

    /**
     * Removes what killed processes left in a folder on their way to a file.
     *
     * @throws UncheckedIOException when the folder cannot be read or written
     */
    public static void removeLeftOver(Path folder) {
        try {
            removeLeftOver(folder, ".");
        } catch (IOException e) {
            throw new UncheckedIOException(folder + ": cannot be read (" + reason(e) + ")", e);
        }
    }

    /** Of names that begin so. */
    private static void removeLeftOver(Path folder, String begin) throws IOException {
        if (!Files.isDirectory(folder) || !Files.isReadable(folder)) {
            return;
        }
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.filter(f -> f.getFileName().toString().startsWith(begin) && isLeftOver(f)).toList()) {
                Files.deleteIfExists(file);
            }
        }
    }

    private static boolean isLeftOver(Path file) {
        String name = file.getFileName().toString();
        int at = name.lastIndexOf(PART);
        String process = at < 0 ? "" : name.substring(at + PART.length());
        return name.startsWith(".") && at > 0 && Files.isRegularFile(file) && process.matches("\\d{1,18}(\\.\\d+)?")
                && !ProcessHandle.of(Long.parseLong(process.replaceAll("\\..*", ""))).map(ProcessHandle::isAlive).orElse(false);
    }

    /** Why a file could not be read or written: without its name, which the system puts before. */
    public static String reason(IOException e) {
        if (e instanceof FileSystemException f) {
            return f.getReason() != null ? f.getReason() : words(f);
        }
        return e.getMessage() == null ? words(e) : e.getMessage();
    }

    private static String words(IOException e) {
        return e.getClass().getSimpleName().replaceAll("Exception$", "").replaceAll("(?<=[a-z])(?=[A-Z])", " ").toLowerCase(Locale.ROOT);
    }
}
