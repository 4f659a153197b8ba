package lab.recall.knockout;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import lab.recall.base.BadRequest;
import lab.recall.base.Check;
import lab.recall.facts.Documents;
import lab.recall.facts.KnownFacts.Known;
import lab.recall.facts.Relations;
import lab.recall.model.HookPoint;
import lab.recall.model.LanguageModel;
import lab.recall.study.Experiment;
import lab.recall.study.NamedView;
import lab.recall.study.Runner;
import org.knowm.xchart.XYChart;

/** {@link Knockout} over the facts that a model knows. */
public final class KnockoutExperiment extends Experiment<KnockoutRequest, KnockoutResult> {
    public KnockoutExperiment() {
        super("knockout", "knockout", "How far the answer's probability falls when nothing flows from some tokens in a window of layers.",
                KnockoutRequest.class, KnockoutResult.class);
    }

    @Override
    public KnockoutRequest complete(LanguageModel model, KnockoutRequest q) {
        Check.word("form", q.form(), Knockout.forms(model).stream().map(Knockout.Form::id).toList());
        Relations.asked(model, q.relations(), q.relation());
        if (q.texts() != null) {
            texts(q, 1);
        }
        return q.withWindow(q.window() == null ? model.profile().knockoutWindow(model)
                : Check.whole("window", q.window(), 1, 2 * model.layers()));
    }

    @Override
    public KnockoutResult run(LanguageModel model, KnockoutRequest q, Runner runner) {
        Knockout knockout = Knockout.of(model).window(q.window());
        knockout = q.asForm().needsMeans()
                ? knockout.form(q.asForm(),
                        MeanActivations.of(model, documents(model, q), runner, Knockout.means(model).toArray(HookPoint[]::new)))
                : knockout.form(q.asForm());
        List<Known> facts = Relations.asked(model, q.relations(), q.relation()).knownBy(model, runner).sample(q.facts(), q.seed());
        long start = System.nanoTime();
        KnockoutCurves curves = knockout.over(facts, runner);
        double seconds = (System.nanoTime() - start) / 1e9;
        return new KnockoutResult(curves, q.flows() ? List.of(knockout.along(Route.flows()).over(facts, runner)) : List.of(), seconds);
    }

    /** Those of a file, or documents made of the relations' facts. */
    private static List<int[]> documents(LanguageModel model, KnockoutRequest q) {
        if (q.texts() == null) {
            return MeanActivations.documents(model, Relations.asked(model, q.relations(), "all"), q.documents(), q.seed());
        }
        return texts(q, q.documents()).stream().map(text -> model.requireTokenizer().encode(text, false).ids()).toList();
    }

    private static List<String> texts(KnockoutRequest q, int count) {
        try (Stream<String> texts = Documents.read(Path.of(q.texts()))) {
            List<String> some = texts.limit(count).toList();
            if (some.isEmpty()) {
                throw new BadRequest("texts", q.texts() + " holds no line of text");
            }
            return some;
        }
    }

    /** For each group of tokens one chart, over relative depth, a line with intervals for each model. */
    @Override
    public List<NamedView> beside(Map<String, KnockoutResult> results) {
        List<String> names = results.entrySet().stream().map(e -> e.getKey() + ", " + e.getValue().curves().facts() + " facts").toList();
        List<KnockoutCurves> curves = results.values().stream().map(KnockoutResult::curves).toList();
        List<NamedView> views = new ArrayList<>();
        for (TokenGroup group : TokenGroup.PUBLISHED) {
            XYChart chart = KnockoutCurves.beside("knocked out: " + group.label(), group, names, curves);
            if (!chart.getSeriesCollection().isEmpty()) {
                views.add(new NamedView("together-" + group.name().toLowerCase(Locale.ROOT).replace('_', '-'), chart));
            }
        }
        return views;
    }
}
