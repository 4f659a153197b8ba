package lab.recall.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import lab.recall.model.Forks;
import lab.recall.model.HookPoint;
import lab.recall.model.Intervention;
import lab.recall.model.LanguageModel;
import lab.recall.model.Pass;
import lab.recall.model.Recording;
import lab.recall.model.Site;

/** One question on models that other tools open too, its answers held against theirs: the residual stream put back everywhere. */
final class PeerJobs {
    private static final ObjectMapper JSON = new ObjectMapper();

    private PeerJobs() {
    }

    /**
     * Two jobs: the grid with the model open, both plain runs included; and the command for it, from the shell to its exit.
     *
     * @param tokens of either prompt
     */
    static List<Job> grid(String name, String clean, String corrupt, int tokens, int threads) {
        return List.of(new Job("peers", "residual grid", name, tokens, threads, models -> {
            Question q = new Question(models, name, clean, corrupt, threads);
            return Work.of(q::put).rows(() -> q.rows).peers(new Work.Peers(q.asked(), () -> q.grid));
        }), new Job("peers", "residual grid, cold process", name, tokens, threads, models -> {
            Question q = new Question(models, name, clean, corrupt, threads);
            q.put();
            Path folder = models.folder().resolve("grid");
            Path request = models.folder().resolve("grid.json");
            Files.writeString(request, q.request().toString());
            String recall = ForwardJobs.recall();
            return Work.process(() -> {
                delete(folder);                                 // finished pieces are not computed again
                ForwardJobs.run(recall, "run", request.toString(), "--out", folder.toString());
            }).peers(new Work.Peers(q.asked(), () -> q.grid));
        }));
    }

    private static void delete(Path folder) {
        if (!Files.exists(folder)) {
            return;
        }
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path p : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(p);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Two prompts of equal length, and what is found. */
    private static final class Question {
        private final LanguageModel model;
        private final String name;
        private final int[] clean;
        private final int[] corrupt;
        private final int answer;
        private final int threads;
        private double[] grid;
        private long rows;

        Question(Models models, String name, String clean, String corrupt, int threads) throws IOException {
            this.model = models.open(name);
            this.name = Models.shape(name);
            this.clean = model.prompt(clean).ids();
            this.corrupt = model.prompt(corrupt).ids();
            this.threads = threads;
            answer = model.run(this.clean).argmax();
        }

        void put() {
            Pass from = model.run(clean, Recording.points(HookPoint.RESID_POST));
            Pass base = model.run(corrupt);
            Forks forks = model.forks();
            for (int l = 0; l < model.layers(); l++) {
                for (int t = 0; t < corrupt.length; t++) {
                    forks.add(base, Intervention.patch(new Site(l, HookPoint.RESID_POST, t), from));
                }
            }
            grid = forks.probabilities(answer);
            rows = forks.rows() + 2L * model.layers() * corrupt.length;
        }

        /** What other tools are asked: see environment/peers/grid.py. */
        ObjectNode asked() {
            ObjectNode q = JSON.createObjectNode().put("model", model.folder().toString()).put("answer", answer)
                    .put("threads", threads);
            model.files().stream().map(f -> f.getFileName().toString()).filter(f -> f.endsWith(".gguf")).forEach(f -> q.put("file", f));
            q.set("clean", JSON.valueToTree(clean));
            q.set("corrupt", JSON.valueToTree(corrupt));
            return q;
        }

        /** The same for the command line. */
        ObjectNode request() {
            ObjectNode q = JSON.createObjectNode().put("experiment", "interchange").put("model", name).put("point", "resid_post")
                    .put("answer", answer).put("threads", threads);
            q.putObject("clean").set("ids", JSON.valueToTree(clean));
            q.putObject("corrupt").set("ids", JSON.valueToTree(corrupt));
            return q;
        }
    }
}
