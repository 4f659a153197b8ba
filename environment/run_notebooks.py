"""Runs the notebooks one after another with progress, and writes them as self-contained pages with an index. Called by `replicate`."""
import argparse
import asyncio
import os
import pathlib
import shutil
import signal
import sys
import time

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

sys.dont_write_bytecode = True                              # the checkout is left as it was
import report                                               # noqa: E402

KERNEL = {"name": "recall-java", "display_name": "Java (RecallLab)", "language": "java"}


def say(line, end="\n"):
    print(line, end=end, file=sys.stderr, flush=True)


def stop_cleanly(stopped):
    """SIGINT and SIGTERM cancel the run, which ends the kernel; nbclient's own handlers end it twice, with a traceback."""
    loop = asyncio.get_running_loop()

    def stop(number):
        stopped.append(number)
        for task in asyncio.all_tasks(loop):
            task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop, number)


def execute(path, notebook):
    """Runs all cells; returns the message of the first failing cell, or None. A signal ends the program."""
    total = len(notebook.cells)
    start = time.time()
    live = sys.stderr.isatty()
    at = {"cell": 0}
    stopped = []

    def on_start(cell, cell_index):
        at["cell"] = cell_index + 1
        if live:
            say(f"\r{path.name}: cell {cell_index + 1} of {total}, {time.time() - start:.0f} s ", end="")

    hours = os.environ.get("RECALL_SIZE", "small") != "small"
    client = NotebookClient(notebook, timeout=None if hours else 3600, kernel_name=KERNEL["name"], record_timing=False,
                            on_cell_start=on_start,
                            on_notebook_start=lambda notebook: stop_cleanly(stopped),
                            resources={"metadata": {"path": str(path.parent)}})
    try:
        client.execute(stderr=open(os.path.join(os.environ["JUPYTER_RUNTIME_DIR"], "kernel.log"), "ab"))
        return None
    except CellExecutionError as e:
        return f"{path.name}: cell {at['cell']} of {total} failed: {e.ename}: {e.evalue}"
    except (CellTimeoutError, DeadKernelError, asyncio.CancelledError) as e:
        if stopped:
            say(f"{path.name}: stopped in cell {at['cell']} of {total}")
            sys.exit(128 + stopped[0])
        return f"{path.name}: cell {at['cell']} of {total} failed: {e}"
    finally:
        if live:
            say("\r" + " " * 60 + "\r", end="")


def clean(notebook, root):
    """Takes machine paths and timing out of what is committed."""
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNEL, "language_info": {"name": "java", "file_extension": ".jshell"}})
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            if "text" in output:
                output["text"] = output["text"].replace(str(root), ".")
    return notebook


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("root", type=pathlib.Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--publish", action="store_true")
    parser.add_argument("--as-committed", nargs=2, metavar=("NAME", "WHY"), default=("", ""), help="is shown and not run")
    parser.add_argument("--java", default="", help="its version, for the front page")
    given = parser.parse_args()
    as_committed, why = given.as_committed
    root, folder = given.root, given.root / "target" / "report"
    exporter = report.exporter(root)
    chosen = [m for m in os.environ.get("RECALL_MODEL", "").split(",") if m]
    failures, cards, run, total = [], [], 0, 0
    for path in sorted((root / "notebooks").glob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        if not path.name.startswith(given.only):
            cards.append(report.earlier(path, folder) or report.page(path, notebook, folder, exporter, "as committed"))
            continue
        if path.stem == as_committed:
            say(f"{path.name}: shown as committed; {why}")
            cards.append(report.page(path, notebook, folder, exporter, f"as committed; {why}"))
            continue
        run += 1
        start = time.time()
        failed = execute(path, notebook)
        seconds = time.time() - start
        total += seconds
        say(failed or f"{path.name}: {len(notebook.cells)} cells in {seconds:.0f} s")
        if failed:
            failures.append(failed)
        clean(notebook, root)
        cards.append(report.page(path, notebook, folder, exporter, "failed" if failed else f"{seconds:.0f} s", chosen))
        if given.publish and not failed:
            nbformat.write(notebook, path)
    report.index(root, folder, cards, total, given.java)
    wrong = report.problems(folder)
    for w in wrong:
        say(f"report: {w}")
    if given.publish and not failures:
        (root / "figures").mkdir(exist_ok=True)
        for figure in sorted((folder / "figures").glob("*")):
            shutil.copy(figure, root / "figures" / figure.name)
    say(f"report: {folder / 'index.html'}")
    say(f"{run - len(failures)} passed, {len(failures)} failed" + (f"; {len(wrong)} faults of pages" if wrong else ""))
    return 1 if failures or wrong else 0


if __name__ == "__main__":
    sys.exit(main())
