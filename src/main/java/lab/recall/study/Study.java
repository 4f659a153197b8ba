package lab.recall.study;

import java.util.List;
import java.util.Optional;
import java.util.function.LongConsumer;
import java.util.stream.IntStream;
import lab.recall.model.LanguageModel;

/**
 * Work over many things, cut into pieces that are data.
 *
 * <pre>{@code
 * InterchangeGrid[] grids = runner.run(new InterchangeStudy(), model, cases);
 * }</pre>
 *
 * A plan follows from the model and the request alone, never from memory, threads or the machine, and a piece is at most {@value #MOST}
 * pairs, facts or edits: a kill loses one of them. What a piece gives depends on the arguments of {@link #compute} alone, so that it may be
 * computed anywhere, in any order, or be taken from a {@link Store}.
 *
 * @param <Q> what is asked
 * @param <P> a piece of it, JSON and back
 * @param <R> what a piece gives, JSON and back
 * @param <T> what all pieces give together
 */
public interface Study<Q, P, R, T> {
    /** Pairs, facts or edits in a piece at most. */
    int MOST = 32;

    /** Its name in keys of kept work. */
    String name();

    /** Raised when the same piece gives something else than before. */
    default int version() {
        return 1;
    }

    /** Class of what a piece gives. */
    Class<R> found();

    /** What of the request a piece reads, beside itself: part of its key. */
    Object settings(Q request);

    /** What is done, for the progress bar. */
    String title(LanguageModel model, Q request);

    /** What its progress counts. */
    String unit();

    /** How many units a piece has. */
    long size(LanguageModel model, Q request, P piece);

    /** Whether other requests on the same model ask the same, so that what is found is kept for them too. */
    default boolean isShared() {
        return false;
    }

    /**
     * The pieces, in order.
     *
     * @param runner gives results of other studies
     */
    List<P> plan(LanguageModel model, Q request, Runner runner);

    /**
     * One piece.
     *
     * @param done told how many of its units are done
     */
    R compute(LanguageModel model, Q request, P piece, LongConsumer done);

    /** What of the request a piece reads, beside itself, is the same for all pieces of a kind. */
    default Object kind(P piece) {
        return "";
    }

    /**
     * The request with nothing in it but what pieces of this one's kind read, JSON and back: with it another machine computes them. None
     * where pieces are parts of one computation, or there is one piece alone, which all stay on this machine.
     */
    Optional<Q> sent(Q request, P piece);

    /** Whether what was kept has the form of what a piece gives. */
    boolean fits(LanguageModel model, Q request, P piece, R found);

    /** All of them, in the plan's order. */
    T combine(LanguageModel model, Q request, List<P> pieces, List<R> found);

    /** A list in parts of {@value #MOST}. */
    static <X> List<List<X>> parts(List<X> all) {
        return IntStream.range(0, (all.size() + MOST - 1) / MOST)
                .mapToObj(i -> List.copyOf(all.subList(i * MOST, Math.min(all.size(), (i + 1) * MOST)))).toList();
    }
}
