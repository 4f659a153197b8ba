package lab.recall.trace;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import lab.recall.facts.FactPairs;
import lab.recall.facts.Pairing;
import lab.recall.facts.Relations;
import lab.recall.model.LanguageModel;
import lab.recall.study.Experiment;
import lab.recall.study.Measured;
import lab.recall.study.NamedView;
import lab.recall.study.Result;
import lab.recall.study.Runner;

/** {@link PathBlocking} over the facts that a model knows. */
public final class PathBlockingExperiment extends Experiment<PathBlockingRequest, PathBlockingExperiment.Found> {
    /**
     * What is found.
     *
     * @param paths      recovery with and without components blocked
     * @param passedOver facts that no other fits token on token
     */
    public record Found(BlockedPaths paths, int passedOver) implements Result {
        @Override
        public Map<String, Object> scalars() {
            Map<String, Object> scalars = new LinkedHashMap<>();
            scalars.put("pairs", paths.pairs());
            scalars.put("facts_passed_over", passedOver);
            return scalars;
        }

        @Override
        public List<Measured> measures() {
            return paths.measures();
        }

        @Override
        public List<NamedView> views() {
            List<NamedView> views = new ArrayList<>();
            views.add(new NamedView("recovery", paths.table()));
            for (Position token : paths.tokens()) {
                String at = token == Position.LAST ? "prompt-last" : token == Position.SUBJECT ? "subject" : "subject-last";
                views.add(new NamedView("recovery-" + at, paths.chart(token)));
            }
            return views;
        }
    }

    public PathBlockingExperiment() {
        super("path_blocking", "path-blocking",
                "Path blocking: which component carries the fact on, by what no longer returns when it keeps its corrupt value.",
                PathBlockingRequest.class, Found.class);
    }

    @Override
    public PathBlockingRequest complete(LanguageModel model, PathBlockingRequest q) {
        Relations.asked(model, q.relations(), q.relation());
        return q;
    }

    @Override
    public Found run(LanguageModel model, PathBlockingRequest q, Runner runner) {
        FactPairs pairs = Relations.asked(model, q.relations(), q.relation()).knownBy(model, runner)
                .pairs(q.pairs(), q.seed(), Pairing.CORRECTED);
        PathBlocking blocking = q.together() ? PathBlocking.of(model).together() : PathBlocking.of(model);
        return new Found(blocking.over(pairs, runner), pairs.unmatched());
    }
}
