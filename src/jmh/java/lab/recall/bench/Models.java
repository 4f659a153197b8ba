package lab.recall.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Random;
import lab.recall.model.LanguageModel;

/** The models of the bench: real shapes with random weights, made in a folder where they are missing, and the project's small ones. */
record Models(Path folder) {
    /** Opens "mamba-130m BF16", which has random weights; or "tiny-mamba F32" or "smollm2-135m Q4_1", which were trained. */
    LanguageModel open(String name) throws IOException {
        return name.startsWith("tiny-") || name.endsWith(" Q4_1") ? LanguageModel.open(shape(name)) : LanguageModel.open(checkpoint(name));
    }

    /** The folder of random weights. */
    Path checkpoint(String name) throws IOException {
        String dtype = name.substring(name.indexOf(' ') + 1);
        return RandomCheckpoint.make(shape(name), folder.resolve(shape(name) + "-" + dtype.toLowerCase(Locale.ROOT)), dtype);
    }

    static String shape(String name) {
        return name.contains(" ") ? name.substring(0, name.indexOf(' ')) : name;
    }

    static int[] ids(LanguageModel model, int tokens, long seed) {
        return new Random(seed).ints(tokens, 0, model.vocabulary()).toArray();
    }

    /** Multiply-adds of the matrix products, times two: tokens through all layers, and some through the head. */
    static double flops(LanguageModel model, int tokens, int heads) {
        return 2 * (tokens * products(model) * model.layers() + heads * (double) model.width() * model.vocabulary());
    }

    /** Bytes of the packed weights of all layers and the head. */
    static long weightBytes(LanguageModel model, String name) {
        return Math.round(products(model) * model.layers() * bytes(name)) + headBytes(model, name);
    }

    /** Those of the head alone. */
    static long headBytes(LanguageModel model, String name) {
        return (long) model.width() * model.vocabulary() * bytes(name);
    }

    private static int bytes(String name) {
        return name.endsWith("F32") ? Float.BYTES : Short.BYTES;
    }

    /** Weights of a layer's products. */
    private static double products(LanguageModel model) {
        double all = 0;
        for (String matrix : model.layerMatrices()) {
            long[] shape = model.shapeOf(matrix);
            all += (double) shape[0] * shape[1];
        }
        return all / model.layers();
    }
}
