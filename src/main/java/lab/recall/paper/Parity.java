package lab.recall.paper;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.TreeSet;
import java.util.stream.IntStream;
import lab.recall.base.BadData;
import lab.recall.base.BadRequest;
import lab.recall.model.LanguageModel;
import lab.recall.model.Pass;
import lab.recall.text.Tokenizer;
import lab.recall.view.Showable;
import lab.recall.view.Tables;
import tech.tablesaw.api.Table;

/**
 * Probabilities that the reference code printed, beside those of a model here: the same weights must give the same numbers.
 *
 * <pre>{@code
 * Parity p = Parity.of(LanguageModel.open("state-spaces/mamba-2.8b-hf"));
 * p.agrees(), p.table()
 * environment/recall parity state-spaces/mamba-2.8b-hf
 * }</pre>
 *
 * Printed numbers have six decimals, float32; they agree within 0.001. Source: the stored notebooks of arXiv 2404.03646, in
 * {@code data/paper/parity.json}.
 */
public final class Parity implements Showable {
    private static final String FILE = "parity";

    /** A token after a prompt: printed and found. */
    private record Row(String prompt, String token, double printed, double found, boolean agrees) {
    }

    private final String model;
    private final double tolerance;
    private final List<Row> rows;

    private Parity(String model, double tolerance, List<Row> rows) {
        this.model = model;
        this.tolerance = tolerance;
        this.rows = List.copyOf(rows);
    }

    /** The checkpoint of which numbers were printed that a model is by its name; empty where it is none. */
    static String checkpoint(String name) {
        String last = name.substring(name.lastIndexOf('/') + 1).toLowerCase(Locale.ROOT);
        return checkpoints().stream().filter(c -> last.equals(c) || last.equals(c + "-hf")).findFirst().orElse("");
    }

    private static List<String> checkpoints() {
        TreeSet<String> all = new TreeSet<>();
        PaperNumbers.of(FILE).at("anchors").forEach(a -> all.add(a.path("model").asText()));
        return List.copyOf(all);
    }

    /**
     * Of a model whose name is that of a checkpoint with printed numbers.
     *
     * @throws BadRequest if there are none of it
     */
    public static Parity of(LanguageModel model) {
        String checkpoint = checkpoint(model.name());
        if (checkpoint.isEmpty()) {
            throw new BadRequest("model", model.name() + " is none of those of which the paper's code printed probabilities: "
                    + String.join(", ", checkpoints()));
        }
        PaperNumbers numbers = PaperNumbers.of(FILE);
        List<JsonNode> anchors = new ArrayList<>();
        numbers.at("anchors").forEach(a -> {
            if (a.path("model").asText().equals(checkpoint)) {
                anchors.add(a);
            }
        });
        return of(model, anchors, numbers.at("tolerance").asDouble());
    }

    /**
     * Of given numbers.
     *
     * @param anchors {end_of_text: so many such tokens stand before, text, top: [{token, probability}]}
     * @throws BadData when a token of theirs is none of the tokenizer's
     */
    static Parity of(LanguageModel model, List<JsonNode> anchors, double tolerance) {
        Tokenizer tokenizer = model.requireTokenizer();
        List<Row> rows = new ArrayList<>();
        for (JsonNode a : anchors) {
            int ends = a.path("end_of_text").asInt();
            int[] text = tokenizer.encode(a.path("text").asText(), false).ids();
            int[] before = new int[ends];
            if (ends > 0) {
                Arrays.fill(before, tokenizer.endOfText());
            }
            int[] ids = IntStream.concat(Arrays.stream(before), Arrays.stream(text)).toArray();
            Pass pass = model.run(ids);
            String prompt = "<|endoftext|>".repeat(ends) + a.path("text").asText().replace("\n", "\\n");
            for (JsonNode t : a.path("top")) {
                int[] id = tokenizer.encode(t.path("token").asText(), false).ids();
                if (id.length != 1) {
                    throw new BadData("data/paper/" + FILE + ".json", "'" + t.path("token").asText() + "' is " + id.length
                            + " tokens of " + model.name() + ", expected one");
                }
                double printed = t.path("probability").asDouble();
                double found = pass.probability(id[0]);
                rows.add(new Row(prompt, t.path("token").asText().replace("\n", "\\n"), printed, found,
                        Math.abs(found - printed) <= tolerance));
            }
        }
        return new Parity(model.name(), tolerance, rows);
    }

    /** How many numbers agree. */
    public long agree() {
        return rows.stream().filter(Row::agrees).count();
    }

    /** Whether all do. */
    public boolean agrees() {
        return agree() == rows.size();
    }

    /** In one sentence. */
    public String summary() {
        return model + ": " + agree() + " of " + rows.size() + " printed probabilities agree within " + Tables.number(tolerance);
    }

    /** For each prompt and token what was printed, what is found, and whether they agree. */
    public List<List<Object>> rows() {
        return rows.stream().map(r -> List.<Object>of(r.prompt, r.token, r.printed, r.found, r.agrees ? "agrees" : "differs")).toList();
    }

    /** Names of the columns of {@link #rows}. */
    public static final List<String> COLUMNS = List.of("prompt", "token", "printed", "found", "");

    /** All of them. */
    public Table table() {
        return Tables.of(summary(), COLUMNS, rows());
    }

    @Override
    public Object view() {
        return table();
    }
}
