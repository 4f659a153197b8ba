package lab.recall.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import lab.recall.base.BadRequest;
import lab.recall.model.block.ScanPoints;
import org.junit.jupiter.api.Test;

/** What families have to agree on. */
class ArchitecturesTest {
    /** One that only declares. */
    private record Declared(String type, List<HookPoint> points, List<EditableMatrix> matrices) implements Architecture {
        @Override
        public String family() {
            return type;
        }

        @Override
        public Mixing mixing() {
            return new Mixing(List.of(), Optional.empty());
        }

        @Override
        public Profile profile() {
            return Profile.DEEP;
        }

        @Override
        public LanguageModel open(Opening from) {
            throw new UnsupportedOperationException();
        }

        @Override
        public Class<? extends FreshSizes> sizes() {
            return FreshSizes.class;
        }

        @Override
        public FreshSizes sizes(JsonNode config) {
            throw new UnsupportedOperationException();
        }
    }

    private static void together(HookPoint point, EditableMatrix matrix) {
        HookPoint key = HookPoint.token("some_key", "a key");
        Architectures.requireOneVocabulary(List.of(new Declared("one", List.of(ScanPoints.OUT),
                List.of(EditableMatrix.of("some.matrix", "W", key, ScanPoints.OUT, "a.{}.weight"))),
                new Declared("other", List.of(point), List.of(matrix))));
    }

    @Test
    void oneNameMeansOneThing() {
        EditableMatrix stored = EditableMatrix.of("some.matrix", "W", HookPoint.token("some_key", "a key"), ScanPoints.OUT, "b.{}.kernel");
        together(ScanPoints.OUT, stored.transposed());
        assertEquals("other declares the point 'out' otherwise than another family: share that one, or take another name",
                assertThrows(IllegalStateException.class, () -> together(HookPoint.token("out", "output of the block"), stored))
                        .getMessage());
        EditableMatrix another = EditableMatrix.of("some.matrix", "W", ScanPoints.GATED, ScanPoints.OUT, "a.{}.weight");
        assertEquals("other declares the matrix 'some.matrix' otherwise than another family: share that one, or take another name",
                assertThrows(IllegalStateException.class, () -> together(ScanPoints.OUT, another)).getMessage());
    }

    /** Those of the house and that of the tests, in the order in which the class path has them. */
    @Test
    void oneThatIsNotThereIsAnsweredByAll() {
        String said = assertThrows(BadRequest.class, () -> Architectures.of("mambo")).getMessage();
        String all = Architectures.all().stream().map(Architecture::type).collect(Collectors.joining(" or "));
        assertEquals("family: 'mambo', expected " + all + "; did you mean 'mamba'?", said);
        assertEquals(Set.of("mamba", "gpt_neox", "llama", "gpt2", "falcon_mamba", "mamba2", "retention"),
                Architectures.all().stream().map(Architecture::type).collect(Collectors.toSet()));
    }

    /** Full names are taken apart at their dots. */
    @Test
    void aPointsNameIsOneWord() {
        assertEquals("'mlp.out', expected a word of letters, digits and _",
                assertThrows(IllegalArgumentException.class, () -> HookPoint.token("mlp.out", "output")).getMessage());
    }
}
