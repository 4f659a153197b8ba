package lab.recall.study;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import lab.recall.SystemProperty;
import lab.recall.base.Interruption;
import lab.recall.base.Json;
import lab.recall.base.Progress;
import lab.recall.model.LanguageModel;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What a plan says of every experiment that is registered, beside what its run does. */
class PlanTest {
    /** Of these, tests of edits may be fewer than are planned: only the work tells which tests and ranks there are. */
    private static final String BOUNDED = "linear_relations";

    @TempDir
    Path dir;

    private String before;

    @BeforeEach
    void ownStore() {
        before = SystemProperty.set("recall.store", dir.resolve("user").toString());
    }

    @AfterEach
    void otherStore() {
        SystemProperty.set("recall.store", before);
    }

    static Stream<Arguments> requests() {
        return StudiesTest.requests();
    }

    static Stream<Arguments> commands() {
        return requests().filter(a -> Studies.named((String) a.get()[0]).command().isPresent());
    }

    /** Computes pieces in order, and holds the rows of each against its cost. */
    private static final class Counted implements PieceEngine {
        private final Set<String> studies = new TreeSet<>();
        private int pieces;

        @Override
        public <Q, P, R> void compute(Work<Q, P, R> work) {
            for (int i : work.missing()) {
                Cost cost = work.study().cost(work.model(), work.request(), work.piece(i));
                long rows = work.model().rows();
                work.computeHere(i);
                rows = work.model().rows() - rows;
                if (work.study().name().equals(BOUNDED)) {
                    assertTrue(rows <= cost.rows(), rows + " rows, at most " + cost.rows() + " planned");
                    assertTrue(rows > cost.rows() / 4, rows + " rows, " + cost.rows() + " planned");
                } else {
                    assertEquals(rows, cost.rows(), "rows of a piece of " + work.study().name());
                }
                assertTrue(cost.bytes() > 0 == cost.rows() > 0 && cost.operations() > 0 == cost.rows() > 0);
                studies.add(work.study().name());
                pieces++;
                Interruption.betweenPieces();
            }
        }

        @Override
        public void close() {
            // holds nothing
        }
    }

    @ParameterizedTest
    @MethodSource("requests")
    void eachPieceTakesTheRowsThatItsCostSays(String name, String fields) {
        Counted counted = new Counted();
        StudiesTest.found(Studies.named(name), fields, Runner.silent().on(counted, false));
        if (Studies.named(name).command().isPresent()) {
            assertTrue(counted.pieces > 1 && !counted.studies.isEmpty());
        }
    }

    private static ObjectNode request(String name, String fields) {
        ObjectNode request = Json.object(("{" + fields.replace('\'', '"') + "}").getBytes(StandardCharsets.UTF_8), "the request");
        return request.put("experiment", name).put("model", "tiny-mamba");
    }

    private static Plan planned(String name, String fields, Path folder) {
        Plan plan = Plan.counted();
        assertTrue(new Requests().plan(request(name, fields), folder, plan));
        return plan;
    }

    /** What other requests may have left, known facts above all, is there; the request's own pieces are not. */
    @ParameterizedTest
    @MethodSource("commands")
    void aPlanHasThePiecesAndRowsOfARun(String name, String fields) {
        Experiment<?, ?> experiment = Studies.named(name);
        Store user = Store.user();
        StudiesTest.found(experiment, fields, Runner.of(Store.none(), user, Progress.silent()));
        Plan plan = planned(name, fields, dir.resolve("out"));
        Counted counted = new Counted();
        LanguageModel model = StudiesTest.model();
        long rows = model.rows();
        StudiesTest.found(experiment, fields, Runner.of(Store.none(), user, Progress.silent()).on(counted, false));
        assertEquals(counted.pieces, plan.pieces());
        if (counted.studies.contains(BOUNDED)) {
            assertTrue(model.rows() - rows <= plan.rows());
        } else {
            assertEquals(model.rows() - rows, plan.rows());
        }
        assertTrue(plan.kept() > 0 == !counted.studies.equals(Set.of(BOUNDED)));
    }

    /** Where no edits are tried, the tests decide nothing. */
    @Test
    void linearRelationsWithoutEditsAreExact() {
        String fields = "'relation':'landmark_in_country','splits':2,'facts':8,'every':4,'faithfulness_only':true";
        Plan plan = planned("lre_sweep", fields, dir.resolve("out"));
        long rows = StudiesTest.model().rows();
        StudiesTest.found(Studies.named("lre_sweep"), fields, Runner.silent());
        assertEquals(StudiesTest.model().rows() - rows, plan.rows());
    }

    @ParameterizedTest
    @MethodSource("commands")
    void aPlanComputesAndWritesNothing(String name, String fields) {
        Plan plan = planned(name, fields, dir.resolve("out"));
        assertTrue(plan.pieces() > 1);
        assertTrue(plan.rows() > 0 && plan.operations() > plan.rows() && plan.bytes() > plan.rows());
        assertFalse(plan.suppositions().isEmpty());
        assertFalse(Files.exists(dir.resolve("out")));
        Plan again = planned(name, fields, dir.resolve("out"));
        assertEquals(plan.pieces(), again.pieces(), "nothing was kept");
        assertEquals(plan.rows(), again.rows());
    }

    @Test
    void piecesThatAreThereAreNotPlanned() {
        String fields = "'pairs':34";
        new Requests().run(request("trace", fields), dir.resolve("out"), false, Progress.silent());
        Plan plan = planned("trace", fields, dir.resolve("out"));
        assertEquals(0, plan.pieces());
        assertEquals(0, plan.rows());
        assertTrue(plan.kept() > 2);
        assertEquals(List.of(), plan.suppositions());
    }

    @Test
    void whatTwoRequestsShareIsPlannedOnce() {
        Plan plan = Plan.counted();
        Requests requests = new Requests();
        requests.plan(request("trace", "'pairs':34"), dir.resolve("a"), plan);
        int pieces = plan.pieces();
        long rows = plan.rows();
        requests.plan(request("trace", "'pairs':34"), dir.resolve("b"), plan);
        assertEquals(2, plan.pieces() - pieces, "34 pairs, the facts being known by then");
        assertTrue(plan.rows() < 2 * rows);
    }

    @Test
    void whatDoesNotWorkInPiecesAloneIsNotPlanned() {
        Plan plan = Plan.counted();
        assertFalse(new Requests().plan(request("edit", StudiesTest.REQUESTS.get("edit")), dir.resolve("out"), plan));
        assertFalse(new Requests().plan(request("jacobian", StudiesTest.REQUESTS.get("jacobian")), dir.resolve("out"), plan));
        assertEquals(List.of(), plan.parts());
    }

    /** No model is measured: each kind of operations does a billion a second. */
    @Test
    void morePiecesThanCoresShareThem() {
        LanguageModel model = StudiesTest.model();
        Cost one = Cost.of(model).run(12, 1);
        Map<Operation, Double> aSecond = Map.of(Speed.RUNS, 1e9, Speed.HEAD, 1e9);
        assertEquals(one.operations() / 1e9, one.seconds(aSecond), 1e-12);
        assertEquals(3 * one.seconds(aSecond), Cost.of(model).times(3, one).seconds(aSecond), 1e-12);
        assertEquals(36L * model.layers(), Cost.of(model).times(3, one).rows());
    }

    @Test
    void aMeasurementGivesHours() {
        Plan plan = Plan.measured();
        new Requests().plan(request("path_blocking", "'pairs':34"), dir.resolve("out"), plan);
        assertTrue(plan.hours() > 0 && plan.hours() < 1);
        assertTrue(plan.hours(1) >= plan.hours(2) && plan.hours(2) >= plan.hours(1000));
        assertTrue(plan.hours(1000) > 0, "the longest piece is waited for");
    }
}
