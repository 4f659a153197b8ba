package lab.recall.table;

import static org.apache.parquet.schema.LogicalTypeAnnotation.stringType;
import static org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName.BINARY;
import static org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName.DOUBLE;
import static org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName.INT32;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import lab.recall.sweep.SweepRow;
import org.apache.parquet.conf.PlainParquetConfiguration;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.SimpleGroup;
import org.apache.parquet.hadoop.ParquetFileWriter;
import org.apache.parquet.hadoop.ParquetWriter;
import org.apache.parquet.hadoop.example.ExampleParquetWriter;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.apache.parquet.io.LocalOutputFile;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.Types;

/** A sweep's table as a Parquet file: one writer, no compression by a library of this machine, nothing of the time in it. */
final class ParquetTable {
    private static final MessageType SCHEMA = Types.buildMessage()
            .required(BINARY).as(stringType()).named("model").required(BINARY).as(stringType()).named("study")
            .required(BINARY).as(stringType()).named("setting").required(BINARY).as(stringType()).named("place")
            .optional(DOUBLE).named("mean").optional(DOUBLE).named("low").optional(DOUBLE).named("high")
            .required(INT32).named("n").named("sweep");

    private ParquetTable() {
    }

    static void write(List<SweepRow> rows, Path file) {
        try (ParquetWriter<Group> writer = ExampleParquetWriter.builder(new LocalOutputFile(file)).withType(SCHEMA)
                .withConf(new PlainParquetConfiguration()).withCompressionCodec(CompressionCodecName.UNCOMPRESSED)
                .withWriteMode(ParquetFileWriter.Mode.OVERWRITE).build()) {
            for (SweepRow row : rows) {
                writer.write(group(row));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Group group(SweepRow row) {
        Group group = new SimpleGroup(SCHEMA).append("model", row.model()).append("study", row.study())
                .append("setting", row.setting()).append("place", row.place());
        add(group, "mean", row.mean());
        add(group, "low", row.low());
        add(group, "high", row.high());
        return group.append("n", row.n());
    }

    /** What is not there is null: other tools count NaN. */
    private static void add(Group group, String column, double value) {
        if (!Double.isNaN(value)) {
            group.append(column, value);
        }
    }
}
