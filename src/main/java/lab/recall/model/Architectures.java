package lab.recall.model;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.stream.Collectors;
import lab.recall.base.BadRequest;
import lab.recall.base.Nearest;
import lab.recall.checkpoint.GgufFamily;

/** The architectures that are there. */
public final class Architectures {
    private static final List<Architecture> ALL = load();

    private Architectures() {
    }

    private static List<Architecture> load() {
        List<Architecture> all = new ArrayList<>();
        ServiceLoader.load(Architecture.class, Architecture.class.getClassLoader()).forEach(all::add);
        return List.copyOf(all);
    }

    /** All, in the order of their registration. */
    public static List<Architecture> all() {
        return ALL;
    }

    /**
     * One by its {@code model_type}.
     *
     * @throws BadRequest when there is none
     */
    public static Architecture of(String type) {
        return ALL.stream().filter(a -> a.type().equals(type)).findFirst().orElseThrow(() -> new BadRequest("family",
                "'" + type + "', expected "
                + ALL.stream().map(Architecture::type).collect(Collectors.joining(" or "))
                + Nearest.question(type, ALL.stream().map(Architecture::type).toList())));
    }

    /** The one that reads a config.json, or null. */
    static Architecture reading(JsonNode config) {
        return ALL.stream().filter(a -> a.reads(config)).findFirst().orElse(null);
    }

    /** What all of them read. */
    static String read() {
        return ALL.stream().flatMap(a -> a.types().stream()).collect(Collectors.joining(", "));
    }

    /** What is known of models that llama.cpp has written. */
    static List<GgufFamily> gguf() {
        return ALL.stream().flatMap(a -> a.gguf().stream()).toList();
    }

    /** The points of all, each name once. */
    static List<HookPoint> points() {
        Set<HookPoint> all = new LinkedHashSet<>(List.of(HookPoint.EMBED, HookPoint.RESID_PRE));
        List<HookPoint> last = List.of(HookPoint.RESID_POST, HookPoint.FINAL_NORM, HookPoint.LOGITS);
        ALL.forEach(a -> a.points().stream().filter(p -> !last.contains(p)).forEach(all::add));
        all.addAll(last);
        return List.copyOf(all);
    }

    /** The editable matrices of all, each name once. */
    static List<EditableMatrix> matrices() {
        Set<EditableMatrix> all = new LinkedHashSet<>();
        ALL.forEach(a -> all.addAll(a.matrices()));
        return Collections.unmodifiableList(new ArrayList<>(all));
    }
}
