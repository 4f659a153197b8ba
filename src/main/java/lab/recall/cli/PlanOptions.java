package lab.recall.cli;

import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import lab.recall.base.Check;
import lab.recall.base.Said;
import lab.recall.study.Plan;
import picocli.CommandLine.Option;

/** Whether a command only says what it would compute, and for how many cores. */
final class PlanOptions {
    private static final int CORES = 64;
    private static final int MOST_CORES = 1_000_000;
    private static final int WIDEST = 60;

    @Option(names = "--plan", description = "Compute nothing; print pieces, rows, operations, bytes, and hours here and on --cores.")
    private boolean asked;

    @Option(names = "--cores", paramLabel = "N", description = "With --plan: hours on so many cores like those here (default: 64).")
    private Integer cores;

    /** Whether nothing is to be computed. */
    boolean isPlan() {
        require(cores);
        return asked;
    }

    /** Refuses a number of cores, unless it is null. */
    static void require(Integer cores) {
        if (cores != null) {
            Check.whole("--cores", cores, 1, MOST_CORES);
        }
    }

    /** Prints a plan. */
    void print(PrintWriter terminal, Plan plan) {
        print(terminal, plan, cores);
    }

    /** The same for so many cores, or null. */
    static void print(PrintWriter terminal, Plan plan, Integer cores) {
        int wide = Math.min(WIDEST, plan.parts().stream().mapToInt(p -> Said.visible(p.title()).length() + 2).max().orElse(2));
        String row = "%-" + wide + "s %9s %9s %15s %12s %12s%n";
        terminal.printf(Locale.ROOT, row, "", "pieces", "kept", "rows", "operations", "bytes");
        String model = "";
        for (Plan.Part p : plan.parts()) {
            if (!p.model().equals(model)) {
                model = p.model();
                terminal.println(Said.visible(model));
            }
            line(terminal, row, "  " + Said.visible(p.title()), p.pieces(), p.kept(), p.rows(), p.operations(), p.bytes());
        }
        line(terminal, row, "all", plan.pieces(), plan.kept(), plan.rows(), plan.operations(), plan.bytes());
        List<String> supposed = plan.suppositions();
        if (!supposed.isEmpty()) {
            terminal.println("supposed, so that it may be less: " + String.join("; ", supposed));
        }
        int many = cores == null ? CORES : cores;
        terminal.printf(Locale.ROOT, "hours on this machine: %s%nhours on %d cores like those here: %s%n", number(plan.hours()), many,
                number(plan.hours(many)));
    }

    private static void line(PrintWriter terminal, String row, String what, int pieces, int kept, long rows, double operations,
            double bytes) {
        terminal.printf(Locale.ROOT, row, what, pieces, kept, rows, number(operations), number(bytes));
    }

    private static String number(double v) {
        return v == 0 ? "0" : String.format(Locale.ROOT, "%.3g", v);
    }
}
