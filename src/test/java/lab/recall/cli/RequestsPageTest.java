package lab.recall.cli;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import lab.recall.model.LanguageModel;
import lab.recall.study.Experiment;
import lab.recall.base.Progress;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RequestsPageTest {
    private static String part(String experiment) throws IOException {
        String page = Files.readString(Path.of("environment/requests.md"));
        int at = page.indexOf("| `" + experiment + "` |");
        assertTrue(at >= 0, experiment);
        int next = page.indexOf("\n| `", at);
        return page.substring(at, next < 0 ? page.length() : next);
    }

    @Test
    void thePageNamesEveryExperimentAndField() throws IOException {
        for (Experiment<LanguageModel> e : Requests.EXPERIMENTS.values()) {
            String part = part(e.name());
            e.fields().forEach(field -> assertTrue(part.contains("`" + field + "`"), () -> e.name() + ": " + field));
        }
    }

    /** An unknown field inside an object is refused with the names of those that may stand there: these are on the page too. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "activations|'prompt':{'ids':[1,2]},'points':['embed'],'interventions':[{'at':'embed','token':1,'zero':true,'nope':1}]",
        "lre|'samples':[{'prompt':{'ids':[1,2]},'token':1,'nope':1}],'layer':0,'beta':1,'tests':[]",
        "rome|'layer':0,'matrix':'out_proj','prompt':{'ids':[1,2]},'subject_last':1,'prefixes':[{'ids':[]}],'target':[1],'kl_prompt':{'ids':[1,2]},'kl_pos':1,"
            + "'covariance':'identity','hyperparameters':{'steps':1,'lr':1,'weight_decay':0,'kl_factor':0,'clamp_norm_factor':1,'stop_loss':0,'nope':1}",
        "train_step|'ids':[[1,2]],'steps':1,'optimizer':{'lr':1,'beta1':0,'beta2':0,'eps':1,'weight_decay':0,'nope':1}"})
    void thePageNamesTheFieldsOfObjects(String experiment, String fields) throws IOException {
        String part = part(experiment);
        Set<String> known = inObject(experiment, fields);
        assertTrue(known.size() > 1, known.toString());
        known.forEach(field -> assertTrue(part.contains("`" + field + "`") || part.contains("\"" + field + "\""), () -> experiment + ": " + field));
    }

    /** The page lists hyper-parameters once, for all three. */
    @ParameterizedTest
    @ValueSource(strings = {"edit", "edit_sweep"})
    void editsTakeTheSameHyperparameters(String experiment) throws IOException {
        String part = part("rome");
        String one = experiment.equals("edit") ? "'subject':'x','prompt':'{}','target':'y'," : "";
        inObject(experiment, one + "'hyperparameters':{'nope':1}").forEach(field -> assertTrue(part.contains("`" + field + "`"), field));
    }

    private static Set<String> inObject(String experiment, String fields) {
        String request = ("{'experiment':'" + experiment + "','model':'tiny-mamba'," + fields + "}").replace('\'', '"');
        String why = assertThrows(IllegalArgumentException.class, () -> new Requests().ask(request, Progress.silent())).getMessage();
        assertTrue(why.contains("nope: unknown field; known here are "), why);
        return Set.of(why.substring(why.indexOf(" are ") + 5).split(", "));
    }
}
