package lab.recall.edit;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongConsumer;
import lab.recall.model.LanguageModel;
import lab.recall.study.Cost;
import lab.recall.study.Runner;
import lab.recall.study.Study;
import lab.recall.text.Template;

/** Samples context templates, for all requests: one piece, since the texts are drawn in step with each other. */
final class ContextStudy extends Study<ContextStudy.Asked, ContextStudy.Asked, int[][], List<Template>> {
    /** How many, by which seed. */
    record Asked(int count, long seed) {
    }

    ContextStudy() {
        super("contexts", "contexts", int[][].class);
    }

    @Override
    public Object settings(Asked asked) {
        return Map.of();
    }

    @Override
    public String title(LanguageModel model, Asked asked) {
        return "sampling contexts";
    }

    @Override
    public long size(LanguageModel model, Asked asked, Asked piece) {
        return piece.count;
    }

    @Override
    public boolean isShared() {
        return true;
    }

    @Override
    public List<Asked> plan(LanguageModel model, Asked asked, Runner runner) {
        return List.of(asked);
    }

    @Override
    public int[][] compute(LanguageModel model, Asked asked, Asked piece, LongConsumer done) {
        return ContextTemplates.sampled(model, piece.count, piece.seed);
    }

    @Override
    public Cost cost(LanguageModel model, Asked asked, Asked piece) {
        Cost cost = Cost.of(model);
        for (int i = 0; i < piece.count; i++) {
            for (int drawn = 0; drawn < ContextTemplates.tokens(i, piece.count); drawn++) {
                cost.run(1 + drawn, 1);
            }
        }
        return cost;
    }

    /** Texts of as many tokens, one again and again. */
    @Override
    public List<Template> supposed(LanguageModel model, Asked asked, List<Asked> pieces, List<int[][]> found) {
        int[] word = model.requireTokenizer().encode(" a", false).ids();
        return combine(model, asked, pieces, filled(found, i -> {
            int[][] texts = new int[asked.count][];
            for (int text = 0; text < texts.length; text++) {
                texts[text] = new int[ContextTemplates.tokens(text, asked.count)];
                Arrays.fill(texts[text], word[word.length - 1]);
            }
            return texts;
        }));
    }

    @Override
    public List<String> suppositions() {
        return List.of("a context has as many tokens as are drawn for it");
    }

    @Override
    public Optional<Asked> sent(Asked asked, Asked piece) {
        return Optional.of(asked);
    }

    @Override
    public boolean fits(LanguageModel model, Asked asked, Asked piece, int[][] found) {
        return found.length == piece.count && Arrays.stream(found).allMatch(text -> text != null && Arrays.stream(text)
                .allMatch(id -> id >= 0 && id < model.vocabulary()));
    }

    /** What becomes of the tokens also depends on the tokenizer and on how the model's texts end sentences, so they are what is kept. */
    @Override
    public List<Template> combine(LanguageModel model, Asked asked, List<Asked> pieces, List<int[][]> found) {
        return ContextTemplates.of(model, found.get(0));
    }
}
