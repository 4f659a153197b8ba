package lab.recall.model;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.stream.Collectors;
import lab.recall.base.BadData;
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
        requireOneVocabulary(all);
        return List.copyOf(all);
    }

    /** Refuses families that mean different things by one name: requests and results hold names alone, and are read without a model. */
    static void requireOneVocabulary(List<Architecture> all) {
        Map<String, HookPoint> points = new HashMap<>();
        Map<String, EditableMatrix> matrices = new HashMap<>();
        for (Architecture a : all) {
            for (HookPoint p : a.points()) {
                HookPoint known = points.putIfAbsent(p.id(), p);
                requireSame(known == null || p.means(known), a, "point", p.id());
            }
            for (EditableMatrix m : a.matrices()) {
                EditableMatrix known = matrices.putIfAbsent(m.id(), m);
                requireSame(known == null || m.means(known), a, "matrix", m.id());
            }
        }
    }

    private static void requireSame(boolean same, Architecture a, String what, String id) {
        if (!same) {
            throw new IllegalStateException(a.family() + " declares the " + what + " '" + id
                    + "' otherwise than another family: share that one, or take another name");
        }
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

    /**
     * The one that reads a config.json.
     *
     * @param folder where it stands, for messages
     * @throws BadData when there is none
     */
    static Architecture reading(JsonNode config, Path folder) {
        return ALL.stream().filter(a -> a.reads(config)).findFirst().orElseThrow(() -> new BadData(folder,
                "config.json has model_type = '" + config.path("model_type").asText("") + "'; known are " + read()));
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
