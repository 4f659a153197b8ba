package lab.recall.text;

import static lab.recall.text.TokenizerRules.BASE64;
import static lab.recall.text.TokenizerRules.COUNT;
import static lab.recall.text.TokenizerRules.FLAG;
import static lab.recall.text.TokenizerRules.LENGTH;
import static lab.recall.text.TokenizerRules.LETTER;
import static lab.recall.text.TokenizerRules.LIST;
import static lab.recall.text.TokenizerRules.OBJECT;
import static lab.recall.text.TokenizerRules.PATTERN;
import static lab.recall.text.TokenizerRules.SHORT_TEXT;
import static lab.recall.text.TokenizerRules.TEXT;
import static lab.recall.text.TokenizerRules.TOKEN;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import lab.recall.base.BadRequest;
import lab.recall.base.Nearest;
import lab.recall.base.Said;
import lab.recall.text.TokenizerRules.Rule;

/**
 * The parts of a tokenizer.json around its model: which types there are, what each may say, and of which it is known that the library does
 * with them what it should on any text. These were read in its source (tokenizers 0.21.4); others panic on some texts, or may never end.
 */
enum TokenizerParts {
    NORMALIZER("normalizers"), PRE_TOKENIZER("pretokenizers"), POST_PROCESSOR("processors"), DECODER("decoders");

    static final String TYPE = "type";
    private static final int DEEPEST = 8;
    private static final String SEQUENCE = "Sequence";
    private static final String TEMPLATE = "TemplateProcessing";
    private static final Rule BEHAVIOR = TokenizerRules.words("Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous");
    private static final Predicate<JsonNode> ALWAYS = part -> true;
    private static final Predicate<JsonNode> NEVER = part -> false;
    /** Patterns of GPT-2, Llama 3, Qwen 2 and Falcon: each looks at a letter a few times at most. */
    static final Set<String> SOUND_PATTERNS = Set.of(
            "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
            llama("\\p{N}{1,3}"), llama("\\p{N}"), "[0-9][0-9][0-9]");

    private static String llama(String digits) {
        return "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|" + digits
                + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
    }

    /**
     * A type of part.
     *
     * @param isSound whether the library is known to hold with one
     */
    private record Part(Map<String, Rule> required, Map<String, Rule> optional, Predicate<JsonNode> isSound) {
    }

    private final String sequence;
    private final Map<String, Part> types = new TreeMap<>();

    /** @param sequence the field of a sequence that lists its parts */
    TokenizerParts(String sequence) {
        this.sequence = sequence;
    }

    static {
        Map<String, Rule> none = Map.of();
        Map<String, Rule> space = Map.of("add_prefix_space", FLAG, "trim_offsets", FLAG);
        Map<String, Rule> regex = Map.of("use_regex", FLAG);
        Map<String, Rule> metaspace = Map.of("add_prefix_space", FLAG, "prepend_scheme", TokenizerRules.words("first", "never", "always"),
                "split", FLAG, "str_rep", TEXT);
        Map<String, Rule> replace = Map.of("pattern", PATTERN, "content", SHORT_TEXT);
        for (TokenizerParts parts : values()) {
            parts.put(SEQUENCE, Map.of(parts.sequence, LIST), none, NEVER);
        }
        for (String form : new String[] {"NFC", "NFD", "NFKC", "NFKD", "Lowercase"}) {
            NORMALIZER.put(form, none, none, ALWAYS);
        }
        for (String other : new String[] {"StripAccents", "Nmt", "ByteLevel"}) {
            NORMALIZER.put(other, none, none, NEVER);
        }
        NORMALIZER.put("BertNormalizer", Map.of("clean_text", FLAG, "handle_chinese_chars", FLAG, "strip_accents", FLAG.orNull(),
                "lowercase", FLAG), none, NEVER);
        NORMALIZER.put("Strip", Map.of("strip_left", FLAG, "strip_right", FLAG), none, NEVER);
        NORMALIZER.put("Precompiled", Map.of("precompiled_charsmap", BASE64), none, NEVER);
        // what is left of an added token must not be empty: the library would find it inside of letters
        NORMALIZER.put("Replace", replace, none, part -> isWord(part) && !part.get("content").textValue().isEmpty());
        NORMALIZER.put("Prepend", Map.of("prepend", SHORT_TEXT), none, part -> !part.get("prepend").textValue().isEmpty());

        PRE_TOKENIZER.put("ByteLevel", space, regex, ALWAYS);
        PRE_TOKENIZER.put("Metaspace", Map.of("replacement", LETTER), metaspace, ALWAYS);
        PRE_TOKENIZER.put("Digits", Map.of("individual_digits", FLAG), none, ALWAYS);
        PRE_TOKENIZER.put("Punctuation", none, Map.of("behavior", BEHAVIOR), ALWAYS);
        PRE_TOKENIZER.put("Split", Map.of("pattern", PATTERN, "behavior", BEHAVIOR, "invert", FLAG), none,
                part -> isWord(part) || SOUND_PATTERNS.contains(part.get("pattern").path("Regex").asText()));
        PRE_TOKENIZER.put("CharDelimiterSplit", Map.of("delimiter", LETTER), none, NEVER);
        PRE_TOKENIZER.put("FixedLength", none, Map.of("length", LENGTH), NEVER);
        for (String other : new String[] {"BertPreTokenizer", "Whitespace", "WhitespaceSplit", "UnicodeScripts"}) {
            PRE_TOKENIZER.put(other, none, none, NEVER);
        }

        POST_PROCESSOR.put("ByteLevel", space, regex, ALWAYS);
        POST_PROCESSOR.put(TEMPLATE, Map.of("single", LIST, "pair", LIST, "special_tokens", OBJECT), none, ALWAYS);
        POST_PROCESSOR.put("BertProcessing", Map.of("sep", TOKEN, "cls", TOKEN), none, NEVER);
        POST_PROCESSOR.put("RobertaProcessing", Map.of("sep", TOKEN, "cls", TOKEN, "trim_offsets", FLAG, "add_prefix_space", FLAG), none,
                NEVER);

        DECODER.put("ByteLevel", space, regex, ALWAYS);
        DECODER.put("Metaspace", Map.of("replacement", LETTER), metaspace, ALWAYS);
        DECODER.put("Replace", replace, none, TokenizerParts::isWord);
        DECODER.put("Fuse", none, none, ALWAYS);
        DECODER.put("ByteFallback", none, none, ALWAYS);
        DECODER.put("Strip", Map.of("content", LETTER, "start", COUNT, "stop", COUNT), none, part -> part.get("stop").intValue() == 0);
        DECODER.put("BPEDecoder", Map.of("suffix", TEXT), none, NEVER);
        DECODER.put("WordPiece", Map.of("prefix", TEXT, "cleanup", FLAG), none, NEVER);
        DECODER.put("CTC", Map.of("pad_token", TEXT, "word_delimiter_token", TEXT, "cleanup", FLAG), none, NEVER);
    }

    private void put(String type, Map<String, Rule> required, Map<String, Rule> optional, Predicate<JsonNode> isSound) {
        types.put(type, new Part(required, optional, isSound));
    }

    /** Whether a part looks for a word and not for a pattern. */
    private static boolean isWord(JsonNode part) {
        return !part.get("pattern").path("String").asText().isEmpty();
    }

    /**
     * Checks a part, or null for none.
     *
     * @return whether the library is known to hold with it
     * @throws BadRequest that names the place of what is wrong
     */
    boolean check(JsonNode part, String place) {
        return part.isMissingNode() || part.isNull() || check(part, place, 1);
    }

    private boolean check(JsonNode part, String place, int depth) {
        OBJECT.check(part, place);
        String type = part.path(TYPE).asText();
        Part known = types.get(type);
        if (known == null) {
            throw new BadRequest(place + "." + TYPE, (part.has(TYPE) ? Said.of(part.get(TYPE)) : "missing") + ", expected one of "
                    + String.join(", ", types.keySet()) + Nearest.question(type, types.keySet()));
        }
        TokenizerRules.check(part, place, known.required, known.optional);
        if (type.equals(TEMPLATE)) {
            TokenizerTemplate.check(part, place);
        }
        return type.equals(SEQUENCE) ? checkAll(part.get(sequence), place + "." + sequence, depth) : known.isSound.test(part);
    }

    private boolean checkAll(JsonNode parts, String place, int depth) {
        if (depth == DEEPEST) {
            throw new BadRequest(place, "nested deeper than " + DEEPEST);
        }
        boolean sound = true;
        for (int i = 0; i < parts.size(); i++) {
            sound &= check(parts.get(i), place + "[" + i + "]", depth + 1) && isSoundAt(parts, i);
        }
        return sound;
    }

    /** What a template makes of a text is no text any more: only nothing may follow. */
    private boolean isSoundAt(JsonNode parts, int i) {
        String type = parts.get(i).path(TYPE).asText();
        return this != POST_PROCESSOR || !type.equals(SEQUENCE) && (!type.equals(TEMPLATE) || i == parts.size() - 1);
    }

    /** What is done with an id and its place. */
    interface Ids {
        void found(int id, String place);
    }

    /** The ids that a checked post-processor names. */
    static void ids(JsonNode part, String place, Ids ids) {
        JsonNode parts = part.path(POST_PROCESSOR.sequence);
        for (int i = 0; i < parts.size(); i++) {
            ids(parts.get(i), place + "." + POST_PROCESSOR.sequence + "[" + i + "]", ids);
        }
        part.path(TokenizerTemplate.TOKENS).properties().forEach(e -> {
            for (JsonNode id : e.getValue().get("ids")) {
                ids.found(id.intValue(), TokenizerRules.within(place + "." + TokenizerTemplate.TOKENS, e.getKey()) + ".ids");
            }
        });
        for (String token : new String[] {"sep", "cls"}) {
            if (part.has(token)) {
                ids.found(part.get(token).get(1).intValue(), place + "." + token);
            }
        }
    }
}
