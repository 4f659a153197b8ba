package lab.recall.linear;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import lab.recall.facts.Fact;
import lab.recall.facts.PaperNumbers;
import lab.recall.facts.Relations;
import lab.recall.text.Tokenizer;
import lab.recall.view.BarChart;
import org.knowm.xchart.CategoryChart;

/**
 * The paper's faithfulness of 25 relations, and its layer sweeps of eight, in Mamba-2.8b and Pythia-2.8b.
 *
 * <pre>{@code
 * PaperLinearity.bars()                                      // the paper's figure
 * PaperLinearity.of("country_capital_city").get().mamba()    // 0.754; empty where the paper has none
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
     * A relation's bars.
     *
     * @param chance the figure's red bar
     */
    public record Bar(String relation, double mamba, double pythia, double chance) {
    }

    private PaperLinearity() {
    }

    /** All relations, sorted by Mamba's bar. */
    public static List<Bar> all() {
        List<Bar> all = new ArrayList<>();
        for (JsonNode r : PaperNumbers.of("lre_faithfulness").at("relations")) {
            all.add(new Bar(r.get("relation").asText(), r.get("mamba").asDouble(), r.get("pythia").asDouble(),
                    r.get("baseline").asDouble()));
        }
        return all;
    }

    /** How exact the bars are. */
    static String evidence() {
        return PaperNumbers.of("lre_faithfulness").evidence();
    }

    /** The bars of a relation by its file's name, where the paper has it. */
    public static Optional<Bar> of(String relation) {
        String words = words(relation);
        return all().stream().filter(b -> b.relation.equalsIgnoreCase(words)).findFirst();
    }

    private static String words(String relation) {
        return WORDS.getOrDefault(relation, relation.replace('_', ' '));
    }

    /** The paper's bars, its baseline, and the best constant answer over all facts of each relation: the tests are not published. */
    public static CategoryChart bars() {
        List<Bar> all = all();
        Relations relations = Relations.lre();
        return BarChart.of("the paper: faithfulness of 25 relations, in context, chosen on the tests", "share of known facts",
                        all.stream().map(Bar::relation).toList())
                .bar("Mamba-2.8b", all.stream().mapToDouble(Bar::mamba).toArray())
                .bar("Pythia-2.8b", all.stream().mapToDouble(Bar::pythia).toArray())
                .dots("best constant answer", all.stream().mapToDouble(b -> constant(relations, b)).toArray())
                .dots("chance", all.stream().mapToDouble(Bar::chance).toArray()).chart();
    }

    static double constant(Relations relations, Bar bar) {
        return Baselines.constant(facts(relations, bar), Tokenizer.bundled20b());
    }

    /** The facts behind a bar. */
    static List<Fact> facts(Relations relations, Bar bar) {
        return relations.all().stream().filter(r -> words(r.name()).equalsIgnoreCase(bar.relation)).findFirst().orElseThrow().facts();
    }

    /**
     * Layer sweeps by relation: faithfulness and causality over relative depth, the embedding just below 0.
     *
     * @param mamba Mamba-2.8b, or Pythia-2.8b
     */
    static Map<String, LayerCurves> curves(boolean mamba) {
        double layers = mamba ? 64 : 32;
        Map<String, Map<String, double[][]>> found = new LinkedHashMap<>();
        for (JsonNode c : PaperNumbers.of("lre_sweeps").at("curves")) {
            if (c.get("model").asText().equals(mamba ? "mamba" : "pythia")) {
                List<double[]> points = new ArrayList<>();
                c.get("layers").properties().forEach(e -> points.add(new double[] {
                    (e.getKey().equals("emb") ? -1 : Integer.parseInt(e.getKey())) / layers, e.getValue().asDouble()}));
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
