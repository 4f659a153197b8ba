package lab.recall.edit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import lab.recall.Golden;
import lab.recall.checkpoint.SafeTensors;
import lab.recall.checkpoint.Tensor;
import lab.recall.edit.EditSettings.KeyMode;
import lab.recall.math.Parallel;
import lab.recall.model.EditableMatrix;
import lab.recall.model.HookPoint;
import lab.recall.model.LanguageModel;
import lab.recall.model.Recording;
import lab.recall.model.Site;
import lab.recall.model.TargetScore;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Rank-one edits against golden/rome.*.safetensors. */
class RomeGoldenTest {
    static final EditSettings GOLDEN = new EditSettings(20, 0.5, 0.5, 0.0625, 3, 0.05, Double.POSITIVE_INFINITY, 0, KeyMode.PUBLISHED);
    private static final int LAYER = 1;

    static Stream<Arguments> sites() {
        Stream<Arguments> mambas = Golden.WITH_INTERVENTIONS.stream().filter(Golden::scans)
                .flatMap(c -> Stream.of("out_proj", "in_proj.x", "in_proj.z").map(m -> Arguments.of(c, m)));
        Stream<Arguments> attentive = Stream.of(Arguments.of("neox-a-f32", "mlp.dense_4h_to_h"),
                Arguments.of("neox-b-seq-f16-sharded", "mlp.dense_4h_to_h"),
                Arguments.of("llama-a-f32", "mlp.down_proj"), Arguments.of("gpt2-a-f32", "mlp.c_proj"));
        return Stream.concat(mambas, attentive);
    }

    static Path file(String name, String matrix) {
        return Golden.folder(name).resolve("rome." + matrix + ".safetensors");
    }

    static int[] ids(Tensor t) {
        return Arrays.stream(t.longs()).mapToInt(Math::toIntExact).toArray();
    }

    private static EditCase asked(Map<String, Tensor> g) {
        List<int[]> prefixes = Stream.of("prefix0", "prefix1", "prefix2").map(p -> ids(g.get(p))).toList();
        return EditCase.of(ids(g.get("prompt")), ids(g.get("subject_last"))[0], prefixes,
                ids(g.get("target")), ids(g.get("kl_prompt")), ids(g.get("kl_pos"))[0]);
    }

    private static RankOneEditor.Edited edit(LanguageModel model, String name, EditableMatrix matrix, EditSettings settings) {
        SecondMoment c = SecondMoment.read(file(name, matrix.id()), model.width(matrix.key()));
        return RankOneEditor.of(model).at(LAYER, matrix).with(settings).moment(c)
                .cases(List.of(asked(SafeTensors.read(file(name, matrix.id()))))).get(0);
    }

    /** ||x - golden|| within a share of ||golden||. */
    static void near(String what, double[] x, double[] golden, double share) {
        assertEquals(golden.length, x.length, what);
        double error = Math.sqrt(IntStream.range(0, x.length).mapToDouble(i -> (x[i] - golden[i]) * (x[i] - golden[i])).sum());
        double norm = Math.sqrt(Arrays.stream(golden).map(v -> v * v).sum());
        assertTrue(error <= share * norm, what + " is off by " + error / norm);
    }

    @ParameterizedTest
    @MethodSource("sites")
    void meetsTheGolden(String name, String id) {
        LanguageModel model = LanguageModel.open(Golden.folder(name));
        EditableMatrix matrix = EditableMatrix.of(model, id);
        Map<String, Tensor> g = SafeTensors.read(file(name, id));
        RankOneEditor.Edited done = edit(model, name, matrix, GOLDEN);
        near("u", done.edit().u(), g.get("u").doubles(), 1e-4);
        near("v0", done.value().start(), g.get("v0").doubles(), 1e-4);
        near("v", done.edit().v(), g.get("v").doubles(), 5e-3);
        near("key", done.edit().key(), g.get("k_star").doubles(), 1e-4);
        near("right", done.edit().left(), g.get("right").doubles(), 5e-3);
        near("delta after 1 step", edit(model, name, matrix, GOLDEN.withSteps(2)).value().delta(), g.get("delta_step1").doubles(), 5e-3);
        near("delta after 5 steps", edit(model, name, matrix, GOLDEN.withSteps(6)).value().delta(), g.get("delta_step5").doubles(), 5e-3);
        assertEquals(ids(g.get("steps_run"))[0], done.value().steps());
        double[] losses = g.get("losses").doubles();
        assertEquals(losses.length, done.value().totals().length);
        for (int i = 0; i < losses.length; i++) {
            assertEquals(losses[i], done.value().totals()[i], 1e-2 * losses[i], "loss " + i);
            for (int part = 0; part < 3; part++) {
                double golden = g.get("loss_parts").doubles()[i * 3 + part];
                assertEquals(golden, done.value().losses()[i][part], 1e-2 * losses[i], "part " + part + " of loss " + i);
            }
        }
        float[] old = matrix.rows(model, LAYER);
        float[] rows = done.edit().rows(model);
        int from = id.equals(name.startsWith("mamba2") ? "in_proj.x" : "in_proj.z") ? rows.length : 0;
        double[] whole = g.get("W_new").doubles();                        // of in_proj all rows
        double[] golden = Arrays.copyOfRange(whole, from, from + rows.length);
        double most = IntStream.range(0, old.length).mapToDouble(i -> Math.abs(golden[i] - old[i])).max().orElseThrow();
        for (int i = 0; i < rows.length; i++) {
            assertEquals(golden[i], rows[i], 5e-3 * most, "W_new " + i);
        }
    }

    @ParameterizedTest
    @MethodSource("sites")
    void editedModelSaysTheTarget(String name, String id) {
        LanguageModel model = LanguageModel.open(Golden.folder(name));
        EditableMatrix matrix = EditableMatrix.of(model, id);
        Map<String, Tensor> g = SafeTensors.read(file(name, id));
        LanguageModel edited = edit(model, name, matrix, GOLDEN).edit().applyTo(model);
        EditCase c = asked(g);
        List<List<int[]>> target = List.of(List.of(c.target()));
        double[] p = g.get("p").doubles();
        Golden.probability("p before", TargetScore.of(model, List.of(c.sequence(0)), target)[0][0].probability(), p[0]);
        assertEquals(p[1], TargetScore.of(edited, List.of(c.sequence(0)), target)[0][0].probability(), 5e-3, "p after");
        double[] logits = g.get("edited_logits").doubles();
        float[] now = edited.run(c.sequence(0), Recording.points(HookPoint.LOGITS)).activation(0, HookPoint.LOGITS).values();
        near("logits after the edit", RankOneEditor.doubles(now), logits, 5e-3);
    }

    /** W k = v with the plain prompt's key, or with the mean key. */
    @ParameterizedTest
    @MethodSource("sites")
    void theKeyGetsTheValue(String name, String id) {
        LanguageModel model = LanguageModel.open(Golden.folder(name));
        EditableMatrix matrix = EditableMatrix.of(model, id);
        EditCase c = asked(SafeTensors.read(file(name, id)));
        for (KeyMode mode : KeyMode.values()) {
            RankOneEditor.Edited done = edit(model, name, matrix, GOLDEN.withKey(mode));
            LanguageModel edited = done.edit().applyTo(model);
            assertTrue(RankOneEditor.error(edited, c, done.edit(), GOLDEN.withKey(mode)) <= 1e-4, mode.id());
            if (mode == KeyMode.PUBLISHED) {
                float[] value = edited.run(c.contexts().get(0), Recording.points(matrix.value()))
                        .get(new Site(LAYER, matrix.value(), c.lookups()[0]));
                near("W k", RankOneEditor.doubles(value), done.edit().v(), 1e-4);
            }
        }
    }

    /** Alone or among others, with one thread or two: the same numbers. */
    @ParameterizedTest
    @MethodSource("sites")
    void doesNotDependOnCompanyOrThreads(String name, String id) {
        LanguageModel model = LanguageModel.open(Golden.folder(name));
        EditableMatrix matrix = EditableMatrix.of(model, id);
        EditCase first = asked(SafeTensors.read(file(name, id)));
        EditCase second = EditCase.of(new int[] {5, 9, 11, 3, 2}, 2, List.of(new int[0], new int[] {7}),
                new int[] {4}, new int[] {8, 1}, 1);
        SecondMoment c = SecondMoment.read(file(name, id), model.width(matrix.key()));
        RankOneEditor editor = RankOneEditor.of(model).at(LAYER, matrix).with(GOLDEN.withSteps(5)).moment(c);
        int threads = Parallel.threads();
        try {
            Parallel.setThreads(1);
            float[] alone = editor.cases(List.of(first)).get(0).edit().rows(model);
            Parallel.setThreads(2);
            float[] among = editor.cases(List.of(second, first)).get(1).edit().rows(model);
            Golden.same("rows", alone, among);
        } finally {
            Parallel.setThreads(threads);
        }
    }
}
