package lab.recall;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.Set;
import lab.recall.base.BadRequest;
import lab.recall.edit.Edit;
import lab.recall.edit.EditSettings;
import lab.recall.edit.RankOneEditor;
import lab.recall.edit.SecondMoment;
import lab.recall.facts.FactPair;
import lab.recall.facts.FactPairs;
import lab.recall.facts.Relations;
import lab.recall.model.Compared;
import lab.recall.model.HookPoint;
import lab.recall.model.Intervention;
import lab.recall.model.LanguageModel;
import lab.recall.model.LensReading;
import lab.recall.model.Pass;
import lab.recall.model.Recording;
import lab.recall.model.Site;
import lab.recall.model.Surprisal;
import lab.recall.study.Runner;
import lab.recall.text.Prompt;
import lab.recall.text.Template;
import lab.recall.trace.CausalTrace;
import lab.recall.trace.ExampleTrace;
import lab.recall.trace.Position;
import lab.recall.view.Export;
import lab.recall.view.Show;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tech.tablesaw.api.Table;

/** Texts of somebody's own, each in one line. */
class OwnPromptTest {
    private static final LanguageModel MAMBA = LanguageModel.open("tiny-mamba");

    private static FactPairs known() {
        return Relations.of(MAMBA).knownBy(MAMBA, Runner.silent()).pairs(30, 1);
    }

    @Test
    void twoTextsAreTracedAsThePairIs() {
        int asked = 0;
        for (FactPair pair : known().pairs()) {
            if (Set.of(pair.clean().subject().split(" ")).stream().anyMatch(w -> pair.corrupt().subject().contains(w))) {
                continue;
            }
            FactPair own = FactPair.of(MAMBA, pair.cleanPrompt().text(), pair.corruptPrompt().text());
            assertEquals(pair.cleanPrompt(), own.cleanPrompt());
            assertEquals(pair.corruptPrompt(), own.corruptPrompt());
            assertEquals(pair.answer(), own.answer());
            assertEquals(pair.clean().subject(), own.clean().subject());
            if (asked++ < 2) {
                ExampleTrace trace = CausalTrace.of(MAMBA).of(pair.cleanPrompt().text(), pair.corruptPrompt().text());
                double[][] expected = CausalTrace.of(MAMBA).of(pair).grid().effect();
                for (int l = 0; l < expected.length; l++) {
                    assertArrayEquals(expected[l], trace.grid().effect()[l]);
                }
                Table table = trace.table();
                assertEquals((own.cleanPrompt().length() + 1) * MAMBA.layers(), table.rowCount());
                assertEquals(Position.SUBJECT.label(), table.row(table.rowCount() - 1).getString("token"));
                Pass clean = MAMBA.run(own.cleanPrompt().ids());
                Intervention[] whole = Arrays.stream(own.cleanPrompt().subjectTokens())
                        .mapToObj(t -> Intervention.patch(new Site(2, HookPoint.RESID_POST, t), clean)).toArray(Intervention[]::new);
                assertEquals(MAMBA.run(own.corruptPrompt().ids(), Recording.nothing(), whole).probability(own.answer()),
                        trace.grid().p()[2][own.cleanPrompt().length()], 1e-6);
                assertEquals(expected[2][1], table.row(MAMBA.layers() + 2).getDouble("indirect effect"));
                assertTrue(Export.files("own", table).containsKey("own.csv"));
            }
        }
        assertTrue(asked > 5, asked + " pairs without a word in common");
    }

    @Test
    void aSubjectThatIsNamed() {
        FactPair pair = known().get(0);
        String clean = pair.cleanPrompt().text();
        String corrupt = pair.corruptPrompt().text();
        FactPair named = FactPair.of(MAMBA, clean, corrupt, pair.clean().subject());
        assertEquals(pair.cleanPrompt(), named.cleanPrompt());
        assertEquals(pair.corruptPrompt(), named.corruptPrompt());
        assertArrayEquals(CausalTrace.of(MAMBA).of(pair).grid().p()[3],
                CausalTrace.of(MAMBA).of(clean, corrupt, pair.clean().subject()).grid().p()[3]);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', nullValues = "-", value = {
        "Novux Bridge is in | Novux Bridge is in | - | the two texts are the same, expected two subjects",
        "Novux Bridge is in | Novux Bridge is in | Novux Bridge | the two texts are the same, expected two subjects",
        "Novux Bridge is in | The Novux Bridge is in | - | one text is the other with words added, so that only one of them has a subject",
        "Novux Bridge of Malpolis is in | Polux Tower of Tarville is in | - | the texts differ in 'Novux Bridge of Malpolis' and",
        "Novux Bridge is in | Polux Bridge is at | Novux | but for their subjects the texts must be the same: expected '', another subject",
        "Novux Bridge is in | Polux Bridge is in | Tower | the clean text 'Novux Bridge is in' must hold its subject 'Tower' exactly once",
        "Novux Bridge is in | Polux Bridge is in | i | the clean text 'Novux Bridge is in' must hold its subject 'i' exactly once"
    })
    void textsThatDoNotTell(String clean, String corrupt, String subject, String said) {
        BadRequest e = assertThrows(BadRequest.class, () -> {
            if (subject == null) {
                FactPair.of(MAMBA, clean, corrupt);
            } else {
                FactPair.of(MAMBA, clean, corrupt, subject);
            }
        });
        assertTrue(e.getMessage().startsWith(said), e.getMessage());
    }

    @Test
    void subjectsOfUnequalLength() {
        Template template = new Template("{} is located in the city of");
        Prompt two = template.fill(MAMBA.requireTokenizer(), "Novux Bridge");
        String longer = "Xyzzyquux Grandiosity";
        int tokens = template.fill(MAMBA.requireTokenizer(), longer).subjectTokens().length;
        assertTrue(tokens > two.subjectTokens().length);
        String said = assertThrows(BadRequest.class,
                () -> FactPair.of(MAMBA, template.with("Novux Bridge"), template.with(longer))).getMessage();
        assertEquals("'Novux Bridge' has " + two.subjectTokens().length + " tokens, '" + longer + "' " + tokens
                + ": the texts must lie token on token; expected another subject of " + two.subjectTokens().length + " tokens", said);
    }

    @Test
    void theLogitLensReadsTheStream() {
        Prompt prompt = known().get(0).cleanPrompt();
        LensReading lens = MAMBA.lens(prompt);
        Pass pass = MAMBA.run(prompt.ids(), Recording.points(HookPoint.RESID_POST));
        int answer = pass.argmax();
        int last = prompt.length() - 1;
        assertEquals(pass.probability(answer), lens.at(last, MAMBA.layers() - 1), 1e-6);
        float[] logits = MAMBA.logitLens(pass.get(new Site(3, HookPoint.RESID_POST, 2)))[0];
        double sum = 0;
        for (float v : logits) {
            sum += Math.exp(v - logits[answer]);
        }
        assertEquals(1 / sum, lens.at(2, 3), 1e-6);
        assertEquals(MAMBA.requireTokenizer().token(answer), lens.words().row(last).getString("layer " + (MAMBA.layers() - 1)));
        assertEquals(lens.at(2, 3), lens.table().row(2).getDouble("layer 3"));
        assertTrue(lens.table().row(prompt.subjectStart()).getString("token").endsWith(" *"));
        assertThrows(BadRequest.class, () -> MAMBA.lens(prompt, MAMBA.vocabulary()));
        assertEquals(MAMBA.lens(prompt.text()).at(2, 3), lens.at(2, 3));
    }

    /** The chain rule: a text's bits are those of its tokens, each asked by a run of what stands before it. */
    @Test
    void surprisalIsWhatEachPrefixSays() {
        Prompt prompt = known().get(0).cleanPrompt();
        Surprisal found = MAMBA.surprisal(prompt);
        double total = 0;
        for (int t = 1; t < prompt.length(); t++) {
            double bits = -Math.log(MAMBA.run(Arrays.copyOf(prompt.ids(), t)).probability(prompt.ids()[t])) / Math.log(2);
            assertEquals(bits, found.bits()[t], 1e-4 * Math.max(1, bits));
            total += bits;
        }
        assertTrue(Double.isNaN(found.bits()[0]));
        assertEquals(total, found.total(), 1e-3 * total);
        assertEquals(prompt.length(), found.table().rowCount());
        assertTrue(found.table().row(prompt.subjectStart()).getString("token").endsWith(" *"));
        assertArrayEquals(found.bits(), MAMBA.surprisal(prompt.text()).bits());
        assertTrue(Double.isNaN(MAMBA.surprisal(Prompt.ofIds(3)).bits()[0]), "nothing stands before a text of one token");
    }

    @Test
    void aPointIsAPictureWithItsTokens() {
        Prompt prompt = known().get(0).cleanPrompt();
        Pass pass = MAMBA.run(prompt.ids(), Recording.points(HookPoint.RESID_POST).and(Recording.states()));
        assertEquals("tiny-mamba: layers.4.resid_post, " + HookPoint.RESID_POST.meaning(), pass.heatmap(4, HookPoint.RESID_POST).title());
        String page = Show.text(pass.heatmap(4, HookPoint.RESID_POST));
        assertTrue(page.startsWith("[picture: tiny-mamba: layers.4.resid_post"), page);
        String said = assertThrows(BadRequest.class, () -> pass.heatmap(4, HookPoint.RESID_PRE)).getMessage();
        assertTrue(said.contains("was not kept"), said);
        assertTrue(assertThrows(BadRequest.class, () -> pass.heatmap(40, HookPoint.RESID_POST)).getMessage()
                .contains("expected one from 0 to 7"));
    }

    @Test
    void twoModelsSideBySide() {
        LanguageModel neox = LanguageModel.open("tiny-neox");
        String text = known().get(0).cleanPrompt().text();
        Compared both = MAMBA.compare(neox, text);
        Table top = both.top(3);
        assertEquals(List.of("rank", "tiny-mamba", "p", "tiny-neox", "p of the other"), top.columnNames());
        assertEquals(neox.next(text).token(1), top.row(1).getString("tiny-neox"));
        assertEquals(MAMBA.next(text).probability(2), top.row(2).getDouble("p"));
        assertTrue(both.heatmap().png().length > 0);
        assertEquals(3, MAMBA.compare(MAMBA, text).top(3).rowCount());
    }

    @Test
    void aFactIsEdited() {
        FactPair pair = known().get(0);
        String template = pair.cleanPrompt().text().replace(pair.clean().subject(), "{}");
        RankOneEditor editor = RankOneEditor.of(MAMBA).contexts(List.of(new Template("{}")))
                .moment(SecondMoment.identity(MAMBA.width(MAMBA.outputMatrix().key())));
        Edit edit = Edit.of(editor, pair.clean().subject(), template, pair.corrupt().object());
        assertEquals(EditSettings.of(MAMBA), editor.settings());
        String first = edit.after().next(pair.cleanPrompt()).token(0).strip();
        assertTrue(pair.corrupt().object().startsWith(first), first);
        assertEquals(first, edit.next().row(0).getString("after").strip());
        assertEquals(pair.answer(), edit.before().next(pair.cleanPrompt()).id(0));
        assertEquals(1, edit.tests().rowCount());
        assertEquals(2, edit.continuation(pair.cleanPrompt().text(), 2).rowCount());
        assertThrows(BadRequest.class, () -> Edit.of(editor, "Nobody", "no place", "x"));
    }
}
