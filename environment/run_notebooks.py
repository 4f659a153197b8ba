"""Runs the notebooks one after another with progress, and writes them as self-contained pages with an index. Called by `replicate`."""
import argparse
import asyncio
import html
import os
import pathlib
import re
import shutil
import signal
import sys
import time

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbconvert import HTMLExporter

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


def title(notebook, path):
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            found = re.search(r"^# (.+)$", cell.source, re.M)
            if found:
                return found.group(1)
    return path.stem


def first_picture(notebook):
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if "image/png" in data:
                return data["image/png"].replace("\n", "")
            found = re.search(r'src="data:image/png;base64,([^"]+)"', data.get("text/html", ""))
            if found:
                return found.group(1)
    return None


def clean(notebook, root):
    """Takes machine paths and timing out of what is committed."""
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNEL, "language_info": {"name": "java", "file_extension": ".jshell"}})
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            if "text" in output:
                output["text"] = output["text"].replace(str(root), ".")
    return notebook


def card(path, notebook, state):
    return path, title(notebook, path), state, first_picture(notebook)


def earlier(path, report):
    """The card of a notebook that is not run now but whose page an earlier run has left; None without one."""
    executed = report / path.name
    if not executed.exists() or not (report / f"{path.stem}.html").exists():
        return None
    notebook = nbformat.read(executed, as_version=4)
    failed = any(output.output_type == "error" for cell in notebook.cells for output in cell.get("outputs", []))
    return card(path, notebook, "failed in an earlier run" if failed else "from an earlier run")


def page(path, notebook, report, exporter, state):
    """Writes a notebook and its page to the report; gives its card."""
    nbformat.write(notebook, report / path.name)
    (report / f"{path.stem}.html").write_text(exporter.from_notebook_node(notebook, resources={"metadata": {"name": title(notebook, path)}})[0], encoding="utf-8")
    return card(path, notebook, state)


def index(report, rows):
    cards = []
    for path, name, state, picture in rows:
        image = f'<img alt="A picture of {html.escape(name)}" src="data:image/png;base64,{picture}">' if picture else ""
        cards.append(f'<a href="{path.stem}.html">{image}<h2>{html.escape(name)}</h2><p>{path.stem} · {state}</p></a>')
    (report / "index.html").write_text(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>RecallLab report</title><style>"
        "body{font-family:sans-serif;max-width:60em;margin:2em auto;padding:0 1em;color:#222}"
        "a{display:block;border:1px solid #ddd;border-radius:6px;padding:1em;margin:1em 0;color:inherit;text-decoration:none}"
        "a:hover{border-color:#3f007d}img{max-width:100%;max-height:16em}h2{margin:.4em 0 0}p{margin:.2em 0;color:#666}</style></head>"
        f"<body><h1>RecallLab: where a language model keeps a fact</h1>{''.join(cards)}</body></html>\n", encoding="utf-8")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("root", type=pathlib.Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--publish", action="store_true")
    parser.add_argument("--as-committed", nargs=2, metavar=("NAME", "WHY"), default=("", ""), help="is shown and not run")
    given = parser.parse_args()
    as_committed, why = given.as_committed
    root, report = given.root, given.root / "target" / "report"
    exporter = HTMLExporter(extra_template_basedirs=[str(root / "environment" / "html")], template_name="offline")
    failures, rows, run = [], [], 0
    for path in sorted((root / "notebooks").glob("*.ipynb")):
        if not path.name.startswith(given.only):
            rows.append(earlier(path, report))
            continue
        notebook = nbformat.read(path, as_version=4)
        if path.stem == as_committed:
            say(f"{path.name}: shown as committed; {why}")
            rows.append(page(path, notebook, report, exporter, f"as committed; {why}"))
            continue
        run += 1
        start = time.time()
        failed = execute(path, notebook)
        seconds = time.time() - start
        say(failed or f"{path.name}: {len(notebook.cells)} cells in {seconds:.0f} s")
        if failed:
            failures.append(failed)
        clean(notebook, root)
        rows.append(page(path, notebook, report, exporter, "failed" if failed else f"{seconds:.0f} s"))
        if given.publish and not failed:
            nbformat.write(notebook, path)
    index(report, [row for row in rows if row])
    if given.publish and not failures:
        (root / "figures").mkdir(exist_ok=True)
        for figure in sorted((report / "figures").glob("*")):
            shutil.copy(figure, root / "figures" / figure.name)
    say(f"report: {report / 'index.html'}")
    say(f"{run - len(failures)} passed, {len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
