package lab.recall.paper;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.Function;
import java.util.stream.IntStream;
import lab.recall.base.BadRequest;
import lab.recall.base.Json;
import lab.recall.facts.Relations;
import lab.recall.knockout.Knockout;
import lab.recall.knockout.KnockoutCurves;
import lab.recall.knockout.TokenGroup;
import lab.recall.linear.LinearRelations;
import lab.recall.linear.LinearSweep;
import lab.recall.model.Jacobian;
import lab.recall.model.LanguageModel;
import lab.recall.study.Runner;
import lab.recall.trace.AverageTrace;
import lab.recall.trace.BlockedPaths;
import lab.recall.trace.CausalTrace;
import lab.recall.trace.PathBlocking;
import lab.recall.trace.Position;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Each sentence, on curves for which it says that it is as in the paper, and on others. */
class PaperPictureTest {
    private static LanguageModel neox;
    private static AverageTrace trace;

    @BeforeAll
    static void open() {
        System.setProperty("recall.store", "none");
        neox = LanguageModel.open("tiny-neox");
        trace = CausalTrace.of(neox).residual()
                .over(Relations.of(neox).only("place_in_city").knownBy(neox, Runner.silent()).pairs(2, 1), Runner.silent());
    }

    /** A trace of six layers whose pairs all have these curves. */
    private static AverageTrace made(Function<Position, double[]> curve) {
        ObjectNode json = (ObjectNode) Json.tree(trace);
        ArrayNode samples = json.putArray("samples");
        for (Position p : Position.values()) {
            ArrayNode layers = samples.addArray();
            Arrays.stream(curve.apply(p)).forEach(v -> layers.addArray().add(v).add(v));
        }
        json.putArray("effects");
        return Made.read(json, AverageTrace.class);
    }

    private static AverageTrace made(double[] subjectLast, double[] subject, double[] further, double[] last) {
        return made(p -> switch (p) {
            case SUBJECT_LAST -> subjectLast;
            case SUBJECT -> subject;
            case FURTHER -> further;
            case LAST -> last;
            default -> new double[6];
        });
    }

    private static String said(PaperPicture p, int row) {
        return p.table().getString(row, 0) + ": " + p.table().getString(row, 1);
    }

    private static void assertSaid(String start, PaperPicture p, int row, String... parts) {
        String said = said(p, row);
        assertTrue(said.startsWith(start + ": "), said);
        for (String part : parts) {
            assertTrue(said.contains(part), said);
        }
    }

    @Test
    void traces() {
        AverageTrace paper = made(new double[] {.1, .7, .8, .1, .1, 0}, new double[] {1, 1, .9, .2, .2, 0},
                new double[] {0, 0, 0, .05, .02, 0}, new double[] {0, 0, 0, .9, .9, 1});
        PaperPicture same = PaperPicture.of(paper, paper);
        assertEquals(3, same.same());
        assertSaid("as in the paper", same, 0, "from layer 3 of 6 (0.67 of the depth) on", "Mamba-2.8b 0.", "Pythia-2.8b 0.");
        assertSaid("as in the paper", same, 1, "at most 0.800", "all tokens of the subject 0.900", "0.100 [0.100, 0.100] more");
        AverageTrace other = made(new double[] {.1, .2, .2, .1, .1, 0}, new double[] {1, 1, .9, .9, .9, .2},
                new double[] {0, 0, 0, .5, .2, 0}, new double[] {0, 0, 0, 0, .1, 1});
        PaperPicture differs = PaperPicture.of(other, other);
        assertEquals(0, differs.same());
        assertEquals(3, differs.size());
        assertSaid("not as in the paper", differs, 0, "from layer 5 of 6");
        assertSaid("not as in the paper", differs, 2, "carry at most 0.500");
        AverageTrace never = made(new double[6], new double[] {1, 1, 1, 1, 1, 1}, new double[6], new double[6]);
        assertSaid("not as in the paper", PaperPicture.of(never, never), 0, "never carries more than the whole subject;");
    }

    @Test
    void blockedPaths() {
        BlockedPaths blocked = PathBlocking.of(neox).together().over(
                Relations.of(neox).only("place_in_city").knownBy(neox, Runner.silent()).pairs(2, 1), Runner.silent());
        PaperPicture same = PaperPicture.of(blocked(blocked, .9, .6, .3, .9, .88, .85));
        assertEquals(2, same.same(), said(same, 0) + said(same, 1));
        assertSaid("as in the paper", same, 0, "whole subject", "blocking attention costs 0.30, blocking MLP costs 0.60");
        PaperPicture differs = PaperPicture.of(blocked(blocked, .9, .3, .6, .9, .88, .5));
        assertEquals(0, differs.same());
        assertSaid("not as in the paper", differs, 1, "blocking MLP costs 0.40");
        LanguageModel mamba = LanguageModel.open("tiny-mamba");
        BlockedPaths ofMamba = PathBlocking.of(mamba)
                .over(Relations.of(mamba).knownBy(mamba, Runner.silent()).pairs(2, 1), Runner.silent());
        assertTrue(said(PaperPicture.of(ofMamba), 0).contains("in Mamba-2.8b, at its last token, "), "its own components");
        ObjectNode unknown = (ObjectNode) Json.tree(ofMamba);
        ((ObjectNode) unknown.get("samples")).set("state", unknown.get("samples").get("y"));
        assertThrows(BadRequest.class, () -> PaperPicture.of(Made.read(unknown, BlockedPaths.class)));
    }

    /** Levels of recovery at the subject, then at the last token: nothing, attention, MLP blocked. */
    private static BlockedPaths blocked(BlockedPaths like, double... levels) {
        ObjectNode json = (ObjectNode) Json.tree(like);
        ObjectNode samples = json.putObject("samples");
        json.putArray("relations").add("one");
        int i = 0;
        for (String name : new String[] {BlockedPaths.NOTHING, "attn_out", "mlp_out"}) {
            ObjectNode at = samples.putObject(name);
            for (Position p : new Position[] {Position.SUBJECT, Position.LAST}) {
                ArrayNode layers = at.putArray(p.name());
                for (int l = 0; l < like.model().layers(); l++) {
                    layers.addArray().add(levels[i + (p == Position.LAST ? 3 : 0)]);
                }
            }
            i++;
        }
        return Made.read(json, BlockedPaths.class);
    }

    @Test
    void edits() {
        PaperPicture same = PaperPicture.of(Made.edits(Made.NEOX, List.of(PaperEdits.W_DOWN), Made.published(PaperModel.PYTHIA)),
                OptionalInt.of(5));
        assertSaid("as in the paper", same, 0, "in layer 0 of 8 (0.13 of the depth)", "that lies before the hand-over", "(layer 5 of 8");
        assertSaid("as in the paper", same, 1, "before the hand-over");
        double[] late = {0, 0, 0, 0, 0, 0, 1, 1};
        PaperPicture differs = PaperPicture.of(Made.edits(Made.NEOX, List.of(PaperEdits.W_DOWN), (m, measure) -> late), OptionalInt.of(5));
        assertEquals(0, differs.same());
        assertSaid("not as in the paper", differs, 0, "in layer 6 of 8", "that does not lie before the hand-over");
        assertEquals(1, PaperPicture.of(Made.edits(Made.NEOX, List.of(PaperEdits.W_DOWN), (m, measure) -> late), OptionalInt.empty())
                .size());
    }

    @Test
    void linearRelations() {
        LanguageModel mamba = LanguageModel.open("tiny-mamba");
        LinearRelations found = LinearSweep.of(mamba).zeroShot().layers(Jacobian.EMBED, 3).splits(1).faithfulnessOnly()
                .over(Relations.of(mamba).only("landmark_in_country", "person_native_language", "person_plays_sport"), Runner.silent());
        PaperPicture same = PaperPicture.of(found);
        assertSaid("as in the paper", same, 0, "over the 3 relations that are measured", "its mean over the same is Mamba-2.8b 0.");
        assertEquals(2, same.size());
        LinearRelations handedOver = LinearSweep.of(mamba).zeroShot().layers(mamba.layers() - 1).splits(1).faithfulnessOnly()
                .over(Relations.of(mamba).only("landmark_in_country"), Runner.silent());
        PaperPicture differs = PaperPicture.of(handedOver);
        assertEquals(1, differs.size(), "one relation has no order");
        assertSaid("not as in the paper", differs, 0, "over the 1 relations");
    }

    @Test
    void knockOut() {
        KnockoutCurves found = Knockout.of(neox).over(Relations.of(neox).only("place_in_city").knownBy(neox, Runner.silent()).sample(2, 1),
                Runner.silent());
        PaperPicture same = PaperPicture.of(knockout(found, new double[] {-.5, -.5, -.5, -.9, -.5, -.3}, .5));
        assertEquals(3, same.same());
        assertSaid("as in the paper", same, 0, "around layer 3 of 6 (0.67 of the depth): -0.900");
        PaperPicture differs = PaperPicture.of(knockout(found, new double[] {0, -.5, -.1, -.1, 0, 0}, -.1));
        assertEquals(0, differs.same());
        assertSaid("not as in the paper", differs, 0, "around layer 1 of 6");
        assertSaid("not as in the paper", differs, 2, "by -0.10");
    }

    private static KnockoutCurves knockout(KnockoutCurves like, double[] subject, double end) {
        ObjectNode json = (ObjectNode) Json.tree(like);
        ArrayNode fact = json.putArray("changes").addArray();
        json.putArray("relations").add("one");
        for (TokenGroup g : TokenGroup.PUBLISHED) {
            ArrayNode layers = fact.addArray();
            IntStream.range(0, subject.length).mapToDouble(l -> g == TokenGroup.SUBJECT ? subject[l] : end).forEach(layers::add);
        }
        return Made.read(json, KnockoutCurves.class);
    }
}
