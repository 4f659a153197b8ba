package lab.recall;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordedFrame;
import jdk.jfr.consumer.RecordingFile;

/** Where a call puts most on the heap: class and lines of code, the most first. */
final class AllocationSites {
    private static final int CALLS = 20;
    private static final int SITES = 6;
    private static final int FRAMES = 12;

    private AllocationSites() {
    }

    static List<String> of(Runnable call) {
        try (Recording recording = new Recording()) {
            recording.enable("jdk.ObjectAllocationInNewTLAB").withStackTrace();
            recording.enable("jdk.ObjectAllocationOutsideTLAB").withStackTrace();
            recording.start();
            for (int i = 0; i < CALLS; i++) {
                call.run();
            }
            recording.stop();
            Path file = Files.createTempFile("allocations", ".jfr");
            try {
                recording.dump(file);
                return sites(RecordingFile.readAllEvents(file));
            } finally {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<String> sites(List<RecordedEvent> events) {
        Map<String, Integer> counts = new HashMap<>();
        events.stream().filter(e -> e.getStackTrace() != null).forEach(e -> counts.merge(site(e), 1, Integer::sum));
        return counts.entrySet().stream().sorted(Map.Entry.comparingByValue(Comparator.reverseOrder())).limit(SITES)
                .map(site -> "  " + site.getValue() + " times " + site.getKey()).toList();
    }

    private static String site(RecordedEvent event) {
        return event.getClass("objectClass").getName() + " at " + event.getStackTrace().getFrames().stream().limit(FRAMES)
                .map(AllocationSites::line).collect(Collectors.joining(" < "));
    }

    /** With how the code runs: interpreted, compiled or inlined. */
    private static String line(RecordedFrame frame) {
        String type = frame.getMethod().getType().getName();
        return type.substring(type.lastIndexOf('.') + 1) + "." + frame.getMethod().getName() + ":" + frame.getLineNumber() + " "
                + frame.getType();
    }
}
