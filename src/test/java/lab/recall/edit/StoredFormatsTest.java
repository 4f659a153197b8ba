package lab.recall.edit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import lab.recall.Golden;
import lab.recall.base.BadRequest;
import lab.recall.base.Json;
import lab.recall.checkpoint.DType;
import lab.recall.checkpoint.Rounding;
import lab.recall.model.EditableMatrix;
import lab.recall.model.LanguageModel;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Edited models that are saved in the formats of their files, and edits that are taken back there. */
class StoredFormatsTest {
    private static final int LAYER = 1;

    private static RankOneEdit edit(LanguageModel model, EditableMatrix matrix) {
        Random random = new Random(4);
        double[] u = random.doubles(model.width(matrix.key()), -1, 1).toArray();
        double[] left = random.doubles(model.width(matrix.value()), -0.1, 0.1).toArray();
        return new RankOneEdit(LAYER, matrix, u, left, left, u);
    }

    private static float[] rounded(DType dtype, float[] values) {
        float[] copy = values.clone();
        Rounding.round(dtype, copy);
        return copy;
    }

    @ParameterizedTest
    @CsvSource({"mamba-b-bf16-untied, BF16, bfloat16", "mamba-c-f16-sharded, F16, float16", "neox-c-bf16, BF16, bfloat16",
        "neox-b-seq-f16-sharded, F16, float16", "mamba-a-f32, F32, float32"})
    void savedAsStored(String name, DType dtype, String word, @TempDir Path dir) throws IOException {
        LanguageModel model = LanguageModel.open(Golden.folder(name));
        EditableMatrix matrix = model.outputMatrix();
        RankOneEdit edit = edit(model, matrix);
        LanguageModel edited = edit.applyTo(model);
        edited.saveAsStored(dir.resolve("saved"));
        LanguageModel saved = LanguageModel.open(dir.resolve("saved"));

        assertEquals(dtype, matrix.storedAs(saved, LAYER));
        assertArrayEquals(rounded(dtype, matrix.rows(edited, LAYER)), matrix.rows(saved, LAYER));
        assertEquals(word, Json.object(dir.resolve("saved/config.json")).path("torch_dtype").asText());
        assertTrue(Files.size(dir.resolve("saved/model.safetensors")) < model.parameters() * dtype.bytes() + 20_000, "as large as before");
        assertEquals(model.weights().size(), saved.weights().size());
        LanguageModel.open(dir.resolve("saved")).weights().forEach((weight, values) -> {
            if (!weight.contains("layers." + LAYER + ".")) {
                assertArrayEquals(model.weight(weight), values, weight);
            }
        });

        EditFile file = edit.changeAsStored(model);
        file.write(dir.resolve("change"));
        EditFile read = EditFile.read(dir.resolve("change"));
        assertArrayEquals(matrix.rows(saved, LAYER), matrix.rows(read.apply(model), LAYER), "applied to the model before");
        assertArrayEquals(matrix.rows(model, LAYER), matrix.rows(read.revert(saved), LAYER), "taken back from the saved one");
        if (dtype != DType.F32) {
            assertThrows(BadRequest.class, () -> edit.change(model).revert(saved), "made for weights in f32");
        }
    }

    @ParameterizedTest
    @CsvSource({"mamba-b-bf16-untied", "mamba-c-f16-sharded"})
    void savedInF32(String name, @TempDir Path dir) {
        LanguageModel model = LanguageModel.open(Golden.folder(name));
        LanguageModel edited = edit(model, model.outputMatrix()).applyTo(model);
        edited.save(dir.resolve("saved"));
        LanguageModel saved = LanguageModel.open(dir.resolve("saved"));
        edited.weights().forEach((weight, values) -> {
            assertEquals(DType.F32, saved.storedAs(weight));
            assertArrayEquals(values, saved.weight(weight), weight);
        });
    }
}
