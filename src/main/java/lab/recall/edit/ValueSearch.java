package lab.recall.edit;

import java.util.ArrayList;
import java.util.List;
import lab.recall.base.Portions;
import lab.recall.base.Unsolvable;
import lab.recall.math.CrossEntropy;
import lab.recall.math.Softmax;
import lab.recall.model.AddedVectors;
import lab.recall.model.EditableMatrix;
import lab.recall.model.LanguageModel;
import lab.recall.model.Pass;

/**
 * Finds values by gradient, many cases of one layer and matrix in step with each other: each step is one forward and one backward run of
 * all contexts of all cases that still search, only from the layer and the subject's last token on; no more of them together than fit in
 * memory.
 *
 * <p>loss = mean over contexts of -(1/n) Σ log p(target) + KL(now | at the start) klFactor + |delta| weightDecay / |v0|²; Adam with betas
 * 0.9 and 0.999. Source: arXiv 2404.03646, section 4 and appendix; arXiv 2202.05262, equation 4.
 */
final class ValueSearch {
    private static final double BETA1 = 0.9;
    private static final double BETA2 = 0.999;
    private static final double EPSILON = 1e-8;
    /** The stop by probability is checked after so many steps. */
    private static final int SURE_AFTER = 12;

    private final LanguageModel model;
    private final int layer;
    private final EditableMatrix matrix;
    private final EditSettings settings;
    private final long most;

    private ValueSearch(LanguageModel model, int layer, EditableMatrix matrix, EditSettings settings, long most) {
        this.model = model;
        this.layer = layer;
        this.matrix = matrix;
        this.settings = settings;
        this.most = most;
    }

    /** One value for each case, in order. */
    static List<FoundValue> run(LanguageModel model, int layer, EditableMatrix matrix, List<CasePasses> cases, EditSettings settings) {
        return run(model, layer, matrix, cases, settings, RankOneEditor.BYTES);
    }

    /** @param most bytes that forks may hold together; the values do not depend on it */
    static List<FoundValue> run(LanguageModel model, int layer, EditableMatrix matrix, List<CasePasses> cases, EditSettings settings,
            long most) {
        return new ValueSearch(model, layer, matrix, settings, most).run(cases);
    }

    private List<FoundValue> run(List<CasePasses> cases) {
        List<Searching> all = cases.stream().map(Searching::new).toList();
        List<Searching> going = all;
        while (!going.isEmpty()) {
            going = step(going);
        }
        return all.stream().map(Searching::found).toList();
    }

    /** A context of a case, or, behind them, its KL prompt. */
    private record Fork(Searching owner, int member) {
        private boolean isDivergence() {
            return member == owner.passes.contexts().size();
        }

        Pass base() {
            return isDivergence() ? owner.passes.kl() : owner.passes.contexts().get(member);
        }

        int token() {
            return isDivergence() ? base().length() - 1 : owner.passes.asked().lookups()[member];
        }

        int reads() {
            return isDivergence() ? 1 : owner.passes.asked().target().length;
        }

        long bytes(int layer) {
            return AddedVectors.bytes(base().model(), layer, base().length() - token());
        }
    }

    /** One loss of each, and one Adam step of those that go on; returns these. */
    private List<Searching> step(List<Searching> going) {
        List<Fork> all = new ArrayList<>();
        for (Searching s : going) {
            for (int member = 0; member <= s.passes.contexts().size(); member++) {
                all.add(new Fork(s, member));
            }
        }
        List<List<Fork>> portions = Portions.of(all, f -> f.bytes(layer), most);
        for (List<Fork> some : portions) {
            AddedVectors added = AddedVectors.at(model, layer, matrix.value());
            some.forEach(f -> added.add(f.base(), f.token(), f.owner.vector, f.reads()));
            added.forward((fork, i, logits, at) -> some.get(fork).owner.read(some.get(fork).member, i, logits, at));
            if (portions.size() == 1) {
                going.forEach(Searching::decide);
            }
            float[][] gradients = added.backward(fork -> some.get(fork).owner.on);      // of all, while nobody can tell who goes on
            for (int f = 0; f < gradients.length; f++) {
                if (gradients[f] != null) {
                    some.get(f).owner.add(gradients[f]);
                }
            }
        }
        if (portions.size() > 1) {
            going.forEach(Searching::decide);
        }
        List<Searching> on = going.stream().filter(s -> s.on).toList();
        on.forEach(Searching::adam);
        return on;
    }

    /** One case's delta, its moments, and what was read in this step. */
    private final class Searching {
        private final CasePasses passes;
        private final double[] start;
        private final double startNorm;
        private final double unit;
        private final double[] delta;
        private final float[] vector;
        private final double[] gradient;
        private final double[] first;
        private final double[] second;
        private final float[] before;
        private final double beforeSum;
        private final double[][] logs;
        private final List<double[]> losses = new ArrayList<>();
        private double divergence;
        private int steps;
        private boolean on = true;

        Searching(CasePasses passes) {
            this.passes = passes;
            float[] v0 = passes.at(0, layer, matrix.value());
            int width = v0.length;
            start = new double[width];
            for (int i = 0; i < width; i++) {
                start[i] = v0[i];
            }
            startNorm = norm(start);
            unit = settings.unit(start);
            delta = new double[width];
            vector = new float[width];
            gradient = new double[width];
            first = new double[width];
            second = new double[width];
            before = passes.kl().logits();
            beforeSum = Softmax.logSumExp(before, 0, before.length);
            logs = new double[passes.contexts().size()][passes.asked().target().length];
        }

        /** Logits of the i-th token of the target in a context, or of the KL prompt: reads them and leaves their gradient. */
        void read(int context, int i, float[] logits, int at) {
            if (context == passes.contexts().size()) {
                readDivergence(logits, at);
                return;
            }
            int[] target = passes.asked().target();
            int v = model.vocabulary();
            float scale = 1f / (target.length * passes.contexts().size());
            logs[context][i] = -CrossEntropy.backward(logits, at, v, target[i], scale, logits, at);
        }

        private void readDivergence(float[] logits, int at) {
            int v = model.vocabulary();
            double sum = Softmax.logSumExp(logits, at, v);
            double kl = 0;
            for (int j = 0; j < v; j++) {
                double log = logits[at + j] - sum;
                kl += Math.exp(log) * (log - (before[j] - beforeSum));
            }
            for (int j = 0; j < v; j++) {
                double log = logits[at + j] - sum;
                logits[at + j] = (float) (settings.klFactor() * Math.exp(log) * (log - (before[j] - beforeSum) - kl));
            }
            divergence = kl;
        }

        /** Writes the loss down; another step follows, or not. */
        void decide() {
            double nll = 0;
            double probability = 0;
            for (double[] context : logs) {
                double mean = 0;
                for (double log : context) {
                    mean -= log / context.length;
                }
                nll += mean / logs.length;
                probability += Math.exp(-mean) / logs.length;
            }
            double[] parts = {nll, settings.klFactor() * divergence, settings.weightDecay() * unit * norm(delta) / (startNorm * startNorm)};
            losses.add(parts);
            int step = losses.size() - 1;
            boolean sure = step > SURE_AFTER && probability > settings.stopProbability();
            on = parts[0] + parts[1] + parts[2] >= settings.stopLoss() && step < settings.steps() - 1 && !sure;
        }

        void add(float[] more) {
            for (int i = 0; i < more.length; i++) {
                gradient[i] += more[i];
            }
        }

        void adam() {
            steps++;
            double length = norm(delta);
            double decay = length == 0 ? 0 : settings.weightDecay() * unit / (length * startNorm * startNorm);
            double rate = settings.rate() * unit / (1 - Math.pow(BETA1, steps));
            double root = Math.sqrt(1 - Math.pow(BETA2, steps));
            for (int i = 0; i < delta.length; i++) {
                double g = gradient[i] + decay * delta[i];
                first[i] = BETA1 * first[i] + (1 - BETA1) * g;
                second[i] = BETA2 * second[i] + (1 - BETA2) * g * g;
                delta[i] -= rate * first[i] / (Math.sqrt(second[i]) / root + EPSILON);
                gradient[i] = 0;
            }
            double most = settings.clamp() * startNorm;
            double now = norm(delta);
            if (!Double.isFinite(now)) {
                throw new Unsolvable("hyperparameters.lr", "the value is no longer finite at step " + steps
                        + "; expected a lower learning rate");
            }
            for (int i = 0; i < delta.length; i++) {
                delta[i] *= now > most ? most / now : 1;
                vector[i] = (float) delta[i];
            }
        }

        FoundValue found() {
            return new FoundValue(start, delta, losses.toArray(double[][]::new), steps);
        }
    }

    static double norm(double[] v) {
        double sum = 0;
        for (double x : v) {
            sum += x * x;
        }
        return Math.sqrt(sum);
    }
}
