package lab.recall.linear;

import java.util.List;
import lab.recall.base.BadRequest;
import lab.recall.base.Check;
import lab.recall.study.Asks;
import lab.recall.study.GivenPrompt;

/** Asks for the {@link LinearOperator} of given prompts. */
public record LreRequest(
        @Asks("Prompts that make the operator: {\"prompt\", \"token\"} each, the token where the subject ends") List<Example> samples,
        @Asks("After which layer h is taken, or embed") SourceLayer layer,
        @Asks("The slope's factor") Double beta,
        @Asks("Prompts that it is applied to, as in samples") List<Example> tests,
        @Asks(value = "Rank of the low-rank form and of its pseudo-inverse", otherwise = "neither is made") Integer rank) {
    public LreRequest {
        samples = some("samples", samples);
        Check.given("layer", layer);
        Check.number("beta", Check.given("beta", beta), Double.NEGATIVE_INFINITY);
        tests = some("tests", tests);
        if (rank != null) {
            Check.whole("rank", rank, 1, Integer.MAX_VALUE);
        }
    }

    private static List<Example> some(String field, List<Example> given) {
        if (given == null || given.isEmpty()) {
            throw new BadRequest(field, "expected a list of at least one {\"prompt\", \"token\"}");
        }
        for (int i = 0; i < given.size(); i++) {
            if (given.get(i) == null) {
                throw new BadRequest(field + "[" + i + "]", "null, expected {\"prompt\", \"token\"}");
            }
        }
        return List.copyOf(given);
    }

    /** A prompt and the token where its subject ends. */
    public record Example(GivenPrompt prompt, Integer token) {
        public Example {
            Check.given("prompt", prompt);
            Check.whole("token", Check.given("token", token), 0, Integer.MAX_VALUE);
        }
    }
}
