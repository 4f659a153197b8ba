package lab.recall.edit;

import java.util.List;
import lab.recall.base.BadRequest;
import lab.recall.base.Check;
import lab.recall.study.Asks;
import lab.recall.study.GivenPrompt;

/**
 * Asks for one rank-one edit, by token ids.
 *
 * <pre>{@code
 * {"experiment": "rome", "model": "tiny-mamba", "layer": 1, "matrix": "out_proj", "prompt": {"ids": [5, 9, 11]}, "subject_last": 1,
 *  "prefixes": [{"ids": []}], "target": [4], "kl_prompt": {"ids": [8, 1]}, "kl_pos": 1, "covariance": "identity", "hyperparameters": {..}}
 * }</pre>
 */
public record RomeRequest(
        @Asks("The edited layer") Integer layer,
        @Asks("out_proj, in_proj.x, in_proj.z, mlp.dense_4h_to_h, mlp.down_proj or mlp.c_proj") String matrix,
        @Asks("The prompt") GivenPrompt prompt,
        @Asks("Where the subject's last token stands in it") Integer subjectLast,
        @Asks("Prompts put before, the first one empty: {\"ids\": []}") List<GivenPrompt> prefixes,
        @Asks("Token ids of what is to be said") List<Integer> target,
        @Asks("The prompt whose next token should stay") GivenPrompt klPrompt,
        @Asks("Where it is read") Integer klPos,
        @Asks("A safetensors or .npz file with the second moment C, or identity") String covariance,
        @Asks("steps, lr, weight_decay, kl_factor, clamp_norm_factor, stop_loss; if given also stop_probability, ridge and value_size")
        Hyperparameters hyperparameters,
        @Asks(value = "The key in the denominator", otherwise = "published", words = {"published", "consistent"}) String key,
        @Asks(value = "Folder for the edited checkpoint", otherwise = "none") String save) {
    public RomeRequest {
        Check.given("layer", layer);
        Check.given("matrix", matrix);
        Check.given("prompt", prompt);
        Check.given("subject_last", subjectLast);
        requireSome("prefixes", prefixes);
        requireSome("target", target);
        Check.given("kl_prompt", klPrompt);
        Check.given("kl_pos", klPos);
        Check.path("covariance", Check.given("covariance", covariance));
        Check.path("save", save);
        Check.given("hyperparameters", hyperparameters).requireAll();
        key = RomeExperiment.key(key);
    }

    private static void requireSome(String field, List<?> list) {
        if (Check.given(field, list).isEmpty()) {
            throw new BadRequest(field, "expected a list that is not empty");
        }
    }
}
