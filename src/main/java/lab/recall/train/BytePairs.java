package lab.recall.train;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import lab.recall.base.AtomicFiles;
import lab.recall.base.BadRequest;
import lab.recall.base.Json;
import lab.recall.base.Said;

/**
 * Byte-pair encoding learned from counted words, written as the tokenizer.json that HuggingFace's libraries read.
 *
 * <pre>{@code
 * BytePairs.learn(Map.of("Novux", 3, "Bridge", 5), 800).write(folder.resolve("tokenizer.json"));
 * }</pre>
 *
 * Token 0 is {@code <|endoftext|>} and stands before every text. Words carry the blank before them; the first word of a text and of a line
 * gets one too, so that a word is the same token wherever it stands. Only printable ASCII and line breaks are known. Of several pairs that
 * are equally frequent the first in alphabetical order is joined. Source: Sennrich et al., arXiv 1508.07909, algorithm 1.
 */
public final class BytePairs {
    private static final String END_OF_TEXT = "<|endoftext|>";
    /** How byte-level tokenizers write a blank and a line break. */
    private static final String BLANK = "\u0120";
    private static final String BREAK = "\u010a";

    private final List<String> vocabulary;
    private final List<String[]> merges;

    private BytePairs(List<String> vocabulary, List<String[]> merges) {
        this.vocabulary = vocabulary;
        this.merges = merges;
    }

    /**
     * Joins the most frequent pair of neighbouring symbols again and again.
     *
     * @param counts how often each word occurs
     * @param size   tokens in all; fewer when no pair is left
     * @throws BadRequest when a word has other letters, or the size leaves no room for them
     */
    public static BytePairs learn(Map<String, Integer> counts, int size) {
        List<String> vocabulary = new ArrayList<>(List.of(END_OF_TEXT));
        for (char c = '!'; c <= '~'; c++) {
            vocabulary.add(String.valueOf(c));
        }
        vocabulary.add(BLANK);
        vocabulary.add(BREAK);
        vocabulary.add(BLANK + BREAK);
        if (size < vocabulary.size()) {
            throw new BadRequest("vocabulary", size + ", expected at least " + vocabulary.size());
        }
        List<String[]> merges = new ArrayList<>();
        merges.add(new String[] {BLANK, BREAK});
        List<List<String>> words = new ArrayList<>();
        List<Integer> weights = new ArrayList<>();
        new TreeMap<>(counts).forEach((word, count) -> {
            List<String> symbols = new ArrayList<>(List.of(BLANK));
            word.chars().forEach(c -> {
                if (c < '!' || c > '~') {
                    throw new BadRequest("", "the word '" + Said.of(word) + "' holds more than printable ASCII");
                }
                symbols.add(String.valueOf((char) c));
            });
            words.add(symbols);
            weights.add(count);
        });
        while (vocabulary.size() < size) {
            String[] best = mostFrequent(words, weights);
            if (best == null) {
                break;
            }
            merges.add(best);
            vocabulary.add(best[0] + best[1]);
            words.forEach(w -> join(w, best));
        }
        return new BytePairs(vocabulary, merges);
    }

    private static String[] mostFrequent(List<List<String>> words, List<Integer> weights) {
        Map<String, Long> pairs = new LinkedHashMap<>();
        for (int i = 0; i < weights.size(); i++) {
            List<String> w = words.get(i);
            for (int s = 0; s < w.size() - 1; s++) {
                pairs.merge(w.get(s) + " " + w.get(s + 1), (long) weights.get(i), Long::sum);
            }
        }
        String best = null;
        for (Map.Entry<String, Long> p : pairs.entrySet()) {
            long more = best == null ? 1 : p.getValue() - pairs.get(best);
            if (more > 0 || (more == 0 && p.getKey().compareTo(best) < 0)) {
                best = p.getKey();
            }
        }
        return best == null ? null : best.split(" ");
    }

    private static void join(List<String> word, String[] pair) {
        for (int s = 0; s < word.size() - 1; s++) {
            if (word.get(s).equals(pair[0]) && word.get(s + 1).equals(pair[1])) {
                word.set(s, pair[0] + pair[1]);
                word.remove(s + 1);
            }
        }
    }

    /** Number of tokens. */
    public int size() {
        return vocabulary.size();
    }

    /** Writes tokenizer_config.json, without which Python would take the class and the tokens of the architecture's own tokenizer. */
    static void writeSettings(Path file) {
        write(file, Json.MAPPER.createObjectNode().put("tokenizer_class", "PreTrainedTokenizerFast").put("bos_token", END_OF_TEXT)
                .put("eos_token", END_OF_TEXT).put("unk_token", END_OF_TEXT).put("clean_up_tokenization_spaces", false));
    }

    private static void write(Path file, ObjectNode json) {
        AtomicFiles.write(file, Json.prettyLine(json));
    }

    /**
     * Writes tokenizer.json.
     *
     * @throws java.io.UncheckedIOException when it cannot be written
     */
    public void write(Path file) {
        ObjectNode all = Json.MAPPER.createObjectNode().put("version", "1.0").putNull("truncation").putNull("padding");
        all.putArray("added_tokens").addObject().put("id", 0).put("content", END_OF_TEXT).put("single_word", false).put("lstrip", false)
                .put("rstrip", false).put("normalized", false).put("special", true);
        all.putNull("normalizer");
        ArrayNode steps = all.putObject("pre_tokenizer").put("type", "Sequence").putArray("pretokenizers");
        // lines apart first, so that the first word of each gets its blank
        ObjectNode split = steps.addObject().put("type", "Split");
        split.putObject("pattern").put("String", "\n");
        split.put("behavior", "Isolated").put("invert", false);
        byteLevel(steps.addObject());
        ObjectNode template = all.putObject("post_processor").put("type", "TemplateProcessing");
        ArrayNode single = template.putArray("single");
        special(single);
        single.addObject().putObject("Sequence").put("id", "A").put("type_id", 0);
        ArrayNode pair = template.putArray("pair");
        special(pair);
        pair.addObject().putObject("Sequence").put("id", "A").put("type_id", 0);
        pair.addObject().putObject("Sequence").put("id", "B").put("type_id", 1);
        ObjectNode end = template.putObject("special_tokens").putObject(END_OF_TEXT).put("id", END_OF_TEXT);
        end.putArray("ids").add(0);
        end.putArray("tokens").add(END_OF_TEXT);
        byteLevel(all.putObject("decoder"));
        ObjectNode model = all.putObject("model").put("type", "BPE").putNull("dropout").putNull("unk_token")
                .putNull("continuing_subword_prefix").putNull("end_of_word_suffix").put("fuse_unk", false).put("byte_fallback", false);
        ObjectNode ids = model.putObject("vocab");
        for (int i = 0; i < vocabulary.size(); i++) {
            ids.put(vocabulary.get(i), i);
        }
        ArrayNode joined = model.putArray("merges");
        merges.forEach(m -> joined.add(m[0] + " " + m[1]));
        write(file, all);
    }

    private static void byteLevel(ObjectNode to) {
        to.put("type", "ByteLevel").put("add_prefix_space", true).put("trim_offsets", true).put("use_regex", true);
    }

    private static void special(ArrayNode to) {
        to.addObject().putObject("SpecialToken").put("id", END_OF_TEXT).put("type_id", 0);
    }
}
