package lab.recall.bench;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import lab.recall.model.Edges;
import lab.recall.model.Forks;
import lab.recall.model.HookPoint;
import lab.recall.model.Intervention;
import lab.recall.model.LanguageModel;
import lab.recall.model.Pass;
import lab.recall.model.Recording;
import lab.recall.model.Site;
import lab.recall.model.block.AttentionPoints;
import lab.recall.model.block.ScanPoints;

/** Many patched runs at once. */
final class ForkJobs {
    private ForkJobs() {
    }

    /** All layers and tokens of one pair; beside plain passes at the same kernel speed, and PyTorch. */
    static Job grid(String group, String name, int threads) {
        int tokens = 16;
        return new Job(group, "residual grid", name, tokens, threads, models -> {
            LanguageModel model = models.open(name);
            Pass clean = model.run(Models.ids(model, tokens, 1), Recording.points(HookPoint.RESID_POST));
            int[] corrupt = Models.ids(model, tokens, 2);
            double cells = (double) model.layers() * tokens;
            long[] rows = {0};
            Work work = Work.of(() -> {
                Pass base = model.run(corrupt);
                Forks forks = model.forks();
                for (int l = 0; l < model.layers(); l++) {
                    for (int t = 0; t < tokens; t++) {
                        forks.add(base, Intervention.patch(new Site(l, HookPoint.RESID_POST, t), clean));
                    }
                }
                forks.probabilities(1);
                rows[0] = forks.rows() + (long) cells;
            });
            work.rows(() -> rows[0]).weightBytes(Models.weightBytes(model, name))
                    .flops(() -> Models.flops(model, tokens, 0) / cells * rows[0] + 2 * cells * model.width() * model.vocabulary())
                    .beside(new Work.Own("own plain passes", () -> model.runAll(List.of(corrupt), Recording.nothing()), cells, false));
            if (group.equals("grid")) {
                String folder = model.folder().toString();
                String[] call = {"trace", folder, "--tokens", "" + tokens, "--threads", "" + threads, "--repeats", "1"};
                work.torch("residual grid, one by one", call);
                String[] batched = Arrays.copyOf(call, call.length + 1);
                batched[call.length] = "--batched";
                work.torch("residual grid, layers batched", batched);
            }
            return work;
        });
    }

    /**
     * Forks with cut edges beside forks of the same rows that add zeros instead: three tokens' edges to the last one and to one in the
     * middle, over a window of ten layers around each layer and over all layers.
     */
    static List<Job> edges(String name, int threads) {
        int tokens = 32;
        List<Job> jobs = new ArrayList<>();
        for (int target : new int[] {tokens - 1, tokens / 2}) {
            Edges edges = Edges.between(new int[] {4, 5, 6}, new int[] {target});
            jobs.add(cut("edges, 3 tokens to token " + target, name, tokens, threads, layers -> {
                List<Cut> cuts = new ArrayList<>();
                for (int l = 0; l < layers; l++) {
                    cuts.add(new Cut(Math.max(0, l - 5), Math.min(layers, l + 5) - 1, edges));
                }
                return cuts;
            }));
            jobs.add(cut("edges, 3 tokens to token " + target + ", one fork", name, tokens, threads,
                    layers -> List.of(new Cut(0, layers - 1, edges))));
        }
        return jobs;
    }

    /** Every single edge over all layers. */
    static Job everyEdge(String name, int threads) {
        int tokens = 12;
        return cut("edges, every pair", name, tokens, threads, layers -> {
            List<Cut> cuts = new ArrayList<>();
            for (int t = 0; t < tokens; t++) {
                for (int s = 0; s <= t; s++) {
                    cuts.add(new Cut(0, layers - 1, Edges.of(s, t)));
                }
            }
            return cuts;
        });
    }

    private record Cut(int first, int last, Edges edges) {
    }

    private interface Cuts {
        List<Cut> of(int layers);
    }

    private static Job cut(String job, String name, int tokens, int threads, Cuts cuts) {
        return new Job("edges", job, name, tokens, threads, models -> {
            LanguageModel model = models.open(name);
            HookPoint mixed = model.family().equals("Mamba") ? ScanPoints.Y : AttentionPoints.ATTN_CTX;
            float[] zeros = new float[model.width(mixed)];
            Pass base = model.run(Models.ids(model, tokens, 1));
            List<Cut> all = cuts.of(model.layers());
            long[] rows = {0};
            return Work.of(() -> {
                Forks forks = model.forks();
                all.forEach(c -> forks.add(base, Intervention.cut(model, c.first, c.last, c.edges)));
                forks.probabilities(1);
                rows[0] = forks.rows();
            }).rows(() -> rows[0]).beside("the same forks uncut", () -> {
                Forks forks = model.forks();
                all.forEach(c -> forks.add(base, Intervention.add(new Site(c.first, mixed, c.edges.firstTarget()), zeros)));
                forks.probabilities(1);
            });
        });
    }
}
