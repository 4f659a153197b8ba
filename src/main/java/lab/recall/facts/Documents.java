package lab.recall.facts;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/**
 * Short texts made of facts, for statistics over what a model reads.
 *
 * <pre>{@code
 * List<String> texts = Documents.of(Documents.corpus(Relations.of(mamba)), 400, seed);
 * }</pre>
 *
 * A document is a few sentences drawn without replacement; when all are used up they are drawn anew.
 */
public final class Documents {
    private static final int SENTENCES = 4;

    private Documents() {
    }

    /** One sentence a fact, in its relation's first template. */
    public static List<String> sentences(Relations relations) {
        return relations.all().stream().flatMap(r -> r.facts().stream().map(f -> sentence(r.template().with(f.subject()), f))).toList();
    }

    /** One sentence for each fact and template of its relation, held-out ones excepted. */
    public static List<String> corpus(Relations relations) {
        return relations.all().stream().flatMap(r -> r.facts().stream()
                .flatMap(f -> r.templates().stream().map(t -> sentence(t.with(f.subject()), f)))).toList();
    }

    private static String sentence(String prompt, Fact fact) {
        return prompt + " " + fact.object().strip() + " .";
    }

    /** Documents of sentences; the same seed gives the same ones. */
    public static List<String> of(List<String> sentences, int count, long seed) {
        Random random = new Random(seed);
        List<String> documents = new ArrayList<>();
        List<String> order = new ArrayList<>();
        while (documents.size() < count) {
            StringBuilder text = new StringBuilder();
            for (int i = 0; i < SENTENCES; i++) {
                if (order.isEmpty()) {
                    order.addAll(sentences);
                    Collections.shuffle(order, random);
                }
                text.append(i == 0 ? "" : " ").append(order.remove(order.size() - 1));
            }
            documents.add(text.toString());
        }
        return documents;
    }
}
