package lab.recall.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import lab.recall.base.BadData;
import lab.recall.base.InputFiles;
import lab.recall.base.Json;

/**
 * The tokenizer in a model's folder, in any of the forms that are known here.
 *
 * <pre>{@code
 * TokenizerFiles t = TokenizerFiles.in(folder);
 * t.file()                                                   // tokenizer.json, to be read as it is ..
 * t.made()                                                   // .. or what stands in its place
 * }</pre>
 *
 * That is tokenizer.json, or GPT-2's vocab.json and merges.txt; tokenizer_config.json beside them says whether a token begins or ends
 * every text (add_bos_token, add_eos_token) and whether a blank goes before it (add_prefix_space).
 *
 * @param file     that holds the vocabulary; none where nothing here reads one
 * @param made     a tokenizer.json that stands in its place; none where it is read as it is
 * @param isSaid   whether the folder names a tokenizer, be it one that nothing here reads
 * @param warnings what is doubtful; each one sentence
 */
public record TokenizerFiles(Optional<Path> file, Optional<byte[]> made, boolean isSaid, List<String> warnings) {
    private static final String WHOLE = "tokenizer.json";
    private static final String CONFIG = "tokenizer_config.json";
    private static final String VOCABULARY = "vocab.json";
    private static final String MERGES = "merges.txt";
    /** What is read, as far as it is there. */
    private static final List<String> NAMES = List.of(WHOLE, CONFIG, "special_tokens_map.json", "added_tokens.json", VOCABULARY, MERGES);
    /** Vocabularies that nothing here reads. */
    private static final List<String> OTHERS = List.of("tokenizer.model", "spiece.model", "sentencepiece.bpe.model", "vocab.txt",
            "tokenizer.model.v3", "tekken.json", "vocab.bpe", "encoder.json", VOCABULARY, MERGES);
    private static final String GPT2 = "GPT2Tokenizer";
    private static final String NEOX = "GPTNeoXTokenizer";
    private static final String END_OF_TEXT = "<|endoftext|>";

    /**
     * That of a folder.
     *
     * @throws BadData when a file is not what it should be, or they contradict each other
     */
    public static TokenizerFiles in(Path folder) {
        return new Reader(folder).read();
    }

    /** The files that a folder's tokenizer is made from. */
    public static List<Path> files(Path folder) {
        List<String> names = Files.exists(folder.resolve(WHOLE)) ? NAMES.subList(0, NAMES.indexOf("added_tokens.json")) : NAMES;
        return names.stream().map(folder::resolve).filter(Files::exists).toList();
    }

    /** Whether there is a vocabulary among such files. */
    public static boolean hold(List<Path> files) {
        return files.stream().map(f -> f.getFileName().toString()).anyMatch(f -> f.equals(WHOLE) || f.equals(VOCABULARY));
    }

    /** Reads a folder's. */
    private static final class Reader {
        private final Path folder;
        private final JsonNode config;
        private final String kind;

        Reader(Path folder) {
            this.folder = folder;
            this.config = optional(CONFIG);
            this.kind = config.path("tokenizer_class").asText("").replaceFirst("Fast$", "");
        }

        private JsonNode optional(String name) {
            Path file = folder.resolve(name);
            return Files.exists(file) ? Json.pythonObject(file) : MissingNode.getInstance();
        }

        private BadData bad(String name, String why) {
            return new BadData(folder.resolve(name), why);
        }

        TokenizerFiles read() {
            Path whole = folder.resolve(WHOLE);
            if (Files.exists(whole)) {
                if (!config.has("add_bos_token") && !config.has("add_eos_token") && !config.has("add_prefix_space")) {
                    return new TokenizerFiles(Optional.of(whole), Optional.empty(), true, List.of());
                }
                ObjectNode json = Json.object(whole);
                List<String> warnings = new ArrayList<>();
                boolean changed = space(json) | ends(json, warnings);
                return new TokenizerFiles(Optional.of(whole), changed ? Optional.of(Json.compact(json)) : Optional.empty(), true, warnings);
            }
            if (Files.exists(folder.resolve(VOCABULARY)) && Files.exists(folder.resolve(MERGES))
                    && Set.of("", GPT2, NEOX).contains(kind)) {
                List<String> warnings = new ArrayList<>();
                ObjectNode json = pairs();
                space(json);
                ends(json, warnings);
                return new TokenizerFiles(Optional.of(folder.resolve(VOCABULARY)), Optional.of(Json.compact(json)), true, warnings);
            }
            Optional<String> other = OTHERS.stream().filter(name -> Files.exists(folder.resolve(name))).findFirst();
            boolean isSaid = other.isPresent() || !Set.of("", NEOX).contains(kind);
            return new TokenizerFiles(Optional.empty(), Optional.empty(), isSaid, !isSaid ? List.of() : List.of(folder.getFileName()
                    + " has no tokenizer.json, and the tokenizer of " + other.orElse(CONFIG) + (kind.isEmpty() ? "" : " (" + kind + ")")
                    + " is not read here; the model works by token ids"));
        }

        /** What vocab.json and merges.txt say, in one file. */
        private ObjectNode pairs() {
            Map<String, Integer> vocabulary = new LinkedHashMap<>();
            Map<Integer, String> tokens = new HashMap<>();
            Json.object(folder.resolve(VOCABULARY)).properties().forEach(e -> {
                int id = id(VOCABULARY, e.getKey(), e.getValue());
                if (tokens.putIfAbsent(id, e.getKey()) != null) {
                    throw bad(VOCABULARY, "has the id " + id + " twice, for " + GgufFile.shown(tokens.get(id)) + " and "
                            + GgufFile.shown(e.getKey()));
                }
                vocabulary.put(e.getKey(), id);
            });
            List<String> merges = new String(InputFiles.bytes(folder.resolve(MERGES)), StandardCharsets.UTF_8).lines()
                    .filter(l -> !l.isEmpty() && !l.startsWith("#version")).toList();
            ObjectNode json = TokenizerJson.empty();
            Map<String, Boolean> added = new LinkedHashMap<>();
            optional("added_tokens.json").properties().forEach(e -> {
                vocabulary.putIfAbsent(e.getKey(), id("added_tokens.json", e.getKey(), e.getValue()));
                added.put(e.getKey(), false);
            });
            config.path("added_tokens_decoder").properties().forEach(e -> {
                if (!e.getKey().matches("\\d{1,9}") || !e.getValue().path("content").isTextual()) {
                    throw bad(CONFIG, "has the added token " + e.getKey() + " = " + e.getValue() + ", expected an id and its content");
                }
                String token = e.getValue().get("content").asText();
                Integer other = vocabulary.putIfAbsent(token, Integer.valueOf(e.getKey()));
                if (other != null && other != Integer.parseInt(e.getKey())) {
                    throw bad(CONFIG, "gives " + GgufFile.shown(token) + " the id " + e.getKey() + ", " + VOCABULARY + " the id " + other);
                }
                added.put(token, e.getValue().path("special").asBoolean());
            });
            for (String task : new String[] {"bos", "eos", "unk", "pad", "sep", "cls", "mask"}) {
                special(task).filter(vocabulary::containsKey).ifPresent(token -> added.put(token, true));
            }
            if (kind.equals(NEOX)) {
                json.putObject("normalizer").put("type", "NFC");
            } else {
                json.putNull("normalizer");
            }
            json.set("pre_tokenizer", TokenizerJson.bytes(true));
            json.set("post_processor", TokenizerJson.bytes(true));
            json.set("decoder", TokenizerJson.bytes(true));
            json.set("model", TokenizerJson.pairs(vocabulary, merges, false, why -> bad(MERGES, why)));
            added.forEach((token, isSpecial) -> TokenizerJson.add(json, vocabulary.get(token), token, isSpecial));
            return json;
        }

        private int id(String file, String token, JsonNode id) {
            if (!id.canConvertToInt() || !id.isIntegralNumber() || id.asInt() < 0) {
                throw bad(file, "has " + GgufFile.shown(token) + " = " + id + ", expected an id");
            }
            return id.asInt();
        }

        /** A blank before every text, where the tokenizer's class takes that from its configuration. */
        private boolean space(ObjectNode json) {
            JsonNode said = config.path("add_prefix_space");
            if (json.path("pre_tokenizer") instanceof ObjectNode words && words.path("type").asText().equals("ByteLevel")
                    && said.isBoolean() && Set.of("", GPT2, NEOX).contains(kind) && !said.equals(words.path("add_prefix_space"))) {
                words.put("add_prefix_space", said.asBoolean());
                return true;
            }
            return false;
        }

        /** The tokens that begin and end every text, as tokenizer_config.json wants them; whether anything has been changed. */
        private boolean ends(ObjectNode json, List<String> warnings) {
            JsonNode part = json.path("post_processor");
            boolean isKnown = true;
            JsonNode template = MissingNode.getInstance();
            List<ObjectNode> parts = new ArrayList<>();
            for (JsonNode p : part.has("processors") ? part.path("processors") : part.isObject() ? List.of(part) : List.<JsonNode>of()) {
                String type = p.path("type").asText();
                if (type.equals("TemplateProcessing")) {
                    template = p;
                } else if (type.equals("ByteLevel")) {
                    parts.add((ObjectNode) p);
                } else {
                    isKnown = false;
                }
            }
            List<TokenizerJson.Special> first = new ArrayList<>();
            List<TokenizerJson.Special> last = new ArrayList<>();
            boolean before = true;
            for (JsonNode p : template.path("single")) {
                before &= !p.has("Sequence");
                if (p.has("SpecialToken")) {
                    String token = p.at("/SpecialToken/id").asText();
                    isKnown &= template.at("/special_tokens").path(token).path("ids").size() == 1;
                    (before ? first : last).add(new TokenizerJson.Special(token,
                            template.at("/special_tokens").path(token).path("ids").path(0).asLong()));
                }
            }
            boolean changed = want("bos", 0, first, json) | want("eos", last.size(), last, json);
            if (changed && !isKnown) {
                warnings.add(folder.getFileName() + "/" + CONFIG + " says add_bos_token = " + config.path("add_bos_token")
                        + " and add_eos_token = " + config.path("add_eos_token") + ", " + WHOLE + " does otherwise, by a "
                        + part.path("type").asText() + "; what " + WHOLE + " does is done");
                return false;
            }
            if (changed) {
                parts.add(TokenizerJson.template(first, last));
                json.set("post_processor", TokenizerJson.sequence("processors", parts.toArray(ObjectNode[]::new)));
            }
            return changed;
        }

        /** Puts the token with a task among those that are put in, or takes it away, as is asked for. */
        private boolean want(String task, int at, List<TokenizerJson.Special> there, ObjectNode json) {
            JsonNode said = config.path("add_" + task + "_token");
            if (said.isMissingNode() || said.isNull()) {
                return false;
            }
            if (!said.isBoolean()) {
                throw bad(CONFIG, "has add_" + task + "_token = " + said + ", expected true or false");
            }
            Optional<String> token = special(task);
            boolean has = there.stream().anyMatch(s -> token.equals(Optional.of(s.text())));
            if (has == said.asBoolean()) {
                return false;
            }
            if (has) {
                return there.removeIf(s -> token.equals(Optional.of(s.text())));
            }
            String text = token.orElseThrow(() -> bad(CONFIG, "has add_" + task + "_token = true, but no " + task + "_token"));
            there.add(at, new TokenizerJson.Special(text, idOf(text, task, json)));
            return true;
        }

        private long idOf(String token, String task, ObjectNode json) {
            for (JsonNode added : json.path("added_tokens")) {
                if (added.path("content").asText().equals(token)) {
                    return added.path("id").asLong();
                }
            }
            JsonNode vocabulary = json.path("model").path("vocab");
            if (vocabulary.path(token).isIntegralNumber()) {
                return vocabulary.path(token).asLong();
            }
            if (vocabulary instanceof ArrayNode list) {             // of a unigram model: pairs of token and score
                for (int i = 0; i < list.size(); i++) {
                    if (list.get(i).path(0).asText().equals(token)) {
                        return i;
                    }
                }
            }
            throw bad(CONFIG, "has the " + task + "_token " + GgufFile.shown(token) + ", which is not in the vocabulary");
        }

        /** The token with a task: a text, or an object with its text; GPT-2 has one for all. */
        private Optional<String> special(String task) {
            for (JsonNode from : List.of(config, optional("special_tokens_map.json"))) {
                JsonNode said = from.path(task + "_token");
                if (said.isTextual() || said.path("content").isTextual()) {
                    return Optional.of(said.isTextual() ? said.asText() : said.path("content").asText());
                }
            }
            boolean isGpt2 = Set.of(GPT2, NEOX).contains(kind) || kind.isEmpty() && !Files.exists(folder.resolve(WHOLE));
            return Set.of("bos", "eos", "unk").contains(task) && isGpt2 ? Optional.of(END_OF_TEXT) : Optional.empty();
        }
    }
}
