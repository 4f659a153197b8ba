package lab.recall.study;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.TreeMap;
import lab.recall.base.BadRequest;
import lab.recall.base.Nearest;
import lab.recall.base.RequestReader;
import lab.recall.base.Said;
import lab.recall.model.LanguageModel;

/**
 * The experiments that are there.
 *
 * <pre>{@code
 * TraceResult found = Studies.run(mamba, new TraceRequest(..));
 * Studies.names()
 * }</pre>
 */
public final class Studies {
    private static final Map<String, Experiment<?, ?>> ALL = new TreeMap<>();

    static {
        ServiceLoader.load(Experiment.class, Studies.class.getClassLoader()).forEach(e -> ALL.put(e.name(), e));
    }

    private Studies() {
    }

    /** All of them, by name. */
    public static List<Experiment<?, ?>> all() {
        return new ArrayList<>(ALL.values());
    }

    /** Their names. */
    public static List<String> names() {
        return List.copyOf(ALL.keySet());
    }

    /** One by its name in requests. */
    public static Experiment<?, ?> named(String name) {
        Experiment<?, ?> found = ALL.get(name);
        if (found == null) {
            throw new BadRequest("experiment", "'" + Said.of(name) + "' is unknown; known are " + String.join(", ", ALL.keySet())
                    + Nearest.question(name, ALL.keySet()));
        }
        return found;
    }

    /** Asks a model, with a progress bar; work is kept in the user's store. */
    public static <T extends Result> T run(LanguageModel model, Record request) {
        Experiment<?, ?> asked = ALL.values().stream().filter(e -> e.request() == request.getClass()).findFirst()
                .orElseThrow(() -> new BadRequest("request", request.getClass().getSimpleName() + " asks for no experiment"));
        @SuppressWarnings("unchecked")
        T found = (T) run(asked, model, request, Runner.shown());
        return found;
    }

    /** Asks a model. */
    static <Q extends Record, T extends Result> T run(Experiment<Q, T> experiment, LanguageModel model, Record request, Runner runner) {
        return experiment.run(model, experiment.complete(model, experiment.request().cast(request)), runner);
    }

    /** The record of a request's own fields. */
    static <Q extends Record> Q read(Experiment<Q, ?> experiment, ObjectNode fields) {
        return RequestReader.read(fields, experiment.request());
    }
}
