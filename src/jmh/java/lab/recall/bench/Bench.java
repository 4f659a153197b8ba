package lab.recall.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Times whole jobs on checkpoints of real shapes with random weights, beside PyTorch on the same files, or beside another revision of this
 * project. Jobs run in processes of their own ({@link Worker}); this one keeps clear of them, measures the peak beside each, and reports.
 * Called by {@code environment/bench}.
 */
final class Bench {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String OWN = "own";
    private static final String AFTER = "after others";
    /** What is done only when asked for by name. */
    private static final Set<String> BY_NAME = Set.of("big", "peers");

    private final Machine machine = new Machine();
    private final Report report;
    private final Peer peer;
    private final Rivals rivals;
    private final WorkerProcess.Factory ours;

    private Bench(Report report, Peer peer, Rivals rivals, WorkerProcess.Factory ours) {
        this.report = report;
        this.peer = peer;
        this.rivals = rivals;
        this.ours = ours;
    }

    /** Arguments of the form key=value, all of them: see the script. */
    public static void main(String[] args) throws InterruptedException {
        Map<String, String> given = new HashMap<>();
        for (String a : args) {
            given.put(a.substring(0, a.indexOf('=')), a.substring(a.indexOf('=') + 1));
        }
        try {
            run(given);
        } catch (IOException e) {
            System.err.println(e.getMessage());
            System.exit(1);
        }
    }

    private static void run(Map<String, String> given) throws IOException, InterruptedException {
        String threads = given.get("threads");
        List<String> only = given.get("only").isEmpty() ? List.of() : List.of(given.get("only").split(","));
        List<Job> jobs = Jobs.all(threads.isEmpty() ? OptionalInt.empty() : OptionalInt.of(Integer.parseInt(threads))).stream()
                .filter(j -> only.isEmpty() ? !BY_NAME.contains(j.group()) : only.contains(j.group())).toList();
        if (jobs.isEmpty()) {
            System.err.println("--threads: no job of " + String.join(", ", only) + " runs on " + threads);
            System.exit(2);
        }
        String model = given.get("model");
        String known = jobs.stream().map(j -> Models.shape(j.model())).distinct().collect(Collectors.joining(", "));
        jobs = jobs.stream().filter(j -> model.isEmpty() || Models.shape(j.model()).equals(model)).toList();
        if (jobs.isEmpty()) {
            System.err.println("--model: no job is on '" + model + "', they are on " + known);
            System.exit(2);
        }
        Path log = Path.of(given.get("log"));
        WorkerProcess.Factory ours = factory(given, "ours", log);
        Peer peer = new Peer(given.get("python"), given.get("script"), log);
        Map<String, Object> always = new LinkedHashMap<>();
        always.put("processor", Machine.processor());
        always.put("java", System.getProperty("java.version"));
        always.put("lanes", Machine.lanes());
        Bench bench = new Bench(new Report(given.get("json"), always), peer,
                new Rivals(given.get("peers_python"), given.get("peers_script"), log), ours);
        bench.machine.measure(2);
        System.out.printf(Locale.ROOT, "%s, Java %s, %d lanes; FMA peak of one thread %.0f, of two at once %.0f GFLOP/s%n",
                always.get("processor"), always.get("java"), Machine.lanes(), bench.machine.peak(1), bench.machine.peak(2));
        if (peer.isHere()) {
            JsonNode v = peer.version(jobs.get(0).threads());
            System.out.printf(Locale.ROOT, "PyTorch %s, %s, threads %s, from %s%n", v.path("version").asText(), v.path("blas").asText(),
                    v.path("threads").asText(), given.get("python"));
        }
        if (given.get("theirs").isEmpty()) {
            bench.alone(jobs);
        } else {
            bench.inTurns(jobs, Integer.parseInt(given.get("rounds")), factory(given, "theirs", log), given.get("revision"));
        }
        bench.report.print();
    }

    private static WorkerProcess.Factory factory(Map<String, String> given, String which, Path log) {
        return new WorkerProcess.Factory(given.get("java"), Path.of(given.get(which)), log, given.get("folder"), given.get("threads"));
    }

    /** Each job in a process of its own, PyTorch after it; then all in one process that has done them all. */
    private void alone(List<Job> jobs) throws IOException, InterruptedException {
        Map<Job, Map<String, Double>> torch = new HashMap<>();
        for (Job j : jobs) {
            try (WorkerProcess worker = ours.start()) {
                JsonNode answer = measured(worker, j);
                Map<String, Double> seconds = new HashMap<>();
                for (JsonNode t : answer.path("torch")) {
                    List<String> arguments = new ArrayList<>();
                    t.path("arguments").forEach(a -> arguments.add(a.asText()));
                    seconds.put(t.path("job").asText(), peer.seconds(arguments));
                }
                torch.put(j, seconds);
                rows(j, OWN, answer, seconds);
            }
        }
        List<Job> steady = jobs.stream().filter(j -> !j.group().equals("next") && !BY_NAME.contains(j.group())).toList();
        if (steady.isEmpty()) {
            return;
        }
        try (WorkerProcess worker = ours.start()) {
            worker.ask("small");
            for (Job j : steady) {
                worker.ask("run " + j.id());
            }
            for (Job j : steady) {
                rows(j, AFTER, measured(worker, j), torch.get(j));
            }
        }
    }

    private JsonNode measured(WorkerProcess worker, Job j) throws IOException {
        machine.forget();
        machine.measure(j.threads());
        JsonNode answer = worker.ask("time " + j.id());
        machine.measure(j.threads());
        return answer;
    }

    private void rows(Job j, String process, JsonNode answer, Map<String, Double> torch) throws IOException, InterruptedException {
        double seconds = answer.path("seconds").asDouble();
        if (answer.has("question")) {
            rivalRows(j, process, seconds, answer);
            return;
        }
        JsonNode version = peer.isHere() ? peer.version(j.threads()) : null;
        for (JsonNode own : answer.path("own")) {
            report.add(j, j.name(), process, seconds, answer, machine,
                    new Report.Baseline(own.path("baseline").asText(), own.path("seconds").asDouble()), version);
        }
        for (JsonNode t : answer.path("torch")) {
            String job = t.path("job").asText();
            report.add(j, job, process, seconds, answer, machine, new Report.Baseline("PyTorch", torch.get(job)), version);
        }
        if (answer.path("own").isEmpty() && answer.path("torch").isEmpty()) {
            report.add(j, j.name(), process, seconds, answer, machine, new Report.Baseline(null, Double.NaN), version);
        }
        if (process.equals(OWN) && answer.has("first")) {
            report.add(j, first(j), process, answer.path("first").asDouble(), answer, machine, new Report.Baseline("later calls", seconds),
                    version);
        }
    }

    /** Of a cold process beside the other tools' first grids, which they make one cell after the other; of a steady one beside all ways. */
    private void rivalRows(Job j, String process, double seconds, JsonNode answer) throws IOException, InterruptedException {
        double[] grid = JSON.convertValue(answer.path("grid"), double[].class);
        List<Rivals.Answer> all = rivals.ask(answer.path("question"));
        if (all.isEmpty()) {
            report.add(j, j.name(), process, seconds, answer, machine, new Report.Baseline(null, Double.NaN), null);
        }
        for (Rivals.Answer a : all) {
            if (answer.has("first")) {
                for (Map.Entry<String, Double> way : a.seconds().entrySet()) {
                    report.add(j, j.name() + ", " + way.getKey(), process, seconds, answer, machine,
                            new Report.Baseline(a.name(), way.getValue(), difference(grid, a.grids().get(way.getKey()))), a.tool());
                }
            } else {
                report.add(j, j.name(), process, seconds, answer, machine, new Report.Baseline(a.name(), a.first()), a.tool());
            }
        }
    }

    private static double difference(double[] ours, double[] theirs) {
        if (ours.length != theirs.length) {
            throw new IllegalStateException(theirs.length + " cells, expected " + ours.length);
        }
        return IntStream.range(0, ours.length).mapToDouble(i -> Math.abs(ours[i] - theirs[i])).max().orElseThrow();
    }

    private static String first(Job j) {
        return j.name() + ", first call";
    }

    /** Ours, theirs, ours, theirs and so on, each in a process of its own. Rows have the medians; the spread of each side is said. */
    private void inTurns(List<Job> jobs, int rounds, WorkerProcess.Factory theirs, String revision) throws IOException {
        for (Job j : jobs) {
            Tries mine = new Tries(rounds);
            Tries others = new Tries(rounds);
            machine.forget();
            for (int i = 0; i < rounds; i++) {
                machine.measure(j.threads());
                mine.add(ours, j);
                machine.measure(j.threads());
                others.add(theirs, j);
            }
            row(j, j.name(), mine.steady, others.steady, mine.answer, revision);
            if (mine.answer.has("first")) {
                row(j, first(j), mine.first, others.first, mine.answer, revision);
            }
        }
    }

    private void row(Job j, String name, double[] ours, double[] theirs, JsonNode answer, String revision) throws IOException {
        report.add(j, name, OWN, Spread.median(ours), answer, machine,
                new Report.Baseline(revision, Spread.median(theirs), Spread.of(theirs), Spread.of(ours), Double.NaN), null);
    }

    /** What the processes of one side found. */
    private static final class Tries {
        private final double[] steady;
        private final double[] first;
        private JsonNode answer;
        private int count;

        Tries(int rounds) {
            steady = new double[rounds];
            first = new double[rounds];
        }

        void add(WorkerProcess.Factory which, Job j) throws IOException {
            try (WorkerProcess worker = which.start()) {
                answer = worker.ask("time " + j.id());
                steady[count] = answer.path("seconds").asDouble();
                first[count++] = answer.path("first").asDouble();
            }
        }
    }
}
