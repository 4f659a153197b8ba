package lab.recall.trace;

import java.util.List;
import lab.recall.base.BadRequest;
import lab.recall.model.HookPoint;
import lab.recall.model.LanguageModel;
import lab.recall.model.LayerWindow;
import lab.recall.study.Runner;

/**
 * Interchange: the corrupt run with the clean run's value of a hook point put back, at some tokens, in a window of layers around each
 * layer.
 *
 * <pre>{@code
 * InterchangeGrid g = Interchange.of(mamba).point(RESID_POST).run(cleanIds, corruptIds);
 * Interchange.of(mamba).point(OUT).window(3)                 // layers l-1 .. l+1
 * Interchange.of(mamba).point(RESID_POST).sever(Y)           // path blocking: Y at the token keeps its corrupt value in every layer
 * Interchange.of(mamba).point(RESID_POST).reverse()          // the corrupt run's value put into the clean run
 * }</pre>
 *
 * Immutable: every setting gives an interchange of its own. Source: arXiv 2404.03646, section 3 (interchange) and 3.2 (path blocking). The
 * window is range(max(0, l - w/2), min(L, l + (w+1)/2)).
 */
public final class Interchange {
    private final LanguageModel model;
    private final InterchangeStudy.Settings settings;

    private Interchange(LanguageModel model, InterchangeStudy.Settings settings) {
        this.model = model;
        this.settings = settings;
    }

    /** Of the residual stream, one layer at a time, until told otherwise. */
    public static Interchange of(LanguageModel model) {
        return new Interchange(model, new InterchangeStudy.Settings(HookPoint.RESID_POST, 1, null, false));
    }

    /**
     * The point that is put back.
     *
     * @throws BadRequest if the model's layers have no such point with a value per token
     */
    public Interchange point(HookPoint point) {
        if (point.equals(settings.sever())) {
            throw new BadRequest("point", "'" + point.id() + "', expected a point other than the one that is kept");
        }
        return new Interchange(model,
                new InterchangeStudy.Settings(required(model, point), settings.window(), settings.sever(), settings.reverse()));
    }

    /** Over how many layers. */
    public Interchange window(int layers) {
        LayerWindow.of(model, layers);
        return new Interchange(model, new InterchangeStudy.Settings(settings.point(), layers, settings.sever(), settings.reverse()));
    }

    /**
     * A point that is kept at its corrupt value at the tokens, in all layers.
     *
     * @throws BadRequest if it is the point that is put back, or none of the model's layers
     */
    public Interchange sever(HookPoint point) {
        if (point.equals(settings.point())) {
            throw new BadRequest("sever", "'" + point.id() + "', expected a point other than the one that is put back");
        }
        return new Interchange(model,
                new InterchangeStudy.Settings(settings.point(), settings.window(), required(model, point), settings.reverse()));
    }

    /** The other direction: the corrupt run's value is put into the clean run. */
    public Interchange reverse() {
        return new Interchange(model, new InterchangeStudy.Settings(settings.point(), settings.window(), settings.sever(), true));
    }

    /** Refuses a point that belongs to no layer of the model or has no value per token. */
    static HookPoint required(LanguageModel model, HookPoint p) {
        if (p.isGlobal() || !p.isPerToken() || !model.points().contains(p)) {
            throw new BadRequest("point", "'" + p.id() + "' is no point of a layer of " + model.family()
                    + " with a value per token; such are "
                    + String.join(", ", model.points().stream().filter(x -> !x.isGlobal() && x.isPerToken()).map(HookPoint::id).toList()));
        }
        return p;
    }

    /** The grid of one pair of prompts of equal length, of the clean run's own answer. */
    public InterchangeGrid run(int[] clean, int[] corrupt) {
        return run(List.of(InterchangeCase.of(clean, corrupt)), Runner.silent()).get(0);
    }

    /** The grid of one pair of prompts of equal length, of a token's probability. */
    public InterchangeGrid run(int[] clean, int[] corrupt, int answer) {
        return run(List.of(new InterchangeCase(clean, corrupt, answer, InterchangeCase.everyToken(clean.length), null)),
                Runner.silent()).get(0);
    }

    /** The grids of many pairs. */
    List<InterchangeGrid> run(List<InterchangeCase> cases, Runner runner) {
        return runner.run(new InterchangeStudy(), model, new InterchangeStudy.Asked(settings, cases));
    }
}
