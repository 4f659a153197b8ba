package lab.recall.model.block;

import java.util.Optional;
import lab.recall.model.Edges;
import lab.recall.model.HookPoint;
import lab.recall.model.Intervention;
import lab.recall.model.Mixer;
import lab.recall.model.Pass;
import lab.recall.model.Recording;
import lab.recall.model.Terms;

/** The two ways by which tokens of a layer with a convolution and a scan read each other. */
final class ScanMixers {
    private ScanMixers() {
    }

    private static ScanTerms terms(Pass pass, int layer) {
        return ((ScanTerms.Of) pass.model().block(layer)).terms();
    }

    /** The causal convolution. */
    static final class Conv implements Mixer {
        private final HookPoint[] inputs;

        /** @param inputs what enters it, in the order of its channels */
        Conv(HookPoint... inputs) {
            this.inputs = inputs;
        }

        @Override
        public String id() {
            return "conv";
        }

        @Override
        public String title() {
            return "convolution";
        }

        @Override
        public Intervention.Cut cut(int layer, Edges edges) {
            return Cuts.conv(layer, edges);
        }

        /** w[K-1-(t-s)] times the inputs of s, and the bias. */
        @Override
        public Optional<Terms> terms() {
            return Optional.of(new Terms() {
                @Override
                public HookPoint sum() {
                    return ScanPoints.CONV;
                }

                @Override
                public Recording recording() {
                    return Recording.points(inputs);
                }

                @Override
                public float[] of(Pass pass, int layer, int source) {
                    return ScanMixers.terms(pass, layer).convTerms(pass, layer, source);
                }

                @Override
                public float[] rest(Pass pass, int layer, int token) {
                    return ScanMixers.terms(pass, layer).convBias();
                }
            });
        }
    }

    /** The selective scan. */
    static final class Scan implements Mixer {
        @Override
        public String id() {
            return "scan";
        }

        @Override
        public Intervention.Cut cut(int layer, Edges edges) {
            return Cuts.scan(layer, edges);
        }

        @Override
        public Optional<HookPoint> decay() {
            return Optional.of(ScanPoints.DELTA);
        }

        @Override
        public Intervention.Cut cut(int layer, Edges edges, float[] delta) {
            return Cuts.scan(layer, edges, delta);
        }

        /** C_t (Π exp(delta_r A)) delta_s B_s x_s, and the skip term D x_act. */
        @Override
        public Optional<Terms> terms() {
            return Optional.of(new Terms() {
                @Override
                public HookPoint sum() {
                    return ScanPoints.Y;
                }

                @Override
                public Recording recording() {
                    return Recording.points(ScanPoints.X_ACT, ScanPoints.DELTA, ScanPoints.B, ScanPoints.C);
                }

                @Override
                public float[] of(Pass pass, int layer, int source) {
                    return ScanMixers.terms(pass, layer).scanTerms(pass, layer, source);
                }

                @Override
                public float[] rest(Pass pass, int layer, int token) {
                    return ScanMixers.terms(pass, layer).skipTerm(pass, layer, token);
                }
            });
        }
    }
}
