package lab.recall.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import lab.recall.Golden;
import lab.recall.base.BadData;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What recall.json says, what stands where it says nothing, and what goes along when a model is saved. */
class ModelFactsTest {
    private static final ModelFacts.Edits PUBLISHED = new ModelFacts.Edits(null, null);

    @TempDir
    Path dir;

    private ModelFacts read(String text) throws IOException {
        Files.writeString(dir.resolve("recall.json"), text.replace('\'', '"'));
        return ModelFacts.read(dir);
    }

    @Test
    void theModelsThatComeWithTheProject() {
        ModelFacts.Edits wider = new ModelFacts.Edits(6.0, null);
        assertEquals(new ModelFacts("world", true, true, wider), LanguageModel.open("tiny-mamba").facts());
        assertEquals(new ModelFacts("own", true, true, wider), LanguageModel.open("tiny-mamba-unbound").facts());
        assertEquals(new ModelFacts("world", true, true, new ModelFacts.Edits(6.0, 0.01)), LanguageModel.open("tiny-neox").facts());
    }

    @Test
    void whatIsNotSaidIsAsPublished() throws IOException {
        assertEquals(new ModelFacts("lre", false, false, PUBLISHED), LanguageModel.open(Golden.folder("mamba-a-f32")).facts());
        assertEquals(new ModelFacts("lre", false, false, PUBLISHED), ModelFacts.read(dir));
        assertEquals(new ModelFacts("lre", true, false, new ModelFacts.Edits(null, 0.5)),
                read("{'invented_world': true, 'edits': {'ridge': 0.5}}"));
        Files.createDirectory(dir.resolve("relations"));
        assertEquals(new ModelFacts("own", true, false, PUBLISHED), read("{'invented_world': true}"));
        Files.delete(dir.resolve("recall.json"));
        assertEquals(new ModelFacts("own", false, false, PUBLISHED), ModelFacts.read(dir));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "{'relations': 'word'}|relations|'word', expected world or lre or own; did you mean 'world'?",
        "{'relations': 3}|relations|3, expected a text",
        "{'relations': null}|relations|missing",
        "{'relations': 'own'}|relations|'own', but no folder relations is beside it",
        "{'invented': true}|invented|unknown field; known here are blank_before_stop, edits, invented_world, relations. "
                + "Did you mean 'invented_world'?",
        "{'invented_world': 'yes'}|invented_world|'yes', expected true or false",
        "{'blank_before_stop': 1}|blank_before_stop|1, expected true or false",
        "{'edits': 6}|edits|6, expected an object with clamp_norm_factor, ridge",
        "{'edits': {'clamp': 6}}|edits.clamp|unknown field; known here are clamp_norm_factor, ridge",
        "{'edits': {'clamp_norm_factor': -1}}|edits.clamp_norm_factor|-1.0, expected a finite number of at least 0.0",
        "{'edits': {'ridge': 'x'}}|edits.ridge|'x', expected a number",
        "[]||not a JSON object",
        "{'relations'||not JSON"})
    void aWrongFieldIsNamed(String text, String place, String reason) throws IOException {
        Files.copy(Golden.folder("mamba-a-f32").resolve("config.json"), dir.resolve("config.json"));
        Files.copy(Golden.folder("mamba-a-f32").resolve("model.safetensors"), dir.resolve("model.safetensors"));
        Files.writeString(dir.resolve("recall.json"), text.replace('\'', '"'));
        BadData said = assertThrows(BadData.class, () -> LanguageModel.open(dir));
        assertEquals(dir.resolve("recall.json").toString(), said.file());
        assertEquals(place == null ? "" : place, said.place());
        assertEquals(reason, said.reason().replace('"', '\'').replaceAll(" \\(.*", ""));
    }

    @Test
    void relationsOfItsOwnAreNotPassedOver() throws IOException {
        Files.createDirectory(dir.resolve("relations"));
        BadData said = assertThrows(BadData.class, () -> read("{'relations': 'world'}"));
        assertEquals("'world', but the folder relations is beside it; expected 'own', or no such folder", said.reason());
    }

    private static Set<String> files(Path folder) throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            return all.filter(Files::isRegularFile).map(f -> folder.relativize(f).toString()).collect(Collectors.toSet());
        }
    }

    /** What a saved model has of its own goes along, and again when that one is saved. */
    @ParameterizedTest
    @ValueSource(strings = {"tiny-mamba", "tiny-neox", "tiny-mamba-unbound"})
    void theyGoAlong(String name) throws IOException {
        LanguageModel model = LanguageModel.open(name);
        model.save(dir.resolve("once"));
        LanguageModel.open(dir.resolve("once")).save(dir.resolve("twice"));
        Set<String> kept = files(model.folder()).stream()
                .filter(f -> f.endsWith(".json") || f.equals("model.safetensors")).collect(Collectors.toSet());
        for (String copy : new String[] {"once", "twice"}) {
            Path folder = dir.resolve(copy);
            assertEquals(model.facts(), LanguageModel.open(folder).facts());
            assertEquals(kept, files(folder));
            for (String file : kept) {
                if (file.equals("recall.json") || file.startsWith("relations")) {
                    assertArrayEquals(Files.readAllBytes(model.folder().resolve(file)), Files.readAllBytes(folder.resolve(file)), file);
                }
            }
        }
    }

    @Test
    void aModelWithoutAFileIsSavedWithOne() {
        LanguageModel model = LanguageModel.open(Golden.folder("neox-a-f32"));
        LanguageModel.open("tiny-neox").save(dir);
        model.save(dir);
        assertEquals(model.facts(), LanguageModel.open(dir).facts(), "the earlier model's do not stay");
    }

    @Test
    void savedOverItselfItStays() throws IOException {
        LanguageModel.open("tiny-mamba-unbound").save(dir);
        Set<String> before = files(dir);
        LanguageModel.open(dir).save(dir);
        assertEquals(before, files(dir));
    }

    /** They would become the saved model's. */
    @ParameterizedTest
    @ValueSource(strings = {"tiny-mamba", "tiny-mamba-unbound"})
    void othersRelationsAreNotTakenOver(String name) throws IOException {
        Path other = Files.createDirectory(dir.resolve("relations")).resolve("city_in_country.json");
        Files.writeString(other, "{}");
        LanguageModel model = LanguageModel.open(name);
        BadData said = assertThrows(BadData.class, () -> model.requireSavable(dir));
        assertEquals(dir.resolve("relations") + ": holds other relations than those of " + name + "; save it to a folder without them",
                said.getMessage());
        assertEquals(said.getMessage(), assertThrows(BadData.class, () -> model.save(dir)).getMessage());
        assertEquals(Set.of("relations/city_in_country.json"), files(dir), "nothing is written");
        assertEquals("{}", Files.readString(other));
    }
}
