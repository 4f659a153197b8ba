package lab.recall.trace;

import java.util.List;
import lab.recall.base.BadRequest;
import lab.recall.base.Check;
import lab.recall.study.Asks;
import lab.recall.study.GivenPrompt;

/** Asks for gradients of -log p(target) at places: d(-log p) / d(value added there). */
public record GradientRequest(
        @Asks("The prompt") GivenPrompt prompt,
        @Asks("Token id of the target") Integer target,
        @Asks("Places, [layer, point, token] each") List<List<Object>> sites) {
    public GradientRequest {
        Check.given("prompt", prompt);
        Check.given("target", target);
        if (Check.given("sites", sites).isEmpty()) {
            throw new BadRequest("sites", "[], expected a list of [layer, point, token]");
        }
        for (int i = 0; i < sites.size(); i++) {
            List<Object> s = sites.get(i);
            if (s == null || s.size() != 3 || !(s.get(0) instanceof Integer) || !(s.get(1) instanceof String)
                    || !(s.get(2) instanceof Integer)) {
                throw new BadRequest("sites[" + i + "]", s + ", expected [layer, point, token]");
            }
        }
    }
}
