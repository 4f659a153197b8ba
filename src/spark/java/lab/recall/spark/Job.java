package lab.recall.spark;

import java.io.Serializable;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import lab.recall.base.BadRequest;
import lab.recall.base.Interruption;
import lab.recall.base.Said;
import org.apache.spark.SimpleFutureAction;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import scala.Function0;
import scala.Function1;
import scala.Function2;
import scala.collection.Iterator;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;
import scala.runtime.BoxedUnit;

/** Pieces that Spark computes together, a task each; what they give is handed over in the driver's thread as it arrives. */
final class Job {
    private static final long LOOK_MILLIS = 100;
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(30);
    /** How Spark says which task it gave up. */
    private static final Pattern GIVEN_UP = Pattern.compile("Task (\\d+) in stage \\S+ failed");

    private final JavaSparkContext context;
    private final LinkedBlockingQueue<Map.Entry<Integer, byte[]>> arrived = new LinkedBlockingQueue<>();
    private final SimpleFutureAction<BoxedUnit> action;

    /**
     * A task that Spark gave up since its executors were lost.
     *
     * @param place among the tasks
     */
    record Lost(int place, String reason) {
    }

    /** Begins with some elements, as {@link Slot} takes them. */
    Job(JavaSparkContext context, List<String> elements, String model, List<Broadcast<byte[]>> sent) {
        this.context = context;
        JavaRDD<byte[]> all = context.parallelize(elements, elements.size()).map(element -> Slot.compute(element, model, sent));
        Function1<Iterator<byte[]>, byte[]> only = (Function1<Iterator<byte[]>, byte[]> & Serializable) Iterator::next;
        Seq<Object> places = CollectionConverters.asScala(IntStream.range(0, elements.size()).<Object>mapToObj(i -> i).toList()).toSeq();
        Function2<Object, byte[], BoxedUnit> handler = (place, bytes) -> {
            arrived.add(Map.entry((Integer) place, bytes));     // in a thread of Spark's, which must not wait
            return BoxedUnit.UNIT;
        };
        Function0<BoxedUnit> nothing = () -> BoxedUnit.UNIT;
        this.action = context.sc().submitJob(all.rdd(), only, places, handler, nothing);
    }

    /**
     * Hands over all that arrives, until the job ends.
     *
     * @param told the place of an element, and what became of it
     * @return the task for which Spark ended the job, if it did
     * @throws java.util.concurrent.CancellationException when this thread is interrupted, or the process asked to end
     * @throws BadRequest when the cluster has left us
     */
    Optional<Lost> run(BiConsumer<Integer, Outcome> told) {
        long begun = System.nanoTime();
        boolean waited = false;
        while (true) {
            Map.Entry<Integer, byte[]> next;
            try {
                boolean last = action.isCompleted();            // asked before: what came by then is in the queue
                next = arrived.poll(last ? 0 : LOOK_MILLIS, TimeUnit.MILLISECONDS);
                if (next == null && last) {
                    return ended();
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                next = null;
            }
            if (next != null) {
                told.accept(next.getKey(), Outcome.read(next.getValue()));
                waited = true;
            }
            if (Interruption.isAsked() || Thread.currentThread().isInterrupted()) {
                leave(told);
                Interruption.betweenPieces();
            }
            if (!waited && System.nanoTime() - begun > PATIENCE_NANOS) {
                waited = true;
                if (context.statusTracker().getExecutorInfos().length < 2) {
                    System.err.println("waiting for " + context.master() + ": no executor has begun there yet");
                }
            }
        }
    }

    /** Ends the job, and hands over what has arrived. */
    private void leave(BiConsumer<Integer, Outcome> told) {
        action.cancel();
        for (Map.Entry<Integer, byte[]> e = arrived.poll(); e != null; e = arrived.poll()) {
            told.accept(e.getKey(), Outcome.read(e.getValue()));
        }
    }

    /** Ends it without more ado. */
    void cancel() {
        action.cancel();
    }

    private Optional<Lost> ended() {
        var result = action.value().get();
        if (result.isSuccess()) {
            return Optional.empty();
        }
        String why = String.valueOf(result.failed().get().getMessage());
        Matcher task = GIVEN_UP.matcher(why);
        if (task.find()) {
            return Optional.of(new Lost(Integer.parseInt(task.group(1)), Said.sentence(why.lines().findFirst().orElse(""))));
        }
        SparkEngine.requireAlive();
        if (context.sc().isStopped()) {
            throw new BadRequest("--master", context.master() + " has ended this application, or its executors do not start (see the"
                    + " logs of its workers); what was found is kept, and the same command goes on");
        }
        throw new IllegalStateException("Spark ended the job: " + Said.sentence(why));
    }
}
