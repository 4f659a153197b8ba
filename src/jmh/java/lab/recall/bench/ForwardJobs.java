package lab.recall.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import lab.recall.model.LanguageModel;
import lab.recall.model.Recording;
import lab.recall.model.RowBlocks;

/** Plain passes: one prompt, some prompts together, and the command line's whole answer. */
final class ForwardJobs {
    private ForwardJobs() {
    }

    static Job pass(String name, int tokens, int threads) {
        return passes("forward", "forward", name, 1, tokens, threads);
    }

    static Job batch(String name, int threads) {
        return passes("batch", "forward, 16 prompts", name, 16, 32, threads);
    }

    private static Job passes(String group, String job, String name, int prompts, int tokens, int threads) {
        return new Job(group, job, name, prompts * tokens, threads, models -> {
            LanguageModel model = models.open(name);
            List<int[]> all = new ArrayList<>();
            for (int i = 0; i < prompts; i++) {
                all.add(Models.ids(model, tokens, i + 1));
            }
            return Work.of(() -> model.runAll(all, Recording.nothing())).rows((long) prompts * tokens * model.layers())
                    .flops(Models.flops(model, prompts * tokens, prompts)).weightBytes(Models.weightBytes(model, name))
                    .streamed(() -> streamed(model, name, prompts, tokens))
                    .torch(job, "forward", model.folder().toString(), "--tokens", "" + tokens, "--batch", "" + prompts, "--logits", "last",
                            "--threads", "" + threads);
        });
    }

    /** Those of the layers once a block of rows, and the head's. */
    private static long streamed(LanguageModel model, String name, int prompts, int tokens) {
        long head = Models.headBytes(model, name);
        return (Models.weightBytes(model, name) - head) * RowBlocks.ofLayer(model, prompts, tokens) + head * RowBlocks.ofHead(prompts);
    }

    /** From the shell's command to its exit, with as many threads as the machine has. */
    static Job next(String name, String prompt, int promptTokens) {
        return new Job("next", "next, cold process", name, promptTokens, Runtime.getRuntime().availableProcessors(), models -> {
            String model = name.startsWith("tiny-") ? name.substring(0, name.indexOf(' ')) : models.checkpoint(name).toString();
            String recall = recall();
            return Work.process(() -> run(recall, "next", model, prompt));
        });
    }

    /** The command line, built. */
    static String recall() {
        String recall = System.getProperty("recall.home") + "/environment/recall";
        run(recall, "--help");
        return recall;
    }

    static void run(String... command) {
        try {
            Process p = new ProcessBuilder(command).redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .redirectError(ProcessBuilder.Redirect.INHERIT).start();
            if (p.waitFor() != 0) {
                throw new IllegalStateException(String.join(" ", command) + ": exit code " + p.exitValue());
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new CancellationException("interrupted");
        }
    }
}
