package lab.recall.spark;

import lab.recall.base.BadRequest;
import lab.recall.study.PieceEngine;
import org.apache.spark.SparkConf;

/** Apache Spark as an engine: {@code --engine spark --master URL [--ship]}. */
public final class SparkProvider implements PieceEngine.Provider {
    @Override
    public String name() {
        return "spark";
    }

    @Override
    public PieceEngine open(String master, boolean ships) {
        SparkConf conf = Settings.of(master);
        if (!conf.contains("spark.master")) {
            throw new BadRequest("master", "missing; expected such as spark://127.0.0.1:7077, what environment/cluster start prints");
        }
        return new SparkEngine(conf, ships);
    }
}
