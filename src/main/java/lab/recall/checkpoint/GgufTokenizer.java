package lab.recall.checkpoint;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import lab.recall.base.BadData;
import lab.recall.base.Json;

/**
 * The tokenizer that a GGUF file carries, as a tokenizer.json.
 *
 * <pre>{@code
 * Optional<byte[]> json = GgufTokenizer.json(GgufFile.open(file));
 * }</pre>
 *
 * Byte-level BPE as GPT-2 has it ({@code tokenizer.ggml.model} gpt2): tokens with their kinds, merges in their order, the name of what cuts
 * a text into words, and whether a token begins or ends every text.
 */
public final class GgufTokenizer {
    private static final String AT = "tokenizer.ggml.";
    private static final int UNKNOWN = 2;
    private static final int CONTROL = 3;
    private static final int USER_DEFINED = 4;
    private static final int UNUSED = 5;
    private static final List<String> SPECIAL = List.of("bos", "eos", "unknown", "padding");
    private static final String LLAMA_3 = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}"
            + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

    /** How a text is cut into words before merging, by the names that llama.cpp gives to it. */
    private enum Cut {
        /** Of GPT-2. */
        GPT2("gpt-2", "phi-2", "jais"),
        /** Of GPT-NeoX-20B, and those made from it: the same on composed letters. */
        NEOX("mpt", "olmo"),
        /** Every digit by itself. */
        DIGITS("starcoder", "refact", "smollm", "codeshell"),
        FALCON("falcon"),
        LLAMA3("llama3", "llama-v3", "llama-bpe");

        private final List<String> names;

        Cut(String... names) {
            this.names = List.of(names);
        }
    }

    private final GgufFile file;
    private final List<String> tokens;
    private final int[] types;
    private final Map<String, Long> special;

    private GgufTokenizer(GgufFile file) {
        this.file = file;
        this.tokens = file.texts(AT + "tokens").orElseThrow(() -> bad("has no list of tokens"));
        Tensor embedding = file.tensors().get("token_embd.weight");
        if (embedding != null && embedding.shape().length == 2 && embedding.shape()[0] < tokens.size()) {
            throw bad("has " + tokens.size() + " tokens, the model only " + embedding.shape()[0]);
        }
        this.special = specialIds(file);
        this.types = types();
    }

    private BadData bad(String reason) {
        return new BadData(file.file(), "the tokenizer " + reason);
    }

    /** The model's kind of tokenizer; empty where the file says that it has none. */
    private static Optional<String> model(GgufFile file) {
        return file.text(AT + "model").filter(m -> !m.equals("no_vocab") && !m.equals("none"));
    }

    /**
     * A tokenizer.json that gives the same tokens; none where the file carries no vocabulary.
     *
     * @throws BadData when it is of a kind that is not known, or contradicts itself
     */
    public static Optional<byte[]> json(GgufFile file) {
        return model(file).map(model -> {
            if (!model.equals("gpt2")) {
                throw new BadData(file.file(), "the tokenizer is of the kind " + GgufFile.shown(model)
                        + "; known is gpt2 (byte-level BPE)");
            }
            return Json.compact(new GgufTokenizer(file).whole());
        });
    }

    /** Whether a file carries a vocabulary. */
    public static boolean isIn(GgufFile file) {
        return model(file).isPresent();
    }

    /** What is not certain of it. */
    static List<String> warnings(GgufFile file) {
        String name = file.text(AT + "pre").orElse("default");
        return !isIn(file) || !name.equals("default") ? List.of() : List.of(file.file().getFileName()
                + " does not say how its tokenizer cuts a text into words (tokenizer.ggml.pre); GPT-2's way is taken");
    }

    /** Ids of tokens with a task, as config.json names them: {@code bos_token_id} and the like. */
    static Map<String, Long> specialIds(GgufFile file) {
        Map<String, Long> ids = new LinkedHashMap<>();
        for (String task : SPECIAL) {
            String name = task.replace("padding", "pad").replace("unknown", "unk") + "_token_id";
            file.whole(AT + task + "_token_id").ifPresent(id -> ids.put(name, id));
        }
        return ids;
    }

    private int[] types() {
        int[] all = new int[tokens.size()];
        Optional<long[]> said = file.wholes(AT + "token_type");
        if (said.isPresent()) {
            if (said.get().length != all.length) {
                throw bad("has " + all.length + " tokens, but " + said.get().length + " types of tokens");
            }
            Arrays.setAll(all, i -> (int) said.get()[i]);
        }
        special.forEach((name, id) -> {
            if (id < 0 || id >= all.length) {
                throw bad("has " + all.length + " tokens, but " + name + " = " + id);
            }
            all[id.intValue()] = CONTROL;
        });
        return all;
    }

    private ObjectNode whole() {
        Cut cut = cut();
        ObjectNode json = Json.MAPPER.createObjectNode();
        json.put("version", "1.0").putNull("truncation").putNull("padding");
        ArrayNode added = json.putArray("added_tokens");
        for (int i = 0; i < types.length; i++) {
            if (types[i] == CONTROL || types[i] == UNKNOWN || types[i] == USER_DEFINED) {
                added.addObject().put("id", i).put("content", tokens.get(i)).put("single_word", false).put("lstrip", false)
                        .put("rstrip", false).put("normalized", false).put("special", types[i] != USER_DEFINED);
            }
        }
        if (cut == Cut.NEOX) {
            json.putObject("normalizer").put("type", "NFC");
        } else {
            json.putNull("normalizer");
        }
        json.set("pre_tokenizer", words(cut));
        json.set("post_processor", ends(cut));
        json.set("decoder", bytes(true));
        json.set("model", merging(cut));
        return json;
    }

    private Cut cut() {
        String name = file.text(AT + "pre").orElse("default");
        return name.equals("default") ? Cut.GPT2 : Arrays.stream(Cut.values()).filter(c -> c.names.contains(name)).findFirst()
                .orElseThrow(() -> bad("cuts texts into words as " + GgufFile.shown(name) + " does (tokenizer.ggml.pre); known are "
                        + Arrays.stream(Cut.values()).flatMap(c -> c.names.stream()).collect(Collectors.joining(", "))));
    }

    private static ObjectNode bytes(boolean words) {
        return Json.MAPPER.createObjectNode().put("type", "ByteLevel").put("add_prefix_space", false).put("trim_offsets", true)
                .put("use_regex", words);
    }

    private static ObjectNode words(Cut cut) {
        return switch (cut) {
            case GPT2, NEOX -> bytes(true);
            case DIGITS -> sequence("pretokenizers", Json.MAPPER.createObjectNode().put("type", "Digits").put("individual_digits", true),
                    bytes(true));
            case FALCON -> sequence("pretokenizers",
                    Json.MAPPER.createObjectNode().put("type", "Punctuation").put("behavior", "Contiguous"), bytes(true),
                    split("[0-9][0-9][0-9]"));
            case LLAMA3 -> sequence("pretokenizers", split(LLAMA_3), bytes(false));
        };
    }

    private static ObjectNode split(String regex) {
        ObjectNode split = Json.MAPPER.createObjectNode().put("type", "Split").put("behavior", "Isolated").put("invert", false);
        split.putObject("pattern").put("Regex", regex);
        return split;
    }

    private static ObjectNode sequence(String name, ObjectNode... parts) {
        ObjectNode all = Json.MAPPER.createObjectNode().put("type", "Sequence");
        all.putArray(name).addAll(List.of(parts));
        return all;
    }

    /** What follows merging: the token that begins every text, and the one that ends it. */
    private ObjectNode ends(Cut cut) {
        boolean begins = file.flag(AT + "add_bos_token").orElse(cut == Cut.LLAMA3);
        boolean ends = file.flag(AT + "add_eos_token").orElse(false);
        if (!begins && !ends) {
            return bytes(true);
        }
        ObjectNode template = Json.MAPPER.createObjectNode().put("type", "TemplateProcessing");
        ArrayNode single = template.putArray("single");
        ArrayNode pair = template.putArray("pair");
        ObjectNode ids = template.putObject("special_tokens");
        for (String text : List.of("A", "B")) {
            int type = text.equals("A") ? 0 : 1;
            for (String part : Stream.of(begins ? "bos" : "", text, ends ? "eos" : "").filter(p -> !p.isEmpty()).toList()) {
                ObjectNode one = Json.MAPPER.createObjectNode();
                one.putObject(part.equals(text) ? "Sequence" : "SpecialToken").put("id", part.equals(text) ? text : token(part, ids))
                        .put("type_id", type);
                pair.add(one);
                if (text.equals("A")) {
                    single.add(one);
                }
            }
        }
        return sequence("processors", bytes(true), template);
    }

    /** The token with a task, and its entry among those that are put in. */
    private String token(String task, ObjectNode ids) {
        Long id = special.get(task + "_token_id");
        if (id == null) {
            throw bad("puts in a token (add_" + task + "_token), but has no " + task + "_token_id");
        }
        String token = tokens.get(id.intValue());
        ObjectNode entry = ids.putObject(token).put("id", token);
        entry.putArray("ids").add(id);
        entry.putArray("tokens").add(token);
        return token;
    }

    private ObjectNode merging(Cut cut) {
        ObjectNode model = Json.MAPPER.createObjectNode().put("type", "BPE").putNull("dropout").putNull("unk_token")
                .putNull("continuing_subword_prefix").putNull("end_of_word_suffix").put("fuse_unk", false).put("byte_fallback", false)
                .put("ignore_merges", cut == Cut.LLAMA3);
        ObjectNode vocabulary = model.putObject("vocab");
        Map<String, Integer> ids = new HashMap<>();
        for (int i = 0; i < types.length; i++) {
            String token = tokens.get(i);
            Integer other = ids.put(token, i);
            if (other != null) {
                throw bad("has the token " + GgufFile.shown(token) + " twice, with the ids " + other + " and " + i);
            }
            if (types[i] != UNUSED && !token.isEmpty()) {
                vocabulary.put(token, i);
            }
        }
        ArrayNode merges = model.putArray("merges");
        List<String> said = file.texts(AT + "merges").orElseThrow(() -> bad("has no list of merges"));
        for (int i = 0; i < said.size(); i++) {
            String merge = said.get(i);
            int blank = merge.indexOf(' ', 1);
            if (blank < 0 || !vocabulary.has(merge.substring(0, blank)) || !vocabulary.has(merge.substring(blank + 1))
                    || !vocabulary.has(merge.substring(0, blank) + merge.substring(blank + 1))) {
                throw bad("has the merge " + GgufFile.shown(merge) + " (number " + i + "), expected two tokens that make a third");
            }
            merges.add(merge);
        }
        return model;
    }
}
