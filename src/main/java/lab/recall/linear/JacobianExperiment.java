package lab.recall.linear;

import java.util.List;
import lab.recall.base.Check;
import lab.recall.model.Jacobian;
import lab.recall.model.LanguageModel;
import lab.recall.model.Recording;
import lab.recall.study.Experiment;
import lab.recall.study.NamedArray;
import lab.recall.study.Result;
import lab.recall.study.Runner;

/** A {@link Jacobian} of the residual stream. */
public final class JacobianExperiment extends Experiment<JacobianRequest, JacobianExperiment.Found> {
    /** J, [d, d], and the two ends h and z, [d]. */
    public record Found(List<NamedArray> arrays) implements Result {
    }

    public JacobianExperiment() {
        super("jacobian", "How the last layer's residual stream at the last token moves with the stream at another layer and token.",
                JacobianRequest.class, Found.class);
    }

    @Override
    public JacobianRequest complete(LanguageModel model, JacobianRequest q) {
        Check.whole("token", q.token(), 0, q.prompt().ids(model, "prompt").length - 1);
        q.layer().in(model);
        return q;
    }

    @Override
    public Found run(LanguageModel model, JacobianRequest q, Runner runner) {
        Jacobian j = Jacobian.of(model.run(q.prompt().ids(model, "prompt"), Recording.gradients()), q.layer().in(model), q.token());
        long d = model.width();
        return new Found(List.of(new NamedArray("J", new long[] {d, d}, j.values()), new NamedArray("h", new long[] {d}, j.h()),
                new NamedArray("z", new long[] {d}, j.z())));
    }
}
