package lab.recall.facts;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Random;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import lab.recall.base.BadData;
import lab.recall.base.BadRequest;
import lab.recall.base.Json;
import lab.recall.base.Said;
import lab.recall.base.TextLines;

/**
 * Texts for statistics over what a model reads: short ones made of facts, or those of a file.
 *
 * <pre>{@code
 * List<String> texts = Documents.of(Documents.corpus(Relations.of(mamba)), 400, seed);
 * try (Stream<String> lines = Documents.read(Path.of("wiki.jsonl"))) { .. }
 * }</pre>
 *
 * A document made of facts is a few sentences drawn without replacement; when all are used up they are drawn anew.
 */
public final class Documents {
    private static final int SENTENCES = 4;
    private static final int LONGEST_LINE = 1 << 22;

    private Documents() {
    }

    /** One sentence a fact, in its relation's first template. */
    public static List<String> sentences(Relations relations) {
        return relations.all().stream().flatMap(r -> r.facts().stream().map(f -> sentence(r.template().with(f.subject()), f))).toList();
    }

    /** One sentence for each fact and template of its relation, held-out ones excepted. */
    public static List<String> corpus(Relations relations) {
        return relations.all().stream().flatMap(r -> r.facts().stream()
                .flatMap(f -> r.templates().stream().map(t -> sentence(t.with(f.subject()), f)))).toList();
    }

    private static String sentence(String prompt, Fact fact) {
        return prompt + " " + fact.object().strip() + " .";
    }

    /** Documents of sentences; the same seed gives the same ones. */
    public static List<String> of(List<String> sentences, int count, long seed) {
        Random random = new Random(seed);
        List<String> documents = new ArrayList<>();
        List<String> order = new ArrayList<>();
        while (documents.size() < count) {
            StringBuilder text = new StringBuilder();
            for (int i = 0; i < SENTENCES; i++) {
                if (order.isEmpty()) {
                    order.addAll(sentences);
                    Collections.shuffle(order, random);
                }
                text.append(i == 0 ? "" : " ").append(order.remove(order.size() - 1));
            }
            documents.add(text.toString());
        }
        return documents;
    }

    /**
     * Texts of a file, read as they are used, to be closed: one a line, or in a .jsonl file the field {@code text} of each line.
     *
     * @throws BadRequest for the field texts, now or while they are read, when the file is not that
     */
    public static Stream<String> read(Path file) {
        Lines lines;
        try {
            lines = new Lines(file);
        } catch (BadData e) {
            throw refused(e);
        }
        return StreamSupport.stream(Spliterators.spliteratorUnknownSize(lines, Spliterator.ORDERED | Spliterator.NONNULL), false)
                .onClose(lines.all::close);
    }

    private static BadRequest refused(BadData e) {
        return new BadRequest("texts", e.getMessage(), e);
    }

    /** The lines that are not blank. */
    private static final class Lines implements Iterator<String> {
        private final Path file;
        private final TextLines all;
        private final boolean json;
        private String next;

        Lines(Path file) {
            this.file = file;
            this.all = new TextLines(file, LONGEST_LINE);
            this.json = file.toString().endsWith(".jsonl");
        }

        @Override
        public boolean hasNext() {
            try {
                while (next == null) {
                    String text = all.next();
                    if (text == null) {
                        return false;
                    }
                    if (!text.isBlank()) {
                        next = json ? field(text) : text;
                    }
                }
                return true;
            } catch (BadData e) {
                throw refused(e);
            }
        }

        @Override
        public String next() {
            if (!hasNext()) {
                throw new NoSuchElementException();
            }
            String text = next;
            next = null;
            return text;
        }

        private String field(String text) {
            String where = file + ": line " + all.number();
            JsonNode said = Json.object(text.getBytes(StandardCharsets.UTF_8), where).path("text");
            if (!said.isTextual()) {
                throw new BadData(where, "text", said.isMissingNode() ? "missing" : Said.of(said) + ", expected a text");
            }
            return said.asText();
        }
    }
}
