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
public interface Experiment<Q extends Record, T extends Result> {
    /** Its name in {@code "experiment"}. */
    String name();

    /** In one sentence, for the command's help. */
    String description();

    /** Whether it reads relations or texts beside the model, which may change while the request stays. */
    default boolean isOverFacts() {
        return command().isPresent();
    }

    /** Class of what is asked. */
    Class<Q> request();

    /** Class of what is found. */
    Class<T> result();

    /** Its name among the commands, where it is one: with an option for each field of the request. */
    default Optional<String> command() {
        return Optional.empty();
    }

    /**
     * The request with what follows from the model filled in.
     *
     * @throws lab.recall.base.BadRequest if it cannot be asked of this model; nothing long has been computed then
     */
    default Q complete(LanguageModel model, Q request) {
        return request;
    }

    /** Runs a completed request. */
    T run(LanguageModel model, Q request, Runner runner);

    /**
     * Writes what a request asks for beside its result, such as a changed model: called when the result is written, so that a failure here
     * loses none of it.
     */
    default void finish(LanguageModel model, Q request, T result) {
    }

    /** The files that {@link #finish} writes last: a request whose files are missing is not answered. */
    default List<Path> leaves(Q request) {
        return List.of();
    }

    /** Pictures that set several models side by side, by their names: the heat maps that all have. */
    default List<NamedView> beside(Map<String, T> results) {
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
