package lab.recall.cli;

import lab.recall.model.LanguageModel;
import picocli.CommandLine.Parameters;

/** The argument of a command that opens one model. */
final class ModelArgument {
    /** What may stand for a model. */
    static final String WHAT = "An embedded or fetched model, a folder, a GGUF file, or a hub id";

    @Parameters(index = "0", paramLabel = "MODEL", description = WHAT + " in the HuggingFace cache (ID@REVISION).")
    private String name;

    LanguageModel open() {
        return LanguageModel.open(name);
    }
}
