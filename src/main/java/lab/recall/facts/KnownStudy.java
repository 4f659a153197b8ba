package lab.recall.facts;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongConsumer;
import java.util.stream.IntStream;
import lab.recall.model.LanguageModel;
import lab.recall.model.Recording;
import lab.recall.study.Cost;
import lab.recall.study.Runner;
import lab.recall.study.Study;
import lab.recall.text.Prompt;
import lab.recall.text.Tokenizer;

/**
 * Asks a model for facts: the most probable token after each prompt. Kept for all requests: facts of a relation are pieces of their own.
 */
final class KnownStudy extends Study<KnownStudy.Asked, KnownStudy.Piece, int[], KnownFacts> {
    /** Relations, and for each of them a prompt for each fact. */
    record Asked(List<Relation> relations, List<List<Prompt>> prompts) {
        static Asked of(Tokenizer tokenizer, List<Relation> relations) {
            return new Asked(List.copyOf(relations), relations.stream()
                    .map(r -> r.facts().stream().map(f -> r.template().fill(tokenizer, f.subject())).toList()).toList());
        }
    }

    /** Prompts of one relation; the facts stand beside them, in the same order. */
    record Piece(List<int[]> prompts) {
    }

    KnownStudy() {
        super("known_facts", "facts", int[].class);
    }

    @Override
    public Object settings(Asked asked) {
        return Map.of();
    }

    @Override
    public String title(LanguageModel model, Asked asked) {
        return "asking " + model.name();
    }

    @Override
    public long size(LanguageModel model, Asked asked, Piece piece) {
        return piece.prompts.size();
    }

    @Override
    public boolean isShared() {
        return true;
    }

    @Override
    public List<Piece> plan(LanguageModel model, Asked asked, Runner runner) {
        return asked.prompts.stream().flatMap(of -> Study.parts(of.stream().map(Prompt::ids).toList()).stream()).map(Piece::new).toList();
    }

    @Override
    public int[] compute(LanguageModel model, Asked asked, Piece piece, LongConsumer done) {
        return model.runAll(piece.prompts, Recording.nothing()).stream().mapToInt(p -> p.argmax()).toArray();
    }

    @Override
    public Cost cost(LanguageModel model, Asked asked, Piece piece) {
        Cost cost = Cost.of(model);
        piece.prompts.forEach(p -> cost.run(p.length, 1));
        return cost;
    }

    /** All are known: the model says the first token that begins the object. */
    @Override
    public KnownFacts supposed(LanguageModel model, Asked asked, List<Piece> pieces, List<int[]> found) {
        Tokenizer tokenizer = model.requireTokenizer();
        int[] answers = asked.relations.stream().flatMap(r -> r.facts().stream()).mapToInt(f -> begins(tokenizer, f)).toArray();
        int[] first = new int[pieces.size()];
        Arrays.setAll(first, i -> i == 0 ? 0 : first[i - 1] + pieces.get(i - 1).prompts.size());
        return combine(model, asked, pieces,
                filled(found, i -> Arrays.copyOfRange(answers, first[i], first[i] + pieces.get(i).prompts.size())));
    }

    private static int begins(Tokenizer tokenizer, Fact fact) {
        return Arrays.stream(tokenizer.encode(" " + fact.object(), false).ids()).filter(id -> fact.begunBy(tokenizer.decode(id)))
                .findFirst().orElse(0);
    }

    @Override
    public List<String> suppositions() {
        return List.of("every fact is known");
    }

    @Override
    public Optional<Asked> sent(Asked asked, Piece piece) {
        return Optional.of(new Asked(List.of(), List.of()));
    }

    @Override
    public boolean fits(LanguageModel model, Asked asked, Piece piece, int[] found) {
        return found.length == piece.prompts.size() && Arrays.stream(found).allMatch(id -> id >= 0 && id < model.vocabulary());
    }

    @Override
    public KnownFacts combine(LanguageModel model, Asked asked, List<Piece> pieces, List<int[]> found) {
        Tokenizer tokenizer = model.requireTokenizer();
        int[] answers = found.stream().flatMapToInt(Arrays::stream).toArray();
        List<Fact> facts = asked.relations.stream().flatMap(r -> r.facts().stream()).toList();
        List<Prompt> prompts = asked.prompts.stream().flatMap(List::stream).toList();
        List<KnownFacts.Known> known = new ArrayList<>();
        IntStream.range(0, answers.length).filter(i -> facts.get(i).begunBy(tokenizer.decode(answers[i])))
                .forEach(i -> known.add(new KnownFacts.Known(facts.get(i), prompts.get(i), answers[i])));
        return new KnownFacts(model, asked.relations, List.copyOf(known));
    }
}
