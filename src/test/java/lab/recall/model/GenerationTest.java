package lab.recall.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import lab.recall.Golden;
import lab.recall.base.BadData;
import lab.recall.base.BadRequest;
import lab.recall.checkpoint.SafeTensors;
import lab.recall.math.Parallel;
import lab.recall.text.Prompt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Generation from kept states, against a whole run for every token. */
class GenerationTest {
    private static final int TOKENS = 12;

    @TempDir
    Path dir;

    static List<String> cases() {
        return Golden.CASES;
    }

    private static void assertLikeWholeRuns(LanguageModel model, int[] prompt, Sampling how, List<Intervention> changes) {
        Generation said = generate(model, prompt, how, changes);
        Random random = new Random(how.seed());
        int[] ids = prompt;
        for (int i = 0; i < said.ids().length; i++) {
            Pass whole = model.run(ids, Recording.nothing(), changes);
            assertEquals(how.choose(whole.logits(), random), said.ids()[i], "token " + i);
            assertEquals(whole.probability(said.ids()[i]), said.probabilities()[i], 1e-6);
            ids = Arrays.copyOf(ids, ids.length + 1);
            ids[ids.length - 1] = said.ids()[i];
        }
        assertTrue(said.ended() || said.ids().length == TOKENS);
        for (int threads : new int[] {1, 3}) {
            Generation other = Parallel.with(threads, () -> generate(model, prompt, how, changes));
            assertArrayEquals(said.ids(), other.ids());
            assertArrayEquals(said.probabilities(), other.probabilities());
        }
    }

    private static Generation generate(LanguageModel model, int[] prompt, Sampling how, List<Intervention> changes) {
        return model.generate(Prompt.ofIds(prompt), TOKENS, how, changes, done -> { });
    }

    @ParameterizedTest
    @MethodSource("cases")
    void isThatOfWholeRuns(String name) {
        LanguageModel model = LanguageModel.open(Golden.folder(name));
        int[] ids = Golden.ids(Golden.values(name, "forward").get("input_ids"), 0);
        float[] vector = new float[model.width()];
        for (int i = 0; i < vector.length; i++) {
            vector[i] = (float) Math.sin(i);
        }
        List<Intervention> one = List.of(Intervention.add(new Site(0, HookPoint.RESID_POST, 1), vector));
        List<Intervention> all = List.of(Intervention.add(Site.everywhere(model.layers() - 1, HookPoint.RESID_POST), vector),
                Intervention.add(new Site(0, HookPoint.EMBED, 0), vector));
        for (Sampling how : List.of(Sampling.greedy(), Sampling.seeded(3, 0.8), Sampling.seeded(4, 1.5).topK(5))) {
            for (List<Intervention> changes : List.of(List.<Intervention>of(), one, all)) {
                assertLikeWholeRuns(model, ids, how, changes);
            }
        }
    }

    @Test
    void aTextGoesOn() {
        LanguageModel model = LanguageModel.open("tiny-mamba");
        Generation said = model.generate("Novux Bridge is located in the city of", 3);
        assertTrue(said.text().startsWith(" Pokburg"), said.text());
        assertEquals("Novux Bridge is located in the city of" + said.text(), said.toString());
        assertEquals(said.ids().length, said.rows().size());
    }

    @Test
    void stopsAtTheEndOfSequence() throws IOException {
        Path folder = Golden.folder("llama-a-f32");
        int[] prompt = {3, 5, 8};
        int[] ids = generate(LanguageModel.open(folder), prompt, Sampling.greedy(), List.of()).ids();
        int last = ids[ids.length - 1];
        int first = IntStream.range(0, ids.length).filter(i -> ids[i] == last).findFirst().orElseThrow();
        LanguageModel ending = LanguageModel.open(Golden.copy(folder, dir, c -> c.put("eos_token_id", last),
                SafeTensors.read(folder.resolve("model.safetensors")).values()));
        Generation said = generate(ending, prompt, Sampling.greedy(), List.of());
        assertTrue(said.ended());
        assertArrayEquals(Arrays.copyOf(ids, first), said.ids());
    }

    /** Also one that would be another id in 32 bits. */
    @ParameterizedTest
    @ValueSource(strings = {"\"x\"", "1.5", "4294967296", "[0, null]", "{}", "true", "NaN"})
    void anEndOfSequenceThatIsNoTokenIsRefused(String said) throws IOException {
        Path folder = Golden.folder("llama-a-f32");
        Golden.copy(folder, dir, c -> c.put("eos_token_id", -99), SafeTensors.read(folder.resolve("model.safetensors")).values());
        Path config = dir.resolve("config.json");
        Files.writeString(config, Files.readString(config).replace("-99", said));
        String message = assertThrows(BadData.class, () -> LanguageModel.open(dir)).getMessage();
        assertTrue(message.contains("config.json has eos_token_id = ") && message.endsWith("expected a token id, or a list of them"),
                message);
    }

    @Test
    void aForkDoesNotGoOn() {
        LanguageModel model = LanguageModel.open("tiny-neox");
        Pass base = model.run(new int[] {1, 2, 3}, Recording.states());
        Pass fork = model.forks().add(base, Intervention.add(new Site(0, HookPoint.RESID_POST, 1), new float[model.width()]))
                .passes(Recording.states()).get(0);
        assertTrue(assertThrows(BadRequest.class, () -> fork.then(4)).getMessage().contains("a fork does not go on"));
    }

    @Test
    void badInputIsRefused() {
        LanguageModel model = LanguageModel.open("tiny-mamba");
        assertThrows(BadRequest.class, () -> model.generate("Novux", 0));
        assertThrows(BadRequest.class, () -> Sampling.seeded(1, -1));
        assertThrows(BadRequest.class, () -> Sampling.seeded(1, Double.NaN));
        assertThrows(BadRequest.class, () -> Sampling.greedy().topK(-1));
    }
}
