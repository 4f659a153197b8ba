package lab.recall.edit;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongConsumer;
import lab.recall.base.BadRequest;
import lab.recall.model.LanguageModel;
import lab.recall.study.Cost;
import lab.recall.study.Runner;
import lab.recall.study.Study;

/**
 * Sums of k k' over texts, kept for all requests: a piece holds some rows of one layer's sums. The texts are one sum in their order, so a
 * piece goes over all of them; the keys of all layers asked for are read in one go.
 */
final class MomentStudy extends Study<MomentStudy.Asked, MomentStudy.Piece, MomentStudy.Rows, SecondMoments> {
    /** Sums beyond it, in bytes, are not kept for other requests: a file of one's own keeps them. */
    static final long MOST_BYTES = 1L << 30;
    /** Numbers in a piece at most, unless one row has more. */
    private static final int NUMBERS = 1 << 22;

    /** Keys by the names of their hook points, with their widths, and texts. */
    record Asked(Map<String, Integer> keys, MomentTexts texts) {
    }

    /**
     * Some rows of the sums of one layer's keys.
     *
     * @param texts their digest
     */
    record Piece(String key, int size, int from, int to, String texts) {
    }

    /**
     * What a piece gives.
     *
     * @param sums rows of the upper triangle, F64 in little-endian order
     */
    record Rows(long documents, long tokens, byte[] sums) {
    }

    /** Sums that were collected together, for the pieces that follow. */
    private record Collected(LanguageModel model, Asked asked, String texts, SecondMoments moments) {
    }

    private volatile Collected collected;

    MomentStudy() {
        super("second_moments", "texts", Rows.class);
    }

    @Override
    public Object settings(Asked asked) {
        return Map.of("tokens_of_a_text", SecondMoments.TOKENS);
    }

    @Override
    public String title(LanguageModel model, Asked asked) {
        return "second moments";
    }

    /** The first piece reads the texts, so it alone counts. */
    @Override
    public long size(LanguageModel model, Asked asked, Piece piece) {
        return isFirst(asked, piece) && asked.texts.most() < Long.MAX_VALUE ? asked.texts.most() : 0;
    }

    private static boolean isFirst(Asked asked, Piece piece) {
        return piece.from == 0 && piece.key.equals(asked.keys.keySet().iterator().next());
    }

    @Override
    public boolean isShared() {
        return true;
    }

    @Override
    public List<Piece> plan(LanguageModel model, Asked asked, Runner runner) {
        String texts = asked.texts.digest();
        List<Piece> pieces = new ArrayList<>();
        asked.keys.forEach((key, size) -> {
            int rows = Math.max(1, NUMBERS / size);
            for (int from = 0; from < size; from += rows) {
                pieces.add(new Piece(key, size, from, Math.min(size, from + rows), texts));
            }
        });
        return pieces;
    }

    @Override
    public Rows compute(LanguageModel model, Asked asked, Piece piece, LongConsumer done) {
        SecondMoments all = collected(model, asked, piece, isFirst(asked, piece) ? done : read -> { });
        return new Rows(all.documents(), all.tokens(), all.of(piece.key).rows(piece.from, piece.to));
    }

    private SecondMoments collected(LanguageModel model, Asked asked, Piece piece, LongConsumer done) {
        Collected now = collected;
        if (now == null || now.model != model || !now.asked.equals(asked) || !now.texts.equals(piece.texts)) {
            SecondMoments moments = SecondMoments.empty(model, asked.keys).read(asked.texts, done);
            if (!moments.textsDigest().equals(piece.texts)) {
                throw new BadRequest("texts", "changed while they were read; begin again");
            }
            now = new Collected(model, asked, piece.texts, moments);
            collected = now;
        }
        return now.moments;
    }

    /** The first piece reads the texts. */
    @Override
    public Cost cost(LanguageModel model, Asked asked, Piece piece) {
        return isFirst(asked, piece) ? SecondMoments.cost(model, asked.keys, asked.texts) : Cost.of(model);
    }

    /** Of no texts: too large to be made where nobody reads them. */
    @Override
    public SecondMoments supposed(LanguageModel model, Asked asked, List<Piece> pieces, List<Rows> found) {
        if (!found.contains(null)) {
            return combine(model, asked, pieces, found);
        }
        Map<String, SecondMoment> moments = new LinkedHashMap<>();
        asked.keys.forEach((key, size) -> moments.put(key, new SecondMoment(size, new double[0], 1)));
        return SecondMoments.of(model, asked.keys, moments, 1, 1, pieces.get(0).texts);
    }

    /** The texts are one sum in their order. */
    @Override
    public Optional<Asked> sent(Asked asked, Piece piece) {
        return Optional.empty();
    }

    @Override
    public boolean fits(LanguageModel model, Asked asked, Piece piece, Rows found) {
        return found.sums != null && found.sums.length == SecondMoment.numbers(piece.size, piece.from, piece.to) * Double.BYTES
                && found.tokens > 0 && found.documents > 0;
    }

    @Override
    public SecondMoments combine(LanguageModel model, Asked asked, List<Piece> pieces, List<Rows> found) {
        Map<String, SecondMoment> moments = new LinkedHashMap<>();
        long tokens = found.get(0).tokens;
        for (int i = 0; i < pieces.size(); i++) {
            Piece piece = pieces.get(i);
            moments.computeIfAbsent(piece.key, k -> new SecondMoment(piece.size,
                    new double[Math.multiplyExact(piece.size, piece.size)], tokens)).setRows(piece.from, piece.to, found.get(i).sums);
        }
        return SecondMoments.of(model, asked.keys, moments, found.get(0).documents, tokens, pieces.get(0).texts);
    }
}
