package lab.recall.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import lab.recall.base.BadRequest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HubCacheTest {
    @TempDir
    Path dir;

    private HubCache cache(String... environment) {
        Map<String, String> all = new HashMap<>();
        for (int i = 0; i < environment.length; i += 2) {
            all.put(environment[i], environment[i + 1]);
        }
        return new HubCache(all, dir);
    }

    /** A snapshot in the place that is looked at where nothing is set. */
    private Path snapshot(String commit, String... refs) throws IOException {
        Path model = dir.resolve(".cache/huggingface/hub/models--org--name");
        for (String ref : refs) {
            Files.createDirectories(model.resolve("refs").resolve(ref).getParent());
            Files.writeString(model.resolve("refs").resolve(ref), commit + "\n");
        }
        return Files.createDirectories(model.resolve("snapshots").resolve(commit));
    }

    private String refused(String id) {
        return assertThrows(BadRequest.class, () -> cache().snapshot(id)).getMessage();
    }

    @Test
    void placesAreThoseOfTheHubsOwnTools() {
        Path usual = dir.resolve(".cache/huggingface/hub");
        assertEquals(List.of(usual), List.copyOf(cache().places().keySet()));
        assertEquals(List.of(Path.of("/c"), Path.of("/d"), Path.of("/h/hub"), Path.of("/x/huggingface/hub"), usual, Path.of("/t")),
                List.copyOf(cache("TRANSFORMERS_CACHE", "/t", "XDG_CACHE_HOME", "/x", "HF_HOME", "/h", "HUGGINGFACE_HUB_CACHE", "/d",
                        "HF_HUB_CACHE", "/c").places().keySet()));
        assertEquals(Path.of("/u/.cache/huggingface/hub"), cache("HOME", "/u").places().keySet().iterator().next());
        assertEquals(Path.of("/u/hf/hub"), cache("HOME", "/u", "HF_HOME", "~/hf").places().keySet().iterator().next());
        assertEquals(Path.of("/big/hf/hub"), cache("DISK", "/big", "HF_HOME", "${DISK}/hf").places().keySet().iterator().next());
        assertEquals(Path.of("/big/hf/hub"), cache("DISK", "/big", "HF_HOME", "$DISK/hf").places().keySet().iterator().next());
        assertEquals(Path.of("/$NONE/hub"), cache("HF_HOME", "/$NONE").places().keySet().iterator().next());
        assertEquals(List.of(usual), List.copyOf(cache("HF_HOME", "").places().keySet()));
    }

    @Test
    void whatIsNowhereIsRefusedWithAllPlaces() {
        String message = assertThrows(BadRequest.class, () -> cache("HF_HOME", "/h").snapshot("org/name")).getMessage();
        assertTrue(message.contains("/h/hub, by HF_HOME; " + dir.resolve(".cache/huggingface/hub")), message);
        assertTrue(message.endsWith("hf download org/name"), message);
        assertTrue(refused("org/name@step3").endsWith("hf download org/name --revision step3"));
    }

    @Test
    void aModelIsThatOfItsBranchMain() throws IOException {
        snapshot("abc");
        Path main = snapshot("def", "main");
        assertEquals(main, cache().snapshot("org/name"));
        assertEquals(main, cache("HF_HUB_CACHE", dir.resolve("empty").toString()).snapshot("org/name"));
    }

    @Test
    void aRevisionIsABranchATagOrACommit() throws IOException {
        Path old = snapshot("abc", "step3000", "refs/pr/1");
        Path main = snapshot("def", "main");
        assertEquals(old, cache().snapshot("org/name@step3000"));
        assertEquals(old, cache().snapshot("org/name@refs/pr/1"));
        assertEquals(old, cache().snapshot("org/name@abc"));
        assertEquals(main, cache().snapshot("org/name@main"));
        String message = refused("org/name@step4");
        assertTrue(message.contains("'step4'") && message.contains("org/name@main") && message.contains("org/name@refs/pr/1"), message);
    }

    @Test
    void withoutMainARevisionIsAskedFor() throws IOException {
        snapshot("abc", "step3000");
        snapshot("def", "step143000");
        String message = refused("org/name");
        assertTrue(message.endsWith("expected org/name@step143000 or org/name@step3000"), message);
    }

    @Test
    void theOnlySnapshotOfACopyIsTaken() throws IOException {
        Path only = snapshot("abc");
        assertEquals(only, cache().snapshot("org/name"));
        snapshot("def");
        assertTrue(refused("org/name").endsWith("expected org/name@abc or org/name@def"));
    }
}
