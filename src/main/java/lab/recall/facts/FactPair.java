package lab.recall.facts;

import lab.recall.text.Prompt;

/**
 * Two facts of one relation that a model knows, as prompts of equal length with their subjects at the same tokens.
 *
 * @param clean         the fact that is recalled
 * @param corrupt       the fact whose subject takes the clean one's place
 * @param cleanPrompt   its prompt
 * @param corruptPrompt the other's
 * @param answer        the clean prompt's next token
 */
public record FactPair(Fact clean, Fact corrupt, Prompt cleanPrompt, Prompt corruptPrompt, int answer) {
}
