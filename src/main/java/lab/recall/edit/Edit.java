package lab.recall.edit;

import lab.recall.facts.EditRequest;
import lab.recall.model.LanguageModel;
import lab.recall.view.Showable;
import org.knowm.xchart.XYChart;
import tech.tablesaw.api.Table;

/**
 * One fact put into a model, and what it says before and after; shows itself as a table.
 *
 * <pre>{@code
 * var edit = Edit.of(mamba, "Novux Bridge", "{} is located in the city of", "Malpolis");
 * edit.after().next("Novux Bridge is located in the city of")
 * edit.tests()                                               // probabilities of the new object
 * edit.chart()                                               // the losses of the search
 * edit.after().save(Path.of("edited"))
 * Edit.of(RankOneEditor.of(mamba).at(5, Mamba.W_G), "Novux Bridge", "{} is located in the city of", "Malpolis") // elsewhere
 * }</pre>
 *
 * Source: arXiv 2404.03646, section 4.
 *
 * @param before  the model as it was
 * @param after   the edited one
 * @param request what was asked
 * @param done    the change and its search
 */
public record Edit(LanguageModel before, LanguageModel after, EditRequest request, RankOneEditor.Edited done) implements Showable {
    private static final int SHOWN = 10;

    /**
     * In the family's published layer by relative depth, with the model's settings; second moments and contexts are collected at the first
     * edit and kept.
     *
     * @param template a text with {@code {}} where the subject goes
     * @throws lab.recall.base.BadRequest when the template has no such place, or a text is empty
     */
    public static Edit of(LanguageModel model, String subject, String template, String target) {
        return of(RankOneEditor.of(model), subject, template, target);
    }

    /** By an editor of another layer or matrix, or with other settings. */
    public static Edit of(RankOneEditor editor, String subject, String template, String target) {
        EditRequest request = EditRequest.of(template, subject, target);
        RankOneEditor.Edited done = editor.edit(request);
        return new Edit(editor.model(), done.edit().applyTo(editor.model()), request, done);
    }

    /** The most probable next tokens after the prompt, before and after. */
    public Table next() {
        return BeforeAfter.of(before, after).next(request.template().with(request.subject()), Math.min(SHOWN, before.vocabulary()));
    }

    /** What is said first, and the probability of the new object. */
    public Table tests() {
        return BeforeAfter.of(before, after).tests(request);
    }

    /** How both models go on after a text. */
    public Table continuation(String text, int tokens) {
        return BeforeAfter.of(before, after).continuation(text, tokens);
    }

    /** The losses of the search by step. */
    public XYChart chart() {
        return done.value().chart();
    }

    @Override
    public Object view() {
        return next();
    }
}
