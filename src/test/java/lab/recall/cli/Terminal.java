package lab.recall.cli;

import java.io.PrintWriter;
import java.io.StringWriter;

/** Runs commands as a shell would, and keeps what the last one printed. */
final class Terminal {
    private String out;
    private String err;

    int recall(String... args) {
        StringWriter o = new StringWriter();
        StringWriter e = new StringWriter();
        int code = Main.run(new PrintWriter(o, true), new PrintWriter(e, true), args);
        out = o.toString();
        err = e.toString();
        return code;
    }

    String out() {
        return out;
    }

    String err() {
        return err;
    }
}
