package lab.recall;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import lab.recall.model.LanguageModel;
import org.junit.jupiter.api.Test;

/**
 * The arrows between the rooms (packages): a room may use those on its line and nothing else of ours. Beyond the plan, results are
 * safetensors files (study knows checkpoint), their numbers have intervals (stats), a request has threads of its own (math) and may hold a
 * prompt (text); experiments and training read prompts and tokens (text); edits and linear maps take apart matrices, and training steps
 * them (math); second moments, edits and training states are files of tensors (checkpoint). What the paper published is files of data
 * (text), and stands beside results by their model's card and the ids of hook points and matrices (study, model).
 */
class ArchitectureTest {
    private static final Map<String, List<String>> ARROWS = new TreeMap<>(Map.ofEntries(
            Map.entry("base", List.of()),
            Map.entry("stats", List.of("base")), Map.entry("view", List.of("base")), Map.entry("math", List.of("base")),
            Map.entry("text", List.of("base")), Map.entry("checkpoint", List.of("base")),
            Map.entry("model", List.of("base", "math", "checkpoint", "text", "view")),
            Map.entry("model.block", List.of("base", "math", "checkpoint", "model", "view")),
            Map.entry("model.falconmamba", List.of("checkpoint", "model", "model.block")),
            Map.entry("model.mamba2", List.of("base", "math", "checkpoint", "model", "model.block")),
            Map.entry("model.mamba", List.of("base", "checkpoint", "model", "model.block")),
            Map.entry("model.llama", List.of("base", "math", "checkpoint", "model", "model.block")),
            Map.entry("model.gpt2", List.of("base", "math", "checkpoint", "model", "model.block")),
            Map.entry("model.neox", List.of("base", "math", "checkpoint", "model", "model.block")),
            Map.entry("study", List.of("base", "math", "checkpoint", "text", "model", "stats", "view")),
            Map.entry("facts", List.of("base", "text", "model", "study", "view")),
            Map.entry("trace", List.of("base", "study", "text", "model", "facts", "stats", "view")),
            Map.entry("knockout", List.of("base", "study", "text", "model", "facts", "stats", "view")),
            Map.entry("edit", List.of("base", "study", "text", "math", "checkpoint", "model", "facts", "stats", "view")),
            Map.entry("linear", List.of("base", "study", "text", "math", "model", "facts", "stats", "view")),
            Map.entry("train", List.of("base", "study", "text", "math", "checkpoint", "model", "facts", "view")),
            Map.entry("paper", List.of("base", "text", "model", "study", "facts", "trace", "edit", "linear", "knockout", "stats", "view")),
            Map.entry("kernel", List.of("view")),
            Map.entry("sweep", List.of("base", "stats", "study")),
            Map.entry("cli", List.of("base", "sweep", "study", "text", "math", "model", "facts", "edit", "train", "paper", "view",
                    "kernel"))));

    private final JavaClasses all = new ClassFileImporter().withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("lab.recall");

    @Test
    void roomsUseOnlyTheirArrows() {
        for (Map.Entry<String, List<String>> room : ARROWS.entrySet()) {
            String[] others = ARROWS.keySet().stream().filter(r -> !r.equals(room.getKey()) && !room.getValue().contains(r))
                    .map(r -> "lab.recall." + r).toArray(String[]::new);
            if (others.length > 0) {
                noClasses().that().resideInAPackage("lab.recall." + room.getKey()).should().dependOnClassesThat()
                        .resideInAnyPackage(others).check(all);
            }
        }
    }

    @Test
    void everyArrowIsUsed() {
        ARROWS.forEach((room, others) -> others.forEach(other -> assertTrue(all.stream()
                .filter(c -> c.getPackageName().equals("lab.recall." + room))
                .flatMap(c -> c.getDirectDependenciesFromSelf().stream())
                .anyMatch(d -> d.getTargetClass().getPackageName().equals("lab.recall." + other)),
                () -> room + " does not use " + other)));
    }

    @Test
    void everyClassIsInARoom() {
        for (JavaClass c : all) {
            assertTrue(ARROWS.containsKey(c.getPackageName().replace("lab.recall.", "")), c.getName() + " is in no room of the plan");
        }
    }

    /** Families are told by what they declare; none is known by name. */
    @Test
    void nobodyNamesAFamily() {
        List<String> families = ARROWS.keySet().stream().filter(r -> r.startsWith("model.") && !r.equals("model.block")).toList();
        for (String family : families) {
            noClasses().that().resideOutsideOfPackage("lab.recall." + family).should().dependOnClassesThat()
                    .resideInAPackage("lab.recall." + family).check(all);
        }
    }

    @Test
    void librariesStayInTheirRooms() {
        noClasses().that().resideOutsideOfPackage("lab.recall.math..")
                .should().dependOnClassesThat().resideInAPackage("jdk.incubator..").check(all);
        noClasses().that().resideOutsideOfPackages("lab.recall.math..", "lab.recall.model..", "lab.recall.view..")
                .should().dependOnClassesThat().resideInAnyPackage("org.nd4j..", "org.bytedeco..").check(all);
        noClasses().that().resideOutsideOfPackage("lab.recall.cli..")
                .should().dependOnClassesThat().resideInAPackage("picocli..").check(all);
        noClasses().that().resideOutsideOfPackage("lab.recall.text..")
                .should().dependOnClassesThat().resideInAPackage("ai.djl..").check(all);
    }

    /**
     * That a model comes with the project, and where its folder is, decide where it is found and nothing else: how it is asked and edited
     * stands in its folder. That it can be seen is another thing.
     */
    @Test
    void aModelsPlaceDecidesNothing() {
        Set<String> asking = all.stream().flatMap(c -> c.getAccessesFromSelf().stream())
                .filter(a -> a.getTarget().getName().equals("embedded") && a.getTargetOwner().getPackageName().equals("lab.recall.model"))
                .map(a -> a.getOriginOwner().getSimpleName() + "." + a.getOrigin().getName()).collect(Collectors.toSet());
        assertEquals(Set.of("ModelFolder.find", "ModelFolder.unknown", "LanguageModel.embedded", "ModelsCommand.call"), asking);
        Set<String> looking = all.stream().flatMap(c -> c.getAccessesFromSelf().stream())
                .filter(a -> a.getTarget().getName().equals("folder") && a.getTargetOwner().isEquivalentTo(LanguageModel.class))
                .map(a -> a.getOriginOwner().getSimpleName() + "." + a.getOrigin().getName()).collect(Collectors.toSet());
        assertEquals(Set.of("Relations.of", "InfoCommand.call"), looking);
    }
}
