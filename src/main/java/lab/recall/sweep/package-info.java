/**
 * Sweeps: a file that lists models, studies and settings becomes one plan of requests, and what they find one table.
 *
 * <p>It knows {@link lab.recall.base}, {@link lab.recall.stats} and {@link lab.recall.study}. YAML and Parquet are read and written beside
 * the product, on Spark's class path ({@link lab.recall.sweep.SweepFormats}).
 */
package lab.recall.sweep;
