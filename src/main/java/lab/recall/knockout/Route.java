package lab.recall.knockout;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import lab.recall.model.Edges;
import lab.recall.text.Prompt;

/**
 * From which tokens to which ones nothing may flow.
 *
 * <pre>{@code
 * Route.from(SUBJECT)                                       // to every later token outside the subject
 * Route.from(SUBJECT).to(PROMPT_LAST)
 * Route.flows()                                             // from each part of a prompt to each later one
 * }</pre>
 *
 * Immutable; two routes of the same groups are equal.
 */
public final class Route {
    private final TokenGroup source;
    /** Null for every later token outside the source. */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    private final TokenGroup target;

    @JsonCreator
    private Route(@JsonProperty(value = "source", required = true) TokenGroup source, @JsonProperty("target") TokenGroup target) {
        this.source = Objects.requireNonNull(source);
        this.target = target;
    }

    /** From a group to every later token outside it. */
    public static Route from(TokenGroup source) {
        return new Route(source, null);
    }

    /** From the same source to a group alone. */
    public Route to(TokenGroup readers) {
        return new Route(source, Objects.requireNonNull(readers));
    }

    /** From each of the paper's categories to all later tokens. */
    public static List<Route> published() {
        return TokenGroup.PUBLISHED.stream().map(Route::from).toList();
    }

    /** From each part of a prompt to each later one. */
    public static List<Route> flows() {
        List<Route> all = new ArrayList<>();
        for (TokenGroup target : TokenGroup.PARTS) {
            for (TokenGroup source : TokenGroup.PARTS) {
                if (TokenGroup.PARTS.indexOf(source) < TokenGroup.PARTS.indexOf(target)) {
                    all.add(from(source).to(target));
                }
            }
        }
        return all;
    }

    /** What is read. */
    public TokenGroup source() {
        return source;
    }

    /** Its name in tables and pictures. */
    public String label() {
        return target == null ? source.label() : source.label() + " → " + target.label();
    }

    /**
     * Its edges in a prompt. Where nothing follows the source, the last token's edge to itself takes the place of those to later tokens; a
     * prompt of one token keeps it.
     */
    public Edges edges(Prompt prompt) {
        int[] sources = source.tokens(prompt);
        if (target != null) {
            return Edges.between(sources, target.tokens(prompt));
        }
        Edges later = Edges.toLater(sources, prompt.length());
        int last = prompt.length() - 1;
        return later.isEmpty() && sources.length > 0 && sources[sources.length - 1] == last && last > 0 ? Edges.of(last, last) : later;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Route r && source == r.source && target == r.target;
    }

    @Override
    public int hashCode() {
        return Objects.hash(source, target);
    }

    @Override
    public String toString() {
        return label();
    }
}
