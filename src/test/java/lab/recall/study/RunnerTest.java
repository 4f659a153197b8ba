package lab.recall.study;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.function.LongConsumer;
import java.util.stream.IntStream;
import lab.recall.base.Progress;
import lab.recall.model.LanguageModel;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunnerTest {
    private static final LanguageModel MODEL = LanguageModel.open("tiny-mamba");

    @TempDir
    Path dir;

    @AfterEach
    void clearInterrupt() {
        Thread.interrupted();
    }

    record Piece(List<Integer> numbers) {
    }

    /** Adds a number to each of some, and notes what it computed. */
    private static final class Adding extends Study<List<Integer>, Piece, int[], List<Integer>> {
        private final int added;
        private final List<Piece> computed = new ArrayList<>();

        Adding(int added) {
            super("adding", "numbers", int[].class);
            this.added = added;
        }

        @Override
        public Object settings(List<Integer> request) {
            return Map.of("added", added);
        }

        @Override
        public String title(LanguageModel model, List<Integer> request) {
            return "adding";
        }

        @Override
        public long size(LanguageModel model, List<Integer> request, Piece piece) {
            return piece.numbers.size();
        }

        @Override
        public List<Piece> plan(LanguageModel model, List<Integer> request, Runner runner) {
            return Study.parts(request).stream().map(Piece::new).toList();
        }

        @Override
        public int[] compute(LanguageModel model, List<Integer> request, Piece piece, LongConsumer done) {
            computed.add(piece);
            return piece.numbers.stream().mapToInt(n -> n + added).toArray();
        }

        @Override
        public Cost cost(LanguageModel model, List<Integer> request, Piece piece) {
            return Cost.of(model).run(piece.numbers.size(), 1);
        }

        @Override
        public List<Integer> supposed(LanguageModel model, List<Integer> request, List<Piece> pieces, List<int[]> found) {
            return combine(model, request, pieces, filled(found, i -> new int[] {pieces.get(i).numbers.size()}));
        }

        @Override
        public Optional<List<Integer>> sent(List<Integer> request, Piece piece) {
            return Optional.empty();
        }

        @Override
        public boolean fits(LanguageModel model, List<Integer> request, Piece piece, int[] found) {
            return found.length == piece.numbers.size();
        }

        @Override
        public List<Integer> combine(LanguageModel model, List<Integer> request, List<Piece> pieces, List<int[]> found) {
            return found.stream().flatMapToInt(IntStream::of).boxed().toList();
        }
    }

    private static List<Integer> numbers(int count) {
        return IntStream.range(0, count).boxed().toList();
    }

    private Runner runner(Progress progress) {
        return Runner.of(Store.at(dir), Store.none(), progress);
    }

    @Test
    void aPieceHoldsAtMost32() {
        Adding study = new Adding(1);
        assertEquals(IntStream.rangeClosed(1, 70).boxed().toList(), Runner.silent().run(study, MODEL, numbers(70)));
        assertEquals(List.of(32, 32, 6), study.computed.stream().map(p -> p.numbers.size()).toList());
    }

    @Test
    void whatWasKeptIsNotComputedAgain() {
        Adding first = new Adding(1);
        runner(Progress.silent()).run(first, MODEL, numbers(70));
        Adding second = new Adding(1);
        Runner runner = runner(Progress.silent());
        assertEquals(Runner.silent().run(new Adding(1), MODEL, numbers(80)), runner.run(second, MODEL, numbers(80)));
        assertEquals(1, second.computed.size(), "only the last piece holds other numbers than before");
        assertEquals(2, runner.taken());
    }

    @Test
    void otherSettingsAreOtherWork() {
        runner(Progress.silent()).run(new Adding(1), MODEL, numbers(3));
        Adding other = new Adding(2);
        assertEquals(List.of(2, 3, 4), runner(Progress.silent()).run(other, MODEL, numbers(3)));
        assertEquals(1, other.computed.size());
    }

    @Test
    void anotherModelIsOtherWork() {
        runner(Progress.silent()).run(new Adding(1), MODEL, numbers(3));
        String weight = MODEL.weights().keySet().stream().filter(n -> n.contains("layers.0.")).findFirst().orElseThrow();
        float[] changed = MODEL.weight(weight);
        changed[0] = Math.nextUp(changed[0]);
        Adding study = new Adding(1);
        runner(Progress.silent()).run(study, MODEL.with(weight, changed), numbers(3));
        assertEquals(1, study.computed.size());
        runner(Progress.silent()).run(study, LanguageModel.open("tiny-mamba"), numbers(3));
        assertEquals(1, study.computed.size(), "opened again it is the same");
    }

    @Test
    void anInterruptStopsBetweenPiecesAndKeepsThem() {
        Adding study = new Adding(1);
        Progress impatient = new Progress() {
            @Override
            public void start(String task, String unit, long total) {
                assertEquals(70, total);
            }

            @Override
            public void to(long done) {
                if (done == 64) {
                    Thread.currentThread().interrupt();
                }
            }

            @Override
            public void finish() {
                // nothing to end
            }
        };
        assertThrows(CancellationException.class, () -> runner(impatient).run(study, MODEL, numbers(70)));
        Thread.interrupted();
        Adding again = new Adding(1);
        assertEquals(70, runner(Progress.silent()).run(again, MODEL, numbers(70)).size());
        assertEquals(1, again.computed.size());
    }

    /** An engine on which the piece at one place always fails. */
    private static PieceEngine failing(int bad) {
        return new PieceEngine() {
            @Override
            public <Q, P, R> void compute(Work<Q, P, R> work) {
                for (int piece : work.missing()) {
                    if (piece == bad) {
                        work.failed(piece, "no luck");
                    } else {
                        work.computeHere(piece);
                    }
                }
            }

            @Override
            public void close() {
                // holds nothing
            }
        };
    }

    @Test
    void aFailedPieceIsToldOnAnyEngineUntilItIsTriedAgain() {
        Adding first = new Adding(1);
        String told = assertThrows(PiecesFailed.class,
                () -> runner(Progress.silent()).on(failing(1), false).run(first, MODEL, numbers(70))).getMessage();
        assertEquals("adding: 1 of 3 pieces failed, the others are kept (piece 1: no luck); the same command with --retry-failed tries"
                + " again", told);
        assertEquals(2, first.computed.size(), "the rest goes on");
        Adding second = new Adding(1);
        assertEquals(told, assertThrows(PiecesFailed.class,
                () -> runner(Progress.silent()).run(second, MODEL, numbers(70))).getMessage());
        assertEquals(0, second.computed.size());
        Runner again = runner(Progress.silent()).on(PieceEngine.local(), true);
        assertEquals(IntStream.rangeClosed(1, 70).boxed().toList(), again.run(second, MODEL, numbers(70)));
        assertEquals(1, second.computed.size());
        assertEquals(70, runner(Progress.silent()).run(second, MODEL, numbers(70)).size(), "what was found counts");
    }
}
