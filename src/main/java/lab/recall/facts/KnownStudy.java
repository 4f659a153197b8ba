package lab.recall.facts;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.LongConsumer;
import java.util.stream.IntStream;
import lab.recall.model.LanguageModel;
import lab.recall.model.Recording;
import lab.recall.study.Runner;
import lab.recall.study.Study;
import lab.recall.text.Prompt;
import lab.recall.text.Tokenizer;

/**
 * Asks a model for facts: the most probable token after each prompt. Kept for all requests: facts of a relation are pieces of their own.
 */
final class KnownStudy implements Study<List<Relation>, KnownStudy.Piece, int[], KnownFacts> {
    /** Prompts of one relation; the facts stand beside them, in the same order. */
    record Piece(List<int[]> prompts) {
    }

    @Override
    public String name() {
        return "known_facts";
    }

    @Override
    public Class<int[]> found() {
        return int[].class;
    }

    @Override
    public Object settings(List<Relation> request) {
        return Map.of();
    }

    @Override
    public String title(LanguageModel model, List<Relation> request) {
        return "asking " + model.name();
    }

    @Override
    public String unit() {
        return "facts";
    }

    @Override
    public long size(LanguageModel model, List<Relation> request, Piece piece) {
        return piece.prompts.size();
    }

    @Override
    public boolean isShared() {
        return true;
    }

    private static List<Prompt> prompts(Tokenizer tokenizer, Relation relation) {
        return relation.facts().stream().map(f -> relation.template().fill(tokenizer, f.subject())).toList();
    }

    @Override
    public List<Piece> plan(LanguageModel model, List<Relation> request, Runner runner) {
        Tokenizer tokenizer = model.requireTokenizer();
        return request.stream()
                .flatMap(r -> Study.parts(prompts(tokenizer, r).stream().map(Prompt::ids).toList()).stream()).map(Piece::new).toList();
    }

    @Override
    public int[] compute(LanguageModel model, List<Relation> request, Piece piece, LongConsumer done) {
        return model.runAll(piece.prompts, Recording.nothing()).stream().mapToInt(p -> p.argmax()).toArray();
    }

    @Override
    public boolean fits(LanguageModel model, List<Relation> request, Piece piece, int[] found) {
        return found.length == piece.prompts.size() && Arrays.stream(found).allMatch(id -> id >= 0 && id < model.vocabulary());
    }

    @Override
    public KnownFacts combine(LanguageModel model, List<Relation> request, List<Piece> pieces, List<int[]> found) {
        Tokenizer tokenizer = model.requireTokenizer();
        int[] answers = found.stream().flatMapToInt(Arrays::stream).toArray();
        List<Fact> facts = request.stream().flatMap(r -> r.facts().stream()).toList();
        List<Prompt> prompts = request.stream().flatMap(r -> prompts(tokenizer, r).stream()).toList();
        List<KnownFacts.Known> known = new ArrayList<>();
        IntStream.range(0, answers.length).filter(i -> facts.get(i).begunBy(tokenizer.decode(answers[i])))
                .forEach(i -> known.add(new KnownFacts.Known(facts.get(i), prompts.get(i), answers[i])));
        return new KnownFacts(model, List.copyOf(request), List.copyOf(known));
    }
}
