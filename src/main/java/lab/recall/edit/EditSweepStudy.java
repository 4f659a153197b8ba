package lab.recall.edit;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongConsumer;
import java.util.stream.IntStream;
import lab.recall.base.Interruption;
import lab.recall.base.Portions;
import lab.recall.facts.EditRequest;
import lab.recall.model.EditableMatrix;
import lab.recall.model.LanguageModel;
import lab.recall.model.Pass;
import lab.recall.study.Cost;
import lab.recall.study.ModelCard;
import lab.recall.study.Runner;
import lab.recall.study.Study;
import lab.recall.text.Template;

/** Scores of edits of every request at every layer and matrix: a piece is some requests at one of them. */
final class EditSweepStudy extends Study<EditSweepStudy.Asked, EditSweepStudy.Piece, CaseScores[], EditCurves> {
    /** How a fact is edited. */
    record Settings(EditSettings settings, List<Template> contexts) {
    }

    /**
     * What is edited where.
     *
     * @param moments by the names of the keys' hook points
     */
    record Asked(Settings settings, List<Integer> layers, List<EditableMatrix> matrices, Map<String, SecondMoment> moments,
            List<EditRequest> requests) {
        /** With those among some second moments that it needs. */
        static Asked of(Settings settings, List<Integer> layers, List<EditableMatrix> matrices, SecondMoments moments,
                List<EditRequest> requests) {
            Map<String, SecondMoment> needed = new LinkedHashMap<>();
            layers.forEach(l -> matrices.forEach(m -> needed.put(m.key().name(l), moments.of(l, m))));
            return new Asked(settings, layers, matrices, needed, requests);
        }

        /** That of a matrix's keys in a layer. */
        SecondMoment moment(int layer, EditableMatrix matrix) {
            return moments.get(matrix.key().name(layer));
        }
    }

    /**
     * Some of the requests in one layer and matrix.
     *
     * @param moment digest of the second moment
     */
    record Piece(int layer, EditableMatrix matrix, String moment, List<EditRequest> requests) {
    }

    /** Requests and their unedited runs, from which the edits of several pieces fork. */
    private record Unedited(LanguageModel model, Asked asked, List<EditRequest> requests, EditTests tests,
            List<CasePasses> cases, List<Pass> passes) {
    }

    /** The prompts of requests that go together. */
    private record Asking(List<EditCase> cases, EditTests tests) {
    }

    /** Those of some requests, portion by portion. */
    private record Planned(LanguageModel model, Asked asked, List<EditRequest> requests, List<Asking> portions) {
    }

    private volatile Planned planned;
    /** The last unedited runs: the next piece is most likely of the same requests. */
    private volatile Unedited last;

    EditSweepStudy() {
        super("edit_sweep", "edits", CaseScores[].class);
    }

    @Override
    public Object settings(Asked asked) {
        return asked.settings;
    }

    @Override
    public String title(LanguageModel model, Asked asked) {
        return "editing";
    }

    @Override
    public long size(LanguageModel model, Asked asked, Piece piece) {
        return piece.requests.size();
    }

    @Override
    public List<Piece> plan(LanguageModel model, Asked asked, Runner runner) {
        List<Piece> pieces = new ArrayList<>();
        for (List<EditRequest> some : Study.parts(asked.requests)) {
            for (int l : asked.layers) {
                for (EditableMatrix m : asked.matrices) {
                    pieces.add(new Piece(l, m, asked.moment(l, m).digest(), some));
                }
            }
        }
        return pieces;
    }

    @Override
    public CaseScores[] compute(LanguageModel model, Asked asked, Piece piece, LongConsumer done) {
        List<CaseScores> all = new ArrayList<>();
        List<List<EditRequest>> portions = portions(model, asked, piece);
        for (List<EditRequest> some : portions) {
            Interruption.check();
            Unedited runs = portions.size() == 1 ? shared(model, asked, some)
                    : unedited(model, asked, some, List.of(piece.layer), List.of(piece.matrix));
            List<RankOneEditor.Edited> edited = RankOneEditor.edited(model, piece.layer, piece.matrix, runs.cases, asked.settings.settings,
                    asked.moment(piece.layer, piece.matrix));
            List<CaseScores> scores = runs.tests.edited(runs.passes, edited.stream().map(RankOneEditor.Edited::edit).toList());
            for (int i = 0; i < scores.size(); i++) {
                all.add(scores.get(i).of(edited.get(i).value(), asked.settings.settings));
            }
            done.accept(all.size());
        }
        return all.toArray(CaseScores[]::new);
    }

    /** Prompts take time to be made: the next piece is most likely of the same requests. */
    private List<Asking> asking(LanguageModel model, Asked asked, Piece piece) {
        Planned now = planned;
        if (now == null || now.model != model || now.asked != asked || !now.requests.equals(piece.requests)) {
            now = new Planned(model, asked, piece.requests, portions(model, asked, piece).stream().map(some -> new Asking(
                    some.stream().map(r -> EditCase.of(model, r, asked.settings.contexts)).toList(), EditTests.of(model, some))).toList());
            planned = now;
        }
        return now.portions;
    }

    private static List<List<EditRequest>> portions(LanguageModel model, Asked asked, Piece piece) {
        return Portions.of(piece.requests, r -> RankOneEditor.bytes(model, EditCase.of(model, r, asked.settings.contexts)),
                RankOneEditor.BYTES);
    }

    /** Runs that serve all layers and matrices, where they fit in memory: the last ones, if they are of the same. */
    private Unedited shared(LanguageModel model, Asked asked, List<EditRequest> requests) {
        Unedited runs = last;
        if (runs == null || runs.model != model || runs.asked != asked || !runs.requests.equals(requests)) {
            last = null;                                            // let go of them before others are made
            runs = unedited(model, asked, requests, asked.layers, asked.matrices);
            last = runs;
        }
        return runs;
    }

    private static Unedited unedited(LanguageModel model, Asked asked, List<EditRequest> requests,
            List<Integer> layers, List<EditableMatrix> matrices) {
        List<EditCase> cases = requests.stream().map(r -> EditCase.of(model, r, asked.settings.contexts)).toList();
        EditTests tests = EditTests.of(model, requests);
        return new Unedited(model, asked, requests, tests,
                CasePasses.run(model, cases, layers, matrices), tests.passes(model, layers, matrices));
    }

    /**
     * Unedited runs serve all pieces of the same requests where they fit in memory: those are counted with the first of them, and with each
     * where they do not. The first requests' pieces take the second moments apart.
     */
    @Override
    public Cost cost(LanguageModel model, Asked asked, Piece piece) {
        EditCost cost = new EditCost(model, piece.layer, piece.matrix, asked.settings.settings);
        boolean first = piece.layer == asked.layers.get(0) && piece.matrix.equals(asked.matrices.get(0));
        boolean firstOfKey = asked.matrices.stream().filter(m -> m.key().equals(piece.matrix.key())).findFirst().orElseThrow()
                .equals(piece.matrix);
        Cost all = firstOfKey && piece.requests.get(0).equals(asked.requests.get(0)) ? cost.factor() : Cost.of(model);
        List<Asking> portions = asking(model, asked, piece);
        for (Asking some : portions) {
            all.and(cost.edits(some.cases)).and(some.tests.cost(model, piece.layer, piece.matrix));
            if (first || portions.size() > 1) {
                all.and(cost.runs(some.cases)).and(some.tests.costOfRuns(model));
            }
        }
        return all;
    }

    @Override
    public EditCurves supposed(LanguageModel model, Asked asked, List<Piece> pieces, List<CaseScores[]> found) {
        double[] none = new double[CaseScores.KINDS];
        return combine(model, asked, pieces, filled(found, i -> pieces.get(i).requests.stream()
                .map(r -> new CaseScores(r.relation(), none, none, none)).toArray(CaseScores[]::new)));
    }

    @Override
    public List<String> suppositions() {
        return EditCost.SUPPOSITIONS;
    }

    /** A second moment is large: each goes with the pieces of its own layer and matrix. */
    @Override
    public Object kind(Piece piece) {
        return List.of(piece.layer, piece.matrix);
    }

    @Override
    public Optional<Asked> sent(Asked asked, Piece piece) {
        return Optional.of(new Asked(asked.settings, List.of(piece.layer), List.of(piece.matrix),
                Map.of(piece.matrix.key().name(piece.layer), asked.moment(piece.layer, piece.matrix)), List.of()));
    }

    @Override
    public boolean fits(LanguageModel model, Asked asked, Piece piece, CaseScores[] found) {
        return found.length == piece.requests.size()
                && IntStream.range(0, found.length).allMatch(i -> found[i] != null
                        && piece.requests.get(i).relation().equals(found[i].relation())
                        && hasAll(found[i].success()) && hasAll(found[i].magnitude()) && hasAll(found[i].accuracy())
                        && found[i].search() != null && found[i].search().length == CaseScores.SEARCHED);
    }

    private static boolean hasAll(double[] kinds) {
        return kinds != null && kinds.length == CaseScores.KINDS;
    }

    @Override
    public EditCurves combine(LanguageModel model, Asked asked, List<Piece> pieces, List<CaseScores[]> found) {
        Map<EditableMatrix, List<List<CaseScores>>> all = new LinkedHashMap<>();
        asked.matrices.forEach(m -> all.put(m, asked.layers.stream().map(l -> (List<CaseScores>) new ArrayList<CaseScores>()).toList()));
        for (int i = 0; i < pieces.size(); i++) {
            all.get(pieces.get(i).matrix).get(asked.layers.indexOf(pieces.get(i).layer)).addAll(List.of(found.get(i)));
        }
        return new EditCurves(ModelCard.of(model), asked.layers, all);
    }
}
