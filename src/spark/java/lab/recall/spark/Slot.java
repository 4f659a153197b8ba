package lab.recall.spark;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import lab.recall.base.Failure;
import lab.recall.base.Json;
import lab.recall.base.Said;
import lab.recall.math.Parallel;
import lab.recall.model.LanguageModel;
import lab.recall.study.ModelCard;
import lab.recall.study.SentStudy;
import org.apache.spark.SparkEnv;
import org.apache.spark.TaskContext;
import org.apache.spark.broadcast.Broadcast;

/**
 * What an executor does: it opens the model, once, and computes pieces, each on the threads of its slot ({@code spark.task.cpus}).
 *
 * <p>An executor keeps one open model, and the last studies that were sent.
 */
final class Slot {
    private static final int STUDIES = 4;
    /** By application and number. */
    private static final Map<String, SentStudy<?, ?, ?>> SENT = new LinkedHashMap<>(STUDIES, 0.75f, true);
    private static Opened opened;

    /**
     * The driver's model.
     *
     * @param path       where executors find it
     * @param digest     of its files
     * @param arithmetic what the driver computes with: another one gives other last bits
     * @param shipped    its files, where they come from the driver; else null
     */
    record Model(String path, String digest, String arithmetic, Shipped shipped) {
    }

    private record Opened(Model asked, LanguageModel model) {
    }

    /** Why this executor computes nothing. */
    private static final class Refused extends Exception {
        private static final long serialVersionUID = 1;

        Refused(String sentence) {
            super(sentence);
        }
    }

    private Slot() {
    }

    /**
     * Computes a piece.
     *
     * @param element the piece as JSON, and before it, with a blank between, the number of its study among those sent
     * @param model   as JSON
     */
    static byte[] compute(String element, String model, List<Broadcast<byte[]>> sent) {
        return outcome(element, model, sent).bytes();
    }

    private static Outcome outcome(String element, String model, List<Broadcast<byte[]>> sent) {
        try {
            LanguageModel open = open(Json.MAPPER.readValue(model, Model.class));
            int blank = element.indexOf(' ');
            SentStudy<?, ?, ?> study = study(sent.get(Integer.parseInt(element.substring(0, blank))));
            byte[] piece = element.substring(blank + 1).getBytes(StandardCharsets.UTF_8);
            return new Outcome(Outcome.Kind.FOUND, Parallel.with(TaskContext.get().cpus(), () -> study.compute(open, piece)));
        } catch (Refused e) {
            return Outcome.of(Outcome.Kind.REFUSED, e.getMessage());
        } catch (CancellationException e) {
            throw e;                                            // the driver has lost interest
        } catch (Failure e) {
            return Outcome.of(Outcome.Kind.UNSOLVABLE, e.getMessage());
        } catch (OutOfMemoryError e) {
            return Outcome.of(Outcome.Kind.BROKEN, "the executor on " + host() + " is out of memory: its heap of "
                    + (Runtime.getRuntime().maxMemory() >> 20) + " MB is too small for this; give more by spark.executor.memory");
        } catch (IOException | RuntimeException | Error e) {
            e.printStackTrace();                                // in the executor's log
            return Outcome.of(Outcome.Kind.BROKEN, Said.sentence(e.toString()));
        }
    }

    private static String host() {
        return SparkEnv.get().blockManager().blockManagerId().host();
    }

    private static SentStudy<?, ?, ?> study(Broadcast<byte[]> sent) {
        synchronized (SENT) {
            String id = SparkEnv.get().conf().getAppId() + " " + sent.id();
            SentStudy<?, ?, ?> study = SENT.get(id);
            if (study == null) {
                while (SENT.size() >= STUDIES) {
                    SENT.remove(SENT.keySet().iterator().next());
                }
                study = SentStudy.read(sent.value());
                SENT.put(id, study);
            }
            return study;
        }
    }

    private static LanguageModel open(Model asked) throws Refused {
        synchronized (Slot.class) {
            if (opened == null || !opened.asked.equals(asked)) {
                opened = null;                                  // let go of the last one before the next is read
                opened = new Opened(asked, opened(asked));
            }
            return opened.model;
        }
    }

    private static LanguageModel opened(Model asked) throws Refused {
        String here = LanguageModel.arithmetic();
        if (!here.equals(asked.arithmetic)) {
            throw new Refused("the executor on " + host() + " computes with " + here + ", this machine with " + asked.arithmetic
                    + ": their numbers differ in the last bits; start both with the same Java and options, on processors of one kind");
        }
        LanguageModel model;
        try {
            model = LanguageModel.open(asked.shipped == null ? Path.of(asked.path) : asked.shipped.here());
        } catch (Failure e) {
            throw new Refused("the executor on " + host() + " cannot open the model at " + asked.path + " (" + e.getMessage()
                    + "); it has to lie there too, or below the folder that " + Settings.MODELS + " names, or be sent by --ship");
        } catch (IOException e) {
            throw new UncheckedIOException("the model that was shipped cannot be put together: " + e.getMessage(), e);
        }
        String digest = ModelCard.of(model).digest();
        if (!digest.equals(asked.digest)) {
            throw new Refused("the executor on " + host() + " has another model at " + asked.path + " (digest " + brief(digest)
                    + "..) than this machine (" + brief(asked.digest) + "..); give both the same files");
        }
        return model;
    }

    private static String brief(String digest) {
        return digest.substring(0, 12);
    }
}
