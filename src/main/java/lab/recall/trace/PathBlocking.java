package lab.recall.trace;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import lab.recall.facts.FactPair;
import lab.recall.facts.FactPairs;
import lab.recall.model.HookPoint;
import lab.recall.model.LanguageModel;
import lab.recall.study.ModelCard;
import lab.recall.study.Runner;
import lab.recall.text.Prompt;

/**
 * Path blocking: the clean residual stream is put in at one token after one layer, while one component's output at that token keeps its
 * corrupt value in all layers. What then no longer returns had to go through that component.
 *
 * <pre>{@code
 * var blocked = PathBlocking.of(mamba).over(pairs);
 * blocked.chart(Position.SUBJECT_LAST)
 * blocked.damage(OUT, Position.SUBJECT_LAST, 2)              // recovery lost by blocking o, with its interval
 * PathBlocking.of(mamba).together().over(pairs)              // at all tokens of the subject at once
 * }</pre>
 *
 * Later tokens still read the restored value. Source: arXiv 2404.03646, section 3.2.
 */
public final class PathBlocking {
    private final LanguageModel model;
    /** Where it is restored in turn. */
    private final List<Position> tokens;

    private PathBlocking(LanguageModel model, List<Position> tokens) {
        this.model = model;
        this.tokens = tokens;
    }

    /** Of a model's components: s, g and o, or attention and MLP; restored as in the paper at the subject's last token and the prompt's. */
    public static PathBlocking of(LanguageModel model) {
        return new PathBlocking(model, List.of(Position.SUBJECT_LAST, Position.LAST));
    }

    /** Restored, and blocked, at all tokens of the subject at once, not at its last one alone. */
    public PathBlocking together() {
        return new PathBlocking(model, List.of(Position.SUBJECT, Position.LAST));
    }

    static List<HookPoint> blockable(LanguageModel model) {
        return model.components().stream().filter(p -> p.role() == HookPoint.Role.COMPONENT).toList();
    }

    /** Over pairs of facts. */
    public BlockedPaths over(FactPairs pairs) {
        return over(pairs, Runner.shown());
    }

    /** Over pairs of facts, with a runner's progress and store. */
    public BlockedPaths over(FactPairs pairs, Runner runner) {
        List<InterchangeCase> cases = new ArrayList<>();
        for (FactPair p : pairs.pairs()) {
            Prompt clean = p.cleanPrompt();
            int[] subject = tokens.get(0) == Position.SUBJECT ? clean.subjectTokens() : new int[] {clean.subjectLast()};
            cases.add(new InterchangeCase(clean.ids(), p.corruptPrompt().ids(), p.answer(),
                    List.of(subject, new int[] {clean.length() - 1}), null));
        }
        Map<String, Map<Position, double[][]>> samples = new LinkedHashMap<>();
        samples.put(BlockedPaths.NOTHING, byToken(Interchange.of(model).run(cases, runner)));
        for (HookPoint blocked : blockable(model)) {
            samples.put(blocked.id(), byToken(Interchange.of(model).sever(blocked).run(cases, runner)));
        }
        return new BlockedPaths(ModelCard.of(model), samples);
    }

    /** Effects at each token, [layer][pair]. */
    private Map<Position, double[][]> byToken(List<InterchangeGrid> grids) {
        Map<Position, double[][]> all = new LinkedHashMap<>();
        for (int cell = 0; cell < tokens.size(); cell++) {
            double[][] values = new double[model.layers()][grids.size()];
            for (int i = 0; i < grids.size(); i++) {
                InterchangeGrid g = grids.get(i);
                double[][] effect = g.effect();
                for (int l = 0; l < model.layers(); l++) {
                    values[l][i] = g.pClean() - g.pCorrupt() >= Averaging.LEAST_SPAN ? effect[l][cell] : Double.NaN;
                }
            }
            all.put(tokens.get(cell), values);
        }
        return all;
    }
}
