package lab.recall.trace;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import lab.recall.base.BadRequest;
import lab.recall.base.Check;
import lab.recall.facts.FactPairs;
import lab.recall.facts.Pairing;
import lab.recall.facts.Relations;
import lab.recall.model.HookPoint;
import lab.recall.model.LanguageModel;
import lab.recall.study.Experiment;
import lab.recall.study.ModelCard;
import lab.recall.study.Runner;

/** {@link CausalTrace} over the facts that a model knows. */
public final class TraceExperiment extends Experiment<TraceRequest, TraceResult> {
    public TraceExperiment() {
        super("trace", "trace", "Causal tracing: where in the model the subject's fact is, by position and layer.",
                TraceRequest.class, TraceResult.class);
    }

    @Override
    public TraceRequest complete(LanguageModel model, TraceRequest q) {
        Relations.asked(model, q.relations(), q.relation());
        points(model, q).stream().filter(p -> q.attribution() && p.isState()).findFirst().ifPresent(p -> {
            throw new BadRequest("attribution", "true, expected false with '" + p.id() + "': no gradient is taken at a layer's memory");
        });
        if (q.window() != null) {
            Check.whole("window", q.window(), 1, 2 * model.layers());
        }
        return q;
    }

    private static List<HookPoint> points(LanguageModel model, TraceRequest q) {
        try {
            return q.points().stream()
                    .flatMap(n -> n.equals("components") ? CausalTrace.components(model).stream() : Stream.of(HookPoint.of(n)))
                    .map(p -> Interchange.required(model, p)).distinct().toList();
        } catch (BadRequest e) {
            throw e.of("points");
        } catch (IllegalArgumentException e) {
            throw new BadRequest("points", e.getMessage(), e);
        }
    }

    @Override
    public TraceResult run(LanguageModel model, TraceRequest q, Runner runner) {
        FactPairs pairs = Relations.asked(model, q.relations(), q.relation()).knownBy(model, runner)
                .pairs(q.pairs(), q.seed(), q.averaging() == Averaging.PUBLISHED ? Pairing.PUBLISHED : Pairing.CORRECTED);
        long start = System.nanoTime();
        List<AverageTrace> traces = new ArrayList<>();
        List<AverageTrace> attributions = new ArrayList<>();
        for (HookPoint p : points(model, q)) {
            CausalTrace trace = CausalTrace.of(model).averaging(q.averaging());
            trace = p.equals(HookPoint.RESID_POST) ? trace.residual() : trace.component(p);
            trace = q.window() != null ? trace.window(q.window()) : trace;
            trace = q.reverse() ? trace.reverse() : trace;
            trace = q.together() ? trace.together() : trace;
            trace = q.shuffled() ? trace.shuffled() : trace;
            trace = q.noise() != null ? trace.noise(q.noise(), q.samples(), q.seed()) : trace;
            traces.add(trace.over(pairs, runner));
            if (q.attribution()) {
                attributions.add(AttributionPatching.of(model).point(p).window(trace.window()).over(pairs, runner));
            }
        }
        return new TraceResult(ModelCard.of(model), traces, attributions, pairs.unmatched(), (System.nanoTime() - start) / 1e9);
    }
}
