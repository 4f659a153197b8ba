package lab.recall.edit;

import java.text.Normalizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import lab.recall.base.Check;
import lab.recall.base.Progress;
import lab.recall.math.Softmax;
import lab.recall.model.LanguageModel;
import lab.recall.model.Pass;
import lab.recall.model.Recording;
import lab.recall.study.Runner;
import lab.recall.study.Store;
import lab.recall.text.Template;
import lab.recall.text.Tokenizer;

/**
 * Texts that a model says by itself, to stand before a prompt: a key is averaged over them.
 *
 * <pre>{@code
 * List<Template> contexts = ContextTemplates.of(mamba, 20, seed);   // {} and 20 more, 10 of 5 tokens and 10 of 10
 * }</pre>
 *
 * Sampled from {@code <|endoftext|>} among the 5 most probable tokens. Source: the reference code of Meng et al., arXiv 2202.05262, which
 * sampled without a seed.
 */
public final class ContextTemplates {
    private static final int[] LENGTHS = {5, 10};
    private static final int TOP = 5;
    static final int MOST = 1_000;

    private ContextTemplates() {
    }

    /**
     * The plain {@code {}}, and {@code count} sampled ones, half of them of 5 tokens and half of 10. What was sampled once is taken from
     * the user's store.
     */
    public static List<Template> of(LanguageModel model, int count, long seed) {
        return of(model, count, seed, Runner.of(Store.none(), Store.user(), Progress.silent()));
    }

    /** The same with a runner's progress and store. */
    public static List<Template> of(LanguageModel model, int count, long seed, Runner runner) {
        if (Check.whole("contexts", count, 0, MOST) == 0) {
            return List.of(new Template("{}"));
        }
        return runner.run(new ContextStudy(), model, new ContextStudy.Asked(count, seed));
    }

    /** The plain one and those that are made of sampled tokens. */
    static List<Template> of(LanguageModel model, int[][] texts) {
        List<Template> all = new ArrayList<>(List.of(new Template("{}")));
        Tokenizer tokenizer = model.requireTokenizer();
        String end = tokenizer.decode(tokenizer.endOfText());
        // a text ends as the sentences do that the model has read
        boolean blank = model.facts().blankBeforeStop();
        String stop = blank ? " . {}" : ". {}";
        for (int[] ids : texts) {
            String text = Normalizer.normalize(tokenizer.decode(ids), Normalizer.Form.NFKD)
                    .replace(end, " ").replace("{", " ").replace("}", " ");
            all.add(new Template((blank ? text.replaceAll("[ .]+$", "") : text).strip() + stop));
        }
        return List.copyOf(all);
    }

    /** Token ids of so many texts, the end of text before them. */
    static int[][] sampled(LanguageModel model, int count, long seed) {
        int start = model.requireTokenizer().endOfText();
        List<int[]> texts = new ArrayList<>();
        Random random = new Random(seed);
        for (int i = 0; i < count; i++) {
            texts.add(new int[] {start});
        }
        for (int step = 0; step < LENGTHS[1]; step++) {
            int tokens = step;
            List<Integer> going = IntStream.range(0, count).filter(i -> tokens < tokens(i, count)).boxed().toList();
            List<Pass> passes = model.runAll(going.stream().map(texts::get).toList(), Recording.nothing());
            for (int i = 0; i < going.size(); i++) {
                int text = going.get(i);
                texts.set(text, EditCase.joined(texts.get(text), new int[] {draw(passes.get(i).logits(), random)}));
            }
        }
        return texts.toArray(int[][]::new);
    }

    /** How many tokens are drawn for one of so many texts. */
    static int tokens(int text, int count) {
        return LENGTHS[text * LENGTHS.length / count];
    }

    private static int draw(float[] logits, Random random) {
        int[] best = Softmax.largest(logits, Math.min(TOP, logits.length));
        double sum = 0;
        for (int id : best) {
            sum += Softmax.probability(logits, 0, logits.length, id);
        }
        double at = random.nextDouble() * sum;
        for (int id : best) {
            at -= Softmax.probability(logits, 0, logits.length, id);
            if (at < 0) {
                return id;
            }
        }
        return best[best.length - 1];
    }
}
