/**
 * Gives the pieces of studies to Apache Spark, with a class path of its own: nothing else knows this room, and a notebook never loads it.
 *
 * <p>The driver ({@link lab.recall.spark.SparkEngine}) sends a study once and each piece by itself, as JSON; an executor
 * ({@link lab.recall.spark.Slot}) opens the model by its path, makes sure that it is the driver's, and computes. Results go into the
 * driver's store as they arrive. It knows {@link lab.recall.base}, {@link lab.recall.math}, {@link lab.recall.model} and {@link
 * lab.recall.study}.
 */
package lab.recall.spark;
