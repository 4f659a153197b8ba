package lab.recall.trace;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import lab.recall.base.BadRequest;
import lab.recall.base.Check;
import lab.recall.base.Said;
import lab.recall.model.Activation;
import lab.recall.model.HookPoint;
import lab.recall.model.Intervention;
import lab.recall.model.LanguageModel;
import lab.recall.model.Pass;
import lab.recall.model.Recording;
import lab.recall.model.Site;
import lab.recall.study.Experiment;
import lab.recall.study.NamedArray;
import lab.recall.study.Result;
import lab.recall.study.Runner;

/** The values at hook points of one run, with interventions. */
public final class ActivationsExperiment extends Experiment<ActivationsRequest, ActivationsExperiment.Found> {
    private static final Pattern LAYER_POINT = Pattern.compile("layers\\.(\\d{1,6})\\.(\\w+)");

    private static final Pattern AT_TOKEN = Pattern.compile("(.+)@(\\d{1,9})");

    /** A value for each name that matches. */
    public record Found(List<NamedArray> arrays) implements Result {
    }

    public ActivationsExperiment() {
        super("activations", "The values at hook points of one run, with interventions.", ActivationsRequest.class, Found.class);
    }

    @Override
    public ActivationsRequest complete(LanguageModel model, ActivationsRequest q) {
        int tokens = q.prompt().ids(model, "prompt").length;
        changes(model, q, tokens);
        asked(model, q, tokens);
        return q;
    }

    /** A name of what is kept, with the token of a memory. */
    private record Named(String glob, int token) {
    }

    /** The names that are asked for; a memory's with its token. */
    private static List<Named> asked(LanguageModel model, ActivationsRequest q, int tokens) {
        List<String> states = model.points().stream().filter(HookPoint::isState).map(HookPoint::id).toList();
        List<Named> all = new ArrayList<>();
        for (int i = 0; i < q.points().size(); i++) {
            String name = q.points().get(i);
            Matcher m = AT_TOKEN.matcher(name);
            boolean hasToken = m.matches();
            String glob = hasToken ? m.group(1) : name;
            String id = glob.substring(glob.lastIndexOf('.') + 1);
            String field = "points[" + i + "]";
            if (hasToken && !states.contains(id)) {
                throw new BadRequest(field, "'" + Said.of(name) + "', expected a name without a token"
                        + (states.isEmpty() ? "" : "; with one are asked " + String.join(", ", states)));
            }
            if (!hasToken && states.contains(id)) {
                throw new BadRequest(field, "'" + Said.of(name) + "', expected a token behind it, such as " + Said.of(name) + "@0");
            }
            all.add(new Named(glob, hasToken ? Check.whole(field + " (token)", Integer.parseInt(m.group(2)), 0, tokens - 1) : Site.ALL));
        }
        return all;
    }

    private static List<Intervention> changes(LanguageModel model, ActivationsRequest q, int tokens) {
        List<Intervention> changes = new ArrayList<>();
        for (int i = 0; i < q.interventions().size(); i++) {
            changes.add(intervention(model, q.interventions().get(i), "interventions[" + i + "].", tokens));
        }
        return changes;
    }

    private static Intervention intervention(LanguageModel model, ActivationsRequest.Change change, String where, int tokens) {
        Site place = place(model, change.at(), where + "at");
        int token = change.token() instanceof Integer t ? Check.whole(where + "token", t, 0, tokens - 1) : Site.ALL;
        Site site = new Site(place.layer(), place.point(), token);
        int width = model.width(site.point());
        if (change.readOnly() && !site.point().isState()) {
            throw new BadRequest(where + "read_only", "true, expected it only beside a layer's memory ("
                    + String.join(", ", model.points().stream().filter(HookPoint::isState).map(HookPoint::id).toList()) + ")");
        }
        Intervention made = intervention(site, change, where, width);
        return change.readOnly() ? Intervention.readOnly(made) : made;
    }

    private static Intervention intervention(Site site, ActivationsRequest.Change change, String where, int width) {
        if (change.zero() != null) {
            return Intervention.zero(site, width);
        }
        return change.add() != null ? Intervention.add(site, vector(where + "add", change.add(), width))
                : Intervention.set(site, vector(where + "set", change.set(), width));
    }

    private static float[] vector(String field, float[] values, int width) {
        if (values.length != width) {
            throw new BadRequest(field, "expected a list of " + width + " numbers, got " + values.length);
        }
        for (int i = 0; i < width; i++) {
            if (!Float.isFinite(values[i])) {
                throw new BadRequest(field + "[" + i + "]", values[i] + ", expected a finite number");
            }
        }
        return values;
    }

    @Override
    public Found run(LanguageModel model, ActivationsRequest q, Runner runner) {
        int[] ids = q.prompt().ids(model, "prompt");
        List<Named> asked = asked(model, q, ids.length);
        Recording keep = Recording.of(asked.stream().map(Named::glob).toArray(String[]::new));
        Pass pass = model.run(ids, keep, changes(model, q, ids.length)).requireFinite();
        List<NamedArray> arrays = new ArrayList<>();
        for (Site s : pass.kept()) {
            if (s.point().isState()) {
                asked.stream().filter(n -> n.token() != Site.ALL && Recording.matches(n.glob(), s.name())).map(Named::token).distinct()
                        .forEach(t -> arrays.add(new NamedArray(s.name() + "@" + t, model.stateShape(s.point()),
                                pass.get(new Site(s.layer(), s.point(), t)))));
            } else {
                Activation a = pass.activation(s.layer(), s.point());
                arrays.add(new NamedArray(a.name(), a.shape(), a.values()));
            }
        }
        return new Found(arrays);
    }

    /** A full name: embed, final_norm, logits or layers.{l}.{point}. */
    private static Site place(LanguageModel model, String name, String field) {
        Matcher m = LAYER_POINT.matcher(name);
        HookPoint point;
        int layer = 0;
        try {
            point = HookPoint.of(m.matches() ? m.group(2) : name);
        } catch (IllegalArgumentException e) {
            throw new BadRequest(field, e.getMessage(), e);
        }
        if (m.matches()) {
            layer = Integer.parseInt(m.group(1));
            if (layer >= model.layers()) {
                throw new BadRequest(field, "layer " + layer + ", expected a whole number from 0 to " + (model.layers() - 1));
            }
        }
        if (m.matches() == point.isGlobal() || !point.isPerToken() || !model.points().contains(point)) {
            throw new BadRequest(field, "'" + Said.of(name) + "', expected embed, final_norm, logits or layers.{l}.{point} with a point of "
                    + model.family() + " that has a value per token");
        }
        return new Site(layer, point, Site.ALL);
    }
}
