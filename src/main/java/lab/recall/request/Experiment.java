package lab.recall.request;

import java.util.List;

/**
 * An experiment that can be asked for by a request file.
 *
 * @param <M> what it runs on
 */
public interface Experiment<M> {
    /** Its name in {@code "experiment"}. */
    String name();

    /** Its fields, besides those that every request has. */
    List<String> fields();

    /**
     * Reads its fields and runs.
     *
     * @param progress is told how far it is
     * @param journal  keeps the pieces of long work; short work needs none
     */
    Answer run(M model, Fields fields, Progress progress, Journal journal);
}
