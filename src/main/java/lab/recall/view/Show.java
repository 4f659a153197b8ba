package lab.recall.view;

/**
 * Shows things in the middle of a cell; the last expression of a cell shows itself.
 *
 * <pre>{@code
 * show(mamba.next("Novux Bridge is").top(5));
 * show(trace.heatmap());
 * }</pre>
 *
 * The same on IJava and JJava; outside a kernel it prints text.
 */
public final class Show {
    /** A kernel's display calls. */
    interface Channel {
        /** Shows an object, as the types given or as its own, and returns a name for it. */
        String show(Object o, String... mime);

        /** Replaces what was shown under a name. */
        void update(String id, Object o, String... mime);
    }

    private static volatile Channel channel;

    private Show() {
    }

    /** Shows an object below the cell. */
    public static void show(Object o) {
        Channel c = channel;
        if (c == null) {
            System.out.println(Display.text(o));
        } else {
            c.show(o);
        }
    }

    /** A place below the cell whose contents can be replaced; nowhere outside a kernel. */
    public static final class Live {
        private final Channel channel;
        private String id;

        Live(Channel channel) {
            this.channel = channel;
        }

        /** Shows an object in the place of the last one. */
        public void update(Object o) {
            if (channel != null && id == null) {
                id = channel.show(o);
            } else if (channel != null) {
                channel.update(id, o);
            }
        }
    }

    /** A place for something that changes while a cell runs, such as a curve. */
    public static Live live() {
        return new Live(channel);
    }

    /** An object as text for a terminal. */
    public static String text(Object o) {
        return Display.text(o);
    }

    static void through(Channel kernel) {
        channel = kernel;
    }

    /** The kernel's calls, or null outside a kernel. */
    static Channel channel() {
        return channel;
    }
}
