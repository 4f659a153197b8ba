/**
 * Sweeps: a file that lists models, studies and settings becomes one plan of requests, and what they find one table; tables read back, and
 * the one of the small models' seeds.
 *
 * <p>It knows {@link lab.recall.base}, {@link lab.recall.stats}, {@link lab.recall.text}, {@link lab.recall.view} and
 * {@link lab.recall.study}. YAML and Parquet are read and written beside the product, on Spark's class path
 * ({@link lab.recall.sweep.SweepFormats}).
 */
package lab.recall.sweep;
