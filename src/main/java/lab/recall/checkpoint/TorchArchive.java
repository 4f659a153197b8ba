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
import lab.recall.base.InputFiles;

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
    private static final String MAGIC = Arrays.toString(
            new byte[] {0x6c, (byte) 0xfc, (byte) 0x9c, 0x46, (byte) 0xf9, 0x20, 0x6a, (byte) 0xa8, 0x50, 0x19});
    private static final long PROTOCOL = 1001;
    private static final int LARGEST_PICKLE = 256 << 20;

    private TorchArchive() {
    }

    /**
     * The tensors of a file by name.
     *
     * @throws BadData when the file is not that
     */
    public static Map<String, Tensor> read(Path path) {
        String file = path.toString();
        try (FileChannel channel = FileChannel.open(InputFiles.plain(path), StandardOpenOption.READ)) {
            ByteBuffer start = ByteBuffer.allocate(4);
            channel.read(start, 0);
            boolean zip = start.get(0) == 'P' && start.get(1) == 'K';
            return named(zip ? zip(channel, path) : legacy(channel, path), file);
        } catch (IOException e) {
            throw new BadData(file, "", "cannot be read (" + AtomicFiles.reason(e) + ")", e);
        }
    }

    private static Object zip(FileChannel channel, Path path) throws IOException {
        String file = path.toString();
        Map<String, ZipDirectory.Entry> entries = ZipDirectory.read(channel, file);
        String pickle = entries.keySet().stream().filter(n -> n.endsWith("/data.pkl")).findFirst()
                .orElseThrow(() -> new BadData(file, "the zip file has no data.pkl"));
        String folder = pickle.substring(0, pickle.length() - "data.pkl".length());
        ZipDirectory.Entry order = entries.get(folder + "byteorder");
        if (order != null && !text(channel, order, file).equals("little")) {
            throw new BadData(file, "its numbers are big-endian, expected little-endian");
        }
        Map<String, Bytes> mapped = new HashMap<>();
        return Pickle.read(bytes(channel, entries.get(pickle), file), file, id -> {
            String key = key(id, file);
            DType dtype = Pickle.dtype(id.get(1));
            ZipDirectory.Entry e = entries.get(folder + "data/" + key);
            if (e == null) {
                throw new BadData(file, "the storage '" + key + "' is missing");
            }
            long need = size(id, dtype, file);
            if (e.size() < need) {
                throw new BadData(file, "the storage '" + key + "' has " + e.size() + " bytes, needs " + need);
            }
            return new Pickle.Storage(dtype, need / dtype.bytes(), mapped.computeIfAbsent(key, k -> map(path, channel, e.from(), need)));
        });
    }

    /** Magic number, protocol, system, tensors, storage keys, then each storage: its length and its numbers. */
    private static Object legacy(FileChannel channel, Path path) throws IOException {
        String file = path.toString();
        int length = (int) Math.min(channel.size(), LARGEST_PICKLE);
        ByteBuffer in = bytes(channel, new ZipDirectory.Entry(0, length), file);
        if (!in.hasRemaining() || !MAGIC.equals(Pickle.read(in, file, id -> null))) {
            throw new BadData(file, "not a file of tensors (neither a zip file nor PyTorch's older format)");
        }
        if (!Long.valueOf(PROTOCOL).equals(Pickle.read(in, file, id -> null))) {
            throw new BadData(file, "an unknown version of PyTorch's older format");
        }
        if (!(Pickle.read(in, file, id -> null) instanceof Map<?, ?> system) || Boolean.FALSE.equals(system.get("little_endian"))) {
            throw new BadData(file, "its numbers are big-endian, expected little-endian");
        }
        int tensors = in.position();
        Map<String, DType> types = new HashMap<>();
        Map<String, Long> sizes = new HashMap<>();
        Pickle.read(in, file, id -> {               // a first reading tells the storages' types, a second one, below, where they are
            DType dtype = Pickle.dtype(id.get(1));
            types.put(key(id, file), dtype);
            sizes.put(key(id, file), size(id, dtype, file));
            return new Pickle.Storage(dtype, 0, Bytes.of(new byte[0]));
        });
        if (!(Pickle.read(in, file, id -> null) instanceof List<?> keys)) {
            throw new BadData(file, "the list of storages is missing");
        }
        Map<String, Bytes> mapped = new HashMap<>();
        long at = in.position();
        for (Object key : keys) {
            DType dtype = types.get(String.valueOf(key));
            if (!(key instanceof String text) || dtype == null || at + 8 > channel.size()) {
                throw new BadData(file, "the storage '" + key + "' is missing");
            }
            long count = bytes(channel, new ZipDirectory.Entry(at, 8), file).order(ByteOrder.LITTLE_ENDIAN).getLong();
            long size = sizes.get(String.valueOf(key));
            if (count != size / dtype.bytes() || size > channel.size() - at - 8) {
                throw new BadData(file, "the storage '" + key + "' is cut short");
            }
            mapped.put(text, map(path, channel, at + 8, size));
            at += 8 + size;
        }
        in.position(tensors);
        return Pickle.read(in, file, id -> {
            String key = key(id, file);
            if (!mapped.containsKey(key)) {
                throw new BadData(file, "the storage '" + key + "' is missing");
            }
            return new Pickle.Storage(types.get(key), mapped.get(key).size() / types.get(key).bytes(), mapped.get(key));
        });
    }

    /** A storage's identifier is ('storage', type, key, place, size, ..). */
    private static String key(List<?> id, String file) {
        if (id.size() < 5 || !"storage".equals(id.get(0)) || !(id.get(2) instanceof String key)) {
            throw new BadData(file, "a storage without an identifier");
        }
        return key;
    }

    private static long size(List<?> id, DType dtype, String file) {
        long size = Math.multiplyExact((Long) id.get(4), dtype.bytes());
        if (size < 0) {
            throw new BadData(file, "a storage of negative size");
        }
        return size;
    }

    private static Map<String, Tensor> named(Object root, String file) {
        if (!(root instanceof Map<?, ?> all)) {
            throw new BadData(file, "not a dictionary of tensors");
        }
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        all.forEach((name, value) -> {
            if (!(name instanceof String text) || !(value instanceof Pickle.View view)) {
                throw new BadData(file, "not a dictionary of tensors (the entry '" + name + "' is none)");
            }
            tensors.put(text, tensor(text, view, file));
        });
        return tensors;
    }

    private static Tensor tensor(String name, Pickle.View v, String file) {
        long[] shape = v.shape();
        long[] strides = v.strides();
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
            if (v.offset() < 0 || (size > 0 && Math.addExact(v.offset(), reach) >= v.storage().size())) {
                throw new ArithmeticException();
            }
        } catch (ArithmeticException e) {
            throw new BadData(file, "", "'" + name + "' with the shape " + Arrays.toString(shape) + " and strides "
                    + Arrays.toString(strides) + " goes beyond its storage of " + v.storage().size() + " numbers", e);
        }
        DType dtype = v.storage().dtype();
        if (plain || size == 0) {
            return new Tensor(name, dtype, shape, v.storage().bytes(), v.offset() * dtype.bytes());
        }
        if (size * dtype.bytes() > Integer.MAX_VALUE - 8) {
            throw new BadData(file, "'" + name + "' is a transposed view of over 2 GiB; save it contiguous");
        }
        return new Tensor(name, dtype, shape, Bytes.of(gather(v, (int) size)), 0);
    }

    /** The numbers of a strided view in row-major order. */
    private static byte[] gather(Pickle.View v, int size) {
        int width = v.storage().dtype().bytes();
        byte[] all = new byte[size * width];
        long[] index = new long[v.shape().length];
        for (int i = 0; i < size; i++) {
            long at = v.offset();
            for (int d = 0; d < index.length; d++) {
                at += index[d] * v.strides()[d];
            }
            int to = i * width;
            v.storage().bytes().forEach(at * width, width, b -> b.get(all, to, width));
            for (int d = index.length - 1; d >= 0 && ++index[d] == v.shape()[d]; d--) {
                index[d] = 0;
            }
        }
        return all;
    }

    private static String text(FileChannel channel, ZipDirectory.Entry e, String file) throws IOException {
        return StandardCharsets.US_ASCII.decode(bytes(channel, e, file)).toString().strip();
    }

    private static ByteBuffer bytes(FileChannel channel, ZipDirectory.Entry e, String file) throws IOException {
        if (e.size() > LARGEST_PICKLE) {
            throw new BadData(file, "the pickle is " + e.size() + " bytes long");
        }
        ByteBuffer b = ByteBuffer.allocate((int) e.size());
        int got = 0;
        while (got >= 0 && b.hasRemaining()) {
            got = channel.read(b, e.from() + b.position());
        }
        return b.flip();
    }

    private static Bytes map(Path file, FileChannel channel, long from, long size) {
        try {
            return Bytes.map(file, channel, from, size);
        } catch (IOException e) {
            throw new BadData(file, "", "cannot be mapped (" + AtomicFiles.reason(e) + ")", e);
        }
    }
}
