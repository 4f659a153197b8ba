package lab.recall.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import lab.recall.text.DataFolder;
import lab.recall.view.Charts;
import lab.recall.view.Export;
import lab.recall.view.Tables;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The same under any locale: letters, cases, numbers. */
class LocaleTest {
    @TempDir
    Path dir;

    private static String printed(Locale locale, String... command) {
        Locale before = Locale.getDefault();
        try {
            Locale.setDefault(locale);
            Terminal t = new Terminal();
            assertEquals(0, t.recall(command), t::err);
            return t.out();
        } finally {
            Locale.setDefault(before);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"tr-TR", "de-DE", "ar-EG-u-nu-arab", "hi-IN-u-nu-deva"})
    void commandsPrintTheSame(String language) {
        for (List<String> command : List.of(List.of("next", "tiny-mamba", "Novux Bridge is in", "--top", "3"), List.of("info", "tiny-neox"),
                List.of("next", "tiny-neox", "Novux Bridge is in", "--json"), List.of("models"))) {
            String[] words = command.toArray(String[]::new);
            assertEquals(printed(Locale.ROOT, words), printed(Locale.forLanguageTag(language), words), command.toString());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"tr-TR", "de-DE", "ar-EG-u-nu-arab", "hi-IN-u-nu-deva"})
    void filesOfTablesAndPicturesAreTheSame(String language) {
        Locale before = Locale.getDefault();
        try {
            Locale.setDefault(Locale.ROOT);
            Map<String, byte[]> expected = files();
            Locale.setDefault(Locale.forLanguageTag(language));
            files().forEach((name, bytes) -> assertArrayEquals(expected.get(name), bytes, name));
        } finally {
            Locale.setDefault(before);
        }
    }

    private static Map<String, byte[]> files() {
        Map<String, byte[]> all = new TreeMap<>(Export.files("chart", Charts.line(Charts.lines("INDIA", "x", "y"), "title",
                new double[] {0, 12_500}, new double[] {0.25, 0.75})));
        all.putAll(Export.files("table", Tables.of("t", List.of("INDIA", "n"), List.of(List.of(1234.5, 1_000_000), List.of(0.00001, 2)))));
        return all;
    }

    private String bash(Map<String, String> environment, String script) throws IOException, InterruptedException {
        ProcessBuilder bash = new ProcessBuilder("bash", "-c", script);
        bash.environment().keySet().removeAll(List.of("LANG", "LC_ALL", "LC_CTYPE"));
        bash.environment().putAll(environment);
        Process process = bash.redirectError(dir.resolve("err").toFile()).start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor());
        return out;
    }

    /** The scripts take care that Java gets letters as they are typed; a locale of UTF-8 stays what it is. */
    @ParameterizedTest
    @CsvSource({"LC_ALL,C,C.UTF-8", "LC_ALL,POSIX,C.UTF-8", "LC_ALL,tr_TR,C.UTF-8", "LANG,C,C.UTF-8", "LC_CTYPE,POSIX,C.UTF-8",
        "LC_ALL,C.UTF-8,C.UTF-8"})
    void scriptsChooseLettersOfUtf8(String variable, String value, String expected) throws Exception {
        Path lib = DataFolder.home().resolve("environment/lib.sh");
        assertEquals(expected, bash(Map.of(variable, value), ". '" + lib + "'; printf %s \"$LC_ALL\""));
    }

    @Test
    void scriptsChooseTheLanguageOfNumbers() throws Exception {
        Path lib = DataFolder.home().resolve("environment/lib.sh");
        List<String> options = bash(Map.of(), ". '" + lib + "'; jvm_options").lines().toList();
        assertTrue(options.containsAll(List.of("-Duser.language=en", "-Duser.country=US", "-Dfile.encoding=UTF-8")), options.toString());
    }

    @Test
    void lettersThatTheLocaleLostAreNotPassedOver() {
        String before = System.getProperty("sun.jnu.encoding");
        try {
            System.setProperty("sun.jnu.encoding", "ANSI_X3.4-1968");
            Terminal t = new Terminal();
            assertEquals(2, t.recall("next", "tiny-mamba", "The caf\ufffd\ufffd"));
            assertTrue(t.err().contains("LC_ALL=C.UTF-8"), t.err());
        } finally {
            System.setProperty("sun.jnu.encoding", before);
        }
    }
}
