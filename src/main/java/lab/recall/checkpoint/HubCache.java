package lab.recall.checkpoint;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import lab.recall.base.AtomicFiles;
import lab.recall.base.BadData;
import lab.recall.base.BadRequest;

/**
 * Models that HuggingFace's tools have already fetched; nothing is downloaded.
 *
 * <pre>{@code
 * HubCache.find("state-spaces/mamba-130m-hf")                // the folder of the snapshot that its branch main names
 * HubCache.find("EleutherAI/pythia-160m@step3000")           // of another branch, a tag or a commit
 * }</pre>
 *
 * Looks in HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE, HF_HOME/hub, XDG_CACHE_HOME/huggingface/hub and ~/.cache/huggingface/hub, as far as they
 * are set; in TRANSFORMERS_CACHE, of older tools, at last.
 */
public final class HubCache {
    private static final Pattern VARIABLE = Pattern.compile("\\$(?:(\\w+)|\\{([^}]*)})");
    private static final String MAIN = "main";

    private final Map<String, String> environment;
    private final Path home;

    /** @param home where the user's files are if the environment does not say */
    HubCache(Map<String, String> environment, Path home) {
        this.environment = environment;
        this.home = Path.of(environment.getOrDefault("HOME", "").isEmpty() ? home.toString() : environment.get("HOME"));
    }

    /**
     * The folder of a model's snapshot.
     *
     * @param id with {@code @} and a revision, or of the branch main
     * @throws BadRequest when it is in none of the places, or not in this revision
     * @throws BadData    when the cache cannot be read
     */
    public static Path find(String id) {
        return user().snapshot(id);
    }

    /** Whether any revision of a model is there. */
    public static boolean has(String model) {
        return user().holds(model);
    }

    boolean holds(String model) {
        return places().keySet().stream().map(place -> snapshots(place, model)).filter(Files::isDirectory)
                .anyMatch(snapshots -> !revisions(snapshots.getParent()).isEmpty());
    }

    private static HubCache user() {
        return new HubCache(System.getenv(), Path.of(System.getProperty("user.home")));
    }

    private static Path snapshots(Path place, String model) {
        return place.resolve("models--" + model.replace("/", "--")).resolve("snapshots");
    }

    /** The places that are looked at, in their order, by what says them. */
    Map<Path, String> places() {
        Map<Path, String> places = new LinkedHashMap<>();
        add(places, "HF_HUB_CACHE", "");
        add(places, "HUGGINGFACE_HUB_CACHE", "");
        add(places, "HF_HOME", "hub");
        add(places, "XDG_CACHE_HOME", "huggingface/hub");
        places.putIfAbsent(home.resolve(".cache/huggingface/hub"), "");
        add(places, "TRANSFORMERS_CACHE", "");
        return places;
    }

    private void add(Map<Path, String> places, String variable, String below) {
        String said = environment.getOrDefault(variable, "");
        if (!said.isEmpty()) {
            places.putIfAbsent(Path.of(expanded(said)).resolve(below), variable);
        }
    }

    /** With the home folder for ~, and variables' values for their names, as Python writes paths out. */
    private String expanded(String path) {
        String whole = path.equals("~") || path.startsWith("~/") ? home + path.substring(1) : path;
        return VARIABLE.matcher(whole).replaceAll(m -> Matcher.quoteReplacement(
                environment.getOrDefault(m.group(1) == null ? m.group(2) : m.group(1), m.group())));
    }

    Path snapshot(String id) {
        int at = id.indexOf('@');
        String model = at < 0 ? id : id.substring(0, at);
        String revision = at < 0 ? MAIN : id.substring(at + 1);
        Map<Path, String> others = new LinkedHashMap<>();
        for (Path place : places().keySet()) {
            if (Files.isDirectory(snapshots(place, model))) {
                Path folder = snapshots(place, model).getParent();
                Map<String, Path> there = revisions(folder);
                if (there.containsKey(revision)) {
                    return there.get(revision);
                }
                if (at < 0 && there.size() == 1 && !Files.isDirectory(folder.resolve("refs"))) {
                    return there.values().iterator().next();            // a copy of a cache, of one snapshot: there is nothing to choose
                }
                there.forEach((name, snapshot) -> others.putIfAbsent(snapshot, name));
            }
        }
        if (!others.isEmpty()) {
            throw new BadRequest("", "'" + model + "' is in the HuggingFace cache, but not its revision '" + revision + "'; expected "
                    + others.values().stream().map(r -> model + "@" + r).collect(Collectors.joining(" or ")));
        }
        throw new BadRequest("", "'" + id + "' is neither a folder nor in the HuggingFace cache ("
                + places().entrySet().stream().map(p -> p.getKey() + (p.getValue().isEmpty() ? "" : ", by " + p.getValue()))
                .collect(Collectors.joining("; ")) + "); fetch it with: hf download " + model + (at < 0 ? "" : " --revision " + revision));
    }

    /** Snapshots that are there: by their branches and tags first, and all by their commits. */
    private static Map<String, Path> revisions(Path model) {
        Map<String, Path> commits = new TreeMap<>();
        Map<String, Path> named = new TreeMap<>();
        try (Stream<Path> all = Files.list(model.resolve("snapshots"))) {
            all.filter(Files::isDirectory).forEach(s -> commits.put(s.getFileName().toString(), s));
        } catch (IOException e) {
            throw unreadable(model, e);
        }
        Path refs = model.resolve("refs");
        if (Files.isDirectory(refs)) {
            try (Stream<Path> all = Files.walk(refs)) {
                for (Path ref : all.filter(Files::isRegularFile).toList()) {
                    Path snapshot = commits.get(Files.readString(ref).strip());
                    if (snapshot != null) {
                        named.put(refs.relativize(ref).toString().replace('\\', '/'), snapshot);
                    }
                }
            } catch (IOException e) {
                throw unreadable(model, e);
            }
        }
        Map<String, Path> revisions = new LinkedHashMap<>(named);
        commits.forEach(revisions::putIfAbsent);
        return revisions;
    }

    private static BadData unreadable(Path model, IOException e) {
        return new BadData(model, "", "cannot be read (" + AtomicFiles.reason(e) + ")", e);
    }
}
