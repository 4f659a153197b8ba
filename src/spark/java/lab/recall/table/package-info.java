/**
 * YAML and Parquet for sweeps, with the class path of Spark.
 *
 * <p>It knows {@link lab.recall.base} and {@link lab.recall.sweep}.
 */
package lab.recall.table;
