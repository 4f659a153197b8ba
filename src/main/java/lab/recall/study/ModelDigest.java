package lab.recall.study;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Map;
import java.util.WeakHashMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import lab.recall.base.AtomicFiles;
import lab.recall.base.Digest;
import lab.recall.base.FileStamp;
import lab.recall.base.Json;
import lab.recall.model.LanguageModel;

/**
 * A digest of a model: of all files that opening it reads, and of weights that were put in the place of theirs since.
 *
 * <p>A large file is read once: its digest is kept in the user's store beside its size, inode and times, and taken from there while these
 * are the same. That of a file younger than two seconds is not kept: it might be written again within the clock's grain.
 */
final class ModelDigest {
    private static final long YOUNG_NANOS = TimeUnit.SECONDS.toNanos(2);
    private static final Map<LanguageModel, String> KNOWN = Collections.synchronizedMap(new WeakHashMap<>());
    private static final Map<String, String> FILES = new ConcurrentHashMap<>();

    private ModelDigest() {
    }

    static String of(LanguageModel model) {
        return KNOWN.computeIfAbsent(model, ModelDigest::compute);
    }

    private static String compute(LanguageModel model) {
        Digest all = new Digest();
        for (Path file : model.files()) {
            all.add(file.getFileName().toString()).add(file(file));
        }
        model.requireUnchanged();           // read just now: these are the files that were opened
        model.replaced().forEach((name, values) -> all.add(name).add(values.get()));
        return all.hex();
    }

    private static String file(Path file) {
        try {
            Path real = file.toRealPath();
            long now = System.currentTimeMillis();
            FileStamp stamp = FileStamp.of(real);
            String name = real + " " + stamp.text();
            String known = FILES.get(name);
            if (known != null) {
                return known;
            }
            String key = new Digest().add("digest of a file").add(real.toString()).hex();
            Store store = Store.user();
            JsonNode kept = store.read(key, JsonNode.class).orElse(null);
            if (kept != null && kept.path("stamp").asText().equals(stamp.text())) {
                return kept.path("digest").asText();
            }
            String digest = new Digest().add(real).hex();
            boolean old = TimeUnit.MILLISECONDS.toNanos(now) - stamp.newest() > YOUNG_NANOS;        // when reading began
            if (old && stamp.equals(FileStamp.of(real))) {
                FILES.put(name, digest);
                store.write(key, Json.MAPPER.createObjectNode().put("stamp", stamp.text()).put("digest", digest));
            }
            return digest;
        } catch (IOException e) {
            throw new UncheckedIOException(file + ": cannot be read (" + AtomicFiles.reason(e) + ")", e);
        }
    }
}
