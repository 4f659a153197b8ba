package lab.recall.study;

import lab.recall.model.LanguageModel;
import lab.recall.model.ModelFacts;

/**
 * What a result says of the model that it was found on.
 *
 * @param name       an embedded one's name, a hub id, or a folder's last part
 * @param family     such as Mamba
 * @param layers     L
 * @param width      of the residual stream, d
 * @param vocabulary V
 * @param digest     SHA-256 of its files and changed weights
 * @param facts      what decided how it was asked and edited, and whether its world was invented
 */
public record ModelCard(String name, String family, int layers, int width, int vocabulary, String digest, ModelFacts facts) {
    /** That of a model. */
    public static ModelCard of(LanguageModel model) {
        return new ModelCard(model.name(), model.family(), model.layers(), model.width(), model.vocabulary(), ModelDigest.of(model),
                model.facts());
    }
}
