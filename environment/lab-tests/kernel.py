"""The kernel, as Jupyter's own client sees it. Called by `environment/lab-test`: FOLDER in which it is started."""
import sys
import time

from checks import Kernel, check, summary

FOREVER = 'System.out.println("begun"); while (true) { Thread.sleep(20); }'


def expect(found, wanted):
    assert found == wanted, f"expected {wanted!r}, got {found!r}"


def holds(text, *parts):
    for part in parts:
        assert part in text, f"expected {part!r} in {text[:600]!r}"


def main():
    start = time.time()
    kernel = Kernel(sys.argv[1])
    started = time.time()
    kernel.run('LanguageModel.open("tiny-mamba").next("Novux Bridge is located in the city of").top(1)')
    print(f"timed   kernel start to its first answer {started - start:.1f} s, to a model's first table {time.time() - start:.1f} s", flush=True)

    def queued_cells_are_aborted():
        a, b, c = kernel.run_all("1 / 0", "int afterError = 1;", "2 + 2")
        expect([a.status, b.status, c.status], ["error", "aborted", "aborted"])
        expect([b.messages[0]["msg_type"], len(b.of("execute_input"))], ["status", 0])
        holds(kernel.run("afterError").error["evalue"], "cannot find symbol")

    def next_cell_runs():
        expect(kernel.run("2 + 2").result["text/plain"], "4")

    def compile_errors_abort():
        a, b = kernel.run_all("int x = \"text\";", "1")
        expect([a.status, b.status], ["error", "aborted"])
        expect(a.error["ename"], "CompilationException")
        holds(a.error["traceback"][0], "incompatible types")
        holds("\n".join(a.error["traceback"]), "^^^")

    def goes_on_where_asked():
        ids = kernel.send("1 / 0", stop_on_error=False) + kernel.send("40 + 2")
        expect([c.status for c in kernel.wait(ids)], ["error", "ok"])

    def interrupt_aborts():
        ids = kernel.send(FOREVER, "int afterInterrupt = 1;", "3")
        kernel.until_output("begun")
        kernel.interrupt()
        cells = kernel.wait(ids[:1] + ids[1:])
        expect([c.status for c in cells], ["error", "aborted", "aborted"])
        expect(cells[0].error["ename"], "Interrupted")
        expect(kernel.run("1 + 1").result["text/plain"], "2")

    def interrupt_between_statements():
        ids = kernel.send('System.out.println("begun");\n' + "\n".join(f"int many{i} = {i};" for i in range(300)) + "\n7", "8")
        kernel.until_output("begun")
        kernel.interrupt()
        expect([c.status for c in kernel.wait(ids)], ["error", "aborted"])

    def many_lines():
        cell = kernel.run('for (int i = 0; i < 100_000; i++) System.out.println("line " + i);')
        lines = cell.text.splitlines()
        expect([lines[0], lines[-1], len(lines)], ["line 0", "line 99999", 5200])
        said = (cell.of("update_display_data") or cell.of("display_data"))[-1]["data"]["text/plain"]
        holds(said, "94,800 lines", "are left out here")
        assert len(cell.messages) < 60, f"{len(cell.messages)} messages"

    def printf_is_one_message():
        cell = kernel.run('System.out.printf("%d and %s%n", 1, "two");')
        expect([m["text"] for m in cell.of("stream")], ["1 and two\n"])

    def order_of_outputs():
        cell = kernel.run('System.out.println("a"); show("b"); System.err.println("c"); System.out.println("d"); 5')
        kinds = [m["msg_type"] for m in cell.messages if m["msg_type"] in ("stream", "display_data", "execute_result")]
        expect(kinds, ["stream", "display_data", "stream", "stream", "execute_result"])

    def output_comes_while_a_cell_runs():
        ids = kernel.send('System.out.println("begun"); Thread.sleep(1500); System.out.println("end");')
        kernel.until_output("begun")
        expect(kernel.wait(ids)[0].text, "end\n")

    def traces_are_short():
        kernel.run("int deep(int n) { return deep(n + 1) + 1; }")
        kernel.run("int left(int n) { return n < 0 ? right(n) : right(n + 1) + 1; } int right(int n) { return left(n + 1) + 1; }")
        cell = kernel.run("left(0)")
        expect(cell.error["ename"], "StackOverflowError")
        assert len(cell.error["traceback"]) < 25, f"{len(cell.error['traceback'])} lines"
        holds(cell.error["traceback"][0], "StackOverflowError")
        assert len(kernel.run("deep(0)").error["traceback"]) < 6

    def sentence_first():
        cell = kernel.run('LanguageModel.open("nope")')
        expect([cell.error["ename"], cell.reply["ename"]], ["BadRequest", "BadRequest"])
        holds(cell.error["traceback"][0], "BadRequest: 'nope' is no model")
        holds(cell.error["traceback"][-1], 'at the cell:  LanguageModel.open("nope")')

    def nothing_half_set():
        cell = kernel.run('var half = LanguageModel.open("nope");')
        expect(cell.error["traceback"][-1], "half is not set.")
        holds(kernel.run("half").error["evalue"], "cannot find symbol: variable half")
        kernel.run("int number = 1;")
        kernel.run("int number = 1 / (1 - 1);")
        holds(kernel.run("number").error["evalue"], "cannot find symbol: variable number")

    def arrays_are_tables():
        cell = kernel.run("new float[][] {{1, 2}, {0.25f, 4}}")
        holds(cell.result["text/html"], "<table", "float[2][2]", "0.2500")
        holds(cell.result["text/plain"], "row", "0.2500")
        expect(kernel.run("new double[] {1, 2}").result["text/plain"], "double[2] 1.000 2.000")
        holds(kernel.run("new int[][] {{1}, {2, 3}}").result["text/html"], "int[2][up to 2]")

    def javadoc():
        found = kernel.inspect("LanguageModel.open|(")
        holds(found["data"]["text/plain"], "LanguageModel LanguageModel.open(String nameOrFolder)")
        assert len(found["data"]["text/plain"].splitlines()) > 3, found["data"]["text/plain"]
        holds(found["data"]["text/html"], "<p>")

    def javadoc_between_parentheses():
        found = kernel.inspect('int a = 1;\nLanguageModel.open("tiny-mamba"|)')
        holds(found["data"]["text/plain"], "LanguageModel.open(String nameOrFolder)")
        found = kernel.inspect("LanguageModel|.open()")
        holds(found["data"]["text/plain"], "lab.recall.model.LanguageModel", "\n")

    def javadoc_of_nothing():
        expect(kernel.inspect("no.such|Thing()")["found"], False)

    def tables_and_pictures():
        kernel.run('var m = LanguageModel.open("tiny-mamba");')
        holds(kernel.run('m.next("Novux Bridge is located in the city of").top(3)').result["text/html"], "<table")
        cell = kernel.run('HeatMap.of("t", new double[][] {{1, 2}, {3, 4}})')
        holds(cell.result["text/html"], "<img", "usemap", 'title="row 1, column 0: 3"')
        expect(cell.result["text/plain"], "[picture: t]")

    def progress_moves_and_stops():
        ids = kernel.send('var bar = ProgressBar.of("waiting", "things", 10); System.out.println("begun"); Thread.sleep(60_000);')
        kernel.until_output("begun")
        time.sleep(2.5)
        kernel.interrupt()
        said = [m["data"]["text/plain"] for m in kernel.wait(ids)[0].of("update_display_data")]
        assert any("0 of 10 things" in s and "s so far" in s for s in said), said
        holds(said[-1], "waiting: stopped after 0 of 10 things")

    def magics():
        cell = kernel.run("%classpath .\n6 * 7")
        expect([cell.status, cell.result.get("text/plain")], ["ok", "42"])

    def completion():
        request = kernel.client.complete("LanguageModel.op", 16)
        while True:
            m = kernel.client.get_shell_msg(timeout=kernel.patience)
            if m["parent_header"].get("msg_id") == request:
                break
        assert "open" in " ".join(m["content"]["matches"]), m["content"]

    def errors_of_the_machine():
        cell = kernel.run("throw new NoClassDefFoundError(\"gone\");")
        expect([cell.error["ename"], kernel.run("1").status], ["NoClassDefFoundError", "ok"])

    def letters():
        expect(kernel.run('System.out.println("Zürich 日本 🙂");').text, "Zürich 日本 🙂\n")

    for name, action in [
        ("after an error the queued cells are aborted", queued_cells_are_aborted),
        ("the next cell runs", next_cell_runs),
        ("after an error of the compiler too", compile_errors_abort),
        ("stop_on_error=false goes on", goes_on_where_asked),
        ("an interrupt stops the cell and aborts the queued ones", interrupt_aborts),
        ("an interrupt between two statements is not lost", interrupt_between_statements),
        ("of 100,000 lines the first and last, in few messages", many_lines),
        ("a printf is one message", printf_is_one_message),
        ("outputs keep their order", order_of_outputs),
        ("output comes while a cell runs", output_comes_while_a_cell_runs),
        ("traces are short", traces_are_short),
        ("an error begins with its sentence", sentence_first),
        ("a failing var leaves nothing half set", nothing_half_set),
        ("arrays of numbers are shown", arrays_are_tables),
        ("Javadoc at a name", javadoc),
        ("Javadoc between parentheses", javadoc_between_parentheses),
        ("no Javadoc of nothing", javadoc_of_nothing),
        ("tables and pictures", tables_and_pictures),
        ("progress moves, and says that it was stopped", progress_moves_and_stops),
        ("magics", magics),
        ("completion", completion),
        ("an Error leaves the kernel alive", errors_of_the_machine),
        ("letters of all languages", letters),
    ]:
        check("kernel: " + name, action)
    kernel.stop()
    return summary()


if __name__ == "__main__":
    sys.exit(main())
