package lab.recall.knockout;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import lab.recall.base.BadRequest;
import lab.recall.model.Edges;
import lab.recall.model.HookPoint;
import lab.recall.model.Intervention;
import lab.recall.model.LanguageModel;
import lab.recall.model.Pass;
import lab.recall.model.Site;
import lab.recall.text.Prompt;

/**
 * What is done in a layer of the window.
 *
 * @param form  which of the forms
 * @param means null where the form needs none
 */
record Ablation(Knockout.Form form, MeanActivations means) {
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
                    + model.family() + ", which has neither convolution nor scan");
        }
        if (form.mean().isEmpty()) {
            return new Ablation(form, null);
        }
        HookPoint point = form.mean().get();
        if (means == null) {
            throw new BadRequest("means", "missing; the form " + form.id() + " needs those of " + point.id());
        }
        means.requireFits(model, point);
        return new Ablation(form, means);
    }

    Key key() {
        return new Key(form.id(), form.mean().map(point -> means.digest(point)).orElse(""));
    }

    /** What is done in each layer if it is in the window; the same edges serve all. */
    List<List<Intervention>> byLayer(LanguageModel model, Route route, Prompt prompt, Pass base) {
        List<List<Intervention>> all = new ArrayList<>();
        int[] sources = route.source().tokens(prompt);
        Edges edges = switch (form) {
            case PUBLISHED -> Edges.none();
            case EVERY -> route.edges(prompt).and(Edges.between(sources, sources));
            default -> route.edges(prompt);
        };
        for (int l = 0; l < model.layers(); l++) {
            all.add(form == Knockout.Form.PUBLISHED ? published(sources, l, base) : cuts(model, edges, l));
        }
        return all;
    }

    /** The forms that cut edges, in one layer. */
    List<Intervention> cuts(LanguageModel model, Edges edges, int layer) {
        if (edges.isEmpty()) {
            return List.of();
        }
        return switch (form) {
            case SCAN -> List.of(Intervention.cutScan(layer, edges));
            case CONV -> List.of(Intervention.cutConv(layer, edges));
            case HELD -> List.of(Intervention.cutConv(layer, edges), edges.hasSelf() ? Intervention.cutScan(layer, edges)
                    : Intervention.cutScan(layer, edges, means.get(layer, HookPoint.DELTA)));
            default -> Intervention.cut(model, layer, layer, edges);
        };
    }

    /** Tokens left of the first source need no pin: nothing reaches them. */
    private List<Intervention> published(int[] sources, int layer, Pass base) {
        List<Intervention> all = new ArrayList<>();
        float[] mean = means.get(layer, HookPoint.IN_X);
        for (int t = sources.length == 0 ? base.length() : sources[0]; t < base.length(); t++) {
            Site site = new Site(layer, HookPoint.IN_X, t);
            if (Arrays.binarySearch(sources, t) >= 0) {
                all.add(new Intervention.Replace(site, mean, 0));
            } else if (t < base.length() - 1) {
                all.add(Intervention.patch(site, base));
            }
        }
        return all;
    }
}
