/**
 * Texts as a model reads them: a tokenizer's file, prompts with the place of their subject, templates with a place for one, and where
 * the data lie that come with the project.
 *
 * <p>It knows {@link lab.recall.base}.
 */
package lab.recall.text;
