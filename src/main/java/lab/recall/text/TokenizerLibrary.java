package lab.recall.text;

/** The tokenizers library, in this process or in one of its own. Whatever it refuses is an {@link IllegalStateException}. */
interface TokenizerLibrary {
    /**
     * Tokens of a text.
     *
     * @param starts index of each token's first letter, in code points; -1 where a token stands for no letters
     * @param ends   index after its last one
     */
    record Tokens(int[] ids, int[] starts, int[] ends) {
    }

    /** The tokens of a text, with or without those that the file adds to each. */
    Tokens encode(String text, boolean specialTokens);

    /** The text of some ids. */
    String decode(int[] ids);
}
