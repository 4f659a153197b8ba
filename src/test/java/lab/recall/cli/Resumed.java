package lab.recall.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.CancellationException;
import lab.recall.base.Json;
import lab.recall.base.Progress;
import lab.recall.checkpoint.SafeTensors;
import lab.recall.checkpoint.Tensor;
import lab.recall.study.Requests;

/** Checks that a request which was interrupted goes on where it stopped, on one thread, and gives the numbers of an uninterrupted run. */
final class Resumed {
    private Resumed() {
    }

    /**
     * @param impatient interrupts its thread on the way
     * @param arrays    must be the same
     */
    static void givesTheSame(Path dir, String request, Progress impatient, String... arrays) throws IOException {
        Path whole = dir.resolve("whole");
        Path resumed = dir.resolve("resumed");
        ObjectNode asked = Json.object(request.getBytes(StandardCharsets.UTF_8), "the request");
        new Requests().run(asked, whole, false, Progress.silent());
        assertThrows(CancellationException.class, () -> new Requests().run(asked, resumed, false, impatient));
        Thread.interrupted();
        assertFalse(Files.exists(resumed.resolve("result.json")));
        int taken = new Requests().run(asked.deepCopy().put("threads", 1), resumed, false, Progress.silent()).taken();
        assertTrue(taken > 0, "what was done is gone on with, whatever the threads");
        Map<String, Tensor> a = SafeTensors.read(whole.resolve("result.safetensors"));
        Map<String, Tensor> b = SafeTensors.read(resumed.resolve("result.safetensors"));
        for (String name : arrays) {
            assertArrayEquals(a.get(name).floats(), b.get(name).floats(), name);
        }
    }
}
