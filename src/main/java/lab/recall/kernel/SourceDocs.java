package lab.recall.kernel;

import com.sun.source.doctree.DocCommentTree;
import com.sun.source.tree.ClassTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.MethodTree;
import com.sun.source.tree.Tree;
import com.sun.source.tree.VariableTree;
import com.sun.source.util.DocTrees;
import com.sun.source.util.JavacTask;
import com.sun.source.util.TreePathScanner;
import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import jdk.jshell.SourceCodeAnalysis.Documentation;

/** Javadoc out of the sources that are there: this project's, those in jars beside the class path's, and the JDK's where it has them. */
final class SourceDocs {
    /** {@code Table LanguageModel.next(String text)}; {@code Type Owner.FIELD}; {@code lab.recall.model.LanguageModel}. */
    private static final Pattern METHOD = Pattern.compile(
            "(?:.* )?(?<owner>[\\w.]+)(?:<.*>)?\\.(?:<[^(]*>)?(?<name>\\w+)\\((?<given>.*)\\)");
    private static final Pattern CONSTRUCTOR = Pattern.compile("(?:<[^(]*>)?(?<owner>[\\w.]+)(?:<[^(]*>)?\\((?<given>.*)\\)");
    private static final Pattern FIELD = Pattern.compile(".* (?<owner>[\\w.]+)(?:<.*>)?\\.(?<name>\\w+)(?:\\s*:.*)?");
    private static final Pattern TYPE = Pattern.compile("(?<owner>[\\w.]+)(?:<.*>)?");

    private final JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    private final String home;
    private Map<String, List<Path>> files;

    /**
     * The sources that can be found.
     *
     * @param home the project's folder; null where it is not known
     */
    SourceDocs(String home) {
        this.home = home;
    }

    /** What is asked for: a type, or its member; the member's parameters, null for a field. */
    private record Wanted(String owner, String name, List<String> parameters) {
    }

    /** The comment of a signature that JShell gives; nothing where there is no source. */
    Optional<DocCommentTree> of(Documentation found) {
        try {
            if (found.javadoc() != null) {                  // JShell reads the JDK's
                return parse("/** " + found.javadoc() + " */ class X {}", new Wanted("X", "", null));
            }
            Optional<Wanted> wanted = wanted(found.signature());
            if (wanted.isEmpty()) {
                return Optional.empty();
            }
            String owner = wanted.get().owner;
            for (String name : new String[] {simple(owner), outer(owner)}) {
                for (Path file : files().getOrDefault(name, List.of())) {
                    Optional<DocCommentTree> comment = parse(Files.readString(file), wanted.get());
                    if (comment.isPresent()) {
                        return comment;
                    }
                }
            }
            return Optional.empty();
        } catch (IOException e) {
            return Optional.empty();                        // sources are a help, nothing more
        }
    }

    private static Optional<Wanted> wanted(String signature) {
        Matcher m = METHOD.matcher(signature);
        if (m.matches()) {
            return Optional.of(new Wanted(m.group("owner"), m.group("name"), parameters(m.group("given"))));
        }
        m = CONSTRUCTOR.matcher(signature);
        if (m.matches()) {
            return Optional.of(new Wanted(m.group("owner"), "<init>", parameters(m.group("given"))));
        }
        m = TYPE.matcher(signature);
        if (m.matches()) {
            return Optional.of(new Wanted(m.group("owner"), "", null));
        }
        m = FIELD.matcher(signature);
        return m.matches() ? Optional.of(new Wanted(m.group("owner"), m.group("name"), null)) : Optional.empty();
    }

    /** Types of parameters by their simple names, without what stands between angle brackets. */
    private static List<String> parameters(String given) {
        String plain = given;
        for (String before = ""; !before.equals(plain);) {
            before = plain;
            plain = plain.replaceAll("<[^<>]*>", "");
        }
        return plain.isBlank() ? List.of() : Stream.of(plain.split(",")).map(p -> simple(p.strip().replaceFirst("\\s+\\w+$", ""))).toList();
    }

    private static String simple(String name) {
        return name.replaceAll("<.*>", "").replaceAll("[\\w.]*\\.(?=\\w)", "");
    }

    /** The class of the file in which a nested one stands, of {@code lab.recall.view.Show.Live} or {@code Show.Live}. */
    private static String outer(String name) {
        return Stream.of(name.split("\\.")).filter(p -> Character.isUpperCase(p.charAt(0))).findFirst().orElse(name);
    }

    private Optional<DocCommentTree> parse(String source, Wanted wanted) throws IOException {
        JavacTask task = (JavacTask) compiler.getTask(null, null, d -> { }, List.of("-proc:none"), null, List.of(
                new SimpleJavaFileObject(URI.create("string:///Source.java"), javax.tools.JavaFileObject.Kind.SOURCE) {
                    @Override
                    public CharSequence getCharContent(boolean ignoreEncodingErrors) {
                        return source;
                    }
                }));
        DocTrees trees = DocTrees.instance(task);
        List<DocCommentTree> exact = new ArrayList<>();
        List<DocCommentTree> near = new ArrayList<>();
        for (CompilationUnitTree unit : task.parse()) {
            new TreePathScanner<Void, Void>() {
                private void found(List<DocCommentTree> list) {
                    DocCommentTree comment = trees.getDocCommentTree(getCurrentPath());
                    if (comment != null) {
                        list.add(comment);
                    }
                }

                private boolean isInOwner() {
                    Tree parent = getCurrentPath().getParentPath().getLeaf();
                    return parent instanceof ClassTree c && c.getSimpleName().contentEquals(simple(wanted.owner));
                }

                @Override
                public Void visitClass(ClassTree c, Void v) {
                    if (wanted.name.isEmpty() && c.getSimpleName().contentEquals(simple(wanted.owner))) {
                        found(exact);
                    }
                    return super.visitClass(c, v);
                }

                @Override
                public Void visitMethod(MethodTree m, Void v) {
                    if (m.getName().contentEquals(wanted.name) && wanted.parameters != null && isInOwner()) {
                        List<String> types = m.getParameters().stream().map(p -> simple(p.getType().toString())).toList();
                        boolean isSame = types.equals(wanted.parameters.stream().map(t -> t.replace("...", "[]")).toList());
                        found(isSame ? exact : types.size() == wanted.parameters.size() ? near : new ArrayList<>());
                    }
                    return null;
                }

                @Override
                public Void visitVariable(VariableTree f, Void v) {
                    if (f.getName().contentEquals(wanted.name) && wanted.parameters == null && isInOwner()) {
                        found(exact);
                    }
                    return null;
                }
            }.scan(unit, null);
        }
        return Stream.concat(exact.stream(), near.stream()).findFirst();
    }

    /** Where a class of this simple name may stand. */
    private synchronized Map<String, List<Path>> files() throws IOException {
        if (files == null) {
            Map<String, List<Path>> found = new HashMap<>();
            if (home != null) {
                note(Path.of(home, "src", "main", "java"), found);
            }
            for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
                Path jar = Path.of(entry.replaceFirst("\\.jar$", "-sources.jar"));
                if (entry.endsWith(".jar") && Files.isRegularFile(jar)) {
                    note(FileSystems.newFileSystem(jar, (ClassLoader) null).getPath("/"), found);
                }
            }
            files = found;
        }
        return files;
    }

    private static void note(Path root, Map<String, List<Path>> found) throws IOException {
        if (!Files.isDirectory(root)) {
            return;
        }
        try (Stream<Path> all = Files.walk(root)) {
            all.filter(p -> p.toString().endsWith(".java")).forEach(p ->
                    found.computeIfAbsent(p.getFileName().toString().replace(".java", ""), n -> new ArrayList<>()).add(p));
        }
    }
}
