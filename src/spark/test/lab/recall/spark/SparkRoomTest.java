package lab.recall.spark;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** The arrows of the rooms that only this profile has. */
class SparkRoomTest {
    private static final String[] LIBRARIES = {"lab.recall.spark", "lab.recall.table", "org.apache.spark..", "org.apache.parquet..",
        "org.snakeyaml..", "scala.."};

    private final JavaClasses all = new ClassFileImporter().withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("lab.recall");

    private Set<String> used(String room) {
        Set<String> used = new TreeSet<>();
        all.stream().filter(c -> c.getPackageName().equals(room))
                .flatMap(c -> c.getDirectDependenciesFromSelf().stream()).map(d -> d.getTargetClass().getPackageName())
                .filter(p -> p.startsWith("lab.recall.") && !p.equals(room)).forEach(p -> used.add(p.substring(11)));
        return used;
    }

    @Test
    void useTheRoomsOfThePlan() {
        assertEquals(new TreeSet<>(Set.of("base", "math", "model", "study")), used("lab.recall.spark"));
        assertEquals(new TreeSet<>(Set.of("base", "sweep")), used("lab.recall.table"));
    }

    @Test
    void nobodyElseKnowsThemOrTheirLibraries() {
        noClasses().that().resideOutsideOfPackages("lab.recall.spark", "lab.recall.table")
                .should().dependOnClassesThat().resideInAnyPackage(LIBRARIES).check(all);
    }
}
