package lab.recall.table;

import static org.apache.parquet.schema.LogicalTypeAnnotation.stringType;
import static org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName.BINARY;
import static org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName.DOUBLE;
import static org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName.INT32;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import lab.recall.sweep.SweepRow;
import org.apache.parquet.conf.PlainParquetConfiguration;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.SimpleGroup;
import org.apache.parquet.format.ColumnChunk;
import org.apache.parquet.format.FileMetaData;
import org.apache.parquet.format.Util;
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

    /** At a file's end the length of its footer, and four letters. */
    private static final int MAGIC = 4;
    private static final int END = Integer.BYTES + MAGIC;

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
        try {
            sortFooter(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The library lists a column's encodings in the order of a hash set, which is another in each process: they are put in their own. */
    private static void sortFooter(Path file) throws IOException {
        byte[] all = Files.readAllBytes(file);
        int end = all.length - END;
        int start = end - ByteBuffer.wrap(all, end, Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN).getInt();
        FileMetaData footer = Util.readFileMetaData(new ByteArrayInputStream(all, start, end - start));
        footer.getRow_groups().stream().flatMap(group -> group.getColumns().stream()).map(ColumnChunk::getMeta_data).forEach(column -> {
            column.getEncodings().sort(null);
            if (column.isSetEncoding_stats()) {
                column.getEncoding_stats().sort(null);
            }
        });
        ByteArrayOutputStream sorted = new ByteArrayOutputStream();
        sorted.write(all, 0, start);
        Util.writeFileMetaData(footer, sorted);
        sorted.writeBytes(ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN).putInt(sorted.size() - start).array());
        sorted.write(all, all.length - MAGIC, MAGIC);
        Files.write(file, sorted.toByteArray());
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
