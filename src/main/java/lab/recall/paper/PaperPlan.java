package lab.recall.paper;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import lab.recall.base.AtomicFiles;
import lab.recall.base.BadRequest;
import lab.recall.base.Json;
import lab.recall.base.Nearest;
import lab.recall.base.Said;
import lab.recall.edit.SecondMoments;
import lab.recall.model.LanguageModel;
import lab.recall.study.Plan;
import lab.recall.study.Requests;
import lab.recall.text.DataFolder;

/**
 * What all experiments of the paper cost, with as many pairs, facts and edits as it had ({@code data/paper/plan.json}).
 *
 * <pre>{@code
 * LanguageModel mamba = PaperPlan.model("mamba-2.8b");       // its config.json; no weights
 * PaperPlan.of(mamba, plan, what -> { });
 * }</pre>
 *
 * The facts are those of the relations that come with the project. A family of which the paper published less is asked what is asked of
 * any: second moments and edits.
 */
public final class PaperPlan {
    private static final String FOLDER = "paper/models";
    private static final String RANKS = "ranks";

    private PaperPlan() {
    }

    /**
     * A model of the sizes that a config.json says.
     *
     * @param name one of the paper's models, a config.json, or a folder with one
     * @throws BadRequest if it is none of these
     */
    public static LanguageModel model(String name) {
        Path path = Path.of(name);
        boolean isConfig = Files.isRegularFile(path) && path.endsWith("config.json");
        if (isConfig || Files.isRegularFile(path.resolve("config.json"))) {
            return LanguageModel.unlearned(path);
        }
        if (!names().contains(name)) {
            throw new BadRequest("model", "'" + Said.of(name) + "', expected " + String.join(" or ", names())
                    + ", a config.json or a folder with one" + Nearest.question(name, names()));
        }
        return LanguageModel.unlearned(DataFolder.find(FOLDER).resolve(name));
    }

    /** The paper's models. */
    static List<String> names() {
        try (Stream<Path> folders = Files.list(DataFolder.find(FOLDER))) {
            return folders.map(f -> f.getFileName().toString()).sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(DataFolder.find(FOLDER) + ": cannot be read (" + AtomicFiles.reason(e) + ")", e);
        }
    }

    /** A narrow model's linear maps have no such large ranks. */
    private static ObjectNode fitting(ObjectNode request, LanguageModel model) {
        if (request.has(RANKS)) {
            List<JsonNode> ranks = new ArrayList<>();
            request.path(RANKS).forEach(ranks::add);
            ranks.removeIf(r -> r.asInt() > model.width());
            request.putArray(RANKS).addAll(ranks);
        }
        return request;
    }

    /**
     * Adds all of the paper's requests of a model to a plan.
     *
     * @param told what is planned next, in words
     */
    public static void of(LanguageModel model, Plan plan, Consumer<String> told) {
        ObjectNode file = Json.object(DataFolder.find("paper/plan.json"));
        for (JsonNode asked : file.path("requests")) {
            if (asked.path("family").asText(model.family()).equals(model.family())) {
                told.accept(asked.path("what").asText());
                Requests.plan(fitting(asked.path("request").deepCopy(), model), model, plan);
            }
        }
        JsonNode moments = file.path("moments");
        int texts = moments.path("texts").asInt();
        int tokens = moments.path("tokens").asInt();
        told.accept("second moments");
        plan.add(model, "second moments of " + texts + " texts of " + tokens + " tokens",
                List.of(SecondMoments.cost(model, model.matrices(), texts, tokens)));
        plan.measure(model);
    }
}
