package lab.recall.base;

/**
 * What a user can mend: one sentence, in one line, says what is wrong, where, and what would be right. Commands end with exit code 2;
 * all other exceptions are ours or the machine's.
 */
public abstract sealed class Failure extends IllegalArgumentException permits BadRequest, BadData, Unsolvable {
    Failure(String sentence, Throwable cause) {
        super(Said.sentence(sentence), cause);
    }
}
