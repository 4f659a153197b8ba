package lab.recall.fuzz;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import lab.recall.Golden;
import lab.recall.base.Json;
import lab.recall.base.RequestReader;
import lab.recall.checkpoint.SafeTensors;
import lab.recall.checkpoint.Tensor;
import lab.recall.checkpoint.TorchArchive;
import lab.recall.checkpoint.TorchFiles;
import lab.recall.edit.EditFile;
import lab.recall.edit.SecondMoment;
import lab.recall.edit.SecondMoments;
import lab.recall.facts.Documents;
import lab.recall.facts.EditRequests;
import lab.recall.facts.Relation;
import lab.recall.model.LanguageModel;
import lab.recall.study.Experiment;
import lab.recall.study.Runner;
import lab.recall.study.Studies;
import lab.recall.study.StudiesTest;
import lab.recall.text.DataFolder;
import lab.recall.text.Tokenizer;
import lab.recall.train.TrainConfig;

/** Every kind of file that users bring, with a small valid one of each. */
final class Subjects {
    private static final Path FILES = Path.of("src/test/resources/files");
    private static final long MOST_NUMBERS = 1 << 20;
    private static final String LETTERS = " {}'(),:<>|fiub0123456789TFO-";
    private static final String[] TEXTS = {"Novux Bridge is located in the city of", "😀 Kraków,\t12 345\n\n  x",
        "<|endoftext|>a<unk> [UNK]"};
    /** Tokenizers of other makes: all types of parts stand in one of them. */
    private static final List<String> TOKENIZERS = List.of(
            "{`added_tokens`: [{`id`: 0, `content`: `<unk>`, `single_word`: false, `lstrip`: false, `rstrip`: false, `normalized`: false,"
                    + " `special`: true}], `normalizer`: {`type`: `Sequence`, `normalizers`: [{`type`: `Prepend`, `prepend`: `▁`},"
                    + " {`type`: `Replace`, `pattern`: {`String`: ` `}, `content`: `▁`}]}, `pre_tokenizer`: null, `post_processor`: {"
                    + " `type`: `TemplateProcessing`, `single`: [{`SpecialToken`: {`id`: `<s>`, `type_id`: 0}}, {`Sequence`: {`id`: `A`,"
                    + " `type_id`: 0}}], `pair`: [{`Sequence`: {`id`: `A`, `type_id`: 0}}, {`Sequence`: {`id`: `B`, `type_id`: 1}}],"
                    + " `special_tokens`: {`<s>`: {`id`: `<s>`, `ids`: [1], `tokens`: [`<s>`]}}}, `decoder`: {`type`: `Sequence`,"
                    + " `decoders`: [{`type`: `Replace`, `pattern`: {`String`: `▁`}, `content`: ` `}, {`type`: `ByteFallback`},"
                    + " {`type`: `Fuse`}, {`type`: `Strip`, `content`: ` `, `start`: 1, `stop`: 0}]}, `model`: {`type`: `BPE`,"
                    + " `dropout`: null, `unk_token`: `<unk>`, `fuse_unk`: true, `byte_fallback`: true, `vocab`: {`<unk>`: 0, `<s>`: 1,"
                    + " `▁`: 2, `a`: 3, `▁a`: 4, `<0x0A>`: 5}, `merges`: [[`▁`, `a`]]}}",
            "{`normalizer`: {`type`: `BertNormalizer`, `clean_text`: true, `handle_chinese_chars`: true, `strip_accents`: null,"
                    + " `lowercase`: true}, `pre_tokenizer`: {`type`: `BertPreTokenizer`}, `post_processor`: {`type`: `BertProcessing`,"
                    + " `sep`: [`[SEP]`, 1], `cls`: [`[CLS]`, 2]}, `decoder`: {`type`: `WordPiece`, `prefix`: `##`, `cleanup`: true},"
                    + " `model`: {`type`: `WordPiece`, `unk_token`: `[UNK]`, `continuing_subword_prefix`: `##`,"
                    + " `max_input_chars_per_word`: 100, `vocab`: {`[UNK]`: 0, `[SEP]`: 1, `[CLS]`: 2, `no`: 3, `##v`: 4}}}",
            "{`normalizer`: {`type`: `NFKC`}, `pre_tokenizer`: {`type`: `Sequence`, `pretokenizers`: [{`type`: `Digits`,"
                    + " `individual_digits`: true}, {`type`: `Punctuation`, `behavior`: `Contiguous`}, {`type`: `Metaspace`,"
                    + " `replacement`: `▁`, `prepend_scheme`: `first`, `split`: true}]}, `post_processor`: null, `decoder`: {"
                    + " `type`: `Metaspace`, `replacement`: `▁`, `prepend_scheme`: `always`}, `model`: {`type`: `Unigram`, `unk_id`: 0,"
                    + " `vocab`: [[`<unk>`, 0], [`▁`, -1], [`a`, -2.5]], `byte_fallback`: false}}");

    private final Path work;
    private final List<Subject> all = new ArrayList<>();

    private Subjects(Path work) {
        this.work = work;
    }

    /** All of them; those that stand beside other files do so in folders below {@code work}. */
    static List<Subject> in(Path work) throws IOException {
        Subjects s = new Subjects(work);
        s.weights();
        for (Config config : Config.all(work)) {
            s.all.add(config.subject(work));
        }
        s.moments();
        s.tokenizers();
        s.facts();
        s.requests();
        return s.all;
    }

    private void weights() throws IOException {
        byte[] tensors = Files.readAllBytes(Golden.folder("mamba-c-f16-sharded").resolve("model-00001-of-00002.safetensors"));
        add("safetensors", "t.safetensors", tensors, Subjects::header, f -> use(SafeTensors.read(f)));
        for (String name : List.of("mamba-a-f32", "neox-a-f32", "mamba-b-bf16-untied")) {
            model(name, "model.safetensors", Subjects::header);
        }
        model("mamba-c-f16-sharded", "model.safetensors.index.json", Subject::changed);
        model("mamba-d-orig-zip", "pytorch_model.bin", pickle(Golden.folder("mamba-d-orig-zip").resolve("pytorch_model.bin")));
        model("mamba-e-orig-legacy", "pytorch_model.bin", Subjects::operations);
        Path newer = FILES.resolve("new.bin");
        add("zip of many types", "new.bin", Files.readAllBytes(newer), pickle(newer), f -> use(TorchArchive.read(f)));
        add("older file of many types", "old.bin", Files.readAllBytes(FILES.resolve("old.bin")), Subjects::operations,
                f -> use(TorchArchive.read(f)));
        for (String name : List.of("moments.npz", "moments-packed.npz")) {
            Path zip = FILES.resolve(name);
            add(name, name, Files.readAllBytes(zip), arrays(zip), f -> SecondMoment.read(f, 3).solve(new double[3], 1));
        }
        Path file = Files.createDirectories(work.resolve("made")).resolve("made.safetensors");
        SafeTensors.write(file, List.of(Tensor.of("C", new double[] {2, 1, 1, 2}, 2, 2)), Map.of("tokens", "3"));
        add("covariance", "c.safetensors", Files.readAllBytes(file), Subjects::header,
                f -> SecondMoment.read(f, 2).solve(new double[2], 1));
        SafeTensors.write(file, List.of(Tensor.of("u", new double[2], 2), Tensor.of("left", new double[2], 2),
                Tensor.of("v", new double[2], 2), Tensor.of("key", new double[2], 2), Tensor.of("missed", new long[] {1}, 1),
                Tensor.of("missed_values", new float[1], 1)),
                Map.of("layer", "1", "matrix", "out_proj", "before", "x", "after", "y"));
        add("file of an edit", "change.safetensors", Files.readAllBytes(file), Subjects::header, f -> EditFile.read(f).edit());
    }

    private void moments() throws IOException {
        LanguageModel model = LanguageModel.open("tiny-mamba");
        SecondMoments none = SecondMoments.of(model, List.of(1), model.matrices().subList(0, 1));
        Path file = work.resolve("moments.safetensors");
        none.keptIn(file).over(SecondMoments.texts(model, 2, 1), Runner.silent());
        add("second moments", "moments.safetensors", Files.readAllBytes(file), Subjects::header, f -> none.keptIn(f).tokens());
    }

    /** A file of a model, beside the others of its folder; what opens runs. */
    private void model(String name, String file, Subject.Fields fields) throws IOException {
        Path from = Golden.folder(name);
        Path folder = Files.createDirectories(work.resolve(name));
        try (Stream<Path> files = Files.list(from)) {
            for (Path f : files.filter(f -> f.getFileName().toString().matches("config.json|model.*|pytorch_model.bin")).toList()) {
                Files.copy(f, folder.resolve(f.getFileName()), StandardCopyOption.REPLACE_EXISTING);
            }
        }
        all.add(new Subject(name + "/" + file, name + "/" + file, Files.readAllBytes(from.resolve(file)), fields,
                f -> LanguageModel.open(folder).run(1, 2, 3).logits()));
    }

    private void tokenizers() throws IOException {
        all.add(Subject.json("tokenizer of the tiny models", "tokenizer.json",
                Files.readAllBytes(DataFolder.find("models/tiny-mamba/tokenizer.json")), Subjects::tokenize));
        for (String json : TOKENIZERS) {
            all.add(Subject.json("tokenizer of another make", "tokenizer.json", text(json), Subjects::tokenize));
        }
    }

    private static void tokenize(Path file) {
        Tokenizer t = Tokenizer.open(file);
        for (String text : TEXTS) {
            Tokenizer.Encoding e = t.encode(text, true);
            t.decode(e.ids());
            for (int i = 0; i < e.ids().length; i++) {
                if (e.ids()[i] >= t.size() || e.starts()[i] > e.ends()[i] || e.ends()[i] > text.length()) {
                    throw new IllegalStateException("the token " + e.ids()[i] + " from " + e.starts()[i] + " to " + e.ends()[i]);
                }
            }
        }
    }

    private void facts() throws IOException {
        String relation = "{`subject_type`: `place`, `prompt_templates`: [`{} lies in`, `You find {} in`],"
                + " `prompt_templates_zs`: [`{} is in`], `held_out_templates`: [`In {}`],"
                + " `samples`: [{`subject`: `Paris`, `object`: `France`}, {`subject`: `Rom`, `object`: `I`}]}";
        all.add(Subject.json("relation", "r.json", text(relation), Relation::read));
        String request = "{`case_id`: 3, `requested_rewrite`: {`prompt`: `{} is in`, `relation_id`: `P1`, `target_new`: {`str`: `Rome`},"
                + " `target_true`: {`str`: `Paris`}, `subject`: `The Tower`}, `paraphrase_prompts`: [`So The Tower is in`],"
                + " `neighborhood_prompts`: [`The Louvre is in`]}";
        all.add(Subject.json("edit requests", "e.json", text("[" + request + "," + request + "]"), EditRequests::read));
        all.add(Subject.lines("edit requests, one a line", "e.jsonl", text(request + "\n" + request + "\n"), EditRequests::read));
        all.add(Subject.lines("texts", "t.jsonl", text("{`text`: `one`, `id`: 1}\n\n{`text`: `two`}\n{`text`: `three`}"), Subjects::texts));
        add("plain texts", "t.txt", text("one\n\ntwo\r\nthree é\n"), (good, random) -> Mutation.bytes(good, random), Subjects::texts);
    }

    private static void texts(Path file) {
        try (Stream<String> texts = Documents.read(file)) {
            if (texts.anyMatch(text -> text.isEmpty() && file.toString().endsWith(".txt"))) {
                throw new IllegalStateException("an empty line");
            }
        }
    }

    private void requests() throws IOException {
        LanguageModel model = LanguageModel.open("tiny-mamba");
        for (Experiment<?, ?> experiment : Studies.all()) {
            all.add(Subject.json("request of " + experiment.name(), "request.json",
                    text("{" + StudiesTest.REQUESTS.get(experiment.name()).replace('\'', '`') + "}"), f -> complete(experiment, model, f)));
        }
        all.add(Subject.json("training configuration", "train.json",
                Files.readAllBytes(DataFolder.find("training/tiny-mamba.json")), f -> TrainConfig.read(f).openWorld()));
    }

    private static <Q extends Record> void complete(Experiment<Q, ?> experiment, LanguageModel model, Path file) {
        experiment.complete(model, RequestReader.read(Json.object(file), experiment.request()));
    }

    private void add(String name, String file, byte[] good, Subject.Fields fields, Subject.Opening opening) {
        all.add(new Subject(name, file, good, fields, opening));
    }

    private static byte[] text(String json) {
        return json.replace('`', '"').getBytes(StandardCharsets.UTF_8);
    }

    /** Reads all numbers that are read. */
    private static void use(Map<String, Tensor> tensors) {
        tensors.values().stream().filter(t -> t.dtype().isRead() && t.size() <= MOST_NUMBERS).forEach(Tensor::floats);
    }

    /** A safetensors file with one field of its header changed. */
    private static byte[] header(byte[] good, Random random) throws IOException {
        int length = (int) ByteBuffer.wrap(good).order(ByteOrder.LITTLE_ENDIAN).getLong();
        byte[] header = Subject.changed(Arrays.copyOfRange(good, 8, 8 + length), random);
        return ByteBuffer.allocate(8 + header.length + good.length - 8 - length).order(ByteOrder.LITTLE_ENDIAN).putLong(header.length)
                .put(header).put(good, 8 + length, good.length - 8 - length).array();
    }

    /** A zip file of PyTorch with the operations of its pickle changed. */
    private static Subject.Fields pickle(Path zip) throws IOException {
        Map<String, byte[]> entries = entries(zip);
        return (good, random) -> {
            Map<String, byte[]> changed = new LinkedHashMap<>(entries);
            changed.replaceAll((name, content) -> name.endsWith("data.pkl") ? operations(content, random) : content);
            return TorchFiles.zip(changed);
        };
    }

    /** One operation of a pickle that is another one, is gone, or is new. */
    private static byte[] operations(byte[] good, Random random) {
        String operations = "().}]aeustbRQcNhqjrXUTKJMG\u0080\u0085\u0086\u0087\u0088\u0089\u008a\u008c\u0093\u0094\u0095";
        byte[] bad = good.clone();
        int at = random.nextInt(Math.min(bad.length, 4000));
        byte other = (byte) operations.charAt(random.nextInt(operations.length()));
        if (random.nextInt(3) > 0) {
            bad[at] = other;
            return bad;
        }
        byte[] longer = Arrays.copyOf(bad, bad.length + 1);
        System.arraycopy(bad, at, longer, at + 1, bad.length - at);
        longer[at] = other;
        return longer;
    }

    /** An archive of NumPy with a letter of an array's header changed. */
    private static Subject.Fields arrays(Path zip) throws IOException {
        Map<String, byte[]> entries = entries(zip);
        List<String> names = List.copyOf(entries.keySet());
        return (good, random) -> {
            Map<String, byte[]> changed = new LinkedHashMap<>(entries);
            String name = names.get(random.nextInt(names.size()));
            byte[] array = entries.get(name).clone();
            array[random.nextInt(Math.min(array.length, 80))] = (byte) LETTERS.charAt(random.nextInt(LETTERS.length()));
            changed.put(name, array);
            return TorchFiles.zip(changed);
        };
    }

    private static Map<String, byte[]> entries(Path zip) throws IOException {
        Map<String, byte[]> entries = new LinkedHashMap<>();
        try (ZipFile in = new ZipFile(zip.toFile())) {
            for (ZipEntry e : Collections.list(in.entries())) {
                entries.put(e.getName(), in.getInputStream(e).readAllBytes());
            }
        }
        return entries;
    }
}
