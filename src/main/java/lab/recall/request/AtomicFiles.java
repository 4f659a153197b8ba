package lab.recall.request;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/** Writes files beside their place first and moves them there, so that none is ever half there. */
public final class AtomicFiles {
    private AtomicFiles() {
    }

    /** Writes a file, in the place of one that is there. */
    public static void write(Path file, byte[] bytes) {
        Path part = file.resolveSibling("." + file.getFileName() + ".part-" + ProcessHandle.current().pid());
        try {
            Files.write(part, bytes);
            Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new IllegalArgumentException(file + ": cannot be written (" + e.getMessage() + ")", e);
        }
    }
}
