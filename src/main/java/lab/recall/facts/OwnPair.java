package lab.recall.facts;

import java.util.Arrays;
import java.util.List;
import lab.recall.base.BadRequest;
import lab.recall.base.Said;
import lab.recall.model.LanguageModel;
import lab.recall.text.Prompt;
import lab.recall.text.Template;

/** Two texts of somebody's own, which differ in the subject. */
final class OwnPair {
    private static final String HOW = "name the clean text's subject as a third text";

    private final LanguageModel model;
    private final String clean;
    private final String corrupt;

    OwnPair(LanguageModel model, String clean, String corrupt) {
        this.model = model;
        this.clean = clean;
        this.corrupt = corrupt;
    }

    /** The subjects are the words in which the texts differ. */
    FactPair pair() {
        List<String> a = words(clean);
        List<String> b = words(corrupt);
        int most = Math.min(a.size(), b.size());
        int before = 0;
        while (before < most && a.get(before).equals(b.get(before))) {
            before++;
        }
        int after = 0;
        while (after < most - before && a.get(a.size() - 1 - after).equals(b.get(b.size() - 1 - after))) {
            after++;
        }
        List<String> subject = a.subList(before, a.size() - after);
        List<String> other = b.subList(before, b.size() - after);
        if (subject.isEmpty() || other.isEmpty()) {
            throw new BadRequest("", subject.equals(other) ? "the two texts are the same, expected two subjects"
                    : "one text is the other with words added, so that only one of them has a subject; expected two subjects, or " + HOW);
        }
        if (subject.stream().anyMatch(other::contains)) {
            throw new BadRequest("", "the texts differ in '" + Said.of(join(subject)) + "' and '" + Said.of(join(other))
                    + "', which have words in common: " + HOW);
        }
        return pair(join(subject));
    }

    private static List<String> words(String text) {
        return Arrays.asList(text.split("(?<=\\s)(?=\\S)"));
    }

    private static String join(List<String> words) {
        return String.join("", words).strip();
    }

    /** The clean text's subject is given; the corrupt one's stands in its place. */
    FactPair pair(String subject) {
        int at = subject.isBlank() ? -1 : clean.indexOf(subject);
        if (at < 0 || clean.indexOf(subject, at + 1) >= 0) {
            throw new BadRequest("", "the clean text '" + Said.of(clean) + "' must hold its subject '" + Said.of(subject)
                    + "' exactly once");
        }
        String before = clean.substring(0, at);
        String after = clean.substring(at + subject.length());
        int end = corrupt.length() - after.length();
        if (!corrupt.startsWith(before) || !corrupt.endsWith(after) || end <= at || corrupt.substring(at, end).isBlank()) {
            throw new BadRequest("", "but for their subjects the texts must be the same: expected '" + Said.of(before)
                    + "', another subject than '" + Said.of(subject) + "', '" + Said.of(after) + "', not '" + Said.of(corrupt) + "'");
        }
        String other = corrupt.substring(at, end);
        if (other.equals(subject)) {
            throw new BadRequest("", "the two texts are the same, expected two subjects");
        }
        return pair(before, subject, other, after);
    }

    private FactPair pair(String before, String subject, String other, String after) {
        Prompt one = fill(before, subject, after);
        Prompt two = fill(before, other, after);
        if (one.length() != two.length() || one.subjectStart() != two.subjectStart() || one.subjectEnd() != two.subjectEnd()) {
            throw new BadRequest("", "'" + Said.of(subject) + "' has " + tokens(one) + ", '" + Said.of(other) + "' "
                    + two.subjectTokens().length + ": the texts must lie token on token; expected another subject of " + tokens(one));
        }
        int answer = model.next(one).id(0);
        int corruptAnswer = model.next(two).id(0);
        return new FactPair(new Fact("", subject, model.requireTokenizer().token(answer).strip()),
                new Fact("", other, model.requireTokenizer().token(corruptAnswer).strip()), one, two, answer);
    }

    private Prompt fill(String before, String subject, String after) {
        return new Template(before + "{}" + after).fill(model.requireTokenizer(), subject);
    }

    private static String tokens(Prompt p) {
        int n = p.subjectTokens().length;
        return n + (n == 1 ? " token" : " tokens");
    }
}
