package lab.recall.fuzz;

import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Random;
import lab.recall.base.Json;

/**
 * A kind of file that is changed and opened.
 *
 * @param name    of the kind, for reports
 * @param file    its name in a folder of its own
 * @param good    a valid one
 * @param fields  changes one field of it
 * @param opening opens it and uses what it finds there
 */
record Subject(String name, String file, byte[] good, Fields fields, Opening opening) {
    /** Changes one field. */
    interface Fields {
        byte[] change(byte[] good, Random random) throws IOException;
    }

    /** Opens a file and uses it. */
    interface Opening {
        void open(Path file) throws IOException;
    }

    /** A file that is JSON as a whole. */
    static Subject json(String name, String file, byte[] good, Opening opening) {
        return new Subject(name, file, good, (from, random) -> changed(from, random), opening);
    }

    /** A file of JSON lines, one of which is changed. */
    static Subject lines(String name, String file, byte[] good, Opening opening) {
        return new Subject(name, file, good, (from, random) -> {
            String[] all = new String(from, StandardCharsets.UTF_8).split("\n");
            int line = random.nextInt(all.length);
            all[line] = new String(changed(all[line].getBytes(StandardCharsets.UTF_8), random), StandardCharsets.UTF_8);
            return String.join("\n", all).getBytes(StandardCharsets.UTF_8);
        }, opening);
    }

    /** A JSON value with one field changed, as text; halves of letters stand there as escapes. */
    static byte[] changed(byte[] json, Random random) throws IOException {
        JsonNode bad = Mutation.field(Json.MAPPER.reader().with(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS).readTree(json), random);
        StringBuilder text = new StringBuilder();
        Json.MAPPER.writer().without(JsonWriteFeature.WRITE_NAN_AS_STRINGS).writeValueAsString(bad).chars().forEach(c -> {
            if (Character.isSurrogate((char) c)) {
                text.append(String.format("\\u%04x", c));
            } else {
                text.append((char) c);
            }
        });
        return text.toString().getBytes(StandardCharsets.UTF_8);
    }
}
