package lab.recall.fuzz;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Changes of files: of bytes anywhere, or of one field of what is else a valid file. The same random numbers make the same change. */
final class Mutation {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
    /** The first and last bytes tell what the others are: they are changed oftener. */
    private static final int FRONT = 4096;
    private static final int BACK = 512;
    private static final long[] SIZES = {0, 1, -1, 127, 128, 255, 256, 65_535, 65_536, Integer.MAX_VALUE, Integer.MIN_VALUE, 1L << 32,
        Long.MAX_VALUE, Long.MIN_VALUE};

    private Mutation() {
    }

    /** A file with some bytes changed, left out, put in, moved, or cut off. */
    static byte[] bytes(byte[] good, Random random) {
        byte[] bad = good.clone();
        for (int changes = 1 + random.nextInt(3); changes > 0 && bad.length > 0; changes--) {
            int at = place(bad.length, random);
            int some = 1 + random.nextInt(Math.min(64, bad.length - at));
            switch (random.nextInt(8)) {
                case 0 -> bad[at] = (byte) random.nextInt();
                case 1 -> bad[at] ^= (byte) (1 << random.nextInt(8));
                case 2 -> bad = Arrays.copyOf(bad, at);
                case 3 -> bad = joined(Arrays.copyOf(bad, at), Arrays.copyOfRange(bad, at + some, bad.length));
                case 4 -> bad = joined(Arrays.copyOf(bad, at + some), Arrays.copyOfRange(bad, at, bad.length));
                case 5 -> Arrays.fill(bad, at, at + some, (byte) random.nextInt());
                case 6 -> System.arraycopy(bad, place(bad.length - some + 1, random), bad, at, some);
                default -> {
                    byte[] size = ByteBuffer.allocate(8).order(random.nextInt(8) == 0 ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN)
                            .putLong(SIZES[random.nextInt(SIZES.length)]).array();
                    System.arraycopy(size, 0, bad, at, Math.min(bad.length - at, 1 << random.nextInt(4)));
                }
            }
        }
        return bad;
    }

    private static int place(int length, Random random) {
        int kind = random.nextInt(4);
        return kind == 0 ? Math.max(0, length - 1 - random.nextInt(BACK)) : random.nextInt(kind == 1 ? length : Math.min(length, FRONT));
    }

    private static byte[] joined(byte[] a, byte[] b) {
        byte[] both = Arrays.copyOf(a, a.length + b.length);
        System.arraycopy(b, 0, both, a.length, b.length);
        return both;
    }

    /** A JSON value in which one field has another value or name, is gone, or is new. */
    static JsonNode field(JsonNode good, Random random) {
        JsonNode bad = good.deepCopy();
        JsonNode at = bad;
        while (true) {                                      // down to some container, each level as likely as the next
            List<JsonNode> containers = new ArrayList<>();
            for (JsonNode child : at) {
                if (child.isContainerNode() && !child.isEmpty()) {
                    containers.add(child);
                }
            }
            if (containers.isEmpty() || at != bad && random.nextInt(3) == 0) {
                break;
            }
            at = containers.get(random.nextInt(containers.size()));
        }
        if (at instanceof ObjectNode object) {
            List<String> names = new ArrayList<>();
            object.fieldNames().forEachRemaining(names::add);
            String name = names.isEmpty() ? "x" : names.get(random.nextInt(names.size()));
            switch (random.nextInt(8)) {
                case 0 -> object.remove(name);
                case 1 -> object.set(text(random), object.remove(name));
                case 2 -> object.set(text(random), value(object.get(name), random));
                default -> object.set(name, value(object.get(name), random));
            }
        } else if (at instanceof ArrayNode list && !list.isEmpty()) {
            int index = random.nextInt(list.size());
            switch (random.nextInt(6)) {
                case 0 -> list.remove(index);
                case 1 -> list.insert(index, list.get(random.nextInt(list.size())).deepCopy());
                default -> list.set(index, value(list.get(index), random));
            }
        }
        return bad;
    }

    private static JsonNode value(JsonNode old, Random random) {
        if (old != null && old.isNumber() && random.nextBoolean()) {
            double n = old.doubleValue();
            double[] near = {n + 1, n - 1, -n, 2 * n, n / 2, n * 1000, n + 0.5, n * 1e9};
            double other = near[random.nextInt(near.length)];
            return other == Math.rint(other) && Math.abs(other) < 1e15 ? JSON.numberNode((long) other) : JSON.numberNode(other);
        }
        if (old != null && old.isTextual() && random.nextBoolean()) {
            String s = old.textValue();
            int at = random.nextInt(s.length() + 1);
            return JSON.textNode(random.nextBoolean() ? s.substring(0, at) : s.substring(0, at) + text(random) + s.substring(at));
        }
        return switch (random.nextInt(14)) {
            case 0 -> JSON.nullNode();
            case 1 -> JSON.booleanNode(random.nextBoolean());
            case 2 -> JSON.numberNode(SIZES[random.nextInt(SIZES.length)]);
            case 3 -> JSON.numberNode(new double[] {0.5, -0.5, 1e308, -1e308, 1e-320, 1e39}[random.nextInt(6)]);
            case 4 -> JSON.numberNode(BigInteger.ONE.shiftLeft(64 + random.nextInt(100)));
            case 5 -> JSON.arrayNode();
            case 6 -> JSON.objectNode();
            case 7 -> old == null ? JSON.arrayNode().add(1) : JSON.arrayNode().add(old.deepCopy());
            case 8 -> JSON.objectNode().set(text(random), old == null ? JSON.nullNode() : old.deepCopy());
            case 9 -> nested(random.nextInt(200));
            default -> JSON.textNode(text(random));
        };
    }

    private static JsonNode nested(int depth) {
        ArrayNode inner = JSON.arrayNode();
        for (int i = 0; i < depth; i++) {
            inner = JSON.arrayNode().add(inner);
        }
        return inner;
    }

    /** A text that programs stumble over. */
    static String text(Random random) {
        String[] some = {"", " ", "x", "\0", "\u001b[2J", "a\nb", "\ud800", "\udc00x", "NaN", "-1", "{}", "{} {}", "../x", "/dev/zero",
            "%s%n", "\ufeff", "\u202e", "😀", "e\u0301", "x".repeat(5000), "ſ", "İ", "\u2028", "'", "\"", "\\", "<b>", "=1+1", "type",
            "1e999"};
        return some[random.nextInt(some.length)];
    }
}
