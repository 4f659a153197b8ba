package lab.recall.checkpoint;

/**
 * Decoders of quantised blocks. {@code p} holds packed bytes, the block's from {@code at} on; {@code x} takes its numbers from {@code to}
 * on.
 *
 * <p>Blocks of 32 hold number i in the low half of byte i and number i + 16 in the high half. Blocks of 256 (the K kinds) hold four
 * quarters, or two halves of 128, the bits of which lie side by side in the same bytes.
 */
final class GgufBlocks {
    /** What the 16 values of IQ4_NL stand for. */
    private static final byte[] UNEVEN = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

    private GgufBlocks() {
    }

    /** d, 16 bytes of halves: x = d (q - 8). */
    static void q40(byte[] p, int at, float[] x, int to) {
        float d = half(p, at);
        for (int i = 0; i < 16; i++) {
            int q = p[at + 2 + i];
            x[to + i] = d * ((q & 15) - 8);
            x[to + 16 + i] = d * ((q >> 4 & 15) - 8);
        }
    }

    /** d, m, 16 bytes of halves: x = d q + m. */
    static void q41(byte[] p, int at, float[] x, int to) {
        float d = half(p, at);
        float m = half(p, at + 2);
        for (int i = 0; i < 16; i++) {
            int q = p[at + 4 + i];
            x[to + i] = d * (q & 15) + m;
            x[to + 16 + i] = d * (q >> 4 & 15) + m;
        }
    }

    /** d, 32 fifth bits, 16 bytes of halves: x = d (q - 16). */
    static void q50(byte[] p, int at, float[] x, int to) {
        float d = half(p, at);
        int fifth = whole(p, at + 2);
        for (int i = 0; i < 16; i++) {
            int q = p[at + 6 + i];
            x[to + i] = d * ((q & 15 | (fifth >>> i & 1) << 4) - 16);
            x[to + 16 + i] = d * ((q >> 4 & 15 | (fifth >>> i + 16 & 1) << 4) - 16);
        }
    }

    /** d, m, 32 fifth bits, 16 bytes of halves: x = d q + m. */
    static void q51(byte[] p, int at, float[] x, int to) {
        float d = half(p, at);
        float m = half(p, at + 2);
        int fifth = whole(p, at + 4);
        for (int i = 0; i < 16; i++) {
            int q = p[at + 8 + i];
            x[to + i] = d * (q & 15 | (fifth >>> i & 1) << 4) + m;
            x[to + 16 + i] = d * (q >> 4 & 15 | (fifth >>> i + 16 & 1) << 4) + m;
        }
    }

    /** d, 32 signed bytes: x = d q. */
    static void q80(byte[] p, int at, float[] x, int to) {
        float d = half(p, at);
        for (int i = 0; i < 32; i++) {
            x[to + i] = d * p[at + 2 + i];
        }
    }

    /** d, 16 bytes of halves, each of which stands for one of 16 uneven steps. */
    static void iq4nl(byte[] p, int at, float[] x, int to) {
        float d = half(p, at);
        for (int i = 0; i < 16; i++) {
            int q = p[at + 2 + i];
            x[to + i] = d * UNEVEN[q & 15];
            x[to + 16 + i] = d * UNEVEN[q >> 4 & 15];
        }
    }

    /** 16 bytes of a scale (low half) and a minimum (high half) for 16 numbers each, 64 bytes of pairs of bits, d, m: x = d s q - m n. */
    static void q2k(byte[] p, int at, float[] x, int to) {
        float d = half(p, at + 80);
        float m = half(p, at + 82);
        for (int part = 0; part < 16; part++) {
            int scale = p[at + part];
            float step = d * (scale & 15);
            float least = m * (scale >> 4 & 15);
            int bytes = at + 16 + pairsOf(part);
            int shift = shiftOf(part);
            for (int i = 0; i < 16; i++) {
                x[to + 16 * part + i] = step * (p[bytes + i] >> shift & 3) - least;
            }
        }
    }

    /** 32 bytes of third bits, 64 bytes of pairs of bits, 12 bytes of 16 scales of 6 bits, d: x = d (s - 32) (q - 4). */
    static void q3k(byte[] p, int at, float[] x, int to) {
        float d = half(p, at + 108);
        int scales = at + 96;
        for (int part = 0; part < 16; part++) {
            int low = p[scales + part % 8] >> (part < 8 ? 0 : 4) & 15;
            int high = p[scales + 8 + part % 4] >> 2 * (part / 4) & 3;
            float step = d * ((low | high << 4) - 32);
            int bytes = at + 32 + pairsOf(part);
            int shift = shiftOf(part);
            int third = at + 16 * (part % 2);
            for (int i = 0; i < 16; i++) {
                int q = p[bytes + i] >> shift & 3 | (p[third + i] >> part / 2 & 1) << 2;
                x[to + 16 * part + i] = step * (q - 4);
            }
        }
    }

    /** Where the pairs of bits of one of 16 parts of 16 numbers begin: 8 parts share 32 bytes. */
    private static int pairsOf(int part) {
        return 32 * (part / 8) + 16 * (part % 2);
    }

    private static int shiftOf(int part) {
        return part % 8 / 2 * 2;
    }

    /** d, m, 12 bytes of scales and minima of 6 bits for 32 numbers each, 128 bytes of halves: x = d s q - m n. */
    static void q4k(byte[] p, int at, float[] x, int to) {
        float d = half(p, at);
        float m = half(p, at + 2);
        for (int part = 0; part < 8; part++) {
            float step = d * scale(p, at + 4, part);
            float least = m * minimum(p, at + 4, part);
            int bytes = at + 16 + 32 * (part / 2);
            int shift = 4 * (part % 2);
            for (int i = 0; i < 32; i++) {
                x[to + 32 * part + i] = step * (p[bytes + i] >> shift & 15) - least;
            }
        }
    }

    /** The same with 32 bytes of fifth bits before the halves. */
    static void q5k(byte[] p, int at, float[] x, int to) {
        float d = half(p, at);
        float m = half(p, at + 2);
        for (int part = 0; part < 8; part++) {
            float step = d * scale(p, at + 4, part);
            float least = m * minimum(p, at + 4, part);
            int bytes = at + 48 + 32 * (part / 2);
            int shift = 4 * (part % 2);
            for (int i = 0; i < 32; i++) {
                int q = p[bytes + i] >> shift & 15 | (p[at + 16 + i] >> part & 1) << 4;
                x[to + 32 * part + i] = step * q - least;
            }
        }
    }

    /** The scale of part {@code part} of 8: the first four in 6 bits, the others in a half and two bits left over there. */
    private static int scale(byte[] p, int at, int part) {
        return part < 4 ? p[at + part] & 63 : p[at + part + 4] & 15 | (p[at + part - 4] >> 6 & 3) << 4;
    }

    private static int minimum(byte[] p, int at, int part) {
        return part < 4 ? p[at + part + 4] & 63 : p[at + part + 4] >> 4 & 15 | (p[at + part] >> 6 & 3) << 4;
    }

    /** 128 bytes of halves, 64 bytes of upper pairs of bits, 16 signed scales for 16 numbers each, d: x = d s (q - 32). */
    static void q6k(byte[] p, int at, float[] x, int to) {
        float d = half(p, at + 208);
        for (int part = 0; part < 16; part++) {
            float step = d * p[at + 192 + part];
            int quarter = part % 8 / 2;
            int within = 16 * (part % 2);
            int bytes = at + 64 * (part / 8) + 32 * (quarter % 2) + within;
            int upper = at + 128 + 32 * (part / 8) + within;
            for (int i = 0; i < 16; i++) {
                int q = p[bytes + i] >> 4 * (quarter / 2) & 15 | (p[upper + i] >> 2 * quarter & 3) << 4;
                x[to + 16 * part + i] = step * (q - 32);
            }
        }
    }

    private static float half(byte[] p, int at) {
        return Tensor.half((short) (p[at] & 0xff | p[at + 1] << 8));
    }

    private static int whole(byte[] p, int at) {
        return p[at] & 0xff | (p[at + 1] & 0xff) << 8 | (p[at + 2] & 0xff) << 16 | p[at + 3] << 24;
    }
}
