package lab.recall.study;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.LongConsumer;
import lab.recall.base.Json;
import lab.recall.model.LanguageModel;

/**
 * A study on its way to another machine: its class, and as much of the request as its pieces read, as JSON.
 *
 * <pre>{@code
 * byte[] sent = SentStudy.write(study, request, piece).orElseThrow();          // here
 * byte[] found = SentStudy.read(sent).compute(model, Json.compact(piece));     // there: JSON of what the piece gives
 * }</pre>
 */
public final class SentStudy<Q, P, R> {
    private final Study<Q, P, R, ?> study;
    private final Q request;
    private final Class<P> piece;

    /** Names of classes: of the study, of what is asked, and of a piece. */
    private record Names(String study, String request, String piece) {
    }

    private SentStudy(Study<Q, P, R, ?> study, Q request, Class<P> piece) {
        this.study = study;
        this.request = request;
        this.piece = piece;
    }

    /** What is sent for pieces of one's kind ({@link Study#kind}): a line of names, and the request; none where all stays here. */
    public static <Q, P> Optional<byte[]> write(Study<Q, P, ?, ?> study, Q request, P piece) {
        return study.sent(request, piece).map(part -> {
            ByteArrayOutputStream all = new ByteArrayOutputStream();
            all.writeBytes(Json.compact(new Names(study.getClass().getName(), part.getClass().getName(), piece.getClass().getName())));
            all.write('\n');
            all.writeBytes(Json.compact(part));
            return all.toByteArray();
        });
    }

    /** What was sent. */
    @SuppressWarnings({"unchecked", "rawtypes"})
    public static SentStudy<?, ?, ?> read(byte[] sent) {
        int end = 0;
        while (sent[end] != '\n') {
            end++;
        }
        try {
            Names names = Json.MAPPER.readValue(Arrays.copyOf(sent, end), Names.class);
            var made = Class.forName(names.study).asSubclass(Study.class).getDeclaredConstructor();
            made.setAccessible(true);               // a study is known to its own room alone
            Object request = Json.MAPPER.readValue(sent, end + 1, sent.length - end - 1, Class.forName(names.request));
            return new SentStudy<>((Study<Object, Object, Object, ?>) made.newInstance(), request,
                    (Class<Object>) Class.forName(names.piece));
        } catch (IOException | ReflectiveOperationException e) {
            throw new IllegalStateException("a study that was sent cannot be read: " + e.getMessage(), e);
        }
    }

    /**
     * Computes a piece.
     *
     * @param json the piece
     * @return what it gives, as JSON
     */
    public byte[] compute(LanguageModel model, byte[] json) {
        LongConsumer nobody = units -> { };
        try {
            return Json.compact(study.compute(model, request, Json.MAPPER.readValue(json, piece), nobody));
        } catch (IOException e) {
            throw new IllegalStateException("a piece that was sent cannot be read: " + e.getMessage(), e);
        }
    }
}
