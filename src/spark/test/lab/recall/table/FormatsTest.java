package lab.recall.table;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import lab.recall.base.BadData;
import lab.recall.base.BadRequest;
import lab.recall.base.Json;
import lab.recall.sweep.SweepFormats;
import lab.recall.sweep.SweepRow;
import org.apache.parquet.ParquetReadOptions;
import org.apache.parquet.column.page.PageReadStore;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.convert.GroupRecordConverter;
import org.apache.parquet.format.ColumnChunk;
import org.apache.parquet.format.FileMetaData;
import org.apache.parquet.format.Util;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.io.ColumnIOFactory;
import org.apache.parquet.io.LocalInputFile;
import org.apache.parquet.io.RecordReader;
import org.apache.parquet.schema.MessageType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FormatsTest {
    private final SweepFormats formats = SweepFormats.find();

    @TempDir
    Path dir;

    private JsonNode yaml(String text) {
        return formats.yaml(text.getBytes(StandardCharsets.UTF_8), "s.yaml");
    }

    @Test
    void yamlIsWhatTheSameJsonIs() throws IOException {
        assertEquals(Json.MAPPER.readTree("{\"models\":[\"a\",\"no\"],"
                + "\"studies\":{\"w\":{\"experiment\":\"trace\",\"pairs\":60,\"flows\":true}},"
                + "\"settings\":{\"lr\":[0.5,0.001],\"seed\":[1,2]}}").toString(),
                yaml("models: [a, no]   # two\nstudies:\n  w: {experiment: trace, pairs: 60, flows: true}\nsettings:\n  lr: [0.5, 1e-3]\n"
                        + "  seed: &s [1, 2]\n").toString());
    }

    @Test
    void anAnchorIsWhatItNames() {
        assertEquals("{\"a\":[1,2],\"b\":[1,2]}", yaml("a: &x [1, 2]\nb: *x\n").toString());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "a: 1\\nb: [1, 2\\n | s.yaml: not YAML (expected ',' or ']', but got <stream end>, line 3)",
        "a: 1\\na: 2\\n | s.yaml: not YAML (found duplicate key a, line 2)",
        "- 1\\n | s.yaml: not an object of YAML, expected such as models: [tiny-mamba]",
        "a: 1\\n---\\nb: 2\\n | s.yaml: more than one document of YAML, expected one",
        "a: {3: 4}\\n | s.yaml: a: the key 3 is no text; quotes make it one",
        "a: \\tb: c\\n | s.yaml: not YAML (mapping values are not allowed here, line 1)"})
    void badYamlIsToldWithItsLine(String text, String sentence) {
        assertEquals(sentence, assertThrows(BadData.class, () -> yaml(text.replace("\\n", "\n"))).getMessage());
    }

    @Test
    void badJsonIsToldWithItsLine() throws IOException {
        Path file = Files.writeString(dir.resolve("s.json"), "{\n\"models\": [\"a\",]\n}\n");
        String told = assertThrows(BadData.class, () -> formats.read(file)).getMessage();
        assertTrue(told.startsWith(file + ": not JSON (") && told.endsWith(", line 2)"), told);
        assertEquals("SWEEP: " + dir.resolve("s.txt") + ", expected a name that ends with .yaml, .yml or .json",
                assertThrows(BadRequest.class, () -> formats.read(dir.resolve("s.txt"))).getMessage());
        assertEquals(dir.resolve("s.yaml") + ": no such file",
                assertThrows(BadData.class, () -> formats.read(dir.resolve("s.yaml"))).getMessage());
    }

    @Test
    void parquetHoldsTheRowsAndTheSameBytesEachTime() throws IOException {
        List<SweepRow> rows = IntStream.range(0, 5_000).mapToObj(i -> new SweepRow("m" + i / 2_500, "where", "seed=" + i % 7, "p/" + i,
                i % 11 == 0 ? Double.NaN : Math.sin(i), i % 11 == 0 ? Double.NaN : -1.0, 2.0, i % 11)).toList();
        Path one = dir.resolve("one.parquet");
        Path two = dir.resolve("two.parquet");
        formats.parquet(rows, one);
        formats.parquet(rows, two);
        assertArrayEquals(Files.readAllBytes(one), Files.readAllBytes(two));
        requireSortedEncodings(one);
        assertFalse(Files.exists(dir.resolve(".one.parquet.crc")), "nothing beside it");
        try (ParquetFileReader file = new ParquetFileReader(new LocalInputFile(one), ParquetReadOptions.builder(
                new org.apache.parquet.conf.PlainParquetConfiguration()).build())) {
            MessageType schema = file.getFileMetaData().getSchema();
            assertEquals(List.of("model", "study", "setting", "place", "mean", "low", "high", "n"),
                    schema.getFields().stream().map(f -> f.getName()).toList());
            int at = 0;
            for (PageReadStore pages = file.readNextRowGroup(); pages != null; pages = file.readNextRowGroup()) {
                RecordReader<Group> reader = new ColumnIOFactory().getColumnIO(schema)
                        .getRecordReader(pages, new GroupRecordConverter(schema));
                for (long r = 0; r < pages.getRowCount(); r++) {
                    requireSame(rows.get(at++), reader.read());
                }
            }
            assertEquals(rows.size(), at);
        }
    }

    /** In the order of a hash set they would be others in another process. */
    private static void requireSortedEncodings(Path file) throws IOException {
        byte[] all = Files.readAllBytes(file);
        int length = ByteBuffer.wrap(all, all.length - 8, 4).order(ByteOrder.LITTLE_ENDIAN).getInt();
        FileMetaData footer = Util.readFileMetaData(new ByteArrayInputStream(all, all.length - 8 - length, length));
        for (ColumnChunk column : footer.getRow_groups().get(0).getColumns()) {
            assertEquals(column.getMeta_data().getEncodings().stream().sorted().toList(), column.getMeta_data().getEncodings());
        }
    }

    private static void requireSame(SweepRow row, Group found) {
        assertEquals(List.of(row.model(), row.study(), row.setting(), row.place(), row.n()), List.of(found.getString("model", 0),
                found.getString("study", 0), found.getString("setting", 0), found.getString("place", 0), found.getInteger("n", 0)));
        Double mean = found.getFieldRepetitionCount("mean") == 0 ? null : found.getDouble("mean", 0);
        if (row.mean().isNaN()) {
            assertNull(mean);
        } else {
            assertEquals(row.mean(), mean);
        }
    }
}
