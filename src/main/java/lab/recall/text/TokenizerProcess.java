package lab.recall.text;

import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.File;
import java.io.IOException;
import java.lang.ref.Cleaner;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.CodeSource;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import lab.recall.base.Said;

/**
 * The tokenizers library in a process of its own, for files of which it is not known that the library can do with them: there are some on
 * which it ends the process, and patterns that never end. Such a process is ended when a text takes it too long; the next text starts
 * another one.
 */
final class TokenizerProcess implements TokenizerLibrary {
    /** The longest that starting Java and reading the file may take. */
    private static final int SECONDS_TO_START = 60;
    private static final int LONGEST_ANSWER = 1 << 28;
    private static final int MOST_HEARD = 8192;
    /** The Java from which on native code has to be allowed. */
    private static final int WARNS_OF_NATIVE = 24;
    private static final Cleaner CLEANER = Cleaner.create();
    /** The libraries' classes that the process needs, one of each place. */
    private static final List<String> NEEDED = List.of("ai.djl.huggingface.tokenizers.HuggingFaceTokenizer", "ai.djl.util.NativeResource",
            "com.sun.jna.Pointer", "com.google.gson.Gson", "org.slf4j.Logger", "org.slf4j.nop.NOPServiceProvider");

    private final byte[] json;
    private final int seconds;
    /** Ended when nobody has this object any more. */
    private final AtomicReference<Process> process = new AtomicReference<>();
    private final StringBuilder heard = new StringBuilder();
    private Thread listener;
    private DataOutputStream out;
    private DataInputStream in;

    /**
     * Starts the process and opens a file in it.
     *
     * @param json    a tokenizer.json
     * @param seconds the longest that one text may take
     */
    TokenizerProcess(byte[] json, int seconds) {
        this.json = json;
        this.seconds = seconds;
        AtomicReference<Process> mine = process;
        CLEANER.register(this, () -> end(mine.get()));
        start();
    }

    private static void end(Process process) {
        if (process != null) {
            process.destroyForcibly();
        }
    }

    private void start() {
        List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx1g"));
        if (Runtime.version().feature() >= WARNS_OF_NATIVE) {
            command.add("--enable-native-access=ALL-UNNAMED");
        }
        command.addAll(List.of("-cp", classPath(), TokenizerServer.class.getName()));
        try {
            Process started = new ProcessBuilder(command).start();
            process.set(started);
            out = new DataOutputStream(started.getOutputStream());
            in = new DataInputStream(started.getInputStream());
            listener = new Thread(() -> listen(started), "tokenizer");
            listener.setDaemon(true);
            listener.start();
        } catch (IOException e) {
            throw new IllegalStateException("the process for it cannot be started: " + e.getMessage(), e);
        }
        byte[] question = new byte[json.length + 1];
        question[0] = TokenizerServer.OPEN;
        System.arraycopy(json, 0, question, 1, json.length);
        try {
            answer(question, SECONDS_TO_START);
        } catch (IllegalStateException e) {
            end(process.getAndSet(null));
            throw e;
        }
    }

    /** Where the classes stand that were loaded here: a notebook's are not those of the class path. */
    private static String classPath() {
        Set<String> places = new LinkedHashSet<>();
        try {
            places.add(place(TokenizerServer.class));
            for (String name : NEEDED) {
                places.add(place(Class.forName(name, false, TokenizerProcess.class.getClassLoader())));
            }
        } catch (ClassNotFoundException e) {
            places.add(System.getProperty("java.class.path"));
        }
        return String.join(File.pathSeparator, places);
    }

    private static String place(Class<?> of) {
        CodeSource source = of.getProtectionDomain().getCodeSource();
        try {
            return source == null || source.getLocation() == null ? System.getProperty("java.class.path")
                    : Path.of(source.getLocation().toURI()).toString();
        } catch (URISyntaxException | java.nio.file.FileSystemNotFoundException e) {
            return System.getProperty("java.class.path");
        }
    }

    /** Keeps the first of what the process says on its standard error. */
    private void listen(Process from) {
        synchronized (heard) {
            heard.setLength(0);
        }
        try (BufferedReader lines = from.errorReader(StandardCharsets.UTF_8)) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                synchronized (heard) {
                    if (heard.length() < MOST_HEARD) {
                        heard.append(line).append('\n');
                    }
                }
            }
        } catch (IOException e) {
            // nothing more can be heard of it
        }
    }

    private synchronized byte[] ask(byte[] question) {
        if (process.get() == null || !process.get().isAlive()) {
            start();
        }
        return answer(question, seconds);
    }

    private byte[] answer(byte[] question, int most) {
        Process asked = process.get();
        CompletableFuture<Void> watch = CompletableFuture.runAsync(asked::destroyForcibly,
                CompletableFuture.delayedExecutor(most, TimeUnit.SECONDS));
        byte[] answer;
        try {
            out.writeInt(question.length);
            out.write(question);
            out.flush();
            int length = in.readInt();
            if (length < 1 || length > LONGEST_ANSWER) {
                throw new EOFException();
            }
            answer = new byte[length];
            in.readFully(answer);
        } catch (IOException e) {
            boolean late = watch.isDone();
            end(asked);
            process.set(null);
            throw new IllegalStateException(late ? "it took longer than " + most + " s and was ended"
                    : "the library gave up on it: " + why(), e);
        } finally {
            watch.cancel(false);
        }
        if (answer[0] == 0) {
            throw new IllegalStateException(new String(answer, 1, answer.length - 1, StandardCharsets.UTF_8));
        }
        return answer;
    }

    /** What Rust says when it panics stands below the place where it did. */
    private String why() {
        try {
            listener.join(TimeUnit.SECONDS.toMillis(1));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        List<String> lines;
        synchronized (heard) {
            lines = heard.toString().lines().toList();
        }
        for (int i = 0; i + 1 < lines.size(); i++) {
            if (lines.get(i).contains("panicked at")) {
                return Said.of(lines.get(i + 1));
            }
        }
        return lines.isEmpty() ? "no reason given" : Said.of(lines.get(lines.size() - 1));
    }

    @Override
    public Tokens encode(String text, boolean specialTokens) {
        byte[] letters = text.getBytes(StandardCharsets.UTF_8);
        byte[] question = new byte[letters.length + 2];
        question[0] = TokenizerServer.ENCODE;
        question[1] = (byte) (specialTokens ? 1 : 0);
        System.arraycopy(letters, 0, question, 2, letters.length);
        byte[] answer = ask(question);
        try (DataInputStream from = new DataInputStream(new ByteArrayInputStream(answer, 1, answer.length - 1))) {
            int count = from.readInt();
            Tokens tokens = new Tokens(new int[count], new int[count], new int[count]);
            for (int i = 0; i < count; i++) {
                tokens.ids()[i] = from.readInt();
                tokens.starts()[i] = from.readInt();
                tokens.ends()[i] = from.readInt();
            }
            return tokens;
        } catch (IOException e) {
            throw new IllegalStateException("the answer is cut short", e);
        }
    }

    @Override
    public String decode(int[] ids) {
        ByteArrayOutputStream question = new ByteArrayOutputStream();
        try (DataOutputStream to = new DataOutputStream(question)) {
            to.writeByte(TokenizerServer.DECODE);
            to.writeInt(ids.length);
            for (int id : ids) {
                to.writeInt(id);
            }
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
        byte[] answer = ask(question.toByteArray());
        return new String(answer, 1, answer.length - 1, StandardCharsets.UTF_8);
    }
}
