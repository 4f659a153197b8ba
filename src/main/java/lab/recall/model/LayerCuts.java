package lab.recall.model;

/** All cuts of one run in one layer, put together by the layer's block in the form that it reads them in. */
public interface LayerCuts {
}
