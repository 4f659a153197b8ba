package lab.recall.study;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import lab.recall.model.LanguageModel;
import lab.recall.view.HeatMap;

/**
 * An experiment that can be asked for: by a request file, a command, a cell, another machine. Found by {@link java.util.ServiceLoader}.
 *
 * @param <Q> what is asked: defaults and checks in its compact constructor
 * @param <T> what is found
 */
public abstract class Experiment<Q extends Record, T extends Result> {
    private final String name;
    private final Optional<String> command;
    private final String description;
    private final Class<Q> request;
    private final Class<T> result;

    /** One that is asked for by requests alone. */
    protected Experiment(String name, String description, Class<Q> request, Class<T> result) {
        this(name, Optional.empty(), description, request, result);
    }

    /**
     * One over facts, which is a command too: with an option for each field of the request.
     *
     * @param name        in {@code "experiment"}
     * @param command     its name among the commands
     * @param description in one sentence, for the command's help
     * @param request     class of what is asked
     * @param result      class of what is found
     */
    protected Experiment(String name, String command, String description, Class<Q> request, Class<T> result) {
        this(name, Optional.of(command), description, request, result);
    }

    private Experiment(String name, Optional<String> command, String description, Class<Q> request, Class<T> result) {
        this.name = name;
        this.command = command;
        this.description = description;
        this.request = request;
        this.result = result;
    }

    /** Its name in {@code "experiment"}. */
    public final String name() {
        return name;
    }

    /** Its name among the commands, where it is one. */
    public final Optional<String> command() {
        return command;
    }

    /** In one sentence, for the command's help. */
    public final String description() {
        return description;
    }

    /** Class of what is asked. */
    public final Class<Q> request() {
        return request;
    }

    /** Class of what is found. */
    public final Class<T> result() {
        return result;
    }

    /** Whether it reads relations or texts beside the model, which may change while the request stays. */
    public boolean isOverFacts() {
        return command.isPresent();
    }

    /**
     * The request with what follows from the model filled in.
     *
     * @throws lab.recall.base.BadRequest if it cannot be asked of this model; nothing long has been computed then
     */
    public Q complete(LanguageModel model, Q request) {
        return request;
    }

    /** Runs a completed request. */
    public abstract T run(LanguageModel model, Q request, Runner runner);

    /**
     * Writes what a request asks for beside its result, such as a changed model: called when the result is written, so that a failure here
     * loses none of it.
     */
    public void finish(LanguageModel model, Q request, T result) {
    }

    /** The files that {@link #finish} writes last: a request whose files are missing is not answered. */
    public List<Path> leaves(Q request) {
        return List.of();
    }

    /** Pictures that set several models side by side, by their names: the heat maps that all have. */
    public List<NamedView> beside(Map<String, T> results) {
        List<NamedView> all = new ArrayList<>();
        for (NamedView first : results.values().iterator().next().views()) {
            List<HeatMap> maps = results.values().stream().flatMap(a -> a.views().stream())
                    .filter(v -> v.name().equals(first.name()) && v.view() instanceof HeatMap).map(v -> (HeatMap) v.view()).toList();
            if (maps.size() == results.size()) {
                all.add(new NamedView(first.name(), HeatMap.beside(maps.toArray(HeatMap[]::new))));
            }
        }
        return all;
    }
}
