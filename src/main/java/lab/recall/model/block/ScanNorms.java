package lab.recall.model.block;

import lab.recall.math.RmsNorm;

/** RMS norms without weight on the three parts of x_proj's output: delta's low-rank part, B and C, each over its own width. */
record ScanNorms(int rank, int states, float epsilon) {
    /** In place. */
    void forward(float[] low, int at, int rows) {
        int stride = rank + 2 * states;
        RmsNorm.unit(low, at, stride, rows, rank, epsilon);
        RmsNorm.unit(low, at + rank, stride, rows, states, epsilon);
        RmsNorm.unit(low, at + rank + states, stride, rows, states, epsilon);
    }

    /** Gradients of the normed parts become those of {@code raw}, x_proj's output, in place. */
    void backward(float[] raw, int rawAt, float[] grad, int at, int rows) {
        int stride = rank + 2 * states;
        RmsNorm.unitBackward(raw, rawAt, stride, rows, rank, epsilon, grad, at);
        RmsNorm.unitBackward(raw, rawAt + rank, stride, rows, states, epsilon, grad, at + rank);
        RmsNorm.unitBackward(raw, rawAt + rank + states, stride, rows, states, epsilon, grad, at + rank + states);
    }
}
