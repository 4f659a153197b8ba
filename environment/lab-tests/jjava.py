"""The JJava kernel, which finds our renderers by its own extension point. Called by `environment/lab-test`: FOLDER; its class path and the
JVM's options are JJAVA_CLASSPATH and JJAVA_JVM_OPTS."""
import sys

from checks import Kernel, check, summary


def main():
    kernel = Kernel(sys.argv[1], name="java")

    def shows(code, *parts):
        cell = kernel.run(code)
        assert cell.status == "ok", cell.error
        found = cell.result or (cell.of("display_data") or [{"data": {}}])[0]["data"]
        for part in parts:
            assert part in found.get("text/html", ""), found

    check("JJava: a model's tokens are a table", lambda: shows(
        'import lab.recall.model.*;\nLanguageModel.open("tiny-mamba").next("Novux Bridge is located in the city of").top(2)', "<table"))
    check("JJava: a heat map says its numbers", lambda: shows(
        'lab.recall.view.HeatMap.of("t", new double[][] {{1, 2}})', "<img", 'title="row 0, column 1: 2"'))
    check("JJava: a matrix is a table", lambda: shows("new float[][] {{1, 2}}", "float[1][2]"))
    check("JJava: show", lambda: shows('lab.recall.view.Show.show(new int[][] {{1, 2}});', "int[1][2]"))
    kernel.stop()
    return summary()


if __name__ == "__main__":
    sys.exit(main())
