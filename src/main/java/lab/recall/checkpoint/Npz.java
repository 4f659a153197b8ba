package lab.recall.checkpoint;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.Inflater;
import java.util.zip.InflaterInputStream;
import lab.recall.base.AtomicFiles;
import lab.recall.base.BadData;
import lab.recall.base.InputFiles;
import lab.recall.base.Said;

/**
 * Archives of arrays that NumPy writes by {@code savez} and {@code savez_compressed}.
 *
 * <pre>{@code
 * Map<String, Tensor> all = Npz.read(file);                  // mapped where they are not packed
 * all.get("mom2.mom2").doubles()
 * }</pre>
 *
 * Arrays of texts, of objects, of big-endian numbers and in Fortran's order stand there and are refused when they are read; nothing is
 * unpickled. The format: github.com/numpy/numpy, {@code numpy/lib/format.py}.
 */
public final class Npz {
    private static final byte[] MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y'};
    private static final String ENDING = ".npy";
    private static final int FRONT = 12;
    private static final int LONGEST_HEADER = 1 << 16;
    /** Of the memory there is, what unpacked arrays may take. */
    private static final int SHARE = 4;
    private static final Pattern HEADER = Pattern.compile(
            "\\{'descr': '([^']{1,40})', 'fortran_order': (True|False), 'shape': \\(((?:\\d{1,18}, ?)*(?:\\d{1,18})?)\\),? ?\\}\\s*");
    private static final Map<String, DType> TYPES = Map.ofEntries(Map.entry("<f8", DType.F64), Map.entry("<f4", DType.F32),
            Map.entry("<f2", DType.F16), Map.entry("<i8", DType.I64), Map.entry("<i4", DType.I32), Map.entry("<i2", DType.I16),
            Map.entry("|i1", DType.I8), Map.entry("<u8", DType.U64), Map.entry("<u4", DType.U32), Map.entry("<u2", DType.U16),
            Map.entry("|u1", DType.U8), Map.entry("|b1", DType.BOOL), Map.entry("<c8", DType.C64), Map.entry("<c16", DType.C128));

    private final String file;
    private final FileChannel channel;
    private final Bytes bytes;
    private long unpacked;

    private Npz(Path path, FileChannel channel) throws IOException {
        this.file = path.toString();
        this.channel = channel;
        this.bytes = Bytes.map(path, channel, 0, channel.size());
    }

    /**
     * The arrays of a file by name.
     *
     * @throws BadData when the file is not that
     */
    public static Map<String, Tensor> read(Path path) {
        try (FileChannel channel = FileChannel.open(InputFiles.plain(path), StandardOpenOption.READ)) {
            Npz archive = new Npz(path, channel);
            Map<String, Tensor> arrays = new LinkedHashMap<>();
            for (ZipDirectory.Entry e : ZipDirectory.read(channel, path.toString()).values()) {
                if (!e.name().endsWith(ENDING)) {
                    throw new BadData(path, "the entry '" + Said.of(e.name()) + "' is no array of NumPy (" + ENDING + ")");
                }
                String name = e.name().substring(0, e.name().length() - ENDING.length());
                arrays.put(name, archive.array(name, e));
            }
            return arrays;
        } catch (IOException e) {
            throw new BadData(path, "", "cannot be read (" + AtomicFiles.reason(e) + ")", e);
        }
    }

    private Tensor array(String name, ZipDirectory.Entry e) throws IOException {
        if (e.method() == 0) {
            ByteBuffer front = ByteBuffer.allocate((int) Math.min(FRONT + LONGEST_HEADER, e.size()));
            int got = 0;
            while (got >= 0 && front.hasRemaining()) {
                got = channel.read(front, e.from() + front.position());
            }
            return array(name, front.flip().order(ByteOrder.LITTLE_ENDIAN), bytes, e.from(), e.size());
        }
        unpacked += e.size();
        if (unpacked > Math.min(Integer.MAX_VALUE - 8, Runtime.getRuntime().maxMemory() / SHARE)) {
            throw new BadData(file, "its arrays, up to '" + Said.of(name) + "', would take " + unpacked + " bytes of memory unpacked");
        }
        byte[] all = inflated(name, e);
        return array(name, ByteBuffer.wrap(all).order(ByteOrder.LITTLE_ENDIAN), Bytes.of(all), 0, all.length);
    }

    private byte[] inflated(String name, ZipDirectory.Entry e) throws IOException {
        Inflater inflater = new Inflater(true);
        try (InputStream in = new InflaterInputStream(new Part(e.from(), e.packed()), inflater)) {
            byte[] all = in.readNBytes((int) e.size());
            if (all.length < e.size() || in.read() >= 0) {
                throw new EOFException("of another length than it says");
            }
            return all;
        } catch (IOException bad) {
            throw new BadData(file, "", "the array '" + Said.of(name) + "' cannot be unpacked (" + AtomicFiles.reason(bad) + ")", bad);
        } finally {
            inflater.end();
        }
    }

    /** Some bytes of the file. */
    private final class Part extends InputStream {
        private long at;
        private final long end;

        Part(long from, long count) {
            at = from;
            end = from + count;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] to, int offset, int count) throws IOException {
            if (at >= end) {
                return -1;
            }
            int got = channel.read(ByteBuffer.wrap(to, offset, (int) Math.min(count, end - at)), at);
            at += Math.max(0, got);
            return got;
        }
    }

    /** Magic number, version, length of a header as Python writes a dictionary, the numbers. */
    private Tensor array(String name, ByteBuffer front, Bytes from, long at, long size) {
        String place = "the array '" + Said.of(name) + "'";
        if (front.remaining() < FRONT || !Arrays.equals(Arrays.copyOf(front.array(), MAGIC.length), MAGIC)) {
            throw new BadData(file, place + " is none of NumPy");
        }
        boolean first = front.get(MAGIC.length) == 1;
        long length = first ? front.getShort(8) & 0xffff : front.getInt(8) & 0xffffffffL;
        int start = first ? FRONT - 2 : FRONT;
        if (length > Math.min(LONGEST_HEADER, front.limit() - start)) {
            throw new BadData(file, place + " has a header of " + length + " bytes");
        }
        String header = new String(front.array(), start, (int) length, StandardCharsets.UTF_8);
        Matcher said = HEADER.matcher(header);
        if (!said.matches()) {
            throw new BadData(file, place + " has the header " + Said.of(header.strip()) + ", which is not read here");
        }
        long[] shape = said.group(3).isBlank() ? new long[0]
                : Arrays.stream(said.group(3).split(",")).map(String::strip).filter(s -> !s.isEmpty()).mapToLong(Long::parseLong).toArray();
        DType dtype = TYPES.getOrDefault(said.group(1), DType.OTHER);
        boolean isRead = dtype.isRead() && (shape.length < 2 || said.group(2).equals("False"));
        long there = size - start - length;
        long need;
        try {
            need = Math.multiplyExact(Arrays.stream(shape).reduce(1, Math::multiplyExact), dtype.bytes());
        } catch (ArithmeticException e) {
            throw new BadData(file, "", place + " has the shape " + Said.of(Arrays.toString(shape)) + ", more than any file holds", e);
        }
        if (isRead && need != there) {
            throw new BadData(file, place + " needs " + need + " bytes for " + dtype + Said.of(Arrays.toString(shape))
                    + " but has " + there);
        }
        return isRead ? new Tensor(name, dtype, shape, from, at + start + length)
                : Tensor.unread(name, said.group(1) + (dtype.isRead() ? " in Fortran's order" : ""), shape, from,
                        at + start + length, there);
    }
}
