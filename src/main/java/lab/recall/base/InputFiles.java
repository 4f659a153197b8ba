package lab.recall.base;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Files that a user names. A pipe, a folder and a device are refused: they would be waited for, or never end.
 *
 * <pre>{@code
 * byte[] text = InputFiles.bytes(file);
 * try (InputStream in = Files.newInputStream(InputFiles.plain(file))) { .. }
 * }</pre>
 */
public final class InputFiles {
    private static final int LONGEST = 1 << 30;
    /** What is read from a file takes a few times its bytes. */
    private static final int SHARE = 4;

    private InputFiles() {
    }

    /**
     * The file itself.
     *
     * @throws BadData when it is none, or no plain one
     */
    public static Path plain(Path file) {
        if (!Files.isRegularFile(file)) {
            throw new BadData(file, Files.exists(file) ? "not a plain file" : "no such file");
        }
        return file;
    }

    /**
     * The first bytes of a plain file, all of them where it is shorter.
     *
     * @throws BadData when it is none, or cannot be read
     */
    public static byte[] start(Path file, int count) {
        try (InputStream in = Files.newInputStream(plain(file))) {
            return in.readNBytes(count);
        } catch (IOException e) {
            throw new BadData(file, "", "cannot be read (" + AtomicFiles.reason(e) + ")", e);
        }
    }

    /**
     * All bytes of a plain file.
     *
     * @throws BadData when it is none, cannot be read, or is too long for the memory there is
     */
    public static byte[] bytes(Path file) {
        int most = (int) Math.min(LONGEST, Runtime.getRuntime().maxMemory() / SHARE);
        try (InputStream in = Files.newInputStream(plain(file))) {
            byte[] bytes = Files.size(file) > most ? null : in.readNBytes(most + 1);     // some files are longer than they say
            if (bytes == null || bytes.length > most) {
                throw new BadData(file, "longer than the " + most + " bytes that can be read at once");
            }
            return bytes;
        } catch (IOException e) {
            throw new BadData(file, "", "cannot be read (" + AtomicFiles.reason(e) + ")", e);
        }
    }
}
