package lab.recall.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import lab.recall.checkpoint.SafeTensors;
import lab.recall.checkpoint.Tensor;
import lab.recall.request.Answer;
import lab.recall.request.AtomicFiles;
import lab.recall.view.Export;
import picocli.CommandLine.Model.CommandSpec;

/** Writes answers as result.json and result.safetensors, and knows those that are there. */
final class Results {
    private static final ObjectMapper JSON = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

    private Results() {
    }

    /** The arrays first: a result.json says that all of the result is there. */
    static void write(Path folder, String experiment, JsonNode request, ObjectNode settings, double seconds, Answer answer) {
        ObjectNode json = JSON.createObjectNode();
        json.put("experiment", experiment);
        json.set("request", request);
        json.set("settings", settings);
        json.put("seconds", seconds);
        answer.scalars().forEach((k, v) -> json.set(k, JSON.valueToTree(v)));
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw new IllegalArgumentException("--out: " + folder + " cannot be made (" + e.getMessage() + ")", e);
        }
        Map<String, byte[]> shown = new LinkedHashMap<>();
        answer.views().forEach(v -> shown.putAll(Export.files(v.name(), v.view())));
        List<String> files = new ArrayList<>(shown.keySet());
        files.addAll(answer.arrays().isEmpty() ? List.of() : List.of("result.safetensors"));
        removeEarlier(folder, files);
        json.set("files", JSON.valueToTree(files));
        List<Tensor> arrays = answer.arrays().stream().map(a -> Tensor.of(a.name(), a.values(), a.shape())).toList();
        if (!arrays.isEmpty()) {
            SafeTensors.write(folder.resolve("result.safetensors"), arrays, Map.of());
        }
        shown.forEach((file, bytes) -> AtomicFiles.write(folder.resolve(file), bytes));
        AtomicFiles.write(folder.resolve("result.json"), bytes(json));
    }

    /** The files of an earlier result there: what is found under a folder belongs to one request. */
    private static void removeEarlier(Path folder, List<String> except) {
        Path before = folder.resolve("result.json");
        if (!Files.exists(before)) {
            return;
        }
        try {
            JsonNode earlier = JSON.readTree(Files.readAllBytes(before)).path("files");
            Files.delete(before);
            for (JsonNode file : earlier) {
                if (!except.contains(file.asText())) {
                    Files.deleteIfExists(folder.resolve(Path.of(file.asText()).getFileName()));
                }
            }
        } catch (IOException e) {
            throw new IllegalArgumentException("--out: the result in " + folder + " cannot be replaced (" + e.getMessage() + ")", e);
        }
    }

    /** Writes a table as CSV and JSON, a picture as PNG and SVG. */
    static void write(Path folder, String name, Object view) {
        Export.files(name, view).forEach((file, bytes) -> AtomicFiles.write(folder.resolve(file), bytes));
    }

    /** Whether a folder holds the answer to this very request. */
    static boolean answers(String request, Path folder) {
        try {
            JsonNode answered = JSON.readTree(Files.readAllBytes(folder.resolve("result.json"))).path("request");
            return JSON.readTree(request) instanceof ObjectNode asked && asked(asked).equals(answered);
        } catch (IOException e) {
            return false;
        }
    }

    /** What makes a request another one: all of it but the number of threads, which changes no result. */
    static ObjectNode asked(ObjectNode request) {
        return request.deepCopy().without("threads");
    }

    /** Prints JSON on a command's standard output. */
    static void print(CommandSpec spec, Object value) {
        spec.commandLine().getOut().println(new String(bytes(value), StandardCharsets.UTF_8));
    }

    private static byte[] bytes(Object value) {
        try {
            return JSON.writeValueAsBytes(value);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }
}
