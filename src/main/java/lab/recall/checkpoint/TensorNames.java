package lab.recall.checkpoint;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import lab.recall.base.BadData;

/**
 * Names of tensors as a family's own checkpoints have them, whatever saved them.
 *
 * <p>What wraps a model puts its own name before all: {@code module.}, {@code _orig_mod.}, {@code model.}, also several of them. Files of a
 * model without its head leave out the trunk's name, {@code backbone.}. So wrappers are taken away, and the trunk's name is put before all
 * but a head where no tensor has it.
 */
final class TensorNames {
    private static final Pattern WRAPPERS = Pattern.compile("^(module\\.|_orig_mod\\.|model\\.)+");
    private static final Pattern HEAD = Pattern.compile("(lm_head|embed_out)\\..*");

    private TensorNames() {
    }

    /**
     * The names in a file, each with its own name.
     *
     * @param trunk what the family's names begin with, but for the head's
     * @throws BadData when two would become the same
     */
    static Map<String, String> own(Set<String> names, String trunk, Path folder) {
        Map<String, String> bare = new LinkedHashMap<>();
        names.forEach(n -> bare.put(n, n.startsWith(trunk) ? n : WRAPPERS.matcher(n).replaceFirst("")));
        boolean named = bare.values().stream().anyMatch(n -> n.startsWith(trunk));
        Map<String, String> before = new LinkedHashMap<>();
        bare.forEach((stored, name) -> {
            String own = named || HEAD.matcher(name).matches() ? name : trunk + name;
            String other = before.put(own, stored);
            if (other != null) {
                throw new BadData(folder, "the tensors '" + other + "' and '" + stored + "' are both '" + own
                        + "'; expected the weights of one model");
            }
            bare.put(stored, own);
        });
        return bare;
    }
}
