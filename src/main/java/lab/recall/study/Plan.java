package lab.recall.study;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import lab.recall.base.Digest;
import lab.recall.base.Json;
import lab.recall.base.Progress;
import lab.recall.math.Parallel;
import lab.recall.model.LanguageModel;

/**
 * What requests would compute: the pieces that no store has, and what they cost.
 *
 * <pre>{@code
 * Plan plan = Plan.measured();
 * new Requests().plan(request, folder, plan);
 * plan.rows(), plan.hours(), plan.hours(64)
 * }</pre>
 *
 * Nothing is computed: what a piece would find is supposed, and {@link #suppositions} says how. Hours come from some seconds in which the
 * kinds of operations that are needed are done by this machine ({@link Speed}).
 */
public final class Plan {
    private static final double HOUR = 3600;

    /**
     * Some pieces of one study.
     *
     * @param model   its name
     * @param title   what is done
     * @param kept    pieces that a store has, or that were planned before
     * @param costs   of each piece that is missing
     * @param spreads whether other machines can compute them
     * @param threads of this machine
     */
    public record Part(String model, String title, int kept, List<Cost> costs, boolean spreads, int threads) {
        public Part {
            costs = List.copyOf(costs);
        }

        /** Pieces that are missing. */
        public int pieces() {
            return costs.size();
        }

        /** Token rows of forward passes. */
        public long rows() {
            return costs.stream().mapToLong(Cost::rows).sum();
        }

        /** Floating-point operations. */
        public double operations() {
            return costs.stream().mapToDouble(Cost::operations).sum();
        }

        /** Bytes to and from memory. */
        public double bytes() {
            return costs.stream().mapToDouble(Cost::bytes).sum();
        }

        /** On this machine, all of it to one piece after another. */
        private double seconds(Map<Operation, Double> aSecond) {
            return costs.stream().mapToDouble(c -> c.seconds(aSecond)).sum();
        }

        /** On so many cores, one to a piece; the last one is waited for. */
        private double seconds(Map<Operation, Double> aSecond, int cores) {
            double longest = costs.stream().mapToDouble(c -> c.seconds(aSecond)).max().orElse(0) * threads;
            return spreads ? Math.max(seconds(aSecond) * threads / cores, longest) : seconds(aSecond);
        }
    }

    private final boolean isMeasured;
    private final List<Part> parts = new ArrayList<>();
    private final Set<String> suppositions = new LinkedHashSet<>();
    private final Set<String> shared = new HashSet<>();
    /** By a model's name and the number of threads. */
    private final Map<String, Map<Operation, Double>> speeds = new LinkedHashMap<>();

    private Plan(boolean isMeasured) {
        this.isMeasured = isMeasured;
    }

    /** Of nothing yet. */
    public static Plan measured() {
        return new Plan(true);
    }

    /** The same without hours. */
    static Plan counted() {
        return new Plan(false);
    }

    /** One that goes through a request's studies and computes none. */
    Runner runner(Store own, Store ofAll) {
        return Runner.of(own, ofAll, Progress.silent()).planning(this);
    }

    /** Pieces that others have planned already are not missing. */
    <Q, P> void add(Study<Q, P, ?, ?> study, LanguageModel model, Q request, List<P> pieces, int[] missing) {
        List<Cost> costs = new ArrayList<>();
        boolean spreads = true;
        for (int i : missing) {
            P piece = pieces.get(i);
            if (!study.isShared() || shared.add(key(study, model, request, piece))) {
                costs.add(study.cost(model, request, piece));
                spreads &= study.sent(request, piece).isPresent();
            }
        }
        if (!costs.isEmpty()) {
            suppositions.addAll(study.suppositions());
        }
        parts.add(new Part(model.name(), study.title(model, request), pieces.size() - costs.size(), costs, spreads, Parallel.threads()));
    }

    private static <Q, P> String key(Study<Q, P, ?, ?> study, LanguageModel model, Q request, P piece) {
        return new Digest().add(study.name()).add(ModelDigest.of(model)).add(Json.compact(study.settings(request)))
                .add(Json.compact(piece)).hex();
    }

    /** And work that no request asks, in pieces that stay on this machine. */
    public void add(LanguageModel model, String title, List<Cost> costs) {
        parts.add(new Part(model.name(), title, 0, costs, false, Parallel.threads()));
    }

    /** Measures the kinds of operations that the model's parts have. */
    public void measure(LanguageModel model) {
        String name = speed(model.name(), Parallel.threads());
        Set<Operation> kinds = new LinkedHashSet<>();
        parts.stream().filter(p -> speed(p.model, p.threads).equals(name))
                .forEach(p -> p.costs.forEach(c -> kinds.addAll(c.byKind().keySet())));
        Map<Operation, Double> known = speeds.computeIfAbsent(name, n -> new LinkedHashMap<>());
        kinds.removeAll(known.keySet());
        if (isMeasured) {
            known.putAll(Speed.of(model, kinds));
        }
    }

    private static String speed(String model, int threads) {
        return model + " " + threads;
    }

    private Map<Operation, Double> speed(Part part) {
        return speeds.getOrDefault(speed(part.model, part.threads), Map.of());
    }

    /** All parts, in the order of computation. */
    public List<Part> parts() {
        return List.copyOf(parts);
    }

    /** What was supposed of what nobody has computed, in words. */
    public List<String> suppositions() {
        return List.copyOf(suppositions);
    }

    /** Pieces that are missing. */
    public int pieces() {
        return parts.stream().mapToInt(Part::pieces).sum();
    }

    /** Pieces that are there. */
    public int kept() {
        return parts.stream().mapToInt(Part::kept).sum();
    }

    /** Token rows of forward passes. */
    public long rows() {
        return parts.stream().mapToLong(Part::rows).sum();
    }

    /** Floating-point operations. */
    public double operations() {
        return parts.stream().mapToDouble(Part::operations).sum();
    }

    /** Bytes to and from memory. */
    public double bytes() {
        return parts.stream().mapToDouble(Part::bytes).sum();
    }

    /** Hours on this machine. */
    public double hours() {
        return parts.stream().mapToDouble(p -> p.seconds(speed(p))).sum() / HOUR;
    }

    /** Hours on so many cores, each as quick as one here is when all are at work. */
    public double hours(int cores) {
        return parts.stream().mapToDouble(p -> p.seconds(speed(p), cores)).sum() / HOUR;
    }
}
