package lab.recall.trace;

import lab.recall.model.LanguageModel;
import lab.recall.request.Fields;

/** Reads a prompt: {"text": ".."} as the model's tokenizer gives it, or {"ids": [..]} as they are. */
final class PromptField {
    private PromptField() {
    }

    static int[] read(Fields fields, String field, LanguageModel model) {
        Fields f = fields.object(field);
        boolean text = f.has("text");
        if (text == f.has("ids")) {
            throw new IllegalArgumentException(f.name("text") + ": expected either text or ids");
        }
        f.done();
        if (!text) {
            return f.ids("ids", model.vocabulary());
        }
        try {
            return model.prompt(f.text("text")).ids();
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(fields.name(field) + ": " + e.getMessage(), e);
        }
    }
}
