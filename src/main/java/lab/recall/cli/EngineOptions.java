package lab.recall.cli;

import lab.recall.base.BadRequest;
import lab.recall.study.PieceEngine;
import lab.recall.study.Requests;
import picocli.CommandLine.Option;

/** Where the pieces of a command are computed, and whether those that failed are tried again. */
final class EngineOptions {
    @Option(names = "--engine", paramLabel = "ENGINE", defaultValue = PieceEngine.LOCAL,
            description = "Where pieces are computed: local (default), or spark; the numbers do not depend on it.")
    private String name;

    @Option(names = "--master", paramLabel = "URL",
            description = "Of the Spark cluster: what environment/cluster start prints, or any that Spark knows.")
    private String master;

    @Option(names = "--ship", description = "Send the model's files to the cluster, where it does not see them.")
    private boolean ship;

    @Option(names = "--retry-failed", description = "Try pieces again that an earlier run gave up.")
    private boolean retryFailed;

    /** The engine; the caller's to close. */
    PieceEngine open() {
        try {
            return PieceEngine.named(name, master, ship);
        } catch (BadRequest e) {
            throw e.field().isEmpty() ? e : e.of("--" + e.field());
        }
    }

    /** Requests on the engine. */
    Requests on(PieceEngine engine) {
        return new Requests(engine, retryFailed);
    }
}
