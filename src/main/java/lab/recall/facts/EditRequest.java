package lab.recall.facts;

import java.util.List;
import lab.recall.base.BadRequest;
import lab.recall.base.Said;
import lab.recall.text.Template;

/**
 * A fact to be put in the place of another one, with prompts that tell how well that went: the form of CounterFact's records.
 *
 * <pre>{@code
 * EditRequest r = EditRequest.of("{} is located in the city of", "Novux Bridge", "Malpolis");
 * }</pre>
 *
 * Source: Meng et al., arXiv 2202.05262, section 3.4.
 *
 * @param caseId      its number in the set
 * @param relation    its relation's name or id; may be empty
 * @param prompt      with {} where the subject goes
 * @param targetNew   what is to be said after the prompt
 * @param targetTrue  what is said before the edit; empty when it is not known
 * @param paraphrases whole texts about the subject that ask the same in other words
 * @param neighbours  whole texts about other subjects whose answer is {@code targetTrue} and should stay so
 */
public record EditRequest(int caseId, String relation, String prompt, String subject, String targetNew, String targetTrue,
        List<String> paraphrases, List<String> neighbours) {
    public EditRequest {
        if (subject.isBlank()) {
            throw new BadRequest("subject", "empty, expected the words that the fact is about");
        }
        if (targetNew.isBlank()) {
            throw new BadRequest("target", "empty, expected what is to be said after the prompt");
        }
        if (!prompt.contains("{}")) {
            int at = prompt.indexOf(subject);
            if (at < 0) {
                throw new BadRequest("subject", "'" + Said.of(subject) + "' does not stand in the prompt '"
                        + Said.of(prompt) + "'; write it there, or {} in its place");
            }
            prompt = prompt.substring(0, at) + "{}" + prompt.substring(at + subject.length());
        }
        new Template(prompt);                           // refuses a second {}
        paraphrases = List.copyOf(paraphrases);
        neighbours = List.copyOf(neighbours);
    }

    /**
     * One without test prompts; the subject stands in the prompt, or {} does.
     *
     * @throws BadRequest when the subject does not stand in the prompt, or a text is empty
     */
    public static EditRequest of(String prompt, String subject, String target) {
        return new EditRequest(0, "", prompt, subject, target, "", List.of(), List.of());
    }

    /** The prompt's template. */
    public Template template() {
        return new Template(prompt);
    }
}
