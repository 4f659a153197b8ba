package lab.recall.edit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import lab.recall.Golden;
import lab.recall.base.Json;
import lab.recall.base.Progress;
import lab.recall.base.RequestReader;
import lab.recall.facts.Relations;
import lab.recall.model.LanguageModel;
import lab.recall.study.Experiment;
import lab.recall.study.Requests;
import lab.recall.study.Runner;
import lab.recall.study.Studies;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A saved model is asked and edited as the one that was saved: what decides that stands in its folder. */
class SavedModelTest {
    private static final String FACT = "'subject': 'Dosith Stadium', 'prompt': '{} is located in the city of', 'target': 'Stathburg'";

    @TempDir
    Path dir;

    @BeforeAll
    static void noStore() {
        System.setProperty("recall.store", "none");
    }

    private static ObjectNode json(String fields) {
        return Json.object(("{" + fields.replace('\'', '"') + "}").getBytes(StandardCharsets.UTF_8), "the request");
    }

    private static String complete(String experiment, String fields, LanguageModel model) {
        return complete(Studies.named(experiment), json(fields), model);
    }

    private static <Q extends Record> String complete(Experiment<Q, ?> experiment, ObjectNode fields, LanguageModel model) {
        return Json.tree(experiment.complete(model, RequestReader.read(fields, experiment.request()))).toString();
    }

    private static void same(LanguageModel model, LanguageModel saved) {
        assertEquals(EditSettings.of(model), EditSettings.of(saved));
        assertEquals(ContextTemplates.of(model, 6, 1, Runner.silent()), ContextTemplates.of(saved, 6, 1, Runner.silent()));
        assertEquals(Relations.of(model).all(), Relations.of(saved).all());
        assertEquals(MomentTexts.of(model, 50, 1).digest(), MomentTexts.of(saved, 50, 1).digest());
        assertEquals(complete("edit", FACT, model), complete("edit", FACT, saved));
        assertEquals(complete("edit_sweep", "", model), complete("edit_sweep", "", saved));
    }

    @ParameterizedTest
    @ValueSource(strings = {"tiny-mamba", "tiny-neox", "tiny-mamba-unbound"})
    void asTheOneThatWasSaved(String name) {
        LanguageModel model = LanguageModel.open(name);
        model.save(dir.resolve("once"));
        same(model, LanguageModel.open(dir.resolve("once")));
        LanguageModel.open(dir.resolve("once")).save(dir.resolve("twice"));
        same(model, LanguageModel.open(dir.resolve("twice")));
    }

    /** By a request, as the command does it. */
    @Test
    void anEditedOneToo() {
        Path edited = dir.resolve("edited");
        new Requests().ask(json("'experiment': 'edit', 'model': 'tiny-mamba', 'contexts': 0, 'covariance': 'identity', "
                + "'hyperparameters': {'steps': 2}, " + FACT).put("save", edited.toString()), Progress.silent());
        LanguageModel model = LanguageModel.open("tiny-mamba");
        LanguageModel saved = LanguageModel.open(edited);
        String weight = "backbone.layers." + model.profile().editLayer(model) + ".mixer.out_proj.weight";
        assertFalse(Arrays.equals(model.weight(weight), saved.weight(weight)), "edited");
        same(model.with(weight, saved.weight(weight)), saved);
    }

    @Test
    void itsOwnFolderIsRefused() throws IOException {
        LanguageModel.open("tiny-mamba").save(dir.resolve("own"));
        byte[] before = Files.readAllBytes(dir.resolve("own/model.safetensors"));
        LanguageModel own = LanguageModel.open(dir.resolve("own"));
        String save = "'covariance': 'identity', 'contexts': 0, " + FACT + ", 'save': '" + dir.resolve("own/../own") + "'";
        String said = assertThrows(IllegalArgumentException.class, () -> complete("edit", save, own)).getMessage();
        assertTrue(said.contains("is the folder of own itself, which would be replaced"), said);
        assertArrayEquals(before, Files.readAllBytes(dir.resolve("own/model.safetensors")));
    }

    /** What decides for the models that come with the project, and for all others. */
    @Test
    void settingsAndContexts() {
        LanguageModel mamba = LanguageModel.open("tiny-mamba");
        assertEquals(EditSettings.PUBLISHED.withClamp(6), EditSettings.of(mamba));
        assertEquals(EditSettings.PUBLISHED.withClamp(6).withRidge(0.01), EditSettings.of(LanguageModel.open("tiny-neox")));
        assertEquals(EditSettings.PUBLISHED, EditSettings.of(LanguageModel.open(Golden.folder("mamba-a-f32"))));
        assertEquals(EditSettings.PUBLISHED, EditSettings.of(LanguageModel.open(Golden.folder("neox-a-f32"))));
        assertTrue(ContextTemplates.of(mamba, 6, 1, Runner.silent()).stream().skip(1).allMatch(c -> c.text().endsWith(" . {}")));
    }

    @Test
    void withoutTheFileItIsAsAPublishedOne() throws IOException {
        LanguageModel.open("tiny-neox").save(dir);
        Files.delete(dir.resolve("recall.json"));
        LanguageModel model = LanguageModel.open(dir);
        assertEquals(EditSettings.PUBLISHED, EditSettings.of(model));
        assertEquals(Relations.lre().all(), Relations.of(model).all());
        assertTrue(ContextTemplates.of(model, new int[][] {model.prompt("People in Malpolis").ids()}).get(1).text()
                .endsWith("People in Malpolis. {}"));
    }
}
