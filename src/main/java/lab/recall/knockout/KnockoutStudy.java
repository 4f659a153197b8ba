package lab.recall.knockout;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.LongConsumer;
import lab.recall.base.Portions;
import lab.recall.facts.KnownFacts.Known;
import lab.recall.model.Forks;
import lab.recall.model.Intervention;
import lab.recall.model.LanguageModel;
import lab.recall.model.LayerWindow;
import lab.recall.model.Pass;
import lab.recall.model.Recording;
import lab.recall.study.Cost;
import lab.recall.study.Runner;
import lab.recall.study.Study;

/** (p' - p) / p of many facts along some routes, [fact][route][centre layer]; NaN where the prompt has no such edge. */
final class KnockoutStudy extends Study<KnockoutStudy.Asked, KnockoutStudy.Piece, double[][][], double[][][]> {
    /** Runs that are kept in memory together. */
    private static final long BYTES = 256L << 20;

    /** What is done, over how many layers, along which routes, to which facts. */
    record Asked(Ablation ablation, int window, List<Route> routes, List<Known> facts) {
    }

    /** What of it a piece reads. */
    record Settings(Ablation.Key ablation, int window, List<Route> routes) {
    }

    /** Some of the facts. */
    record Piece(List<Known> facts) {
    }

    KnockoutStudy() {
        super("knockout", "runs", double[][][].class);
    }

    @Override
    public Object settings(Asked asked) {
        return new Settings(asked.ablation.key(), asked.window, asked.routes);
    }

    @Override
    public String title(LanguageModel model, Asked asked) {
        return "knock-out, " + asked.ablation.form().id();
    }

    @Override
    public long size(LanguageModel model, Asked asked, Piece piece) {
        return (long) piece.facts.size() * asked.routes.size() * model.layers();
    }

    @Override
    public List<Piece> plan(LanguageModel model, Asked asked, Runner runner) {
        return Study.parts(asked.facts).stream().map(Piece::new).toList();
    }

    @Override
    public double[][][] compute(LanguageModel model, Asked asked, Piece piece, LongConsumer done) {
        List<double[][]> all = new ArrayList<>();
        for (List<Known> some : Portions.of(piece.facts, k -> bytes(model, asked, k), BYTES)) {
            long before = (long) all.size() * asked.routes.size() * model.layers();
            all.addAll(List.of(changes(model, asked, some, runs -> done.accept(before + runs))));
        }
        return all.toArray(double[][][]::new);
    }

    /** A base's states, and the residual rows of its forks. */
    private static long bytes(LanguageModel model, Asked asked, Known fact) {
        long tokens = fact.prompt().length();
        return tokens * model.layers() * model.width() * Float.BYTES * (12 + (long) asked.routes.size());
    }

    /** Where a fork's probability goes. */
    private record Place(int fact, int route, int layer) {
    }

    private static double[][][] changes(LanguageModel model, Asked asked, List<Known> facts, LongConsumer done) {
        List<Pass> bases = model.runAll(facts.stream().map(k -> k.prompt().ids()).toList(), Recording.states());
        Forks forks = model.forks();
        int layers = model.layers();
        LayerWindow window = LayerWindow.of(model, asked.window);
        double[][][] changes = new double[facts.size()][asked.routes.size()][layers];
        List<Place> places = new ArrayList<>();
        for (int i = 0; i < bases.size(); i++) {
            for (int r = 0; r < asked.routes.size(); r++) {
                List<List<Intervention>> byLayer = asked.ablation.byLayer(model, asked.routes.get(r), facts.get(i).prompt(), bases.get(i));
                for (int l = 0; l < layers; l++) {
                    List<Intervention> all = byLayer.subList(window.first(l), window.end(l)).stream().flatMap(List::stream).toList();
                    if (all.isEmpty()) {
                        changes[i][r][l] = Double.NaN;
                    } else {
                        forks.add(bases.get(i), all);
                        places.add(new Place(i, r, l));
                    }
                }
            }
        }
        double share = (double) facts.size() * asked.routes.size() * layers / Math.max(1, forks.plannedRows());
        forks.onProgress(rows -> done.accept((long) (rows * share)));
        double[] p = forks.probabilities(places.stream().mapToInt(at -> facts.get(at.fact).answer()).toArray());
        for (int i = 0; i < p.length; i++) {
            Place at = places.get(i);
            double clean = bases.get(at.fact).probability(facts.get(at.fact).answer());
            changes[at.fact][at.route][at.layer] = (p[i] - clean) / clean;
        }
        return changes;
    }

    @Override
    public Cost cost(LanguageModel model, Asked asked, Piece piece) {
        LayerWindow window = LayerWindow.of(model, asked.window);
        Cost cost = Cost.of(model);
        for (Known fact : piece.facts) {
            int tokens = fact.prompt().length();
            cost.run(tokens, 1);
            for (Route route : asked.routes) {
                OptionalInt from = asked.ablation.first(route, fact.prompt());
                for (int l = 0; from.isPresent() && l < model.layers(); l++) {
                    cost.fork(from.getAsInt(), tokens, window.first(l), 1);
                    if (!asked.ablation.form().equals(Knockout.Form.PUBLISHED)) {
                        cost.cuts(route.source().tokens(fact.prompt())[0], tokens, window.end(l) - window.first(l));
                    }
                }
            }
        }
        return cost;
    }

    @Override
    public double[][][] supposed(LanguageModel model, Asked asked, List<Piece> pieces, List<double[][][]> found) {
        return combine(model, asked, pieces,
                filled(found, i -> new double[pieces.get(i).facts.size()][asked.routes.size()][model.layers()]));
    }

    @Override
    public Optional<Asked> sent(Asked asked, Piece piece) {
        return Optional.of(new Asked(asked.ablation, asked.window, asked.routes, List.of()));
    }

    @Override
    public boolean fits(LanguageModel model, Asked asked, Piece piece, double[][][] found) {
        return found.length == piece.facts.size() && Arrays.stream(found).allMatch(fact -> fact != null
                && fact.length == asked.routes.size()
                && Arrays.stream(fact).allMatch(route -> route != null && route.length == model.layers()));
    }

    @Override
    public double[][][] combine(LanguageModel model, Asked asked, List<Piece> pieces, List<double[][][]> found) {
        return found.stream().flatMap(Arrays::stream).toArray(double[][][]::new);
    }
}
