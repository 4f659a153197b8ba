package lab.recall.facts;

import lab.recall.base.BadRequest;
import lab.recall.model.LanguageModel;
import lab.recall.text.Prompt;

/**
 * Two facts of one relation that a model knows, as prompts of equal length with their subjects at the same tokens.
 *
 * <pre>{@code
 * known.pairs(60, seed).get(0)
 * FactPair.of(mamba, "Novux Bridge is located in the city of", "Polux Bridge is located in the city of")
 * }</pre>
 *
 * @param clean         the fact that is recalled
 * @param corrupt       the fact whose subject takes the clean one's place
 * @param cleanPrompt   its prompt
 * @param corruptPrompt the other's
 * @param answer        the clean prompt's next token
 */
public record FactPair(Fact clean, Fact corrupt, Prompt cleanPrompt, Prompt corruptPrompt, int answer) {
    /**
     * Two texts of one's own, which differ in the words of the subject. The answer is what the model says after the clean one.
     *
     * @throws BadRequest when the difference does not tell the subject, or the texts do not lie token on token
     */
    public static FactPair of(LanguageModel model, String clean, String corrupt) {
        return new OwnPair(model, clean, corrupt).pair();
    }

    /**
     * The same with the clean text's subject named, where the difference does not tell it.
     *
     * @throws BadRequest when the subject is not in the text, or the texts differ elsewhere too, or do not lie token on token
     */
    public static FactPair of(LanguageModel model, String clean, String corrupt, String subject) {
        return new OwnPair(model, clean, corrupt).pair(subject);
    }
}
