package lab.recall.knockout;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.function.LongConsumer;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import lab.recall.base.Json;
import lab.recall.base.Progress;
import lab.recall.model.LanguageModel;
import lab.recall.study.Cost;
import lab.recall.study.Runner;
import lab.recall.study.Store;
import lab.recall.study.Study;

/** Checks of a study's pieces. */
final class Pieces {
    private Pieces() {
    }

    /** Some of a study's pieces, each through JSON before it is computed. */
    private static final class Some<Q, P, R, T> extends Study<Q, P, R, List<R>> {
        private final Study<Q, P, R, T> all;
        private final UnaryOperator<List<P>> which;

        Some(Study<Q, P, R, T> all, UnaryOperator<List<P>> which) {
            super(all.name(), all.unit(), all.found());
            this.all = all;
            this.which = which;
        }

        @Override
        public int version() {
            return all.version();
        }

        @Override
        public Object settings(Q request) {
            return all.settings(request);
        }

        @Override
        public String title(LanguageModel model, Q request) {
            return all.title(model, request);
        }

        @Override
        public long size(LanguageModel model, Q request, P piece) {
            return all.size(model, request, piece);
        }

        @Override
        public List<P> plan(LanguageModel model, Q request, Runner runner) {
            return which.apply(all.plan(model, request, runner));
        }

        @Override
        @SuppressWarnings("unchecked")
        public R compute(LanguageModel model, Q request, P piece, LongConsumer done) {
            return all.compute(model, request, (P) read(piece, piece.getClass()), done);
        }

        @Override
        public Cost cost(LanguageModel model, Q request, P piece) {
            return all.cost(model, request, piece);
        }

        @Override
        public List<R> supposed(LanguageModel model, Q request, List<P> pieces, List<R> found) {
            return found;
        }

        @Override
        public Optional<Q> sent(Q request, P piece) {
            return all.sent(request, piece);
        }

        @Override
        public boolean fits(LanguageModel model, Q request, P piece, R found) {
            return all.fits(model, request, piece, found);
        }

        @Override
        public List<R> combine(LanguageModel model, Q request, List<P> pieces, List<R> found) {
            return found;
        }
    }

    /** A value as JSON and back. */
    static <X> X read(Object value, Class<X> type) {
        try {
            return Json.MAPPER.readValue(Json.compact(value), type);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /** Pieces computed in any order, each through JSON and back, in two stores that are laid together, give what a plain run gives. */
    static <Q, P, R, T> T anyOrder(Study<Q, P, R, T> study, LanguageModel model, Q request, Path dir) throws IOException {
        List<P> order = new ArrayList<>(study.plan(model, request, Runner.silent()));
        assertTrue(order.size() > 2, "too few pieces to tell");
        Collections.shuffle(order, new Random(1));
        Path one = dir.resolve("one");
        Path two = dir.resolve("two");
        compute(study, model, request, order.subList(0, order.size() / 2), one);
        compute(study, model, request, order.subList(order.size() / 2, order.size()), two);
        try (Stream<Path> files = Files.walk(two)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Path to = one.resolve(two.relativize(file));
                Files.createDirectories(to.getParent());
                Files.move(file, to);
            }
        }
        T plain = Runner.silent().run(study, model, request);
        long[] kept = new long[1];
        Runner runner = Runner.of(Store.at(one), Store.at(one), counts(kept));
        T together = runner.run(study, model, request);
        assertEquals(study.isShared() ? 0 : order.size(), runner.taken());
        assertEquals(order.size(), kept[0], "nothing was computed again");
        return same(plain, together);
    }

    private static <T> T same(T plain, T together) {
        assertEquals(Json.tree(plain), Json.tree(together));
        return plain;
    }

    private static <Q, P, R, T> void compute(Study<Q, P, R, T> study, LanguageModel model, Q request, List<P> some, Path folder) {
        Runner.of(Store.at(folder), Store.at(folder), Progress.silent()).run(new Some<>(study, all -> some), model, request);
    }

    /** Counts how often a progress is told of: once for a piece that is taken from a store. */
    private static Progress counts(long[] told) {
        return new Progress() {
            @Override
            public void start(String task, String unit, long total) {
                // counted in to
            }

            @Override
            public void to(long done) {
                told[0]++;
            }

            @Override
            public void finish() {
                // counted in to
            }
        };
    }

    /** A progress that ends the work as a kill would, when more than so many units are done. */
    static Progress stopsBehind(long units) {
        return new Progress() {
            @Override
            public void start(String task, String unit, long total) {
                // stops in to
            }

            @Override
            public void to(long done) {
                if (done > units) {
                    throw new IllegalStateException("killed");
                }
            }

            @Override
            public void finish() {
                // a kill does not come here
            }
        };
    }
}
