package lab.recall.trace;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.LongConsumer;
import java.util.stream.IntStream;
import lab.recall.base.Portions;
import lab.recall.model.Forks;
import lab.recall.model.HookPoint;
import lab.recall.model.Intervention;
import lab.recall.model.LanguageModel;
import lab.recall.model.LayerWindow;
import lab.recall.model.Pass;
import lab.recall.model.Recording;
import lab.recall.model.Site;
import lab.recall.study.Cost;
import lab.recall.study.Runner;
import lab.recall.study.Study;

/** The grids of many pairs of prompts. */
final class InterchangeStudy extends Study<InterchangeStudy.Asked, InterchangeStudy.Piece, InterchangeGrid[], List<InterchangeGrid>> {
    /** Runs that are kept in memory together. */
    private static final long PASS_BYTES = 400L << 20;

    /**
     * What is put back.
     *
     * @param point  the point
     * @param window layers together
     * @param sever  what keeps its corrupt value; null for nothing
     */
    record Settings(HookPoint point, int window, HookPoint sever, boolean reverse) {
    }

    /** Settings and questions. */
    record Asked(Settings settings, List<InterchangeCase> cases) {
    }

    /** Some of the questions. */
    record Piece(List<InterchangeCase> cases) {
    }

    InterchangeStudy() {
        super("interchange", "rows", InterchangeGrid[].class);
    }

    @Override
    public Object settings(Asked asked) {
        return asked.settings;
    }

    @Override
    public String title(LanguageModel model, Asked asked) {
        Settings s = asked.settings;
        return (s.reverse ? "reverse " : "") + "interchange of " + s.point.id() + LayerWindow.of(model, s.window).label()
                + (s.sever == null ? "" : ", " + s.sever.id() + " blocked");
    }

    @Override
    public long size(LanguageModel model, Asked asked, Piece piece) {
        return new Grids(model, asked.settings).rows(piece.cases);
    }

    @Override
    public List<Piece> plan(LanguageModel model, Asked asked, Runner runner) {
        return Study.parts(asked.cases).stream().map(Piece::new).toList();
    }

    @Override
    public InterchangeGrid[] compute(LanguageModel model, Asked asked, Piece piece, LongConsumer done) {
        Grids grids = new Grids(model, asked.settings);
        List<InterchangeGrid> all = new ArrayList<>();
        long before = 0;
        for (List<InterchangeCase> some : Portions.of(piece.cases, c -> passBytes(model, asked.settings.point, c), PASS_BYTES)) {
            long rows = before;
            all.addAll(List.of(grids.of(some, more -> done.accept(rows + more))));
            before += grids.rows(some);
        }
        return all.toArray(InterchangeGrid[]::new);
    }

    @Override
    public Cost cost(LanguageModel model, Asked asked, Piece piece) {
        Grids grids = new Grids(model, asked.settings);
        Cost cost = Cost.of(model);
        piece.cases.forEach(c -> cost.run(c.clean().length, 1).times(c.samples(), grids.cost(c)));
        return cost;
    }

    @Override
    public List<InterchangeGrid> supposed(LanguageModel model, Asked asked, List<Piece> pieces, List<InterchangeGrid[]> found) {
        return combine(model, asked, pieces, filled(found, i -> pieces.get(i).cases.stream().map(c -> new InterchangeGrid(
                new double[model.layers()][c.cells().size()], 1, 0, c.answer() == null ? 0 : c.answer(), asked.settings.reverse, 0, 0))
                .toArray(InterchangeGrid[]::new)));
    }

    @Override
    public Optional<Asked> sent(Asked asked, Piece piece) {
        return Optional.of(new Asked(asked.settings, List.of()));
    }

    @Override
    public boolean fits(LanguageModel model, Asked asked, Piece piece, InterchangeGrid[] found) {
        return found.length == piece.cases.size() && IntStream.range(0, found.length).allMatch(i -> found[i] != null && found[i].p() != null
                && found[i].p().length == model.layers()
                && Arrays.stream(found[i].p()).allMatch(row -> row.length == piece.cases.get(i).cells().size()));
    }

    @Override
    public List<InterchangeGrid> combine(LanguageModel model, Asked asked, List<Piece> pieces, List<InterchangeGrid[]> found) {
        return found.stream().flatMap(Arrays::stream).toList();
    }

    private static long passBytes(LanguageModel model, HookPoint point, InterchangeCase c) {
        long width = 12L * model.width() + (point.isState() ? model.width(point) : 0);
        return (1L + c.samples()) * c.clean().length * model.layers() * width * Float.BYTES;
    }

    /** Makes grids with some settings. */
    private static final class Grids {
        private final LanguageModel model;
        private final HookPoint point;
        private final HookPoint sever;
        private final boolean reverse;
        private final LayerWindow window;

        Grids(LanguageModel model, Settings s) {
            this.model = model;
            this.point = s.point;
            this.sever = s.sever;
            this.reverse = s.reverse;
            this.window = LayerWindow.of(model, s.window);
        }

        InterchangeGrid[] of(List<InterchangeCase> cases, LongConsumer done) {
            Recording sourceKeep = Recording.points(point);
            Recording baseKeep = sever == null ? Recording.states() : Recording.states().and(Recording.points(sever));
            List<int[]> corruptIds = new ArrayList<>();
            List<List<Intervention>> corruptions = new ArrayList<>();
            for (InterchangeCase c : cases) {
                for (List<Intervention> corruption : c.noise() == null ? List.of(List.<Intervention>of()) : c.noise().draws(model)) {
                    corruptIds.add(c.corrupt());
                    corruptions.add(corruption);
                }
            }
            List<Pass> clean = model.runAll(cases.stream().map(InterchangeCase::clean).toList(), reverse ? baseKeep : sourceKeep);
            List<Pass> corrupt = model.runAll(corruptIds, reverse ? sourceKeep : baseKeep, corruptions);
            Forks forks = model.forks().onProgress(done);
            List<Integer> answers = new ArrayList<>();
            int run = 0;
            for (int i = 0; i < cases.size(); i++) {
                InterchangeCase c = cases.get(i);
                int answer = c.answer() == null ? clean.get(i).argmax() : c.answer();
                for (int k = 0; k < c.samples(); k++, run++) {
                    Pass base = reverse ? clean.get(i) : corrupt.get(run);
                    Pass source = reverse ? corrupt.get(run) : clean.get(i);
                    for (int l = 0; l < model.layers(); l++) {
                        for (int[] cell : c.cells()) {
                            forks.add(base, changes(source, base, l, cell));
                            answers.add(answer);
                        }
                    }
                }
            }
            return grids(cases, clean, corrupt, answers, forks.probabilities(answers.stream().mapToInt(a -> a).toArray()));
        }

        private InterchangeGrid[] grids(List<InterchangeCase> cases, List<Pass> clean, List<Pass> corrupt,
                List<Integer> answers, double[] p) {
            InterchangeGrid[] grids = new InterchangeGrid[cases.size()];
            int layers = model.layers();
            int at = 0;
            int run = 0;
            for (int i = 0; i < grids.length; i++) {
                InterchangeCase c = cases.get(i);
                int samples = c.samples();
                int answer = answers.get(at);
                double[][] grid = new double[layers][c.cells().size()];
                double pCorrupt = 0;
                for (int k = 0; k < samples; k++, run++) {
                    pCorrupt += corrupt.get(run).probability(answer) / samples;
                    for (double[] row : grid) {
                        for (int cell = 0; cell < row.length; cell++) {
                            row[cell] += p[at++] / samples;
                        }
                    }
                }
                long tokens = c.clean().length;
                grids[i] = new InterchangeGrid(grid, clean.get(i).probability(answer), pCorrupt, answer, reverse,
                        rows(c) + (1L + samples) * layers * tokens,
                        (samples * (long) layers * c.cells().size() + 1 + samples) * layers * tokens);
            }
            return grids;
        }

        /** The patch at (layer, tokens), and the severed point after it; before the first patched layer severing would change nothing. */
        private List<Intervention> changes(Pass source, Pass base, int layer, int[] tokens) {
            int first = window.first(layer);
            List<Intervention> changes = new ArrayList<>();
            for (int token : tokens) {
                for (int k = first; k < window.end(layer); k++) {
                    changes.add(Intervention.patch(new Site(k, point, token), source));
                }
                if (sever != null) {
                    for (int k = point.equals(HookPoint.RESID_POST) ? first + 1 : first; k < model.layers(); k++) {
                        changes.add(Intervention.patch(new Site(k, sever, token), base));
                    }
                }
            }
            return changes;
        }

        /** Of one corrupt run and the forks that go with it. */
        Cost cost(InterchangeCase c) {
            int tokens = c.corrupt().length;
            Cost cost = Cost.of(model).run(tokens, 1);
            for (int l = 0; l < model.layers(); l++) {
                int entry = window.first(l) + (point.equals(HookPoint.RESID_POST) ? 1 : 0);
                c.cells().forEach(cell -> cost.fork(IntStream.of(cell).min().orElseThrow(), tokens, entry, 1));
            }
            return cost;
        }

        long rows(List<InterchangeCase> cases) {
            return cases.stream().mapToLong(this::rows).sum();
        }

        /** Token rows that the forks of one grid need. */
        private long rows(InterchangeCase c) {
            long each = c.cells().stream().mapToLong(cell -> c.clean().length - IntStream.of(cell).min().orElseThrow()).sum();
            long sum = 0;
            for (int l = 0; l < model.layers(); l++) {
                sum += each * (model.layers() - window.first(l) - (point.equals(HookPoint.RESID_POST) ? 1 : 0));
            }
            return sum * c.samples();
        }
    }
}
