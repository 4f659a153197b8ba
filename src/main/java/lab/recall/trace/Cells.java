package lab.recall.trace;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import lab.recall.text.Prompt;

/** Which tokens of a prompt are put back in one run each, and in which row of an average a run stands. */
enum Cells {
    /** Each token by itself, and after them the whole subject. */
    TOKENS,
    /** All tokens of a row at once: a cell for each row that the prompt has. */
    TOGETHER;

    /** The tokens of each cell. */
    List<int[]> of(Prompt prompt) {
        List<int[]> cells = new ArrayList<>();
        if (this == TOKENS) {
            cells.addAll(InterchangeCase.everyToken(prompt.length()));
        } else {
            tokens(prompt).distinct().forEach(row -> cells.add(
                    IntStream.range(0, prompt.length()).filter(t -> Position.of(prompt, t) == row).toArray()));
        }
        cells.add(prompt.subjectTokens());
        return cells;
    }

    /** The row of each cell. */
    List<Position> rows(Prompt prompt) {
        List<Position> rows = new ArrayList<>((this == TOKENS ? tokens(prompt) : tokens(prompt).distinct()).toList());
        rows.add(Position.SUBJECT);
        return rows;
    }

    private static Stream<Position> tokens(Prompt prompt) {
        return IntStream.range(0, prompt.length()).mapToObj(t -> Position.of(prompt, t));
    }
}
