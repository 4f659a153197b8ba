package lab.recall.base;

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
}
