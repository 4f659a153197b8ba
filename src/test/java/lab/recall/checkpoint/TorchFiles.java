package lab.recall.checkpoint;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/** Files as PyTorch writes them, from pickles that are written by hand. */
public final class TorchFiles {
    private TorchFiles() {
    }

    /** A zip file of a pickle and of the storage 0. */
    public static byte[] zip(byte[] pickle, byte[] storage) {
        Map<String, byte[]> entries = new LinkedHashMap<>();
        entries.put("archive/data.pkl", pickle);
        entries.put("archive/data/0", storage);
        return zip(entries);
    }

    /** A zip file of entries that are not packed. */
    public static byte[] zip(Map<String, byte[]> entries) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ZipOutputStream out = new ZipOutputStream(bytes)) {
            out.setMethod(ZipOutputStream.STORED);
            for (Map.Entry<String, byte[]> entry : entries.entrySet()) {
                ZipEntry e = new ZipEntry(entry.getKey());
                e.setSize(entry.getValue().length);
                CRC32 crc = new CRC32();
                crc.update(entry.getValue());
                e.setCrc(crc.getValue());
                out.putNextEntry(e);
                out.write(entry.getValue());
                out.closeEntry();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    /** The bytes of a pickle whose operations are letters; others stand as their numbers in Latin-1. */
    public static byte[] pickle(String operations) {
        return ("\u0080\u0002" + operations).getBytes(StandardCharsets.ISO_8859_1);
    }

    /** Operations that push a text. */
    public static String text(String text) {
        return "\u008c" + (char) text.length() + text;
    }

    /** Operations that push a tuple of small numbers. */
    public static String tuple(int... numbers) {
        StringBuilder all = new StringBuilder("(");
        for (int n : numbers) {
            all.append("J").append((char) (n & 0xff)).append((char) (n >> 8 & 0xff)).append((char) (n >> 16 & 0xff))
                    .append((char) (n >> 24 & 0xff));
        }
        return all.append("t").toString();
    }

    /** Operations that push a tensor of the storage 0. */
    public static String tensor(String storageType, int size, String shape, String strides) {
        return "ctorch._utils\n_rebuild_tensor_v2\n((" + text("storage") + "ctorch\n" + storageType + "\n" + text("0") + text("cpu") + "K"
                + (char) size + "tQK\0" + shape + strides + "\u0089ccollections\nOrderedDict\n)RtR";
    }
}
