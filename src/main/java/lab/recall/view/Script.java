package lab.recall.view;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.stream.Collectors;

/**
 * A script that goes with an output. Each finds what it is for by its class, once, so that it may stand on a page many times; a page that
 * trusts nobody leaves it out, and what it is for must be of use without it.
 */
final class Script {
    private Script() {
    }

    /** A script of this package as an element, in one line without its comments; its statements end with semicolons. */
    static String element(String name) {
        try (InputStream in = Script.class.getResourceAsStream(name)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().map(String::strip)
                    .filter(l -> !l.isEmpty() && !l.startsWith("//")).collect(Collectors.joining(" ", "<script>", "</script>"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
