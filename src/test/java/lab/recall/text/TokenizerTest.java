package lab.recall.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import lab.recall.base.BadData;
import lab.recall.base.BadRequest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TokenizerTest {
    private final Tokenizer t = Tokenizer.bundled20b();

    @Test
    void everyGoldenIsExact() throws IOException {
        JsonNode goldens;
        try (InputStream in = TokenizerTest.class.getResourceAsStream("/tokenizer_20b_goldens.json")) {
            goldens = new ObjectMapper().readTree(in);
        }
        assertEquals(42, goldens.size(), "goldens");
        for (JsonNode g : goldens) {
            int[] ids = new int[g.get("ids").size()];
            for (int i = 0; i < ids.length; i++) {
                ids[i] = g.get("ids").get(i).asInt();
            }
            assertArrayEquals(ids, t.encode(g.get("text").asText(), true).ids(), g.get("text").asText());
            assertEquals(g.get("decoded").asText(), t.decode(ids));
        }
    }

    private String covered(String template, String subject) {
        Prompt p = new Template(template).fill(t, subject);
        int[] ids = Arrays.copyOfRange(p.ids(), p.subjectStart(), p.subjectEnd());
        return t.decode(ids);
    }

    @Test
    void theSubjectsTokensAreFoundByOffsets() {
        assertEquals(" Space Needle", covered("The {} is located in", "Space Needle"));
        assertEquals("Space Needle", covered("{} is located in", "Space Needle"));
        assertEquals(" Microsoft", covered("By profession, {}'s CEO is", "Microsoft"));
        assertEquals(" Paris", covered("Paris or not, in {}, the", "Paris"), "the one at the template's place");
    }

    @Test
    void aLastTokenThatMergesWithWhatFollowsIsTheSubjects() {
        Prompt p = new Template("The U.S{}").fill(t, ".");
        assertEquals(p.length(), p.subjectEnd());
        Prompt dots = new Template("{}... is").fill(t, "Wait.");
        String covered = t.decode(Arrays.copyOfRange(dots.ids(), dots.subjectStart(), dots.subjectEnd()));
        assertTrue(covered.startsWith("Wait."), covered);
        assertTrue(covered.length() > "Wait.".length(), "the dots are one token with the subject's: " + covered);
    }

    @Test
    void offsetsCountLettersNotBytes() {
        assertEquals(" Kraków", covered("😀 in {} they", "Kraków"));
        assertEquals(" 😀", covered("a {} b", "😀"));
    }

    @Test
    void badInputIsOneSentence(@TempDir Path dir) throws IOException {
        assertThrows(BadRequest.class, () -> Prompt.of(t, ""));
        assertThrows(BadRequest.class, () -> Prompt.ofIds());
        assertThrows(BadRequest.class, () -> new Template("no place"));
        assertThrows(BadRequest.class, () -> new Template("{} and {}"));
        assertThrows(BadRequest.class, () -> new Template("{} is").fill(t, " "));
        assertThrows(BadData.class, () -> Tokenizer.open(dir.resolve("tokenizer.json")));
        Files.writeString(dir.resolve("tokenizer.json"), "{\"model\": 3}");
        String message = assertThrows(BadData.class, () -> Tokenizer.open(dir.resolve("tokenizer.json"))).getMessage();
        assertTrue(message.contains("tokenizer.json") && !message.contains("\n"), message);
    }
}
