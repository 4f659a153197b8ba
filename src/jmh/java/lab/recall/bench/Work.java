package lab.recall.bench;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.function.DoubleSupplier;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * A job made ready: what is called, how much that is, and what it is set beside.
 *
 * <pre>{@code
 * Work.of(() -> model.runAll(prompt, Recording.nothing())).rows(rows).flops(flops).torch("forward", "forward", folder, "--tokens", "32")
 * }</pre>
 */
final class Work {
    /** How a call is timed. */
    enum Kind {
        /** Called until it is compiled, then timed. */
        STEADY,
        /** Starts a process of its own each time. */
        PROCESS
    }

    /**
     * What of ours it is timed beside, in turns.
     *
     * @param times how often the call would do what the job does
     * @param added whether the job's time is what it takes longer than this
     */
    record Own(String name, Runnable call, double times, boolean added) {
    }

    /** PyTorch doing the same: the row's name, and the peer's arguments. */
    record Torch(String job, List<String> arguments) {
    }

    /**
     * What other tools are asked, and what is found here: an answer's probabilities by layer and token.
     *
     * @param found asked after the first call
     */
    record Peers(ObjectNode question, Supplier<double[]> found) {
    }

    final Kind kind;
    final Runnable call;
    final List<Own> own = new ArrayList<>();
    final List<Torch> torch = new ArrayList<>();
    LongSupplier rows = () -> 0;
    DoubleSupplier flops = () -> Double.NaN;
    long weightBytes;
    LongSupplier streamed = () -> 0;
    long states;
    Peers peers;

    private Work(Kind kind, Runnable call) {
        this.kind = kind;
        this.call = call;
    }

    static Work of(Runnable call) {
        return new Work(Kind.STEADY, call);
    }

    static Work process(Runnable call) {
        return new Work(Kind.PROCESS, call);
    }

    Work rows(long count) {
        return rows(() -> count);
    }

    /** Token rows through a layer, asked after the first call. */
    Work rows(LongSupplier count) {
        rows = count;
        return this;
    }

    Work flops(double count) {
        return flops(() -> count);
    }

    Work flops(DoubleSupplier count) {
        flops = count;
        return this;
    }

    /** Bytes of the packed weights of the layers and the head. */
    Work weightBytes(long bytes) {
        weightBytes = bytes;
        return this;
    }

    /** Bytes of weights that the call reads, asked after the first call. */
    Work streamed(LongSupplier bytes) {
        streamed = bytes;
        return this;
    }

    /** Steps of a scan: tokens times channels times states. */
    Work states(long count) {
        states = count;
        return this;
    }

    Work beside(String name, Runnable baseline) {
        return beside(new Own(name, baseline, 1, false));
    }

    Work beside(Own baseline) {
        own.add(baseline);
        return this;
    }

    /** The same by other tools. */
    Work peers(Peers others) {
        peers = others;
        return this;
    }

    Work torch(String job, String... arguments) {
        torch.add(new Torch(job, List.of(arguments)));
        return this;
    }
}
