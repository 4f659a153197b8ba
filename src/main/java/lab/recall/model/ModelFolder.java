package lab.recall.model;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import lab.recall.base.AtomicFiles;
import lab.recall.base.BadData;
import lab.recall.base.BadRequest;
import lab.recall.base.FileStamp;
import lab.recall.base.InputFiles;
import lab.recall.base.Json;
import lab.recall.base.Nearest;
import lab.recall.base.Said;
import lab.recall.checkpoint.Checkpoint;
import lab.recall.checkpoint.GgufCheckpoint;
import lab.recall.checkpoint.GgufFile;
import lab.recall.checkpoint.GgufTokenizer;
import lab.recall.checkpoint.HubCache;
import lab.recall.checkpoint.TokenizerFiles;
import lab.recall.text.DataFolder;
import lab.recall.text.Tokenizer;

/**
 * Where a model's files are.
 *
 * @param name   an embedded model's name, a hub id, or a folder's or GGUF file's last part
 * @param folder with config.json and weights, or with one GGUF file, or that file itself
 * @param stamps of the files that were opened; none before
 * @param facts  that were read then; a published model's before
 */
record ModelFolder(String name, Path folder, Map<Path, FileStamp> stamps, ModelFacts facts) {
    /** An owner and a name, or a name of old; and a branch, tag or commit. */
    private static final Pattern HUB_ID = Pattern.compile("[A-Za-z0-9][\\w.-]*(/[A-Za-z0-9][\\w.-]*)?(@[A-Za-z0-9][\\w./-]*)?");
    /** Vocabulary sizes of checkpoints that use the GPT-NeoX-20B tokenizer: its tokens, and padding of the rows. */
    private static final int FEWEST_20B = 50_277;
    private static final int MOST_20B = 50_688;

    /** An embedded model, an existing folder or GGUF file, or a hub id or fetched model in the cache. */
    static ModelFolder find(String name) {
        if (name.isBlank()) {
            throw new BadRequest("", "the model's name is empty; embedded models are " + String.join(", ", embedded()));
        }
        if (embedded().contains(name)) {
            return new ModelFolder(name, DataFolder.find("models").resolve(name));
        }
        try {
            if (Files.isDirectory(Path.of(name)) || GgufFile.isNamed(Path.of(name))) {
                return of(Path.of(name));
            }
        } catch (InvalidPathException e) {
            throw unknown(name);
        }
        if (HUB_ID.matcher(name).matches() && Fetchable.isMissing(name)) {
            throw new BadRequest("", "'" + name + "' is not in the HuggingFace cache yet; fetch it with: " + Fetchable.command(name));
        }
        if (HUB_ID.matcher(name).matches() && (name.contains("/") || name.contains("@") || HubCache.has(name))) {
            return new ModelFolder(name, HubCache.find(name));
        }
        throw unknown(name);
    }

    private static BadRequest unknown(String name) {
        List<String> known = new ArrayList<>(embedded());
        known.addAll(Fetchable.names());
        return new BadRequest("", "'" + Said.of(name) + "' is no model: expected an embedded one (" + String.join(", ", embedded())
                + "), one that environment/fetch gets (" + String.join(", ", Fetchable.names())
                + "), a folder with config.json, a .gguf file, or a hub id such as state-spaces/mamba-130m-hf"
                + Nearest.question(name, known));
    }

    /** A folder or a GGUF file; {@code .} has the name of the working directory. */
    static ModelFolder of(Path folder) {
        Path last = folder.toAbsolutePath().normalize().getFileName();
        return new ModelFolder(last == null ? folder.toString() : last.toString().replaceAll("(?i)(?<=.)\\.gguf$", ""), folder);
    }

    /** Names of the models that come with the project. */
    static List<String> embedded() {
        try (Stream<Path> folders = Files.list(DataFolder.find("models"))) {
            return folders.filter(f -> Files.exists(f.resolve("config.json"))).map(f -> f.getFileName().toString()).sorted().toList();
        } catch (IOException e) {
            throw new BadData(DataFolder.find("models"), "", "cannot be read (" + AtomicFiles.reason(e) + ")", e);
        }
    }

    /** The GGUF file, where that is what holds the model: named itself, or alone in the folder. */
    Optional<Path> gguf() {
        if (!Files.isDirectory(folder)) {
            return Optional.of(folder).filter(GgufFile::isNamed);
        }
        if (Checkpoint.files(folder).size() > 1) {
            return Optional.empty();            // weights in another form
        }
        try (Stream<Path> files = Files.list(folder)) {
            List<Path> all = files.filter(GgufFile::isNamed).sorted().toList();
            if (all.size() > 1) {
                throw new BadData(folder, "holds " + all.size() + " GGUF files; name one of them, such as " + all.get(0));
            }
            return all.stream().findFirst();
        } catch (IOException e) {
            throw new BadData(folder, "", "cannot be read (" + AtomicFiles.reason(e) + ")", e);
        }
    }

    /** Configuration and weights. */
    Checkpoint checkpoint() {
        return gguf().map(file -> GgufCheckpoint.open(file, Architectures.gguf())).orElseGet(this::ownCheckpoint);
    }

    /** Refuses what no family reads before its weights, which may not even be there. */
    private Checkpoint ownCheckpoint() {
        if (!Files.isDirectory(folder)) {
            throw new BadData(folder, "no such folder");
        }
        String trunk = Architectures.reading(Checkpoint.config(folder), folder).trunk();
        return Checkpoint.open(folder).below(trunk);
    }

    /** The tokenizer.json of a GGUF file that carries a vocabulary. */
    Optional<byte[]> carriedTokenizer() {
        return gguf().flatMap(file -> GgufTokenizer.json(GgufFile.open(file)));
    }

    /**
     * The GGUF file's or the folder's own tokenizer; or, where nothing names another, the bundled one if the vocabulary is that of
     * GPT-NeoX-20B.
     *
     * @param family   whether the model's family uses the bundled one: other vocabularies are of that size too
     * @param config   whose first token is not the bundled one's if it is of another tokenizer
     * @param warnings get what is doubtful
     */
    Optional<Tokenizer> tokenizer(int vocabulary, boolean family, JsonNode config, List<String> warnings) {
        Optional<byte[]> carried = carriedTokenizer();
        if (carried.isPresent()) {
            return Optional.of(Tokenizer.of(Json.object(carried.get(), folder.toString()), folder));
        }
        TokenizerFiles own = TokenizerFiles.in(folder);
        warnings.addAll(own.warnings());
        if (own.file().isPresent()) {
            Path file = own.file().get();
            return Optional.of(own.made().map(json -> Tokenizer.of(Json.object(json, file.toString()), file))
                    .orElseGet(() -> Tokenizer.open(file)));
        }
        boolean is20b = family && !own.isSaid() && vocabulary >= FEWEST_20B && vocabulary <= MOST_20B
                && config.path("bos_token_id").asInt(0) == 0;
        return is20b ? Optional.of(Tokenizer.bundled20b()) : Optional.empty();
    }

    ModelFolder(String name, Path folder) {
        this(name, folder, Map.of(), ModelFacts.PUBLISHED);
    }

    /** The same with its facts, and what tells later whether its files are still those. */
    ModelFolder opened() {
        Map<Path, FileStamp> now = new LinkedHashMap<>();
        for (Path file : files()) {
            stamp(file).ifPresent(s -> now.put(file, s));
        }
        return new ModelFolder(name, folder, Map.copyOf(now), ModelFacts.read(folder));
    }

    private static Optional<FileStamp> stamp(Path file) {
        try {
            return Files.exists(file) ? Optional.of(FileStamp.of(file)) : Optional.empty();
        } catch (IOException e) {
            throw new UncheckedIOException(file + ": cannot be read (" + AtomicFiles.reason(e) + ")", e);
        }
    }

    /** Refuses files that are others than those that were opened: numbers of both would be mixed. */
    void requireUnchanged() {
        stamps.forEach((file, before) -> {
            if (!stamp(file).equals(Optional.of(before))) {
                throw new BadData(file, "has changed since it was opened; open the model again");
            }
        });
    }

    /** What opening reads: config.json and weights or a GGUF file, and what stands beside them. */
    List<Path> files() {
        List<Path> files = new ArrayList<>(gguf().map(List::of).orElseGet(() -> Checkpoint.files(folder)));
        if (Files.exists(folder.resolve(ModelFacts.FILE))) {
            files.add(folder.resolve(ModelFacts.FILE));
        }
        List<Path> tokenizer = TokenizerFiles.files(folder);
        files.addAll(tokenizer);
        boolean carried = gguf().map(GgufFile::open).filter(GgufTokenizer::isIn).isPresent();
        if (!carried && !TokenizerFiles.hold(tokenizer)) {
            files.add(Tokenizer.bundled20bFile());              // which serves instead, where it fits
        }
        return files;
    }

    /** Writes what a model that is saved in a folder needs beside its weights to be asked the same: its own relations and its facts. */
    void writeFacts(Path to) {
        requireOwnRelations(to);
        AtomicFiles.folder(to);
        if (facts.hasOwn()) {
            Path relations = to.resolve(ModelFacts.FOLDER);
            AtomicFiles.folder(relations);
            relations(folder.resolve(ModelFacts.FOLDER)).forEach((file, text) -> {
                if (!Files.exists(relations.resolve(file))) {           // else it holds the same
                    AtomicFiles.write(relations.resolve(file), text);
                }
            });
        }
        facts.write(to);
    }

    /** Refuses the folder of the model itself, whose weights a request would lose, and one with other relations than its own. */
    void requireSavable(Path to) {
        try {
            if (Files.exists(to) && Files.isSameFile(to, folder)) {
                throw new BadData(to, "is the folder of " + name + " itself, which would be replaced; save it to another one");
            }
        } catch (IOException e) {
            throw new BadData(to, "", "cannot be read (" + AtomicFiles.reason(e) + ")", e);
        }
        requireOwnRelations(to);
    }

    /** Refuses a folder with other relations than this model's: a model saved there would be asked about them. */
    private void requireOwnRelations(Path to) {
        Path relations = to.resolve(ModelFacts.FOLDER);
        if (!Files.isDirectory(relations)) {
            return;
        }
        Map<String, byte[]> own = facts.hasOwn() ? relations(folder.resolve(ModelFacts.FOLDER)) : Map.of();
        if (!facts.hasOwn() || !relations(relations).entrySet().stream().allMatch(there ->
                Arrays.equals(there.getValue(), own.get(there.getKey())))) {
            throw new BadData(relations, "holds other relations than those of " + name + "; save it to a folder without them");
        }
    }

    /** Files of relations by name. */
    private static Map<String, byte[]> relations(Path folder) {
        Map<String, byte[]> all = new TreeMap<>();
        try (Stream<Path> files = Files.list(folder)) {
            files.filter(f -> f.toString().endsWith(".json")).forEach(f -> all.put(f.getFileName().toString(), InputFiles.bytes(f)));
            return all;
        } catch (IOException e) {
            throw new BadData(folder, "", "cannot be read (" + AtomicFiles.reason(e) + ")", e);
        }
    }
}
