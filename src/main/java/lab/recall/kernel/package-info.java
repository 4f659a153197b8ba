/**
 * The Jupyter kernel: IJava's, which stops queued cells after an error or an interrupt, gathers what a cell prints, begins an error with
 * its sentence, leaves no variable half set, and shows Javadoc. {@link lab.recall.kernel.RecallKernel} is what Jupyter starts.
 *
 * <p>It knows {@link lab.recall.view}.
 */
package lab.recall.kernel;
