package lab.recall.study;

/** A table, chart or heat map of a result, and the name of its files. */
public record NamedView(String name, Object view) {
}
