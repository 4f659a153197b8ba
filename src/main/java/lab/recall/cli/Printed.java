package lab.recall.cli;

import java.nio.charset.StandardCharsets;
import lab.recall.base.Json;
import picocli.CommandLine.Model.CommandSpec;

/** What commands print on standard output. */
final class Printed {
    private Printed() {
    }

    /** A value as JSON. */
    static void json(CommandSpec spec, Object value) {
        spec.commandLine().getOut().println(new String(Json.pretty(value), StandardCharsets.UTF_8));
    }
}
