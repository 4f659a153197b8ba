package lab.recall.knockout;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import lab.recall.base.BadRequest;
import lab.recall.facts.KnownFacts.Known;
import lab.recall.model.Architectures;
import lab.recall.model.HookPoint;
import lab.recall.model.LanguageModel;
import lab.recall.model.LayerWindow;
import lab.recall.model.Mixer;
import lab.recall.model.Mixing;
import lab.recall.study.ModelCard;
import lab.recall.study.Runner;

/**
 * Knock-out: how far the answer's probability falls when nothing flows along a route in a window of layers.
 *
 * <pre>{@code
 * var facts = known.sample(200, seed);
 * Knockout.of(mamba).published(means).over(facts)           // the paper's form
 * Knockout.of(mamba).edges().over(facts)                    // exact: the edges' own terms, through convolution and scan
 * Knockout.of(mamba).every().over(facts)                    // also the edges among the sources
 * Knockout.of(mamba).through("scan").over(facts)            // of the scan alone
 * Knockout.of(neox).edges().over(facts)                     // attention scores of minus infinity
 * Knockout.of(mamba).edges().along(Route.flows()).over(facts).heatmap()
 * }</pre>
 *
 * Immutable: every setting gives a knock-out of its own. The window around layer l is range(max(0, l - w/2), min(L, l + (w+1)/2)). Source:
 * arXiv 2404.03646, section 6; for attention Geva et al., arXiv 2304.14767, section 4.
 */
public final class Knockout {
    /**
     * What is done in a layer of the window.
     *
     * @param id its name in requests
     */
    public record Form(String id) {
        /** The paper's: what enters the mixer at the source is its mean, that of all other tokens but the last one is kept as it was. */
        public static final Form PUBLISHED = new Form("published");
        /** The edges' terms are left out of all mixers. */
        public static final Form EDGES = new Form("edges");
        /**
         * As EDGES, and those among the sources too, each one's to itself included: what the paper's form takes away, nothing in its place.
         */
        public static final Form EVERY = new Form("every");
        /** As EDGES, and a source that another edge passes over lets it decay by the mean step size. */
        public static final Form HELD = new Form("held");

        /** As EDGES, of one mixer alone. */
        public static Form through(Mixer mixer) {
            return new Form(mixer.id());
        }

        /** Whether it needs means over documents. */
        public boolean needsMeans() {
            return equals(PUBLISHED) || equals(HELD);
        }

        /** The point whose mean over documents it needs in such a model, if any. */
        Optional<HookPoint> mean(Mixing mixing) {
            return equals(PUBLISHED) ? mixing.input() : equals(HELD) ? mixing.decaying().flatMap(Mixer::decay) : Optional.empty();
        }

        static List<Form> of(Mixing mixing) {
            List<Form> forms = new ArrayList<>();
            if (mixing.input().isPresent()) {
                forms.add(PUBLISHED);
            }
            forms.add(EDGES);
            if (mixing.canReadNothing()) {
                forms.add(EVERY);
            }
            if (mixing.mixers().size() > 1) {
                mixing.mixers().forEach(m -> forms.add(through(m)));
            }
            if (mixing.decaying().isPresent()) {
                forms.add(HELD);
            }
            return forms;
        }

        /** The forms of all models. */
        static List<Form> all() {
            return Architectures.all().stream().flatMap(a -> of(a.mixing()).stream()).distinct().toList();
        }
    }

    private final LanguageModel model;
    private final Ablation ablation;
    private final int window;
    private final List<Route> routes;

    private Knockout(LanguageModel model, Ablation ablation, int window, List<Route> routes) {
        this.model = model;
        this.ablation = ablation;
        this.window = window;
        this.routes = routes;
    }

    /** Of exact edges, over the paper's window in proportion to the model's depth, along the paper's categories. */
    public static Knockout of(LanguageModel model) {
        return new Knockout(model, Ablation.of(model, Form.EDGES, null), model.profile().knockoutWindow(model), Route.published());
    }

    /** The forms that a model knows: by what its layers mix tokens. */
    public static List<Form> forms(LanguageModel model) {
        return Form.of(model.mixing());
    }

    /** The points whose means the forms of a model need. */
    static List<HookPoint> means(LanguageModel model) {
        return forms(model).stream().flatMap(f -> f.mean(model.mixing()).stream()).toList();
    }

    /**
     * The paper's form; the means must hold the mixer's input.
     *
     * @throws BadRequest if they do not, or the model does not know the form
     */
    public Knockout published(MeanActivations ofDocuments) {
        return form(Form.PUBLISHED, ofDocuments);
    }

    /** Exact edges, through all that mixes tokens: convolution and scan, or attention. */
    public Knockout edges() {
        return form(Form.EDGES);
    }

    /**
     * Exact edges, those among the sources and each one's own included.
     *
     * @throws BadRequest if the model does not know the form
     */
    public Knockout every() {
        return form(Form.EVERY);
    }

    /**
     * Exact edges of one mixer alone: {@code scan}, {@code conv}.
     *
     * @throws BadRequest if the model has no such mixer, or no other one
     */
    public Knockout through(String mixer) {
        return form(new Form(mixer));
    }

    /**
     * Exact edges, passed sources with the mean delta; the means must hold delta.
     *
     * @throws BadRequest if they do not, or the model does not know the form
     */
    public Knockout held(MeanActivations ofDocuments) {
        return form(Form.HELD, ofDocuments);
    }

    /**
     * A form that needs no means.
     *
     * @throws BadRequest if it needs some, or the model does not know it
     */
    public Knockout form(Form which) {
        return with(Ablation.of(model, which, null));
    }

    /**
     * Any form; the means are read where it needs them.
     *
     * @throws BadRequest if they do not hold what it needs, or the model does not know it
     */
    public Knockout form(Form which, MeanActivations ofDocuments) {
        return with(Ablation.of(model, which, ofDocuments));
    }

    private Knockout with(Ablation which) {
        return new Knockout(model, which, window, routes);
    }

    /**
     * Over how many layers.
     *
     * @throws BadRequest if it is not from 1 to twice the model's layers
     */
    public Knockout window(int layers) {
        LayerWindow.of(model, layers);
        return new Knockout(model, ablation, layers, routes);
    }

    /** Along these routes; the paper's form reads their sources only. */
    public Knockout along(List<Route> which) {
        return new Knockout(model, ablation, window, List.copyOf(which));
    }

    /**
     * All facts, with a progress bar.
     *
     * @throws BadRequest if there is none
     */
    public KnockoutCurves over(List<Known> facts) {
        return over(facts, Runner.shown());
    }

    /**
     * All facts, with a runner's progress and store.
     *
     * @throws BadRequest if there is none
     */
    public KnockoutCurves over(List<Known> facts, Runner runner) {
        if (facts.isEmpty()) {
            throw new BadRequest("facts", "none, " + model.name() + " knows none of those asked");
        }
        var asked = new KnockoutStudy.Asked(ablation, window, routes, List.copyOf(facts));
        double[][][] changes = runner.run(new KnockoutStudy(), model, asked);
        return new KnockoutCurves(ModelCard.of(model), what(), window, routes, changes,
                facts.stream().map(f -> f.fact().relation()).toList());
    }

    private String what() {
        Mixing mixing = model.mixing();
        Form form = ablation.form();
        if (form.equals(Form.PUBLISHED)) {
            return "mean " + ablation.mean().map(HookPoint::id).orElse("");
        }
        if (form.equals(Form.EVERY)) {
            return "edges cut, those among sources too";
        }
        if (form.equals(Form.HELD)) {
            return "edges cut, " + ablation.mean().map(HookPoint::id).orElse("") + " held";
        }
        return "edges cut (" + (form.equals(Form.EDGES) ? mixing.title() : ablation.mixer(model).title() + " alone") + ")";
    }
}
