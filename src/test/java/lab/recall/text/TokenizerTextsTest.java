package lab.recall.text;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import lab.recall.base.BadData;
import lab.recall.base.Json;
import org.junit.jupiter.api.Test;

/**
 * Tokenizers that are opened in this process hold with any text: drawn from all parts that count as sound, on texts of odd letters. One
 * that does not hold ends the process. {@code -Dfuzz.seed=7 -Dfuzz.mutants=20000} draws others and more.
 */
class TokenizerTextsTest {
    private static final long SEED = Long.getLong("fuzz.seed", 1);
    private static final int TOKENIZERS = Integer.getInteger("fuzz.mutants", 2100) / 10;
    private static final int TEXTS = 40;

    private static final List<String> NORMALIZERS = List.of("null", "{`type`: `NFC`}", "{`type`: `NFD`}", "{`type`: `NFKC`}",
            "{`type`: `NFKD`}", "{`type`: `Lowercase`}", "{`type`: `Prepend`, `prepend`: ` xé`}",
            "{`type`: `Replace`, `pattern`: {`String`: ` `}, `content`: `▁`}",
            "{`type`: `Replace`, `pattern`: {`String`: `a`}, `content`: `é\u0301xx`}",
            "{`type`: `Sequence`, `normalizers`: [{`type`: `NFD`}, {`type`: `Lowercase`}, {`type`: `Replace`,"
                    + " `pattern`: {`String`: `\u0301`}, `content`: `x`}, {`type`: `NFKC`}, {`type`: `Prepend`, `prepend`: `é`},"
                    + " {`type`: `NFC`}]}",
            "{`type`: `Sequence`, `normalizers`: [{`type`: `Prepend`, `prepend`: `▁`}, {`type`: `Replace`, `pattern`: {`String`: ` `},"
                    + " `content`: `▁`}]}");
    private static final List<String> PRE_TOKENIZERS = List.of("{`type`: `ByteLevel`, `add_prefix_space`: true, `trim_offsets`: true}",
            "{`type`: `ByteLevel`, `add_prefix_space`: false, `trim_offsets`: false, `use_regex`: false}",
            "{`type`: `Metaspace`, `replacement`: `▁`, `prepend_scheme`: `always`, `split`: true}",
            "{`type`: `Metaspace`, `replacement`: `é`, `prepend_scheme`: `first`, `split`: true}",
            "{`type`: `Metaspace`, `replacement`: `😀`, `prepend_scheme`: `never`, `split`: false}",
            "{`type`: `Digits`, `individual_digits`: true}", "{`type`: `Digits`, `individual_digits`: false}",
            "{`type`: `Punctuation`, `behavior`: `$`}",
            "{`type`: `Split`, `pattern`: {`String`: `é`}, `behavior`: `$`, `invert`: true}",
            "{`type`: `Split`, `pattern`: {`String`: ` `}, `behavior`: `$`, `invert`: false}");
    private static final List<String> BEHAVIORS = List.of("Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous");
    private static final String TEMPLATE = "{`type`: `TemplateProcessing`, `single`: [{`SpecialToken`: {`id`: `<s>`, `type_id`: 0}},"
            + " {`Sequence`: {`id`: `A`, `type_id`: 3}}, {`SpecialToken`: {`id`: `<s>`, `type_id`: 0}}], `pair`: [{`Sequence`: {`id`: `A`,"
            + " `type_id`: 0}}, {`Sequence`: {`id`: `B`, `type_id`: 0}}], `special_tokens`: {`<s>`: {`id`: `<s>`, `ids`: [1, 2],"
            + " `tokens`: [`x`, `y`]}}}";
    private static final List<String> POST_PROCESSORS = List.of("null", TEMPLATE,
            "{`type`: `ByteLevel`, `add_prefix_space`: true, `trim_offsets`: true}",
            "{`type`: `Sequence`, `processors`: [{`type`: `ByteLevel`, `add_prefix_space`: false, `trim_offsets`: true}, "
                    + TEMPLATE + "]}");
    private static final List<String> DECODERS = List.of("null", "{`type`: `ByteLevel`, `add_prefix_space`: true, `trim_offsets`: true}",
            "{`type`: `Metaspace`, `replacement`: `▁`}", "{`type`: `Fuse`}", "{`type`: `Strip`, `content`: `a`, `start`: 7, `stop`: 0}",
            "{`type`: `Sequence`, `decoders`: [{`type`: `Replace`, `pattern`: {`String`: `▁`}, `content`: ``}, {`type`: `ByteFallback`},"
                    + " {`type`: `Fuse`}, {`type`: `Strip`, `content`: ` `, `start`: 3, `stop`: 0}]}");
    private static final List<String> ODD = List.of(" ", "  ", "\n", "\r\n", "\t", "e\u0301", "\u0344", "\ufdfa", "\u0149", "\u0130",
            "\u1e9e", "\u1e9b\u0323", "\u1100\u1161\u11a8", "\uac01", "👨\u200d👩\u200d👧", "\ufeff", "\0", "\u200d", "\u2460", "\ufb03",
            "\u212b", "\u0300\u0316", "<|endoftext|>", "<s>", "▁", "123", "a", "A", "'s", "日本", "\ud834\udd5e\ud834\udd65", "    ", "zz");

    private final Random random = new Random(SEED);

    private String one(List<String> some) {
        return some.get(random.nextInt(some.size()));
    }

    private String text() {
        StringBuilder text = new StringBuilder();
        for (int letters = random.nextInt(40); letters > 0; letters--) {
            int point = random.nextInt(random.nextBoolean() ? 0x3000 : 0x110000);
            if (random.nextInt(3) == 0 && !(point >= Character.MIN_SURROGATE && point <= Character.MAX_SURROGATE)) {
                text.appendCodePoint(point);
            } else {
                text.append(one(ODD));
            }
        }
        return text.toString();
    }

    private String flag() {
        return String.valueOf(random.nextBoolean());
    }

    /** A split by one of the patterns that are known. */
    private String split() {
        String pattern = one(TokenizerParts.SOUND_PATTERNS.stream().sorted().toList());
        return "{`type`: `Split`, `pattern`: {`Regex`: `" + pattern.replace("\\", "\\\\")
                + "`}, `behavior`: `$`, `invert`: " + flag() + "}";
    }

    private String preTokenizer() {
        String all = random.nextInt(3) == 0 ? split() : one(PRE_TOKENIZERS);
        return switch (random.nextInt(4)) {
            case 0 -> "null";
            case 1 -> "{`type`: `Sequence`, `pretokenizers`: [" + all + ", " + one(PRE_TOKENIZERS) + "]}";
            default -> all;
        };
    }

    /** Byte-level and other pairs with all that belongs to them, and some added tokens. */
    private String tokenizer() {
        Map<String, Integer> vocabulary = new LinkedHashMap<>();
        for (String token : List.of("<unk>", "<s>", "a", "▁", "▁a", "Ġ", "Ċ", "Ġa", "é")) {
            vocabulary.put(token, vocabulary.size());
        }
        IntStream.range('#', 0x7f).filter(c -> c != '\\' && c != '`').forEach(c ->
                vocabulary.putIfAbsent(String.valueOf((char) c), vocabulary.size()));
        if (random.nextBoolean()) {
            IntStream.range(0, 256).forEach(b -> vocabulary.put(String.format("<0x%02X>", b), vocabulary.size()));
        }
        boolean strips = random.nextBoolean();
        List<String> added = new ArrayList<>();
        int next = vocabulary.size();
        for (String content : List.of("<|endoftext|>", "\u0130", "e\u0301", "123", "▁a", strips ? "zz" : "   ", strips ? "a" : " a")) {
            if (random.nextInt(3) == 0) {
                int id = vocabulary.getOrDefault(content, next);
                next += id == next ? 1 : 0;
                added.add("{`id`: " + id + ", `content`: `" + content + "`, `single_word`: " + flag() + ", `lstrip`: "
                        + (strips && random.nextBoolean()) + ", `rstrip`: " + (strips && random.nextBoolean()) + ", `normalized`: " + flag()
                        + ", `special`: " + flag() + "}");
            }
        }
        StringBuilder tokens = new StringBuilder();
        vocabulary.forEach((token, id) -> tokens.append(id == 0 ? "" : ", ").append('`').append(token).append("`: ").append(id));
        return "{`added_tokens`: [" + String.join(", ", added) + "], `normalizer`: " + one(NORMALIZERS) + ", `pre_tokenizer`: "
                + preTokenizer().replace("`$`", "`" + one(BEHAVIORS) + "`") + ", `post_processor`: " + one(POST_PROCESSORS)
                + ", `decoder`: " + one(DECODERS) + ", `model`: {`type`: `BPE`, `unk_token`: "
                + (random.nextBoolean() ? "`<unk>`" : "null") + ", `fuse_unk`: " + flag()
                + ", `byte_fallback`: " + flag() + ", `ignore_merges`: " + flag() + ", `vocab`: {" + tokens
                + "}, `merges`: [`▁ a`, `Ġ a`]}}";
    }

    @Test
    void soundTokenizersHoldWithAnyText() {
        for (int i = 0; i < TOKENIZERS; i++) {
            String name = "tokenizer " + i;
            ObjectNode json = Json.object(tokenizer().replace('`', '"').getBytes(StandardCharsets.UTF_8), name);
            assertTrue(TokenizerFile.of(json, name).isSound(), json.toString());
            Tokenizer t = Tokenizer.of(json, name);
            for (int k = 0; k < TEXTS; k++) {
                String text = text();
                try {
                    Tokenizer.Encoding e = t.encode(text, random.nextBoolean());
                    t.decode(e.ids());
                    for (int n = 0; n < e.ids().length; n++) {
                        assertTrue(e.ids()[n] < t.size() && e.ends()[n] <= text.length(), json.toString());
                    }
                } catch (BadData e) {
                    assertTrue(e.getMessage().startsWith(name + ": cannot tokenize"), e.getMessage());
                }
            }
        }
    }
}
