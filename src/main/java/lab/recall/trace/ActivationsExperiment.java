package lab.recall.trace;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import lab.recall.model.HookPoint;
import lab.recall.model.Intervention;
import lab.recall.model.LanguageModel;
import lab.recall.model.Recording;
import lab.recall.model.Site;
import lab.recall.request.Answer;
import lab.recall.request.Experiment;
import lab.recall.request.Fields;
import lab.recall.request.Journal;
import lab.recall.request.NamedArray;
import lab.recall.request.Progress;

/** Hook points of one run, with interventions: {"experiment": "activations", "prompt", "points": [globs], "interventions"}. */
public final class ActivationsExperiment implements Experiment<LanguageModel> {
    private static final Pattern LAYER_POINT = Pattern.compile("layers\\.(\\d{1,6})\\.(\\w+)");

    @Override
    public String name() {
        return "activations";
    }

    @Override
    public List<String> fields() {
        return List.of("prompt", "points", "interventions");
    }

    @Override
    public Answer run(LanguageModel model, Fields f, Progress progress, Journal journal) {
        int[] ids = f.prompt("prompt", model.vocabulary(), t -> model.prompt(t).ids());
        Recording keep = Recording.of(f.texts("points").toArray(String[]::new));
        List<Intervention> changes = new ArrayList<>();
        for (Fields i : f.objects("interventions")) {
            changes.add(intervention(model, i, ids.length));
        }
        List<NamedArray> arrays = model.run(ids, keep, changes).activations().stream()
                .map(a -> new NamedArray(a.name(), a.shape(), a.values())).toList();
        return new Answer(Map.of(), arrays);
    }

    private static Intervention intervention(LanguageModel model, Fields f, int tokens) {
        Site place = place(model, f.text("at"), f.name("at"));
        int token = f.has("token") && isAll(f) ? Site.ALL : f.integer("token", 0, tokens - 1);
        Site site = new Site(place.layer(), place.point(), token);
        int width = model.width(site.point());
        boolean add = f.has("add");
        boolean set = f.has("set");
        boolean zero = f.has("zero");
        if ((add ? 1 : 0) + (set ? 1 : 0) + (zero ? 1 : 0) != 1) {
            throw new IllegalArgumentException(f.name("at") + ": expected exactly one of add, set, zero beside it");
        }
        f.done();
        if (zero) {
            f.onlyTrue("zero");
            return Intervention.zero(site, width);
        }
        return add ? Intervention.add(site, f.vector("add", width)) : Intervention.set(site, f.vector("set", width));
    }

    private static boolean isAll(Fields f) {
        return f.settings().get("token").asText().equals("all");
    }

    /** A full name: embed, final_norm, logits or layers.{l}.{point}. */
    private static Site place(LanguageModel model, String name, String field) {
        Matcher m = LAYER_POINT.matcher(name);
        HookPoint point;
        int layer = 0;
        try {
            point = HookPoint.of(m.matches() ? m.group(2) : name);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(field + ": " + e.getMessage(), e);
        }
        if (m.matches()) {
            layer = Integer.parseInt(m.group(1));
            if (layer >= model.layers()) {
                throw new IllegalArgumentException(field + ": layer " + layer + ", expected a whole number from 0 to " + (model.layers() - 1));
            }
        }
        if (m.matches() == point.isGlobal() || !point.isPerToken() || !model.points().contains(point)) {
            throw new IllegalArgumentException(field + ": '" + name + "', expected embed, final_norm, logits or layers.{l}.{point} with a point of "
                    + model.family() + " that has a value per token");
        }
        return new Site(layer, point, Site.ALL);
    }
}
