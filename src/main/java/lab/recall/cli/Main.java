package lab.recall.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import lab.recall.base.Failure;
import lab.recall.base.Interruption;
import lab.recall.base.Said;
import lab.recall.study.Experiment;
import lab.recall.study.PiecesFailed;
import lab.recall.study.Studies;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import sun.misc.Signal;

/**
 * The command {@code recall}. Exit codes: 0 done, 1 some pieces failed (all others are kept), or numbers differ, 2 bad input (one sentence
 * on stderr), 3 our own fault or the machine's (one sentence, and the stack trace in a file that it names), 130 interrupted, 143 ended
 * after the piece at work.
 */
@Command(name = "recall", mixinStandardHelpOptions = true, version = "RecallLab 0.1.0",
        description = "Shows where a language model keeps a fact, and changes it there.")
public final class Main implements Runnable {
    private static final List<Class<?>> COMMANDS = List.of(ModelsCommand.class, InfoCommand.class, NextCommand.class,
            GenerateCommand.class, RunCommand.class, SweepCommand.class, PlanCommand.class, EditCommand.class, WorldCommand.class,
            TrainCommand.class, StoreCommand.class, ParityCommand.class);
    /** The longest that work may take to stop. */
    private static final long PATIENCE_SECONDS = 10;
    static final int FAILED = 1;
    private static final int BAD_INPUT = 2;
    private static final int FAULT = 3;
    private static final int INTERRUPTED = 130;
    private static final int ENDED = 143;
    /** What Java puts in the place of bytes that are no letters of the locale. */
    private static final char LOST = '\ufffd';

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
        Signal.handle(new Signal("TERM"), signal -> end(work));
        PrintWriter out = new PrintWriter(System.out, true);
        PrintWriter err = new PrintWriter(System.err, true);
        int code = FAULT;
        try {
            code = run(out, err, args);
        } catch (Throwable e) {                             // memory or stack at their end
            code = fault(err, e);
        } finally {
            out.flush();
            ended.countDown();
        }
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

    /** When asked to end: after the piece at work; when asked again: at once. */
    private static void end(Thread work) {
        if (Interruption.isAsked()) {
            work.interrupt();
        }
        Interruption.afterPiece();
    }

    /** Runs a command line. */
    static int run(PrintWriter out, PrintWriter err, String... args) {
        if (Arrays.stream(args).anyMatch(a -> a.indexOf(LOST) >= 0) && !System.getProperty("sun.jnu.encoding", "UTF-8").equals("UTF-8")) {
            err.println("letters of the command line were lost, for the locale has none such; set LC_ALL=C.UTF-8");
            return BAD_INPUT;
        }
        CommandLine line = new CommandLine(new Main());
        addCommands(line, args.length > 0 ? args[0] : "");
        line.setOut(out);
        line.setErr(err);
        line.setParameterExceptionHandler((e, a) -> {
            err.println(oneLine(e.getMessage()) + " (see " + e.getCommandLine().getCommandSpec().qualifiedName() + " --help)");
            return BAD_INPUT;
        });
        line.setExecutionExceptionHandler((e, l, parsed) -> {
            if (e instanceof CancellationException && Interruption.isAsked()) {
                err.println(oneLine(e.getMessage()));
                return ENDED;
            }
            // an interrupt also fails reads and writes
            if (e instanceof CancellationException || Thread.currentThread().isInterrupted()) {
                err.println(e instanceof CancellationException ? oneLine(e.getMessage()) : "interrupted");
                return INTERRUPTED;
            }
            if (e instanceof Failure || e instanceof PiecesFailed) {
                return refused(err, "", e);
            }
            return fault(err, e);
        });
        return line.execute(args);
    }

    /** The command of this name alone, for each takes time to be made; all of them where there is none. */
    private static void addCommands(CommandLine line, String name) {
        Optional<Class<?>> named = COMMANDS.stream().filter(c -> name(c).equals(name)).findFirst();
        if (named.isPresent()) {
            line.addSubcommand(new CommandLine(named.get()));
            return;
        }
        List<Experiment<?, ?>> experiments = Studies.all().stream().filter(e -> e.command().isPresent()).toList();
        List<Experiment<?, ?>> asked = experiments.stream().filter(e -> e.command().orElseThrow().equals(name)).toList();
        if (asked.isEmpty()) {
            COMMANDS.forEach(c -> line.addSubcommand(new CommandLine(c)));
        }
        for (Experiment<?, ?> e : asked.isEmpty() ? experiments : asked) {
            line.addSubcommand(e.command().orElseThrow(), ExperimentCommand.of(e));
        }
    }

    /** Says in one sentence of what no answer could be given, and why; gives the exit code of a refusal, or of pieces that failed. */
    static int refused(PrintWriter err, String what, Exception e) {
        err.println(oneLine(what + e.getMessage()));
        return e instanceof Failure ? BAD_INPUT : FAILED;
    }

    /** Says what failed in one sentence, and where the stack trace stands. */
    private static int fault(PrintWriter err, Throwable e) {
        String what = e instanceof OutOfMemoryError ? "out of memory: the heap of " + (Runtime.getRuntime().maxMemory() >> 20)
                + " MB is too small for this" : e instanceof UncheckedIOException && e.getMessage() != null ? oneLine(e.getMessage())
                : "a fault of this program: " + oneLine(e.toString());
        String where = "";
        try {
            Path file = Files.createTempFile("recall-fault-", ".txt");
            StringWriter trace = new StringWriter();
            e.printStackTrace(new PrintWriter(trace));
            Files.writeString(file, trace.toString());
            where = " (stack trace in " + file + ")";
        } catch (IOException unwritable) {
            where = " (its stack trace could not be written)";
        }
        err.println(what + where);
        return FAULT;
    }

    private static String name(Class<?> command) {
        return command.getAnnotation(Command.class).name();
    }

    /** A message in one line, without letters that would move a terminal's cursor. */
    static String oneLine(String message) {
        return Said.sentence(String.valueOf(message).replaceAll("\\s*\\R\\s*", " "));
    }
}
