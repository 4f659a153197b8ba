package lab.recall.text;

import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.CodeSource;
import lab.recall.base.BadData;
import lab.recall.base.BadRequest;

/**
 * The data that comes with the project, found from any working directory.
 *
 * <pre>{@code
 * Path folder = DataFolder.find("models/tiny-mamba");
 * }</pre>
 *
 * The project's folder is the system property {@code recall.home}, else the environment variable {@code RECALL_HOME}, else the nearest
 * folder above this code or above the working directory that holds {@code data} and {@code pom.xml}.
 */
public final class DataFolder {
    private DataFolder() {
    }

    /**
     * A file or folder of the bundled data, which must exist.
     *
     * @throws BadData when it does not
     */
    public static Path find(String relative) {
        Path found = home().resolve("data").resolve(relative);
        if (!Files.exists(found)) {
            throw new BadData(found, "no such bundled data");
        }
        return found;
    }

    /**
     * The project's folder.
     *
     * @throws lab.recall.base.Failure when there is none
     */
    public static Path home() {
        String said = System.getProperty("recall.home", System.getenv("RECALL_HOME"));
        if (said != null && !said.isBlank()) {
            Path home = Path.of(said);
            if (!Files.isDirectory(home.resolve("data"))) {
                throw new BadData(home, "recall.home or RECALL_HOME must name the project's folder, which holds data");
            }
            return home;
        }
        Path home = above(codeFolder());
        if (home == null) {
            home = above(Path.of("").toAbsolutePath());
        }
        if (home == null) {
            throw new BadRequest("", "the bundled data was not found: set RECALL_HOME to the project's folder");
        }
        return home;
    }

    private static Path above(Path start) {
        for (Path p = start; p != null; p = p.getParent()) {
            if (Files.isDirectory(p.resolve("data")) && Files.isRegularFile(p.resolve("pom.xml"))) {
                return p;
            }
        }
        return null;
    }

    private static Path codeFolder() {
        CodeSource source = DataFolder.class.getProtectionDomain().getCodeSource();
        try {
            return source == null || source.getLocation() == null ? null : Path.of(source.getLocation().toURI());
        } catch (URISyntaxException | java.nio.file.FileSystemNotFoundException e) {
            return null;
        }
    }
}
