package lab.recall.model.retention;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Optional;
import lab.recall.model.Architecture;
import lab.recall.model.EditableMatrix;
import lab.recall.model.Ends;
import lab.recall.model.FreshSizes;
import lab.recall.model.HookPoint;
import lab.recall.model.LanguageModel;
import lab.recall.model.Mixing;
import lab.recall.model.Norm;
import lab.recall.model.Opening;
import lab.recall.model.Profile;

/** Gated retention: a linear attention whose heads forget at rates of their own. Its layers' matrices are stored [inputs, outputs]. */
public final class Retention implements Architecture {
    /** What makes the values, between queries and keys of another width and the valve. */
    static final EditableMatrix W_VALUE = EditableMatrix.of("in.value", "W_v", RetentionPoints.UNIT, RetentionPoints.VALUE,
            "stack.{}.in.kernel").below(RetentionPoints.QUERY, RetentionPoints.KEY).transposed();
    /** The output projection. */
    static final EditableMatrix W_WRITE = EditableMatrix.of("out.kernel", "W_w", RetentionPoints.CARRIED, RetentionPoints.PUT_OUT,
            "stack.{}.out.kernel").transposed();

    @Override
    public String type() {
        return "retention";
    }

    @Override
    public String family() {
        return "Retention";
    }

    @Override
    public List<HookPoint> points() {
        return RetentionPoints.ALL;
    }

    @Override
    public List<EditableMatrix> matrices() {
        return List.of(W_VALUE, W_WRITE);
    }

    @Override
    public Mixing mixing() {
        return new Mixing(List.of(new RetentionMixer()), Optional.of(RetentionPoints.VALUE));
    }

    @Override
    public Profile profile() {
        return Profile.DEEP;
    }

    @Override
    public LanguageModel open(Opening from) {
        RetentionConfig c = RetentionConfig.of(from);
        return from.model(Ends.of(from.weights(), RetentionConfig.TABLE, Norm.rms(from.weights(), "scale", c.width(), c.epsilon()),
                "answer", c.vocabulary(), c.width()), c.layers(), c);
    }

    @Override
    public Class<? extends FreshSizes> sizes() {
        return RetentionSizes.class;
    }

    @Override
    public FreshSizes sizes(JsonNode config) {
        throw new UnsupportedOperationException("its sizes cannot be made from a configuration");
    }
}
