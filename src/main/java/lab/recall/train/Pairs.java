package lab.recall.train;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import lab.recall.facts.Fact;
import lab.recall.facts.Relation;
import lab.recall.facts.World;
import lab.recall.text.Template;

/**
 * Which sentences of a world are learned: pairs of a fact and a template.
 *
 * @param seen    in training
 * @param dropped pairs of a learned fact and a learned template that are not met together
 * @param heldOut facts in templates that are not learned
 */
public record Pairs(List<Pair> seen, List<Pair> dropped, List<Pair> heldOut) {
    /** A fact in a template, and what else there is in its relation. */
    public record Pair(Relation relation, Fact fact, Template template) {
        /** The text up to the object. */
        public String prompt() {
            return template.with(fact.subject());
        }
    }

    /** Splits a world's pairs; a fact keeps at least one template. */
    static Pairs of(World world, double dropped, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        Pairs p = new Pairs(new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
        for (Relation r : world.relations()) {
            for (Fact f : r.facts()) {
                int kept = random.nextInt(r.templates().size());
                for (int t = 0; t < r.templates().size(); t++) {
                    boolean drop = random.nextDouble() < dropped && t != kept;
                    (drop ? p.dropped : p.seen).add(new Pair(r, f, r.templates().get(t)));
                }
                r.heldOut().forEach(t -> p.heldOut.add(new Pair(r, f, t)));
            }
        }
        return p;
    }
}
