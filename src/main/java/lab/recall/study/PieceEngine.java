package lab.recall.study;

import java.util.List;
import java.util.ServiceLoader;
import java.util.stream.Stream;
import lab.recall.base.BadRequest;
import lab.recall.base.Interruption;
import lab.recall.base.Nearest;
import lab.recall.base.Said;

/**
 * Where the pieces of a study are computed that no store has: on this machine, one after another, or elsewhere.
 *
 * <pre>{@code
 * try (PieceEngine engine = PieceEngine.named("spark", "spark://127.0.0.1:7077", false)) {
 *     new Requests(engine, false).run(request, out, false, progress);
 * }
 * }</pre>
 *
 * The {@link Runner} plans, looks into stores, keeps what is found and combines it: an engine only sees to it that each missing piece of a
 * {@link Work} is computed once. All give the same bytes.
 */
public interface PieceEngine extends AutoCloseable {
    /** The engine that is always there. */
    String LOCAL = "local";

    /**
     * Computes all missing pieces of some work, in any order, and tells the work of each.
     *
     * @throws java.util.concurrent.CancellationException when this thread is interrupted, or the process asked to end
     */
    <Q, P, R> void compute(Work<Q, P, R> work);

    /** Lets go of what it holds. */
    @Override
    void close();

    /** An engine that stands beside the product; found by {@link ServiceLoader}. */
    interface Provider {
        /** Its name in {@code --engine}. */
        String name();

        /**
         * The engine.
         *
         * @param master where it works; null where nobody says
         * @param ships  whether it takes the model's files there
         * @throws BadRequest if it cannot work there
         */
        PieceEngine open(String master, boolean ships);
    }

    /** This machine's: one piece after another, each on all threads. */
    static PieceEngine local() {
        return new PieceEngine() {
            @Override
            public <Q, P, R> void compute(Work<Q, P, R> work) {
                for (int piece : work.missing()) {
                    Interruption.betweenPieces();
                    work.computeHere(piece);
                }
            }

            @Override
            public void close() {
                // holds nothing
            }
        };
    }

    /**
     * An engine by its name.
     *
     * @param master where it works; null where nobody says
     * @param ships  whether it takes the model's files there
     * @throws BadRequest if there is none of this name, or it cannot work there
     */
    static PieceEngine named(String name, String master, boolean ships) {
        if (name.equals(LOCAL)) {
            if (master != null) {
                throw new BadRequest("master", "'" + Said.of(master) + "' is for another engine than " + LOCAL + "; give --engine spark");
            }
            if (ships) {
                throw new BadRequest("ship", "there is nowhere to ship the model to; give --engine spark");
            }
            return local();
        }
        List<Provider> all = ServiceLoader.load(Provider.class, PieceEngine.class.getClassLoader()).stream()
                .map(ServiceLoader.Provider::get).toList();
        List<String> names = Stream.concat(Stream.of(LOCAL), all.stream().map(Provider::name)).toList();
        return all.stream().filter(p -> p.name().equals(name)).findFirst().orElseThrow(() -> new BadRequest("engine", "'" + Said.of(name)
                + "', expected " + String.join(" or ", names) + " (environment/recall adds what spark needs)"
                + Nearest.question(name, names))).open(master, ships);
    }
}
