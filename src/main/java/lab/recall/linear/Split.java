package lab.recall.linear;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import lab.recall.facts.Fact;

/**
 * Which facts of a relation make the operator and which test it. The training facts hold as many different objects as they can.
 *
 * @param training in random order
 * @param rest     all others, in random order
 */
record Split(List<Fact> training, List<Fact> rest) {
    /** The same random numbers give the same split. */
    static Split of(List<Fact> facts, int samples, Random random) {
        List<Fact> order = new ArrayList<>(facts.stream().distinct().toList());
        Collections.shuffle(order, random);
        Map<String, List<Fact>> byObject = new LinkedHashMap<>();
        order.forEach(f -> byObject.computeIfAbsent(f.object(), o -> new ArrayList<>()).add(f));
        List<Fact> training = new ArrayList<>();
        for (int round = 0; training.size() < Math.min(samples, order.size()); round++) {
            for (List<Fact> of : byObject.values()) {
                if (round < of.size() && training.size() < samples) {
                    training.add(of.get(round));
                }
            }
        }
        order.removeAll(training);
        return new Split(List.copyOf(training), List.copyOf(order));
    }
}
