package lab.recall.model.block;

import java.util.Arrays;
import java.util.List;
import lab.recall.base.BadRequest;
import lab.recall.model.Edges;
import lab.recall.model.Intervention;
import lab.recall.model.LayerCuts;

/**
 * The edges that a run leaves out of a layer's convolution and scan.
 *
 * @param conv  through the convolution; null for none, like {@code scan}
 * @param scan  through the scan
 * @param delta the step size that tokens passed by a cut edge are taken to have; null for their own
 */
record ScanCuts(Edges conv, Edges scan, float[] delta) implements LayerCuts {
    /** @param steps numbers of delta that a token has */
    static ScanCuts of(int steps, List<Intervention.Cut> cuts) {
        ScanCuts all = new ScanCuts(null, null, null);
        for (Intervention.Cut cut : cuts) {
            if (cut instanceof Cuts.Conv conv) {
                all = new ScanCuts(Cuts.join(all.conv, conv.edges()), all.scan, all.delta);
            } else if (cut instanceof Cuts.Scan scan) {
                all = all.with(steps, scan);
            } else {
                throw Cuts.unknown(cut, "conv", "y");
            }
        }
        return all;
    }

    private ScanCuts with(int steps, Cuts.Scan cut) {
        if (cut.delta() != null) {
            Intervention.checkVector(cut.site(), cut.delta(), 0, cut.delta().length, steps);
            if (cut.edges().hasSelf()) {
                throw new BadRequest("", cut.site() + ": an edge from a token to itself passes over no other token: no delta to hold");
            }
        }
        if (scan != null && !Arrays.equals(delta, cut.delta())) {
            throw new BadRequest("", cut.site().name() + ": two cuts of one layer must hold delta at the same vector");
        }
        return new ScanCuts(conv, Cuts.join(scan, cut.edges()), cut.delta());
    }
}
