package lab.recall.knockout;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import lab.recall.base.BadRequest;
import lab.recall.model.Edges;
import lab.recall.model.HookPoint;
import lab.recall.model.Intervention;
import lab.recall.model.LanguageModel;
import lab.recall.model.Mixer;
import lab.recall.model.Pass;
import lab.recall.model.Site;
import lab.recall.text.Prompt;

/**
 * What is done in a layer of the window.
 *
 * @param form  which of the forms
 * @param mean  the point whose means it needs; null where the form needs none
 * @param means null where the form needs none
 */
record Ablation(Knockout.Form form, HookPoint mean, MeanActivations means) {
    /** What makes one ablation differ from another. */
    record Key(String form, String means) {
    }

    /**
     * An ablation of a model.
     *
     * @param means may be null
     */
    static Ablation of(LanguageModel model, Knockout.Form form, MeanActivations means) {
        if (!Knockout.forms(model).contains(form)) {
            throw new BadRequest("form", "'" + form.id() + "', expected "
                    + String.join(" or ", Knockout.forms(model).stream().map(Knockout.Form::id).toList()) + ": " + model.name() + " is a "
                    + model.family() + ", whose tokens read each other through " + model.mixing().title());
        }
        Optional<HookPoint> mean = form.mean(model.mixing());
        if (mean.isEmpty()) {
            return new Ablation(form, null, null);
        }
        if (means == null) {
            throw new BadRequest("means", "missing; the form " + form.id() + " needs those of " + mean.get().id());
        }
        means.requireFits(model, mean.get());
        return new Ablation(form, mean.get(), means);
    }

    Key key() {
        return new Key(form.id(), mean == null ? "" : means.digest(mean));
    }

    /** What is done in each layer if it is in the window; the same edges serve all. */
    List<List<Intervention>> byLayer(LanguageModel model, Route route, Prompt prompt, Pass base) {
        List<List<Intervention>> all = new ArrayList<>();
        int[] sources = route.source().tokens(prompt);
        boolean published = form.equals(Knockout.Form.PUBLISHED);
        Edges edges = published ? Edges.none() : edges(route, prompt);
        for (int l = 0; l < model.layers(); l++) {
            all.add(published ? published(sources, l, base) : cuts(model, edges, l));
        }
        return all;
    }

    /** The first token that differs under it; none where the prompt has no such source. */
    OptionalInt first(Route route, Prompt prompt) {
        int[] sources = route.source().tokens(prompt);
        if (sources.length == 0) {
            return OptionalInt.empty();
        }
        if (form.equals(Knockout.Form.PUBLISHED)) {
            return OptionalInt.of(sources[0]);
        }
        Edges edges = edges(route, prompt);
        return edges.isEmpty() ? OptionalInt.empty() : OptionalInt.of(edges.firstTarget());
    }

    private Edges edges(Route route, Prompt prompt) {
        int[] sources = route.source().tokens(prompt);
        Edges edges = route.edges(prompt);
        return form.equals(Knockout.Form.EVERY) ? edges.and(Edges.between(sources, sources)) : edges;
    }

    /** The forms that cut edges, in one layer. */
    List<Intervention> cuts(LanguageModel model, Edges edges, int layer) {
        if (edges.isEmpty()) {
            return List.of();
        }
        if (form.equals(Knockout.Form.HELD)) {
            return model.mixing().mixers().stream().<Intervention>map(m -> m.decay().isPresent() && !edges.hasSelf()
                    ? m.cut(layer, edges, means.get(layer, m.decay().get())) : m.cut(layer, edges)).toList();
        }
        return form.equals(Knockout.Form.EDGES) || form.equals(Knockout.Form.EVERY) ? model.mixing().cut(layer, edges)
                : List.of(mixer(model).cut(layer, edges));
    }

    /** The mixer that alone is cut. */
    Mixer mixer(LanguageModel model) {
        return model.mixing().mixers().stream().filter(m -> m.id().equals(form.id())).findFirst().orElseThrow();
    }

    /** Tokens left of the first source need no pin: nothing reaches them. */
    private List<Intervention> published(int[] sources, int layer, Pass base) {
        List<Intervention> all = new ArrayList<>();
        float[] value = means.get(layer, mean);
        for (int t = sources.length == 0 ? base.length() : sources[0]; t < base.length(); t++) {
            Site site = new Site(layer, mean, t);
            if (Arrays.binarySearch(sources, t) >= 0) {
                all.add(new Intervention.Replace(site, value, 0));
            } else if (t < base.length() - 1) {
                all.add(Intervention.patch(site, base));
            }
        }
        return all;
    }
}
