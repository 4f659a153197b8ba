package lab.recall.knockout;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import lab.recall.base.BadRequest;
import lab.recall.facts.KnownFacts.Known;
import lab.recall.model.HookPoint;
import lab.recall.model.LanguageModel;
import lab.recall.model.LayerWindow;
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
 * Knockout.of(neox).edges().over(facts)                     // attention scores of minus infinity
 * Knockout.of(mamba).edges().along(Route.flows()).over(facts).heatmap()
 * }</pre>
 *
 * Immutable: every setting gives a knock-out of its own. The window around layer l is range(max(0, l - w/2), min(L, l + (w+1)/2)). Source:
 * arXiv 2404.03646, section 6; for attention Geva et al., arXiv 2304.14767, section 4.
 */
public final class Knockout {
    /** What is done in a layer of the window. */
    public enum Form {
        /** The paper's: in_x of the source is its mean, that of all other tokens but the last one is kept as it was. */
        PUBLISHED(HookPoint.IN_X),
        /** The edges' terms are left out of the convolution and the scan, or of the attention. */
        EDGES,
        /**
         * As EDGES, and those among the sources too, each one's to itself included: what the paper's form takes away, nothing in its place.
         */
        EVERY,
        /** Of the scan alone. */
        SCAN,
        /** Of the convolution alone. */
        CONV,
        /** As EDGES, and a source that another edge passes over has the mean delta. */
        HELD(HookPoint.DELTA);

        private final HookPoint mean;

        Form() {
            this(null);
        }

        Form(HookPoint mean) {
            this.mean = mean;
        }

        /** Its name in requests. */
        public String id() {
            return name().toLowerCase(Locale.ROOT);
        }

        /** The point whose mean over documents it needs, if any. */
        public Optional<HookPoint> mean() {
            return Optional.ofNullable(mean);
        }
    }

    /** The paper's window: 5 layers before and 5 from the centre on, of 64; in proportion to Pythia's 32. */
    private static final double MAMBA_HALF = 5.0 / 64;
    private static final double NEOX_HALF = 5.0 / 32;

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
        return new Knockout(model, new Ablation(Form.EDGES, null), paperWindow(model), Route.published());
    }

    /** The forms that a model knows: all where there are a convolution and a scan, else EDGES. */
    public static List<Form> forms(LanguageModel model) {
        return isMamba(model) ? List.of(Form.values()) : List.of(Form.EDGES);
    }

    private static boolean isMamba(LanguageModel model) {
        return model.points().contains(HookPoint.IN_X);
    }

    /** [l - 5, l + 5) of 64 layers (GPT-NeoX: 32) in proportion to this model's depth, at least [l - 1, l + 1). */
    static int paperWindow(LanguageModel model) {
        return 2 * Math.max(1, (int) Math.round((isMamba(model) ? MAMBA_HALF : NEOX_HALF) * model.layers()));
    }

    /**
     * The paper's form; the means must hold in_x.
     *
     * @throws BadRequest if they do not, or the model does not know the form
     */
    public Knockout published(MeanActivations ofDocuments) {
        return form(Form.PUBLISHED, ofDocuments);
    }

    /** Exact edges: convolution and scan, or attention. */
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
     * Exact edges of the scan alone.
     *
     * @throws BadRequest if the model does not know the form
     */
    public Knockout scan() {
        return form(Form.SCAN);
    }

    /**
     * Exact edges of the convolution alone.
     *
     * @throws BadRequest if the model does not know the form
     */
    public Knockout conv() {
        return form(Form.CONV);
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
        return new KnockoutCurves(ModelCard.of(model), what(), window, routes, changes);
    }

    private String what() {
        return switch (ablation.form()) {
            case PUBLISHED -> "mean in_x";
            case EDGES -> isMamba(model) ? "edges cut (convolution and scan)" : "edges cut (attention)";
            case EVERY -> "edges cut, those among sources too";
            case SCAN -> "edges cut (scan alone)";
            case CONV -> "edges cut (convolution alone)";
            case HELD -> "edges cut, delta held";
        };
    }
}
