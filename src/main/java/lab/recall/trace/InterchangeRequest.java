package lab.recall.trace;

import lab.recall.base.Check;
import lab.recall.model.HookPoint;
import lab.recall.study.Asks;
import lab.recall.study.GivenPrompt;

/** Asks for the {@link Interchange} of one pair of prompts. */
public record InterchangeRequest(
        @Asks("The clean prompt") GivenPrompt clean,
        @Asks("The corrupt prompt, of equal length") GivenPrompt corrupt,
        @Asks(value = "Token id whose probability is measured", otherwise = "what the clean run says") Integer answer,
        @Asks("What is put back") HookPoint point,
        @Asks(value = "Over how many layers", otherwise = "1") Integer window,
        @Asks(value = "What is held at its corrupt value in all layers: path blocking", otherwise = "nothing") HookPoint sever) {
    public InterchangeRequest {
        Check.given("clean", clean);
        Check.given("corrupt", corrupt);
        Check.given("point", point);
        window = Check.whole("window", Check.or(window, 1), 1, Integer.MAX_VALUE);
    }
}
