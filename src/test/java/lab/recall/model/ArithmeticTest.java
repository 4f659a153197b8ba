package lab.recall.model;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Random;
import lab.recall.base.Digest;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A fixed pass and its gradients, to the last bit: kept pieces are found again by the arithmetic's number. When a kernel changes a bit on
 * purpose, raise {@code Arithmetic.NUMBER} and write the new digests here.
 */
class ArithmeticTest {
    private static final String NUMBERED = "lanes 1";

    @BeforeEach
    void onLanes() {
        Assumptions.assumeTrue(LanguageModel.arithmetic().startsWith("lanes"), "without the Vector API the BLAS of the machine decides");
        assertEquals(NUMBERED, LanguageModel.arithmetic());
    }

    @ParameterizedTest
    @CsvSource({"tiny-mamba, 01126267c202db879b0294977ed9444247203a89f4cdcc3f2bcd948ca238fca1", "tiny-neox, 777cbc9d8eec284ba697f3467cfad2c2711619138e9a16d4e305e8eda90a3520"})
    void aFixedPassIsTheSameToTheLastBit(String name, String digest) {
        LanguageModel model = LanguageModel.open(name);
        int[] ids = new Random(1).ints(70, 0, model.vocabulary()).toArray();
        Pass pass = model.run(ids, Recording.gradients());
        Gradients g = Gradients.of(pass, 3, Recording.points(HookPoint.RESID_POST));
        Digest found = new Digest().add(pass.logits());
        for (int t = 0; t < ids.length; t += 23) {
            found.add(g.get(new Site(1, HookPoint.RESID_POST, t)));
        }
        assertEquals(digest, found.hex());
    }
}
