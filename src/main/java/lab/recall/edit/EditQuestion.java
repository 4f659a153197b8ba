package lab.recall.edit;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;
import lab.recall.base.BadRequest;
import lab.recall.base.Check;
import lab.recall.facts.EditRequest;
import lab.recall.study.Asks;

/**
 * Asks for the edit of one fact, or of several: of a file, or of facts that a model knows.
 *
 * <pre>{@code
 * {"experiment": "edit", "model": "tiny-mamba", "subject": "Novux Bridge", "prompt": "{} is located in the city of", "target": "Malpolis"}
 * {"experiment": "edit", "model": "tiny-mamba", "file": "requests.json", "how": "joint", "save": "edited"}
 * }</pre>
 */
public record EditQuestion(
        @Asks(value = "What the fact is about", otherwise = "several facts") String subject,
        @Asks(value = "The prompt, with the subject or {} in it", otherwise = "several facts") String prompt,
        @Asks(value = "What is to be said after the prompt", otherwise = "several facts") String target,
        @Asks(value = "What is said before the edit, to be compared with", option = "true", otherwise = "not known") @JsonProperty("true")
        String truth,
        @Asks(value = "Several requests, in CounterFact's form (JSON or JSONL)", option = "requests", otherwise = "one fact, or known ones")
        String file,
        @Asks(value = "How many requests at most", option = "count", otherwise = "50") Integer requests,
        @Asks(value = "A relation's name, or all", option = "-", otherwise = "all") String relation,
        @Asks(value = "world, lre, or a folder of relation files", option = "-", otherwise = "those that belong to the model")
        String relations,
        @Asks(value = "The edited layer", otherwise = "the paper's 15 of 64, GPT-2's 17 of 48, in proportion") Integer layer,
        @Asks(value = "in_proj.x (W_a), in_proj.z (W_g) or out_proj (W_o) of a Mamba, mlp.dense_4h_to_h of a GPT-NeoX, "
                + "mlp.down_proj of a Llama, mlp.c_proj of a GPT-2", otherwise = "the first that writes to the residual stream")
        String matrix,
        @Asks("Sampled texts before the prompt over which the key is averaged") Integer contexts,
        @Asks("Texts for the second moments at most") Integer documents,
        @Asks(value = "A file of these texts, one a line, or JSONL", otherwise = "texts made of facts") String texts,
        @Asks(value = "Keep the second moments in this safetensors file, and go on from what is there",
                otherwise = "the user's store, up to 1 GiB") String moments,
        @Asks(value = "A safetensors or .npz file with the second moment C, or identity", otherwise = "it is collected") String covariance,
        @Asks(value = "The key in the denominator: the plain prompt's, or the mean over contexts", words = {"published", "consistent"})
        String key,
        @Asks(value = "Hyper-parameters, the model's being the paper's with what its recall.json says instead",
                words = {"model", "published"}) String preset,
        @Asks(value = "Other numbers than the preset's, some of those of rome", option = "-") Hyperparameters hyperparameters,
        @Asks("Seed of every random choice") Integer seed,
        @Asks(value = "Several requests: each by itself, one after another, or at once", words = {"each", "sequence", "joint"}) String how,
        @Asks("joint: weight of what was there before") Double weight,
        @Asks(value = "Write the edited model there as a checkpoint in HuggingFace's layout", otherwise = "it is not written") String save,
        @Asks(value = "What is written: weights in the formats of the model's own files, or all in f32", words = {"stored", "f32"})
        String dtype,
        @Asks(value = "Write the edit there as a small file for --apply and --revert", otherwise = "it is not written") String change) {
    public EditQuestion {
        if (subject != null || prompt != null || target != null) {
            if (file != null || requests != null || relation != null || relations != null) {
                throw new BadRequest("", "subject, prompt and target say one request: leave out file, requests, relation and relations");
            }
            requireFact(Check.given("prompt", prompt), Check.given("subject", subject), Check.given("target", target));
        } else {
            relation = Check.or(relation, "all");
            relations = Check.or(relations, "");
            EditSweepRequest.requireOneSource(file, relation, relations);
            requests = EditSweepRequest.count("requests", requests, EditSweepRequest.REQUESTS);
        }
        Check.path("file", file);
        Check.path("texts", texts);
        Check.path("moments", moments);
        Check.path("covariance", covariance);
        Check.path("save", save);
        Check.path("change", change);
        contexts = Check.whole("contexts", Check.or(contexts, RankOneEditor.CONTEXTS), 0, ContextTemplates.MOST);
        documents = EditSweepRequest.count("documents", documents, SecondMoments.DOCUMENTS);
        if (covariance != null && moments != null) {
            throw new BadRequest("moments", "a covariance is given, so that none are collected; leave out one of the two");
        }
        key = RomeExperiment.key(key);
        preset = EditSweepRequest.preset(preset);
        seed = Check.whole("seed", Check.or(seed, 1), 0, Integer.MAX_VALUE);
        how = Check.word("how", Check.or(how, "each"), List.of("each", "sequence", "joint"));
        dtype = Check.word("dtype", Check.or(dtype, "stored"), List.of("stored", "f32"));
        weight = Check.positive("weight", Check.or(weight, 1.0));
    }

    /** Refuses what is no request. */
    private static void requireFact(String prompt, String subject, String target) {
        if (target.isBlank()) {
            throw new BadRequest("target", "empty, expected what is to be said after the prompt");
        }
        if (subject.isBlank()) {
            throw new BadRequest("subject", "empty, expected the words that the fact is about");
        }
        try {
            EditRequest.of(prompt, subject, target);
        } catch (IllegalArgumentException e) {
            throw BadRequest.at(prompt.contains("{}") ? "prompt" : "subject", e);
        }
    }

    /** Whether what is written keeps the formats of the model's files. */
    boolean keepsFormats() {
        return dtype.equals("stored");
    }

    /** Whether it says one fact. */
    boolean isOne() {
        return subject != null;
    }

    /** The one fact. */
    EditRequest fact() {
        return new EditRequest(0, "", prompt, subject, target, Check.or(truth, ""), List.of(), List.of());
    }
}
