package lab.recall.base;

import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The lines of a plain file of UTF-8 text, of any length in all, one after the other.
 *
 * <pre>{@code
 * try (TextLines lines = new TextLines(file, 1 << 20)) {
 *     for (String line = lines.next(); line != null; line = lines.next()) { .. }
 * }
 * }</pre>
 *
 * A line ends with a line feed, a carriage return or both. A byte order mark before the first one is passed over.
 */
public final class TextLines implements AutoCloseable {
    private static final int BLOCK = 1 << 16;
    private static final char BYTE_ORDER_MARK = '\ufeff';

    private final Path file;
    private final int longest;
    private final Reader reader;
    private final char[] block = new char[BLOCK];
    private int at;
    private int filled;
    private boolean afterReturn;
    private long number;

    /**
     * Opens a file.
     *
     * @param longest letters that a line may have
     * @throws BadData when it is no plain file or cannot be opened
     */
    public TextLines(Path file, int longest) {
        this.file = file;
        this.longest = longest;
        try {
            this.reader = new InputStreamReader(Files.newInputStream(InputFiles.plain(file)), StandardCharsets.UTF_8.newDecoder());
        } catch (IOException e) {
            throw new BadData(file, "", "cannot be read (" + AtomicFiles.reason(e) + ")", e);
        }
    }

    /**
     * The next line; null behind the last one.
     *
     * @throws BadData when it is too long, no UTF-8, or cannot be read
     */
    public String next() {
        StringBuilder line = new StringBuilder();
        boolean any = false;
        while (fill()) {
            if (afterReturn && block[at] == '\n') {
                at++;
                afterReturn = false;
                continue;
            }
            afterReturn = false;
            if (!any) {
                any = true;
                number++;
            }
            int end = at;
            while (end < filled && block[end] != '\n' && block[end] != '\r') {
                end++;
            }
            if (line.length() + (end - at) > longest) {
                throw new BadData(file, "line " + number, "longer than the " + longest + " letters that a line may have");
            }
            line.append(block, at, end - at);
            at = end;
            if (at < filled) {
                afterReturn = block[at++] == '\r';
                return line.toString();
            }
        }
        return any ? line.toString() : null;
    }

    /** The number of the line that was given last, from 1. */
    public long number() {
        return number;
    }

    private boolean fill() {
        try {
            if (at == filled) {
                at = 0;
                filled = Math.max(0, reader.read(block, 0, block.length));
                if (number == 0 && filled > 0 && block[0] == BYTE_ORDER_MARK) {
                    at = 1;
                    return filled > 1 || fill();
                }
            }
            return filled > 0;
        } catch (CharacterCodingException e) {
            throw new BadData(file, "", "cannot be read (not UTF-8 text)", e);
        } catch (IOException e) {
            throw new BadData(file, "", "cannot be read (" + AtomicFiles.reason(e) + ")", e);
        }
    }

    @Override
    public void close() {
        try {
            reader.close();
        } catch (IOException e) {
            throw new BadData(file, "", "cannot be read (" + AtomicFiles.reason(e) + ")", e);
        }
    }
}
