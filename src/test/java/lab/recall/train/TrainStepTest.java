package lab.recall.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import lab.recall.base.BadRequest;
import lab.recall.base.Json;
import lab.recall.base.RequestReader;
import lab.recall.model.LanguageModel;
import lab.recall.study.NamedArray;
import lab.recall.study.Runner;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TrainStepTest {
    private static final String GOOD = "{'ids':[[1,2,3],[4,5,6]],'steps':2,"
            + "'optimizer':{'lr':0.01,'beta1':0.9,'beta2':0.99,'eps':1e-8,'weight_decay':0}}";

    private static TrainStepRequest request(String text) {
        return RequestReader.read(Json.object(text.replace('\'', '"').getBytes(StandardCharsets.UTF_8), "request"), TrainStepRequest.class);
    }

    @Test
    void requestAndResultAreData() throws IOException {
        TrainStepRequest request = request(GOOD);
        assertEquals(request, Json.MAPPER.readValue(Json.compact(request), TrainStepRequest.class));
        LanguageModel model = LanguageModel.open("tiny-mamba");
        TrainStepExperiment experiment = new TrainStepExperiment();
        TrainStepExperiment.Found found = experiment.run(model, experiment.complete(model, request), Runner.silent());
        assertEquals(found, Json.MAPPER.readValue(Json.compact(found), TrainStepExperiment.Found.class));
        NamedArray losses = found.arrays().get(found.arrays().size() - 1);
        assertEquals("losses", losses.name());
        assertTrue(losses.values()[2] < losses.values()[0]);
        String ids = GOOD.replace("[4,5,6]", "[4,5,999]");
        String said = assertThrows(BadRequest.class, () -> experiment.complete(model, request(ids))).getMessage();
        assertTrue(said.startsWith("ids[1][2]: 999"), said);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "'steps':2|'steps':0|steps: 0", "[4,5,6]|[4]|ids[1]: expected", "[[1,2,3],[4,5,6]]|[[1],[2]]|ids: rows of 1 token",
        "[[1,2,3],[4,5,6]]|[]|ids: expected",
        "'beta2':0.99|'beta2':1|optimizer.beta2: 1.0, expected a number from 0 to below 1", "1e-8|1e-60|optimizer.eps: 1.0E-60",
        "'lr':0.01,||optimizer.lr: missing",
        "'lr'|'rate'|optimizer."})
    void whatIsWrongIsNamed(String good, String bad, String why) {
        String said = assertThrows(BadRequest.class, () -> request(GOOD.replace(good, bad == null ? "" : bad))).getMessage();
        assertTrue(said.startsWith(why), said);
    }
}
