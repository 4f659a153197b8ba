package lab.recall.knockout;

import java.util.List;
import java.util.Objects;
import lab.recall.base.BadRequest;
import lab.recall.base.Check;
import lab.recall.study.Asks;
import lab.recall.study.GivenPrompt;

/** Asks for a run with cut edges. */
public record EdgesRequest(
        @Asks("The prompt") GivenPrompt prompt,
        @Asks("In which layers: [first, last]") List<Integer> layers,
        @Asks("Tokens that no longer meet, [source, target] each") List<List<Integer>> edges,
        @Asks("Through what: scan, conv or both, or attention") String cut,
        @Asks("Also the norm of every term of the scan") Boolean termNorms) {
    public EdgesRequest {
        Check.given("prompt", prompt);
        if (Check.given("layers", layers).size() != 2 || layers.stream().anyMatch(Objects::isNull)) {
            throw new BadRequest("layers", layers + ", expected [first, last]");
        }
        Check.given("edges", edges);
        for (int i = 0; i < edges.size(); i++) {
            List<Integer> e = edges.get(i);
            if (e == null || e.size() != 2 || e.stream().anyMatch(Objects::isNull)) {
                throw new BadRequest("edges[" + i + "]", e + ", expected [source, target]");
            }
        }
        Check.given("cut", cut);
        termNorms = Check.or(termNorms, false);
    }
}
