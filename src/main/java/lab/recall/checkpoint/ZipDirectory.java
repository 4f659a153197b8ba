package lab.recall.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import lab.recall.base.BadData;
import lab.recall.base.Said;

/** Where the entries of a zip file lie, so that they can be mapped: java.util.zip reads entries but does not tell their place. */
final class ZipDirectory {
    /**
     * An entry.
     *
     * @param from   where its bytes begin in the file
     * @param packed how many there are
     * @param size   how many they are when they are unpacked
     * @param method 0 when they are as they are, 8 when they are packed by deflate
     */
    record Entry(String name, long from, long packed, long size, int method) {
        /** This entry, which must not be packed. */
        Entry plain(String file) {
            if (method != 0) {
                throw new BadData(file, "the entry '" + Said.of(name) + "' is compressed; PyTorch stores its tensors plainly");
            }
            return this;
        }
    }

    private static final int END = 0x06054b50;
    private static final int END_64 = 0x06064b50;
    private static final int LOCATOR_64 = 0x07064b50;
    private static final int CENTRAL = 0x02014b50;
    private static final int LOCAL = 0x04034b50;
    private static final int LONGEST_DIRECTORY = 16 << 20;
    private static final int STORED = 0;
    private static final int DEFLATED = 8;
    private static final int ENCRYPTED = 1;

    private ZipDirectory() {
    }

    static Map<String, Entry> read(FileChannel channel, String file) throws IOException {
        long size = channel.size();
        int tail = (int) Math.min(size, 22 + 65_535 + 20);
        ByteBuffer end = bytes(channel, size - tail, tail, file);
        int at = tail - 22;
        while (at >= 0 && end.getInt(at) != END) {
            at--;
        }
        if (at < 0) {
            throw new BadData(file, "the zip file has no directory; it is cut short");
        }
        long count = end.getShort(at + 10) & 0xffff;
        long length = end.getInt(at + 12) & 0xffffffffL;
        long from = end.getInt(at + 16) & 0xffffffffL;
        if (at >= 20 && end.getInt(at - 20) == LOCATOR_64) {
            ByteBuffer end64 = bytes(channel, end.getLong(at - 20 + 8), 56, file);
            if (end64.getInt(0) != END_64) {
                throw new BadData(file, "the zip file's 64-bit directory is damaged");
            }
            count = end64.getLong(32);
            length = end64.getLong(40);
            from = end64.getLong(48);
        }
        if (length < 0 || length > LONGEST_DIRECTORY) {
            throw new BadData(file, "the zip file's directory says that it is " + length + " bytes long, at most "
                    + LONGEST_DIRECTORY + " are read");
        }
        ByteBuffer directory = bytes(channel, from, (int) length, file);
        Map<String, Entry> entries = new LinkedHashMap<>();
        for (long i = 0; i < count; i++) {
            entry(channel, directory, entries, file);
        }
        return entries;
    }

    private static void entry(FileChannel channel, ByteBuffer d, Map<String, Entry> entries, String file) throws IOException {
        int at = d.position();
        if (d.remaining() < 46 || d.getInt(at) != CENTRAL) {
            throw new BadData(file, "the zip file's directory is damaged");
        }
        int flags = d.getShort(at + 8);
        int method = d.getShort(at + 10);
        long packed = d.getInt(at + 20) & 0xffffffffL;
        long size = d.getInt(at + 24) & 0xffffffffL;
        int nameLength = d.getShort(at + 28) & 0xffff;
        int extraLength = d.getShort(at + 30) & 0xffff;
        int commentLength = d.getShort(at + 32) & 0xffff;
        long offset = d.getInt(at + 42) & 0xffffffffL;
        if (d.remaining() < 46 + nameLength + extraLength + commentLength) {
            throw new BadData(file, "the zip file's directory is damaged");
        }
        byte[] name = new byte[nameLength];
        d.get(at + 46, name);
        String text = new String(name, StandardCharsets.UTF_8);
        int extra = at + 46 + nameLength;
        int stop = extra + extraLength;
        while (extra + 4 <= stop) {
            int id = d.getShort(extra) & 0xffff;
            int next = extra + 4 + (d.getShort(extra + 2) & 0xffff);
            int field = extra + 4;
            if (id == 1 && next <= stop) {              // 64-bit sizes, only those that do not fit above
                if (size == 0xffffffffL && field + 8 <= next) {
                    size = d.getLong(field);
                    field += 8;
                }
                if (packed == 0xffffffffL && field + 8 <= next) {
                    packed = d.getLong(field);
                    field += 8;
                }
                if (offset == 0xffffffffL && field + 8 <= next) {
                    offset = d.getLong(field);
                }
            }
            extra = next;
        }
        d.position(stop + commentLength);
        String place = "the entry '" + Said.of(text) + "'";
        if (method != STORED && method != DEFLATED || (flags & ENCRYPTED) != 0) {
            throw new BadData(file, place + " is packed in a way that is not read here");
        }
        ByteBuffer local = bytes(channel, offset, 30, file);
        if (local.getInt(0) != LOCAL) {
            throw new BadData(file, place + " is not where the zip file's directory says");
        }
        long start = offset + 30 + (local.getShort(26) & 0xffff) + (local.getShort(28) & 0xffff);
        if (size < 0 || packed < 0 || packed > channel.size() - start || method == STORED && packed != size) {
            throw new BadData(file, place + " goes beyond the end of the file");
        }
        if (entries.put(text, new Entry(text, start, packed, size, method)) != null) {
            throw new BadData(file, place + " stands twice in the zip file's directory");
        }
    }

    private static ByteBuffer bytes(FileChannel channel, long from, int count, String file) throws IOException {
        if (from < 0 || from > channel.size() - count) {
            throw new BadData(file, "the zip file's directory points beyond its end");
        }
        ByteBuffer b = ByteBuffer.allocate(count).order(ByteOrder.LITTLE_ENDIAN);
        int got = 0;
        while (got >= 0 && b.hasRemaining()) {
            got = channel.read(b, from + b.position());
        }
        return b.flip();
    }
}
