package lab.recall.study;

import java.util.function.DoubleSupplier;
import java.util.function.ToDoubleFunction;
import lab.recall.model.LanguageModel;

/**
 * A kind of work whose operations take their own time on a machine: work is planned by how many there are of each kind, and a short
 * measurement tells how long they take.
 *
 * <pre>{@code
 * static final Operation SUMS = new Operation("sums of k k'", model -> Speed.of(operations, () -> work(model)));
 * }</pre>
 *
 * Those of a model's passes are {@link Speed}'s; a study that does other work declares its own beside it.
 *
 * @param name    in words
 * @param measure how many a second
 */
public record Operation(String name, Measure measure) {
    /** A short measurement on this machine, with the threads of now. */
    public interface Measure {
        /**
         * Operations a second.
         *
         * @param logits how many operations of logits are done in a second, for work that ends with some
         */
        double of(LanguageModel model, DoubleSupplier logits);
    }

    /** One whose work has no logits. */
    public Operation(String name, ToDoubleFunction<LanguageModel> measure) {
        this(name, (model, logits) -> measure.applyAsDouble(model));
    }

    @Override
    public String toString() {
        return name;
    }
}
