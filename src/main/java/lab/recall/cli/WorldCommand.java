package lab.recall.cli;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import lab.recall.base.BadRequest;
import lab.recall.base.Said;
import lab.recall.facts.EditRequests;
import lab.recall.facts.Fact;
import lab.recall.facts.Relations;
import lab.recall.facts.World;
import lab.recall.view.Show;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(name = "world", mixinStandardHelpOptions = true, description = "Invents a world: relations to be learned, and requests for edits.")
final class WorldCommand implements Callable<Integer> {
    private static final int NEIGHBOURS = 2;

    @Spec
    private CommandSpec spec;

    @Option(names = "--seed", required = true, description = "The same seed gives the same world.")
    private long seed;

    @Option(names = "--names", defaultValue = "grid", paramLabel = "HOW",
            description = "grid: subjects share their words, so that only both name one (default); unique: the first word alone names it.")
    private String names;

    @Option(names = "--edits", defaultValue = "100", description = "Requests for edits at most (default: ${DEFAULT-VALUE}).")
    private int edits;

    @Option(names = "--out", required = true, paramLabel = "DIR",
            description = "Receives a file for each relation, and edits/requests.json.")
    private Path out;

    @Override
    public Integer call() {
        if (!names.equals("grid") && !names.equals("unique")) {
            throw new BadRequest("--names", "'" + Said.of(names) + "', expected grid or unique");
        }
        if (edits < 1) {
            throw new BadRequest("--edits", "" + edits + ", expected a whole number of at least 1");
        }
        if (seed < 0 || seed > Integer.MAX_VALUE) {
            throw new BadRequest("--seed", "" + seed + ", expected a whole number from 0 to " + Integer.MAX_VALUE);
        }
        World world = World.generate(seed, World.Names.valueOf(names.toUpperCase(Locale.ROOT)));
        world.write(out);
        requests(world).write(out.resolve("edits").resolve("requests.json"));
        spec.commandLine().getOut().print(Show.text(world));
        spec.commandLine().getOut().println("written to " + out);
        return 0;
    }

    /** About facts whose object at least two other subjects have: those are the neighbours. */
    private EditRequests requests(World world) {
        Map<List<String>, Long> subjects = world.facts().stream()
                .collect(Collectors.groupingBy(f -> List.of(f.relation(), f.object()), Collectors.counting()));
        List<Fact> facts = world.facts().stream().filter(f -> subjects.get(List.of(f.relation(), f.object())) > NEIGHBOURS).toList();
        return EditRequests.of(Relations.folder(out), facts, edits, seed);
    }
}
