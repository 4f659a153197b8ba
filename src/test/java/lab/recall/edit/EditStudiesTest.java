package lab.recall.edit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CancellationException;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import lab.recall.base.Json;
import lab.recall.base.Progress;
import lab.recall.base.RequestReader;
import lab.recall.facts.EditRequest;
import lab.recall.facts.EditRequests;
import lab.recall.facts.Relations;
import lab.recall.model.LanguageModel;
import lab.recall.model.block.ScanMatrices;
import lab.recall.study.Experiment;
import lab.recall.study.Requests;
import lab.recall.study.Result;
import lab.recall.study.Runner;
import lab.recall.study.Store;
import lab.recall.study.Study;
import lab.recall.text.Template;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The studies of editing: their pieces anywhere and in any order, kept and found again; requests and results as JSON and back. */
class EditStudiesTest {
    private static final EditSettings FEW = EditSettings.PUBLISHED.withSteps(2);
    private static final List<Template> PLAIN = List.of(new Template("{}"));
    private static LanguageModel mamba;
    /** More than one piece. */
    private static EditRequests requests;
    private static SecondMoments moments;

    @TempDir
    Path dir;

    @BeforeAll
    static void open() {
        System.setProperty("recall.store", "none");
        mamba = LanguageModel.open("tiny-mamba");
        requests = EditRequests.of(Relations.of(mamba), Relations.of(mamba).knownBy(mamba, Runner.silent()), Study.MOST + 2, 1);
        moments = SecondMoments.of(mamba, List.of(5, 6), List.of(ScanMatrices.W_O))
                .over(SecondMoments.texts(mamba, 60, 1), Runner.silent());
    }

    private static EditsStudy.Asked editing(EditRequests some) {
        SecondMoment c = moments.of(6, ScanMatrices.W_O);
        return new EditsStudy.Asked(new EditsStudy.Settings(6, ScanMatrices.W_O, FEW, PLAIN, c.digest()), c, some.all());
    }

    private static EditSweepStudy.Asked sweep(List<EditRequest> some) {
        return EditSweepStudy.Asked.of(new EditSweepStudy.Settings(FEW, PLAIN), List.of(5, 6), List.of(ScanMatrices.W_O), moments, some);
    }

    private static <T> T json(Object value, Class<T> type) {
        try {
            return Json.MAPPER.readValue(Json.compact(value), type);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Every piece by a study of its own, all in random order, each through JSON, every other one kept in a second store: as the plain run.
     */
    private <Q, P, R, T> void anywhere(Supplier<Study<Q, P, R, T>> study, Q asked, int least, Function<T, Object> numbers) {
        Object plain = numbers.apply(Runner.silent().run(study.get(), mamba, asked));
        List<P> pieces = study.get().plan(mamba, asked, Runner.silent());
        assertTrue(pieces.size() >= least, pieces.size() + " pieces");
        List<Integer> order = new ArrayList<>(IntStream.range(0, pieces.size()).boxed().toList());
        Collections.shuffle(order, new Random(3));
        List<Store> stores = List.of(Store.at(dir.resolve("a")), Store.at(dir.resolve("b")));
        for (int i : order) {
            @SuppressWarnings("unchecked")
            P piece = (P) json(pieces.get(i), pieces.get(i).getClass());
            stores.get(i % 2).write("00" + i, study.get().compute(mamba, asked, piece, done -> { }));
        }
        List<R> found = IntStream.range(0, pieces.size())
                .mapToObj(i -> stores.get(i % 2).read("00" + i, study.get().found()).orElseThrow()).toList();
        for (int i = 0; i < found.size(); i++) {
            assertTrue(study.get().fits(mamba, asked, pieces.get(i), found.get(i)), "piece " + i);
        }
        assertEquals(plain, numbers.apply(study.get().combine(mamba, asked, pieces, found)));
    }

    @Test
    void sweepsInAnyOrder() {
        anywhere(EditSweepStudy::new, sweep(requests.all()), 4, c -> c);
    }

    @Test
    void editsInAnyOrder() {
        anywhere(EditsStudy::new, editing(requests), 2, edits -> edits);
    }

    @Test
    void aChainsPiece() {
        anywhere(ChainStudy::new, new ChainStudy.Asked(editing(requests.first(2)), 0, 2), 1, edits -> edits);
    }

    @Test
    void contextsAreAPiece() {
        anywhere(ContextStudy::new, new ContextStudy.Asked(3, 1), 1, contexts -> contexts);
    }

    @Test
    void secondMomentsInAnyOrder() {
        Map<String, Integer> keys = new LinkedHashMap<String, Integer>();
        mamba.matrices().forEach(m -> keys.put(m.key().name(3), mamba.width(m.key())));
        anywhere(MomentStudy::new, new MomentStudy.Asked(keys, SecondMoments.texts(mamba, 9, 1)), 2,
                m -> keys.keySet().stream().map(k -> m.of(k).digest() + m.documents() + m.tokens() + m.textsDigest()).toList());
    }

    /** A chain over two pieces is the plain loop. */
    @Test
    void aChainIsOneEditAfterAnother() {
        LanguageModel now = mamba;
        for (EditRequest r : requests.all()) {
            now = RankOneEditor.of(now).at(6, ScanMatrices.W_O).with(FEW).contexts(PLAIN).moment(moments.of(6, ScanMatrices.W_O))
                    .edit(r).edit().applyTo(now);
        }
        RankOneEditor editor = RankOneEditor.of(mamba).at(6, ScanMatrices.W_O).with(FEW).contexts(PLAIN)
                .moment(moments.of(6, ScanMatrices.W_O));
        Store store = Store.at(dir);
        for (int i = 0; i < 2; i++) {
            LanguageModel chain = ManyFacts.of(editor).sequence(requests, Runner.of(store, Store.none(), Progress.silent()));
            assertArrayEquals(ScanMatrices.W_O.rows(now, 6), ScanMatrices.W_O.rows(chain, 6));
        }
    }

    /** Stops after so much work. */
    private record Stops(long after) implements Progress {
        @Override
        public void start(String task, String unit, long total) {
        }

        @Override
        public void to(long done) {
            if (done > after) {
                throw new CancellationException("stopped");
            }
        }

        @Override
        public void finish() {
        }
    }

    /** What was kept of one set of requests is gone on with, and serves no other requests, contexts or second moments. */
    @Test
    void aStoppedSweepGoesOnWhateverHasChanged() {
        EditSweep sweep = EditSweep.of(mamba).layers(List.of(5, 6)).matrices(List.of(ScanMatrices.W_O))
                .contexts(PLAIN).moments(moments).with(FEW);
        Store store = Store.at(dir);
        assertThrows(CancellationException.class, () -> sweep.over(requests, Runner.of(store, Store.none(), new Stops(Study.MOST))));
        assertTrue(store.size() > 0);
        Runner resumed = Runner.of(store, Store.none(), Progress.silent());
        assertEquals(sweep.over(requests, Runner.silent()), sweep.over(requests, resumed));
        assertTrue(resumed.taken() > 0);
        EditRequests others = new EditRequests(requests.all().stream()
                .map(r -> r.caseId() > 0 ? r : new EditRequest(0, r.relation(), r.prompt(),
                        r.subject(), requests.get(1).targetNew(), r.targetTrue(), r.paraphrases(), r.neighbours())).toList());
        SecondMoments otherTexts = SecondMoments.of(mamba, List.of(5, 6), List.of(ScanMatrices.W_O))
                .over(SecondMoments.texts(mamba, 60, 2), Runner.silent());
        for (EditSweep changed : List.of(sweep.moments(otherTexts),
                sweep.contexts(ContextTemplates.of(mamba, 1, 1)), sweep.with(FEW.withClamp(1)))) {
            Runner runner = Runner.of(store, Store.none(), Progress.silent());
            assertEquals(changed.over(requests.first(2), Runner.silent()), changed.over(requests.first(2), runner));
            assertEquals(0, runner.taken());
        }
        assertEquals(sweep.over(others, Runner.silent()), sweep.over(others, Runner.of(store, Store.none(), Progress.silent())));
    }

    private static long files(Path folder) throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            return all.filter(Files::isRegularFile).count();
        }
    }

    /** Second moments and contexts are collected once for all requests on a model, and again for other texts. */
    @Test
    void whatIsSharedIsCollectedOnce() throws IOException {
        Runner runner = Runner.of(Store.none(), Store.at(dir), Progress.silent());
        SecondMoments both = SecondMoments.of(mamba, List.of(1, 2), mamba.matrices()).over(SecondMoments.texts(mamba, 9, 1), runner);
        ContextTemplates.of(mamba, 2, 1, runner);
        long kept = files(dir);
        SecondMoments one = SecondMoments.of(mamba, List.of(2), List.of(ScanMatrices.W_O)).over(SecondMoments.texts(mamba, 9, 1), runner);
        ContextTemplates.of(mamba, 2, 1, runner);
        assertEquals(kept, files(dir));
        assertEquals(both.of(2, ScanMatrices.W_O).digest(), one.of(2, ScanMatrices.W_O).digest());
        Path texts = Files.write(dir.resolve("texts.txt"), SecondMoments.texts(mamba, 9, 1).stream().toList());
        one = SecondMoments.of(mamba, List.of(2), List.of(ScanMatrices.W_O)).over(MomentTexts.file(texts), runner);
        assertEquals(kept + 1, files(dir), "the same texts of a file");
        assertEquals(both.of(2, ScanMatrices.W_O).digest(), one.of(2, ScanMatrices.W_O).digest());
        Files.write(texts, SecondMoments.texts(mamba, 10, 1).stream().toList());
        one = SecondMoments.of(mamba, List.of(2), List.of(ScanMatrices.W_O)).over(MomentTexts.file(texts), runner);
        assertEquals(10, one.documents());
    }

    private static <Q extends Record, T extends Result> void roundTrip(Experiment<Q, T> experiment, String fields) {
        Q said = RequestReader.read(Json.object(fields.replace('\'', '"').getBytes(StandardCharsets.UTF_8), "request"),
                experiment.request());
        assertEquals(said, json(said, experiment.request()));
        Q complete = experiment.complete(mamba, said);
        assertEquals(complete, json(complete, experiment.request()));
        assertEquals(complete, experiment.complete(mamba, complete));
        T found = experiment.run(mamba, complete, Runner.silent());
        T again = json(found, experiment.result());
        assertEquals(found, again);
        assertEquals(found.arrays(), again.arrays());
        assertEquals(found.scalars(), again.scalars());
        assertEquals(found.views().size(), again.views().size());
    }

    @Test
    void romeAsJson() {
        roundTrip(new RomeExperiment(),
                "{'layer':1,'matrix':'out_proj','prompt':{'ids':[5,9,11]},'subject_last':1,'prefixes':[{'ids':[]}],'target':[4],"
                + "'kl_prompt':{'ids':[8,1]},'kl_pos':1,'covariance':'identity',"
                + "'hyperparameters':{'steps':2,'lr':1,'weight_decay':0,'kl_factor':0,"
                + "'clamp_norm_factor':1,'stop_loss':0}}");
    }

    @Test
    void aSweepAsJson() {
        roundTrip(new EditSweepExperiment(),
                "{'requests':2,'layers':[6],'contexts':0,'documents':60,'matrices':['out_proj'],'hyperparameters':{'steps':2}}");
    }

    @ParameterizedTest
    @ValueSource(strings = {"'subject':'Dosith Stadium','prompt':'{} is located in the city of','target':'Stathburg'",
        "'requests':2,'how':'each'",
        "'requests':2,'how':'sequence'", "'requests':2,'how':'joint'"})
    void editsAsJson(String fields) {
        roundTrip(new EditExperiment(), "{" + fields + ",'contexts':0,'documents':60,'hyperparameters':{'steps':2}}");
    }

    /** Result and change are there when the model cannot be saved; the same request saves it. */
    @Test
    void aModelIsSavedLast() throws IOException {
        Path file = Files.writeString(dir.resolve("file"), "no folder");
        Path change = dir.resolve("change.safetensors");
        ObjectNode request = Json.MAPPER.createObjectNode().put("experiment", "edit").put("model", "tiny-mamba")
                .put("subject", "Dosith Stadium")
                .put("prompt", "{} is located in the city of").put("target", "Stathburg").put("covariance", "identity").put("contexts", 0)
                .put("change", change.toString()).put("save", file.resolve("below").toString());
        Path out = dir.resolve("out");
        List<Result> told = new ArrayList<>();
        assertThrows(UncheckedIOException.class, () -> new Requests().run(request, out, false, Progress.silent(), told::add));
        assertTrue(Files.exists(out.resolve("result.json")) && Files.exists(change));
        assertEquals(1, told.size());
        Files.delete(file);
        new Requests().run(request, out, false, Progress.silent());
        assertEquals(" Stathburg", LanguageModel.open(file.resolve("below")).next("Dosith Stadium is located in the city of").token(0));
    }
}
