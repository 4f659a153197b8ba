package lab.recall.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import lab.recall.base.Json;
import lab.recall.checkpoint.SafeTensors;
import lab.recall.model.LanguageModel;
import lab.recall.model.retention.DenseRetention;
import lab.recall.model.retention.RetentionFixture;
import lab.recall.study.RequestField;
import lab.recall.study.Studies;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Every experiment and command on a family that no class of the house knows; its numbers are looked at beside the family. */
class ThirdFamilyTest {
    private static final Map<String, String> REQUESTS = new TreeMap<>(Map.ofEntries(
            Map.entry("activations", "'prompt':{'text':'Novux Bridge is in'},'points':['layers.1.*'],"
                    + "'interventions':[{'at':'layers.0.mix','token':'all','zero':true}]"),
            Map.entry("gradient", "'prompt':{'ids':[1,2,3]},'target':4,'sites':[[1,'mix',2],[0,'resid_post',1]]"),
            Map.entry("interchange", "'clean':{'ids':[1,2,3]},'corrupt':{'ids':[1,5,3]},'point':'put_out','window':2"),
            Map.entry("trace", "'points':['residual','components'],'pairs':6,'noise':3,'samples':2"),
            Map.entry("path_blocking", "'pairs':6"),
            Map.entry("knockout", "'form':'every','facts':6,'window':2,'flows':true"),
            Map.entry("edges", "'prompt':{'ids':[1,2,3]},'layers':[0,1],'edges':[[0,2]],'cut':'retention','term_norms':true"),
            Map.entry("jacobian", "'prompt':{'ids':[1,2,3]},'layer':1,'token':1"),
            Map.entry("lre", "'samples':[{'prompt':{'ids':[1,2,3]},'token':1}],"
                    + "'tests':[{'prompt':{'ids':[1,4,3]},'token':1}],'layer':1,'beta':2"),
            Map.entry("lre_sweep", "'prompt':'zero-shot','splits':2,'facts':8,'ranks':[2,8]"),
            Map.entry("rome", "'layer':1,'matrix':'out.kernel','prompt':{'ids':[1,2,3]},'subject_last':1,"
                    + "'prefixes':[{'ids':[]}],'target':[4],'kl_prompt':{'ids':[1,2]},'kl_pos':1,'covariance':'identity',"
                    + "'hyperparameters':{'steps':3,'lr':0.5,'weight_decay':0.5,'kl_factor':0.06,'clamp_norm_factor':3,'stop_loss':0.05}"),
            Map.entry("edit", "'requests':4,'contexts':2,'documents':40,'how':'joint','hyperparameters':{'steps':2}"),
            Map.entry("edit_sweep", "'requests':4,'layers':[1,2],'contexts':2,'documents':40,'hyperparameters':{'steps':2}"),
            Map.entry("train_step", "'ids':[[1,2,3,4]],'steps':2,"
                    + "'optimizer':{'lr':0.001,'beta1':0.9,'beta2':0.99,'eps':1e-8,'weight_decay':0}")));

    @TempDir
    static Path dir;
    private static LanguageModel model;
    private final Terminal terminal = new Terminal();

    @BeforeAll
    static void open() {
        model = RetentionFixture.talking(dir.resolve("talking"));
    }

    private void recall(String... args) {
        assertEquals(0, terminal.recall(args), () -> terminal.err());
    }

    @Test
    void everyExperimentRunsByAFile() throws IOException {
        assertEquals(List.copyOf(REQUESTS.keySet()), Studies.names());
        List<String> lines = new ArrayList<>();
        REQUESTS.forEach((experiment, fields) -> lines.add(RetentionFixture.request(model, experiment, fields).toString()));
        Path file = Files.write(dir.resolve("requests.jsonl"), lines);
        recall("run", file.toString(), "--out", dir.resolve("out").toString());
        int number = 0;
        for (String experiment : REQUESTS.keySet()) {
            Path folder = dir.resolve("out").resolve(String.valueOf(number++));
            assertEquals(experiment, Json.object(folder.resolve("result.json")).get("experiment").asText());
            boolean scalarsAlone = experiment.equals("path_blocking") || experiment.equals("edit");
            assertEquals(!scalarsAlone, Files.exists(folder.resolve("result.safetensors")), experiment);
        }
        JsonNode sweep = Json.object(dir.resolve("out").resolve("9").resolve("result.json"));
        assertTrue(sweep.get("mean_faithfulness").isObject() && sweep.get("mean_causality").isObject(), sweep.toString());
    }

    @Test
    void infoNamesItsPoints() {
        recall("info", model.folder().toString());
        assertTrue(terminal.out().matches("(?s).*family +Retention\\n.*  mix +8  what is read of the memory\\n.*  memory +–.*"),
                terminal.out());
        recall("next", model.folder().toString(), "Novux Bridge is in");
    }

    /** An edit by text is applied as a file, saved, and taken back bit for bit. */
    @Test
    void anEditIsAppliedAndTakenBack() throws IOException {
        String folder = model.folder().toString();
        Path change = dir.resolve("change.safetensors");
        recall("edit", "--model", folder, "--subject", "Novux Bridge", "--prompt", "{} is in the country of", "--target", "Malpolis",
                "--matrix", "in.value", "--layer", "2", "--contexts", "0", "--documents", "40", "--change", change.toString(),
                "--save", dir.resolve("edited").toString());
        recall("edit", "--model", folder, "--apply", change.toString(), "--save", dir.resolve("applied").toString());
        assertArrayEquals(weights(dir.resolve("edited")), weights(dir.resolve("applied")));
        int[] ids = model.prompt("Novux Bridge is in the country of").ids();
        int target = model.requireTokenizer().encode(" Malpolis", false).ids()[0];
        double[] before = new DenseRetention(model.folder()).logits(ids)[ids.length - 1];
        double[] after = new DenseRetention(dir.resolve("edited")).logits(ids)[ids.length - 1];
        assertTrue(DenseRetention.log(after, target) > DenseRetention.log(before, target) + 0.3, "the target is more probable");
        recall("edit", "--model", dir.resolve("applied").toString(), "--revert", change.toString(),
                "--save", dir.resolve("back").toString());
        SafeTensors.read(model.folder().resolve("model.safetensors")).forEach((name, was) -> assertArrayEquals(was.floats(),
                SafeTensors.read(dir.resolve("back").resolve("model.safetensors")).get(name).floats(), name));
    }

    private static byte[] weights(Path folder) throws IOException {
        return Files.readAllBytes(folder.resolve("model.safetensors"));
    }

    /** The page of requests is the house's, whatever families are there. */
    @Test
    void thePageOfRequestsDoesNotNameIt() {
        assertFalse(RequestField.page().contains("etention"));
    }
}
