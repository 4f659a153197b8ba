package lab.recall.bench;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;

/**
 * Makes checkpoints of real shapes with random weights whose outputs are finite, for timing. Written tensor by tensor: a 5.5 GB file needs
 * little memory.
 *
 * <pre>{@code
 * RandomCheckpoint.make("mamba-130m", folder, "BF16");
 * }</pre>
 */
final class RandomCheckpoint {
    private record Entry(String name, long[] shape, double scale, double centre, boolean logOfStates) {
        long size() {
            long n = 1;
            for (long s : shape) {
                n *= s;
            }
            return n;
        }
    }

    private RandomCheckpoint() {
    }

    /** Shape, folder, dtype; by {@code java RandomCheckpoint.java}, without the rest of the bench. */
    public static void main(String[] args) throws IOException {
        make(args[0], Path.of(args[1]), args[2]);
    }

    /** Writes a folder in HuggingFace form; leaves one alone that is there. */
    static Path make(String shape, Path folder, String dtype) throws IOException {
        if (Files.exists(folder.resolve("model.safetensors"))) {
            return folder;
        }
        Files.createDirectories(folder);
        List<Entry> entries = new ArrayList<>();
        String config = switch (shape) {
            case "mamba-130m" -> mamba(entries, 768, 24);
            case "mamba-370m" -> mamba(entries, 1024, 48);
            case "mamba-2.8b" -> mamba(entries, 2560, 64);
            case "mamba2-130m" -> mamba2(entries, 768, 24, 24, 128);
            case "pythia-160m" -> pythia(entries, 768, 12, 12);
            case "smollm2-135m" -> llama(entries, 576, 30, 9, 3, 1536);
            default -> throw new IllegalArgumentException(
                    shape + ": expected mamba-130m, mamba-370m, mamba-2.8b, mamba2-130m, pythia-160m or smollm2-135m");
        };
        Path part = folder.resolve("part");
        write(entries, part, dtype);
        Files.writeString(folder.resolve("config.json"), config);
        Files.move(part, folder.resolve("model.safetensors"));
        return folder;
    }

    private static String mamba(List<Entry> all, int d, int layers) {
        int e = 2 * d;
        int rank = d / 16;
        add(all, "backbone.embeddings.weight", 0.5, 0, 50_280, d);
        for (int l = 0; l < layers; l++) {
            String b = "backbone.layers." + l + ".";
            String m = b + "mixer.";
            add(all, b + "norm.weight", 0.1, 1, d);
            add(all, m + "in_proj.weight", 1 / Math.sqrt(d), 0, 2 * e, d);
            add(all, m + "conv1d.weight", 0.5, 0, e, 1, 4);
            add(all, m + "conv1d.bias", 0.1, 0, e);
            add(all, m + "x_proj.weight", 1 / Math.sqrt(e), 0, rank + 32, e);
            add(all, m + "dt_proj.weight", 1 / Math.sqrt(rank), 0, e, rank);
            add(all, m + "dt_proj.bias", 1, -4, e);
            all.add(new Entry(m + "A_log", new long[] {e, 16}, 0, 0, true));
            add(all, m + "D", 0.1, 1, e);
            add(all, m + "out_proj.weight", 1 / Math.sqrt(2.0 * layers * e), 0, d, e);
        }
        add(all, "backbone.norm_f.weight", 0.1, 1, d);
        return String.format(Locale.ROOT, "{\"model_type\":\"mamba\",\"hidden_size\":%d,\"num_hidden_layers\":%d,\"vocab_size\":50280,"
                + "\"state_size\":16,\"conv_kernel\":4,\"intermediate_size\":%d,\"time_step_rank\":%d,\"tie_word_embeddings\":true}",
                d, layers, e, rank);
    }

    /** One group of B and C. */
    private static String mamba2(List<Entry> all, int d, int layers, int heads, int states) {
        int e = 2 * d;
        add(all, "backbone.embeddings.weight", 0.5, 0, 50_288, d);
        for (int l = 0; l < layers; l++) {
            String b = "backbone.layers." + l + ".";
            String m = b + "mixer.";
            add(all, b + "norm.weight", 0.1, 1, d);
            add(all, m + "in_proj.weight", 1 / Math.sqrt(d), 0, 2 * e + 2 * states + heads, d);
            add(all, m + "conv1d.weight", 0.5, 0, e + 2 * states, 1, 4);
            add(all, m + "conv1d.bias", 0.1, 0, e + 2 * states);
            add(all, m + "dt_bias", 1, -4, heads);
            all.add(new Entry(m + "A_log", new long[] {heads}, 0, 0, true));
            add(all, m + "D", 0.1, 1, heads);
            add(all, m + "norm.weight", 0.1, 1, e);
            add(all, m + "out_proj.weight", 1 / Math.sqrt(2.0 * layers * e), 0, d, e);
        }
        add(all, "backbone.norm_f.weight", 0.1, 1, d);
        return String.format(Locale.ROOT, "{\"model_type\":\"mamba2\",\"hidden_size\":%d,\"num_hidden_layers\":%d,\"vocab_size\":50288,"
                + "\"state_size\":%d,\"num_heads\":%d,\"head_dim\":%d,\"n_groups\":1,\"conv_kernel\":4,\"tie_word_embeddings\":true}",
                d, layers, states, heads, e / heads);
    }

    private static String llama(List<Entry> all, int d, int layers, int heads, int keyHeads, int hidden) {
        int keys = d / heads * keyHeads;
        add(all, "model.embed_tokens.weight", 0.5, 0, 49_152, d);
        for (int l = 0; l < layers; l++) {
            String b = "model.layers." + l + ".";
            add(all, b + "input_layernorm.weight", 0.1, 1, d);
            add(all, b + "self_attn.q_proj.weight", 1 / Math.sqrt(d), 0, d, d);
            add(all, b + "self_attn.k_proj.weight", 1 / Math.sqrt(d), 0, keys, d);
            add(all, b + "self_attn.v_proj.weight", 1 / Math.sqrt(d), 0, keys, d);
            add(all, b + "self_attn.o_proj.weight", 1 / Math.sqrt((double) d * layers), 0, d, d);
            add(all, b + "post_attention_layernorm.weight", 0.1, 1, d);
            add(all, b + "mlp.gate_proj.weight", 1 / Math.sqrt(d), 0, hidden, d);
            add(all, b + "mlp.up_proj.weight", 1 / Math.sqrt(d), 0, hidden, d);
            add(all, b + "mlp.down_proj.weight", 1 / Math.sqrt((double) hidden * layers), 0, d, hidden);
        }
        add(all, "model.norm.weight", 0.1, 1, d);
        return String.format(Locale.ROOT, "{\"model_type\":\"llama\",\"hidden_size\":%d,\"num_hidden_layers\":%d,"
                + "\"num_attention_heads\":%d,\"num_key_value_heads\":%d,\"intermediate_size\":%d,\"vocab_size\":49152,"
                + "\"rms_norm_eps\":1e-5,\"rope_theta\":100000,\"max_position_embeddings\":8192,\"hidden_act\":\"silu\","
                + "\"tie_word_embeddings\":true}",
                d, layers, heads, keyHeads, hidden);
    }

    private static String pythia(List<Entry> all, int d, int layers, int heads) {
        add(all, "gpt_neox.embed_in.weight", 0.5, 0, 50_304, d);
        for (int l = 0; l < layers; l++) {
            String b = "gpt_neox.layers." + l + ".";
            for (String norm : new String[] {"input_layernorm", "post_attention_layernorm"}) {
                add(all, b + norm + ".weight", 0.1, 1, d);
                add(all, b + norm + ".bias", 0.1, 0, d);
            }
            linear(all, b + "attention.query_key_value", 3 * d, d, 1);
            linear(all, b + "attention.dense", d, d, layers);
            linear(all, b + "mlp.dense_h_to_4h", 4 * d, d, 1);
            linear(all, b + "mlp.dense_4h_to_h", d, 4 * d, layers);
        }
        add(all, "gpt_neox.final_layer_norm.weight", 0.1, 1, d);
        add(all, "gpt_neox.final_layer_norm.bias", 0.1, 0, d);
        add(all, "embed_out.weight", 1 / Math.sqrt(d), 0, 50_304, d);
        return String.format(Locale.ROOT, "{\"model_type\":\"gpt_neox\",\"hidden_size\":%d,\"num_hidden_layers\":%d,"
                + "\"num_attention_heads\":%d,\"intermediate_size\":%d,\"vocab_size\":50304,\"rotary_pct\":0.25,"
                + "\"use_parallel_residual\":true,\"tie_word_embeddings\":false}",
                d, layers, heads, 4 * d);
    }

    private static void linear(List<Entry> all, String name, int outputs, int inputs, int depth) {
        add(all, name + ".weight", 1 / Math.sqrt((double) inputs * depth), 0, outputs, inputs);
        add(all, name + ".bias", 0.1, 0, outputs);
    }

    private static void add(List<Entry> all, String name, double scale, double centre, long... shape) {
        all.add(new Entry(name, shape, scale, centre, false));
    }

    private static void write(List<Entry> entries, Path file, String dtype) throws IOException {
        int bytes = dtype.equals("F32") ? 4 : 2;
        StringBuilder header = new StringBuilder("{");
        long at = 0;
        for (Entry e : entries) {
            long end = at + e.size() * bytes;
            header.append(at == 0 ? "" : ",").append('"').append(e.name).append("\":{\"dtype\":\"").append(dtype).append("\",\"shape\":")
                    .append(Arrays.toString(e.shape)).append(",\"data_offsets\":[").append(at).append(',').append(end).append("]}");
            at = end;
        }
        byte[] text = header.append('}').toString().getBytes(StandardCharsets.UTF_8);
        SplittableRandom random = new SplittableRandom(0);
        try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(file), 1 << 20)) {
            out.write(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(text.length).array());
            out.write(text);
            ByteBuffer chunk = ByteBuffer.allocate(1 << 16).order(ByteOrder.LITTLE_ENDIAN);
            for (Entry e : entries) {
                for (long i = 0; i < e.size(); i++) {
                    float v = e.logOfStates ? (float) Math.log(1 + i % 16)
                            : (float) (e.centre + e.scale * 1.7 * (2 * random.nextDouble() - 1));
                    if (bytes == 4) {
                        chunk.putFloat(v);
                    } else {
                        chunk.putShort((short) (Float.floatToRawIntBits(v) >>> 16));
                    }
                    if (!chunk.hasRemaining()) {
                        out.write(chunk.array());
                        chunk.clear();
                    }
                }
            }
            out.write(chunk.array(), 0, chunk.position());
        }
    }
}
