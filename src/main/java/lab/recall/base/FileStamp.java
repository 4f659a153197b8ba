package lab.recall.base;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/**
 * What tells without reading a file that it is still the same: size, inode, times of content and of change.
 *
 * @param text  all of it
 * @param newest the later of its times, in nanoseconds since 1970
 */
public record FileStamp(String text, long newest) {
    /** That of a file now; links are followed. */
    public static FileStamp of(Path file) throws IOException {
        boolean unix = file.getFileSystem().supportedFileAttributeViews().contains("unix");
        Map<String, Object> said = new TreeMap<>(Files.readAttributes(file, unix ? "unix:size,ino,lastModifiedTime,ctime"
                : "size,lastModifiedTime,creationTime"));
        long newest = said.values().stream().filter(FileTime.class::isInstance).mapToLong(t -> ((FileTime) t).to(TimeUnit.NANOSECONDS))
                .max().orElse(0);
        return new FileStamp(said.toString(), newest);
    }
}
