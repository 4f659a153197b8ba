package lab.recall.spark;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** The arrows of the room that only this profile has. */
class SparkRoomTest {
    private final JavaClasses all = new ClassFileImporter().withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("lab.recall");

    @Test
    void usesTheRoomsOfThePlan() {
        Set<String> used = new TreeSet<>();
        all.stream().filter(c -> c.getPackageName().equals("lab.recall.spark"))
                .flatMap(c -> c.getDirectDependenciesFromSelf().stream()).map(d -> d.getTargetClass().getPackageName())
                .filter(p -> p.startsWith("lab.recall.") && !p.equals("lab.recall.spark")).forEach(p -> used.add(p.substring(11)));
        assertEquals(new TreeSet<>(Set.of("base", "math", "model", "study")), used);
    }

    @Test
    void nobodyElseKnowsItOrSpark() {
        noClasses().that().resideOutsideOfPackage("lab.recall.spark")
                .should().dependOnClassesThat().resideInAnyPackage("lab.recall.spark", "org.apache.spark..", "scala..").check(all);
    }
}
