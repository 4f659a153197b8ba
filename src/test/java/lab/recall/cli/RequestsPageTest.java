package lab.recall.cli;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class RequestsPageTest {
    @Test
    void thePageNamesEveryExperimentAndField() throws IOException {
        String page = Files.readString(Path.of("environment/requests.md"));
        Requests.EXPERIMENTS.forEach((name, experiment) -> {
            int at = page.indexOf("| `" + name + "` |");
            assertTrue(at >= 0, name);
            int next = page.indexOf("\n| `", at);
            String part = page.substring(at, next < 0 ? page.length() : next);
            experiment.fields().forEach(field -> assertTrue(part.contains("`" + field + "`"), () -> name + ": " + field));
        });
    }
}
