package lab.recall.spark;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import lab.recall.base.AtomicFiles;
import lab.recall.base.BadRequest;
import lab.recall.base.Interruption;
import lab.recall.base.Json;
import lab.recall.base.Said;
import lab.recall.model.LanguageModel;
import lab.recall.study.ModelCard;
import lab.recall.study.PieceEngine;
import lab.recall.study.SentStudy;
import lab.recall.study.Work;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;

/**
 * Computes pieces on Apache Spark, a task each; the driver keeps what arrives.
 *
 * <p>What cannot be sent is computed by the driver: pieces of a model with changed weights, and those of studies that say so. A piece that
 * fails is tried {@value Settings#TRIES} times in all, behind the others; one that cannot be computed anywhere, once.
 */
final class SparkEngine implements PieceEngine {
    private static final int REACH_MILLIS = 5_000;
    private static final Pattern SERVERS = Pattern.compile("spark://([^/]+)");
    private static final Pattern SERVER = Pattern.compile("(.+):(\\d{1,5})");

    private final SparkConf conf;
    private final boolean ships;
    private final Map<String, Shipped> shipped = new HashMap<>();
    private JavaSparkContext context;
    private Path links;

    /** @param ships whether executors get a model's files from here */
    SparkEngine(SparkConf conf, boolean ships) {
        this.conf = conf;
        this.ships = ships;
    }

    /** What is sent of a study, and the pieces that read it: a number and JSON each. */
    private static final class Parcels {
        private final List<Broadcast<byte[]>> sent = new ArrayList<>();
        private final Map<Integer, String> elements = new LinkedHashMap<>();
    }

    @Override
    public <Q, P, R> void compute(Work<Q, P, R> work) {
        Parcels parcels = sendOrCompute(work);
        try {
            Map<Integer, String> again = new LinkedHashMap<>();
            parcels.elements.keySet().forEach(piece -> again.put(piece, ""));
            for (int tries = 0; tries < Settings.TRIES && !again.isEmpty(); tries++) {
                List<Integer> now = List.copyOf(again.keySet());
                again.clear();
                round(work, parcels, now, again);
            }
            again.forEach(work::failed);
        } finally {
            uninterrupted(() -> parcels.sent.stream().filter(b -> !context.sc().isStopped()).forEach(Broadcast::destroy));
        }
    }

    /** Prepares the pieces that can be sent, and computes the others. */
    private <Q, P, R> Parcels sendOrCompute(Work<Q, P, R> work) {
        Parcels parcels = new Parcels();
        Map<Object, Optional<Integer>> kinds = new HashMap<>();
        boolean isChanged = !work.model().replaced().isEmpty();
        for (int piece : work.missing()) {
            P p = work.piece(piece);
            Optional<Integer> number = kinds.computeIfAbsent(work.study().kind(p), kind -> (isChanged ? Optional.<byte[]>empty()
                    : SentStudy.write(work.study(), work.request(), p)).map(bytes -> {
                        parcels.sent.add(context().broadcast(bytes));
                        return parcels.sent.size() - 1;
                    }));
            Interruption.betweenPieces();
            if (number.isPresent()) {
                parcels.elements.put(piece, number.get() + " " + new String(Json.compact(p), StandardCharsets.UTF_8));
            } else {
                work.computeHere(piece);
            }
        }
        return parcels;
    }

    /** Tries pieces once; those that break are told in {@code again}, with the reason. */
    private <Q, P, R> void round(Work<Q, P, R> work, Parcels parcels, List<Integer> pieces, Map<Integer, String> again) {
        Set<Integer> open = new LinkedHashSet<>(pieces);
        String model = new String(Json.compact(sent(work.model())), StandardCharsets.UTF_8);
        while (!open.isEmpty()) {
            List<Integer> now = List.copyOf(open);
            Job job = new Job(context(), now.stream().map(parcels.elements::get).toList(), model, parcels.sent);
            try {
                Optional<Job.Lost> lost = job.run((place, outcome) -> {
                    if (open.remove(now.get(place))) {
                        take(work, now.get(place), outcome, again);
                    }
                });
                lost.ifPresent(l -> {
                    open.remove(now.get(l.place()));
                    work.failed(now.get(l.place()), l.reason());
                });
            } catch (RuntimeException e) {
                job.cancel();
                throw e;
            }
        }
    }

    private static <Q, P, R> void take(Work<Q, P, R> work, int piece, Outcome outcome, Map<Integer, String> again) {
        switch (outcome.kind()) {
            case REFUSED -> throw new BadRequest("", outcome.sentence());
            case UNSOLVABLE -> work.failed(piece, outcome.sentence());
            case BROKEN -> again.put(piece, outcome.sentence());
            case FOUND -> {
                R value;
                try {
                    value = Json.MAPPER.readValue(outcome.value(), work.study().found());
                } catch (IOException e) {
                    again.put(piece, "what the executor gave cannot be read (" + Said.sentence(e.getMessage()) + ")");
                    return;
                }
                if (work.study().fits(work.model(), work.request(), work.piece(piece), value)) {
                    work.found(piece, value);
                } else {
                    again.put(piece, "what the executor gave has another form than asked");
                }
            }
        }
    }

    private Slot.Model sent(LanguageModel model) {
        Path here = model.folder().toAbsolutePath().normalize();
        String models = conf.get(Settings.MODELS, "");
        Path there = models.isBlank() ? here : Path.of(models).resolve(here.getFileName());
        String digest = ModelCard.of(model).digest();
        return new Slot.Model(there.toString(), digest, LanguageModel.arithmetic(),
                ships ? shipped.computeIfAbsent(digest, d -> Shipped.by(context(), model, d, links())) : null);
    }

    private Path links() {
        if (links == null) {
            try {
                links = Files.createTempDirectory("recall-ship-");
            } catch (IOException e) {
                throw new UncheckedIOException("no folder can be made for what is shipped (" + AtomicFiles.reason(e) + ")", e);
            }
        }
        return links;
    }

    /** Begun when it is needed first. */
    private JavaSparkContext context() {
        if (context == null) {
            String master = conf.get("spark.master");
            requireReachable(master);
            try {
                context = new JavaSparkContext(conf);
            } catch (Exception e) {                             // Scala's methods throw checked exceptions unannounced
                requireAlive();
                throw new BadRequest("--master", "'" + Said.of(master) + "', where Spark cannot work (" + Said.sentence(reason(e))
                        + "); expected such as spark://127.0.0.1:7077", e);
            }
        }
        return context;
    }

    private static String reason(Exception e) {
        return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage().lines().findFirst().orElse("");
    }

    /** Spark itself waits a minute for a master that is not there. */
    private static void requireReachable(String master) {
        Matcher servers = SERVERS.matcher(master);
        if (!servers.matches()) {
            return;
        }
        String why = "";
        for (String server : servers.group(1).split(",")) {
            Matcher parts = SERVER.matcher(server);
            if (!parts.matches()) {
                return;                                         // Spark says what is wrong with it
            }
            try (Socket socket = new Socket()) {
                socket.connect(new InetSocketAddress(parts.group(1), Integer.parseInt(parts.group(2))), REACH_MILLIS);
                return;
            } catch (IOException | IllegalArgumentException e) {
                why = e.getMessage();
            }
        }
        throw new BadRequest("--master", "nobody answers at '" + Said.of(master) + "' (" + why
                + "); environment/cluster start begins a cluster on this machine");
    }

    /** Where the process ends, Spark's own shutdown comes before ours: what fails then was interrupted. */
    static void requireAlive() {
        Interruption.betweenPieces();
        Thread probe = new Thread(() -> { });
        try {
            Runtime.getRuntime().addShutdownHook(probe);
            Runtime.getRuntime().removeShutdownHook(probe);
        } catch (IllegalStateException e) {
            throw (CancellationException) new CancellationException("interrupted").initCause(e);
        }
    }

    /** What Spark does at the end would not be done in an interrupted thread. */
    private static void uninterrupted(Runnable last) {
        boolean interrupted = Thread.interrupted();
        last.run();
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        if (context != null) {
            uninterrupted(context::close);
        }
        if (links != null) {
            Shipped.remove(links);
        }
    }
}
