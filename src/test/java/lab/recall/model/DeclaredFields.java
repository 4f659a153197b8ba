package lab.recall.model;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Set;
import lab.recall.checkpoint.Checkpoint;

/**
 * What is said of fields of config.json where a model is opened.
 *
 * @param own      those that its family asks for or declares
 * @param others   those that are known of any model beside them
 * @param harmless of both, those that may say anything
 */
public record DeclaredFields(Set<String> own, Set<String> others, Set<String> harmless) {
    /** Those of a model's folder. */
    public static DeclaredFields of(Path folder) {
        ModelFolder source = ModelFolder.of(folder).opened();
        Checkpoint checkpoint = source.checkpoint();
        Architecture architecture = Architectures.reading(checkpoint.config(), folder);
        Opening opening = new Opening(architecture, source, checkpoint, () -> checkpoint, new ArrayList<>());
        architecture.open(opening);
        Set<String> own = opening.settings().declared();
        Set<String> others = Settings.general();
        others.removeAll(own);
        return new DeclaredFields(own, others, opening.settings().declaredHarmless());
    }
}
