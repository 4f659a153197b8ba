package lab.recall.edit;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import lab.recall.base.BadRequest;
import lab.recall.facts.EditRequest;
import lab.recall.model.EditableMatrix;
import lab.recall.model.Forks;
import lab.recall.model.HookPoint;
import lab.recall.model.Intervention;
import lab.recall.model.LanguageModel;
import lab.recall.model.Pass;
import lab.recall.model.Recording;
import lab.recall.model.Site;
import lab.recall.model.TargetScore;
import lab.recall.study.Cost;
import lab.recall.text.Letters;
import lab.recall.text.Tokenizer;

/**
 * The test prompts of requests: the prompt itself, paraphrases and neighbours, each with the new and the true target after it.
 *
 * <pre>{@code
 * EditTests tests = EditTests.of(mamba, requests);
 * List<CaseScores> before = tests.on(mamba);
 * List<CaseScores> after = tests.edited(mamba, edits);       // each request under its own edit; no model is copied
 * }</pre>
 *
 * An edited matrix changes a layer's values by left (u k) at every token and nothing before them, so an edited run is a fork of the plain
 * one.
 */
public final class EditTests {
    /** A prompt with all of its targets but the last token; the targets are the new one, the true one, or both. */
    private record Sequence(int prompt, int[] ids, List<int[]> targets, boolean[] isNew) {
    }

    /** One of a request's prompts; {@code kind} is 0 for the prompt itself, 1 for a paraphrase, 2 for a neighbour. */
    record Prompt(int request, int kind, String text) {
    }

    private final List<EditRequest> requests;
    private final List<Prompt> prompts = new ArrayList<>();
    private final List<Sequence> sequences = new ArrayList<>();

    private EditTests(List<EditRequest> requests) {
        this.requests = requests;
    }

    /** Of requests, by a model's tokenizer. */
    public static EditTests of(LanguageModel model, List<EditRequest> requests) {
        EditTests tests = new EditTests(requests);
        Tokenizer tokenizer = model.requireTokenizer();
        for (int r = 0; r < requests.size(); r++) {
            EditRequest q = requests.get(r);
            int[] asNew = EditCase.target(tokenizer, q.targetNew());
            int[] asTrue = q.targetTrue().isBlank() ? null : EditCase.target(tokenizer, q.targetTrue());
            List<List<String>> kinds = List.of(List.of(q.template().with(q.subject())), q.paraphrases(), q.neighbours());
            for (int kind = 0; kind < kinds.size(); kind++) {
                for (String text : kinds.get(kind)) {
                    tests.add(new Prompt(r, kind, text), Letters.encode(tokenizer, text, true).ids(), asNew, asTrue);
                }
            }
        }
        return tests;
    }

    private void add(Prompt asked, int[] prompt, int[] asNew, int[] asTrue) {
        prompts.add(asked);
        int number = prompts.size() - 1;
        int[] newIds = EditCase.joined(prompt, Arrays.copyOf(asNew, asNew.length - 1));
        int[] trueIds = asTrue == null ? null : EditCase.joined(prompt, Arrays.copyOf(asTrue, asTrue.length - 1));
        if (Arrays.equals(newIds, trueIds)) {
            sequences.add(new Sequence(number, newIds, List.of(asNew, asTrue), new boolean[] {true, false}));
            return;
        }
        sequences.add(new Sequence(number, newIds, List.of(asNew), new boolean[] {true}));
        if (asTrue != null) {
            sequences.add(new Sequence(number, trueIds, List.of(asTrue), new boolean[] {false}));
        }
    }

    /** On a model as it is, edited or not. */
    public List<CaseScores> on(LanguageModel model) {
        return scores(byPrompt(model));
    }

    /** All prompts, of one request after another. */
    List<Prompt> prompts() {
        return prompts;
    }

    /** The new target behind each prompt and the true one, null where it is not known. */
    TargetScore[][] byPrompt(LanguageModel model) {
        return byPrompt(TargetScore.of(model,
                sequences.stream().map(Sequence::ids).toList(), sequences.stream().map(Sequence::targets).toList()));
    }

    /** Each request under its own edit. */
    public List<CaseScores> edited(LanguageModel model, List<RankOneEdit> edits) {
        List<Integer> layers = edits.stream().map(RankOneEdit::layer).distinct().toList();
        return edited(passes(model, layers, edits.stream().map(RankOneEdit::matrix).distinct().toList()), edits);
    }

    /** The unedited runs, which serve all edits of these layers and matrices; equal sequences share theirs. */
    List<Pass> passes(LanguageModel model, List<Integer> layers, List<EditableMatrix> matrices) {
        Map<List<Integer>, Integer> known = new LinkedHashMap<>();
        List<int[]> distinct = new ArrayList<>();
        List<Integer> which = new ArrayList<>();
        for (Sequence s : sequences) {
            which.add(known.computeIfAbsent(Arrays.stream(s.ids).boxed().toList(), ids -> {
                distinct.add(s.ids);
                return distinct.size() - 1;
            }));
        }
        int lowest = layers.stream().mapToInt(l -> l).min().orElse(model.layers());
        List<Pass> passes = model.runAll(distinct, CasePasses.recording(layers, matrices).and(Recording.states(lowest)));
        return which.stream().map(passes::get).toList();
    }

    List<CaseScores> edited(List<Pass> passes, List<RankOneEdit> edits) {
        if (edits.size() != requests.size()) {
            throw new BadRequest("edits", edits.size() + ", expected one for each of " + requests.size() + " requests");
        }
        Forks forks = passes.get(0).model().forks();
        for (int i = 0; i < sequences.size(); i++) {
            RankOneEdit edit = edits.get(prompts.get(sequences.get(i).prompt).request);
            forks.add(passes.get(i), changes(passes.get(i), edit));
        }
        return scores(byPrompt(forks.scores(sequences.stream().map(Sequence::targets).toList())));
    }

    /** Of the unedited runs. */
    Cost costOfRuns(LanguageModel model) {
        Cost cost = Cost.of(model);
        sequences.stream().map(s -> Arrays.stream(s.ids).boxed().toList()).distinct().forEach(ids -> cost.run(ids.size(), 1));
        return cost;
    }

    /** Of all tests under edits. */
    Cost cost(LanguageModel model, int layer, EditableMatrix matrix) {
        int entry = matrix.value().addedAt().equals(HookPoint.RESID_POST) ? layer + 1 : layer;
        Cost cost = Cost.of(model);
        sequences.forEach(s -> cost.fork(0, s.ids.length, entry, s.targets.stream().mapToInt(t -> t.length).max().orElseThrow()));
        return cost;
    }

    /** What an edit adds to the value at every token. */
    private static List<Intervention> changes(Pass pass, RankOneEdit edit) {
        HookPoint point = edit.matrix().value().addedAt();
        float[] keys = pass.values(edit.layer(), edit.matrix().key());
        int width = edit.u().length;
        List<Intervention> all = new ArrayList<>(pass.length());
        for (int t = 0; t < pass.length(); t++) {
            double along = 0;
            for (int j = 0; j < width; j++) {
                along += edit.u()[j] * keys[t * width + j];
            }
            float[] more = new float[edit.left().length];
            for (int i = 0; i < more.length; i++) {
                more[i] = (float) (edit.left()[i] * along);
            }
            all.add(new Intervention.Add(new Site(edit.layer(), point, t), more));
        }
        return all;
    }

    private TargetScore[][] byPrompt(TargetScore[][] found) {
        TargetScore[][] byPrompt = new TargetScore[prompts.size()][2];
        for (int i = 0; i < found.length; i++) {
            Sequence s = sequences.get(i);
            for (int t = 0; t < found[i].length; t++) {
                byPrompt[s.prompt][s.isNew[t] ? 0 : 1] = found[i][t];
            }
        }
        return byPrompt;
    }

    private List<CaseScores> scores(TargetScore[][] byPrompt) {
        List<List<CaseScores.Read>> reads = new ArrayList<>();
        requests.forEach(r -> reads.add(new ArrayList<>()));
        for (int p = 0; p < byPrompt.length; p++) {
            TargetScore asNew = byPrompt[p][0];
            TargetScore asTrue = byPrompt[p][1];
            reads.get(prompts.get(p).request).add(new CaseScores.Read(prompts.get(p).kind,
                    asNew.loss(), asTrue == null ? Double.NaN : asTrue.loss(), asNew.greedy(), asTrue != null && asTrue.greedy()));
        }
        return IntStream.range(0, reads.size()).mapToObj(r -> CaseScores.of(requests.get(r).relation(), reads.get(r))).toList();
    }
}
