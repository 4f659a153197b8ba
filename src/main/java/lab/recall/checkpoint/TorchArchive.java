package lab.recall.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import lab.recall.base.AtomicFiles;
import lab.recall.base.BadData;
import lab.recall.base.FileKind;
import lab.recall.base.InputFiles;
import lab.recall.base.Said;

/**
 * {@code pytorch_model.bin} files: a dictionary of tensors, in the zip form or in the pickle stream from before PyTorch 1.6.
 *
 * <pre>{@code
 * Map<String, Tensor> all = TorchArchive.read(file);
 * }</pre>
 *
 * Tensors view mapped memory. Shared storages and strides work. A file that names anything but tensors is refused.
 */
public final class TorchArchive {
    /** First number of a legacy file, as the pickle holds it. */
    private static final Pickle.Whole MAGIC = new Pickle.Whole("6cfc9c46f9206aa85019");
    private static final long PROTOCOL = 1001;
    /** Of the memory there is, what a pickle's bytes may take. */
    private static final int PICKLE_SHARE = 8;
    private static final int LARGEST_PICKLE = (int) Math.min(64 << 20, Runtime.getRuntime().maxMemory() / PICKLE_SHARE);

    private final Path path;
    private final String file;
    private final FileChannel channel;
    /** All of the file. */
    private final Bytes bytes;
    /** Bytes that were copied so far because a view did not lie in the file as it is read. */
    private long copied;

    private TorchArchive(Path path, FileChannel channel) throws IOException {
        this.path = path;
        this.file = path.toString();
        this.channel = channel;
        this.bytes = Bytes.map(path, channel, 0, channel.size());
    }

    /**
     * The tensors of a file by name.
     *
     * @throws BadData when the file is not that
     */
    public static Map<String, Tensor> read(Path path) {
        try (FileChannel channel = FileChannel.open(InputFiles.plain(path), StandardOpenOption.READ)) {
            ByteBuffer start = ByteBuffer.allocate(FileKind.BYTES);
            channel.read(start, 0);
            boolean isZip = start.get(0) == 'P' && start.get(1) == 'K';
            TorchArchive archive = new TorchArchive(path, channel);
            return archive.named(isZip ? archive.zip() : archive.legacy(Arrays.copyOf(start.array(), start.position())));
        } catch (IOException e) {
            throw new BadData(path, "", "cannot be read (" + AtomicFiles.reason(e) + ")", e);
        }
    }

    private Object zip() throws IOException {
        Map<String, ZipDirectory.Entry> entries = ZipDirectory.read(channel, file);
        List<String> pickles = entries.keySet().stream().filter(n -> n.endsWith("/data.pkl")).toList();
        if (pickles.size() != 1) {
            throw new BadData(file, pickles.isEmpty() ? "the zip file has no data.pkl" + (entries.keySet().stream()
                    .anyMatch(n -> n.endsWith(".npy")) ? ": it holds arrays of NumPy (.npz)" : "") : "the zip file has several data.pkl");
        }
        String folder = pickles.get(0).substring(0, pickles.get(0).length() - "data.pkl".length());
        ZipDirectory.Entry order = entries.get(folder + "byteorder");
        if (order != null && !StandardCharsets.US_ASCII.decode(bytes(order)).toString().strip().equals("little")) {
            throw new BadData(file, "its numbers are big-endian, expected little-endian");
        }
        return Pickle.read(bytes(entries.get(pickles.get(0))), file, (key, dtype, size) -> {
            ZipDirectory.Entry e = entries.get(folder + "data/" + key);
            if (e == null) {
                throw new BadData(file, "the storage '" + Said.of(key) + "' is missing");
            }
            if (size > e.plain(file).size() / dtype.bytes()) {
                throw new BadData(file, "the storage '" + Said.of(key) + "' has " + e.size() + " bytes, needs " + size + " times "
                        + dtype.bytes());
            }
            return new Pickle.Storage(dtype, size, bytes, e.from());
        });
    }

    /** What the tensors' pickle says of a storage in the older format. */
    private record Stored(DType dtype, long size) {
    }

    /** Magic number, protocol, system, tensors, storage keys, then each storage: its length and its numbers. */
    private Object legacy(byte[] start) throws IOException {
        int length = (int) Math.min(channel.size(), LARGEST_PICKLE);
        ByteBuffer in = bytes(0, length);
        boolean isPickle = FileKind.of(start).map(kind -> kind.words().equals(FileKind.PICKLE)).orElse(false);
        if (!isPickle || !MAGIC.equals(Pickle.read(in, file, this::none))) {
            throw new BadData(file, FileKind.of(start).map(FileKind::words).orElse("neither a zip file nor PyTorch's older format")
                    + ", expected " + FileKind.PYTORCH);
        }
        if (!Long.valueOf(PROTOCOL).equals(Pickle.read(in, file, this::none))) {
            throw new BadData(file, "an unknown version of PyTorch's older format");
        }
        if (!(Pickle.read(in, file, this::none) instanceof Pickle.Table system)
                || Boolean.FALSE.equals(system.entries().get("little_endian"))) {
            throw new BadData(file, "its numbers are big-endian, expected little-endian");
        }
        int tensors = in.position();
        Map<String, Stored> said = new HashMap<>();
        Pickle.read(in, file, (key, dtype, size) -> {       // a first reading tells what storages there are, a second one where they are
            if (size > bytes.size() / dtype.bytes()) {
                throw new BadData(file, "the storage '" + Said.of(key) + "' is cut short");
            }
            said.put(key, new Stored(dtype, size));
            return new Pickle.Storage(dtype, 0, bytes, 0);
        });
        if (!(Pickle.read(in, file, this::none) instanceof Pickle.Items keys)) {
            throw new BadData(file, "the list of storages is missing");
        }
        Map<String, Pickle.Storage> found = new HashMap<>();
        long at = in.position();
        for (Object key : keys.values()) {
            if (!(key instanceof String name) || !said.containsKey(name) || at > channel.size() - Long.BYTES) {
                throw new BadData(file, "the storage '" + (key instanceof String name ? Said.of(name) : "?") + "' is missing");
            }
            Stored storage = said.get(name);
            long count = bytes(at, Long.BYTES).order(ByteOrder.LITTLE_ENDIAN).getLong();
            long size = storage.size * storage.dtype.bytes();
            if (count != storage.size || size > channel.size() - at - Long.BYTES) {
                throw new BadData(file, "the storage '" + Said.of(name) + "' is cut short");
            }
            found.put(name, new Pickle.Storage(storage.dtype, storage.size, bytes, at + Long.BYTES));
            at += Long.BYTES + size;
        }
        in.position(tensors);
        return Pickle.read(in, file, (key, dtype, size) -> {
            if (!found.containsKey(key)) {
                throw new BadData(file, "the storage '" + Said.of(key) + "' is missing");
            }
            return found.get(key);
        });
    }

    private Pickle.Storage none(String key, DType dtype, long size) {
        throw new BadData(file, "not a pickle of tensors (a storage where none can be)");
    }

    private Map<String, Tensor> named(Object root) {
        if (!(root instanceof Pickle.Table all)) {
            throw new BadData(file, "not a dictionary of tensors");
        }
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        all.entries().forEach((name, value) -> {
            if (!(value instanceof Pickle.View view)) {
                throw new BadData(file, "not a dictionary of tensors (the entry '" + Said.of(name) + "' is none)");
            }
            tensors.put(name, tensor(name, view));
        });
        return tensors;
    }

    private Tensor tensor(String name, Pickle.View v) {
        long[] shape = v.shape();
        long[] strides = v.strides();
        int width = v.dtype().bytes();
        long there = v.storage().size() * v.storage().dtype().bytes() / width;
        boolean plain = true;
        long reach = 0;
        long size = 1;
        try {
            if (strides.length != shape.length) {
                throw new ArithmeticException();
            }
            for (int i = shape.length - 1; i >= 0; i--) {
                if (shape[i] < 0 || strides[i] < 0) {
                    throw new ArithmeticException();
                }
                plain &= shape[i] == 1 || strides[i] == size;
                reach = Math.addExact(reach, Math.multiplyExact(Math.max(0, shape[i] - 1), strides[i]));
                size = Math.multiplyExact(size, shape[i]);
            }
            if (v.offset() < 0 || v.offset() > there || (size > 0 && Math.addExact(v.offset(), reach) >= there)) {
                throw new ArithmeticException();
            }
        } catch (ArithmeticException e) {
            throw new BadData(file, "", "'" + Said.of(name) + "' with the shape " + Arrays.toString(shape) + " and strides "
                    + Arrays.toString(strides) + " goes beyond its storage of " + there + " numbers", e);
        }
        long from = v.storage().from() + v.offset() * width;
        if (plain || size == 0) {
            return new Tensor(name, v.dtype(), shape, bytes, from);
        }
        if (size > there) {
            throw new BadData(file, "not a pickle of tensors ('" + Said.of(name) + "' with the shape " + Arrays.toString(shape)
                    + " repeats the " + there + " numbers of its storage; save it contiguous)");
        }
        copied += size * width;
        if (size > (Integer.MAX_VALUE - 8) / width) {
            throw new BadData(file, "'" + Said.of(name) + "' is a transposed view of over 2 GiB; save it contiguous");
        }
        if (copied > bytes.size()) {
            throw new BadData(file, "its transposed views, up to '" + Said.of(name)
                    + "', would take more memory than the file is long; save them contiguous");
        }
        return new Tensor(name, v.dtype(), shape, Bytes.of(gather(v, from, (int) size)), 0);
    }

    /** The numbers of a strided view in row-major order. */
    private byte[] gather(Pickle.View v, long from, int size) {
        int width = v.dtype().bytes();
        byte[] all = new byte[size * width];
        long[] index = new long[v.shape().length];
        for (int i = 0; i < size; i++) {
            long at = 0;
            for (int d = 0; d < index.length; d++) {
                at += index[d] * v.strides()[d];
            }
            int to = i * width;
            bytes.forEach(from + at * width, width, width, b -> b.get(all, to, width));
            for (int d = index.length - 1; d >= 0 && ++index[d] == v.shape()[d]; d--) {
                index[d] = 0;
            }
        }
        return all;
    }

    private ByteBuffer bytes(ZipDirectory.Entry e) throws IOException {
        return bytes(e.plain(file).from(), e.size());
    }

    private ByteBuffer bytes(long from, long size) throws IOException {
        if (size > LARGEST_PICKLE) {
            throw new BadData(file, "the pickle is " + size + " bytes long, at most " + LARGEST_PICKLE + " are read");
        }
        ByteBuffer b = ByteBuffer.allocate((int) size);
        int got = 0;
        while (got >= 0 && b.hasRemaining()) {
            got = channel.read(b, from + b.position());
        }
        return b.flip();
    }
}
