package lab.recall.edit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import lab.recall.Golden;
import lab.recall.base.BadRequest;
import lab.recall.checkpoint.SafeTensors;
import lab.recall.checkpoint.Tensor;
import lab.recall.edit.EditScores.Measure;
import lab.recall.facts.EditRequest;
import lab.recall.facts.EditRequests;
import lab.recall.facts.Relations;
import lab.recall.math.Softmax;
import lab.recall.model.EditableMatrix;
import lab.recall.model.LanguageModel;
import lab.recall.model.Pass;
import lab.recall.model.Recording;
import lab.recall.model.block.ScanMatrices;
import lab.recall.model.block.ScanPoints;
import lab.recall.model.neox.GptNeoX;
import lab.recall.study.Runner;
import lab.recall.text.Template;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tech.tablesaw.api.Table;

/** Editing the embedded models: tests as forks, files, sweeps, several facts. */
class EditTest {
    private static LanguageModel mamba;
    private static LanguageModel neox;
    private static EditRequests requests;
    private static List<Template> contexts;
    private static SecondMoments moments;

    @TempDir
    Path dir;

    @BeforeAll
    static void open() {
        System.setProperty("recall.store", "none");
        mamba = LanguageModel.open("tiny-mamba");
        neox = LanguageModel.open("tiny-neox");
        requests = EditRequests.of(Relations.of(mamba), Relations.of(mamba).knownBy(mamba), 6, 1);
        contexts = ContextTemplates.of(mamba, 2, 1);
        moments = SecondMoments.of(mamba, List.of(2, 3), mamba.matrices())
                .over(SecondMoments.texts(mamba, 60, 1).first(60), Runner.silent());
    }

    private static RankOneEditor editor(EditableMatrix matrix) {
        return RankOneEditor.of(mamba).at(2, matrix).contexts(contexts).moment(moments.of(2, matrix))
                .with(EditSettings.PUBLISHED.withSteps(8));
    }

    private static void near(CaseScores a, CaseScores b) {
        assertArrayEquals(a.success(), b.success(), 1e-4);
        assertArrayEquals(a.magnitude(), b.magnitude(), 1e-4);
        assertArrayEquals(a.accuracy(), b.accuracy(), 1e-4);
    }

    /** Requests tested as forks of plain runs against plain runs of the edited model. */
    @ParameterizedTest
    @ValueSource(strings = {"in_proj.x", "in_proj.z", "out_proj"})
    void testsAsForks(String id) {
        EditableMatrix matrix = EditableMatrix.of(mamba, id);
        List<RankOneEdit> edits = editor(matrix).edit(requests.all()).stream().map(RankOneEditor.Edited::edit).toList();
        List<CaseScores> forked = EditTests.of(mamba, requests.all()).edited(mamba, edits);
        for (int i = 0; i < requests.size(); i++) {
            List<EditRequest> one = List.of(requests.get(i));
            near(EditTests.of(mamba, one).on(edits.get(i).applyTo(mamba)).get(0), forked.get(i));
        }
    }

    /** Targets of several tokens: each target is read behind its own earlier tokens. */
    /** What the reference code keeps is a sum and the number of its keys. */
    @Test
    void secondMomentsOfTheReferenceCodeAreRead() {
        double[] c = {20.759531 / 7, -3.9319103 / 7, 1.9649045 / 7, -3.9319103 / 7, 7.5595646 / 7, -0.2648065 / 7, 1.9649045 / 7,
            -0.2648065 / 7, 2.26507 / 7};
        for (String name : List.of("moments.npz", "moments-packed.npz")) {
            Path file = Path.of("src/test/resources/files").resolve(name);
            assertArrayEquals(c, SecondMoment.read(file, 3).matrix(), 1e-7, name);
            assertEquals(7, SecondMoment.read(file, 3).tokens());
            assertEquals("covariance: " + file + " holds no C of shape [4, 4], but one of [3, 3]",
                    assertThrows(BadRequest.class, () -> SecondMoment.read(file, 4)).getMessage());
        }
    }

    @Test
    void targetsOfSeveralTokens() {
        EditRequest r = new EditRequest(0, "", "{} is located in the city of", "Novux Bridge", "Malpolis Bridge", "Stathburg",
                List.of("Novux Bridge is in"), List.of("Lofir Temple is located in the city of"));
        RankOneEdit edit = editor(ScanMatrices.W_O).edit(r).edit();
        EditTests tests = EditTests.of(mamba, List.of(r));
        near(tests.on(edit.applyTo(mamba)).get(0), tests.edited(mamba, List.of(edit)).get(0));
        int[] target = EditCase.target(mamba.requireTokenizer(), "Malpolis Bridge");
        assertTrue(target.length > 1);
        Pass pass = mamba.run(mamba.prompt("Novux Bridge is located in the city of").ids());
        double p = 1;
        for (int id : target) {
            p *= pass.probability(id);
            pass = pass.then(id);
        }
        double geometric = Math.pow(p, 1.0 / target.length);
        double truth = mamba.run(mamba.prompt("Novux Bridge is located in the city of").ids())
                .probability(EditCase.target(mamba.requireTokenizer(), "Stathburg")[0]);
        assertEquals(geometric - truth, tests.on(mamba).get(0).magnitude()[0], 1e-5);
    }

    @Test
    void anEditIsMadeAndTakenBack() {
        RankOneEdit edit = editor(ScanMatrices.W_G).edit(requests.get(0)).edit();
        float[] before = mamba.weight("backbone.layers.2.mixer.in_proj.weight");
        Path file = dir.resolve("edit.safetensors");
        edit.change(mamba).write(file);
        LanguageModel edited = EditFile.read(file).apply(mamba);
        float[] rows = edited.weight("backbone.layers.2.mixer.in_proj.weight");
        assertArrayEquals(Arrays.copyOf(before, before.length / 2), Arrays.copyOf(rows, rows.length / 2), "W_a stays");
        assertArrayEquals(edit.rows(mamba), Arrays.copyOfRange(rows, rows.length / 2, rows.length));
        assertArrayEquals(before, EditFile.read(file).revert(edited).weight("backbone.layers.2.mixer.in_proj.weight"), "bit for bit");
        assertArrayEquals(before, mamba.weight("backbone.layers.2.mixer.in_proj.weight"), "the model itself was never changed");
        assertTrue(assertThrows(IllegalArgumentException.class, () -> EditFile.read(file).revert(mamba))
                .getMessage().contains("does not hold this edit"));
        assertTrue(assertThrows(IllegalArgumentException.class, () -> EditFile.read(file).apply(edited))
                .getMessage().contains("holds this edit already"));
        assertTrue(assertThrows(IllegalArgumentException.class, () -> EditFile.read(file).apply(neox))
                .getMessage().contains("does not fit"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"mamba-b-bf16-untied", "mamba-d-orig-zip", "neox-b-seq-f16-sharded"})
    void anEditedModelIsSavedAndOpened(String name) {
        LanguageModel model = LanguageModel.open(Golden.folder(name));
        EditableMatrix matrix = model.outputMatrix();
        EditCase c = EditCase.of(new int[] {5, 9, 11, 3, 2}, 2, List.of(new int[0]), new int[] {4, 6}, new int[] {8, 1}, 1);
        RankOneEdit edit = RankOneEditor.of(model).at(1, matrix).moment(SecondMoment.identity(model.width(matrix.key())))
                .cases(List.of(c)).get(0).edit();
        LanguageModel edited = edit.applyTo(model);
        edited.save(dir.resolve("saved"));
        LanguageModel opened = LanguageModel.open(dir.resolve("saved"));
        assertArrayEquals(edited.run(c.sequence(0)).logits(), opened.run(c.sequence(0)).logits(), 1e-4f);
        Path file = dir.resolve("edit.safetensors");
        edit.change(model).write(file);
        assertArrayEquals(matrix.rows(model, 1), matrix.rows(EditFile.read(file).revert(opened), 1), "bit for bit");
    }

    /** Sums over the texts against sums written out, and a run that goes on where one stopped. */
    @Test
    void secondMoments() {
        Path file = dir.resolve("moments.safetensors");
        SecondMoments half = SecondMoments.of(mamba, List.of(2, 3), mamba.matrices()).keptIn(file)
                .over(SecondMoments.texts(mamba, 60, 1).first(25), Runner.silent());
        assertEquals(25, half.documents());
        SecondMoments whole = SecondMoments.of(mamba, List.of(2, 3), mamba.matrices()).keptIn(file)
                .over(SecondMoments.texts(mamba, 60, 1).first(60), Runner.silent());
        assertArrayEquals(moments.of(3, ScanMatrices.W_O).matrix(), whole.of(3, ScanMatrices.W_O).matrix());
        int n = mamba.width(ScanPoints.NORMED);
        double[] sum = new double[n * n];
        long tokens = 0;
        for (String text : SecondMoments.texts(mamba, 60, 1).stream().toList()) {
            Pass pass = mamba.run(mamba.prompt(text).ids(), Recording.of("layers.2.normed"));
            float[] keys = pass.values(2, ScanPoints.NORMED);
            for (int t = 0; t < pass.length(); t++) {
                for (int i = 0; i < n * n; i++) {
                    sum[i] += (double) keys[t * n + i / n] * keys[t * n + i % n];
                }
            }
            tokens += pass.length();
        }
        assertEquals(tokens, moments.tokens());
        double[] c = moments.of(2, ScanMatrices.W_A).matrix();
        for (int i = 0; i < n * n; i++) {
            assertEquals(sum[i] / tokens, c[i], 1e-9);
        }
        moments.of(2, ScanMatrices.W_A).write(dir.resolve("c.safetensors"));
        assertArrayEquals(c, SecondMoment.read(dir.resolve("c.safetensors"), n).matrix());
        assertTrue(assertThrows(IllegalArgumentException.class,
                () -> SecondMoments.of(mamba, List.of(5), mamba.matrices()).keptIn(file)).getMessage().contains("layers.5.normed"));
    }

    /** A file of sums is gone on with for some of its layers, and refused for another model or other texts. */
    @Test
    void keptSecondMomentsAreOfThisModelAndText() throws IOException {
        Path file = dir.resolve("moments.safetensors");
        SecondMoments.of(mamba, List.of(2, 3), mamba.matrices()).keptIn(file)
                .over(SecondMoments.texts(mamba, 60, 1).first(20), Runner.silent());
        byte[] before = Files.readAllBytes(file);
        SecondMoments one = SecondMoments.of(mamba, List.of(3), List.of(ScanMatrices.W_O)).keptIn(file);
        for (Map.Entry<String, Runnable> e : Map.<String, Runnable>of(
                "another model", () -> SecondMoments.of(mamba.with("backbone.layers.4.mixer.out_proj.weight",
                        new float[mamba.weight("backbone.layers.4.mixer.out_proj.weight").length]),
                                List.of(2), List.of(ScanMatrices.W_O)).keptIn(file),
                "texts: others", () -> one.over(SecondMoments.texts(mamba, 60, 2).first(60), Runner.silent()),
                "documents: 10", () -> one.over(SecondMoments.texts(mamba, 60, 1).first(10), Runner.silent()),
                "not a plain file", () -> SecondMoments.of(mamba).keptIn(dir),
                "no file of second moments",
                        () -> SecondMoments.of(mamba).keptIn(mamba.folder().resolve("model.safetensors"))).entrySet()) {
            String said = assertThrows(IllegalArgumentException.class, e.getValue()::run).getMessage();
            assertTrue(said.contains(e.getKey()), said);
        }
        assertArrayEquals(before, Files.readAllBytes(file));
        SecondMoments more = one.over(SecondMoments.texts(mamba, 60, 1).first(60), Runner.silent());
        assertEquals(20, one.documents());
        assertArrayEquals(moments.of(3, ScanMatrices.W_O).matrix(), more.of(3, ScanMatrices.W_O).matrix());
        SecondMoments both = SecondMoments.of(mamba, List.of(2, 3), mamba.matrices()).keptIn(file);
        assertEquals(60, both.documents());
        assertArrayEquals(moments.of(2, ScanMatrices.W_A).matrix(), both.of(2, ScanMatrices.W_A).matrix());
    }

    /** A file of an earlier form said too little of its model. */
    @Test
    void anEarlierFileOfSumsIsRefused() {
        Path file = dir.resolve("moments.safetensors");
        SafeTensors.write(file, List.of(Tensor.of("documents_and_tokens", new long[] {1, 9}, 2)),
                Map.of("model", "tiny-mamba", "sha256_of_model", "00", "sha256_of_texts", "00"));
        String said = assertThrows(BadRequest.class,
                () -> SecondMoments.of(mamba, List.of(2), List.of(ScanMatrices.W_O)).keptIn(file)).getMessage();
        assertTrue(said.startsWith("moments: ") && said.contains("an earlier form of this program"), said);
    }

    /** The same files whenever they are written. */
    @Test
    void filesHaveTheSameBytes() throws IOException {
        RankOneEdit edit = editor(ScanMatrices.W_O).edit(requests.get(0)).edit();
        for (String name : List.of("a", "b")) {
            edit.change(mamba).write(dir.resolve(name + ".edit"));
            SecondMoments.of(mamba, List.of(2), List.of(ScanMatrices.W_O)).keptIn(dir.resolve(name + ".moments"))
                    .over(SecondMoments.texts(mamba, 5, 1), Runner.silent());
        }
        assertEquals(-1, Files.mismatch(dir.resolve("a.edit"), dir.resolve("b.edit")));
        assertEquals(-1, Files.mismatch(dir.resolve("a.moments"), dir.resolve("b.moments")));
    }

    /** Tiles of any cut give the same sums as one token after another. */
    @Test
    void momentsAreSummedInTheOrderOfTokens() {
        int size = 1030;
        int count = 131;
        double[] keys = new Random(2).doubles((long) size * count, -1, 1).toArray();
        SecondMoment all = SecondMoment.empty(size);
        all.add(keys, count);
        SecondMoment parts = SecondMoment.empty(size);
        parts.add(Arrays.copyOf(keys, 7 * size), 7);
        parts.add(Arrays.copyOfRange(keys, 7 * size, count * size), count - 7);
        for (int i = 0; i < size; i += 103) {
            for (int j = i; j < size; j++) {
                double sum = 0;
                for (int r = 0; r < count; r++) {
                    sum += keys[r * size + i] * keys[r * size + j];
                }
                assertEquals(sum, all.sum()[i * size + j]);
                assertEquals(sum, parts.sum()[i * size + j]);
            }
        }
    }

    @Test
    void textsFromFiles() throws IOException {
        Path lines = Files.writeString(dir.resolve("texts.txt"), "One text .\n\nAnother one .\n");
        Path json = Files.writeString(dir.resolve("texts.jsonl"), "{\"text\": \"One text .\"}\n{\"text\": \"Another one .\"}\n");
        SecondMoments a = SecondMoments.of(mamba, List.of(2), List.of(ScanMatrices.W_O))
                .over(MomentTexts.file(lines).first(9), Runner.silent());
        SecondMoments b = SecondMoments.of(mamba, List.of(2), List.of(ScanMatrices.W_O))
                .over(MomentTexts.file(json).first(9), Runner.silent());
        assertEquals(2, a.documents());
        assertArrayEquals(a.of(2, ScanMatrices.W_O).matrix(), b.of(2, ScanMatrices.W_O).matrix());
        assertTrue(assertThrows(IllegalArgumentException.class, () -> a.of(2, ScanMatrices.W_O).solve(new double[128])).getMessage()
                .startsWith("covariance: singular"));
        Path bad = Files.writeString(dir.resolve("bad.jsonl"), "{\"txt\": 1}\n");
        assertTrue(assertThrows(IllegalArgumentException.class,
                () -> SecondMoments.of(mamba).over(MomentTexts.file(bad), Runner.silent())).getMessage().contains("line 1"));
    }

    /** Solved systems against the product, and u against the paper's definition. */
    @Test
    void keysAreWhitened() {
        SecondMoment c = moments.of(2, ScanMatrices.W_O);
        double[] key = new Random(1).doubles(c.size(), -1, 1).toArray();
        double[] x = c.solve(key);
        double[] matrix = c.matrix();
        for (int i = 0; i < key.length; i++) {
            int row = i;
            assertEquals(key[i], IntStream.range(0, key.length).mapToDouble(j -> matrix[row * key.length + j] * x[j]).sum(), 1e-6);
        }
        RankOneEdit edit = editor(ScanMatrices.W_O).edit(requests.get(0)).edit();
        assertSame(editor(ScanMatrices.W_O).collectMoment(), c);
        assertEquals(1, ValueSearch.norm(edit.u()), 1e-12);
        assertEquals(IntStream.range(0, key.length).mapToDouble(i -> edit.u()[i] * edit.key()[i]).sum(), edit.keyDotU(), 1e-12);
    }

    @Test
    void aSweepIsEveryEdit() {
        EditSettings few = EditSettings.PUBLISHED.withSteps(4);
        EditSweep sweep = EditSweep.of(mamba).layers(List.of(2, 3)).contexts(contexts).moments(moments).with(few);
        EditCurves curves = sweep.over(requests.first(3), Runner.silent());
        for (EditableMatrix m : mamba.matrices()) {
            List<RankOneEdit> edits = editor(m).with(few).edit(requests.first(3).all()).stream().map(RankOneEditor.Edited::edit).toList();
            List<CaseScores> direct = EditTests.of(mamba, requests.first(3).all()).edited(mamba, edits);
            for (Measure measure : Measure.values()) {
                assertEquals(new EditScores("", direct).success(measure), curves.at(m, 2).success(measure), m + " " + measure);
            }
        }
        for (int i = 0; i < 3; i++) {
            assertEquals(requests.get(i).relation(), curves.cases(ScanMatrices.W_O, 2).get(i).relation());
        }
        assertEquals(3, curves.atBest(ScanMatrices.W_O).cases(), "each read in a layer that the others chose");
        assertTrue(Double.isNaN(curves.scores(ScanMatrices.W_O)[0]));
        assertEquals(6, curves.table().rowCount());
    }

    /** One fact jointly with a vanishing weight is the edit with the mean key; of several facts each gets its value. */
    @Test
    void severalFacts() {
        RankOneEditor editor = editor(ScanMatrices.W_O).with(EditSettings.PUBLISHED.withSteps(8).withKey(EditSettings.KeyMode.CONSISTENT));
        ManyFacts many = ManyFacts.of(editor);
        RankOneEdit alone = editor.edit(requests.get(0)).edit();
        float[] joint = ScanMatrices.W_O.rows(many.joint(requests.first(1), 1e-9, Runner.silent()), 2);
        assertArrayEquals(alone.rows(mamba), joint, 1e-4f);
        assertArrayEquals(alone.rows(mamba), ScanMatrices.W_O.rows(many.sequence(requests.first(1), Runner.silent()), 2));
        LanguageModel all = many.joint(requests.first(4), 1e-9, Runner.silent());
        for (int i = 0; i < 4; i++) {
            RankOneEdit each = editor.edit(requests.get(i)).edit();
            assertTrue(RankOneEditor.error(all,
                    EditCase.of(mamba, requests.get(i), contexts), each, editor.settings()) < 1e-3, "request " + i);
        }
        LanguageModel two = many.sequence(requests.first(2), Runner.silent());
        RankOneEdit second = RankOneEditor.of(alone.applyTo(mamba)).at(2, ScanMatrices.W_O)
                .contexts(contexts).moment(moments.of(2, ScanMatrices.W_O)).with(editor.settings()).edit(requests.get(1)).edit();
        assertArrayEquals(second.rows(alone.applyTo(mamba)), ScanMatrices.W_O.rows(two, 2));
        ManyFacts.Growth growth = many.asTheyGrow(requests, List.of(1, 3), 1, Runner.silent());
        assertEquals(4, growth.table().rowCount());
        assertThrows(IllegalArgumentException.class, () -> many.joint(requests, 0, Runner.silent()));
        EditRequests twice = new EditRequests(List.of(requests.get(0), requests.get(0)));
        assertTrue(assertThrows(IllegalArgumentException.class,
                () -> many.joint(twice, 1e-300, Runner.silent())).getMessage().contains("is too small"));
        assertThrows(IllegalArgumentException.class, () -> many.asTheyGrow(requests, List.of(7), 1, Runner.silent()));
    }

    @Test
    void scores() {
        double ln2 = Math.log(2);
        CaseScores c = CaseScores.of("cities", List.of(
                new CaseScores.Read(0, ln2, 2 * ln2, true, false), new CaseScores.Read(1, ln2, 2 * ln2, false, false),
                new CaseScores.Read(1, 2 * ln2, ln2, false, true), new CaseScores.Read(2, 2 * ln2, ln2, false, true)));
        assertArrayEquals(new double[] {1, 0.5, 1}, c.success(), 1e-12);
        assertArrayEquals(new double[] {0.25, 0, 0.25}, c.magnitude(), 1e-12);
        assertArrayEquals(new double[] {1, 0, 1}, c.accuracy(), 1e-12);
        assertEquals(3 / (1 + 2.0 + 1), new EditScores("", List.of(c)).score().mean(), 1e-12);
        CaseScores none = CaseScores.of("cities", List.of(new CaseScores.Read(0, ln2, 2 * ln2, true, false)));
        for (Measure m : Measure.values()) {
            assertEquals(new EditScores("", List.of(c, none)).success(m).mean(), new EditScores("", List.of(c, none)).mean(m), 1e-12);
        }
        assertEquals(new EditScores("", List.of(c, none)).score().mean(), new EditScores("", List.of(c, none)).meanScore());
        assertTrue(Double.isNaN(none.success()[2]));
        assertEquals(1, new EditScores("", List.of(c, none)).success(Measure.SPECIFICITY).n());
    }

    @Test
    void theLargestLogits() {
        assertArrayEquals(new int[] {3, 1, 4}, Softmax.largest(new float[] {0, 2, -1, 5, 2, 1}, 3));
        float[] some = new float[500];
        Random random = new Random(4);
        for (int i = 0; i < some.length; i++) {
            some[i] = random.nextInt(60);
        }
        int[] sorted = IntStream.range(0, some.length).boxed()
                .sorted((a, b) -> Float.compare(some[b], some[a])).mapToInt(i -> i).limit(5).toArray();
        assertArrayEquals(sorted, Softmax.largest(some, 5));
    }

    @Test
    void contextsAreSampledBySeed() {
        List<Template> some = ContextTemplates.of(mamba, 4, 3);
        assertEquals(5, some.size());
        assertEquals("{}", some.get(0).text());
        assertEquals(some, ContextTemplates.of(mamba, 4, 3));
        EditCase c = EditCase.of(mamba, requests.get(0), some);
        for (int i = 0; i < some.size(); i++) {
            int last = c.lookups()[i];
            assertEquals(c.contexts().get(0)[c.lookups()[0]], c.contexts().get(i)[last], "the subject's last token");
        }
    }

    @Test
    void whatCannotBeEdited() {
        for (Map.Entry<String, Runnable> e : Map.<String, Runnable>of(
                "does not stand in the prompt", () -> EditRequest.of("The tower is in", "Novux Bridge", "Malpolis"),
                "target: empty", () -> EditRequest.of("{} is in", "Novux Bridge", " "),
                "subject: empty", () -> EditRequest.of("{} is in", "", "Malpolis"),
                "layer: 8", () -> RankOneEditor.of(mamba).at(8, ScanMatrices.W_O),
                "mlp.dense_4h_to_h", () -> RankOneEditor.of(mamba).at(1, GptNeoX.W_DOWN),
                "covariance: singular", () -> new SecondMoment(2, new double[] {1, 1, 1, 1}, 1).solve(new double[] {1, 0})).entrySet()) {
            String said = assertThrows(IllegalArgumentException.class, e.getValue()::run).getMessage();
            assertTrue(said.contains(e.getKey()), said);
        }
    }

    /** An editor that is given nothing collects and samples once. */
    @Test
    void whatAnEditorCollectsItKeeps() {
        RankOneEditor editor = RankOneEditor.of(mamba);
        assertSame(editor.collectMoment(), editor.collectMoment());
        assertSame(editor.sampleContexts(), editor.sampleContexts());
        assertSame(editor.collectMoment(), editor.with(EditSettings.PUBLISHED).collectMoment());
        assertEquals(1 + RankOneEditor.CONTEXTS, editor.sampleContexts().size());
    }

    @Test
    void beforeAndAfter() {
        RankOneEdit edit = editor(ScanMatrices.W_O).edit(requests.get(0)).edit();
        LanguageModel edited = edit.applyTo(mamba);
        EditRequest r = requests.get(0);
        Table table = BeforeAfter.of(mamba, edited).tests(r);
        assertEquals(1 + r.paraphrases().size() + r.neighbours().size(), table.rowCount());
        for (int i = 0; i < table.rowCount(); i++) {
            for (LanguageModel m : List.of(mamba, edited)) {
                String suffix = m == mamba ? "" : " after";
                String text = table.getString(i, "text");
                Pass pass = m.run(m.prompt(text).ids());
                assertEquals(m.next(text).token(0), table.getString(i, "says " + (m == mamba ? "before" : "after")));
                assertEquals(pass.probability(EditCase.target(m.requireTokenizer(), r.targetNew())[0]),
                        table.doubleColumn("p(new)" + suffix).get(i), 1e-6);
                assertEquals(pass.probability(EditCase.target(m.requireTokenizer(), r.targetTrue())[0]),
                        table.doubleColumn("p(true)" + suffix).get(i), 1e-6);
            }
        }
    }
}
