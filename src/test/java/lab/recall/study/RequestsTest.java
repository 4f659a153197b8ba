package lab.recall.study;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import lab.recall.base.Json;
import lab.recall.base.Progress;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RequestsTest {
    private static ObjectNode request(String text) {
        return Json.object(text.replace('\'', '"').getBytes(StandardCharsets.UTF_8), "the request");
    }

    private static String found(ObjectNode request, int threads) {
        Result result = new Requests().ask(request.deepCopy().put("threads", threads), Progress.silent()).result();
        return Json.tree(result.arrays()).toString();
    }

    /** Threads belong to a request: two side by side in one process, each with its own number of them, give their own numbers. */
    @ParameterizedTest
    @CsvSource({"1, 1", "2, 2", "1, 2", "2, 3"})
    void twoRequestsSideBySideGiveTheirOwnNumbers(int one, int other) throws ExecutionException, InterruptedException {
        List<ObjectNode> requests = List.of(request("{'experiment':'trace','model':'tiny-mamba','pairs':12}"),
                request("{'experiment':'knockout','model':'tiny-neox','form':'edges','facts':12}"));
        List<String> alone = List.of(found(requests.get(0), 1), found(requests.get(1), 1));
        ExecutorService both = Executors.newFixedThreadPool(2);
        try {
            List<Callable<String>> calls = List.of(() -> found(requests.get(0), one), () -> found(requests.get(1), other));
            List<Future<String>> found = both.invokeAll(calls);
            assertEquals(alone.get(0), found.get(0).get());
            assertEquals(alone.get(1), found.get(1).get());
        } finally {
            both.shutdownNow();
        }
    }
}
