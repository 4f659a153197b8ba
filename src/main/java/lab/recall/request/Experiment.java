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

    /** Reads its fields and runs. */
    Answer run(M model, Fields fields, Progress progress);
}
