package lab.recall.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import lab.recall.edit.EditCase;
import lab.recall.edit.EditMatrix;
import lab.recall.edit.EditSettings;
import lab.recall.edit.RankOneEditor;
import lab.recall.edit.SecondMoment;
import lab.recall.math.CrossEntropy;
import lab.recall.math.FmaPeak;
import lab.recall.math.Gate;
import lab.recall.math.KernelBenchmark;
import lab.recall.math.Parallel;
import lab.recall.math.SelectiveScan;
import lab.recall.train.AdamW;
import lab.recall.view.Show;
import lab.recall.view.Tables;

/**
 * Times whole jobs on checkpoints of real shapes with random weights, beside PyTorch on the same files where it is present. Each of our
 * times is the best of a few tries and PyTorch's as well. Called by {@code environment/bench}.
 */
final class Bench {
    private static final ObjectMapper JSON = new ObjectMapper();
    /** Seconds after which a job is not repeated. */
    private static final double LONG = 30;

    private final Path folder;
    private final String python;
    private final Path peer;
    private final String only;
    private final double peak;
    private final List<Map<String, Object>> rows = new ArrayList<>();

    private Bench(Path folder, String python, Path peer, String only) {
        this.folder = folder;
        this.python = python;
        this.peer = peer;
        this.only = only;
        this.peak = FmaPeak.gigaflops();
    }

    /** Arguments: folder for checkpoints, python or "", peer script, job or "", JSON file or "". */
    public static void main(String[] args) throws IOException, InterruptedException {
        Bench bench = new Bench(Path.of(args[0]), args[1], Path.of(args[2]), args[3]);
        System.out.printf(Locale.ROOT, "FMA peak of one thread: %.0f GFLOP/s, Java %s%n", bench.peak, System.getProperty("java.version"));
        for (String dtype : new String[] {"BF16", "F32"}) {         // compiles what is timed below
            LanguageModel model = bench.open("mamba-130m", dtype);
            for (int i = 0; i < 12; i++) {
                model.runAll(List.of(ids(model, 32, i)), Recording.nothing());
            }
        }
        for (int threads : new int[] {1, 2}) {
            Parallel.setThreads(threads);
            for (String dtype : new String[] {"BF16", "F32"}) {
                bench.forward("mamba-130m", dtype, threads, 32);
                bench.forward("mamba-130m", dtype, threads, 128);
            }
            bench.forward("mamba-130m", "BF16", threads, 512);
            bench.forward("mamba-370m", "BF16", threads, 32);
            bench.forward("pythia-160m", "BF16", threads, 32);
            bench.forward("pythia-160m", "BF16", threads, 128);
        }
        Parallel.setThreads(1);
        bench.gemm();
        bench.batch(1);
        bench.scan();
        bench.grid("mamba-130m", 1);
        bench.edges(1);
        bench.backward(1);
        bench.jacobian(1);
        bench.inner(1);
        bench.edit(1);
        bench.train("tiny-mamba", 1);
        bench.train("tiny-neox", 1);
        Parallel.setThreads(2);
        bench.train("tiny-mamba", 2);
        bench.train("tiny-neox", 2);
        bench.grid("mamba-130m", 2);
        bench.edges(2);
        bench.edit(2);
        if (bench.only.equals("big")) {
            bench.grid("mamba-2.8b", 2);
        }
        List<String> columns = List.of("job", "model", "tokens", "threads", "rows", "seconds", "GFLOP/s", "share of peak", "baseline", "baseline seconds", "ratio");
        System.out.println(Show.text(Tables.of("", columns, bench.rows.stream()
                .map(r -> columns.stream().map(c -> r.getOrDefault(c, Double.NaN)).toList()).toList())));
        if (!args[4].isEmpty()) {
            Files.writeString(Path.of(args[4]), JSON.writerWithDefaultPrettyPrinter().writeValueAsString(bench.rows));
        }
    }

    private boolean skips(String job) {
        return !only.isEmpty() && !only.equals(job);
    }

    private LanguageModel open(String shape, String dtype) throws IOException {
        return LanguageModel.open(RandomCheckpoint.make(shape, folder.resolve(shape + "-" + dtype.toLowerCase(Locale.ROOT)), dtype));
    }

    private void forward(String shape, String dtype, int threads, int tokens) throws IOException, InterruptedException {
        if (skips("forward")) {
            return;
        }
        LanguageModel model = open(shape, dtype);
        List<int[]> prompt = List.of(ids(model, tokens, 1));
        double seconds = best(() -> model.runAll(prompt, Recording.nothing()), 2.5);
        row("forward", shape + " " + dtype, tokens, threads, (long) tokens * model.layers(), seconds, flops(model, tokens, 1),
                "forward", model.folder().toString(), "--tokens", "" + tokens, "--batch", "1", "--logits", "last", "--threads", "" + threads);
    }

    private void batch(int threads) throws IOException, InterruptedException {
        if (skips("batch")) {
            return;
        }
        LanguageModel model = open("mamba-130m", "BF16");
        List<int[]> prompts = new ArrayList<>();
        for (int i = 0; i < 16; i++) {
            prompts.add(ids(model, 32, i));
        }
        double seconds = best(() -> model.runAll(prompts, Recording.nothing()), 4);
        row("forward, 16 prompts", "mamba-130m BF16", 16 * 32, threads, 512L * model.layers(), seconds, flops(model, 512, 16),
                "forward", model.folder().toString(), "--tokens", "32", "--batch", "16", "--logits", "last", "--threads", "" + threads);
    }

    /** A product of mamba-130m's in_proj against the BLAS that ND4J brings. */
    private void gemm() {
        if (skips("gemm")) {
            return;
        }
        for (int rows : new int[] {16, 32, 128, 512}) {
            KernelBenchmark k = KernelBenchmark.of(rows);
            double blas = best(k::productBlas, 1);
            double flops = 2.0 * rows * KernelBenchmark.INPUTS * KernelBenchmark.OUTPUTS;
            row("product, f32", "768 x 3072", rows, 1, rows, best(k::productF32, 1), flops, "ND4J BLAS, f32", blas);
            row("product, bf16 weights", "768 x 3072", rows, 1, rows, best(k::productBf16, 1), flops, "ND4J BLAS, f32", blas);
        }
    }

    private void scan() throws IOException, InterruptedException {
        if (skips("scan")) {
            return;
        }
        int t = 32;
        int e = 1536;
        int n = 16;
        Random random = new Random(1);
        float[] u = floats(random, t * e, 0, 1);
        float[] delta = floats(random, t * e, 0.05, 0.05);
        float[] a = floats(random, n * e, -5, 4);
        float[] bc = floats(random, t * 2 * n, 0, 1);
        float[] d = floats(random, e, 0, 1);
        float[] state = new float[n * e];
        float[] z = floats(random, t * e, 0, 2);
        float[] y = new float[t * e];
        double seconds = best(() -> {
            Arrays.fill(state, 0f);
            SelectiveScan.forward(t, e, n, u, 0, delta, 0, a, bc, 0, n, 2 * n, d, state, 0, y, 0);
            Gate.forward(y, 0, z, 0, e, t, e, y, 0);
        }, 1.5);
        System.out.printf(Locale.ROOT, "scan: %.2f ns per token, channel and state%n", seconds * 1e9 / ((double) t * e * n));
        row("scan with gate", "1536 channels, 16 states", t, 1, t, seconds, Double.NaN, "scan", "--tokens", "" + t, "--threads", "1");
    }

    /** All layers and tokens of one pair; ours alone is also set against plain passes at the same kernel speed. */
    private void grid(String shape, int threads) throws IOException, InterruptedException {
        if (skips(shape.equals("mamba-2.8b") ? "big" : "grid")) {
            return;
        }
        LanguageModel model = open(shape, "BF16");
        int tokens = 16;
        Pass clean = model.run(ids(model, tokens, 1), Recording.points(HookPoint.RESID_POST));
        int[] corrupt = ids(model, tokens, 2);
        long[] rows = {0};
        double seconds = best(() -> {
            Pass base = model.run(corrupt);
            Forks forks = model.forks();
            for (int l = 0; l < model.layers(); l++) {
                for (int t = 0; t < tokens; t++) {
                    forks.add(base, Intervention.patch(new Site(l, HookPoint.RESID_POST, t), clean));
                }
            }
            forks.probabilities(1);
            rows[0] = forks.rows() + (long) tokens * model.layers();
        }, 1);
        double plain = best(() -> model.runAll(List.of(corrupt), Recording.nothing()), 1);
        double cells = (double) model.layers() * tokens;
        double flops = (flops(model, tokens, 0) / ((double) tokens * model.layers())) * rows[0] + 2 * cells * model.width() * model.vocabulary();
        row("residual grid", shape + " BF16", tokens, threads, rows[0], seconds, flops, "own plain passes", plain * cells);
        if (shape.equals("mamba-130m")) {
            String[] call = {"trace", model.folder().toString(), "--tokens", "" + tokens, "--threads", "" + threads, "--repeats", "1"};
            row("residual grid, one by one", shape + " BF16", tokens, threads, rows[0], seconds, flops, call);
            String[] batched = Arrays.copyOf(call, call.length + 1);
            batched[call.length] = "--batched";
            row("residual grid, layers batched", shape + " BF16", tokens, threads, rows[0], seconds, flops, batched);
        }
        System.out.printf(Locale.ROOT, "resident memory: %d MB%n", resident());
    }

    /**
     * Forks with cut edges beside forks of the same rows that add zeros instead: three tokens' edges to the last one and to one in the middle,
     * over a window of ten layers around each layer and over all layers, and every single edge over all layers.
     */
    private void edges(int threads) throws IOException {
        if (skips("edges")) {
            return;
        }
        int tokens = 32;
        for (String shape : new String[] {"mamba-130m", "pythia-160m"}) {
            LanguageModel model = open(shape, "BF16");
            Pass base = model.run(ids(model, tokens, 1));
            for (int target : new int[] {tokens - 1, tokens / 2}) {
                Edges edges = Edges.between(new int[] {4, 5, 6}, new int[] {target});
                List<Edges> every = new ArrayList<>();
                List<int[]> windows = new ArrayList<>();
                for (int l = 0; l < model.layers(); l++) {
                    every.add(edges);
                    windows.add(new int[] {Math.max(0, l - 5), Math.min(model.layers(), l + 5) - 1});
                }
                cutBesidePlain("edges, 3 tokens to token " + target, model, base, every, windows, threads);
                cutBesidePlain("edges, 3 tokens to token " + target + ", one fork", model, base, List.of(edges),
                        List.of(new int[] {0, model.layers() - 1}), threads);
            }
        }
        LanguageModel model = open("mamba-130m", "BF16");
        Pass base = model.run(ids(model, 12, 1));
        List<Edges> pairs = new ArrayList<>();
        List<int[]> windows = new ArrayList<>();
        for (int t = 0; t < base.length(); t++) {
            for (int s = 0; s <= t; s++) {
                pairs.add(Edges.of(s, t));
                windows.add(new int[] {0, model.layers() - 1});
            }
        }
        cutBesidePlain("edges, every pair", model, base, pairs, windows, threads);
    }

    private void cutBesidePlain(String job, LanguageModel model, Pass base, List<Edges> edges, List<int[]> windows, int threads) {
        Forks[] forks = new Forks[2];
        double[] seconds = {Double.POSITIVE_INFINITY, Double.POSITIVE_INFINITY};
        float[] zeros = new float[model.width(model instanceof Mamba ? HookPoint.Y : HookPoint.ATTN_CTX)];
        for (int round = 0; round < (edges.size() == 1 ? 40 : 5); round++) {         // in turn: both see the same machine
            for (int cut = 0; cut < 2; cut++) {
                forks[cut] = model.forks();
                for (int i = 0; i < edges.size(); i++) {
                    int first = windows.get(i)[0];
                    Site site = new Site(first, model instanceof Mamba ? HookPoint.Y : HookPoint.ATTN_CTX, edges.get(i).firstTarget());
                    forks[cut].add(base, cut == 1 ? Intervention.cut(model, first, windows.get(i)[1], edges.get(i))
                            : List.of(Intervention.add(site, zeros)));
                }
                long start = System.nanoTime();
                forks[cut].probabilities(1);
                seconds[cut] = Math.min(seconds[cut], seconds(start));
            }
        }
        System.out.printf(Locale.ROOT, "%s, %s, %d threads: %d forks, %.2f times a plain pass of the same rows%n", job, model.folder().getFileName(),
                threads, edges.size(), seconds[1] / seconds[0]);
        row(job, model.folder().getFileName().toString(), base.length(), threads, forks[1].rows(), seconds[1], Double.NaN, "the same forks uncut", seconds[0]);
    }

    /** What gradients cost beside the forward pass of the same rows. */
    private void backward(int threads) throws IOException {
        if (skips("backward")) {
            return;
        }
        LanguageModel model = open("mamba-130m", "F32");
        int[][] prompts = new int[4][];
        for (int i = 0; i < prompts.length; i++) {
            prompts[i] = ids(model, 64, i);
        }
        List<Pass> passes = model.runAll(List.of(prompts), Recording.gradients());
        Trainable trained = new Trainable(model, prompts.length, prompts[0].length);
        double loss = best(() -> trained.loss(prompts, null), 2);
        double forward = best(() -> model.runAll(List.of(prompts), Recording.nothing()), 2);
        double vectors = best(() -> passes.forEach(p -> Gradients.of(p, 7, Recording.points(HookPoint.RESID_POST))), 2);
        double parameters = best(() -> trained.backward(prompts, null), 2) - loss;
        long rows = 256L * model.layers();
        row("backward, vectors", "mamba-130m F32", 256, threads, rows, vectors, Double.NaN, "forward, last logits", forward);
        row("backward, parameters", "mamba-130m F32", 256, threads, rows, parameters, Double.NaN, "forward and loss", loss);
    }

    private void jacobian(int threads) throws IOException, InterruptedException {
        if (skips("jacobian")) {
            return;
        }
        LanguageModel model = open("mamba-130m", "F32");
        Pass pass = model.run(ids(model, 16, 1), Recording.gradients());
        double seconds = best(() -> Jacobian.of(pass, 12, 8), 1);
        row("jacobian, layer 12, token 8 of 16", "mamba-130m F32", 16, threads, 768L * 8 * 11, seconds, Double.NaN, "jacobian",
                model.folder().toString(), "--layer", "12", "--tokens", "16", "--token", "8", "--mode", "vmap", "--rows", "128", "--chunk", "64",
                "--threads", "" + threads, "--repeats", "1");
    }

    /** One step of rank-one editing's inner loop: 5 templates and a KL row of 20 tokens, forward and back from the edited layer on. */
    private void inner(int threads) throws IOException, InterruptedException {
        if (skips("rome-step")) {
            return;
        }
        LanguageModel model = open("mamba-130m", "F32");
        int layer = 12;
        int token = 12;
        List<Pass> bases = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            bases.add(model.run(ids(model, 20, i)));
        }
        float[] delta = new float[model.width()];
        Arrays.fill(delta, 0.01f);
        double seconds = best(() -> {
            AddedVectors added = AddedVectors.at(model, layer, HookPoint.OUT);
            bases.forEach(b -> added.add(b, token, delta, 1));
            added.forward((fork, i, logits, at) -> CrossEntropy.backward(logits, at, model.vocabulary(), 7, 1f, logits, at));
            added.backward(fork -> true);
        }, 10);
        row("rome-step, layer 12", "mamba-130m F32", 120, threads, 6L * 8 * 24, seconds, Double.NaN, "rome-step", model.folder().toString(),
                "--layer", "12", "--from-layer", "--threads", "" + threads);
    }

    /** One step of training an embedded model further, optimizer included, on a batch of the shape of its recipe. */
    private void train(String embedded, int threads) throws IOException, InterruptedException {
        if (skips("train-step")) {
            return;
        }
        LanguageModel model = LanguageModel.open(embedded);
        int tokens = 128;
        int[][] rows = new int[8][];
        for (int r = 0; r < rows.length; r++) {
            rows[r] = ids(model, tokens, r);
        }
        Trainable trained = new Trainable(model, rows.length, tokens);
        AdamW adam = new AdamW(0.9, 0.98, 1e-8, 0.01, name -> true);
        double seconds = best(() -> {
            trained.backward(rows, null);
            adam.step(trained.weights(), trained.gradients(), 1e-3, 1);
            trained.changed();
        }, 10);
        // forward once, back twice; the last token of a row predicts nothing
        row("train-step, 8 rows", embedded + " F32", rows.length * tokens, threads, (long) rows.length * tokens * model.layers(), seconds,
                3 * flops(model, rows.length * tokens, rows.length * (tokens - 1)), "train-step", model.folder().toString(), "--tokens", "" + tokens,
                "--batch", "" + rows.length, "--threads", "" + threads);
    }

    /** One whole edit, 20 losses: 5 templates of 20 tokens, the target's first among them, and a KL prompt. */
    private void edit(int threads) throws IOException, InterruptedException {
        if (skips("rome-edit")) {
            return;
        }
        LanguageModel model = open("mamba-130m", "F32");
        int tokens = 20;
        int layer = 12;
        int[] target = ids(model, 2, 7);
        List<int[]> contexts = new ArrayList<>();
        int[] lookups = new int[5];
        for (int i = 0; i < lookups.length; i++) {
            contexts.add(ids(model, tokens - 1, i));
            lookups[i] = tokens / 2 + i % 3;
        }
        EditCase asked = new EditCase(contexts, lookups, target, ids(model, tokens / 2 + 1, 9));
        EditSettings all = new EditSettings(20, 0.5, 0.5, 0.0625, 3, 0, Double.POSITIVE_INFINITY, 0, EditSettings.KeyMode.PUBLISHED);
        SecondMoment moment = SecondMoment.identity(model.width(HookPoint.GATED));
        moment.solve(new double[moment.size()]);                // its factor is kept, as PyTorch's users keep the inverse
        RankOneEditor editor = RankOneEditor.of(model).at(layer, EditMatrix.W_O).with(all).moment(moment);
        double seconds = best(() -> editor.cases(List.of(asked)), 10);
        long rows = 20L * (5 * (tokens / 2) + 1) * (model.layers() - layer);
        String[] call = {"rome-edit", model.folder().toString(), "--layer", "" + layer, "--threads", "" + threads};
        row("rome-edit, published way", "mamba-130m F32", 6 * tokens, threads, rows, seconds, Double.NaN, call);
        String[] from = Arrays.copyOf(call, call.length + 1);
        from[call.length] = "--from-layer";
        row("rome-edit, from the layer on", "mamba-130m F32", 6 * tokens, threads, rows, seconds, Double.NaN, from);
    }

    private static float[] floats(Random random, int count, double centre, double scale) {
        float[] all = new float[count];
        for (int i = 0; i < count; i++) {
            all[i] = (float) (centre + scale * (2 * random.nextDouble() - 1));
        }
        return all;
    }

    private static int[] ids(LanguageModel model, int tokens, long seed) {
        return new Random(seed).ints(tokens, 0, model.vocabulary()).toArray();
    }

    /** Multiply-adds of the matrix products, times two. */
    private static double flops(LanguageModel model, int tokens, int heads) {
        double d = model.width();
        double layer = model instanceof Mamba ? 6 * d * d + 2 * d * (d / 16 + 32) + 2 * d * d / 16 : 12 * d * d;
        return 2 * (tokens * layer * model.layers() + heads * d * model.vocabulary());
    }

    /** Seconds of the quickest of some runs. */
    private static double best(Runnable work, double atLeast) {
        double best = Double.POSITIVE_INFINITY;
        long begin = System.nanoTime();
        for (int i = 0; i < 1 || i < 3 && seconds(begin) < LONG || seconds(begin) < atLeast; i++) {
            long start = System.nanoTime();
            work.run();
            best = Math.min(best, seconds(start));
        }
        return best;
    }

    private static double seconds(long since) {
        return (System.nanoTime() - since) / 1e9;
    }

    /** Against PyTorch doing the same, where it is present. */
    private void row(String job, String model, int tokens, int threads, long rows, double seconds, double flops, String... peerCall)
            throws IOException, InterruptedException {
        row(job, model, tokens, threads, rows, seconds, flops, "PyTorch", python.isEmpty() ? Double.NaN : peerSeconds(peerCall));
    }

    private void row(String job, String model, int tokens, int threads, long rows, double seconds, double flops, String baseline, double theirs) {
        Map<String, Object> r = new LinkedHashMap<>();
        r.put("job", job);
        r.put("model", model);
        r.put("tokens", tokens);
        r.put("threads", threads);
        r.put("rows", rows);
        r.put("seconds", seconds);
        r.put("GFLOP/s", flops / seconds / 1e9);
        r.put("share of peak", flops / seconds / 1e9 / peak / threads);
        r.put("baseline", baseline);
        r.put("baseline seconds", theirs);
        r.put("ratio", theirs / seconds);
        this.rows.add(r);
        System.out.println(r);
    }

    /** The peer prints one line of JSON. */
    private double peerSeconds(String... call) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(python, peer.toString()));
        command.addAll(List.of(call));
        ProcessBuilder b = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD);
        b.environment().put("OMP_WAIT_POLICY", "PASSIVE");
        Process p = b.start();
        String out = new String(p.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        if (p.waitFor() != 0 || out.isEmpty()) {
            return Double.NaN;
        }
        JsonNode answer = JSON.readTree(out.substring(out.lastIndexOf('\n') + 1));
        return answer.path("seconds_best").asDouble(Double.NaN);
    }

    private static long resident() throws IOException {
        Path status = Path.of("/proc/self/status");
        if (!Files.exists(status)) {
            return -1;
        }
        return Files.readAllLines(status).stream().filter(l -> l.startsWith("VmHWM")).mapToLong(l -> Long.parseLong(l.replaceAll("\\D", "")) / 1024)
                .findFirst().orElse(-1);
    }
}
