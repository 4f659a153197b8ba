package lab.recall.model.retention;

import static lab.recall.model.HookPoint.EMBED;
import static lab.recall.model.HookPoint.FINAL_NORM;
import static lab.recall.model.HookPoint.LOGITS;
import static lab.recall.model.HookPoint.RESID_POST;
import static lab.recall.model.HookPoint.RESID_PRE;

import java.util.List;
import lab.recall.model.HookPoint;
import lab.recall.view.HeatMap;

/** The points of a {@link RetentionBlock}. */
final class RetentionPoints {
    static final HookPoint UNIT = HookPoint.token("unit", "RMS norm of the residual stream");
    static final HookPoint QUERY = HookPoint.token("query", "queries, one head after another");
    static final HookPoint KEY = HookPoint.token("key", "keys");
    static final HookPoint VALUE = HookPoint.token("value", "values").as(HookPoint.Role.MIXER_INPUT);
    static final HookPoint VALVE_IN = HookPoint.token("valve_in", "valve before its SiLU");
    static final HookPoint MIX = HookPoint.token("mix", "what is read of the memory").as(HookPoint.Role.COMPONENT)
            .in(HeatMap.Colours.REDS);
    static final HookPoint VALVE = HookPoint.token("valve", "the valve").as(HookPoint.Role.COMPONENT).in(HeatMap.Colours.GREENS);
    static final HookPoint CARRIED = HookPoint.token("carried", "what is read, times the valve");
    static final HookPoint PUT_OUT = HookPoint.token("put_out", "output of the block").as(HookPoint.Role.COMPONENT)
            .in(HeatMap.Colours.BLUES).toStream();
    /** [head, key, value]. */
    static final HookPoint MEMORY = HookPoint.whole("memory", "state after the last token");

    static final List<HookPoint> ALL = List.of(EMBED, RESID_PRE, UNIT, QUERY, KEY, VALUE, VALVE_IN, MIX, VALVE, CARRIED, PUT_OUT,
            RESID_POST, MEMORY, FINAL_NORM, LOGITS);

    private RetentionPoints() {
    }
}
