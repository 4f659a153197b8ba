package lab.recall.study;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.stream.Stream;
import lab.recall.SystemProperty;
import lab.recall.model.LanguageModel;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelDigestTest {
    @TempDir
    Path dir;
    private String before;

    @BeforeEach
    void ownStore() {
        before = SystemProperty.set("recall.store", dir.resolve("store").toString());
    }

    @AfterEach
    void giveBack() {
        SystemProperty.set("recall.store", before);
    }

    private Path copy() throws IOException {
        Path folder = Files.createDirectories(dir.resolve("model"));
        try (Stream<Path> files = Files.list(LanguageModel.open("tiny-mamba").folder())) {
            for (Path f : files.filter(Files::isRegularFile).toList()) {
                Files.copy(f, folder.resolve(f.getFileName()));
            }
        }
        return folder;
    }

    private static void age(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            for (Path f : files.toList()) {
                Files.setLastModifiedTime(f, FileTime.fromMillis(1_000_000_000_000L));
            }
        }
    }

    @Test
    void theSameFilesAreTheSameModelWhereverTheyAre() throws IOException {
        assertEquals(ModelDigest.of(LanguageModel.open("tiny-mamba")), ModelDigest.of(LanguageModel.open(copy())));
    }

    @Test
    void anotherByteIsAnotherModelThoughSizeAndTimeStay() throws IOException {
        Path folder = copy();
        age(folder);
        String first = ModelDigest.of(LanguageModel.open(folder));
        Path weights = folder.resolve("model.safetensors");
        byte[] bytes = Files.readAllBytes(weights);
        bytes[bytes.length - 1] ^= 1;
        Files.write(weights, bytes);
        age(folder);
        assertNotEquals(first, ModelDigest.of(LanguageModel.open(folder)), "the change time tells");
    }

    @Test
    void theTokenizerIsPartOfIt() throws IOException {
        Path folder = copy();
        String first = ModelDigest.of(LanguageModel.open(folder));
        Files.writeString(folder.resolve("tokenizer.json"), Files.readString(folder.resolve("tokenizer.json")) + "\n");
        assertNotEquals(first, ModelDigest.of(LanguageModel.open(folder)));
    }

    @Test
    void whatIsKeptOfOldFilesIsTheSame() throws IOException, InterruptedException {
        Path folder = copy();
        String first = ModelDigest.of(LanguageModel.open(folder));
        Thread.sleep(2_100);                // young files are not kept
        assertEquals(first, ModelDigest.of(LanguageModel.open(folder)));
        assertNotEquals(0, Store.user().size());
        assertEquals(first, ModelDigest.of(LanguageModel.open(folder)));
    }

    @Test
    void changedWeightsAreAnotherModelAndTheOldOnesThisOne() {
        LanguageModel model = LanguageModel.open("tiny-neox");
        String weight = model.weights().keySet().stream().filter(n -> n.contains("layers.1.")).findFirst().orElseThrow();
        float[] values = model.weight(weight);
        float[] changed = values.clone();
        changed[3] += 1;
        assertNotEquals(ModelDigest.of(model), ModelDigest.of(model.with(weight, changed)));
        assertEquals(ModelDigest.of(model.with(weight, changed)), ModelDigest.of(model.with(weight, changed.clone())));
    }
}
