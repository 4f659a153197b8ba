package lab.recall.train;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import java.util.function.Supplier;
import lab.recall.base.AtomicFiles;
import lab.recall.base.BadData;
import lab.recall.base.Check;
import lab.recall.base.Interruption;
import lab.recall.base.Json;
import lab.recall.base.Unsolvable;
import lab.recall.facts.World;
import lab.recall.math.Parallel;
import lab.recall.model.LanguageModel;
import lab.recall.model.ModelFacts;
import lab.recall.model.Trainable;
import lab.recall.text.Tokenizer;
import lab.recall.view.Export;
import lab.recall.view.ProgressBar;
import lab.recall.view.Show;

/**
 * Trains a small model on the text of a world.
 *
 * <pre>{@code
 * Trained t = new Trainer(config, folder).train();           // a progress bar and the curve below the cell
 * t.model(), t.recall(), t.log()
 * new Trainer(config, folder).keeping(200).train();          // steps/0, steps/200 ..: the models on the way, to be opened like any other
 * new Trainer(config, folder).text(3)                        // what it reads
 * }</pre>
 *
 * The folder receives the model in HuggingFace's layout, its world's relations, recall.json, the configuration, a log and the curve. An
 * interrupted call stops after the step at work and keeps all of it; called again with the same configuration and folder it goes on there.
 * At each checkpoint the folder's model is that of the step; state.safetensors is there while the training is not done.
 * Weights depend on the configuration alone: not on the number of threads, on interruptions or kills.
 */
public final class Trainer {
    /** Pairs of each kind whose recall is measured on the way. */
    private static final int SOME = 200;
    private static final String ON_THE_WAY = "steps";

    private final TrainConfig config;
    private final TrainFile said;
    private final Path folder;
    private final int every;

    /** @param folder receives the model; one that holds another training is refused */
    public Trainer(TrainConfig config, Path folder) {
        this(config, folder, 0);
    }

    private Trainer(TrainConfig config, Path folder, int every) {
        this.config = config;
        this.said = config.said();
        this.folder = folder;
        this.every = every;
    }

    /**
     * Keeps the models on the way too, in {@code steps/STEP} of the folder: the first weights, and those of each so many steps.
     *
     * @param steps from one to the next, at least 1
     */
    public Trainer keeping(int steps) {
        return new Trainer(config, folder, Check.whole("keep_every", steps, 1, said.steps()));
    }

    /**
     * The first rows of the text that is learned, as text.
     *
     * @throws lab.recall.base.BadRequest when the configuration fits no text of its world
     */
    public List<String> text(int rows) {
        World world = config.openWorld();
        Tokenizer tokenizer = tokenizer(BytePairs.learn(Corpus.wordCounts(world), said.vocabulary()));
        return Arrays.stream(corpus(world, tokenizer).batch(0).ids()).limit(rows)
                .map(ids -> tokenizer.decode(ids).replaceAll("(<\\|endoftext\\|>)+$", "")).toList();
    }

    private static Tokenizer tokenizer(BytePairs pairs) {
        try {
            Path file = Files.createTempFile("tokenizer", ".json");
            try {
                pairs.write(file);
                return Tokenizer.open(file);
            } finally {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("a temporary file: cannot be written (" + AtomicFiles.reason(e) + ")", e);
        }
    }

    private Corpus corpus(World world, Tokenizer tokenizer) {
        return new Corpus(world, tokenizer, said.corpus());
    }

    /**
     * Trains, with a progress bar and, in a notebook, the curve.
     *
     * @throws lab.recall.base.Failure as {@link #train(IntConsumer, Consumer, Consumer)}
     */
    public Trained train() {
        Show.Live curve = Show.live();
        try (ProgressBar bar = ProgressBar.of("training", "steps", said.steps())) {
            Trained trained = train(bar::from, bar::to, log -> curve.update(log.chart()));
            curve.update(trained.log().chart());                // also when nothing was left to do
            return trained;
        }
    }

    /**
     * Trains.
     *
     * @param goingOn  told how many steps earlier calls have done, when they have
     * @param stepped  told how many steps are done, after each
     * @param measured told of each measurement of recall
     * @throws BadData when the folder holds something else
     * @throws lab.recall.base.BadRequest when the configuration fits no text of its world
     * @throws Unsolvable when the loss is no longer finite
     * @throws UncheckedIOException when a file cannot be written
     * @throws CancellationException when it was interrupted; what is done is kept
     */
    public Trained train(IntConsumer goingOn, Consumer<Integer> stepped, Consumer<TrainLog> measured) {
        World world = config.openWorld();
        BytePairs pairs = BytePairs.learn(Corpus.wordCounts(world), said.vocabulary());
        Corpus corpus = corpus(world, tokenizer(pairs));
        corpus.batch(0);                                        // what cannot be trained on is refused before anything is written
        begin();
        TrainState state = new TrainState(folder);
        if (every > 0 && (state.exists() || TrainLog.isWhole(folder)) && !Files.exists(folder.resolve(ON_THE_WAY).resolve("0"))) {
            throw new BadData(folder, "holds a training whose models on the way were not kept; expected a new folder");
        }
        if (!state.exists() && TrainLog.isWhole(folder)) {
            return trained(TrainLog.read(folder));
        }
        LanguageModel start = state.exists() && Files.exists(folder.resolve("config.json")) ? LanguageModel.open(folder)
                : fresh(world, pairs);
        ExecutorService worker = Executors.newSingleThreadExecutor(r -> {
            Thread t = new Thread(r, "training");
            t.setDaemon(true);
            return t;
        });
        try {
            Run run = new Run(worker, start, corpus, state);
            if (run.first > 0) {
                goingOn.accept(run.first);
            }
            return run.all(stepped, measured);
        } finally {
            worker.shutdownNow();
        }
    }

    private LanguageModel fresh(World world, BytePairs pairs) {
        world.write(folder.resolve(ModelFacts.FOLDER));
        Path text = folder.resolve("tokenizer.json");
        pairs.write(text);
        BytePairs.writeSettings(folder.resolve("tokenizer_config.json"));
        return said.sizes().fresh(pairs.size(), said.seed()).write(folder, text);
    }

    private Trained trained(TrainLog log) {
        return new Trained(LanguageModel.open(folder), log.last().recall(), log);
    }

    /** Makes the folder; refuses one that holds another training. */
    private void begin() {
        Path file = folder.resolve("training.json");
        AtomicFiles.folder(folder);
        Optional<ObjectNode> before = Files.exists(file) ? Optional.of(Json.object(file)) : Optional.empty();
        if (before.isEmpty() && Files.exists(folder.resolve("config.json"))) {
            throw new BadData(folder, "holds a model already; expected a new folder");
        }
        if (before.isPresent() && !before.get().equals(config.settings())) {
            throw new BadData(folder, "holds a training with another configuration (training.json); "
                    + "expected a new folder or the same configuration");
        }
        AtomicFiles.write(file, Json.prettyLine(config.settings()));
        if (!Files.exists(folder.resolve(ModelFacts.FILE))) {       // also where an earlier form of this program has begun
            config.facts().write(folder);
        }
    }

    /** One run of a training, from where the last one stopped. */
    private final class Run {
        private final ExecutorService worker;
        private final Corpus corpus;
        private final TrainState state;
        private final Trainable model;
        private final AdamW adam;
        private final double before;
        private final int first;
        private final TrainLog log;
        private final long start = System.nanoTime();
        private boolean interrupted;
        private double norm;

        Run(ExecutorService worker, LanguageModel fresh, Corpus corpus, TrainState state) {
            this.worker = worker;
            this.corpus = corpus;
            this.state = state;
            this.model = new Trainable(fresh, said.corpus().rows(), said.corpus().tokens());
            TrainFile.Optimizer o = said.optimizer();
            this.adam = new AdamW(o.beta1(), o.beta2(), o.eps(), o.weightDecay(), fresh.layerMatrices()::contains);
            double[] done = state.exists() ? state.read(model.weights(), adam) : new double[2];
            model.changed();
            this.first = (int) done[0];
            this.before = done[1];
            this.log = TrainLog.upTo(folder, first);
            if (!state.exists()) {
                keepOnTheWay(0);
                state.write(0, 0, model.weights(), adam);       // only a training that is done has none
            }
        }

        Trained all(Consumer<Integer> stepped, Consumer<TrainLog> measured) {
            double losses = 0;
            int summed = 0;
            long since = System.nanoTime();
            for (int step = first; step < said.steps(); step++) {
                int at = step;
                double loss = uninterrupted(() -> step(at));
                if (!Double.isFinite(loss) || !Double.isFinite(norm)) {
                    throw new Unsolvable("optimizer.lr", "the loss is no longer finite at step " + step
                            + "; expected a lower learning rate, in a new folder");
                }
                losses += loss;
                summed++;
                int done = step + 1;
                boolean last = done == said.steps();
                if (done % said.evaluateEvery() == 0 || last) {
                    double rate = (double) summed * said.corpus().rows() * said.corpus().tokens() / ((System.nanoTime() - since) / 1e9);
                    Recall recall = uninterrupted(() -> Recall.of(model.model(), corpus, last ? Integer.MAX_VALUE : SOME));
                    interrupted |= Thread.interrupted();        // the flag would close the file that is written here
                    log.add(new TrainLog.Entry(done, said.steps(), losses / summed, said.optimizer().rate(step, said.steps()),
                            norm, recall, rate, seconds()));
                    measured.accept(log);
                    losses = 0;
                    summed = 0;
                    since = System.nanoTime();
                }
                keepOnTheWay(done);
                interrupted |= Interruption.isAsked();
                if (interrupted || last || done % said.checkpointEvery() == 0) {
                    keep(done);
                }
                stepped.accept(done);
                if (interrupted && !last) {
                    Thread.currentThread().interrupt();
                    throw new CancellationException("interrupted after step " + done + "; the same call goes on there");
                }
            }
            return finish();
        }

        private double step(int step) {
            Corpus.Batch batch = corpus.batch(step);
            double loss = model.backward(batch.ids(), batch.care());
            norm = AdamW.norm(model.gradients());
            double clip = said.optimizer().clip();
            adam.step(model.weights(), model.gradients(), said.optimizer().rate(step, said.steps()),
                    clip > 0 && norm > clip ? clip / norm : 1);
            model.changed();
            return loss;
        }

        /** Runs in the worker thread, which nobody interrupts: a step is done as a whole or not at all. */
        private <T> T uninterrupted(Supplier<T> work) {
            int threads = Parallel.threads();               // the caller's: they belong to it, not to the process
            Future<T> future = worker.submit(() -> Parallel.with(threads, work));
            while (true) {
                try {
                    return future.get();
                } catch (InterruptedException e) {
                    interrupted = true;
                } catch (ExecutionException e) {
                    if (e.getCause() instanceof RuntimeException r) {
                        throw r;
                    }
                    if (e.getCause() instanceof Error r) {
                        throw r;
                    }
                    throw new IllegalStateException(e.getCause());
                }
            }
        }

        private double seconds() {
            return before + (System.nanoTime() - start) / 1e9;
        }

        /** Keeps all that is needed to go on, and the model as it is now. */
        private void keep(int step) {
            interrupted |= Thread.interrupted();            // the flag would close the files that are written here
            state.write(step, seconds(), model.weights(), adam);
            model.model().save(folder);
        }

        private void keepOnTheWay(int step) {
            if (every > 0 && step % every == 0) {
                interrupted |= Thread.interrupted();        // the flag would close the files that are written here
                model.model().save(folder.resolve(ON_THE_WAY).resolve(String.valueOf(step)));
            }
        }

        private Trained finish() {
            if (first == said.steps()) {
                model.model().save(folder);                 // the last call ended between its last state and its last model
            }
            Export.files("learning-curve", log.chart()).forEach((name, bytes) -> AtomicFiles.write(folder.resolve(name), bytes));
            try {
                Files.deleteIfExists(folder.resolve("state.safetensors"));
            } catch (IOException e) {
                throw new UncheckedIOException(folder + ": the kept state cannot be removed (" + AtomicFiles.reason(e) + ")", e);
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
            return trained(log);
        }
    }
}
