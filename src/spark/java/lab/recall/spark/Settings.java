package lab.recall.spark;

import java.io.IOException;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;
import lab.recall.base.AtomicFiles;
import org.apache.spark.SparkConf;

/**
 * How Spark is set up. What the user says goes first: properties {@code spark.*} of this process, which {@code spark-submit} makes of its
 * options, then {@code spark-defaults.conf} in the folder that SPARK_CONF_DIR names; then what stands here.
 */
final class Settings {
    /** Where executors find models, each by the last part of its folder's name: where they are not at the driver's path. */
    static final String MODELS = "spark.recall.models";
    /** Tries of a piece that does not come back since its executor is lost; so many are made of one that fails too. */
    static final int TRIES = 3;
    private static final String MASTER = "spark.master";
    private static final String LOOPBACK = "127.0.0.1";
    private static final String PATH = "spark.executor.extraClassPath";
    private static final String OPTIONS = "spark.executor.extraJavaOptions";

    private Settings() {
    }

    /** Those for a master; null where spark-submit or the file names one. */
    static SparkConf of(String master) {
        SparkConf conf = new SparkConf();
        String folder = System.getenv("SPARK_CONF_DIR");
        if (folder != null && Files.exists(Path.of(folder, "spark-defaults.conf"))) {
            Properties said = read(Path.of(folder, "spark-defaults.conf"));
            said.stringPropertyNames().stream().filter(key -> key.startsWith("spark."))
                    .forEach(key -> conf.setIfMissing(key, said.getProperty(key).strip()));
        }
        if (master != null) {
            conf.set(MASTER, master);
        }
        conf.setIfMissing("spark.app.name", "RecallLab");
        conf.setIfMissing("spark.task.maxFailures", String.valueOf(TRIES));
        conf.setIfMissing("spark.driver.maxResultSize", "0");           // results are kept as they arrive, not together
        conf.setIfMissing("spark.locality.wait", "0");                  // pieces lie nowhere
        conf.setIfMissing("spark.ui.enabled", "false");
        conf.setIfMissing("spark.ui.showConsoleProgress", "false");
        if (conf.get(MASTER, "").matches("local.*|spark://(127\\.0\\.0\\.1|localhost):.*")) {
            conf.setIfMissing("spark.driver.host", LOOPBACK);
            conf.setIfMissing("spark.driver.bindAddress", LOOPBACK);
        }
        fromScript(conf);
        return conf;
    }

    /** What environment/recall says of executors: the class path of this process, which they see at the same place, and its options. */
    private static void fromScript(SparkConf conf) {
        String options = System.getProperty("recall.executor.options");
        if (options != null) {
            conf.setIfMissing(PATH, System.getProperty("java.class.path"));
            conf.set(OPTIONS, (options + " " + conf.get(OPTIONS, "")).strip());
        }
    }

    private static Properties read(Path file) {
        Properties all = new Properties();
        try (Reader in = Files.newBufferedReader(file)) {
            all.load(in);
            return all;
        } catch (IOException e) {
            throw new UncheckedIOException(file + ": cannot be read (" + AtomicFiles.reason(e) + ")", e);
        }
    }
}
