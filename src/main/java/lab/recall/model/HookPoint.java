package lab.recall.model;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import lab.recall.base.BadRequest;
import lab.recall.base.Nearest;
import lab.recall.view.HeatMap;

/**
 * A named place in a forward pass where a value can be read or replaced.
 *
 * <pre>{@code
 * HookPoint.of("y")             // of any family that has such a point
 * RESID_POST.name(12)           // layers.12.resid_post
 * HookPoint.of("residual")      // an alias of resid_post
 * model.points()                // those of a model, with their letters and meanings
 * }</pre>
 *
 * Names are one vocabulary for code, request files, tables and checked values: points of one name are equal. An {@link Architecture}
 * declares its own, beside those that stand here and that every language model has. Letters are those of the paper (arXiv 2404.03646).
 */
public final class HookPoint {
    /** What a value belongs to. */
    public enum Kind {
        /** One vector for each token and layer: it can be replaced at a token. */
        TOKEN,
        /**
         * A layer's memory behind each token, or what a token puts into it: it can be replaced at a token. Many times as large as other
         * points, so a glob takes it only where its name is written out.
         */
        STATE,
        /** All of a layer's tokens together, such as attention weights or a state after the last token: it can only be read. */
        WHOLE,
        /** One vector for each token of the model, in no layer. */
        GLOBAL
    }

    /** What it is in the layer, for experiments that set components side by side. */
    public enum Role {
        /** The residual stream. */
        STREAM,
        /** What a part of the layer contributes, or what it is gated by: traced and blocked as a component. */
        COMPONENT,
        /** What enters the mixer of tokens: traced as a component, not blocked. */
        MIXER_INPUT,
        /** A step on the way. */
        STEP
    }

    private static final Map<String, Integer> NUMBERS = new HashMap<>();

    /** Embedding of the token: the residual stream before layer 0. */
    public static final HookPoint EMBED = global("embed", "token embedding");
    /** Residual stream that enters a layer. */
    public static final HookPoint RESID_PRE = token("resid_pre", "residual stream before the layer").as(Role.STREAM);
    /** Residual stream that leaves a layer, h in the paper. */
    public static final HookPoint RESID_POST = token("resid_post", "residual stream after the layer").letter("h").called("residual stream")
            .as(Role.STREAM).in(HeatMap.Colours.PURPLES);
    /** Final norm, input of the head. */
    public static final HookPoint FINAL_NORM = global("final_norm", "norm before the head");
    /** Logits over the vocabulary. */
    public static final HookPoint LOGITS = global("logits", "logits over the vocabulary");

    private final String id;
    private final String meaning;
    private final Kind kind;
    private final String letter;
    private final String title;
    private final Role role;
    private final HeatMap.Colours colours;
    private final boolean goesToStream;
    private final int number;

    private HookPoint(String id, String meaning, Kind kind, String letter, String title, Role role, HeatMap.Colours colours,
            boolean goesToStream) {
        this.id = id;
        this.meaning = meaning;
        this.kind = kind;
        this.letter = letter;
        this.title = title;
        this.role = role;
        this.colours = colours;
        this.goesToStream = goesToStream;
        synchronized (NUMBERS) {
            NUMBERS.putIfAbsent(id, NUMBERS.size());
            this.number = NUMBERS.get(id);
        }
    }

    /** A point with a vector for each token of each layer; its name is one word, since full names are taken apart at their dots. */
    public static HookPoint token(String id, String meaning) {
        return new HookPoint(word(id), meaning, Kind.TOKEN, "", "", Role.STEP, HeatMap.Colours.GREYS, false);
    }

    /** A point of a layer with no value for each token. */
    public static HookPoint whole(String id, String meaning) {
        return new HookPoint(word(id), meaning, Kind.WHOLE, "", "", Role.STEP, HeatMap.Colours.GREYS, false);
    }

    /** A point with a layer's memory for each token. */
    public static HookPoint state(String id, String meaning) {
        return new HookPoint(word(id), meaning, Kind.STATE, "", "", Role.STEP, HeatMap.Colours.GREYS, false);
    }

    private static String word(String id) {
        if (!id.matches("\\w+")) {
            throw new IllegalArgumentException("'" + id + "', expected a word of letters, digits and _");
        }
        return id;
    }

    private static HookPoint global(String id, String meaning) {
        return new HookPoint(id, meaning, Kind.GLOBAL, "", "", Role.STEP, HeatMap.Colours.GREYS, false);
    }

    /** With the paper's letter for it. */
    public HookPoint letter(String letter) {
        return new HookPoint(id, meaning, kind, letter, title, role, colours, goesToStream);
    }

    /** With a name of its own in titles. */
    public HookPoint called(String title) {
        return new HookPoint(id, meaning, kind, letter, title, role, colours, goesToStream);
    }

    /** With a role. */
    public HookPoint as(Role role) {
        return new HookPoint(id, meaning, kind, letter, title, role, colours, goesToStream);
    }

    /** With the colours of its heat maps. */
    public HookPoint in(HeatMap.Colours colours) {
        return new HookPoint(id, meaning, kind, letter, title, role, colours, goesToStream);
    }

    /** As one that is added to the residual stream at the layer's end as it is. */
    public HookPoint toStream() {
        return new HookPoint(id, meaning, kind, letter, title, role, colours, true);
    }

    /** Its name in requests and tables, without the layer. */
    @JsonValue
    public String id() {
        return id;
    }

    /** What it holds, in a few words; the paper's letter before it. */
    public String meaning() {
        return letter.isEmpty() ? meaning : letter + ": " + meaning;
    }

    /** The paper's letter for it, if it has one. */
    public Optional<String> letter() {
        return letter.isEmpty() ? Optional.empty() : Optional.of(letter);
    }

    /** Its name in titles: one of its own, or the paper's letter with its id, or the id. */
    public String title() {
        return !title.isEmpty() ? title : letter.isEmpty() ? id : letter + " (" + id + ")";
    }

    /** What a value belongs to. */
    public Kind kind() {
        return kind;
    }

    /** What it is in the layer. */
    public Role role() {
        return role;
    }

    /** The colours of its heat maps. */
    public HeatMap.Colours colours() {
        return colours;
    }

    /** Whether it belongs to the model and not to a layer. */
    public boolean isGlobal() {
        return kind == Kind.GLOBAL;
    }

    /** Whether it is a layer's memory, or a term of it. */
    public boolean isState() {
        return kind == Kind.STATE;
    }

    /** Whether it holds one vector for each token, so that it can be replaced at a token. */
    public boolean isPerToken() {
        return kind != Kind.WHOLE;
    }

    /**
     * Where a vector may be added to the same effect, with less to compute: what a block puts out goes into the residual stream as it is.
     */
    public HookPoint addedAt() {
        return goesToStream ? RESID_POST : this;
    }

    /** Full name: {@code layers.12.y}, or the bare name of a global point. */
    public String name(int layer) {
        return isGlobal() ? id : "layers." + layer + "." + id;
    }

    /** Whether it is the other one in all that is declared of it. */
    boolean means(HookPoint o) {
        return equals(o) && meaning.equals(o.meaning) && kind == o.kind && letter.equals(o.letter) && title.equals(o.title)
                && role == o.role && colours == o.colours && goesToStream == o.goesToStream;
    }

    /** The index of its values in tables of all points; the same for all points of one name. */
    int number() {
        return number;
    }

    /** More than any number that a point has so far. */
    static int count() {
        synchronized (NUMBERS) {
            return NUMBERS.size();
        }
    }

    /**
     * The point of this name, of whatever family; {@code residual} is an alias of {@code resid_post}. An unknown name suggests the nearest
     * one.
     *
     * @throws BadRequest when no family has such a point
     */
    @JsonCreator
    public static HookPoint of(String id) {
        if (id.equals("residual")) {
            return RESID_POST;
        }
        List<HookPoint> all = Architectures.points();
        for (HookPoint p : all) {
            if (p.id.equals(id)) {
                return p;
            }
        }
        List<String> ids = all.stream().map(HookPoint::id).toList();
        String meant = Nearest.question(id, ids);
        throw new BadRequest("", "'" + id + "' is not a hook point" + meant + (meant.isEmpty() ? "; hook" : " Hook")
                + " points are " + String.join(", ", ids));
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof HookPoint p && id.equals(p.id);
    }

    @Override
    public int hashCode() {
        return id.hashCode();
    }

    @Override
    public String toString() {
        return id;
    }
}
