package lab.recall.linear;

import lab.recall.base.Check;
import lab.recall.study.Asks;
import lab.recall.study.GivenPrompt;

/** Asks for a {@link lab.recall.model.Jacobian} of one run. */
public record JacobianRequest(
        @Asks("The prompt") GivenPrompt prompt,
        @Asks("After which layer the stream is moved, or embed") SourceLayer layer,
        @Asks("At which token") Integer token) {
    public JacobianRequest {
        Check.given("prompt", prompt);
        Check.given("layer", layer);
        Check.whole("token", Check.given("token", token), 0, Integer.MAX_VALUE);
    }
}
