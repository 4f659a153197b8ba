package lab.recall.edit;

import java.util.Arrays;
import java.util.List;
import lab.recall.base.BadRequest;
import lab.recall.facts.EditRequest;
import lab.recall.model.LanguageModel;
import lab.recall.text.Letters;
import lab.recall.text.Prompt;
import lab.recall.text.Template;
import lab.recall.text.Tokenizer;

/**
 * A request as token ids: what the search for a value reads.
 *
 * @param contexts the prompt after each context template, the plain one first
 * @param lookups  index of the subject's last token in each of them
 * @param target   ids of what is to be said
 * @param klPrompt whose prediction at the subject's last token, its own last one, is to stay: "{} is a" up to there
 */
public record EditCase(List<int[]> contexts, int[] lookups, int[] target, int[] klPrompt) {
    private static final Template ESSENCE = new Template("{} is a");

    public EditCase {
        if (target.length == 0) {
            throw new BadRequest("target", "empty, expected at least one token");
        }
    }

    /** By ids: each prefix before the prompt, the first of them empty. What follows {@code klPos} cannot matter. */
    public static EditCase of(int[] prompt, int subjectLast, List<int[]> prefixes, int[] target, int[] klPrompt, int klPos) {
        if (prefixes.isEmpty() || prefixes.get(0).length > 0) {
            throw new BadRequest("prefixes[0]", "expected {\"ids\": []}: the plain prompt comes first");
        }
        return new EditCase(prefixes.stream().map(p -> joined(p, prompt)).toList(),
                prefixes.stream().mapToInt(p -> p.length + subjectLast).toArray(), target.clone(), Arrays.copyOf(klPrompt, klPos + 1));
    }

    /** A request after context templates, the plain {@code {}} first. */
    public static EditCase of(LanguageModel model, EditRequest request, List<Template> contexts) {
        Tokenizer tokenizer = model.requireTokenizer();
        List<Prompt> prompts = contexts.stream()
                .map(c -> new Template(c.with(request.prompt())).fill(tokenizer, request.subject())).toList();
        Prompt kl = ESSENCE.fill(tokenizer, request.subject());
        return new EditCase(prompts.stream().map(Prompt::ids).toList(), prompts.stream().mapToInt(Prompt::subjectLast).toArray(),
                target(tokenizer, request.targetNew()), Arrays.copyOf(kl.ids(), kl.subjectLast() + 1));
    }

    /** A target's ids as they stand after a prompt: a blank before it, no special tokens. */
    static int[] target(Tokenizer tokenizer, String text) {
        return Letters.encode(tokenizer, " " + text.strip(), false).ids();
    }

    /** A context with all of the target but its last token after it. */
    int[] sequence(int context) {
        return joined(contexts.get(context), Arrays.copyOf(target, target.length - 1));
    }

    static int[] joined(int[] a, int[] b) {
        int[] both = Arrays.copyOf(a, a.length + b.length);
        System.arraycopy(b, 0, both, a.length, b.length);
        return both;
    }
}
