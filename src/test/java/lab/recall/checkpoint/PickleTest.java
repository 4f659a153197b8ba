package lab.recall.checkpoint;

import static lab.recall.checkpoint.TorchFiles.pickle;
import static lab.recall.checkpoint.TorchFiles.tensor;
import static lab.recall.checkpoint.TorchFiles.text;
import static lab.recall.checkpoint.TorchFiles.tuple;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import lab.recall.base.BadData;
import lab.recall.base.BadRequest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What a pickle may say, and that it can do nothing else: no fault, no endless work, no memory beyond its file's. */
class PickleTest {
    private static final byte[] FOUR = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN).putFloat(1).putFloat(2).putFloat(3)
            .putFloat(4).array();
    private static final String TENSOR = tensor("FloatStorage", 4, tuple(4), tuple(1));

    @TempDir
    Path dir;

    private Path file(String operations) throws IOException {
        return Files.write(dir.resolve("pytorch_model.bin"), TorchFiles.zip(pickle(operations), FOUR));
    }

    private Map<String, Tensor> read(String operations) throws IOException {
        return TorchArchive.read(file(operations));
    }

    private String refused(String operations) throws IOException {
        Path file = file(operations);
        BadData said = assertThrows(BadData.class, () -> TorchArchive.read(file));
        assertEquals(file.toString(), said.file());
        assertTrue(said.getMessage().length() < 400 && said.getMessage().lines().count() == 1, said.getMessage());
        return said.reason();
    }

    @Test
    void viewsOfAStorageAreRead() throws IOException {
        assertArrayEquals(new float[] {1, 2, 3, 4}, read("}" + text("w") + TENSOR + "s.").get("w").floats());
        assertArrayEquals(new float[] {1, 3, 2, 4},
                read("}" + text("w") + tensor("FloatStorage", 4, tuple(2, 2), tuple(1, 2)) + "s.").get("w").floats(), "transposed");
        assertArrayEquals(new float[] {1, 1, 1, 1},
                read("}" + text("w") + tensor("FloatStorage", 4, tuple(2, 2), tuple(0, 0)) + "s.").get("w").floats(), "one number");
        assertArrayEquals(new long[0], read("}" + text("w") + tensor("FloatStorage", 4, tuple(), tuple()) + "s.").get("w").shape());
    }

    @Test
    void newerTypesOfNumbersAreNamedBesideAStorageOfBytes() throws IOException {
        String rest = "K\0" + tuple(16) + tuple(1) + "\u0089ccollections\nOrderedDict\n)Rctorch\nfloat8_e4m3fn\ntR";
        Tensor t = read("}" + text("w") + "ctorch._utils\n_rebuild_tensor_v3\n((" + text("storage") + "ctorch.storage\nUntypedStorage\n"
                + text("0") + text("cpu") + "K\u0010tQ" + rest + "s.").get("w");
        assertEquals(DType.F8_E4M3, t.dtype());
        assertEquals(1.875f, t.floats()[3], "the byte 3f");
    }

    @Test
    void whatPyTorchWritesIsRead() {
        for (String name : List.of("new.bin", "old.bin")) {
            Map<String, Tensor> all = TorchArchive.read(Path.of("src/test/resources/files").resolve(name));
            assertArrayEquals(new float[] {0, 1, 2, 3, 4, 5}, all.get("a").floats(), name);
            assertArrayEquals(new float[] {0.5f, 1.875f, -448, Float.NaN}, all.get("e4").floats(), name);
            assertArrayEquals(new float[] {0.5f, 1.75f, -57344, Float.POSITIVE_INFINITY}, all.get("e5").floats(), name);
            assertArrayEquals(new long[] {1, 65535}, all.get("u16").longs(), name);
            assertArrayEquals(new long[] {1, 4294967295L}, all.get("u32").longs(), name);
            assertArrayEquals(new long[] {1, 0}, all.get("b").longs(), name);
            assertArrayEquals(new float[] {1.5f}, all.get("bf").floats(), name);
            assertArrayEquals(new float[] {0, 3, 1, 4, 2, 5}, all.get("t").floats(), name);
            assertEquals(DType.C64, all.get("c").dtype(), name);
            assertEquals("'c' is C64, which is not read here; known are " + DType.known(),
                    assertThrows(BadRequest.class, () -> all.get("c").floats()).getMessage(), name);
        }
    }

    static Stream<String> hostile() {
        String deep = "})" + "\u0085".repeat(60_000) + "K\1s.";
        String shared = "})q\1" + "h\1\u0086q\1".repeat(45) + "K\1s.";
        return Stream.of("NK\1K\2s.", "N(K\1K\2u.", "NK\1a.", ")K\1a.", ")(K\1e.", "N(K\1e.", "}NK\1s.", "}K\1K\1s.", "}(NK\1u.", "}(K\1u.",
                shared, shared.replace("K\1s", "(h\1K\1u"), deep, "]q\1h\1ah\1K\1s.", "}q\1h\1K\1s.", "}q\1" + text("a") + "h\1s.",
                "NQ.", ")Q.", "(" + text("storage") + "tQ.", "(" + text("storage") + "N" + text("0") + text("cpu") + "K\4tQ.",
                "(" + text("storage") + "ctorch\nFloatStorage\nNN" + "K\4tQ.", "(" + text("storage") + "ctorch\nFloatStorage\n" + text("0")
                        + text("cpu") + "NtQ.", "(" + text("storage") + "ctorch\nFloatStorage\n" + text("0") + text("cpu")
                        + "J\u00ff\u00ff\u00ff\u00fftQ.", "NNR.", ")NR.", "ctorch._utils\n_rebuild_tensor_v2\n)R.",
                "ctorch._utils\n_rebuild_tensor_v2\n(NNNNtR.", "ctorch._utils\n_rebuild_tensor_v3\n(NNNNNNNtR.",
                "ctorch._utils\n_rebuild_parameter\n)R.", "ctorch._utils\n_rebuild_parameter\n(NtR.", "ctorch\nFloatStorage\n)R.",
                "N}b.", "}Nb.", "}}b", "}N\u0093.", "NN\u0093.", "h\7.", "q\1.", "t.", "e.", "u.", "\u0087.", "NN\u0087.",
                "(N\u0085t\u0085.", "(q\1.", ".", "N.", "K\1.", "].", "G", "X\u00ff\u00ff\u00ff\u007f", "\u008a\u00ff",
                "N".repeat(3_000_000) + ".",
                "}" + text("w") + tensor("FloatStorage", 4, tuple(400_000_000), tuple(0)) + "s.",
                "}" + text("w") + tensor("FloatStorage", 4, tuple(5), tuple(0)) + "s.",
                "}" + text("w") + tensor("FloatStorage", 4, tuple(2), tuple(4)) + "s.",
                "}" + text("w") + tensor("FloatStorage", 4, tuple(-1), tuple(1)) + "s.",
                "}" + text("w") + tensor("FloatStorage", 4, tuple(1), tuple(-1)) + "s.",
                "}" + text("w") + tensor("FloatStorage", 4, tuple(1, 1), tuple(1)) + "s.",
                "}" + text("w") + tensor("FloatStorage", 5, tuple(4), tuple(1)) + "s.",
                "}" + text("w") + tensor("DoubleStorage", 4, tuple(4), tuple(1)) + "s.",
                "}" + text("w") + tensor("FloatStorage", 4, tuple(new int[40]), tuple(new int[40])) + "s.",
                "}" + text("w") + "K\1s.", "}" + text("w") + "Ns.", "cos\nsystem\n(" + text("true") + "tR.",
                "c" + "x".repeat(300) + "\n\n.", "cbuiltins\neval\n.", "\u0095\0\0\0\0\0\0\0\0");
    }

    @ParameterizedTest
    @MethodSource("hostile")
    void whatIsNoDictionaryOfTensorsIsRefused(String operations) throws IOException {
        refused(operations);
    }

    @Test
    void refusalsSayWhatIsWrong() throws IOException {
        assertEquals("not a pickle of tensors (expected a dictionary)", refused("NK\1K\2s."));
        assertEquals("not a pickle of tensors (expected a text as key)", refused("})q\1" + "h\1\u0086q\1".repeat(45) + "K\1s."));
        assertEquals("not a pickle of tensors (expected a storage's type)",
                refused("(" + text("storage") + "N" + text("0") + text("cpu") + "K\4tQ."));
        assertEquals("not a pickle of tensors ('w' with the shape [400000000] repeats the 4 numbers of its storage; save it contiguous)",
                refused("}" + text("w") + tensor("FloatStorage", 4, tuple(400_000_000), tuple(0)) + "s."));
        assertEquals("not a dictionary of tensors (the entry 'a\\u001b[2J' is none)", refused("}" + text("a\u001b[2J") + "K\1s."));
        assertEquals("the pickle names os.system; only tensors can be read", refused("cos\nsystem\n(" + text("true") + "tR."));
    }

    @Test
    void manyViewsOfOneStorageTakeNoMoreThanTheFile() throws IOException {
        String transposed = tensor("FloatStorage", 4, tuple(2, 2), tuple(1, 2));
        StringBuilder all = new StringBuilder("}");
        for (int i = 0; i < 20_000; i++) {                  // each names the tensor that is remembered
            all.append(text("w" + i)).append(i == 0 ? transposed + "q\1" : "h\1").append("s");
        }
        assertTrue(refused(all + ".").contains("would take more memory than the file is long"));
    }

    @Test
    void anOlderFileIsHeldToTheSame() throws IOException {
        List<String> parts = List.of("\u008a\nl\u00fc\u009cF\u00f9 j\u00a8P\u0019.", "M\u00e9\3.",
                "}" + text("little_endian") + "\u0088s.", "}" + text("w") + TENSOR + "s.", "](" + text("0") + "e.");
        byte[] whole = older(parts);
        assertArrayEquals(new float[] {1, 2, 3, 4}, TorchArchive.read(Files.write(dir.resolve("old.bin"), whole)).get("w").floats());
        for (int i = 0; i < parts.size(); i++) {
            for (String bad : List.of("N.", "K\1.", ")Q.", "]q\1h\1a.", "](Ne.", "](" + text("9") + "e.")) {
                List<String> changed = new ArrayList<>(parts);
                changed.set(i, bad);
                Path file = Files.write(dir.resolve("old.bin"), older(changed));
                BadData said = assertThrows(BadData.class, () -> TorchArchive.read(file), i + " " + bad);
                assertEquals(file.toString(), said.file());
            }
        }
    }

    private static byte[] older(List<String> parts) {
        ByteBuffer all = ByteBuffer.allocate(1000).order(ByteOrder.LITTLE_ENDIAN);
        parts.forEach(p -> all.put(pickle(p)));
        all.putLong(4).put(FOUR);
        byte[] bytes = new byte[all.position()];
        all.flip().get(bytes);
        return bytes;
    }
}
