package lab.recall.study;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import lab.recall.base.BadRequest;
import lab.recall.base.Json;
import lab.recall.model.ModelFacts;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ResultFolderTest {
    private static final ObjectNode REQUEST = Json.MAPPER.createObjectNode().put("experiment", "trace").put("share", 0.1);
    private static final ObjectNode OTHER = REQUEST.deepCopy().put("share", 0.2);
    private static final ModelCard CARD = new ModelCard("m", "Mamba", 1, 2, 3, "digest", new ModelFacts("world", true, false, null));

    @TempDir
    Path dir;
    private Path out;

    @BeforeEach
    void name() {
        out = dir.resolve("out");
    }

    record Found(double number, List<NamedArray> arrays) implements Result {
        @Override
        public Map<String, Object> scalars() {
            return Map.of("number", number);
        }
    }

    private static Found found(int arrays) {
        return new Found(1, arrays == 0 ? List.of() : List.of(new NamedArray("a", new long[] {1}, new float[] {1})));
    }

    private void write(ObjectNode request, boolean fresh, int arrays) {
        try (ResultFolder folder = ResultFolder.of(out, request, fresh)) {
            folder.store().write("ab".repeat(32), 1);
            folder.write("trace", CARD, request, 1, found(arrays));
        }
    }

    private Set<String> files() throws IOException {
        try (Stream<Path> all = Files.list(out)) {
            return all.map(f -> f.getFileName().toString()).collect(Collectors.toSet());
        }
    }

    private String refused(ObjectNode request) {
        return assertThrows(BadRequest.class, () -> ResultFolder.of(out, request, false)).getMessage();
    }

    @Test
    void aResultAndItsWork() throws IOException {
        write(REQUEST, false, 1);
        assertEquals(Set.of("result.json", "result.safetensors", "store"), files());
        assertTrue(ResultFolder.answers(REQUEST, out));
        assertEquals("{\"relations\":\"world\",\"invented_world\":true,\"blank_before_stop\":false,\"edits\":{}}",
                Json.object(out.resolve("result.json")).get("model_facts").toString());
        assertFalse(ResultFolder.answers(OTHER, out));
    }

    @Test
    void theSameRequestGoesOn() throws IOException {
        write(REQUEST, false, 1);
        byte[] before = Files.readAllBytes(out.resolve("result.json"));
        try (ResultFolder folder = ResultFolder.of(out, REQUEST, false)) {
            assertEquals(1, folder.store().read("ab".repeat(32), Integer.class).orElseThrow());
        }
        assertEquals(new String(before, StandardCharsets.UTF_8), Files.readString(out.resolve("result.json")));
    }

    @Test
    void anotherRequestIsRefusedAndNothingIsTouched() throws IOException {
        write(REQUEST, false, 1);
        byte[] before = Files.readAllBytes(out.resolve("result.json"));
        assertTrue(refused(OTHER).contains("another request; --fresh begins anew"));
        assertEquals(new String(before, StandardCharsets.UTF_8), Files.readString(out.resolve("result.json")));
        assertEquals(Set.of("result.json", "result.safetensors", "store"), files());
    }

    @Test
    void freshReplacesTheResultAndRemovesItsFiles() throws IOException {
        write(REQUEST, false, 1);
        Files.writeString(out.resolve("notes.txt"), "mine");
        write(OTHER, true, 0);
        assertEquals(Set.of("result.json", "store", "notes.txt"), files());
        assertTrue(ResultFolder.answers(OTHER, out));
    }

    @Test
    void aResultThatCannotBeReadIsRefusedByItsName() throws IOException {
        Files.createDirectories(out);
        for (String hostile : List.of("null", "[]", "{\"files\": 3", "\"x\"", "", "[".repeat(100_000))) {
            Files.writeString(out.resolve("result.json"), hostile);
            assertTrue(refused(REQUEST).contains("result.json in " + out + " cannot be read"), hostile);
            assertEquals(hostile, Files.readString(out.resolve("result.json")));
        }
        write(REQUEST, true, 1);
        assertTrue(ResultFolder.answers(REQUEST, out));
    }

    @Test
    void hostileNamesOfEarlierFilesRemoveNothing() throws IOException {
        Files.writeString(dir.resolve("precious"), "mine");
        Files.createDirectories(out);
        Files.writeString(out.resolve("result.json"),
                "{\"request\": {}, \"files\": [\"../precious\", null, 3, {\"a\": 1}, \"store\", \".\", \"\", \"result.json\"]}");
        write(REQUEST, true, 0);
        assertTrue(Files.exists(dir.resolve("precious")));
        assertEquals(Set.of("result.json", "store"), files());
    }

    @Test
    void anEarlierFormIsSaidToBeOne() throws IOException {
        Files.createDirectories(out);
        Files.writeString(out.resolve("journal.jsonl"), "{}\n");
        assertTrue(refused(REQUEST).contains("earlier form"));
        write(REQUEST, true, 0);
        assertFalse(Files.exists(out.resolve("journal.jsonl")));
    }

    @Test
    void oneWriterAtATime() {
        try (ResultFolder folder = ResultFolder.of(out, REQUEST, false)) {
            assertTrue(refused(REQUEST).contains("another process works in"));
            folder.store().write("ab".repeat(32), 1);
        }
        ResultFolder.of(out, REQUEST, false).close();
    }

    @Test
    void whereNothingWasFoundNothingStays() {
        ResultFolder.of(out, REQUEST, false).close();
        assertFalse(Files.exists(out));
    }

    @Test
    void aKilledProcessLeavesNothing() throws IOException {
        Files.createDirectories(out.resolve(".result.part-999999999"));
        Files.writeString(out.resolve(".result.part-999999999").resolve("a.csv"), "x");
        Files.writeString(out.resolve(".result.json.part-999999999"), "x");
        write(REQUEST, false, 0);
        Path pieces = out.resolve("store").resolve("ab");
        Files.writeString(pieces.resolve("." + "ab".repeat(32) + ".json.part-" + ProcessHandle.current().pid()), "x");
        write(REQUEST, false, 0);
        assertEquals(Set.of("result.json", "store"), files());
        assertEquals(List.of("ab".repeat(32) + ".json"), List.of(pieces.toFile().list()));
    }

    /** Killed before result.json was moved: a.csv is of no result. Killed after it: a.csv was of the earlier one. */
    @Test
    void aChangeOfResultsThatWasKilledIsBroughtToItsEnd() throws IOException {
        write(REQUEST, false, 1);
        Files.writeString(out.resolve("a.csv"), "x");
        Files.writeString(out.resolve("notes.txt"), "mine");
        Files.writeString(out.resolve("store").resolve("changing.json"),
                "{\"files\": [\"a.csv\", \"result.safetensors\", \"result.json\"]}");
        ResultFolder.of(out, REQUEST, false).close();
        assertEquals(Set.of("result.json", "result.safetensors", "store", "notes.txt"), files());
        assertFalse(Files.exists(out.resolve("store").resolve("changing.json")));
    }

    @Test
    void aChangeOfResultsLeavesNoNote() {
        write(REQUEST, false, 1);
        write(REQUEST, false, 0);
        assertEquals(Set.of("ab", "request.json", "writer.lock"), Set.of(out.resolve("store").toFile().list()));
    }

    @Test
    void aFileIsNoFolder() throws IOException {
        Files.writeString(out, "mine");
        assertTrue(refused(REQUEST).contains("is a file, expected a folder"));
    }
}
