package lab.recall.linear;

import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import lab.recall.base.Check;
import lab.recall.facts.Relations;
import lab.recall.model.Jacobian;
import lab.recall.model.LanguageModel;
import lab.recall.study.Experiment;
import lab.recall.study.NamedView;
import lab.recall.study.Runner;

/** {@link LinearSweep} by request. */
public final class LreSweepExperiment extends Experiment<LreSweepRequest, LreSweepResult> {
    public LreSweepExperiment() {
        super("lre_sweep", "lre", "How linear relations are: one affine map from the subject's state to the answer, by relation and layer.",
                LreSweepRequest.class, LreSweepResult.class);
    }

    @Override
    public LreSweepRequest complete(LanguageModel model, LreSweepRequest q) {
        Relations.asked(model, q.relations(), q.relation());
        Check.whole("every", q.every(), 1, model.layers());
        sweep(model, q);
        return q;
    }

    private static LinearSweep sweep(LanguageModel model, LreSweepRequest q) {
        LinearSweep sweep = LinearSweep.of(model).asking(q.asking()).samples(q.samples()).splits(q.splits()).facts(q.facts()).seed(q.seed())
                .layers(IntStream.range(Jacobian.EMBED, model.layers()).filter(l -> l == Jacobian.EMBED || l % q.every() == 0).toArray());
        if (q.ranks() != null && !q.ranks().isEmpty()) {
            sweep = sweep.ranks(q.ranks().stream().mapToInt(r -> r).toArray());
        }
        return q.withoutEdits() ? sweep.faithfulnessOnly() : sweep;
    }

    @Override
    public LreSweepResult run(LanguageModel model, LreSweepRequest q, Runner runner) {
        Relations relations = Relations.asked(model, q.relations(), q.relation());
        long start = System.nanoTime();
        LinearRelations found = sweep(model, q).over(relations, runner).chosen(q.selection());
        return new LreSweepResult(found, (System.nanoTime() - start) / 1e9);
    }

    /** The bars of all models that know enough in one chart. */
    @Override
    public List<NamedView> beside(Map<String, LreSweepResult> results) {
        LinearRelations[] found = results.values().stream().map(LreSweepResult::found).filter(f -> !f.measured().isEmpty())
                .toArray(LinearRelations[]::new);
        return found.length < 2 ? List.of() : List.of(new NamedView("relations-bars", LinearRelations.beside(found)));
    }
}
