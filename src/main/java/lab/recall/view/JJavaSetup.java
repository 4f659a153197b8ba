package lab.recall.view;

import java.util.UUID;
import org.dflib.jjava.jupyter.Extension;
import org.dflib.jjava.jupyter.kernel.BaseKernel;
import org.dflib.jjava.jupyter.kernel.display.DisplayData;
import org.dflib.jjava.jupyter.kernel.display.Renderer;
import org.dflib.jjava.jupyter.kernel.display.mime.MIMEType;

/** Teaches a JJava kernel to show our tables and pictures; JJava finds it by its service file. */
public final class JJavaSetup implements Extension {
    @Override
    public void install(BaseKernel kernel) {
        Renderer renderer = kernel.getRenderer();
        for (Class<?> shown : Display.TYPES) {
            renderer.createRegistration(shown).preferring(MIMEType.TEXT_HTML).supporting(MIMEType.parse(Display.PNG), MIMEType.TEXT_PLAIN)
                    .register((o, context) -> Display.forms(o)
                            .forEach((type, data) -> context.getOutputContainer().putData(MIMEType.parse(type), data)));
        }
        Show.through(new Show.Channel() {
            @Override
            public String show(Object o, String... mime) {
                DisplayData data = mime.length == 0 ? renderer.render(o) : renderer.renderAs(o, mime);
                if (!data.hasDisplayId()) {
                    // setDisplayId gives nothing in one version and the data in the next
                    data.putTransientData("display_id", UUID.randomUUID().toString());
                }
                kernel.display(data);
                return data.getDisplayId();
            }

            @Override
            public void update(String id, Object o, String... mime) {
                DisplayData data = mime.length == 0 ? renderer.render(o) : renderer.renderAs(o, mime);
                kernel.getIO().display.updateDisplay(id, data);
            }
        });
    }
}
