package lab.recall.paper;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import lab.recall.base.BadRequest;
import lab.recall.study.ModelCard;

/**
 * The models of which the paper published numbers; each stands beside the models of its family.
 *
 * <pre>{@code
 * PaperModel.of(card)                                        // none: nothing to be set beside it
 * PaperModel.of(card, "knock-out", MAMBA)                    // or one sentence that says of which models there is something
 * }</pre>
 */
enum PaperModel {
    MAMBA("Mamba", "Mamba", "mamba-2.8b", 64), PYTHIA("GPT-NeoX", "Pythia", "pythia-2.8b-deduped", 32);

    private final String family;
    private final String label;
    private final String checkpoint;
    private final int layers;

    PaperModel(String family, String label, String checkpoint, int layers) {
        this.family = family;
        this.label = label;
        this.checkpoint = checkpoint;
        this.layers = layers;
    }

    /** The one of a model's family; none where the paper has none. */
    static Optional<PaperModel> of(ModelCard model) {
        return Arrays.stream(values()).filter(p -> p.family.equals(model.family())).findFirst();
    }

    /**
     * The one of a model's family.
     *
     * @param experiment whose numbers are needed
     * @param published  of which the paper has them
     * @throws BadRequest if it is none of these
     */
    static PaperModel of(ModelCard model, String experiment, PaperModel... published) {
        return of(model).filter(List.of(published)::contains).orElseThrow(() -> new BadRequest("model",
                model.name() + " is a " + model.family() + "; the paper's numbers of " + experiment + " are of " + Stream.of(published)
                        .map(p -> p.fullName() + " (" + p.family + ")").collect(Collectors.joining(" and ")) + " alone"));
    }

    /** Its name in legends. */
    String label() {
        return label;
    }

    /** Its name with its size. */
    String fullName() {
        return label + "-2.8b";
    }

    /** Its name in the files of {@code data/paper}. */
    String key() {
        return label.toLowerCase(Locale.ROOT);
    }

    /** Its checkpoint's name, in those files that have it. */
    String checkpoint() {
        return checkpoint;
    }

    /** L. */
    int layers() {
        return layers;
    }
}
