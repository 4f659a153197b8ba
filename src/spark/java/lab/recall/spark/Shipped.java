package lab.recall.spark;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import lab.recall.base.AtomicFiles;
import lab.recall.model.LanguageModel;
import org.apache.spark.SparkFiles;
import org.apache.spark.api.java.JavaSparkContext;

/**
 * A model's files on their way to executors: Spark serves each, under a name that no other model's has.
 *
 * @param mark   before the names, of this model alone
 * @param folder name of the model's folder, or of its one file
 * @param files  names in the folder; none where the folder is the file
 */
record Shipped(String mark, String folder, List<String> files) {
    /**
     * Has Spark serve the files; those that lie elsewhere, as a tokenizer of the project's own, are where executors have the project.
     *
     * @param links folder for links, until the context ends
     */
    static Shipped by(JavaSparkContext context, LanguageModel model, String digest, Path links) {
        Path folder = model.folder().toAbsolutePath().normalize();
        boolean isFile = Files.isRegularFile(folder);
        List<Path> files = isFile ? List.of(folder)
                : model.files().stream().map(f -> f.toAbsolutePath().normalize()).filter(f -> folder.equals(f.getParent())).toList();
        Shipped all = new Shipped(digest.substring(0, 16), folder.getFileName().toString(),
                isFile ? List.of() : files.stream().map(f -> f.getFileName().toString()).toList());
        for (Path file : files) {
            Path link = links.resolve(all.served(file.getFileName().toString()));
            try {
                Files.createSymbolicLink(link, file.toRealPath());
            } catch (IOException e) {
                throw new UncheckedIOException(link + ": cannot be made (" + AtomicFiles.reason(e) + ")", e);
            }
            context.addFile(link.toUri().toString());
        }
        return all;
    }

    private String served(String name) {
        return mark + "-" + name;
    }

    /** On an executor: the folder that they make together, or the file. */
    Path here() throws IOException {
        Path home = Files.createDirectories(Path.of(SparkFiles.getRootDirectory()).resolve("recall-" + mark));
        Path place = home.resolve(folder);
        if (files.isEmpty()) {
            link(place, folder);
        } else {
            Files.createDirectories(place);
            for (String name : files) {
                link(place.resolve(name), name);
            }
        }
        return place;
    }

    private void link(Path place, String name) throws IOException {
        Path served = Path.of(SparkFiles.get(served(name)));
        try {
            Files.createLink(place, served);
        } catch (FileAlreadyExistsException e) {
            return;                                             // from when it was opened before
        } catch (UnsupportedOperationException | IOException e) {
            Files.copy(served, place);                          // a disk without links
        }
    }

    /** Removes the driver's links. */
    static void remove(Path links) {
        try (Stream<Path> all = Files.list(links)) {
            for (Path link : all.toList()) {
                Files.delete(link);
            }
            Files.delete(links);
        } catch (IOException e) {
            throw new UncheckedIOException(links + ": cannot be removed (" + AtomicFiles.reason(e) + ")", e);
        }
    }
}
