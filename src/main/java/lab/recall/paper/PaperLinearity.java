package lab.recall.paper;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import lab.recall.facts.Fact;
import lab.recall.facts.Relations;
import lab.recall.linear.Baselines;
import lab.recall.stats.RelativeDepth;
import lab.recall.study.ModelCard;
import lab.recall.text.Tokenizer;
import lab.recall.view.BarChart;
import org.knowm.xchart.CategoryChart;

/**
 * The paper's faithfulness of 25 relations, and its layer sweeps of eight, in Mamba-2.8b and Pythia-2.8b.
 *
 * <pre>{@code
 * PaperLinearity.bars()                                      // the paper's figure
 * PaperLinearity.of(found.model(), "country_capital_city")   // 0.754 beside a Mamba; empty where the paper has none
 * }</pre>
 *
 * Decoded from vector figures. Source: arXiv 2404.03646, section 5.
 */
public final class PaperLinearity {
    /** Relations that the figures call by other words than the files do; the invented world's sport stands for the real one. */
    private static final Map<String, String> WORDS = Map.of("person_plays_pro_sport", "plays pro sport", "person_plays_sport",
            "plays pro sport", "person_band_lead_singer", "person lead singer of band", "person_plays_position_in_sport",
            "person sport position", "presidents_birth_year", "president birth year", "pokemon_evolutions", "pokemon evolution",
            "star_constellation", "star constellation name");

    /**
     * A relation's bar.
     *
     * @param relation in the figure's words
     * @param chance   the figure's red bar
     */
    public record Bar(String relation, double faithfulness, double chance) {
    }

    private static final Map<String, Double> CONSTANTS = new ConcurrentHashMap<>();

    private PaperLinearity() {
    }

    /** All relations, sorted by Mamba's bar. */
    static List<Bar> all(PaperModel model) {
        List<Bar> all = new ArrayList<>();
        for (JsonNode r : PaperNumbers.of("lre_faithfulness").at("relations")) {
            all.add(new Bar(r.get("relation").asText(), r.get(model.key()).asDouble(), r.get("baseline").asDouble()));
        }
        return all;
    }

    /** How exact the bars are. */
    static String evidence() {
        return PaperNumbers.of("lre_faithfulness").evidence();
    }

    /** The bar of a relation by its file's name, of the published model that stands beside a model; none where the paper has none. */
    public static Optional<Bar> of(ModelCard model, String relation) {
        return PaperModel.of(model).flatMap(p -> of(p, relation));
    }

    /** The same of a published model. */
    static Optional<Bar> of(PaperModel model, String relation) {
        String words = words(relation);
        return all(model).stream().filter(b -> b.relation.equalsIgnoreCase(words)).findFirst();
    }

    private static String words(String relation) {
        return WORDS.getOrDefault(relation, relation.replace('_', ' '));
    }

    /** What some published curves call a relation; its own words where none is of it. */
    static String published(String relation, Collection<String> curves) {
        String words = words(relation);
        return curves.stream().filter(words::equalsIgnoreCase).findFirst().orElse(words);
    }

    /** The paper's bars, its baseline, and the best constant answer over all facts of each relation: the tests are not published. */
    public static CategoryChart bars() {
        List<Bar> first = all(PaperModel.MAMBA);
        BarChart chart = BarChart.of("the paper: faithfulness of 25 relations, in context, chosen on the tests", "share of known facts",
                first.stream().map(Bar::relation).toList());
        for (PaperModel model : PaperModel.values()) {
            chart = chart.bar(model.fullName(), all(model).stream().mapToDouble(Bar::faithfulness).toArray());
        }
        return chart.dots("best constant answer", first.stream().mapToDouble(b -> constant(b)).toArray())
                .dots("chance", first.stream().mapToDouble(Bar::chance).toArray()).chart();
    }

    /** Kept: the texts of all objects of a relation are tokenized for it. */
    static double constant(Bar bar) {
        return CONSTANTS.computeIfAbsent(bar.relation, name -> Baselines.constant(facts(Relations.lre(), bar), Tokenizer.bundled20b()));
    }

    /** The facts behind a bar. */
    static List<Fact> facts(Relations relations, Bar bar) {
        return relations.all().stream().filter(r -> words(r.name()).equalsIgnoreCase(bar.relation)).findFirst().orElseThrow().facts();
    }

    /** Layer sweeps by relation: faithfulness and causality over relative depth, the embedding at 0. */
    static Map<String, LayerCurves> curves(PaperModel model) {
        Map<String, Map<String, double[][]>> found = new LinkedHashMap<>();
        for (JsonNode c : PaperNumbers.of("lre_sweeps").at("curves")) {
            if (c.get("model").asText().equals(model.key())) {
                List<double[]> points = new ArrayList<>();
                c.get("layers").properties().forEach(e -> points.add(new double[] {
                    RelativeDepth.of(e.getKey().equals("emb") ? -1 : Integer.parseInt(e.getKey()), model.layers()),
                    e.getValue().asDouble()}));
                double[] depth = points.stream().mapToDouble(p -> p[0]).toArray();
                double[] values = points.stream().mapToDouble(p -> p[1]).toArray();
                found.computeIfAbsent(c.get("relation").asText(), r -> new LinkedHashMap<>())
                        .put(c.get("measure").asText(), new double[][] {depth, values});
            }
        }
        Map<String, LayerCurves> all = new LinkedHashMap<>();
        found.forEach((relation, measures) -> all.put(relation, new LayerCurves(measures.get("faithfulness")[0],
                measures.get("faithfulness")[1], measures.get("causality")[1])));
        return all;
    }
}
