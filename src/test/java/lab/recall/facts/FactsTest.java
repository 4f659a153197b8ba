package lab.recall.facts;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import lab.recall.base.BadData;
import lab.recall.base.BadRequest;
import lab.recall.base.Progress;
import lab.recall.model.LanguageModel;
import lab.recall.stats.Estimate;
import lab.recall.study.Runner;
import lab.recall.study.Store;
import lab.recall.study.Study;
import lab.recall.text.DataFolder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FactsTest {
    @Test
    void bundledRelationsAreThere() {
        assertEquals(26, Relations.lre().all().size());
        assertEquals(12, Relations.world().all().size());
        assertEquals("The capital of {} is the city of", Relations.lre().get("country_capital_city").template().text());
        assertThrows(IllegalArgumentException.class, () -> Relations.world().get("nothing"));
    }

    @Test
    void aNameThatIsNearlyThatOfARelation() {
        BadRequest said = assertThrows(BadRequest.class, () -> Relations.world().get("person_plays_sports"));
        assertTrue(said.reason().startsWith("'person_plays_sports' is no relation here; did you mean 'person_plays_sport'? There are "),
                said.reason());
        assertTrue(assertThrows(BadRequest.class, () -> Relations.world().get("?")).reason()
                .startsWith("'?' is no relation here; there are "));
    }

    @Test
    void aNonTrivialPrefixBeginsTheObject() {
        Fact f = new Fact("r", "France", "Paris");
        assertTrue(f.begunBy(" Par"));
        assertTrue(f.begunBy(" paris"));
        assertFalse(f.begunBy(" "));
        assertFalse(f.begunBy(" the"));
        assertFalse(f.begunBy(" Parish"));
    }

    /** Held-out templates stand in the place of the others; a relation without one is left out. */
    @Test
    void relationsInWordsThatWereHeldOut() {
        Relations world = Relations.world();
        for (Relation r : world.heldOut().all()) {
            assertEquals(world.get(r.name()).heldOut(), r.templates());
            assertEquals(world.get(r.name()).facts(), r.facts());
            assertFalse(world.get(r.name()).templates().contains(r.template()));
        }
        assertFalse(world.heldOut().all().isEmpty());
        assertTrue(Relations.lre().heldOut().all().isEmpty());
    }

    @Test
    void pairsFitAndTheSeedDecides() {
        LanguageModel model = LanguageModel.open("tiny-mamba");
        KnownFacts known = Relations.of(model).knownBy(model);
        FactPairs pairs = known.pairs(40, 3);
        assertEquals(40, pairs.size());
        for (FactPair p : pairs.pairs()) {
            assertEquals(p.clean().relation(), p.corrupt().relation());
            assertNotEquals(p.clean().subject(), p.corrupt().subject());
            assertNotEquals(p.clean().object(), p.corrupt().object());
            assertEquals(p.cleanPrompt().length(), p.corruptPrompt().length());
            assertEquals(p.cleanPrompt().subjectStart(), p.corruptPrompt().subjectStart());
            assertEquals(p.cleanPrompt().subjectEnd(), p.corruptPrompt().subjectEnd());
        }
        assertEquals(pairs.pairs().stream().map(FactPair::clean).toList(),
                known.pairs(40, 3).pairs().stream().map(FactPair::clean).toList());
        assertNotEquals(pairs.pairs().stream().map(FactPair::clean).toList(),
                known.pairs(40, 4).pairs().stream().map(FactPair::clean).toList());
    }

    /** Another request on the same model, by another runner: the store has all of it, whatever relations are asked besides. */
    @Test
    void factsAreAskedOnce(@TempDir Path dir) throws IOException {
        LanguageModel model = LanguageModel.open("tiny-mamba");
        KnownFacts first = Relations.world().knownBy(model, Runner.of(Store.none(), Store.at(dir), Progress.silent()));
        Map<Path, FileTime> kept = times(dir);
        assertEquals(Relations.world().all().stream().mapToInt(r -> (r.facts().size() + Study.MOST - 1) / Study.MOST).sum(), kept.size());
        KnownFacts again = Relations.world().knownBy(model, Runner.of(Store.none(), Store.at(dir), Progress.silent()));
        Relations.world().only("company_hq").knownBy(model, Runner.of(Store.none(), Store.at(dir), Progress.silent()));
        assertEquals(kept, times(dir));
        assertEquals(first.facts(), again.facts());
    }

    /** A piece that is computed is written anew. */
    private static Map<Path, FileTime> times(Path store) throws IOException {
        try (Stream<Path> all = Files.walk(store)) {
            Map<Path, FileTime> times = new TreeMap<>();
            for (Path file : all.filter(f -> f.toString().endsWith(".json")).toList()) {
                times.put(file, Files.getLastModifiedTime(file));
            }
            return times;
        }
    }

    @Test
    void soManyOfEachRelation() {
        LanguageModel model = LanguageModel.open("tiny-mamba");
        Relations two = Relations.of(model).only("place_in_city", "person_plays_sport");
        assertEquals(List.of("place_in_city", "person_plays_sport"), two.all().stream().map(Relation::name).toList());
        assertThrows(BadRequest.class, () -> Relations.of(model).only("place_in_city", "nothing"));
        KnownFacts known = two.knownBy(model);
        FactPairs pairs = known.pairsOfEach(5, 3);
        for (Relation r : two.all()) {
            assertEquals(known.only(r.name()).pairs(5, 3).pairs(),
                    pairs.pairs().stream().filter(p -> p.clean().relation().equals(r.name())).toList());
            assertEquals(known.only(r.name()).sample(5, 3),
                    known.sampleOfEach(5, 3).stream().filter(k -> k.fact().relation().equals(r.name())).toList());
        }
        assertEquals(10, pairs.size());
        assertThrows(BadRequest.class, () -> known.pairsOfEach(0, 3));
        assertEquals(known.size(), known.sampleOfEach(Integer.MAX_VALUE, 3).size());
    }

    @Test
    void editRequestsOfKnownFacts() {
        LanguageModel model = LanguageModel.open("tiny-mamba");
        Relations relations = Relations.of(model);
        KnownFacts known = relations.knownBy(model);
        EditRequests requests = EditRequests.of(relations, known, 40, 3);
        assertEquals(40, requests.size());
        for (EditRequest r : requests.all()) {
            Relation relation = relations.get(r.relation());
            assertTrue(known.facts().contains(new Fact(r.relation(), r.subject(), r.targetTrue())));
            assertNotEquals(r.targetTrue(), r.targetNew());
            assertTrue(relation.facts().stream().anyMatch(f -> f.object().equals(r.targetNew())));
            assertEquals(relation.heldOut().stream().map(t -> t.with(r.subject())).toList(), r.paraphrases());
            for (String n : r.neighbours()) {
                assertTrue(relation.facts().stream().anyMatch(f -> relation.template().with(f.subject()).equals(n)
                        && f.object().equals(r.targetTrue())
                        && !f.subject().equals(r.subject())), n);
            }
        }
        assertEquals(requests, EditRequests.of(relations, known, 40, 3));
        assertNotEquals(requests, EditRequests.of(relations, known, 40, 4));
        int half = requests.size() / 2;
        assertEquals(requests.get(half), requests.after(half).get(0), "none of the first half is among the others");
        assertEquals(requests.size(), requests.first(half).size() + requests.after(half).size());
        assertThrows(BadRequest.class, () -> requests.after(requests.size()));
    }

    @Test
    void editRequestsOfAFile(@TempDir Path dir) throws IOException {
        String one = "{\"case_id\": 7, \"requested_rewrite\": {\"prompt\": \"{} is in\", \"subject\": \"Rome\", "
                + "\"target_new\": {\"str\": \"France\"}, "
                + "\"target_true\": {\"str\": \"Italy\"}}, \"paraphrase_prompts\": [\"Where Rome is:\"], "
                + "\"neighborhood_prompts\": [\"Milan is in\"]}";
        EditRequest expected = new EditRequest(7, "", "{} is in", "Rome", "France", "Italy",
                List.of("Where Rome is:"), List.of("Milan is in"));
        assertEquals(List.of(expected, expected),
                EditRequests.read(Files.writeString(dir.resolve("a.json"), "[" + one + "," + one + "]")).all());
        assertEquals(List.of(expected, expected),
                EditRequests.read(Files.writeString(dir.resolve("a.jsonl"), one + "\n" + one + "\n")).all());
        for (String bad : new String[] {"[", "[]", "{}", one.replace("Rome", " "),
            one.replace("{} is in", "Milan"), one.replace("France", "")}) {
            Path file = Files.writeString(dir.resolve("bad.json"), bad);
            BadData said = assertThrows(BadData.class, () -> EditRequests.read(file), bad);
            assertEquals(file.toString(), said.file());
        }
        BadData second = assertThrows(BadData.class, () -> EditRequests.read(Files.writeString(dir.resolve("bad.jsonl"), one + "\n{}")));
        assertEquals("request 1", second.place());
        assertTrue(assertThrows(IllegalArgumentException.class, () -> EditRequests.read(dir.resolve("none")))
                .getMessage().contains("no such file"));
        EditRequests both = EditRequests.read(dir.resolve("a.json"));
        both.write(dir.resolve("below").resolve("b.json"));
        assertEquals(both, EditRequests.read(dir.resolve("below").resolve("b.json")));
    }

    /** The requests that come with the project are what the generator writes about its world. */
    @Test
    void editRequestsOfTheWorld() {
        EditRequests requests = EditRequests.world();
        assertEquals(100, requests.size());
        Relations relations = Relations.world();
        for (EditRequest r : requests.all()) {
            Relation relation = relations.get(r.relation());
            assertEquals(relation.template().text(), r.prompt());
            assertTrue(relation.facts().contains(new Fact(r.relation(), r.subject(), r.targetTrue())));
            assertNotEquals(r.targetTrue(), r.targetNew());
            assertEquals(relation.heldOut().stream().map(t -> t.with(r.subject())).toList(), r.paraphrases());
            assertTrue(r.neighbours().size() >= 2);
        }
    }

    @Test
    void aFileThatIsNoRelationIsRefused(@TempDir Path dir) throws IOException {
        Path file = dir.resolve("r.json");
        for (String text : new String[] {"{", "{}", "{\"prompt_templates\":[\"{} is\"],\"samples\":[{\"subject\":1}]}",
            "{\"prompt_templates\":[\"no place\"],\"samples\":[{\"subject\":\"a\",\"object\":\"b\"}]}",
            "{\"prompt_templates\":[\"{} is\"],\"samples\":[]}",
            "{\"prompt_templates\":[\"{} is\"],\"samples\":[{\"subject\":\" \",\"object\":\"b\"}]}"}) {
            Files.writeString(file, text);
            BadData said = assertThrows(BadData.class, () -> Relation.read(file), text);
            assertEquals(file.toString(), said.file());
        }
        Files.delete(file);
        assertThrows(BadData.class, () -> Relations.folder(dir));
    }

    @Test
    void aPipeIsNotWaitedFor(@TempDir Path dir) throws IOException, InterruptedException {
        Path pipe = dir.resolve("pipe.json");
        assertEquals(0, new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor());
        assertTimeoutPreemptively(Duration.ofSeconds(10), () -> {
            assertThrows(BadData.class, () -> Relations.folder(dir));
            assertThrows(BadData.class, () -> EditRequests.read(pipe));
            assertEquals("texts", assertThrows(BadRequest.class, () -> Documents.read(pipe)).field());
            assertThrows(BadRequest.class, () -> Documents.read(Path.of("/dev/zero")));
        });
    }

    @Test
    void aWorldIsWrittenAsAWholeOrTheMachineSaysWhyNot(@TempDir Path dir) throws IOException {
        World world = World.generate(1, World.Names.GRID);
        world.write(dir.resolve("world"));
        assertEquals(world.relations(), World.read(dir.resolve("world")).relations().stream()
                .sorted(Comparator.comparingInt(r -> world.relations().stream().map(Relation::name).toList().indexOf(r.name()))).toList());
        Path file = Files.writeString(dir.resolve("file"), "");
        UncheckedIOException said = assertThrows(UncheckedIOException.class, () -> world.write(file));
        assertTrue(said.getMessage().startsWith(file + ": cannot be written ("), said.getMessage());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "{}|prompt_templates: missing, expected a list of texts with {} where the subject goes",
        "{'prompt_templates': '{} is'}|prompt_templates: \"{} is\", expected a list of texts",
        "{'prompt_templates': ['{} is'], 'held_out_templates': 'x {}'}|held_out_templates: \"x {}\", expected a list of texts",
        "{'prompt_templates': ['{} is', 3]}|prompt_templates: 3, expected a text",
        "{'prompt_templates': ['is']}|prompt_templates: the template 'is' must hold {} exactly once, where the subject goes",
        "{'prompt_templates': ['{} is'], 'subject_type': 3}|subject_type: 3, expected a text",
        "{'prompt_templates': ['{} is'], 'samples': {}}|samples: expected a list of at least one {\"subject\", \"object\"}",
        "{'prompt_templates': ['{} is'], 'samples': [{'subject': 'a', 'object': 'b'}, {'subject': 'a'}]}|samples[1]: needs a subject"})
    void whatIsWrongWithARelationIsSaidWithItsPlace(String json, String sentence, @TempDir Path dir) throws IOException {
        Path file = Files.writeString(dir.resolve("r.json"), json.replace('\'', '"'));
        String said = assertThrows(BadData.class, () -> Relation.read(file)).getMessage();
        assertTrue(said.startsWith(file + ": " + sentence), said);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "'case_id': 'x'|case_id: \"x\", expected a whole number", "'case_id': 1e30|case_id: 1.0E30, expected a whole number",
        "'paraphrase_prompts': 'x'|paraphrase_prompts: \"x\", expected a list of texts",
        "'neighborhood_prompts': ['x', '']|neighborhood_prompts: \"\", expected a text that is not empty",
        "'paraphrase_prompts': ['\\ud800']|paraphrase_prompts[0]: '\\ud800' holds half a letter"})
    void whatIsWrongWithAnEditRequestIsSaidWithItsPlace(String field, String sentence, @TempDir Path dir) throws IOException {
        String good = "'requested_rewrite': {'prompt': '{} is in', 'subject': 'Rome', 'target_new': {'str': 'France'}}";
        Path file = Files.writeString(dir.resolve("e.json"), ("[{" + good + "}, {" + good + ", " + field + "}]").replace('\'', '"'));
        String said = assertThrows(BadData.class, () -> EditRequests.read(file)).getMessage();
        assertTrue(said.startsWith(file + ": request 1: " + sentence), said);
    }

    @Test
    void textsOfAFile(@TempDir Path dir) throws IOException {
        try (Stream<String> texts = Documents.read(Files.writeString(dir.resolve("a.txt"), "one\n\ntwo\n"))) {
            assertEquals(List.of("one", "two"), texts.toList());
        }
        Path lines = Files.writeString(dir.resolve("a.jsonl"), "{\"text\": \"one\"}\n{\"text\": 2}\n");
        try (Stream<String> texts = Documents.read(lines)) {
            assertEquals("texts: " + lines + ": line 2: text: 2, expected a text",
                    assertThrows(BadRequest.class, texts::toList).getMessage());
        }
        assertEquals("texts: " + dir + "/none: no such file",
                assertThrows(BadRequest.class, () -> Documents.read(dir.resolve("none"))).getMessage());
    }

    @Test
    void aWorldOfRealFactsIsWrittenAsItWasRead(@TempDir Path dir) {
        World.read(DataFolder.find("relations")).write(dir);
        assertEquals(Relations.lre().all(), Relations.folder(dir).all());
    }

    @Test
    void theIntervalHoldsTheMeanAndShrinks() {
        double[] few = {0, 1, 0, 1, 1, 0, Double.NaN};
        Estimate e = Estimate.mean(few, 1);
        assertEquals(6, e.n());
        assertEquals(0.5, e.mean());
        assertTrue(e.low() < 0.5 && e.high() > 0.5 && e.low() >= 0 && e.high() <= 1);
        double[] many = new double[600];
        for (int i = 0; i < many.length; i++) {
            many[i] = i % 2;
        }
        Estimate narrow = Estimate.mean(many, 1);
        assertTrue(narrow.high() - narrow.low() < (e.high() - e.low()) / 3);
        assertEquals(1.96 * 2 * 0.5 / Math.sqrt(600), narrow.high() - narrow.low(), 0.01);
        assertEquals(0, Estimate.mean(new double[] {Double.NaN}, 1).n());
        assertEquals("–", Estimate.mean(new double[] {Double.NaN}, 1).toString());
        assertEquals("1.000 [–]", Estimate.mean(new double[] {1}, 1).toString());
        assertEquals("1.000 [1.000, 1.000]", Estimate.mean(new double[] {1, 1}, 1).toString());
    }
}
