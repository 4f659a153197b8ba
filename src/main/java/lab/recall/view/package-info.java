/**
 * What people look at: tables, line charts, bar charts, heat maps and progress bars, as text, in a notebook, and as files. It
 * also registers with either Java kernel, so that whatever is {@link lab.recall.view.Showable} shows itself below a cell.
 *
 * <p>It knows {@link lab.recall.base}.
 */
package lab.recall.view;
