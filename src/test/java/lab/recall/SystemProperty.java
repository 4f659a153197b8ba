package lab.recall;

/** System properties that a test changes and puts back. */
public final class SystemProperty {
    private SystemProperty() {
    }

    /** Sets one, or takes it away where the value is null; gives what it was, null where it was not there. */
    public static String set(String name, String value) {
        return value == null ? System.clearProperty(name) : System.setProperty(name, value);
    }
}
