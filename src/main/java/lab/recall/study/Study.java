package lab.recall.study;

import java.util.List;
import java.util.Optional;
import java.util.function.IntFunction;
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
public abstract class Study<Q, P, R, T> {
    /** Pairs, facts or edits in a piece at most. */
    public static final int MOST = 32;

    private final String name;
    private final String unit;
    private final Class<R> found;

    /**
     * One of this name.
     *
     * @param name  in keys of kept work
     * @param unit  what its progress counts
     * @param found class of what a piece gives
     */
    protected Study(String name, String unit, Class<R> found) {
        this.name = name;
        this.unit = unit;
        this.found = found;
    }

    /** Its name in keys of kept work. */
    public final String name() {
        return name;
    }

    /** What its progress counts. */
    public final String unit() {
        return unit;
    }

    /** Class of what a piece gives. */
    public final Class<R> found() {
        return found;
    }

    /** Raised when the same piece gives something else than before. */
    public int version() {
        return 1;
    }

    /** What of the request a piece reads, beside itself: part of its key. */
    public abstract Object settings(Q request);

    /** What is done, for the progress bar. */
    public abstract String title(LanguageModel model, Q request);

    /** How many units a piece has. */
    public abstract long size(LanguageModel model, Q request, P piece);

    /** Whether other requests on the same model ask the same, so that what is found is kept for them too. */
    public boolean isShared() {
        return false;
    }

    /**
     * The pieces, in order.
     *
     * @param runner gives results of other studies
     */
    public abstract List<P> plan(LanguageModel model, Q request, Runner runner);

    /**
     * One piece.
     *
     * @param done told how many of its units are done
     */
    public abstract R compute(LanguageModel model, Q request, P piece, LongConsumer done);

    /** What of the request a piece reads, beside itself, is the same for all pieces of a kind. */
    public Object kind(P piece) {
        return "";
    }

    /**
     * The request with nothing in it but what pieces of this one's kind read, JSON and back: with it another machine computes them. None
     * where pieces are parts of one computation, or there is one piece alone, which all stay on this machine.
     */
    public abstract Optional<Q> sent(Q request, P piece);

    /** Whether what was kept has the form of what a piece gives. */
    public abstract boolean fits(LanguageModel model, Q request, P piece, R found);

    /** All of them, in the plan's order. */
    public abstract T combine(LanguageModel model, Q request, List<P> pieces, List<R> found);

    /** What a piece costs, by its form alone: nothing is computed. */
    public abstract Cost cost(LanguageModel model, Q request, P piece);

    /**
     * What all of them may give, so that a plan goes on where nothing is computed: of the right form, and asking as much of what follows
     * as they may.
     *
     * @param found what pieces gave that are kept; null for the others
     */
    public abstract T supposed(LanguageModel model, Q request, List<P> pieces, List<R> found);

    /** In sentences, what costs and what follows suppose that only the work itself tells. */
    public List<String> suppositions() {
        return List.of();
    }

    /** What pieces gave, and something in the place of what is missing. */
    protected static <R> List<R> filled(List<R> found, IntFunction<R> missing) {
        return IntStream.range(0, found.size()).mapToObj(i -> found.get(i) == null ? missing.apply(i) : found.get(i)).toList();
    }

    /** A list in parts of {@value #MOST}. */
    public static <X> List<List<X>> parts(List<X> all) {
        return IntStream.range(0, (all.size() + MOST - 1) / MOST)
                .mapToObj(i -> List.copyOf(all.subList(i * MOST, Math.min(all.size(), (i + 1) * MOST)))).toList();
    }
}
