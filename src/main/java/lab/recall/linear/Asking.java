package lab.recall.linear;

import java.util.List;
import lab.recall.facts.Fact;
import lab.recall.facts.Relation;
import lab.recall.text.Prompt;
import lab.recall.text.Template;
import lab.recall.text.Tokenizer;

/** How a model is asked for a relation's objects. */
public enum Asking {
    /**
     * After other facts of the relation, one a line, and {@code <|endoftext|>} first, as the paper asks; where a tokenizer knows no line
     * break, sentences end with a full stop.
     */
    IN_CONTEXT,
    /** The relation's zero-shot template alone. */
    ZERO_SHOT;

    /** Its name in requests. */
    public String id() {
        return this == IN_CONTEXT ? "in-context" : "zero-shot";
    }

    /** The template in which a relation's facts are asked. */
    Template template(Relation relation) {
        return this == IN_CONTEXT ? relation.inContext() : relation.template();
    }

    /** The prompt for a fact's subject, after the other facts among {@code shots}. */
    Prompt prompt(Tokenizer tokenizer, Template template, List<Fact> shots, Fact fact) {
        if (this == ZERO_SHOT) {
            return template.fill(tokenizer, fact.subject());
        }
        StringBuilder before = new StringBuilder(addsEndOfText(tokenizer) ? "" : "<|endoftext|>");
        String end = tokenizer.decode(tokenizer.encode("\n", false).ids()).contains("\n") ? "\n" : " . ";
        for (Fact shot : shots) {
            if (!shot.equals(fact)) {
                before.append(template.with(shot.subject())).append(' ').append(shot.object()).append(end);
            }
        }
        return new Template(before + template.text()).fill(tokenizer, fact.subject());
    }

    private static boolean addsEndOfText(Tokenizer tokenizer) {
        return tokenizer.encode("a", true).ids().length > tokenizer.encode("a", false).ids().length;
    }
}
