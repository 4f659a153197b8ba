package lab.recall.request;

import lab.recall.view.ProgressBar;

/** Told how far long work is. */
public interface Progress {
    /** Work of so many units begins. */
    void start(String task, String unit, long total);

    /** So many units are done. */
    void to(long done);

    /** The work has ended. */
    void finish();

    /** Tells nobody. */
    static Progress silent() {
        return new Progress() {
            @Override
            public void start(String task, String unit, long total) {
                // nobody listens
            }

            @Override
            public void to(long done) {
                // nobody listens
            }

            @Override
            public void finish() {
                // nobody listens
            }
        };
    }

    /** A bar below the cell or on the terminal. */
    static Progress bar() {
        return new Progress() {
            private ProgressBar bar;

            @Override
            public void start(String task, String unit, long total) {
                bar = ProgressBar.of(task, unit, total);
            }

            @Override
            public void to(long done) {
                bar.to(done);
            }

            @Override
            public void finish() {
                bar.close();
            }
        };
    }
}
