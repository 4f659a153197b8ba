package lab.recall.study;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import lab.recall.base.Json;
import lab.recall.base.Progress;
import lab.recall.base.RequestReader;
import lab.recall.model.LanguageModel;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What holds for every experiment that is registered. */
public class StudiesTest {
    private static final LanguageModel MODEL = LanguageModel.open("tiny-mamba");
    /**
     * A small request of each on tiny-mamba, in JSON without its braces and with single quotes; pieces of more than one kind and number
     * where there are pieces.
     */
    public static final Map<String, String> REQUESTS = new TreeMap<>(Map.ofEntries(
            Map.entry("activations", "'prompt':{'ids':[1,2,3]},'points':['layers.1.*'],"
                    + "'interventions':[{'at':'layers.0.y','token':'all','zero':true}]"),
            Map.entry("gradient", "'prompt':{'ids':[1,2,3]},'target':4,'sites':[[1,'y',2],[0,'resid_post',1]]"),
            Map.entry("interchange", "'clean':{'ids':[1,2,3]},'corrupt':{'ids':[1,5,3]},'point':'out','window':2"),
            Map.entry("trace", "'points':['residual','components'],'pairs':34,'attribution':true"),
            Map.entry("path_blocking", "'pairs':34"),
            Map.entry("knockout", "'form':'published','facts':34,'documents':40,'window':2"),
            Map.entry("edges", "'prompt':{'ids':[1,2,3]},'layers':[0,1],'edges':[[0,2]],'cut':'both','term_norms':true"),
            Map.entry("jacobian", "'prompt':{'ids':[1,2,3]},'layer':1,'token':1"),
            Map.entry("lre", "'samples':[{'prompt':{'ids':[1,2,3]},'token':1}],"
                    + "'tests':[{'prompt':{'ids':[1,4,3]},'token':1}],'layer':1,'beta':2"),
            Map.entry("lre_sweep", "'relation':'landmark_in_country','splits':2,'facts':8,'every':4,'ranks':[2,8]"),
            Map.entry("rome", "'layer':1,'matrix':'out_proj','prompt':{'ids':[1,2,3]},'subject_last':1,"
                    + "'prefixes':[{'ids':[]}],'target':[4],'kl_prompt':{'ids':[1,2]},'kl_pos':1,'covariance':'identity',"
                    + "'hyperparameters':{'steps':3,'lr':0.5,'weight_decay':0.5,'kl_factor':0.06,'clamp_norm_factor':3,'stop_loss':0.05}"),
            Map.entry("edit", "'requests':34,'contexts':2,'documents':40,'hyperparameters':{'steps':2}"),
            Map.entry("edit_sweep", "'requests':34,'layers':[1,2],'matrices':['out_proj','in_proj.x'],'contexts':2,'documents':40,"
                    + "'hyperparameters':{'steps':2}"),
            Map.entry("train_step", "'ids':[[1,2,3,4]],'steps':2,"
                    + "'optimizer':{'lr':0.001,'beta1':0.9,'beta2':0.99,'eps':1e-8,'weight_decay':0}")));

    @TempDir
    Path dir;

    /** More requests, for the studies and kinds of pieces that the first ones do not meet. */
    private static final List<Arguments> MORE = List.of(
            arguments("trace", "'points':['state'],'pairs':34,'noise':3,'samples':2"),
            arguments("knockout", "'form':'edges','facts':34,'flows':true"),
            arguments("edit", "'requests':34,'how':'sequence','contexts':0,'documents':40,'hyperparameters':{'steps':2}"),
            arguments("edit", "'requests':34,'how':'joint','contexts':0,'documents':40,'hyperparameters':{'steps':2}"));

    /** The model that is asked. */
    static LanguageModel model() {
        return MODEL;
    }

    static List<String> names() {
        return Studies.names();
    }

    /** A small request of each, and more. */
    public static Stream<Arguments> requests() {
        return Stream.concat(REQUESTS.entrySet().stream().map(r -> arguments(r.getKey(), r.getValue())), MORE.stream());
    }

    @Test
    void everyExperimentIsTried() {
        assertEquals(List.copyOf(REQUESTS.keySet()), Studies.names());
    }

    /** Computes pieces in random order; those that another machine can compute as it would, from what is sent to it. */
    private static final class Scattered implements PieceEngine {
        private final Random random = new Random(1);
        private final Set<String> here = new TreeSet<>();
        private int pieces;

        @Override
        public <Q, P, R> void compute(Work<Q, P, R> work) {
            List<Integer> order = new ArrayList<>(Arrays.stream(work.missing()).boxed().toList());
            Collections.shuffle(order, random);
            for (int i : order) {
                pieces++;
                byte[] piece = Json.compact(work.piece(i));
                try {
                    assertArrayEquals(piece, Json.compact(Json.MAPPER.readValue(piece, work.piece(i).getClass())));
                    Optional<byte[]> sent = SentStudy.write(work.study(), work.request(), work.piece(i));
                    if (sent.isPresent() && work.model().replaced().isEmpty()) {
                        byte[] found = SentStudy.read(sent.get()).compute(MODEL, piece);
                        work.found(i, Json.MAPPER.readValue(found, work.study().found()));
                    } else {
                        here.add(work.study().name());
                        work.computeHere(i);
                    }
                } catch (IOException e) {
                    throw new IllegalStateException(e);
                }
            }
        }

        @Override
        public void close() {
            // holds nothing
        }
    }

    private static ObjectNode fields(String request) {
        return Json.object(("{" + request.replace('\'', '"') + "}").getBytes(StandardCharsets.UTF_8), "the request");
    }

    /** What an experiment finds for a request's fields. */
    public static <Q extends Record, T extends Result> T found(Experiment<Q, T> experiment, String fields, Runner runner) {
        Q request = RequestReader.read(fields(fields), experiment.request());
        return experiment.run(MODEL, experiment.complete(MODEL, request), runner);
    }

    /** A result as JSON, without times. */
    public static JsonNode told(Result result) {
        ObjectNode all = Json.MAPPER.createObjectNode();
        all.set("scalars", Json.tree(result.scalars()));
        all.set("arrays", Json.tree(result.arrays()));
        all.set("record", Json.tree(result));
        return timeless(all);
    }

    private static JsonNode timeless(JsonNode node) {
        if (node instanceof ObjectNode object) {
            List<String> times = new ArrayList<>();
            object.fieldNames().forEachRemaining(name -> {
                if (name.endsWith("seconds")) {
                    times.add(name);
                }
            });
            object.remove(times);
            object.forEach(StudiesTest::timeless);
        } else if (node instanceof ArrayNode array) {
            array.forEach(StudiesTest::timeless);
        }
        return node;
    }

    @ParameterizedTest
    @MethodSource("requests")
    void piecesInAnyOrderThroughJsonGiveTheSame(String name, String fields) {
        Experiment<?, ?> experiment = Studies.named(name);
        Scattered scattered = new Scattered();
        JsonNode plain = told(found(experiment, fields, Runner.silent()));
        Store store = Store.at(dir);
        JsonNode moved = told(found(experiment, fields, Runner.of(store, store, Progress.silent()).on(scattered, false)));
        assertEquals(plain.toString(), moved.toString());
        int computed = scattered.pieces;
        JsonNode kept = told(found(experiment, fields, Runner.of(store, store, Progress.silent()).on(scattered, false)));
        assertEquals(plain.toString(), kept.toString());
        assertEquals(computed, scattered.pieces, "all is kept");
        assertTrue(Set.of("edit_chain", "second_moments").containsAll(scattered.here), "computed here: " + scattered.here);
        if (experiment.command().isPresent() || name.equals("edit")) {
            assertTrue(scattered.pieces > 1, "it works in pieces");
        }
    }

    @ParameterizedTest
    @MethodSource("names")
    void aResultIsTheSameAsJsonAndBack(String name) throws IOException {
        Experiment<?, ?> experiment = Studies.named(name);
        Result result = found(experiment, REQUESTS.get(name), Runner.silent());
        assertTrue(result.getClass().isRecord());
        assertEquals(result, Json.MAPPER.readValue(Json.compact(result), experiment.result()));
        assertEquals(experiment.command().isPresent(), !result.measures().isEmpty());
        assertEquals(result.measures().size(), result.measures().stream().map(Measured::place).distinct().count());
        assertEquals(told(result).toString(), told(Json.MAPPER.readValue(Json.compact(result), experiment.result())).toString());
    }

    @ParameterizedTest
    @MethodSource("names")
    void aRequestIsTheSameAsJsonAndBack(String name) {
        Experiment<?, ?> experiment = Studies.named(name);
        Record request = RequestReader.read(fields(REQUESTS.get(name)), experiment.request());
        assertEquals(Json.tree(request), Json.tree(RequestReader.read((ObjectNode) Json.tree(request), experiment.request())));
    }
}
