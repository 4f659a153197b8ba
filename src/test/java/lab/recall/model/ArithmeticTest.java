package lab.recall.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import lab.recall.Golden;
import lab.recall.base.Digest;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A fixed pass and its gradients, to the last bit: kept pieces are found again by the arithmetic's number. When a kernel changes a bit on
 * purpose, raise {@code Arithmetic.NUMBER} and write the new digests here.
 */
class ArithmeticTest {
    private static final String NUMBERED = " lanes, 2";

    @BeforeEach
    void onLanes() {
        Assumptions.assumeFalse(LanguageModel.arithmetic().startsWith("blas"), "without the Vector API the BLAS of the machine decides");
        assertTrue(LanguageModel.arithmetic().endsWith(NUMBERED), LanguageModel.arithmetic());
    }

    private static Pass pass(String name) {
        LanguageModel model = LanguageModel.open(name);
        return model.run(new Random(1).ints(70, 0, model.vocabulary()).toArray(), Recording.gradients());
    }

    @ParameterizedTest
    @CsvSource({"tiny-mamba, c19ee0347788fad3bddd7be3caf313b3a488e512fa5402bc81a7031282f8f622",
        "tiny-neox, b736622c533ccb7f25cd4fb0665c789dff50a26c941831e4b8e0e2d57e84d428"})
    void aFixedPassIsTheSameToTheLastBit(String name, String digest) {
        assertEquals(digest, Digest.of(pass(name).logits()));
    }

    /** Longer than a chunk of its scan. */
    @Test
    void mamba2sToo() {
        LanguageModel model = LanguageModel.open(Golden.folder("mamba2-a-f32"));
        int[] ids = new Random(1).ints(150, 0, model.vocabulary()).toArray();
        assertEquals("6656df8fcd66d03f4774a38837a032e404a1b9d9f4310cf6de8b2f46b40711b4", Digest.of(model.run(ids).logits()));
    }

    @ParameterizedTest
    @CsvSource({"tiny-mamba, bd333266187ba83f0e8e37440c18d3a82428167f8ca8b6c6aba1373101a8f05d",
        "tiny-neox, a63ed8e7511a92ebc18cc704968cbbf268e2d9d3b496720676ecbc183450a633"})
    void itsGradientsToo(String name, String digest) {
        Assumptions.assumeTrue(LanguageModel.arithmetic().startsWith("8 "), "sums over channels depend on the lanes");
        Gradients g = Gradients.of(pass(name), 3, Recording.points(HookPoint.RESID_POST));
        Digest found = new Digest();
        for (int t = 0; t < 70; t += 23) {
            found.add(g.get(new Site(1, HookPoint.RESID_POST, t)));
        }
        assertEquals(digest, found.hex());
    }
}
