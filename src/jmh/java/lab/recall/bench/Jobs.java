package lab.recall.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.IntFunction;

/** All jobs, in the order of the table. */
final class Jobs {
    private final List<Job> jobs = new ArrayList<>();
    private final OptionalInt asked;

    private Jobs(OptionalInt asked) {
        this.asked = asked;
    }

    /**
     * The jobs of the bench.
     *
     * @param threads only jobs of so many threads; without it on one, and those whose second thread is promised on two as well
     */
    static List<Job> all(OptionalInt threads) {
        Jobs all = new Jobs(threads);
        all.oneAndTwo(t -> {
            List<Job> passes = new ArrayList<>();
            for (String dtype : new String[] {" BF16", " F32"}) {
                passes.add(ForwardJobs.pass("mamba-130m" + dtype, 32, t));
                passes.add(ForwardJobs.pass("mamba-130m" + dtype, 128, t));
            }
            passes.add(ForwardJobs.pass("mamba-130m BF16", 512, t));
            passes.add(ForwardJobs.pass("mamba-370m BF16", 32, t));
            for (String name : new String[] {"pythia-160m BF16", "smollm2-135m BF16", "mamba2-130m BF16"}) {
                for (int tokens : new int[] {32, 128, 512}) {
                    passes.add(ForwardJobs.pass(name, tokens, t));
                }
            }
            return passes;
        });
        all.single(KernelJobs.products());
        all.one(t -> List.of(ForwardJobs.batch("mamba-130m BF16", t)));
        all.single(List.of(KernelJobs.scan()));
        all.oneAndTwo(t -> List.of(ForkJobs.grid("grid", "mamba-130m BF16", t)));
        all.oneAndTwo(t -> {
            List<Job> edges = new ArrayList<>(ForkJobs.edges("mamba-130m BF16", t));
            edges.addAll(ForkJobs.edges("pythia-160m BF16", t));
            edges.add(ForkJobs.everyEdge("mamba-130m BF16", t));
            return edges;
        });
        all.one(t -> List.of(GradientJobs.vectors("mamba-130m F32", t), GradientJobs.parameters("mamba-130m F32", t)));
        all.one(t -> List.of(GradientJobs.jacobian("mamba-130m F32", 12, t)));
        all.one(t -> List.of(EditJobs.step("mamba-130m F32", 12, t)));
        all.oneAndTwo(t -> List.of(EditJobs.edit("mamba-130m F32", 12, t)));
        all.oneAndTwo(t -> List.of(GradientJobs.train("tiny-mamba F32", t), GradientJobs.train("tiny-neox F32", t)));
        all.single(List.of(ForwardJobs.next("tiny-mamba F32", "Novux Bridge is located in the city of", 9),
                ForwardJobs.next("mamba-130m BF16", "The Space Needle is in the city of", 9)));
        all.one(t -> {
            List<Job> grids = new ArrayList<>(PeerJobs.grid("tiny-mamba F32", "Novux Bridge is located in the city of",
                    "Lofir Tower is located in the city of", 9, t));
            grids.addAll(PeerJobs.grid("smollm2-135m Q4_1", "The capital city of France is", "The capital city of Japan is", 6, t));
            return grids;
        });
        all.jobs.addAll(List.of(ForkJobs.grid("big", "mamba-2.8b BF16", threads.orElse(2))));
        return all.jobs;
    }

    /** Every kind of job on the small models, in some seconds: what a process has done before it is asked for something else. */
    static List<Job> small() {
        List<Job> jobs = new ArrayList<>(KernelJobs.products());
        jobs.add(KernelJobs.scan());
        for (String name : new String[] {"tiny-mamba F32", "tiny-neox F32"}) {
            for (int tokens : new int[] {32, 128, 512}) {
                jobs.add(ForwardJobs.pass(name, tokens, 2));
            }
            jobs.add(ForwardJobs.batch(name, 2));
            jobs.add(ForkJobs.grid("grid", name, 2));
            jobs.addAll(ForkJobs.edges(name, 2));
            jobs.add(GradientJobs.vectors(name, 2));
            jobs.add(GradientJobs.jacobian(name, 3, 2));
            jobs.add(GradientJobs.train(name, 2));
        }
        jobs.add(EditJobs.step("tiny-mamba F32", 4, 2));
        jobs.add(EditJobs.edit("tiny-mamba F32", 4, 2));
        return jobs;
    }

    private void one(IntFunction<List<Job>> make) {
        jobs.addAll(make.apply(asked.orElse(1)));
    }

    private void oneAndTwo(IntFunction<List<Job>> make) {
        one(make);
        if (asked.isEmpty()) {
            jobs.addAll(make.apply(2));
        }
    }

    /** Jobs whose number of threads is fixed. */
    private void single(List<Job> fixed) {
        fixed.stream().filter(j -> asked.isEmpty() || j.threads() == asked.getAsInt()).forEach(jobs::add);
    }
}
