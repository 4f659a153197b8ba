package lab.recall.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalInt;
import lab.recall.base.BadRequest;
import lab.recall.math.Parallel;

/**
 * Does jobs in a process of its own. It reads one command a line, {@code time ID}, {@code run ID} or {@code small}, and answers each with
 * one line of JSON. It calls nothing of the library that other jobs do not call, so it can be compiled against another revision.
 */
final class Worker {
    private static final ObjectMapper JSON = new ObjectMapper();
    /** Seconds after which a call is not repeated. Seconds here are the caller's on a core: what others take of it warms nothing up. */
    private static final double LONG = 30;
    private static final double WARM_UP = 3;
    private static final double TIMED = 2.5;
    private static final int PROCESSES = 5;

    private final Models models;
    private final Map<String, Job> jobs = new LinkedHashMap<>();

    private Worker(Models models) {
        this.models = models;
    }

    /** Arguments: folder of the checkpoints, number of threads or "". */
    public static void main(String[] args) throws IOException {
        PrintStream answers = System.out;
        System.setOut(System.err);
        Worker worker = new Worker(new Models(Path.of(args[0])));
        OptionalInt threads = args[1].isEmpty() ? OptionalInt.empty() : OptionalInt.of(Integer.parseInt(args[1]));
        Jobs.all(threads).forEach(j -> worker.jobs.put(j.id(), j));
        BufferedReader commands = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = commands.readLine(); line != null; line = commands.readLine()) {
            ObjectNode answer;
            try {
                answer = worker.answer(line);
            } catch (BadRequest e) {
                answer = JSON.createObjectNode().put("refused", e.getMessage());
            }
            answers.println(JSON.writeValueAsString(answer));
            answers.flush();
        }
    }

    private ObjectNode answer(String line) throws IOException {
        String word = line.split(" ", 2)[0];
        if (word.equals("small")) {
            for (Job j : Jobs.small()) {
                Work work = open(j);
                for (long begin = System.nanoTime(); since(begin) < 0.3; ) {
                    work.call.run();
                }
            }
            return JSON.createObjectNode();
        }
        Work work = open(jobs.get(line.substring(word.length() + 1)));
        if (word.equals("run")) {
            work.call.run();
            return JSON.createObjectNode();
        }
        return time(work);
    }

    private Work open(Job job) throws IOException {
        Parallel.setThreads(job.threads());
        return job.setup().open(models);
    }

    private static ObjectNode time(Work work) throws IOException {
        ObjectNode answer = JSON.createObjectNode();
        double[] best = new double[1 + work.own.size()];
        if (work.kind == Work.Kind.PROCESS) {
            best = round(work);
            for (int i = 1; i < PROCESSES; i++) {
                least(best, round(work));
            }
        } else {
            double begin = onCore();
            answer.put("first", round(work)[0]);
            for (int i = 1; onCore() - begin < LONG && (i < 3 || onCore() - begin < WARM_UP); i++) {
                round(work);
            }
            begin = onCore();
            best = round(work);
            for (int i = 1; i < 3 && onCore() - begin < LONG || onCore() - begin < TIMED; i++) {
                least(best, round(work));
            }
        }
        double seconds = best[0];
        for (int i = 0; i < work.own.size(); i++) {
            Work.Own own = work.own.get(i);
            answer.withArray("own").addObject().put("baseline", own.name()).put("seconds", best[i + 1] * own.times());
            seconds -= own.added() ? best[i + 1] : 0;
        }
        for (Work.Torch t : work.torch) {
            ObjectNode peer = answer.withArray("torch").addObject().put("job", t.job());
            t.arguments().forEach(peer.withArray("arguments")::add);
        }
        if (work.peers != null) {
            answer.set("question", work.peers.question());
            answer.set("grid", JSON.valueToTree(work.peers.found().get()));
        }
        return answer.put("seconds", seconds).put("rows", work.rows.getAsLong()).put("flops", work.flops.getAsDouble())
                .put("weight bytes", work.weightBytes).put("bytes streamed", work.streamed.getAsLong())
                .put("states", work.states).put("memory MB", resident());
    }

    /** Calls the job and what of ours it is timed beside: in turns, so that all see the same machine. */
    private static double[] round(Work work) {
        double[] seconds = new double[1 + work.own.size()];
        for (int i = 0; i < seconds.length; i++) {
            Runnable call = i == 0 ? work.call : work.own.get(i - 1).call();
            long start = System.nanoTime();
            call.run();
            seconds[i] = since(start);
        }
        return seconds;
    }

    private static void least(double[] best, double[] round) {
        for (int i = 0; i < best.length; i++) {
            best[i] = Math.min(best[i], round[i]);
        }
    }

    private static double onCore() {
        return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() / 1e9;
    }

    private static double since(long start) {
        return (System.nanoTime() - start) / 1e9;
    }

    /** The most memory that the process ever had, where the system tells. */
    private static long resident() throws IOException {
        Path status = Path.of("/proc/self/status");
        if (!Files.exists(status)) {
            return 0;
        }
        return Files.readAllLines(status).stream().filter(l -> l.startsWith("VmHWM"))
                .mapToLong(l -> Long.parseLong(l.replaceAll("\\D", "")) / 1024).findFirst().orElse(0);
    }
}
