package lab.recall.linear;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CancellationException;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import lab.recall.base.BadRequest;
import lab.recall.base.Json;
import lab.recall.base.Progress;
import lab.recall.base.RequestReader;
import lab.recall.facts.Relation;
import lab.recall.facts.Relations;
import lab.recall.model.Jacobian;
import lab.recall.model.LanguageModel;
import lab.recall.study.Experiment;
import lab.recall.study.GivenPrompt;
import lab.recall.study.Requests;
import lab.recall.study.Result;
import lab.recall.study.Runner;
import lab.recall.study.Store;
import lab.recall.text.DataFolder;
import lab.recall.view.Export;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Linear relations as pieces, requests and results: what is data, and what is found again. */
class LinearStudyTest {
    private static LanguageModel mamba;

    @TempDir
    Path dir;

    @BeforeAll
    static void open() {
        System.setProperty("recall.store", "none");
        mamba = LanguageModel.open("tiny-mamba");
    }

    private static ObjectNode json(String text) {
        return Json.object(text.replace('\'', '"').getBytes(StandardCharsets.UTF_8), "request");
    }

    private static <T> T again(T value, Class<T> type) throws IOException {
        return Json.MAPPER.readValue(Json.compact(value), type);
    }

    private static LinearSweep sweep() {
        return LinearSweep.of(mamba).zeroShot().splits(2).facts(8).layers(Jacobian.EMBED, 4).ranks(4, 16);
    }

    @Test
    void requestsAsJsonAndBack() throws IOException {
        for (String q : new String[] {"{}", "{'ranks':[4,16],'prompt':'zero-shot','mode':'published'}",
            "{'faithfulness_only':true,'ranks':[]}"}) {
            LreSweepRequest request = RequestReader.read(json(q), LreSweepRequest.class);
            assertEquals(request, again(request, LreSweepRequest.class));
        }
        GivenPrompt prompt = new GivenPrompt(null, List.of(1, 2, 3));
        for (SourceLayer layer : List.of(SourceLayer.of(3), SourceLayer.embedding())) {
            JacobianRequest jacobian = new JacobianRequest(prompt, layer, 1);
            assertEquals(jacobian, again(jacobian, JacobianRequest.class));
            List<LreRequest.Example> examples = List.of(new LreRequest.Example(prompt, 2), new LreRequest.Example(prompt, 0));
            LreRequest lre = new LreRequest(examples, layer, 1.5, examples.subList(1, 2), null);
            assertEquals(lre, again(lre, LreRequest.class));
        }
        assertEquals("\"embed\"", new String(Json.compact(SourceLayer.embedding()), StandardCharsets.UTF_8));
        assertEquals("\"10-\"", new String(Json.compact(new Marks("10-")), StandardCharsets.UTF_8));
    }

    @Test
    void resultsAsJsonAndBack() throws IOException {
        sameAgain(new LreSweepExperiment(),
                "{'relation':'city_in_country','prompt':'zero-shot','every':4,'facts':8,'ranks':[4,16],'splits':2}");
        sameAgain(new LreSweepExperiment(),
                "{'relations':'lre','relation':'country_largest_city','prompt':'zero-shot','every':4,'splits':1}");
        sameAgain(new JacobianExperiment(), "{'prompt':{'ids':[1,2,3]},'layer':'embed','token':1}");
        sameAgain(new LreExperiment(), "{'samples':[{'prompt':{'ids':[1,2,3]},'token':1}],'layer':3,'beta':2,"
                + "'tests':[{'prompt':{'ids':[3,4]},'token':0}],'rank':4}");
    }

    private static <Q extends Record, T extends Result> void sameAgain(Experiment<Q, T> experiment, String fields) throws IOException {
        Q request = experiment.complete(mamba, RequestReader.read(json(fields), experiment.request()));
        T result = experiment.run(mamba, request, Runner.silent());
        T again = again(result, experiment.result());
        assertEquals(result, again);
        assertEquals(result.hashCode(), again.hashCode());
        assertEquals(result.arrays(), again.arrays());
        assertEquals(Json.tree(result.scalars()), Json.tree(again.scalars()));
        assertArrayEquals(bytes(result), bytes(again));
    }

    /** All files of its views. */
    private static byte[] bytes(Result result) {
        TreeMap<String, String> all = new TreeMap<>();
        result.views().forEach(v -> Export.files(v.name(), v.view())
                .forEach((name, b) -> all.put(name, Arrays.hashCode(b) + " " + b.length)));
        return Json.compact(all);
    }

    /** In any order, each piece and each result as JSON and back: the same as the plain run. */
    @Test
    void piecesStandForThemselves() throws IOException {
        Relations some = Relations.world();
        LinearStudy study = new LinearStudy();
        LinearStudy.Asked asked = new LinearStudy.Asked(sweep().asked(some).settings(), 2,
                List.of(some.get("city_in_country"), some.get("country_currency"), Relations.lre().get("country_largest_city")));
        List<LinearStudy.Piece> pieces = study.plan(mamba, asked, Runner.silent());
        assertEquals(6, pieces.size());
        assertEquals(pieces, study.plan(mamba, asked, Runner.silent()));
        List<Integer> order = new ArrayList<>(IntStream.range(0, pieces.size()).boxed().toList());
        Collections.shuffle(order, new Random(7));
        Trial[][] found = new Trial[pieces.size()][];
        for (int i : order) {
            LinearStudy.Piece piece = again(pieces.get(i), LinearStudy.Piece.class);
            assertEquals(pieces.get(i), piece);
            Trial[] value = study.compute(mamba, asked, piece, done -> { });
            found[i] = again(value, Trial[].class);
            assertArrayEquals(value, found[i]);
            assertTrue(study.fits(mamba, asked, pieces.get(i), found[i]));
        }
        assertFalse(study.fits(mamba, asked, pieces.get(0), new Trial[0]));
        assertFalse(study.fits(mamba, asked, pieces.get(0), new Trial[] {null}));
        Trial t = found[0][0];
        Trial withoutEdits = new Trial(t.asked(), t.tests(), t.constant(), t.faithful(), List.of());
        assertFalse(study.fits(mamba, asked, pieces.get(0), new Trial[] {withoutEdits}));
        Trial ofOneLayer = new Trial(t.asked(), t.tests(), t.constant(), t.faithful().subList(1, 2), t.causal());
        assertFalse(study.fits(mamba, asked, pieces.get(0), new Trial[] {ofOneLayer}));
        assertEquals(Runner.silent().run(study, mamba, asked), study.combine(mamba, asked, pieces, List.of(found)));
    }

    /** Two stores give the same; what is kept is found again, more splits too; another setting finds nothing. */
    @Test
    void whatIsKeptIsFoundAgain() {
        Relations one = Relations.world().only("city_in_country");
        LinearRelations plain = sweep().over(one, Runner.silent());
        for (String name : new String[] {"a", "b"}) {
            assertEquals(plain, sweep().over(one, Runner.of(Store.at(dir.resolve(name)), Store.none(), Progress.silent())));
        }
        assertEquals(2, taken(sweep(), one));
        assertEquals(plain, sweep().over(one, Runner.of(Store.at(dir.resolve("a")), Store.none(), Progress.silent())));
        assertEquals(2, taken(sweep().splits(3), one));
        assertEquals(0, taken(sweep().seed(2), one));
        assertEquals(0, taken(sweep().layers(4), one));
    }

    private int taken(LinearSweep sweep, Relations relations) {
        Runner runner = Runner.of(Store.at(dir.resolve("a")), Store.none(), Progress.silent());
        sweep.over(relations, runner);
        return runner.taken();
    }

    /** Interrupts its thread after so many steps, as Ctrl-C would then. */
    private static final class Impatient implements Progress {
        private final long steps;

        private Impatient(long steps) {
            this.steps = steps;
        }

        @Override
        public void start(String task, String unit, long total) {
            // nothing to tell
        }

        @Override
        public void to(long done) {
            if (done >= steps) {
                Thread.currentThread().interrupt();
            }
        }

        @Override
        public void finish() {
            // nothing to tell
        }
    }

    private void interrupted(ObjectNode request, Path out, long steps) {
        assertThrows(CancellationException.class, () -> new Requests().run(request, out, false, new Impatient(steps)));
        assertTrue(Thread.interrupted());
        assertFalse(Files.exists(out.resolve("result.json")));
    }

    private static TreeMap<String, String> files(Path folder) throws IOException {
        TreeMap<String, String> all = new TreeMap<>();
        try (Stream<Path> files = Files.list(folder)) {
            for (Path f : files.filter(Files::isRegularFile).toList()) {
                String text = new String(Files.readAllBytes(f), StandardCharsets.ISO_8859_1);
                all.put(f.getFileName().toString(), text.replaceAll("\"\\w*seconds\" : [^\n]*", ""));
            }
        }
        return all;
    }

    @Test
    void anInterruptedRunGoesOnAndGivesTheSame() throws IOException {
        ObjectNode request = json("{'experiment':'lre_sweep','model':'tiny-mamba','relation':'country_language','prompt':'zero-shot',"
                + "'every':4,'facts':8}");
        new Requests().run(request, dir.resolve("whole"), false, Progress.silent());
        Path resumed = dir.resolve("resumed");
        interrupted(request, resumed, 12);                      // 8 steps a split
        Requests.Done<?> done = new Requests().run(request.deepCopy().put("threads", 1), resumed, false, Progress.silent());
        assertEquals(1, done.taken());
        assertEquals(files(dir.resolve("whole")), files(resumed));
    }

    /** A relation that was changed in between: the result is that of the new one, whatever was kept of the old. */
    @Test
    void changedRelationsMeetNoOldPiece() throws IOException {
        Path relations = Files.createDirectories(dir.resolve("relations"));
        for (String name : new String[] {"city_in_country", "country_language"}) {
            Files.copy(DataFolder.find("world").resolve(name + ".json"), relations.resolve(name + ".json"));
        }
        ObjectNode request = json("{'experiment':'lre_sweep','model':'tiny-mamba','prompt':'zero-shot','every':4,'facts':8,'splits':2,"
                + "'ranks':[4]}");
        request.put("relations", relations.toString());
        Path resumed = dir.resolve("resumed");
        interrupted(request, resumed, 26);                      // within the last of 4 splits
        Path file = relations.resolve("city_in_country.json");
        ObjectNode changed = Json.object(file);
        List<Object> samples = Json.MAPPER.convertValue(changed.get("samples"), new TypeReference<>() { });
        changed.set("samples", Json.tree(samples.subList(3, samples.size())));
        Files.write(file, Json.pretty(changed));
        Requests.Done<?> done = new Requests().run(request, resumed, false, Progress.silent());
        assertEquals(1, done.taken(), "the other relation's first split");
        new Requests().run(request, dir.resolve("whole"), false, Progress.silent());
        assertEquals(files(dir.resolve("whole")), files(resumed));
    }

    /** Objects and templates are part of a piece, what it does not read is not. */
    @Test
    void aPieceIsWhatItsPromptsAreMadeOf() {
        Relation r = Relations.world().get("city_in_country");
        LinearStudy.Settings settings = sweep().asked(Relations.world()).settings();
        LinearStudy.Piece piece = LinearStudy.Piece.of(settings, r, 0);
        assertEquals(5, piece.training().size());
        assertTrue(piece.candidates().size() <= 4 * 8);
        assertTrue(piece.candidates().stream().allMatch(c -> r.facts().get(c.number()).equals(c.fact())));
        assertNotEquals(piece, LinearStudy.Piece.of(settings, r, 1));
        Relation otherwiseSaid = new Relation(r.name(), "thing", r.templates(), List.of(), r.template(), r.facts());
        assertEquals(piece, LinearStudy.Piece.of(settings, otherwiseSaid, 0));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "-1|layer: -1, expected \"embed\" or a whole number of at least 0",
        "'top'|layer: 'top', expected \"embed\" or a whole number", "true|layer: true, expected",
        "1.5|layer: 1.5, expected", "8|layer: 8, expected a whole number from 0 to 7", "null|layer: missing"})
    void aLayerIsANumberOrEmbed(String layer, String why) {
        BadRequest refused = assertThrows(BadRequest.class, () -> new JacobianExperiment().complete(mamba,
                RequestReader.read(json("{'prompt':{'ids':[1]},'token':0,'layer':" + layer + "}"), JacobianRequest.class)));
        assertTrue(refused.getMessage().startsWith(why), refused.getMessage());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "'samples':[]|samples: expected a list of at least one", "'samples':[null]|samples[0]: null, expected",
        "'samples':[{'token':0}]|samples[0].prompt: missing",
        "'samples':[{'prompt':{'ids':[1,2]},'token':2}]|samples[0].token: 2, expected a whole number from 0 to 1",
        "'samples':[{'prompt':{'ids':[1,2]},'token':1,'nope':1}]|samples[0].nope: unknown field",
        "'beta':'x'|beta: ", "'rank':65|rank: 65, expected a whole number from 1 to 64"})
    void badExamplesAreOneSentence(String field, String why) {
        ObjectNode fields = json("{'samples':[{'prompt':{'ids':[1,2]},'token':1}],'layer':0,'beta':1,"
                + "'tests':[{'prompt':{'ids':[1,2]},'token':1}]}");
        fields.setAll(json("{" + field + "}"));
        LreExperiment experiment = new LreExperiment();
        BadRequest refused = assertThrows(BadRequest.class, () -> experiment.complete(mamba, RequestReader.read(fields, LreRequest.class)));
        assertTrue(refused.getMessage().startsWith(why), refused.getMessage());
    }
}
