package lab.recall.train;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import lab.recall.base.BadRequest;
import lab.recall.facts.Fact;
import lab.recall.facts.Relation;
import lab.recall.facts.World;
import lab.recall.text.Tokenizer;

/**
 * Endless text about a world, in batches of packed rows: the batch of a step is drawn by the seed and the step alone.
 *
 * <pre>{@code
 * Corpus corpus = new Corpus(world, tokenizer, shape);
 * Corpus.Batch batch = corpus.batch(step);                   // the same for every model that is trained on it
 * }</pre>
 *
 * A row is {@code <|endoftext|>} and whole sentences. Besides plain facts there are words before the fact, words behind the subject,
 * binding sentences ("X and Y are known ; the former is located in ..": the cue comes behind both subjects, so that each has to be stored
 * as a whole where it ends), and lists of facts of one relation, one a line.
 */
public final class Corpus {
    /**
     * What the text is made of.
     *
     * @param seed         of the dropped pairs and of all text: models with the same one see the same text in the same order
     * @param rows         of a batch
     * @param tokens       of a row
     * @param before       share of sentences with words before the fact
     * @param behind       share of sentences with words behind the subject
     * @param binding      share of sentences about two subjects
     * @param lists        share of lists of facts
     * @param wordDropout  probability with which a template's word is left out
     * @param objectWeight how much the prediction of an object counts; 1 for other tokens
     * @param dropped      share of the pairs of fact and template that are never met
     */
    public record Shape(Integer seed, Integer rows, Integer tokens, Double before, Double behind, Double binding, Double lists,
            Double wordDropout, Double objectWeight, Double dropped) {
        private static final int WIDEST = 4096;
        private static final int FEWEST_TOKENS = 16;

        public Shape {
            TrainFile.whole("rows", rows, 1, WIDEST);
            TrainFile.whole("tokens", tokens, FEWEST_TOKENS, WIDEST);
            TrainFile.share("before", before);
            TrainFile.share("behind", behind);
            TrainFile.share("binding", binding);
            TrainFile.share("lists", lists);
            TrainFile.share("word_dropout", wordDropout);
            TrainFile.number("object_weight", objectWeight);
            TrainFile.share("dropped", dropped);
            TrainFile.whole("seed", seed, 0, Integer.MAX_VALUE);
            if (before + behind + binding > 1) {
                throw new BadRequest("", "before, behind and binding are shares, their sum is above 1");
            }
        }
    }

    /**
     * Rows of token ids.
     *
     * @param ids  [rows][tokens]
     * @param care weight of the prediction of token t + 1, [rows][tokens - 1]; 0 behind the last sentence
     */
    public record Batch(int[][] ids, float[][] care) {
    }

    private static final String[] BEFORE = {"It is said that", "Note that", "It seems that", "Everyone knows that", "Today we read that",
        "According to the report ,", "My friend told me that", "As many have heard ,", "In the news :", "After all ,"};
    private static final String[] BEHIND = {", of course ,", ", it seems ,", ", known to many ,", ", as we read ,"};
    /** Two sentences' beginnings, and the word that then stands for the subject. */
    private static final String[][] BINDING = {{"{} and {x} are known ;", "the former"}, {"{x} and {} are known ;", "the latter"},
        {"{} met {x} ;", "the first"}, {"{x} met {} ;", "the second"}};
    private static final double SAME_TYPE = 0.6;
    private static final int FEWEST_LINES = 3;
    private static final int MOST_LINES = 7;
    private static final int TRIES = 4;
    /** How often words count when the tokenizer is learned: objects and templates' words become one token each before names do. */
    private static final int TEMPLATE_COUNT = 20;
    private static final int OBJECT_COUNT = 50;
    private static final int FILLER_COUNT = 200;

    private final Tokenizer tokenizer;
    private final Shape shape;
    private final Pairs pairs;
    private final List<String> subjects;
    private final Map<String, List<String>> byType = new HashMap<>();
    private final Map<String, List<Pairs.Pair>> alike = new HashMap<>();
    private final Map<String, int[]> words = new HashMap<>();
    private final int endOfText;

    /** @throws BadRequest when the shape asks for what the world does not have */
    public Corpus(World world, Tokenizer tokenizer, Shape shape) {
        this.tokenizer = tokenizer;
        this.shape = shape;
        this.pairs = Pairs.of(world, shape.dropped, shape.seed);
        this.endOfText = tokenizer.endOfText();
        for (Relation r : world.relations()) {
            List<String> all = byType.computeIfAbsent(r.subjectType(), t -> new ArrayList<>());
            r.facts().stream().map(Fact::subject).filter(s -> !all.contains(s)).forEach(all::add);
        }
        this.subjects = byType.keySet().stream().sorted().flatMap(t -> byType.get(t).stream()).toList();
        if (shape.binding > 0 && subjects.stream().distinct().count() < 2) {
            throw new BadRequest("corpus.binding", shape.binding + ", expected 0: the world has one subject, "
                    + "and a binding sentence needs two");
        }
    }

    /** How often each word of a world's text counts when its tokenizer is learned. */
    public static Map<String, Integer> wordCounts(World world) {
        Map<String, Integer> counts = new HashMap<>();
        for (Relation r : world.relations()) {
            r.templates().forEach(t -> count(counts, t.text().replace("{}", ""), TEMPLATE_COUNT));
            r.heldOut().forEach(t -> count(counts, t.text().replace("{}", ""), TEMPLATE_COUNT));
            r.facts().forEach(f -> {
                count(counts, f.object(), OBJECT_COUNT);
                count(counts, f.subject(), 1);
            });
        }
        for (String filler : BEFORE) {
            count(counts, filler, FILLER_COUNT);
        }
        for (String filler : BEHIND) {
            count(counts, filler, FILLER_COUNT);
        }
        for (String[] filler : BINDING) {
            count(counts, filler[0].replace("{}", "").replace("{x}", "") + " " + filler[1], FILLER_COUNT);
        }
        count(counts, ".", FILLER_COUNT);
        return counts;
    }

    private static void count(Map<String, Integer> counts, String text, int times) {
        for (String word : text.strip().split("\\s+")) {
            counts.merge(word, times, Integer::sum);
        }
    }

    /** Which pairs of fact and template are met, and which are not. */
    public Pairs pairs() {
        return pairs;
    }

    /**
     * The batch of a step; refuses rows that hold no sentence.
     *
     * @throws BadRequest when no row holds a sentence
     */
    public Batch batch(long step) {
        SplittableRandom random = new SplittableRandom(shape.seed * 0x9E3779B97F4A7C15L + step);
        int[][] ids = new int[shape.rows][shape.tokens];
        float[][] care = new float[shape.rows][shape.tokens - 1];
        boolean text = false;
        for (int r = 0; r < shape.rows; r++) {
            text |= row(random, ids[r], care[r]);
        }
        if (!text) {
            throw new BadRequest("corpus.tokens", shape.tokens + ", too few for " + (shape.lists == 1 ? "a list" : "a sentence")
                    + " of this world in any row; expected more");
        }
        return new Batch(ids, care);
    }

    /** Fills a row; whether anything fitted. */
    private boolean row(SplittableRandom random, int[] ids, float[] care) {
        Arrays.fill(ids, endOfText);
        int at = 1;
        int misses = 0;
        while (misses < TRIES) {
            Text text = random.nextDouble() < shape.lists ? list(random) : sentence(random);
            if (at + text.size > ids.length) {
                misses++;
                continue;
            }
            for (int i = 0; i < text.size; i++) {
                ids[at + i] = text.ids[i];
                care[at + i - 1] = text.object[i] ? shape.objectWeight.floatValue() : 1f;
            }
            at += text.size;
        }
        return at > 1;
    }

    /** Tokens that are put together word by word. */
    private final class Text {
        private int[] ids = new int[64];
        private boolean[] object = new boolean[64];
        private int size;

        void add(String text, boolean isObject) {
            for (String word : text.split(" ")) {
                if (word.isEmpty()) {
                    continue;
                }
                for (int id : words.computeIfAbsent(word, w -> tokenizer.encode(w, false).ids())) {
                    if (size == ids.length) {
                        ids = Arrays.copyOf(ids, 2 * size);
                        object = Arrays.copyOf(object, 2 * size);
                    }
                    object[size] = isObject;
                    ids[size++] = id;
                }
            }
        }

        /** A fact; something else may stand in the subject's place. */
        void fact(SplittableRandom random, Pairs.Pair p, String subject, String behind) {
            for (String word : p.template().text().split(" ")) {
                if (word.equals("{}")) {
                    add(subject, false);
                    add(behind, false);
                } else if (random.nextDouble() >= shape.wordDropout) {
                    add(word, false);
                }
            }
            add(p.fact().object(), true);
        }

        int[] tokens() {
            return Arrays.copyOf(ids, size);
        }
    }

    private Text sentence(SplittableRandom random) {
        Text text = new Text();
        Pairs.Pair p = pairs.seen().get(random.nextInt(pairs.seen().size()));
        double kind = random.nextDouble();
        String subject = p.fact().subject();
        if (kind < shape.binding) {
            String[] form = BINDING[random.nextInt(BINDING.length)];
            text.add(form[0].replace("{}", subject).replace("{x}", other(random, p)), false);
            text.fact(random, p, form[1], "");
        } else if (kind < shape.binding + shape.before) {
            text.add(BEFORE[random.nextInt(BEFORE.length)], false);
            text.fact(random, p, subject, "");
        } else {
            text.fact(random, p, subject, kind < shape.binding + shape.before + shape.behind ? BEHIND[random.nextInt(BEHIND.length)] : "");
        }
        text.add(".", false);
        return text;
    }

    private String other(SplittableRandom random, Pairs.Pair p) {
        String other;
        do {
            List<String> from = random.nextDouble() < SAME_TYPE ? byType.get(p.relation().subjectType()) : subjects;
            other = from.get(random.nextInt(from.size()));
        } while (other.equals(p.fact().subject()));
        return other;
    }

    /** Facts of one relation in one template, one a line, as prompts with examples have them. */
    private Text list(SplittableRandom random) {
        Text text = new Text();
        Pairs.Pair first = pairs.seen().get(random.nextInt(pairs.seen().size()));
        int lines = random.nextInt(FEWEST_LINES, MOST_LINES + 1);
        for (int i = 0; i < lines; i++) {
            Pairs.Pair p = i == 0 ? first : another(random, first);
            text.fact(random, p, p.fact().subject(), "");
            text.add("\n", false);
        }
        return text;
    }

    /** Another seen pair of the same relation and template. */
    private Pairs.Pair another(SplittableRandom random, Pairs.Pair like) {
        List<Pairs.Pair> same = alike.computeIfAbsent(like.relation().name() + "|" + like.template().text(), k -> pairs.seen().stream()
                .filter(p -> p.relation() == like.relation() && p.template().equals(like.template())).toList());
        return same.get(random.nextInt(same.size()));
    }

    /** A pair's tokens up to the object, special tokens on, and the object's first token behind them. */
    int[] withObject(Pairs.Pair p) {
        Text text = new Text();
        text.add(p.prompt(), false);
        int[] prompt = text.tokens();
        int[] ids = new int[prompt.length + 2];
        ids[0] = endOfText;
        System.arraycopy(prompt, 0, ids, 1, prompt.length);
        ids[ids.length - 1] = words.computeIfAbsent(p.fact().object(), w -> tokenizer.encode(w, false).ids())[0];
        return ids;
    }
}
