package lab.recall.study;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.function.Consumer;
import lab.recall.base.BadRequest;
import lab.recall.base.Check;
import lab.recall.base.Failure;
import lab.recall.base.Interruption;
import lab.recall.base.Json;
import lab.recall.base.Progress;
import lab.recall.base.Said;
import lab.recall.math.Parallel;
import lab.recall.model.LanguageModel;

/**
 * Runs requests, one after another, and writes their results. The last model stays open for the next request.
 *
 * <pre>{@code
 * new Requests().run(Json.object(file), out, false, progress);
 * }</pre>
 *
 * Every request has {@code experiment}, {@code model} and, if it likes, {@code threads}; all other fields are those of the experiment's
 * record.
 */
public final class Requests {
    private final PieceEngine engine;
    private final boolean retriesFailed;
    private String openName;
    private LanguageModel open;

    /** On this machine. */
    public Requests() {
        this(PieceEngine.local(), false);
    }

    /**
     * On an engine, which stays the caller's to close.
     *
     * @param retriesFailed whether pieces that failed before are tried again
     */
    public Requests(PieceEngine engine, boolean retriesFailed) {
        this.engine = engine;
        this.retriesFailed = retriesFailed;
    }

    /**
     * A request that has been answered.
     *
     * @param taken finished pieces that came from an earlier run's work
     */
    public record Done<T extends Result>(Experiment<?, T> experiment, T result, int taken) {
        /** What was taken from a folder, in words; empty where nothing was. */
        public Optional<String> takenFrom(Path folder) {
            return taken == 0 ? Optional.empty()
                    : Optional.of(taken + " finished pieces of an earlier run were taken from " + folder.resolve("store"));
        }
    }

    /**
     * Whether a folder holds the answer to this very request. That of an experiment over facts is asked for again: relations and texts may
     * have changed, and where they have not its pieces are there.
     */
    public boolean isAnswered(ObjectNode request, Path folder) {
        Experiment<?, ?> experiment = experiment(request);
        if (experiment.isOverFacts() || !ResultFolder.answers(asked(request), folder) || !hasLeft(experiment, request)) {
            return false;
        }
        open(text(request, "model"));
        return ResultFolder.isOf(ModelDigest.of(open), folder);
    }

    private static <Q extends Record> boolean hasLeft(Experiment<Q, ?> experiment, ObjectNode request) {
        return experiment.leaves(Studies.read(experiment, own(request))).stream().allMatch(Files::exists);
    }

    /** The experiment's own fields. */
    private static ObjectNode own(ObjectNode request) {
        return request.deepCopy().without(List.of("experiment", "model", "threads"));
    }

    /**
     * Runs a request and writes its result.
     *
     * @param folder receives the result; work there is gone on with
     * @param fresh  whether another request's work in it may be replaced
     */
    public Done<?> run(ObjectNode request, Path folder, boolean fresh, Progress progress) {
        return run(request, folder, fresh, progress, result -> { });
    }

    /**
     * The same.
     *
     * @param told the result, when it is written and before a model is
     */
    public Done<?> run(ObjectNode request, Path folder, boolean fresh, Progress progress, Consumer<Result> told) {
        return run(experiment(request), request, folder, fresh, progress, told);
    }

    /**
     * Writes down what a request would compute, and computes and writes nothing. Each fact that the user's store does not know is supposed
     * to be known.
     *
     * @param folder whose finished pieces count as kept
     * @param plan   is added to
     * @return whether it works in pieces alone, as those with a command of their own do; what others compute is not planned
     */
    public boolean plan(ObjectNode request, Path folder, Plan plan) {
        Experiment<?, ?> experiment = experiment(request);
        if (experiment.command().isEmpty()) {
            Studies.read(experiment, own(request));
            return false;
        }
        open(text(request, "model"));
        Parallel.with(threads(request), () -> planned(experiment, request, open, Store.at(folder.resolve("store")), plan));
        return true;
    }

    /** The same of a model that is open. */
    public static void plan(ObjectNode request, LanguageModel model, Plan plan) {
        planned(experiment(request), request, model, Store.none(), plan);
    }

    private static <Q extends Record> Plan planned(Experiment<Q, ?> experiment, ObjectNode request, LanguageModel model, Store own,
            Plan plan) {
        Q complete = experiment.complete(model, Studies.read(experiment, own(request)));
        experiment.run(model, complete, plan.runner(own, Store.user()));
        plan.measure(model);
        return plan;
    }

    /** Runs a request and writes nothing but what it asks for itself. */
    public Done<?> ask(ObjectNode request, Progress progress) {
        return ask(request, progress, result -> { });
    }

    /**
     * The same.
     *
     * @param told the result, before a model is written
     */
    public Done<?> ask(ObjectNode request, Progress progress, Consumer<Result> told) {
        return run(experiment(request), request, null, false, progress, told);
    }

    private static Experiment<?, ?> experiment(ObjectNode request) {
        return Studies.named(text(request, "experiment"));
    }

    private <Q extends Record, T extends Result> Done<T> run(Experiment<Q, T> experiment, ObjectNode request, Path out, boolean fresh,
            Progress progress, Consumer<Result> told) {
        Q said = Studies.read(experiment, own(request));
        return Parallel.with(threads(request), () -> answered(experiment, said, request, out, fresh, progress, told));
    }

    private <Q extends Record, T extends Result> Done<T> answered(Experiment<Q, T> experiment, Q said,
            ObjectNode request, Path out, boolean fresh, Progress progress, Consumer<Result> told) {
        long start = System.nanoTime();
        open(text(request, "model"));
        Q complete = experiment.complete(open, said);
        if (out == null) {
            T result = experiment.run(open, complete, Runner.of(Store.none(), Store.user(), progress).on(engine, retriesFailed));
            told.accept(result);
            experiment.finish(open, complete, result);
            return new Done<>(experiment, result, 0);
        }
        try (ResultFolder folder = ResultFolder.of(out, asked(request), fresh)) {
            return inFolder(experiment, complete, folder, start, progress, told);
        } catch (CancellationException e) {
            throw (CancellationException) new CancellationException((Interruption.isAsked() ? "ended" : "interrupted")
                    + "; the same command goes on where it stopped").initCause(e);
        }
    }

    private <Q extends Record, T extends Result> Done<T> inFolder(Experiment<Q, T> experiment, Q complete, ResultFolder folder, long start,
            Progress progress, Consumer<Result> told) {
        Runner runner = Runner.of(folder.store(), Store.user(), progress).on(engine, retriesFailed);
        T result = experiment.run(open, complete, runner);
        folder.write(experiment.name(), ModelCard.of(open), Json.tree(complete), (System.nanoTime() - start) / 1e9, result);
        told.accept(result);
        experiment.finish(open, complete, result);
        return new Done<>(experiment, result, runner.taken());
    }

    private void open(String model) {
        if (!model.equals(openName)) {
            open = null;                // let go of the last model before the next one is read
            openName = null;
            try {
                open = LanguageModel.open(model);
            } catch (Failure e) {
                throw new BadRequest("model", e.getMessage(), e);
            }
            openName = model;
        }
    }

    private static String text(ObjectNode request, String field) {
        JsonNode v = Check.given(field, request.get(field));
        if (!v.isTextual()) {
            throw new BadRequest(field, Said.of(v) + ", expected a text");
        }
        return v.asText();
    }

    private static int threads(ObjectNode request) {
        JsonNode v = request.get("threads");
        if (v == null) {
            return Runtime.getRuntime().availableProcessors();
        }
        if (!v.isIntegralNumber() || !v.canConvertToInt()) {
            throw new BadRequest("threads", Said.of(v) + ", expected a whole number from 1 to " + Parallel.MOST);
        }
        return v.asInt();               // its range is looked at where it is used
    }

    /** What makes a request another one: all of it but the number of threads, which changes no result. */
    private static ObjectNode asked(ObjectNode request) {
        return request.deepCopy().without("threads");
    }
}
