package lab.recall.edit;

import java.nio.file.Path;
import java.util.Iterator;
import java.util.function.Supplier;
import java.util.stream.Stream;
import lab.recall.base.BadRequest;
import lab.recall.base.Check;
import lab.recall.base.Digest;
import lab.recall.base.Interruption;
import lab.recall.facts.Documents;
import lab.recall.facts.Relations;
import lab.recall.model.LanguageModel;

/**
 * Texts over which second moments are collected; read anew each time they are needed.
 *
 * <pre>{@code
 * MomentTexts.of(mamba, 400, seed)                           // made of the facts that belong to a model
 * MomentTexts.file(Path.of("wiki.jsonl")).first(10_000)      // one a line, streamed
 * }</pre>
 */
public final class MomentTexts {
    private final Supplier<Stream<String>> source;
    private final long most;

    private MomentTexts(Supplier<Stream<String>> source, long most) {
        this.source = source;
        this.most = most;
    }

    /** Texts made of the facts that belong to a model; the same seed gives the same ones. */
    public static MomentTexts of(LanguageModel model, int count, long seed) {
        return new MomentTexts(() -> Documents.of(Documents.corpus(Relations.of(model)), count, seed).stream(), count);
    }

    /** Those of a file: one a line, or in a .jsonl file the field {@code text} of each line. */
    public static MomentTexts file(Path file) {
        return new MomentTexts(() -> {
            try {
                return Documents.read(file);
            } catch (IllegalArgumentException e) {
                throw BadRequest.at("texts", e);
            }
        }, Long.MAX_VALUE);
    }

    /**
     * The first of them.
     *
     * @throws BadRequest if the number is below 1
     */
    public MomentTexts first(int count) {
        return new MomentTexts(source, Math.min(most, Check.whole("documents", count, 1, Integer.MAX_VALUE)));
    }

    /** How many at most. */
    long most() {
        return most;
    }

    /** All of them, to be closed. */
    public Stream<String> stream() {
        return source.get().limit(most);
    }

    /** Refuses texts that cannot be read. */
    void require() {
        try (Stream<String> all = source.get()) {
            if (!all.iterator().hasNext()) {
                throw new BadRequest("texts", "none, expected at least one");
            }
        }
    }

    /** Tells whether two are the same texts. */
    String digest() {
        Digest digest = new Digest();
        try (Stream<String> all = stream()) {
            for (Iterator<String> texts = all.iterator(); texts.hasNext();) {
                digest.add(texts.next());
                Interruption.check();
            }
        } catch (IllegalArgumentException e) {
            throw BadRequest.at("texts", e);
        }
        return digest.hex();
    }
}
