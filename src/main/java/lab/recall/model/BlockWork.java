package lab.recall.model;

/**
 * What a token costs in a layer, in floating-point operations: by it work is planned before it is done.
 *
 * <pre>{@code
 * mamba.block(0).work().of(0, 12)                            // of a prompt of 12 tokens in one layer
 * }</pre>
 *
 * A multiplication and an addition are two, an exponential is one.
 *
 * @param products of the matrix products of a token: twice their numbers
 * @param mixing   of all else that a token takes, however many are before it: norms, convolution, scan, gates
 * @param read     of each token that a token reads, its own included; 0 where a state stands for all of them
 */
public record BlockWork(long products, long mixing, long read) {
    /** Of matrices with so many numbers. */
    public static BlockWork ofMatrices(long numbers, long mixing, long read) {
        return new BlockWork(2 * numbers, mixing, read);
    }

    /** Of the tokens from one on, up to another, in one layer. */
    public double of(int from, int to) {
        double tokens = to - from;
        double reads = tokens * (from + 1 + to) / 2;            // from + 1 of the first, to of the last
        return tokens * (products + mixing) + reads * read;
    }
}
