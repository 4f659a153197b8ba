package lab.recall.trace;

import java.util.List;
import lab.recall.base.BadRequest;
import lab.recall.base.Check;
import lab.recall.base.Said;
import lab.recall.study.Asks;
import lab.recall.study.GivenPrompt;

/** Asks for the values at hook points of one run, with interventions. */
public record ActivationsRequest(
        @Asks("The prompt") GivenPrompt prompt,
        @Asks("Names with *, such as layers.3.*; every value that matches is an array. A memory is named with its token: layers.3.state@5")
        List<String> points,
        @Asks(value = "What is changed on the way: "
                + "{\"at\": \"layers.3.y\", \"token\": 5 or \"all\", and \"add\": [..], \"set\": [..] or \"zero\": true} each; "
                + "\"read_only\": true beside it lets the read-out of a state's own token alone see it",
                otherwise = "nothing") List<Change> interventions) {
    public ActivationsRequest {
        Check.given("prompt", prompt);
        if (Check.given("points", points).isEmpty()) {
            throw new BadRequest("points", "[], expected at least one name");
        }
        interventions = Check.or(interventions, List.of());
    }

    /**
     * One change.
     *
     * @param at    embed, final_norm, logits or layers.{l}.{point}
     * @param token a number, or "all"
     * @param add   what is added; null for not
     * @param set   what is put in its place; null for not
     * @param zero  true: zeros in its place
     * @param readOnly true: nobody sees it but the read-out of the state's own token
     */
    public record Change(String at, Object token, float[] add, float[] set, Boolean zero, Boolean readOnly) {
        public Change {
            Check.given("at", at);
            if (!(token instanceof Integer) && !"all".equals(token)) {
                throw new BadRequest("token", (token instanceof String t ? "'" + Said.of(t) + "'" : Said.of(token))
                        + ", expected a whole number or \"all\"");
            }
            if ((add == null ? 0 : 1) + (set == null ? 0 : 1) + (zero == null ? 0 : 1) != 1) {
                throw new BadRequest("at", "expected exactly one of add, set, zero beside it");
            }
            if (zero != null && !zero) {
                throw new BadRequest("zero", "false, expected true");
            }
            readOnly = Check.or(readOnly, false);
        }
    }
}
