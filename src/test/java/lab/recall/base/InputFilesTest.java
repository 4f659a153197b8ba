package lab.recall.base;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is read, and what would never end. */
class InputFilesTest {
    @TempDir
    Path dir;

    @ParameterizedTest
    @CsvSource({"none, no such file", "pipe, not a plain file", "folder, not a plain file", "/dev/zero, not a plain file"})
    void whatIsNoPlainFileIsRefused(String name, String reason) throws IOException, InterruptedException {
        Files.createDirectory(dir.resolve("folder"));
        assertEquals(0, new ProcessBuilder("mkfifo", dir.resolve("pipe").toString()).start().waitFor());
        BadData said = assertTimeoutPreemptively(Duration.ofSeconds(10),
                () -> assertThrows(BadData.class, () -> InputFiles.bytes(dir.resolve(name))));
        assertEquals(dir.resolve(name).toString(), said.file());
        assertEquals(reason, said.reason());
    }

    @Test
    void aPlainFileIsReadToItsEnd() throws IOException {
        byte[] text = "text\n".getBytes(StandardCharsets.UTF_8);
        assertArrayEquals(text, InputFiles.bytes(Files.write(dir.resolve("f"), text)));
        assertArrayEquals(new byte[0], InputFiles.bytes(Files.write(dir.resolve("empty"), new byte[0])));
    }

    @Test
    void aFileLongerThanTheMemoryIsRefused() throws IOException {
        Path file = dir.resolve("long");
        try (SeekableByteChannel channel = Files.newByteChannel(file, Set.of(StandardOpenOption.CREATE, StandardOpenOption.WRITE,
                StandardOpenOption.SPARSE))) {
            channel.position((1L << 30) + 1).write(ByteBuffer.wrap(new byte[1]));
        }
        assertEquals(file.toString(), assertThrows(BadData.class, () -> InputFiles.bytes(file)).file());
    }
}
