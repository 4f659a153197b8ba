package lab.recall.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import lab.recall.facts.Relations;
import lab.recall.model.HookPoint;
import lab.recall.model.LanguageModel;
import lab.recall.model.Pass;
import lab.recall.model.Recording;
import lab.recall.model.Site;
import lab.recall.model.mamba.MambaSizes;
import lab.recall.study.Study;
import lab.recall.text.Tokenizer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The commands over facts, on all real relations: what one of them has asked a model is asked by none again. */
class AskedOnceTest {
    private static final String RELATION = "person_native_language";

    @TempDir
    Path dir;
    private final Terminal terminal = new Terminal();
    private String model;

    @BeforeEach
    void makeModel() {
        System.setProperty("recall.store", dir.resolve("user").toString());
        LanguageModel fresh = new MambaSizes(16, 3, 4).fresh(50_280, 1).write(dir.resolve("fresh"), Tokenizer.bundled20bFile());
        model = dir.resolve("model").toString();
        speaking(fresh, " French", " Russian").save(Path.of(model));
    }

    @AfterEach
    void forgetStore() {
        System.clearProperty("recall.store");
    }

    /** A model of random weights that answers with one of two words, each to about half of a relation's prompts: so it knows some. */
    private static LanguageModel speaking(LanguageModel fresh, String one, String other) {
        Tokenizer tokenizer = fresh.requireTokenizer();
        Relations asked = Relations.lre().only(RELATION);
        List<Pass> passes = fresh.runAll(asked.get(RELATION).facts().stream().limit(200)
                .map(f -> asked.get(RELATION).template().fill(tokenizer, f.subject()).ids()).toList(),
                Recording.points(HookPoint.FINAL_NORM));
        int width = fresh.width();
        double[] mean = new double[width];
        double[] squares = new double[width];
        for (Pass p : passes) {
            float[] last = p.get(new Site(0, HookPoint.FINAL_NORM, p.length() - 1));
            for (int i = 0; i < width; i++) {
                mean[i] += last[i] / (double) passes.size();
                squares[i] += last[i] * (double) last[i] / passes.size();
            }
        }
        int widest = 0;
        double norm = 0;
        for (int i = 0; i < width; i++) {
            widest = squares[i] - mean[i] * mean[i] > squares[widest] - mean[widest] * mean[widest] ? i : widest;
            norm += mean[i] * mean[i];
        }
        String name = fresh.weights().keySet().stream().filter(n -> n.endsWith("embeddings.weight")).findFirst().orElseThrow();
        float[] embeddings = fresh.weight(name);
        for (int i = 0; i < width; i++) {
            double along = 1000 * ((i == widest ? 1 : 0) - mean[widest] * mean[i] / norm);
            embeddings[tokenizer.encode(one, false).ids()[0] * width + i] = (float) along;
            embeddings[tokenizer.encode(other, false).ids()[0] * width + i] = (float) -along;
        }
        return fresh.with(Map.of(name, embeddings));
    }

    /** The answers of a piece of facts are a list of ids; no other piece that is shared is. */
    private Map<Path, FileTime> answers() throws IOException {
        try (Stream<Path> all = Files.walk(dir.resolve("user"))) {
            Map<Path, FileTime> times = new TreeMap<>();
            for (Path file : all.filter(f -> f.toString().endsWith(".json")).toList()) {
                if (Files.readAllLines(file).get(1).matches("\\[\\d+(,\\d+)*]")) {
                    times.put(file, Files.getLastModifiedTime(file));
                }
            }
            return times;
        }
    }

    private String start(String... command) {
        assertEquals(0, terminal.recall(Stream.concat(Stream.of(command), Stream.of("--out", dir.resolve("out-" + command[0]).toString()))
                .toArray(String[]::new)), () -> String.join(" ", command) + ": " + terminal.err());
        return terminal.out();
    }

    @Test
    void commandsOnRealRelationsAskTheirFactsOnce() throws IOException {
        Path edit = Files.writeString(dir.resolve("edit.json"), ("{'experiment': 'edit', 'model': '" + model + "', 'requests': 1, "
                + "'contexts': 0, 'documents': 4, 'hyperparameters': {'steps': 2}}").replace('\'', '"'));
        List<String[]> commands = List.of(
                new String[] {"trace", "--model", model, "--pairs", "2"},
                new String[] {"knockout", "--model", model, "--form", "edges", "--facts", "2"},
                new String[] {"edit-sweep", "--model", model, "--requests", "1", "--layer", "1", "--matrix", "out_proj", "--contexts", "0",
                    "--documents", "4"},
                new String[] {"run", edit.toString()});
        start(commands.get(0));
        Map<Path, FileTime> asked = answers();
        assertEquals(Relations.lre().all().stream().mapToInt(r -> (r.facts().size() + Study.MOST - 1) / Study.MOST).sum(), asked.size());
        for (String[] command : commands) {
            start(command);
            assertEquals(asked, answers(), command[0]);
        }
        for (String[] command : commands.subList(1, commands.size())) {
            start(command);
            assertEquals(asked, answers(), command[0] + " again");
        }
    }

    /** Its facts are asked beside other examples in each split, as part of its own pieces. */
    @Test
    void lreTakesItsOwnPieces() throws IOException {
        String[] lre = {"lre", "--model", model, "--splits", "1", "--samples", "3", "--facts", "6", "--every", "3", "--faithfulness-only"};
        start(lre);
        Path store = dir.resolve("out-lre/store");
        Map<Path, FileTime> kept = new TreeMap<>();
        for (Path piece : pieces(store)) {
            kept.put(piece, Files.getLastModifiedTime(piece));
        }
        assertEquals(Relations.lre().all().size(), kept.size());
        assertTrue(start(lre).contains(kept.size() + " finished pieces of an earlier run were taken from " + store), terminal.out());
        for (Path piece : pieces(store)) {
            assertEquals(kept.get(piece), Files.getLastModifiedTime(piece));
        }
    }

    private static List<Path> pieces(Path store) throws IOException {
        try (Stream<Path> all = Files.walk(store)) {
            return all.filter(f -> f.getFileName().toString().matches("[0-9a-f]{64}\\.json")).toList();
        }
    }
}
