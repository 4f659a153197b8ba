package lab.recall.trace;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import lab.recall.model.HookPoint;
import lab.recall.model.LanguageModel;
import lab.recall.request.Answer;
import lab.recall.request.Experiment;
import lab.recall.request.Fields;
import lab.recall.request.Journal;
import lab.recall.request.NamedArray;
import lab.recall.request.Progress;

/** {@link Interchange} by request file: {"experiment": "interchange", "clean", "corrupt", "answer", "point", "window", "sever"}. */
public final class InterchangeExperiment implements Experiment<LanguageModel> {
    @Override
    public String name() {
        return "interchange";
    }

    @Override
    public List<String> fields() {
        return List.of("clean", "corrupt", "answer", "point", "window", "sever");
    }

    @Override
    public Answer run(LanguageModel model, Fields f, Progress progress, Journal journal) {
        int[] clean = f.prompt("clean", model.vocabulary(), t -> model.prompt(t).ids());
        int[] corrupt = f.prompt("corrupt", model.vocabulary(), t -> model.prompt(t).ids());
        Interchange interchange = Interchange.of(model).point(HookPoint.of(f.text("point")))
                .window(f.integer("window", 1, 2 * model.layers(), 1));
        if (f.has("sever")) {
            interchange.sever(HookPoint.of(f.text("sever")));
        }
        int answer = f.has("answer") ? f.integer("answer", 0, model.vocabulary() - 1) : -1;
        long start = System.nanoTime();
        InterchangeGrid g = interchange.run(List.of(new Interchange.Case(clean, corrupt, answer)), progress, Journal.none()).get(0);
        Map<String, Object> scalars = new LinkedHashMap<>();
        scalars.put("p_clean", g.pClean());
        scalars.put("p_corrupt", g.pCorrupt());
        scalars.put("answer", g.answer());
        scalars.put("seconds", (System.nanoTime() - start) / 1e9);
        scalars.put("rows", g.rows());
        scalars.put("naive_rows", g.naiveRows());
        long[] shape = {model.layers(), clean.length};
        return new Answer(scalars, List.of(new NamedArray("p", shape, flat(g.p())), new NamedArray("effect", shape, flat(g.effect()))));
    }

    private static float[] flat(double[][] grid) {
        float[] all = new float[grid.length * grid[0].length];
        for (int i = 0; i < all.length; i++) {
            all[i] = (float) grid[i / grid[0].length][i % grid[0].length];
        }
        return all;
    }
}
