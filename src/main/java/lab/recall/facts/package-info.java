/**
 * What is asked of models: relations and their facts, which of them a model knows, pairs of them, requests for edits, texts made of
 * facts, and the invented world.
 *
 * <p>It knows {@link lab.recall.base}, {@link lab.recall.text}, {@link lab.recall.model}, {@link lab.recall.study} and {@link
 * lab.recall.view}.
 */
package lab.recall.facts;
