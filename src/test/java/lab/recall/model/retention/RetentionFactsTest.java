package lab.recall.model.retention;

import static lab.recall.model.retention.RetentionFixture.arrays;
import static lab.recall.model.retention.RetentionFixture.ask;
import static lab.recall.model.retention.RetentionFixture.flat;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import lab.recall.facts.FactPair;
import lab.recall.facts.FactPairs;
import lab.recall.facts.KnownFacts;
import lab.recall.facts.KnownFacts.Known;
import lab.recall.facts.Relations;
import lab.recall.knockout.HiddenAttention;
import lab.recall.knockout.MeanActivations;
import lab.recall.knockout.Remainder;
import lab.recall.knockout.Route;
import lab.recall.knockout.TokenGroup;
import lab.recall.model.Edges;
import lab.recall.model.HookPoint;
import lab.recall.model.LanguageModel;
import lab.recall.study.Runner;
import lab.recall.text.Prompt;
import lab.recall.trace.BlockedPaths;
import lab.recall.trace.PathBlockingExperiment;
import lab.recall.trace.Position;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Experiments over facts on a family of the tests alone, against runs of a dense model, one at a time. */
class RetentionFactsTest {
    private static final double SPAN = 0.05;

    @TempDir
    static Path dir;
    private static LanguageModel model;
    private static DenseRetention dense;
    private static KnownFacts known;

    @BeforeAll
    static void open() {
        model = RetentionFixture.talking(dir);
        dense = new DenseRetention(dir);
        known = Relations.of(model).knownBy(model, Runner.silent());
    }

    private static double probability(int[] ids, int answer, DenseRetention.Touch touch, DenseRetention.Cut cut) {
        return Math.exp(DenseRetention.log(dense.run(ids, touch, cut)[ids.length - 1], answer));
    }

    private static int layer(String name) {
        return name.startsWith("layers") ? Integer.parseInt(name.split("\\.")[1]) : -1;
    }

    @Test
    void itKnowsItsFacts() {
        int facts = Relations.of(model).all().stream().mapToInt(r -> r.facts().size()).sum();
        assertEquals(facts, known.size());
        assertTrue(facts > 20, facts + " facts");
        assertTrue(cases().size() >= 2, "pairs that differ");
    }

    /** A pair and what the dense model finds in its two runs. */
    private record Case(FactPair pair, Map<String, double[][]> clean, Map<String, double[][]> corrupt, double pClean, double pCorrupt) {
        static Case of(FactPair p) {
            Map<String, double[][]> clean = dense.values(p.cleanPrompt().ids());
            Map<String, double[][]> corrupt = dense.values(p.corruptPrompt().ids());
            int last = p.cleanPrompt().length() - 1;
            return new Case(p, clean, corrupt, Math.exp(DenseRetention.log(clean.get("logits")[last], p.answer())),
                    Math.exp(DenseRetention.log(corrupt.get("logits")[last], p.answer())));
        }

        boolean counts() {
            return pClean - pCorrupt >= SPAN;
        }

        Prompt prompt() {
            return pair.cleanPrompt();
        }
    }

    /** Those of the first pairs that count. */
    private static List<Case> cases() {
        return known.pairs(3, 1).pairs().stream().map(Case::of).filter(Case::counts).toList();
    }

    /** The effect of clean values put back at tokens in a window, with another point held in all layers or not. */
    private static double effect(Case c, String point, int first, int end, List<Integer> tokens, String held) {
        double p = probability(c.pair.corruptPrompt().ids(), c.pair.answer(), (name, token, value) -> {
            if (tokens.contains(token) && name.endsWith("." + point) && layer(name) >= first && layer(name) < end) {
                System.arraycopy(c.clean.get(name)[token], 0, value, 0, value.length);
            } else if (tokens.contains(token) && name.endsWith("." + held)) {
                System.arraycopy(c.corrupt.get(name)[token], 0, value, 0, value.length);
            }
        }, DenseRetention.NO_EDGE);
        return (p - c.pCorrupt) / (c.pClean - c.pCorrupt);
    }

    private interface Cell {
        double of(List<Integer> tokens);
    }

    /** Mean over a position's tokens; NaN for none. */
    private static double at(Position position, Prompt prompt, Cell cell) {
        if (position == Position.SUBJECT) {
            return cell.of(IntStream.range(prompt.subjectStart(), prompt.subjectEnd()).boxed().toList());
        }
        return IntStream.range(0, prompt.length()).filter(t -> Position.of(prompt, t) == position).mapToDouble(t -> cell.of(List.of(t)))
                .average().orElse(Double.NaN);
    }

    private static double mean(double[] all) {
        return Arrays.stream(all).filter(x -> !Double.isNaN(x)).average().orElse(Double.NaN);
    }

    @ParameterizedTest
    @ValueSource(strings = {"residual 1", "components 2"})
    void traces(String asked) {
        int window = Integer.parseInt(asked.substring(asked.length() - 1));
        String points = asked.substring(0, asked.indexOf(' '));
        List<Case> cases = cases();
        Map<String, float[]> found = arrays(ask(model, "trace", "'points':['" + points + "'],'window':" + window
                + ",'pairs':3,'attribution':true"));
        List<HookPoint> traced = points.equals("residual") ? List.of(HookPoint.RESID_POST) : model.components();
        assertEquals(2 * 3 * traced.size(), found.size());
        for (HookPoint point : traced) {
            double[][] expected = new double[Position.values().length][model.layers()];
            double[][] first = new double[Position.values().length][model.layers()];
            for (Position position : Position.values()) {
                for (int l = 0; l < model.layers(); l++) {
                    int from = Math.max(0, l - window / 2);
                    int end = Math.min(model.layers(), l + (window + 1) / 2);
                    expected[position.ordinal()][l] = mean(cases.stream().mapToDouble(c -> at(position, c.prompt(),
                            tokens -> effect(c, point.id(), from, end, tokens, ""))).toArray());
                    first[position.ordinal()][l] = mean(cases.stream().mapToDouble(c -> at(position, c.prompt(),
                            tokens -> attributed(c, point, from, end, tokens))).toArray());
                }
            }
            nearShares(point.id(), expected, found.get(point.id() + ".mean"));
            nearShares(point.id(), first, found.get(point.id() + ".attribution.mean"));
        }
    }

    /** To first order: gradient of log p times difference, as a share of the whole. */
    private static double attributed(Case c, HookPoint point, int from, int end, List<Integer> tokens) {
        double[] step = new double[1];
        double gain = DenseRetention.differences(step, () -> Math.log(probability(c.pair.corruptPrompt().ids(), c.pair.answer(),
                (name, token, value) -> {
                    if (tokens.contains(token) && name.endsWith("." + point.id()) && layer(name) >= from && layer(name) < end) {
                        for (int i = 0; i < value.length; i++) {
                            value[i] += step[0] * (c.clean.get(name)[token][i] - c.corrupt.get(name)[token][i]);
                        }
                    }
                }, DenseRetention.NO_EDGE)))[0];
        return gain / (Math.log(c.pClean) - Math.log(c.pCorrupt));
    }

    /** Shares of a span of at least {@value #SPAN}: its rounding counts so many times. Where no pair has such tokens both are NaN. */
    private static void nearShares(String what, double[][] expected, float[] found) {
        double[] all = flat(expected);
        for (int i = 0; i < all.length; i++) {
            if (Double.isNaN(all[i])) {
                assertTrue(Double.isNaN(found[i]), what + " " + i);
            } else {
                assertEquals(all[i], found[i], 1e-4 * Math.max(1, Math.abs(all[i])), what + " " + i);
            }
        }
    }

    @Test
    void blockedPaths() {
        BlockedPaths found = ((PathBlockingExperiment.Found) ask(model, "path_blocking", "'pairs':3")).paths();
        List<Case> cases = cases();
        assertEquals(cases.size(), found.pairs());
        for (Position position : new Position[] {Position.SUBJECT_LAST, Position.LAST}) {
            for (int l = 0; l < model.layers(); l++) {
                int layer = l;
                for (String held : new String[] {"", "mix", "valve", "put_out"}) {
                    double expected = mean(cases.stream().mapToDouble(c -> at(position, c.prompt(),
                            tokens -> effect(c, "resid_post", layer, layer + 1, tokens, held))).toArray());
                    assertEquals(expected, (held.isEmpty() ? found.recovery(position, l)
                            : found.recovery(HookPoint.of(held), position, l)).mean(), 1e-4, held + " " + position + " " + l);
                }
            }
        }
    }

    private static Edges edges(String form, Prompt prompt, TokenGroup group) {
        int[] sources = group.tokens(prompt);
        Edges edges = Route.from(group).edges(prompt);
        return form.equals("every") ? edges.and(Edges.between(sources, sources)) : edges;
    }

    @ParameterizedTest
    @ValueSource(strings = {"edges", "every"})
    void exactKnockOut(String form) {
        List<Known> facts = known.sample(3, 1);
        double[][] expected = new double[TokenGroup.PUBLISHED.size()][model.layers()];
        for (int g = 0; g < expected.length; g++) {
            TokenGroup group = TokenGroup.PUBLISHED.get(g);
            for (int l = 0; l < model.layers(); l++) {
                int centre = l;
                expected[g][l] = mean(facts.stream().mapToDouble(k -> {
                    Edges edges = edges(form, k.prompt(), group);
                    return change(k, DenseRetention.NOTHING, (layer, source, target) -> layer >= centre - 1 && layer <= centre
                            && edges.has(source, target));
                }).toArray());
            }
        }
        nearShares(form, expected, arrays(ask(model, "knockout", "'form':'" + form + "','facts':3,'window':2")).get("change"));
    }

    private static double change(Known k, DenseRetention.Touch touch, DenseRetention.Cut cut) {
        int[] ids = k.prompt().ids();
        double before = probability(ids, k.answer(), DenseRetention.NOTHING, DenseRetention.NO_EDGE);
        return (probability(ids, k.answer(), touch, cut) - before) / before;
    }

    /** What enters the mixer is its mean over documents at the sources; at all other tokens but the last it stays. */
    @Test
    void thePapersKnockOut() {
        List<int[]> documents = MeanActivations.documents(model, 5, 1);
        Map<String, double[]> means = new HashMap<>();
        for (int[] ids : documents) {
            dense.values(Arrays.copyOf(ids, Math.min(ids.length, 128))).forEach((name, rows) -> {
                double[] sum = means.computeIfAbsent(name, n -> new double[rows[0].length]);
                for (double[] row : rows) {
                    for (int i = 0; i < sum.length; i++) {
                        sum[i] += row[i] / rows.length / documents.size();
                    }
                }
            });
        }
        List<Known> facts = known.sample(3, 1);
        double[][] expected = new double[TokenGroup.PUBLISHED.size()][model.layers()];
        for (int g = 0; g < expected.length; g++) {
            TokenGroup group = TokenGroup.PUBLISHED.get(g);
            for (int l = 0; l < model.layers(); l++) {
                int centre = l;
                expected[g][l] = mean(facts.stream().mapToDouble(k -> {
                    List<Integer> sources = Arrays.stream(group.tokens(k.prompt())).boxed().toList();
                    Map<String, double[][]> own = dense.values(k.prompt().ids());
                    return change(k, (name, token, value) -> {
                        if (name.endsWith(".value") && layer(name) >= centre - 1 && layer(name) <= centre) {
                            boolean last = token == k.prompt().length() - 1;
                            double[] now = sources.contains(token) ? means.get(name) : last ? value : own.get(name)[token];
                            System.arraycopy(now, 0, value, 0, value.length);
                        }
                    }, DenseRetention.NO_EDGE);
                }).toArray());
            }
        }
        nearShares("published", expected,
                arrays(ask(model, "knockout", "'form':'published','facts':3,'window':2,'documents':5")).get("change"));
    }

    /** Half the distance of two predictions, plain and with the subject cut off in all layers. */
    @Test
    void whatRemainsWhenAllIsCut() {
        FactPairs pairs = known.pairs(3, 2);
        Remainder found = Remainder.of(model, pairs, Runner.silent());
        assertEquals(List.of("nothing", "retention"), found.cuts());
        for (String cut : found.cuts()) {
            double expected = mean(pairs.pairs().stream().mapToDouble(p -> {
                Edges edges = cut.equals("nothing") ? Edges.none() : Route.from(TokenGroup.SUBJECT).edges(p.cleanPrompt());
                double[] a = last(p.cleanPrompt(), edges);
                double[] b = last(p.corruptPrompt(), edges);
                return IntStream.range(0, a.length)
                        .mapToDouble(id -> Math.abs(Math.exp(DenseRetention.log(a, id)) - Math.exp(DenseRetention.log(b, id))) / 2).sum();
            }).toArray());
            assertEquals(expected, found.distance(cut).mean(), 1e-5, cut);
        }
    }

    private static double[] last(Prompt prompt, Edges edges) {
        return dense.run(prompt.ids(), DenseRetention.NOTHING, (layer, source, target) -> edges.has(source, target))[prompt.length() - 1];
    }

    @Test
    void hiddenAttention() {
        Prompt prompt = known.sample(1, 3).get(0).prompt();
        int tokens = prompt.length();
        HiddenAttention found = HiddenAttention.of(model, prompt, 2);
        Map<String, double[][]> values = dense.values(prompt.ids());
        double[][] norms = dense.termNorms(2, prompt.ids());
        for (int t = 0; t < tokens; t++) {
            double[] mix = values.get("layers.2.mix")[t];
            double square = Arrays.stream(mix).map(x -> x * x).sum();
            for (int s = 0; s <= t; s++) {
                double[] term = dense.term(2, values, s, t);
                double along = IntStream.range(0, mix.length).mapToDouble(i -> term[i] * mix[i]).sum();
                assertEquals(along / square, found.share()[t][s], 1e-5 * Math.max(1, Math.abs(along / square)));
                assertEquals(norms[t][s], found.norms("retention")[t][s], 1e-5);
                double relative = norms[t][s] / Math.sqrt(square);
                assertEquals(relative, found.wholeEffect()[t][s], 1e-5 * Math.max(1, relative));
            }
            assertEquals(0, found.skip()[t]);
        }
        assertTrue(found.residue() < 1e-5);
        assertTrue(found.heatmap().title().contains("share of mix"), "the point's own name");
    }
}
