package lab.recall.model;

import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * How a layer's tokens read each other: through one or more mixers, one after another.
 *
 * <pre>{@code
 * mamba.mixing().mixers()                                    // conv, scan
 * mamba.mixing().cut(4, Edges.of(2, 11))                     // an edge cut wholly: through all mixers of layer 4
 * }</pre>
 *
 * @param mixers in the order of computation
 * @param input  the point that enters the first of them, where the paper's knock-out acts; empty where it has no such form
 */
public record Mixing(List<Mixer> mixers, Optional<HookPoint> input) {
    public Mixing {
        mixers = List.copyOf(mixers);
    }

    /** The cuts that leave edges out of a layer wholly. */
    public List<Intervention> cut(int layer, Edges edges) {
        return edges.isEmpty() ? List.of() : mixers.stream().<Intervention>map(m -> m.cut(layer, edges)).toList();
    }

    /** Whether a token can be kept from reading itself, and from reading anything at all. */
    public boolean canReadNothing() {
        return mixers.stream().noneMatch(Mixer::needsSource);
    }

    /** The last mixer whose output is a sum of one term for each source, if there is one. */
    public Optional<Mixer> summing() {
        return mixers.stream().filter(m -> m.terms().isPresent()).reduce((before, last) -> last);
    }

    /** The mixer that says by weights how much each token reads of each source, if there is one. */
    public Optional<Mixer> weighing() {
        return mixers.stream().filter(m -> m.weights().isPresent()).findFirst();
    }

    /** The names of all mixers: {@code convolution and scan}. */
    public String title() {
        return mixers.stream().map(Mixer::title).collect(Collectors.joining(" and "));
    }

    /** The mixer that lets what a source passes over decay, if one does. */
    public Optional<Mixer> decaying() {
        return mixers.stream().filter(m -> m.decay().isPresent()).findFirst();
    }
}
