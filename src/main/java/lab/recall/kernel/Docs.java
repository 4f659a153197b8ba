package lab.recall.kernel;

import io.github.spencerpark.jupyter.kernel.display.DisplayData;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import jdk.jshell.JShell;
import jdk.jshell.SourceCodeAnalysis;
import jdk.jshell.SourceCodeAnalysis.Documentation;
import lab.recall.view.Tables;

/** What is said of the name at the cursor, or of the method between whose parentheses the cursor stands: signatures and Javadoc. */
final class Docs {
    private static final int MOST = 12;

    private final JShell shell;
    private final SourceDocs sources = new SourceDocs(System.getProperty("recall.home"));

    Docs(JShell shell) {
        this.shell = shell;
    }

    Optional<DisplayData> at(String cell, int cursor) {
        Place place = statement(cell, cursor);
        int end = place.cursor;
        while (end < place.code.length() && Character.isJavaIdentifierPart(place.code.charAt(end))) {
            end++;
        }
        List<Documentation> found = List.of();
        if (end > 0 && Character.isJavaIdentifierPart(place.code.charAt(end - 1))) {
            int open = end;
            while (open < place.code.length() && Character.isWhitespace(place.code.charAt(open))) {
                open++;
            }
            boolean isCall = open < place.code.length() && place.code.charAt(open) == '(';
            found = documentation(place.code, isCall ? open + 1 : end);
            if (found.isEmpty() && !isCall) {               // a method whose parentheses are not written yet
                found = documentation(place.code.substring(0, end) + "(", end + 1);
            }
        }
        for (int open = enclosing(place.code, place.cursor); found.isEmpty() && open >= 0; open = enclosing(place.code, open)) {
            found = documentation(place.code, open + 1);
        }
        return found.isEmpty() ? Optional.empty() : Optional.of(shown(found));
    }

    private List<Documentation> documentation(String code, int cursor) {
        List<Documentation> all = shell.sourceCodeAnalysis().documentation(code, cursor, true);
        return all == null ? List.of() : all.stream().limit(MOST).toList();
    }

    private DisplayData shown(List<Documentation> found) {
        DisplayData data = new DisplayData(found.stream()
                .map(d -> d.signature() + sources.of(d).map(c -> "\n" + DocText.plain(c).indent(4).stripTrailing()).orElse(""))
                .collect(Collectors.joining("\n\n")));
        data.putHTML(found.stream()
                .map(d -> "<p><code><b>" + Tables.escape(d.signature()) + "</b></code></p>" + sources.of(d).map(DocText::html).orElse(""))
                .collect(Collectors.joining("<hr>")));
        return data;
    }

    /** One statement of a cell, and where the cursor stands in it. */
    private record Place(String code, int cursor) {
    }

    private Place statement(String cell, int cursor) {
        SourceCodeAnalysis analysis = shell.sourceCodeAnalysis();
        int start = 0;
        while (true) {
            String rest = cell.substring(start);
            SourceCodeAnalysis.CompletionInfo info = analysis.analyzeCompletion(rest);
            int next = cell.length() - (info.remaining() == null ? 0 : info.remaining().length());
            if (!info.completeness().isComplete() || next <= start || next >= cursor) {
                return new Place(rest, cursor - start);
            }
            start = next;
        }
    }

    /** The parenthesis that is open before this place; -1 without one. Texts and comments are read over. */
    static int enclosing(String code, int place) {
        int[] open = new int[place + 1];
        int depth = 0;
        for (int i = 0; i < place; i++) {
            char c = code.charAt(i);
            if (c == '"' || c == '\'') {
                i = afterText(code, i, place) - 1;
            } else if (code.startsWith("//", i)) {
                int line = code.indexOf('\n', i);
                i = line < 0 ? place : line;
            } else if (code.startsWith("/*", i)) {
                int stop = code.indexOf("*/", i + 2);
                i = stop < 0 ? place : stop + 1;
            } else if (c == '(') {
                open[depth++] = i;
            } else if (c == ')' && depth > 0) {
                depth--;
            }
        }
        return depth == 0 ? -1 : open[depth - 1];
    }

    private static int afterText(String code, int start, int place) {
        char quote = code.charAt(start);
        for (int i = start + 1; i < place; i++) {
            if (code.charAt(i) == '\\') {
                i++;
            } else if (code.charAt(i) == quote) {
                return i + 1;
            }
        }
        return place;
    }
}
