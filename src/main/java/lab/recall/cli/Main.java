package lab.recall.cli;

import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The command {@code recall}. Exit codes: 0 done, 1 an unexpected failure, 2 bad input (one line on stderr), 130 interrupted. */
@Command(name = "recall", mixinStandardHelpOptions = true, version = "RecallLab 0.1.0",
        description = "Shows where a language model keeps a fact, and changes it there.")
public final class Main implements Runnable {
    private static final List<Class<?>> COMMANDS = List.of(ModelsCommand.class, InfoCommand.class, NextCommand.class, RunCommand.class,
            TraceCommand.class, PathBlockingCommand.class, KnockoutCommand.class, EditCommand.class, EditSweepCommand.class,
            LreCommand.class, WorldCommand.class, TrainCommand.class);
    /** The longest that work may take to stop. */
    private static final long PATIENCE_SECONDS = 10;

    @CommandLine.Spec
    private CommandLine.Model.CommandSpec spec;

    @Override
    public void run() {
        spec.commandLine().usage(spec.commandLine().getOut());
    }

    /** Runs a command line and ends the program with its exit code. */
    public static void main(String[] args) {
        Thread work = Thread.currentThread();
        CountDownLatch ended = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(work, ended), "stop"));
        PrintWriter out = new PrintWriter(System.out, true);
        int code = run(out, new PrintWriter(System.err, true), args);
        out.flush();
        ended.countDown();
        System.exit(code);
    }

    /** On Ctrl-C: the work stops after its step, as in a notebook, and keeps what it has. */
    private static void stop(Thread work, CountDownLatch ended) {
        if (ended.getCount() > 0) {
            work.interrupt();
            try {
                ended.await(PATIENCE_SECONDS, TimeUnit.SECONDS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Runs a command line. */
    static int run(PrintWriter out, PrintWriter err, String... args) {
        CommandLine line = new CommandLine(new Main());
        List<Class<?>> named = COMMANDS.stream().filter(c -> args.length > 0 && name(c).equals(args[0])).toList();
        (named.isEmpty() ? COMMANDS : named).forEach(c -> line.addSubcommand(c));       // only the one that is asked for: each takes time
        line.setOut(out);
        line.setErr(err);
        line.setParameterExceptionHandler((e, a) -> {
            err.println(oneLine(e.getMessage()) + " (see " + e.getCommandLine().getCommandSpec().qualifiedName() + " --help)");
            return 2;
        });
        line.setExecutionExceptionHandler((e, l, parsed) -> {
            if (e instanceof CancellationException || Thread.currentThread().isInterrupted()) {       // an interrupt also fails reads and writes
                err.println(e instanceof CancellationException ? oneLine(e.getMessage()) : "interrupted");
                return 130;
            }
            if (e instanceof IllegalArgumentException) {
                err.println(oneLine(e.getMessage()));
                return 2;
            }
            e.printStackTrace(err);
            return 1;
        });
        return line.execute(args);
    }

    private static String name(Class<?> command) {
        return command.getAnnotation(Command.class).name();
    }

    static String oneLine(String message) {
        return String.valueOf(message).replaceAll("\\s*\\R\\s*", " ");
    }
}
