package lab.recall.bench;

import java.io.IOException;

/**
 * One thing that is timed.
 *
 * @param group what {@code --only} calls it
 * @param name  what its row calls it
 * @param model the model with the type of its weights, such as "mamba-130m BF16", or what stands for one
 */
record Job(String group, String name, String model, int tokens, int threads, Setup setup) {
    /** Opens the models and prepares what is called. */
    interface Setup {
        Work open(Models models) throws IOException;
    }

    /** Names the job among all. */
    String id() {
        return String.join("|", group, name, model, "" + tokens, "" + threads);
    }

    @Override
    public String toString() {
        return name + ", " + model + ", " + tokens + " tokens, " + threads + (threads == 1 ? " thread" : " threads");
    }
}
