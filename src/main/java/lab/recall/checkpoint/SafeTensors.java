package lab.recall.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import lab.recall.base.AtomicFiles;
import lab.recall.base.BadData;
import lab.recall.base.FileKind;
import lab.recall.base.InputFiles;
import lab.recall.base.Json;
import lab.recall.base.Said;

/**
 * Files of the safetensors format.
 *
 * <pre>{@code
 * Map<String, Tensor> all = SafeTensors.read(file);          // mapped, not loaded
 * SafeTensors.write(file, List.of(Tensor.of("W", w, 32, 32)), Map.of());
 * }</pre>
 *
 * The format: an 8-byte little-endian header length, a JSON header {name: {dtype, shape, data_offsets}}, the data. A file whose header does
 * not describe it is refused with one sentence. Tensors of any dtype may stand there; those that are not known are refused when they are
 * read.
 */
public final class SafeTensors {
    private static final long LONGEST_HEADER = 100_000_000;
    /** Of the memory there is, what a header's text may take. */
    private static final int HEADER_SHARE = 8;
    private static final int LENGTH_BYTES = 8;
    private static final int MOST_DIMENSIONS = 32;
    private static final String METADATA = "__metadata__";

    private SafeTensors() {
    }

    /**
     * The tensors of a file by name, in the order of its header.
     *
     * @throws BadData when the file is not that
     */
    public static Map<String, Tensor> read(Path file) {
        try (FileChannel channel = FileChannel.open(InputFiles.plain(file), StandardOpenOption.READ)) {
            return read(file, channel);
        } catch (IOException e) {
            throw new BadData(file, "", "cannot be read (" + AtomicFiles.reason(e) + ")", e);
        }
    }

    private record Span(String name, DType dtype, String format, long[] shape, long from, long to) {
        /** Its view of the file's data. */
        Tensor tensor(Bytes data) {
            return dtype == DType.OTHER ? Tensor.unread(name, format, shape, data, from, to - from)
                    : new Tensor(name, dtype, shape, data, from);
        }
    }

    /**
     * What a file says about itself in {@code __metadata__}, texts by name; empty where it says nothing.
     *
     * @throws BadData when the file is not that
     */
    public static Map<String, String> metadata(Path file) {
        try (FileChannel channel = FileChannel.open(InputFiles.plain(file), StandardOpenOption.READ)) {
            return metadata(file, header(file, channel).node);
        } catch (IOException e) {
            throw new BadData(file, "", "cannot be read (" + AtomicFiles.reason(e) + ")", e);
        }
    }

    private static Map<String, String> metadata(Path file, JsonNode header) {
        JsonNode node = header.path(METADATA);
        if (!node.isMissingNode() && !node.isObject()) {
            throw new BadData(file, METADATA, Said.of(node) + ", expected an object of texts");
        }
        Map<String, String> said = new LinkedHashMap<>();
        node.properties().forEach(e -> {
            if (!e.getValue().isTextual()) {
                throw new BadData(file, METADATA + "." + Said.of(e.getKey()), Said.of(e.getValue()) + ", expected a text");
            }
            said.put(e.getKey(), e.getValue().asText());
        });
        return said;
    }

    /** The header and where the data begin. */
    private record Header(JsonNode node, long start) {
    }

    private static Header header(Path file, FileChannel channel) throws IOException {
        long size = channel.size();
        byte[] start = bytes(channel, 0, (int) Math.min(FileKind.BYTES, size)).array();
        FileKind.of(start).filter(kind -> !kind.words().equals(FileKind.SAFETENSORS)).ifPresent(kind -> {
            throw new BadData(file, kind.words() + ", expected " + FileKind.SAFETENSORS);
        });
        if (size < LENGTH_BYTES) {
            throw new BadData(file, size + " bytes; a safetensors file starts with an 8-byte header length");
        }
        long length = ByteBuffer.wrap(start).order(ByteOrder.LITTLE_ENDIAN).getLong(0);
        if (length < 0 || length > size - LENGTH_BYTES) {
            throw new BadData(file, "the header says that it is " + Long.toUnsignedString(length)
                    + " bytes long, the file holds " + (size - LENGTH_BYTES) + " after the length");
        }
        long most = Math.min(LONGEST_HEADER, Runtime.getRuntime().maxMemory() / HEADER_SHARE);
        if (length > most) {
            throw new BadData(file, "the header is " + length + " bytes long, at most " + most + " are read");
        }
        return new Header(Json.object(bytes(channel, LENGTH_BYTES, (int) length).array(), file + ": the header"), LENGTH_BYTES + length);
    }

    private static Map<String, Tensor> read(Path file, FileChannel channel) throws IOException {
        Header header = header(file, channel);
        metadata(file, header.node);
        long size = channel.size() - header.start;
        List<Span> spans = new ArrayList<>();
        header.node.properties().forEach(e -> {
            if (!e.getKey().equals(METADATA)) {
                spans.add(span(file, e.getKey(), e.getValue(), size));
            }
        });
        List<Span> inFile = new ArrayList<>(spans);
        inFile.sort(Comparator.comparingLong(Span::from).thenComparingLong(Span::to));
        for (int i = 1; i < inFile.size(); i++) {
            if (inFile.get(i).from < inFile.get(i - 1).to) {
                throw new BadData(file, "the data of '" + Said.of(inFile.get(i - 1).name) + "' and '" + Said.of(inFile.get(i).name)
                        + "' overlap");
            }
        }
        Bytes data = Bytes.map(file, channel, header.start, size);
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        spans.forEach(s -> tensors.put(s.name, s.tensor(data)));
        return tensors;
    }

    private static ByteBuffer bytes(FileChannel channel, long from, int count) throws IOException {
        ByteBuffer b = ByteBuffer.allocate(count);
        int got = 0;
        while (got >= 0 && b.hasRemaining()) {
            got = channel.read(b, from + b.position());
        }
        return b;
    }

    private static Span span(Path file, String name, JsonNode entry, long dataBytes) {
        String place = "'" + Said.of(name) + "'";
        JsonNode format = entry.path("dtype");
        if (!format.isTextual()) {
            throw new BadData(file, place + " has the dtype " + Said.of(format) + ", expected a text such as F32");
        }
        long[] shape = wholes(entry.path("shape"));
        long[] offsets = wholes(entry.path("data_offsets"));
        if (shape == null || shape.length > MOST_DIMENSIONS) {
            throw new BadData(file, place + " has the shape " + Said.of(entry.path("shape")) + ", expected a list of at most "
                    + MOST_DIMENSIONS + " whole numbers");
        }
        if (offsets == null || offsets.length != 2 || offsets[0] > offsets[1] || offsets[1] > dataBytes) {
            throw new BadData(file, place + " has the offsets " + Said.of(entry.path("data_offsets"))
                    + "; the data section is " + dataBytes + " bytes long");
        }
        DType dtype = DType.of(format.asText());
        long need;
        try {
            need = Math.multiplyExact(Arrays.stream(shape).reduce(1, Math::multiplyExact), dtype.bytes());
        } catch (ArithmeticException e) {
            throw new BadData(file, "", place + " has the shape " + Said.of(entry.path("shape")) + ", more than any file holds", e);
        }
        if (dtype != DType.OTHER && need != offsets[1] - offsets[0]) {
            throw new BadData(file, place + " needs " + need + " bytes for " + dtype + Said.of(entry.path("shape"))
                    + " but has " + (offsets[1] - offsets[0]));
        }
        return new Span(name, dtype, format.asText(), shape, offsets[0], offsets[1]);
    }

    private static long[] wholes(JsonNode list) {
        if (!list.isArray()) {
            return null;
        }
        long[] all = new long[list.size()];
        for (int i = 0; i < all.length; i++) {
            if (!list.get(i).isIntegralNumber() || !list.get(i).canConvertToLong() || list.get(i).asLong() < 0) {
                return null;
            }
            all[i] = list.get(i).asLong();
        }
        return all;
    }

    /**
     * Writes a file, beside its place first and then moved there, so that it is never half there.
     *
     * @throws UncheckedIOException when it cannot be written
     */
    public static void write(Path file, Collection<Tensor> tensors, Map<String, String> metadata) {
        ObjectNode header = Json.MAPPER.createObjectNode();
        if (!metadata.isEmpty()) {
            ObjectNode m = header.putObject(METADATA);
            new TreeMap<>(metadata).forEach(m::put);          // the same bytes whatever the map
        }
        long at = 0;
        for (Tensor t : tensors) {
            if (header.has(t.name())) {
                throw new BadData(file, "two tensors are named '" + Said.of(t.name()) + "'");
            }
            ObjectNode entry = header.putObject(t.name());
            entry.put("dtype", t.format());
            Arrays.stream(t.shape()).forEach(entry.putArray("shape")::add);
            long end = at + t.bytes();
            entry.putArray("data_offsets").add(at).add(end);
            at = end;
        }
        byte[] text = Json.compact(header);
        int padded = (text.length + 7) / 8 * 8;
        ByteBuffer front = ByteBuffer.allocate(LENGTH_BYTES + padded).order(ByteOrder.LITTLE_ENDIAN).putLong(padded).put(text);
        while (front.hasRemaining()) {
            front.put((byte) ' ');
        }
        AtomicFiles.make(file, part -> {
            try (FileChannel out = FileChannel.open(part, StandardOpenOption.WRITE, StandardOpenOption.CREATE,
                    StandardOpenOption.TRUNCATE_EXISTING)) {
                writeAll(out, front.flip());
                for (Tensor t : tensors) {
                    t.raw(b -> writeAll(out, b));
                }
            }
        });
    }

    private static void writeAll(FileChannel out, ByteBuffer b) {
        try {
            while (b.hasRemaining()) {
                out.write(b);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
