package lab.recall.checkpoint;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
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
        ObjectNode json = TokenizerJson.empty();
        for (int i = 0; i < types.length; i++) {
            if (types[i] == CONTROL || types[i] == UNKNOWN || types[i] == USER_DEFINED) {
                TokenizerJson.add(json, i, tokens.get(i), types[i] != USER_DEFINED);
            }
        }
        if (cut == Cut.NEOX) {
            json.putObject("normalizer").put("type", "NFC");
        } else {
            json.putNull("normalizer");
        }
        json.set("pre_tokenizer", words(cut));
        json.set("post_processor", ends(cut));
        json.set("decoder", TokenizerJson.bytes(true));
        json.set("model", merging(cut));
        return json;
    }

    private Cut cut() {
        String name = file.text(AT + "pre").orElse("default");
        return name.equals("default") ? Cut.GPT2 : Arrays.stream(Cut.values()).filter(c -> c.names.contains(name)).findFirst()
                .orElseThrow(() -> bad("cuts texts into words as " + GgufFile.shown(name) + " does (tokenizer.ggml.pre); known are "
                        + Arrays.stream(Cut.values()).flatMap(c -> c.names.stream()).collect(Collectors.joining(", "))));
    }

    private static ObjectNode words(Cut cut) {
        return switch (cut) {
            case GPT2, NEOX -> TokenizerJson.bytes(true);
            case DIGITS -> TokenizerJson.sequence("pretokenizers",
                    Json.MAPPER.createObjectNode().put("type", "Digits").put("individual_digits", true), TokenizerJson.bytes(true));
            case FALCON -> TokenizerJson.sequence("pretokenizers",
                    Json.MAPPER.createObjectNode().put("type", "Punctuation").put("behavior", "Contiguous"), TokenizerJson.bytes(true),
                    split("[0-9][0-9][0-9]"));
            case LLAMA3 -> TokenizerJson.sequence("pretokenizers", split(LLAMA_3), TokenizerJson.bytes(false));
        };
    }

    private static ObjectNode split(String regex) {
        ObjectNode split = Json.MAPPER.createObjectNode().put("type", "Split").put("behavior", "Isolated").put("invert", false);
        split.putObject("pattern").put("Regex", regex);
        return split;
    }

    /** What follows merging: the token that begins every text, and the one that ends it. */
    private ObjectNode ends(Cut cut) {
        List<TokenizerJson.Special> first = token("bos", file.flag(AT + "add_bos_token").orElse(cut == Cut.LLAMA3));
        List<TokenizerJson.Special> last = token("eos", file.flag(AT + "add_eos_token").orElse(false));
        ObjectNode bytes = TokenizerJson.bytes(true);
        return first.isEmpty() && last.isEmpty() ? bytes
                : TokenizerJson.sequence("processors", bytes, TokenizerJson.template(first, last));
    }

    /** The token with a task, where it is put in. */
    private List<TokenizerJson.Special> token(String task, boolean isPutIn) {
        Long id = special.get(task + "_token_id");
        if (isPutIn && id == null) {
            throw bad("puts in a token (add_" + task + "_token), but has no " + task + "_token_id");
        }
        return isPutIn ? List.of(new TokenizerJson.Special(tokens.get(id.intValue()), id)) : List.of();
    }

    private ObjectNode merging(Cut cut) {
        Map<String, Integer> ids = new HashMap<>();
        Map<String, Integer> vocabulary = new LinkedHashMap<>();
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
        return TokenizerJson.pairs(vocabulary, file.texts(AT + "merges").orElseThrow(() -> bad("has no list of merges")),
                cut == Cut.LLAMA3, this::bad);
    }
}
