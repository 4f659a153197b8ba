package lab.recall.trace;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import lab.recall.base.Check;
import lab.recall.model.LanguageModel;
import lab.recall.study.Experiment;
import lab.recall.study.NamedArray;
import lab.recall.study.Result;
import lab.recall.study.Runner;

/** {@link Interchange} of one pair of prompts. */
public final class InterchangeExperiment extends Experiment<InterchangeRequest, InterchangeExperiment.Found> {
    /** The grid of probabilities and effects, and how long it took. */
    public record Found(InterchangeGrid grid, double seconds) implements Result {
        @Override
        public Map<String, Object> scalars() {
            Map<String, Object> scalars = new LinkedHashMap<>();
            scalars.put("p_clean", grid.pClean());
            scalars.put("p_corrupt", grid.pCorrupt());
            scalars.put("answer", grid.answer());
            scalars.put("seconds", seconds);
            scalars.put("rows", grid.rows());
            scalars.put("naive_rows", grid.naiveRows());
            return scalars;
        }

        @Override
        public List<NamedArray> arrays() {
            return List.of(NamedArray.of("p", grid.p()), NamedArray.of("effect", grid.effect()));
        }
    }

    public InterchangeExperiment() {
        super("interchange", "One pair of prompts: the clean run's values put back into the corrupt run, at every token and layer.",
                InterchangeRequest.class, Found.class);
    }

    @Override
    public InterchangeRequest complete(LanguageModel model, InterchangeRequest q) {
        Check.whole("window", q.window(), 1, 2 * model.layers());
        if (q.answer() != null) {
            Check.whole("answer", q.answer(), 0, model.vocabulary() - 1);
        }
        interchange(model, q);
        return q;
    }

    private static Interchange interchange(LanguageModel model, InterchangeRequest q) {
        Interchange i = Interchange.of(model).point(q.point()).window(q.window());
        return q.sever() == null ? i : i.sever(q.sever());
    }

    @Override
    public Found run(LanguageModel model, InterchangeRequest q, Runner runner) {
        int[] clean = q.clean().ids(model, "clean");
        int[] corrupt = q.corrupt().ids(model, "corrupt");
        long start = System.nanoTime();
        InterchangeCase asked = new InterchangeCase(clean, corrupt, q.answer(), InterchangeCase.everyToken(clean.length), null);
        InterchangeGrid grid = interchange(model, q).run(List.of(asked), runner).get(0);
        return new Found(grid, (System.nanoTime() - start) / 1e9);
    }
}
