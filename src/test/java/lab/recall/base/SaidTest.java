package lab.recall.base;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Messages about hostile values: one line, short, nothing that moves a cursor. */
class SaidTest {
    @Test
    void valuesAreCutAndEscaped() {
        assertEquals("x".repeat(80), Said.of("x".repeat(80)));
        assertEquals("x".repeat(80) + " ..", Said.of("x".repeat(3_000_000)));
        assertEquals("x".repeat(79) + " ..", Said.of("x".repeat(79) + "😀x"), "no half of a letter");
        assertEquals("a\\u001b[2J\\n\\t\\r\\u202e\\u2028\\ud800é日😀", Said.of("a\u001b[2J\n\t\r\u202e\u2028\ud800é日😀"));
        assertEquals("\\udb40\\udc01", Said.of("\udb40\udc01"), "a tag without a shape");
        assertEquals("👨\u200d👩", Said.of("👨\u200d👩"), "what joins letters stays");
        assertEquals("null", Said.of(null));
    }

    @Test
    void sentencesOfFailuresAreOneLineAndEnd() {
        for (Failure f : List.of(new BadRequest("a\nb", "x\u001b[2J"), new BadData(Path.of("f\nile"), "pl\race", "x"),
                new Unsolvable("a\n", "b"))) {
            assertTrue(f.getMessage().chars().noneMatch(Character::isISOControl), f.getMessage());
        }
        assertEquals(2003, new BadRequest("", "x".repeat(9999)).getMessage().length());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "{\"a\": \"b\\ud83d\"}|a: 'b\\ud83d' holds half a letter (a surrogate without its other half)",
        "{\"a\": [1, {\"b\": \"\\udc00\"}]}|a[1].b: '\\udc00' holds half a letter (a surrogate without its other half)",
        "{\"a\": 1} {}|not JSON (more than one value)",
        "{\"a\": 1, \"a\": 2}|not JSON (Duplicate field 'a')",
        "version https://git-lfs.github.com/spec/v1|a Git LFS pointer, not the file itself; git lfs pull fetches it, expected JSON",
        "<html>|an HTML page, perhaps of a download that failed, expected JSON",
        "''|not a JSON object",
        "{\"a\": |not JSON (Unexpected end-of-input within/between Object entries)"})
    void whatIsNoJsonIsOneSentence(String text, String sentence) {
        assertEquals("f: " + sentence,
                assertThrows(BadData.class, () -> Json.object(text.getBytes(StandardCharsets.UTF_8), "f")).getMessage());
    }

    @Test
    void wholeLettersAreReadWhateverTheirForm() {
        assertEquals("😀", Json.object("{\"a\": \"\\ud83d\\ude00\"}".getBytes(StandardCharsets.UTF_8), "f").get("a").asText());
        byte[] half = {'{', '"', 'a', '"', ':', '"', (byte) 0xed, (byte) 0xa0, (byte) 0x80, '"', '}'};
        assertEquals("f: not JSON (Invalid UTF-8: Illegal surrogate character 0xd800)",
                assertThrows(BadData.class, () -> Json.object(half, "f")).getMessage());
    }

    @Test
    void valuesBeyondTheMemoryAndDeepOnesAreRefused() {
        assertEquals("f: not JSON (lists or objects nested too deeply)",
                assertThrows(BadData.class, () -> Json.object(("{\"a\":" + "[".repeat(100_000)).getBytes(StandardCharsets.UTF_8), "f"))
                        .getMessage());
        long most = Runtime.getRuntime().maxMemory() / 128;
        byte[] many = ("{\"a\":[1" + ",1".repeat((int) most) + "]}").getBytes(StandardCharsets.UTF_8);
        assertEquals("f: not JSON (more values than there is memory for)",
                assertThrows(BadData.class, () -> Json.object(many, "f")).getMessage());
        assertEquals("f: not JSON (a number or name of too many letters)",
                assertThrows(BadData.class, () -> Json.object(("{\"a\":" + "1".repeat(5000) + "}").getBytes(StandardCharsets.UTF_8), "f"))
                        .getMessage());
    }

    @Test
    void longNamesInsideASentenceAreCut() {
        String name = "n".repeat(100_000);
        String said = assertThrows(BadData.class,
                () -> Json.object(("{\"" + name + "\": 1, \"" + name + "\": 2}").getBytes(StandardCharsets.UTF_8), "f")).getMessage();
        assertTrue(said.length() < 300, said);
    }

    @Test
    void namesThatNoFileCanHaveAreRefused() {
        assertEquals("x", Check.path("save", "x"));
        assertEquals("save: 'a\\u0000b' cannot be the name of a file or folder",
                assertThrows(BadRequest.class, () -> Check.path("save", "a\0b")).getMessage());
        assertEquals("save: empty, expected the name of a file or folder",
                assertThrows(BadRequest.class, () -> Check.path("save", "")).getMessage());
    }
}
