package lab.recall.knockout;

import lab.recall.base.BadRequest;
import lab.recall.base.Check;
import lab.recall.study.Asks;

/**
 * Asks for {@link Knockout} over the facts that a model knows.
 *
 * <pre>{@code
 * {"experiment": "knockout", "model": "tiny-mamba", "form": "edges", "facts": 200, "flows": true}
 * }</pre>
 */
public record KnockoutRequest(
        @Asks("published (the paper's: mean inputs), edges (exact: convolution and scan, or attention), every (edges, those among the "
                + "sources too), scan, conv, or held (edges, passed tokens with the mean delta); attention knows edges only") String form,
        @Asks(value = "world, lre, or a folder of relation files", otherwise = "those that belong to the model") String relations,
        @Asks(value = "A relation's name, or all", otherwise = "all") String relation,
        @Asks(value = "How many known facts at most", otherwise = "" + KnockoutRequest.FACTS) Integer facts,
        @Asks(value = "Layers of a window", otherwise = "the paper's 10 of 64 or 32, in proportion to the model's depth") Integer window,
        @Asks(value = "Seed of every random choice", otherwise = "1") Integer seed,
        @Asks("Also from each part of the prompt to each later one") Boolean flows,
        @Asks(value = "Texts for the means, one a line, or JSONL", otherwise = "texts made of facts") String texts,
        @Asks(value = "How many of these texts at most", otherwise = "" + KnockoutRequest.DOCUMENTS) Integer documents) {
    static final int DOCUMENTS = 128;
    private static final int FACTS = 200;
    private static final int MANY = 1_000_000;

    public KnockoutRequest {
        Check.word("form", Check.given("form", form), Knockout.Form.all().stream().map(Knockout.Form::id).toList());
        relations = Check.or(relations, "");
        relation = Check.or(relation, "all");
        facts = Check.whole("facts", Check.or(facts, FACTS), 1, MANY);
        Check.path("texts", texts);
        if (window != null) {
            Check.whole("window", window, 1, Integer.MAX_VALUE);
        }
        seed = Check.whole("seed", Check.or(seed, 1), 0, Integer.MAX_VALUE);
        flows = Check.or(flows, false);
        if (flows && form.equals(Knockout.Form.PUBLISHED.id())) {
            throw new BadRequest("flows", "true, expected false: the form published does not tell readers apart");
        }
        if (new Knockout.Form(form).needsMeans()) {
            documents = Check.whole("documents", Check.or(documents, DOCUMENTS), 1, MANY);
        } else if (documents != null || texts != null) {
            throw new BadRequest(texts != null ? "texts" : "documents", "only the forms published and held need means of documents");
        }
    }

    Knockout.Form asForm() {
        return new Knockout.Form(form);
    }

    KnockoutRequest withWindow(int layers) {
        return new KnockoutRequest(form, relations, relation, facts, layers, seed, flows, texts, documents);
    }
}
