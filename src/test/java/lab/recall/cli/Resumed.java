package lab.recall.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import lab.recall.checkpoint.SafeTensors;
import lab.recall.checkpoint.Tensor;
import lab.recall.base.Progress;

/** Checks that a request which was interrupted goes on where it stopped, on one thread, and gives the numbers of an uninterrupted run. */
final class Resumed {
    private Resumed() {
    }

    /**
     * @param impatient interrupts its thread on the way
     * @param done      stands in the journal then
     * @param left      does not
     * @param arrays    must be the same
     */
    static void givesTheSame(Path dir, String request, Progress impatient, String done, String left, String... arrays) throws IOException {
        Path whole = dir.resolve("whole");
        Path resumed = dir.resolve("resumed");
        new Requests().run(request, whole, Progress.silent()).journal().delete();
        assertThrows(CancellationException.class, () -> new Requests().run(request, resumed, impatient));
        Thread.interrupted();
        List<String> journal = Files.readAllLines(resumed.resolve("journal.jsonl"));
        assertTrue(journal.stream().anyMatch(l -> l.contains(done)) && journal.stream().noneMatch(l -> l.contains(left)), journal.toString());
        assertFalse(Files.exists(resumed.resolve("result.json")));
        new Requests().run(request.replace("}", ",\"threads\":1}"), resumed, Progress.silent());
        List<String> after = Files.readAllLines(resumed.resolve("journal.jsonl"));
        assertEquals(journal, after.subList(0, journal.size()), "what was done is gone on with, whatever the threads");
        Map<String, Tensor> a = SafeTensors.read(whole.resolve("result.safetensors"));
        Map<String, Tensor> b = SafeTensors.read(resumed.resolve("result.safetensors"));
        for (String name : arrays) {
            assertArrayEquals(a.get(name).floats(), b.get(name).floats(), name);
        }
    }
}
