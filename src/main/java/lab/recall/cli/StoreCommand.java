package lab.recall.cli;

import java.util.Locale;
import java.util.concurrent.Callable;
import lab.recall.study.Store;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(name = "store", mixinStandardHelpOptions = true,
        description = "The work that is kept for later requests: facts that a model knows, means, second moments.",
        footer = {"", "It stands in the folder that RECALL_STORE names (none: nothing is kept), else in the user's cache folder."})
final class StoreCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @ArgGroup(multiplicity = "1")
    private What what;

    /** One of them. */
    private static final class What {
        @Option(names = "--size", required = true, description = "Say where it is and how large.")
        private boolean size;

        @Option(names = "--clear", required = true, description = "Remove it.")
        private boolean clear;
    }

    @Override
    public Integer call() {
        Store store = Store.user();
        String folder = store.folder().map(Object::toString).orElse("nowhere: RECALL_STORE is none");
        long bytes = store.size();
        if (what.clear) {
            store.clear();
        }
        spec.commandLine().getOut().printf(Locale.ROOT, "%s: %s%,d bytes%n", folder, what.clear ? "removed " : "", bytes);
        return 0;
    }
}
