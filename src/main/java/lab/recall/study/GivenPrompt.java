package lab.recall.study;

import java.util.List;
import lab.recall.base.BadRequest;
import lab.recall.model.LanguageModel;

/**
 * A prompt of a request: {@code {"text": ".."}}, as the model's tokenizer gives it, or {@code {"ids": [..]}}, as they are.
 *
 * @param text null where ids are given
 * @param ids  null where a text is given
 */
public record GivenPrompt(String text, List<Integer> ids) {
    public GivenPrompt {
        if ((text == null) == (ids == null)) {
            throw new BadRequest("", "expected either text or ids");
        }
    }

    /**
     * Its ids, at least one.
     *
     * @param field where it stands, for messages
     */
    public int[] ids(LanguageModel model, String field) {
        int[] found = idsOrNone(model, field);
        if (found.length == 0) {
            throw new BadRequest(field + ".ids", "[], expected at least one token id");
        }
        return found;
    }

    /** Its ids, which may be none. */
    public int[] idsOrNone(LanguageModel model, String field) {
        if (ids != null) {
            return ids(model, field + ".ids", ids);
        }
        try {
            return model.prompt(text).ids();
        } catch (IllegalArgumentException e) {
            throw new BadRequest(field, e.getMessage(), e);
        }
    }

    /** Checks token ids. */
    public static int[] ids(LanguageModel model, String field, List<Integer> ids) {
        int[] all = new int[ids.size()];
        for (int i = 0; i < all.length; i++) {
            Integer id = ids.get(i);
            if (id == null || id < 0 || id >= model.vocabulary()) {
                throw new BadRequest(field + "[" + i + "]", id + ", expected a whole number from 0 to " + (model.vocabulary() - 1));
            }
            all[i] = id;
        }
        return all;
    }
}
