package lab.recall.knockout;

import java.util.ArrayList;
import java.util.List;
import lab.recall.model.Edges;
import lab.recall.text.Prompt;

/**
 * From which tokens to which ones nothing may flow.
 *
 * @param source what is read
 * @param target who reads; null for every later token outside the source
 */
public record Route(TokenGroup source, TokenGroup target) {
    /** From each of the paper's categories to all later tokens. */
    public static List<Route> published() {
        return TokenGroup.PUBLISHED.stream().map(g -> new Route(g, null)).toList();
    }

    /** From each part of a prompt to each later one. */
    public static List<Route> flows() {
        List<Route> all = new ArrayList<>();
        for (TokenGroup target : TokenGroup.PARTS) {
            for (TokenGroup source : TokenGroup.PARTS) {
                if (TokenGroup.PARTS.indexOf(source) < TokenGroup.PARTS.indexOf(target)) {
                    all.add(new Route(source, target));
                }
            }
        }
        return all;
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
}
