package lab.recall.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import lab.recall.edit.EditExperiment;
import lab.recall.edit.EditSweepExperiment;
import lab.recall.edit.RomeExperiment;
import lab.recall.knockout.EdgesExperiment;
import lab.recall.knockout.KnockoutExperiment;
import lab.recall.linear.JacobianExperiment;
import lab.recall.linear.LreExperiment;
import lab.recall.linear.LreSweepExperiment;
import lab.recall.math.Parallel;
import lab.recall.model.LanguageModel;
import lab.recall.request.Answer;
import lab.recall.request.Experiment;
import lab.recall.request.Fields;
import lab.recall.request.Journal;
import lab.recall.request.Progress;
import lab.recall.trace.ActivationsExperiment;
import lab.recall.trace.GradientExperiment;
import lab.recall.trace.InterchangeExperiment;
import lab.recall.trace.PathBlockingExperiment;
import lab.recall.trace.TraceExperiment;
import lab.recall.train.TrainStepExperiment;

/** Runs requests, one after another, and writes their results. The last model stays open for the next request. */
final class Requests {
    static final Map<String, Experiment<LanguageModel>> EXPERIMENTS = new LinkedHashMap<>();

    static {
        for (Experiment<LanguageModel> e : List.of(new ActivationsExperiment(), new InterchangeExperiment(), new GradientExperiment(),
                new JacobianExperiment(), new EdgesExperiment(), new TrainStepExperiment(), new TraceExperiment(),
                new PathBlockingExperiment(), new KnockoutExperiment(), new RomeExperiment(), new EditExperiment(),
                new EditSweepExperiment(), new LreExperiment(), new LreSweepExperiment())) {
            EXPERIMENTS.put(e.name(), e);
        }
    }

    /**
     * A request that has been answered.
     *
     * @param answer  what was found and written
     * @param journal to be deleted when nothing is left to do with the answer: until then the same request is answered at once
     */
    record Done(Answer answer, Journal journal) {
    }

    private String openName;
    private LanguageModel open;

    /**
     * Runs a request and writes its result.
     *
     * @param text   JSON
     * @param folder receives the result; a journal there is gone on with
     */
    Done run(String text, Path folder, Progress progress) {
        int threads = Parallel.threads();
        try {
            long start = System.nanoTime();
            Asked asked = asked(text);
            Journal journal = Journal.under(folder, asked.request);
            try {
                Answer answer = asked.experiment.run(open, asked.fields, progress, journal);
                Results.write(folder, asked.experiment.name(), asked.request, asked.fields.settings(), (System.nanoTime() - start) / 1e9, answer);
                return new Done(answer, journal);
            } finally {
                journal.close();
            }
        } finally {
            Parallel.setThreads(threads);
        }
    }

    /** Runs a request and writes nothing but what it asks for itself. */
    Answer ask(String text, Progress progress) {
        int threads = Parallel.threads();
        try {
            Asked asked = asked(text);
            return asked.experiment.run(open, asked.fields, progress, Journal.none());
        } finally {
            Parallel.setThreads(threads);
        }
    }

    private record Asked(Experiment<LanguageModel> experiment, Fields fields, ObjectNode request) {
    }

    /** Reads what every request has, and opens its model. */
    private Asked asked(String text) {
        Fields f = Fields.parse(text);
        String name = f.text("experiment");
        Experiment<LanguageModel> experiment = EXPERIMENTS.get(name);
        if (experiment == null) {
            throw new IllegalArgumentException("experiment: '" + name + "' is unknown; known are " + String.join(", ", EXPERIMENTS.keySet()));
        }
        ObjectNode request = Results.asked(f.settings());
        List<String> known = new ArrayList<>(List.of("experiment", "model", "threads"));
        known.addAll(experiment.fields());
        f.allow(known);
        String model = f.text("model");
        Parallel.setThreads(f.integer("threads", 1, 1024, Runtime.getRuntime().availableProcessors()));
        if (!model.equals(openName)) {
            open = null;                // let go of the last model before the next one is read
            openName = null;
            try {
                open = LanguageModel.open(model);
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException("model: " + e.getMessage(), e);
            }
            openName = model;
        }
        return new Asked(experiment, f, request);
    }
}
