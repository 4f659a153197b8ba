package lab.recall.trace;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import lab.recall.facts.FactPairs;
import lab.recall.facts.Pairing;
import lab.recall.model.LanguageModel;
import lab.recall.request.Answer;
import lab.recall.request.Experiment;
import lab.recall.request.Fields;
import lab.recall.request.Journal;
import lab.recall.request.NamedView;
import lab.recall.request.Progress;

/** {@link PathBlocking} by request: {"experiment": "path_blocking", "relation", "relations", "pairs", "seed"}. */
public final class PathBlockingExperiment implements Experiment<LanguageModel> {
    @Override
    public String name() {
        return "path_blocking";
    }

    @Override
    public List<String> fields() {
        return List.of("relation", "relations", "pairs", "seed");
    }

    @Override
    public Answer run(LanguageModel model, Fields f, Progress progress, Journal journal) {
        FactPairs pairs = TracedFacts.pairs(model, f, Pairing.CORRECTED);
        BlockedPaths blocked = PathBlocking.of(model).over(pairs, progress, journal);
        List<NamedView> views = new ArrayList<>();
        views.add(new NamedView("recovery", blocked.table()));
        for (Position token : PathBlocking.TOKENS) {
            views.add(new NamedView("recovery-" + (token == Position.LAST ? "prompt-last" : "subject-last"), blocked.chart(token)));
        }
        return new Answer(Map.of("pairs", blocked.pairs(), "facts_passed_over", pairs.unmatched()), List.of(), views);
    }
}
