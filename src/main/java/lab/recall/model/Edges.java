package lab.recall.model;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import lab.recall.base.BadRequest;

/**
 * A set of edges between the tokens of a prompt: in an edge from s to t, token t reads token s, and s is at most t.
 *
 * <pre>{@code
 * Edges.of(2, 11)                                           // token 11 reads token 2
 * Edges.between(subject, last)                              // each source with each target at or after it
 * Edges.toLater(subject, prompt.length())                   // from the subject's tokens to every later token outside them
 * }</pre>
 *
 * Immutable; tokens count from 0. An interchangeable set serves any number of {@link Intervention.Cut cuts}.
 */
public final class Edges {
    /** Targets whose sources are those of one set, as far as they lie at or before the target; targets are ascending. */
    public record Group(BitSet sources, int[] targets) {
        /** The last of the targets. */
        public int lastTarget() {
            return targets[targets.length - 1];
        }
    }

    private static final Edges NONE = new Edges(new BitSet[0]);

    /** Sources of each target; null where it has none. The last one is not null. */
    private final BitSet[] sources;
    private final List<Group> groups;

    private Edges(BitSet[] sources) {
        int length = sources.length;
        while (length > 0 && sources[length - 1] == null) {
            length--;
        }
        this.sources = Arrays.copyOf(sources, length);
        this.groups = group(this.sources);
    }

    /** No edge. */
    public static Edges none() {
        return NONE;
    }

    /**
     * One edge.
     *
     * @throws BadRequest when the source is behind the target, or before token 0
     */
    public static Edges of(int source, int target) {
        return of(List.of(new int[] {source, target}));
    }

    /**
     * Pairs of source and target; one that is given twice counts once.
     *
     * @throws BadRequest when a source is behind its target, or before token 0
     */
    public static Edges of(List<int[]> pairs) {
        int length = 0;
        for (int[] p : pairs) {
            if (p.length != 2 || p[0] < 0 || p[0] > p[1]) {
                throw new BadRequest("", "edge " + Arrays.toString(p) + ": expected [source, target] with 0 <= source <= target");
            }
            length = Math.max(length, p[1] + 1);
        }
        BitSet[] sources = new BitSet[length];
        for (int[] p : pairs) {
            add(sources, p[0], p[1]);
        }
        return new Edges(sources);
    }

    /** From each source to each target that lies at or after it. */
    public static Edges between(int[] sources, int[] targets) {
        List<int[]> pairs = new ArrayList<>();
        for (int t : targets) {
            for (int s : sources) {
                if (s <= t) {
                    pairs.add(new int[] {s, t});
                }
            }
        }
        return of(pairs);
    }

    /** From each source to every later token of a prompt that is no source itself. */
    public static Edges toLater(int[] sources, int tokens) {
        BitSet own = new BitSet();
        for (int s : sources) {
            own.set(s);
        }
        List<int[]> pairs = new ArrayList<>();
        for (int t = own.nextClearBit(0); t < tokens; t = own.nextClearBit(t + 1)) {
            for (int s = own.nextSetBit(0); s >= 0 && s < t; s = own.nextSetBit(s + 1)) {
                pairs.add(new int[] {s, t});
            }
        }
        return of(pairs);
    }

    /** The edges of both sets. */
    public Edges and(Edges other) {
        if (isEmpty() || this == other) {
            return other;
        }
        BitSet[] both = new BitSet[Math.max(sources.length, other.sources.length)];
        for (Edges e : List.of(this, other)) {
            for (int t = 0; t < e.sources.length; t++) {
                if (e.sources[t] != null) {
                    both[t] = both[t] == null ? (BitSet) e.sources[t].clone() : both[t];
                    both[t].or(e.sources[t]);
                }
            }
        }
        return new Edges(both);
    }

    /** Whether there is none. */
    public boolean isEmpty() {
        return sources.length == 0;
    }

    /** How many. */
    public int size() {
        return Arrays.stream(sources).mapToInt(s -> s == null ? 0 : s.cardinality()).sum();
    }

    /** Whether the edge is one of them. */
    public boolean has(int source, int target) {
        return source >= 0 && target >= 0 && target < sources.length && sources[target] != null && sources[target].get(source);
    }

    /** The first token that reads over one of the edges; 0 if there is none. */
    public int firstTarget() {
        int t = 0;
        while (t < sources.length && sources[t] == null) {
            t++;
        }
        return t < sources.length ? t : 0;
    }

    /** The last token that reads over one of the edges; -1 if there is none. */
    public int lastTarget() {
        return sources.length - 1;
    }

    /** How many of them a token reads over. */
    public int count(int target) {
        return target < sources.length && sources[target] != null ? sources[target].cardinality() : 0;
    }

    /** Whether a token reads itself over one of them. */
    public boolean hasSelf() {
        for (int t = 0; t < sources.length; t++) {
            if (has(t, t)) {
                return true;
            }
        }
        return false;
    }

    /** The targets, gathered by their sources. */
    public List<Group> groups() {
        return groups;
    }

    private static void add(BitSet[] sources, int source, int target) {
        if (sources[target] == null) {
            sources[target] = new BitSet();
        }
        sources[target].set(source);
    }

    /** A target joins a group when the two agree on all tokens up to the group's last target. */
    private static List<Group> group(BitSet[] sources) {
        List<BitSet> sets = new ArrayList<>();
        List<List<Integer>> targets = new ArrayList<>();
        for (int t = 0; t < sources.length; t++) {
            if (sources[t] == null) {
                continue;
            }
            int g = 0;
            while (g < sets.size() && !sources[t].get(0, targets.get(g).get(targets.get(g).size() - 1) + 1).equals(sets.get(g))) {
                g++;
            }
            if (g == sets.size()) {
                sets.add(sources[t]);
                targets.add(new ArrayList<>());
            } else {
                sets.set(g, sources[t]);
            }
            targets.get(g).add(t);
        }
        List<Group> groups = new ArrayList<>(sets.size());
        for (int g = 0; g < sets.size(); g++) {
            groups.add(new Group(sets.get(g), targets.get(g).stream().mapToInt(x -> x).toArray()));
        }
        return List.copyOf(groups);
    }

    @Override
    public String toString() {
        StringBuilder b = new StringBuilder();
        for (Group g : groups) {
            b.append(b.isEmpty() ? "" : ", ").append(g.sources).append(" -> ").append(Arrays.toString(g.targets));
        }
        return b.isEmpty() ? "no edge" : b.toString();
    }
}
