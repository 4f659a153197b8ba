package lab.recall.view;

import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.awt.image.DataBuffer;
import java.awt.image.DataBufferByte;
import java.awt.image.IndexColorModel;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import javax.imageio.stream.ImageOutputStream;
import javax.imageio.stream.MemoryCacheImageOutputStream;

/**
 * Pictures drawn by Java2D, as PNG, at twice their size for sharp text. Each has a palette of the 256 colours that most of its points have,
 * so that pages stay small; a smoothed edge may take its nearest.
 */
final class Png {
    private static final int SCALE = 2;
    private static final int MOST_COLOURS = 256;

    private Png() {
    }

    static byte[] of(int width, int height, Consumer<Graphics2D> drawing) {
        BufferedImage image = new BufferedImage(width * SCALE, height * SCALE, BufferedImage.TYPE_INT_RGB);
        Graphics2D g = image.createGraphics();
        g.scale(SCALE, SCALE);
        drawing.accept(g);
        g.dispose();
        return packed(indexed(image));
    }

    static byte[] packed(BufferedImage image) {
        ImageWriter writer = ImageIO.getImageWritersByFormatName("png").next();
        ImageWriteParam how = writer.getDefaultWriteParam();
        how.setCompressionMode(ImageWriteParam.MODE_EXPLICIT);
        how.setCompressionQuality(0);                       // of time, not of the picture: nothing is lost
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (ImageOutputStream stream = new MemoryCacheImageOutputStream(out)) {
            writer.setOutput(stream);
            writer.write(null, new IIOImage(image, null, null), how);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            writer.dispose();
        }
        return out.toByteArray();
    }

    private static BufferedImage indexed(BufferedImage image) {
        int[] points = image.getRGB(0, 0, image.getWidth(), image.getHeight(), null, 0, image.getWidth());
        Map<Integer, Integer> counts = new HashMap<>();
        for (int from = 0; from < points.length;) {
            int to = from + 1;
            while (to < points.length && points[to] == points[from]) {
                to++;
            }
            counts.merge(points[from], to - from, Integer::sum);
            from = to;
        }
        List<Integer> colours = counts.entrySet().stream()
                .sorted(Map.Entry.<Integer, Integer>comparingByValue(Comparator.reverseOrder()).thenComparing(Map.Entry.comparingByKey()))
                .limit(MOST_COLOURS).map(Map.Entry::getKey).toList();
        int n = colours.size();
        int[] palette = colours.stream().mapToInt(c -> c).toArray();
        Map<Integer, Byte> index = new HashMap<>();
        counts.keySet().forEach(c -> index.put(c, (byte) nearest(palette, c)));
        BufferedImage small = new BufferedImage(image.getWidth(), image.getHeight(), BufferedImage.TYPE_BYTE_INDEXED,
                new IndexColorModel(8, n, palette, 0, false, -1, DataBuffer.TYPE_BYTE));
        byte[] data = ((DataBufferByte) small.getRaster().getDataBuffer()).getData();
        byte last = 0;
        for (int i = 0; i < points.length; i++) {
            last = i > 0 && points[i] == points[i - 1] ? last : index.get(points[i]);
            data[i] = last;
        }
        return small;
    }

    private static int nearest(int[] palette, int colour) {
        int best = 0;
        int least = Integer.MAX_VALUE;
        for (int i = 0; i < palette.length && least > 0; i++) {
            int far = 0;
            for (int shift = 0; shift <= 16; shift += 8) {
                int d = (palette[i] >> shift & 0xff) - (colour >> shift & 0xff);
                far += d * d;
            }
            if (far < least) {
                least = far;
                best = i;
            }
        }
        return best;
    }
}
