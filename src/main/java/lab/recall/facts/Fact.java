package lab.recall.facts;

import java.util.Locale;

/**
 * A subject's object in a relation.
 *
 * @param relation its relation's name
 */
public record Fact(String relation, String subject, String object) {
    /**
     * Whether a model's next token begins the object: stripped and in lower case it is not empty and the object starts with it. The paper
     * calls it a non-trivial prefix.
     */
    public boolean begunBy(String token) {
        String t = token.strip().toLowerCase(Locale.ROOT);
        return !t.isEmpty() && object.strip().toLowerCase(Locale.ROOT).startsWith(t);
    }
}
