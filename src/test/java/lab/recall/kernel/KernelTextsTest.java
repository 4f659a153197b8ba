package lab.recall.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import jdk.jshell.JShell;
import jdk.jshell.SnippetEvent;
import jdk.jshell.SourceCodeAnalysis.Documentation;
import org.junit.jupiter.api.Test;

/** What a cell prints, what is said of its errors, and where the cursor stands; the kernel itself is tried by environment/lab-test. */
class KernelTextsTest {
    private final List<String> sent = new ArrayList<>();
    private final CellOutput output = new CellOutput(new CellOutput.Sink() {
        @Override
        public void text(boolean isError, String text) {
            sent.add((isError ? "err " : "out ") + text);
        }

        @Override
        public void leftOut(long lines, long bytes) {
            sent.add("left " + lines + " " + bytes);
        }
    });

    private String text() {
        return sent.stream().filter(s -> !s.startsWith("left")).map(s -> s.substring(4)).collect(Collectors.joining());
    }

    @Test
    void whatIsPrintedGoesTogetherAndInItsOrder() {
        output.out().print("a");
        output.out().printf("%d%n", 1);
        output.err().println("e");
        output.out().println("Zürich 🙂");
        output.finish();
        assertEquals("a1\ne\nZürich 🙂\n", text());
        assertEquals(List.of("err e\n"), sent.stream().filter(s -> s.startsWith("err")).toList());
    }

    @Test
    void ofTooManyLinesTheFirstAndTheLastAreShown() {
        IntStream.range(0, 100_000).forEach(output.out()::println);
        output.finish();
        List<String> lines = text().lines().toList();
        assertEquals(CellOutput.FIRST_LINES + CellOutput.LAST_LINES, lines.size());
        assertEquals(String.valueOf(CellOutput.FIRST_LINES - 1), lines.get(CellOutput.FIRST_LINES - 1));
        assertEquals(String.valueOf(100_000 - CellOutput.LAST_LINES), lines.get(CellOutput.FIRST_LINES));
        assertEquals("99999", lines.get(lines.size() - 1));
        List<String> left = sent.stream().filter(s -> s.startsWith("left")).toList();
        assertTrue(left.get(left.size() - 1).startsWith("left " + (100_000 - lines.size()) + " "), left.toString());
        assertTrue(sent.size() < 40, sent.size() + " messages");
    }

    @Test
    void fewLinesMoreAreAllShown() {
        IntStream.range(0, CellOutput.FIRST_LINES + 7).forEach(output.out()::println);
        output.finish();
        assertEquals(CellOutput.FIRST_LINES + 7, text().lines().count());
        assertTrue(sent.stream().noneMatch(s -> s.startsWith("left")), sent.get(sent.size() - 1));
    }

    @Test
    void oneEndlessLineIsCutBetweenLetters() {
        String line = "äöü€🙂".repeat(300_000);
        output.out().print(line);
        output.finish();
        assertTrue(text().length() < (CellOutput.FIRST_BYTES + CellOutput.LAST_BYTES), "length " + text().length());
        assertFalse(text().contains("\ufffd"));
        assertTrue(sent.stream().anyMatch(s -> s.startsWith("left 0 ")), sent.toString().substring(0, 100));
        int given = text().getBytes(StandardCharsets.UTF_8).length;
        long left = Long.parseLong(sent.stream().filter(s -> s.startsWith("left 0 ")).reduce((a, b) -> b).orElseThrow().substring(7));
        assertEquals(line.getBytes(StandardCharsets.UTF_8).length, given + left);
    }

    @Test
    void halfALetterWaits() {
        byte[] euro = "€".getBytes(StandardCharsets.UTF_8);
        assertEquals(0, CellOutput.wholeLetters(Arrays.copyOf(euro, 2)));
        assertEquals(3, CellOutput.wholeLetters(euro));
        assertEquals(1, CellOutput.wholeLetters(new byte[] {'a', euro[0]}));
        assertEquals(2, CellOutput.wholeLetters(new byte[] {'a', 'b'}));
        output.out().write(euro, 0, 2);
        output.flush();
        assertEquals(List.of(), sent);
        output.out().write(euro, 2, 1);
        output.finish();
        assertEquals(List.of("out €"), sent);
    }

    @Test
    void theParenthesisThatIsOpen() {
        String code = "f(a, \"(\", g(1), /* ( */ h(2, ";
        assertEquals(code.length() - 4, Docs.enclosing(code, code.length()));
        assertEquals(1, Docs.enclosing(code, code.length() - 4));
        assertEquals(-1, Docs.enclosing("f(1) + \"(", 9));
        assertEquals(-1, Docs.enclosing("// f(", 5));
        assertEquals(1, Docs.enclosing("f('(', ", 7));
    }

    /** A signature as JShell gives it. */
    private static Documentation signature(String text) {
        return new Documentation() {
            @Override
            public String signature() {
                return text;
            }

            @Override
            public String javadoc() {
                return null;
            }
        };
    }

    @Test
    void javadocComesFromTheSources() {
        SourceDocs sources = new SourceDocs(System.getProperty("user.dir"));
        String type = DocText.plain(sources.of(signature("lab.recall.view.Show")).orElseThrow());
        assertTrue(type.startsWith("Shows things in the middle of a cell") && type.contains("\nshow(trace.heatmap());"), type);
        assertEquals("Shows an object below the cell.", DocText.plain(sources.of(signature("void Show.show(Object o)")).orElseThrow()));
        String nested = DocText.html(sources.of(signature("void Show.Live.update(Object o)")).orElseThrow());
        assertEquals("<p>Shows an object in the place of the last one.</p>", nested);
        String table = DocText.plain(sources.of(signature(
                "<X>Table Tables.<X>byLayer(String title, List<String> columns, int layers, Collection<X> things, "
                + "java.util.function.Function<X,List<?>> before, java.util.function.BiFunction<X,Integer,?> cell)")).orElseThrow());
        assertTrue(table.contains("- columns: names of those before the layers"), table);
        String field = DocText.plain(sources.of(signature("HookPoint HookPoint.RESID_POST")).orElseThrow());
        assertFalse(field.isBlank());
        assertTrue(sources.of(signature("void Nothing.of(int a)")).isEmpty());
        assertTrue(sources.of(signature("int Show.nothing(int a)")).isEmpty());
        assertTrue(new SourceDocs(null).of(signature("lab.recall.view.Show")).isEmpty());
    }

    @Test
    void anErrorIsMarkedInItsLine() {
        assertEquals(List.of("    \tb = x;", "    \t    ^"), ErrorText.marked("a;\n\tb = x;\nc", 8, 9));
        assertEquals(List.of(), ErrorText.marked("a", -1, -1));
    }

    /** A long trace keeps both ends, frames that repeat are counted, and the sentence comes first. */
    @Test
    void aTraceBeginsWithItsSentence() {
        try (JShell shell = JShell.builder().executionEngine("local").build()) {
            shell.eval("int f(int n) { return n == 0 ? 1 / n : f(n - 1); }");
            shell.eval("int g(int n) { return n % 2 == 0 ? f(50) : h(n - 1); }");
            SnippetEvent event = shell.eval("var x = f(50);").get(0);
            ErrorText text = ErrorText.of(event.exception(), shell, List.of("x"));
            assertEquals("ArithmeticException", text.name());
            assertEquals("\u001b[1;31mArithmeticException: / by zero\u001b[0m", text.lines().get(0));
            assertEquals("    at f:  int f(int n) { return n == 0 ? 1 / n : f(n - 1); }  (51 times)", text.lines().get(1));
            assertEquals("    at the cell:  var x = f(50);", text.lines().get(2));
            assertEquals("x is not set.", text.lines().get(3));
        }
        StackTraceElement[] deep = IntStream.range(0, 1000).mapToObj(i -> new StackTraceElement("A", "m" + i, "A.java", i))
                .toArray(StackTraceElement[]::new);
        IllegalStateException e = new IllegalStateException("first line\nsecond line");
        e.setStackTrace(deep);
        try (JShell shell = JShell.builder().executionEngine("local").build()) {
            List<String> lines = ErrorText.of(e, shell, List.of()).lines();
            assertEquals(2 + ErrorText.FIRST_FRAMES + 1 + ErrorText.LAST_FRAMES, lines.size());
            assertEquals("    … 984 more …", lines.get(2 + ErrorText.FIRST_FRAMES));
            assertTrue(lines.get(lines.size() - 1).contains("m999"));
        }
    }
}
