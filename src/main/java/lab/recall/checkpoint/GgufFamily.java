package lab.recall.checkpoint;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Map;

/** How llama.cpp's converter writes the models of one family to GGUF, and how HuggingFace's layout comes back from that. */
public interface GgufFamily {
    /** What {@code general.architecture} says of it. */
    String architecture();

    /** All that it may say, {@link #architecture} first. */
    default List<String> architectures() {
        return List.of(architecture());
    }

    /** Whether a file of that architecture is one of this family; for families that llama.cpp writes under one name. */
    default boolean reads(GgufFields fields) {
        return true;
    }

    /** Names of tensors, GGUF's to HuggingFace's; in both a star stands for the number of the layer. */
    Map<String, String> names();

    /** config.json as HuggingFace has it; a key that is not asked for here may not stand in the file. */
    ObjectNode config(GgufFields fields);

    /** A tensor, already named as HuggingFace names it, as it was before the converter changed its numbers, their order or its sizes. */
    Tensor restored(Tensor stored, GgufFields fields);
}
