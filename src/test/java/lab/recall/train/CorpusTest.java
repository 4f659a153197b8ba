package lab.recall.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import lab.recall.facts.Fact;
import lab.recall.facts.Relation;
import lab.recall.facts.World;
import lab.recall.text.Template;
import lab.recall.text.Tokenizer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Text about a world: its tokenizer, its batches, what is held back. */
class CorpusTest {
    private static final Corpus.Shape SHAPE = shape(1);

    @TempDir
    Path dir;
    private final World world = World.generate(7, World.Names.GRID);
    private Tokenizer tokenizer;

    private static Corpus.Shape shape(int seed) {
        return new Corpus.Shape(seed, 8, 128, 0.2, 0.1, 0.2, 0.3, 0.0, 4.0, 0.2);
    }

    @BeforeEach
    void learn() {
        BytePairs.learn(Corpus.wordCounts(world), 1000).write(dir.resolve("tokenizer.json"));
        tokenizer = Tokenizer.open(dir.resolve("tokenizer.json"));
    }

    @Test
    void thePairThatIsMostFrequentIsJoinedFirst() {
        BytePairs pairs = BytePairs.learn(Map.of("aab", 5, "ab", 2, "c", 1), 99);
        assertEquals(99, pairs.size());
        pairs.write(dir.resolve("t.json"));
        Tokenizer t = Tokenizer.open(dir.resolve("t.json"));
        assertEquals("ab", t.decode(98), "ab occurs seven times, a blank before a as often, and comes later in the alphabet");
        assertEquals(List.of(" ", "a", "ab"), Arrays.stream(t.encode("aab", false).ids()).mapToObj(t::decode).toList());
        assertThrows(IllegalArgumentException.class, () -> BytePairs.learn(Map.of("a", 1), 90));
        assertThrows(IllegalArgumentException.class, () -> BytePairs.learn(Map.of("ä", 1), 200));
    }

    @Test
    void wordsAreTheSameTokensWhereverTheyStand() {
        for (Fact f : world.facts()) {
            assertEquals(1, tokenizer.encode(f.object(), false).ids().length, f.object());
        }
        String subject = world.relations().get(4).facts().get(0).subject();
        int[] alone = tokenizer.encode(subject, false).ids();
        int[] text = tokenizer.encode("The capital\n" + subject + " is", true).ids();
        assertEquals(tokenizer.endOfText(), text[0]);
        assertArrayEquals(alone, Arrays.copyOfRange(text, 4, 4 + alone.length), "the first word of a line has its blank");
        Template template = new Template("The capital\n{} is");
        assertEquals(4, template.fill(tokenizer, subject).subjectStart());
        assertEquals(3 + alone.length, template.fill(tokenizer, subject).subjectLast());
    }

    @Test
    void aBatchDependsOnItsSeedAndStepAlone() {
        Corpus corpus = new Corpus(world, tokenizer, SHAPE);
        Corpus.Batch batch = corpus.batch(17);
        assertArrayEquals(batch.ids(), new Corpus(world, tokenizer, SHAPE).batch(17).ids());
        assertFalse(Arrays.deepEquals(batch.ids(), corpus.batch(18).ids()));
        assertFalse(Arrays.deepEquals(batch.ids(), new Corpus(world, tokenizer, shape(2)).batch(17).ids()));
    }

    @Test
    void rowsAreWholeSentencesWithWeightedObjects() {
        Set<String> objects = new HashSet<>(world.facts().stream().map(Fact::object).toList());
        boolean lists = false;
        boolean binding = false;
        for (int step = 0; step < 4; step++) {
            Corpus.Batch batch = new Corpus(world, tokenizer, SHAPE).batch(step);
            for (int r = 0; r < batch.ids().length; r++) {
                int[] ids = batch.ids()[r];
                assertEquals(tokenizer.endOfText(), ids[0]);
                int end = ids.length;
                while (ids[end - 1] == tokenizer.endOfText()) {
                    end--;
                }
                assertTrue(end > 96, "rows are well filled");
                String text = tokenizer.decode(Arrays.copyOfRange(ids, 1, end));
                String spoken = text.replace(" \n ", "\n").strip();
                assertArrayEquals(Arrays.copyOf(ids, end),
                        tokenizer.encode(text.endsWith("\n") ? spoken + "\n" : spoken, true).ids(), text);
                lists |= text.contains("\n");
                binding |= text.contains("; the former");
                for (int t = 0; t < ids.length - 1; t++) {
                    float care = batch.care()[r][t];
                    boolean object = objects.contains(tokenizer.decode(ids[t + 1]).strip());
                    assertEquals(t + 1 >= end ? 0f : care == 4f ? 4f : 1f, care);
                    assertTrue(care != 4f || object, "only objects count more");
                }
            }
        }
        assertTrue(lists && binding);
    }

    @Test
    void droppedPairsAreNotMet() {
        Corpus corpus = new Corpus(world, tokenizer, new Corpus.Shape(1, 16, 128, 0.0, 0.0, 0.0, 0.3, 0.0, 4.0, 0.2));
        Pairs pairs = corpus.pairs();
        int all = world.relations().stream().mapToInt(r -> r.facts().size() * r.templates().size()).sum();
        assertEquals(all, pairs.seen().size() + pairs.dropped().size());
        assertEquals(0.2 * all, pairs.dropped().size(), 0.05 * all);
        Set<String> text = new HashSet<>();
        for (int step = 0; step < 20; step++) {
            for (int[] row : corpus.batch(step).ids()) {
                for (String sentence : tokenizer.decode(row).split(" \\.| \n")) {
                    text.add(sentence.replace("<|endoftext|>", "").strip());
                }
            }
        }
        long met = pairs.seen().stream().filter(p -> text.contains(p.prompt() + " " + p.fact().object())).count();
        assertTrue(met > pairs.seen().size() / 2, met + " of the seen pairs");
        pairs.dropped().forEach(p -> assertFalse(text.contains(p.prompt() + " " + p.fact().object()), p.prompt()));
        pairs.heldOut().forEach(p -> assertFalse(text.contains(p.prompt() + " " + p.fact().object()), p.prompt()));
    }

    @Test
    void worldsAreSeededAndNamedAsAsked() {
        assertEquals(world.facts(), World.generate(7, World.Names.GRID).facts());
        assertNotEquals(world.facts(), World.generate(8, World.Names.GRID).facts());
        assertTrue(world.relations().size() >= 12);
        world.write(dir.resolve("w"));
        assertEquals(Set.copyOf(world.facts()), Set.copyOf(World.read(dir.resolve("w")).facts()));
        for (World.Names names : World.Names.values()) {
            for (Relation r : World.generate(3, names).relations()) {
                List<String> first = r.facts().stream().map(Fact::subject).filter(s -> s.contains(" ")).map(s -> s.split(" ")[0]).toList();
                long distinct = first.stream().distinct().count();
                assertTrue(first.isEmpty() || (names == World.Names.UNIQUE ? distinct == first.size() : distinct <= 9),
                        r.name() + ": " + first);
                assertTrue(names == World.Names.GRID || first.size() == r.facts().size(), "two words each");
                assertTrue(r.templates().size() >= 6 && r.heldOut().size() >= 2);
            }
        }
        Map<String, String> city = new HashMap<>();
        world.relations().forEach(r -> r.facts().forEach(f -> city.put(r.name() + "|" + f.subject(), f.object())));
        world.relations().get(1).facts().forEach(f -> assertEquals(f.subject(), city.get("city_in_country|" + f.object()),
                "a capital lies in its country"));
    }
}
