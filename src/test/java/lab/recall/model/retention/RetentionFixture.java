package lab.recall.model.retention;

import static org.junit.jupiter.api.Assertions.fail;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import lab.recall.base.Json;
import lab.recall.base.Progress;
import lab.recall.checkpoint.Checkpoint;
import lab.recall.checkpoint.Tensor;
import lab.recall.facts.Fact;
import lab.recall.facts.Relations;
import lab.recall.model.LanguageModel;
import lab.recall.study.NamedArray;
import lab.recall.study.Requests;
import lab.recall.study.Result;
import lab.recall.text.DataFolder;

/** Random models of the family, and what their tests share. */
public final class RetentionFixture {
    private static final Path TOKENIZER = DataFolder.find("models/tiny-mamba/tokenizer.json");

    private RetentionFixture() {
    }

    /** A model of 13 ids and no tokenizer: 3 layers of width 6, 2 heads with keys of 3 and values of 2 numbers. */
    public static LanguageModel small(Path folder) {
        return write(folder, 13, 3, 6, 2, 3, 2, Map.of());
    }

    /** A model of as many ids as GPT-2 has, near those of the tokenizer that comes with the project. */
    public static LanguageModel wide(Path folder) {
        return write(folder, 50_257, 1, 2, 1, 1, 1, Map.of());
    }

    /**
     * A model that reads text, 4 layers of width 12, 2 heads with keys of 3 and values of 4 numbers, and relations that it knows: each
     * fact's object is what it says after the prompt.
     */
    public static LanguageModel talking(Path folder) {
        int vocabulary = LanguageModel.open("tiny-mamba").vocabulary();
        LanguageModel model = write(folder, vocabulary, 4, 12, 2, 3, 4, Map.of("tokenizer.json", TOKENIZER));
        relation(model, "person_plays_sport", "The player {} plays the sport of", "The sport of {} is");
        relation(model, "landmark_in_country", "{} is in the country of", "The country of {} is");
        return LanguageModel.open(folder);
    }

    private static LanguageModel write(Path folder, int vocabulary, int layers, int d, int heads, int keys, int values,
            Map<String, Path> others) {
        Random random = new Random(5);
        List<Tensor> all = new ArrayList<>();
        all.add(tensor(random, "table", 0, 1, vocabulary, d));
        for (int l = 0; l < layers; l++) {
            String layer = "stack." + l + ".";
            all.add(tensor(random, layer + "scale", 1, 0.2, d));
            all.add(tensor(random, layer + "in.kernel", 0, 1.2 / Math.sqrt(d), d, 2 * heads * (keys + values)));
            all.add(tensor(random, layer + "fade", 1, 0.7, heads));
            all.add(tensor(random, layer + "out.kernel", 0, 1 / Math.sqrt(heads * values), heads * values, d));
            all.add(tensor(random, layer + "out.shift", 0, 0.3, d));
        }
        all.add(tensor(random, "scale", 1, 0.2, d));
        all.add(tensor(random, "answer", 0, 2.5 / Math.sqrt(d), vocabulary, d));
        ObjectNode config = Json.MAPPER.createObjectNode().put("model_type", "retention").put("depth", layers).put("epsilon", 0.01);
        Checkpoint.write(folder, config, all, others);
        return LanguageModel.open(folder);
    }

    private static Tensor tensor(Random random, String name, double mean, double deviation, long... shape) {
        float[] numbers = new float[(int) Arrays.stream(shape).reduce(1, (a, b) -> a * b)];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = (float) (mean + deviation * random.nextGaussian());
        }
        return Tensor.of(name, numbers, shape);
    }

    /** Subjects of the invented world, each with the word that the model itself says. */
    private static void relation(LanguageModel model, String name, String template, String other) {
        ObjectNode json = Json.MAPPER.createObjectNode();
        json.putArray("prompt_templates").add(template).add(other);
        ArrayNode samples = json.putArray("samples");
        for (Fact f : Relations.world().get(name).facts()) {
            int said = model.run(model.prompt(template.replace("{}", f.subject())).ids()).argmax();
            String word = model.requireTokenizer().decode(said).strip();
            if (word.matches("[A-Za-z]{2,}")) {
                samples.addObject().put("subject", f.subject()).put("object", word);
            }
        }
        try {
            Files.createDirectories(model.folder().resolve("relations"));
            Files.write(model.folder().resolve("relations").resolve(name + ".json"), Json.pretty(json));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A request as a file would say it, with single quotes. */
    public static ObjectNode request(LanguageModel model, String experiment, String fields) {
        ObjectNode all = Json.object(("{" + fields + "}").replace('\'', '"').getBytes(StandardCharsets.UTF_8), "the request");
        return all.put("experiment", experiment).put("model", model.folder().toString());
    }

    /** Its answer. */
    public static Result ask(LanguageModel model, String experiment, String fields) {
        return new Requests().ask(request(model, experiment, fields), Progress.silent()).result();
    }

    /** Its answer's arrays by name. */
    public static Map<String, float[]> arrays(Result result) {
        Map<String, float[]> all = new HashMap<>();
        for (NamedArray a : result.arrays()) {
            all.put(a.name(), a.values());
        }
        return all;
    }

    /** f32 numbers as those that were computed in f64. */
    public static void near(String what, double[] expected, float[] actual) {
        double allowed = 2e-5 * Math.max(1, Arrays.stream(expected).map(Math::abs).max().orElse(0));
        if (expected.length != actual.length) {
            fail(what + ": " + actual.length + " numbers, expected " + expected.length);
        }
        for (int i = 0; i < expected.length; i++) {
            if (!(Math.abs(actual[i] - expected[i]) <= allowed)) {
                fail(what + "[" + i + "] is " + actual[i] + ", expected " + expected[i] + " within " + allowed);
            }
        }
    }

    /** Rows one after another. */
    public static double[] flat(double[]... rows) {
        return Arrays.stream(rows).flatMapToDouble(Arrays::stream).toArray();
    }
}
