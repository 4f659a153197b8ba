package lab.recall.checkpoint;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Comparator;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import lab.recall.base.AtomicFiles;
import lab.recall.base.BadData;

/**
 * Models that HuggingFace's tools have already fetched; nothing is downloaded.
 *
 * <pre>{@code
 * HubCache.find("state-spaces/mamba-130m-hf")                // Optional of a folder
 * }</pre>
 *
 * Looks in HF_HUB_CACHE, HF_HOME/hub and ~/.cache/huggingface/hub, for the snapshot that refs/main names, or else the newest.
 */
public final class HubCache {
    private HubCache() {
    }

    /**
     * The folder of a model's snapshot.
     *
     * @throws BadData when the cache cannot be read
     */
    public static Optional<Path> find(String id) {
        return find(id, root(System.getenv(), Path.of(System.getProperty("user.home"))));
    }

    static Path root(Map<String, String> env, Path home) {
        if (env.get("HF_HUB_CACHE") != null) {
            return Path.of(env.get("HF_HUB_CACHE"));
        }
        return (env.get("HF_HOME") != null ? Path.of(env.get("HF_HOME")) : home.resolve(".cache").resolve("huggingface")).resolve("hub");
    }

    static Optional<Path> find(String id, Path root) {
        Path model = root.resolve("models--" + id.replace("/", "--"));
        Path main = model.resolve("refs").resolve("main");
        try {
            if (Files.isRegularFile(main)) {
                Path snapshot = model.resolve("snapshots").resolve(Files.readString(main).strip());
                if (Files.isDirectory(snapshot)) {
                    return Optional.of(snapshot);
                }
            }
            if (!Files.isDirectory(model.resolve("snapshots"))) {
                return Optional.empty();
            }
            try (Stream<Path> all = Files.list(model.resolve("snapshots"))) {
                return all.filter(Files::isDirectory).max(Comparator.comparing(HubCache::modified));
            }
        } catch (IOException e) {
            throw new BadData(model, "", "cannot be read (" + AtomicFiles.reason(e) + ")", e);
        }
    }

    private static FileTime modified(Path p) {
        try {
            return Files.getLastModifiedTime(p);
        } catch (IOException e) {
            return FileTime.fromMillis(0);
        }
    }

    /** One sentence on how to get a model. */
    public static String howToFetch(String id) {
        return "fetch it with: hf download " + id;
    }
}
