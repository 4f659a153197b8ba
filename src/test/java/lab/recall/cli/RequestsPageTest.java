package lab.recall.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import lab.recall.study.RequestField;
import org.junit.jupiter.api.Test;

class RequestsPageTest {
    /** What is to be done when it fails: {@code environment/recall run --fields} prints the table that the page should end with. */
    @Test
    void thePageEndsWithTheFieldsOfTheRecords() throws IOException {
        String page = Files.readString(Path.of("environment/requests.md"));
        int at = page.indexOf("| experiment | field | meaning |");
        assertTrue(at > 0);
        assertEquals(RequestField.page(), page.substring(at));
    }

    /** What is to be done when it fails: {@code environment/recall sweep --fields} prints the tables that the page should end with. */
    @Test
    void thePageOfSweepsEndsWithTheFieldsOfTheFileAndTheTable() throws IOException {
        String page = Files.readString(Path.of("environment/sweeps.md"));
        int at = page.indexOf("| field | meaning |");
        assertTrue(at > 0);
        Terminal terminal = new Terminal();
        assertEquals(0, terminal.recall("sweep", "--fields"));
        assertEquals(terminal.out(), page.substring(at));
    }
}
