package lab.recall.sweep;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import lab.recall.base.BadRequest;
import lab.recall.base.Json;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SweepTest {
    private static final String TWO = "{'models':['tiny-mamba','a/b-c'],'studies':{"
            + "'where':{'experiment':'trace','pairs':6,'settings':{'window':[1,5]}},"
            + "'read':{'experiment':'knockout','form':'edges'}},'settings':{'seed':[1,2]}}";

    @TempDir
    Path dir;

    private static ObjectNode json(String text) {
        return Json.object(text.replace('\'', '"').getBytes(StandardCharsets.UTF_8), "the sweep");
    }

    private static List<SweepRequest> plan(String text) {
        return Sweep.read(json(text)).plan();
    }

    @Test
    void everyStudyIsAskedOfEveryModelWithEveryCombination() {
        List<SweepRequest> plan = plan(TWO);
        assertEquals(List.of("tiny-mamba, where, seed=1, window=1", "tiny-mamba, where, seed=1, window=5",
                "tiny-mamba, where, seed=2, window=1", "tiny-mamba, where, seed=2, window=5", "tiny-mamba, read, seed=1",
                "tiny-mamba, read, seed=2", "a/b-c, where, seed=1, window=1", "a/b-c, where, seed=1, window=5",
                "a/b-c, where, seed=2, window=1", "a/b-c, where, seed=2, window=5", "a/b-c, read, seed=1", "a/b-c, read, seed=2"),
                plan.stream().map(SweepRequest::toString).toList());
        assertEquals(json("{'experiment':'trace','model':'tiny-mamba','pairs':6,'seed':2,'window':5}"), plan.get(3).request());
        assertEquals(json("{'experiment':'knockout','model':'a/b-c','form':'edges','seed':1}"), plan.get(10).request());
        assertEquals(plan.size(), new HashSet<>(plan.stream().map(SweepRequest::folder).toList()).size());
        assertTrue(plan.get(10).folder().matches("b-c-read-[0-9a-f]{12}"), plan.get(10).folder());
    }

    @Test
    void withoutSettingsEachStudyIsAskedOnce() {
        List<SweepRequest> plan = plan("{'models':['m'],'studies':{'one':{'experiment':'trace'}}}");
        assertEquals(List.of("m, one"), plan.stream().map(SweepRequest::toString).toList());
    }

    @Test
    void theOrderOfFieldsMakesNoOtherRequest() {
        assertEquals(plan("{'models':['m'],'studies':{'one':{'experiment':'trace','pairs':6,'seed':3}}}").get(0).folder(),
                plan("{'studies':{'one':{'seed':3,'pairs':6,'experiment':'trace'}},'models':['m']}").get(0).folder());
        assertNotEquals(plan("{'models':['m'],'studies':{'one':{'experiment':'trace','pairs':6}}}").get(0).folder(),
                plan("{'models':['m'],'studies':{'one':{'experiment':'trace','pairs':7}}}").get(0).folder());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "{'studies':{'a':{'experiment':'trace'}}} | models: missing",
        "{'models':[],'studies':{'a':{'experiment':'trace'}}} | models: [], expected different values, at least one",
        "{'models':['m','m'],'studies':{'a':{'experiment':'trace'}}} | models: [m, m], expected different values, at least one",
        "{'models':'m','studies':{'a':{'experiment':'trace'}}} | models: \"m\", expected a list",
        "{'models':['m']} | studies: missing",
        "{'models':['m'],'studies':{}} | studies: empty, expected at least one",
        "{'models':['m'],'studies':{'a':{}}} | studies.a.experiment: missing, expected edit_sweep or knockout or lre_sweep or"
            + " path_blocking or trace",
        "{'models':['m'],'studies':{'a b':{'experiment':'trace'}}} | studies: 'a b', expected a name of letters, digits, '_', '.' and '-'",
        "{'models':['m'],'studies':{'a':{'experiment':'tracy'}}} | studies.a.experiment: 'tracy', expected edit_sweep or knockout or"
            + " lre_sweep or path_blocking or trace, which are over many facts; did you mean 'trace'?",
        "{'models':['m'],'studies':{'a':{'experiment':'trace'}},'settings':{'seed':[]}} | settings.seed: [], expected different values, at"
            + " least one",
        "{'models':['m'],'studies':{'a':{'experiment':'trace'}},'settings':{'seed':1}} | settings.seed: 1, expected a list",
        "{'models':['m'],'studies':{'a':{'experiment':'trace','seed':1}},'settings':{'seed':[1]}} | studies.a.seed: stands in the settings"
            + " too, expected in one place",
        "{'models':['m'],'studies':{'a':{'experiment':'trace','settings':{'seed':[2]}}},'settings':{'seed':[1]}} | studies.a.settings.seed:"
            + " stands in the settings of all studies too",
        "{'models':['m'],'studies':{'a':{'experiment':'trace','settings':{'seed':[]}}}} | studies.a.settings.seed: [], expected different"
            + " values, at least one",
        "{'models':['m'],'studies':{'a':{'experiment':'trace','pairs':0}}} | studies.a.pairs: 0, expected a whole number from 1 to 1000000",
        "{'models':['m'],'studies':{'a':{'experiment':'trace','settings':{'pairs':[5,0]}}}} | studies.a.settings.pairs: 0, expected a whole"
            + " number from 1 to 1000000",
        "{'models':['m'],'studies':{'a':{'experiment':'trace'}},'settings':{'pairs':[5,0]}} | settings.pairs: 0, expected a whole number"
            + " from 1 to 1000000 (of studies.a)"})
    void whatIsWrongIsSaidInOneSentence(String text, String sentence) {
        assertEquals(sentence, assertThrows(BadRequest.class, () -> plan(text)).getMessage());
    }

    @Test
    void anUnknownFieldNamesTheNearestKnownOne() {
        assertEquals("modles: unknown field; known here are models, settings, studies. Did you mean 'models'?",
                assertThrows(BadRequest.class, () -> plan("{'modles':['m']}")).getMessage());
        String told = assertThrows(BadRequest.class, () -> plan("{'models':['m'],'studies':{'a':{'experiment':'trace','pears':6}}}"))
                .getMessage();
        assertTrue(told.startsWith("studies.a.pears: unknown field; known here are ") && told.endsWith(" Did you mean 'pairs'?"), told);
        told = assertThrows(BadRequest.class, () -> plan("{'models':['m'],'studies':{'a':{'experiment':'trace','model':'m'}}}"))
                .getMessage();
        assertTrue(told.startsWith("studies.a.model: unknown field"), told);
        told = assertThrows(BadRequest.class, () -> plan("{'models':['m'],'studies':{'a':{'experiment':'trace'}},'settings':{'sead':[1]}}"))
                .getMessage();
        assertTrue(told.startsWith("settings.sead: unknown field") && told.endsWith("Did you mean 'seed'? (of studies.a)"), told);
    }

    @Test
    void aSweepThatHasGrownGoesOnAndAnotherIsRefused() throws IOException {
        Path out = dir.resolve("out");
        List<SweepRequest> plan = plan(TWO);
        SweepFolder.of(out, plan.subList(0, 6), false);
        SweepFolder.of(out, plan, false);
        byte[] kept = Files.readAllBytes(out.resolve("sweep.json"));
        assertEquals("--out: " + out + " holds the work of another sweep; --fresh begins anew, another folder keeps it",
                assertThrows(BadRequest.class, () -> SweepFolder.of(out, plan.subList(1, 6), false)).getMessage());
        assertEquals(Json.MAPPER.readTree(kept), Json.MAPPER.readTree(Files.readAllBytes(out.resolve("sweep.json"))));
        SweepFolder.of(out, plan.subList(1, 6), true);
    }

    @Test
    void theClassPathOfNotebooksHasNoFormats() {
        assertEquals("sweep: needs the class path of Spark; environment/recall sweep has it",
                assertThrows(BadRequest.class, SweepFormats::find).getMessage());
    }

    @Test
    void aTableIsCsv() {
        List<SweepRow> rows = List.of(new SweepRow("m", "a", "seed=1, relations=\"x\"", "faithfulness/r/3", 0.1, Double.NaN, 1e-7, 12),
                new SweepRow("m", "a", "", "p", Double.NaN, Double.NaN, Double.NaN, 0));
        assertEquals("model,study,setting,place,mean,low,high,n\n"
                + "m,a,\"seed=1, relations=\"\"x\"\"\",faithfulness/r/3,0.1,,1.0E-7,12\nm,a,,p,,,,0\n",
                new String(SweepRow.csv(rows), StandardCharsets.UTF_8));
    }
}
