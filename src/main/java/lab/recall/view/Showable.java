package lab.recall.view;

/**
 * Something that can show itself: inline in a notebook, as text elsewhere.
 *
 * <pre>{@code
 * public final class Trace implements Showable { public Object view() { return heatmap(); } }
 * }</pre>
 */
public interface Showable {
    /** What to show: a table, a chart, a heat map or a text. */
    Object view();
}
