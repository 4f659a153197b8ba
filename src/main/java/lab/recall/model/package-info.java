/**
 * Language models that can be looked into: {@link lab.recall.model.LanguageModel}, its hook points and sites, passes with interventions,
 * forks that compute only what can differ, gradients and Jacobians, and fresh models to be trained.
 *
 * <p>It knows {@link lab.recall.base}, {@link lab.recall.math}, {@link lab.recall.checkpoint}, {@link lab.recall.text} and {@link
 * lab.recall.view}.
 */
package lab.recall.model;
