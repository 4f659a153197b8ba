package lab.recall.knockout;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongConsumer;
import java.util.stream.Stream;
import lab.recall.base.Portions;
import lab.recall.facts.FactPair;
import lab.recall.model.Edges;
import lab.recall.model.Forks;
import lab.recall.model.Intervention;
import lab.recall.model.LanguageModel;
import lab.recall.model.Pass;
import lab.recall.model.Recording;
import lab.recall.study.Cost;
import lab.recall.study.ModelCard;
import lab.recall.study.Runner;
import lab.recall.study.Study;
import lab.recall.text.Prompt;

/** Distances between the predictions for the two subjects of many pairs, [nothing, then each ablation][pair]. */
final class RemainderStudy extends Study<RemainderStudy.Asked, RemainderStudy.Piece, double[][], Remainder> {
    /** Runs that are kept in memory together. */
    private static final long BYTES = 256L << 20;

    /** What is cut, by its name, for which pairs. */
    record Asked(Map<String, Ablation> ablations, List<FactPair> pairs) {
    }

    /** Some of the pairs. */
    record Piece(List<FactPair> pairs) {
    }

    RemainderStudy() {
        super("remainder", "pairs", double[][].class);
    }

    @Override
    public Object settings(Asked asked) {
        return asked.ablations.values().stream().map(Ablation::key).toList();
    }

    @Override
    public String title(LanguageModel model, Asked asked) {
        return "what gets through all cuts";
    }

    @Override
    public long size(LanguageModel model, Asked asked, Piece piece) {
        return piece.pairs.size();
    }

    @Override
    public List<Piece> plan(LanguageModel model, Asked asked, Runner runner) {
        return Study.parts(asked.pairs).stream().map(Piece::new).toList();
    }

    @Override
    public double[][] compute(LanguageModel model, Asked asked, Piece piece, LongConsumer done) {
        double[][] distances = new double[1 + asked.ablations.size()][piece.pairs.size()];
        int from = 0;
        for (List<FactPair> some : Portions.of(piece.pairs, p -> bytes(model, p), BYTES)) {
            List<Pass> bases = model.runAll(
                    some.stream().flatMap(p -> Stream.of(p.cleanPrompt().ids(), p.corruptPrompt().ids())).toList(), Recording.states());
            System.arraycopy(distances(model, some, bases, p -> List.of()), 0, distances[0], from, some.size());
            int row = 1;
            for (Ablation a : asked.ablations.values()) {
                System.arraycopy(distances(model, some, bases, p -> everywhere(model, a, p)), 0, distances[row++], from, some.size());
            }
            from += some.size();
            done.accept(from);
        }
        return distances;
    }

    /** The states of both runs. */
    private static long bytes(LanguageModel model, FactPair pair) {
        return 24L * pair.cleanPrompt().length() * model.layers() * model.width() * Float.BYTES;
    }

    /** The subject cut off from all later tokens in all layers. */
    private static List<Intervention> everywhere(LanguageModel model, Ablation ablation, FactPair pair) {
        List<Intervention> cuts = new ArrayList<>();
        Edges edges = Route.from(TokenGroup.SUBJECT).edges(pair.cleanPrompt());
        for (int l = 0; l < model.layers(); l++) {
            cuts.addAll(ablation.cuts(model, edges, l));
        }
        return cuts;
    }

    private interface Cuts {
        List<Intervention> of(FactPair pair);
    }

    /** @param bases the plain runs of both prompts of each pair */
    private static double[] distances(LanguageModel model, List<FactPair> pairs, List<Pass> bases, Cuts cuts) {
        Forks forks = model.forks();
        for (int i = 0; i < pairs.size(); i++) {
            List<Intervention> all = cuts.of(pairs.get(i));
            forks.add(bases.get(2 * i), all);
            forks.add(bases.get(2 * i + 1), all);
        }
        float[][] logits = forks.logits();
        double[] distance = new double[pairs.size()];
        for (int i = 0; i < distance.length; i++) {
            double[] a = probabilities(logits[2 * i]);
            double[] b = probabilities(logits[2 * i + 1]);
            for (int v = 0; v < a.length; v++) {
                distance[i] += Math.abs(a[v] - b[v]) / 2;
            }
        }
        return distance;
    }

    private static double[] probabilities(float[] logits) {
        double largest = Double.NEGATIVE_INFINITY;
        for (float v : logits) {
            largest = Math.max(largest, v);
        }
        double[] p = new double[logits.length];
        double sum = 0;
        for (int i = 0; i < p.length; i++) {
            p[i] = Math.exp(logits[i] - largest);
            sum += p[i];
        }
        for (int i = 0; i < p.length; i++) {
            p[i] /= sum;
        }
        return p;
    }

    @Override
    public Cost cost(LanguageModel model, Asked asked, Piece piece) {
        Cost cost = Cost.of(model);
        for (FactPair p : piece.pairs) {
            Edges edges = Route.from(TokenGroup.SUBJECT).edges(p.cleanPrompt());
            for (Prompt prompt : List.of(p.cleanPrompt(), p.corruptPrompt())) {
                int tokens = prompt.length();
                cost.run(tokens, 1).fork(tokens - 1, tokens, model.layers(), 1);
                for (int i = 0; i < asked.ablations.size(); i++) {
                    cost.fork(edges.firstTarget(), tokens, 0, 1).cuts(p.cleanPrompt().subjectStart(), tokens, model.layers());
                }
            }
        }
        return cost;
    }

    @Override
    public Remainder supposed(LanguageModel model, Asked asked, List<Piece> pieces, List<double[][]> found) {
        return combine(model, asked, pieces,
                filled(found, i -> new double[1 + asked.ablations.size()][pieces.get(i).pairs.size()]));
    }

    @Override
    public Optional<Asked> sent(Asked asked, Piece piece) {
        return Optional.of(new Asked(asked.ablations, List.of()));
    }

    @Override
    public boolean fits(LanguageModel model, Asked asked, Piece piece, double[][] found) {
        return found.length == 1 + asked.ablations.size()
                && Arrays.stream(found).allMatch(d -> d != null && d.length == piece.pairs.size());
    }

    @Override
    public Remainder combine(LanguageModel model, Asked asked, List<Piece> pieces, List<double[][]> found) {
        Map<String, double[]> distances = new LinkedHashMap<>();
        List<String> names = new ArrayList<>(List.of(Remainder.NOTHING));
        names.addAll(asked.ablations.keySet());
        for (int i = 0; i < names.size(); i++) {
            int row = i;
            distances.put(names.get(i), found.stream().flatMapToDouble(d -> Arrays.stream(d[row])).toArray());
        }
        return new Remainder(ModelCard.of(model), distances,
                pieces.stream().flatMap(p -> p.pairs.stream()).map(p -> p.clean().relation()).toList());
    }
}
