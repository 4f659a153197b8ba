"""The pages of a report: a front page that says what was run, a page for each notebook, and what is wrong with them. Used by `run_notebooks.py`."""
import datetime
import html
import html.parser
import json
import os
import pathlib
import platform
import re
import subprocess
import urllib.parse

import nbformat
from nbconvert import HTMLExporter

PICTURE, SENTENCE = "report-picture", "report-sentence"     # tags of the cells that the front page shows
MOST_BYTES = 2_500_000
STYLE = """
:root{color-scheme:light dark}
body{font-family:sans-serif;max-width:64em;margin:2em auto;padding:0 1em;line-height:1.4;color:#222;background:#fff}
a{color:#3f007d}h1{margin-bottom:.2em}h2{margin:.2em 0}
.card{display:grid;grid-template-columns:minmax(0,1fr) minmax(0,1.2fr);gap:1.2em;border:1px solid #ccc;border-radius:6px;padding:1em;margin:1em 0}
.card img{width:100%;max-height:15em;object-fit:contain;object-position:left top;background:#fff;border-radius:4px}
.state{color:#666;font-size:90%}table{border-collapse:collapse;margin:.5em 0}td,th{text-align:left;padding:.2em .8em .2em 0;vertical-align:top}
code{overflow-wrap:anywhere;font-size:85%}
@media(max-width:40em){.card{grid-template-columns:1fr}}
@media(prefers-color-scheme:dark){body{color:#ddd;background:#181818}a{color:#c9b8ff}.card{border-color:#555}.state{color:#aaa}}
"""


def exporter(root):
    return HTMLExporter(extra_template_basedirs=[str(root / "environment" / "html")], template_name="offline")


def title(notebook, path):
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            found = re.search(r"^# (.+)$", cell.source, re.M)
            if found:
                return found.group(1)
    return path.stem


def outputs(notebook, tag):
    """The outputs of the cells with a tag, without what only says how far they were."""
    for cell in notebook.cells:
        if tag in cell.metadata.get("tags", []):
            for output in cell.get("outputs", []):
                if not re.match(r"<(small|progress)\b", output.get("data", {}).get("text/html", "")):
                    yield output


def png(output):
    data = output.get("data", {})
    if "image/png" in data:
        return data["image/png"].replace("\n", "")
    found = re.search(r'src="data:image/png;base64,([^"]+)"', data.get("text/html", ""))
    return found.group(1) if found else None


def picture(notebook):
    """The picture of the front page, in base 64, and what it shows; or nothing."""
    for output in outputs(notebook, PICTURE):
        if png(output):
            shown = output["data"].get("text/plain", "")
            return png(output), shown.removeprefix("[picture: ").removesuffix("]")
    return None


def sentence(notebook):
    """What the notebook itself says of its numbers: what a tagged cell prints, or the first row of its table of what is found."""
    for output in outputs(notebook, SENTENCE):
        text = output.get("text") or output.get("data", {}).get("text/plain", "")
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        if output.output_type == "stream" and lines:
            end = next((i for i, line in enumerate(lines) if not line.endswith((";", ","))), len(lines) - 1)
            return " ".join(lines[:end + 1])
        if len(lines) > 1 and lines[0] == "what is found":  # the name of its column
            return re.sub(r"\s{2,}", ": ", lines[1])
    return None


def sources(notebook):
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")


def models(notebook, chosen=()):
    """Names of the models that are opened by name; those that were chosen for a run stand in the place of a notebook's own."""
    found = []
    for how, names in re.findall(r'LanguageModel\.(open|chosen)\(((?:"[^"]*"(?:,\s*)?)+)\)', sources(notebook)):
        found += list(chosen) if how == "chosen" and chosen else re.findall(r'"([^"]*)"', names)
    return list(dict.fromkeys(found))


def seeds(notebook):
    return list(dict.fromkeys(re.findall(r"\bseed = (\d+)", sources(notebook))))


class Card:
    """What the front page says of a notebook."""

    def __init__(self, path, notebook, state, chosen=()):
        self.path, self.title, self.state = path, title(notebook, path), state
        self.picture, self.sentence, self.models, self.seeds = picture(notebook), sentence(notebook), models(notebook, chosen), seeds(notebook)

    def html(self):
        shown = ""
        if self.picture:
            data, what = self.picture
            shown = f'<a href="{self.path.stem}.html"><img alt="{html.escape(what)}" src="data:image/png;base64,{data}"></a>'
        of = ", ".join(self.models) or "no model that comes by name"
        seed = f"; seed {', '.join(self.seeds)}" if self.seeds else ""
        return (f'<article class="card"><div>{shown}</div><div><h2><a href="{self.path.stem}.html">{html.escape(self.title)}</a></h2>'
                f"<p>{html.escape(self.sentence or '')}</p><p class=\"state\">{self.path.stem} · {html.escape(of + seed)} · {html.escape(self.state)}</p></div></article>")


def earlier(path, report):
    """The card of a notebook that is not run now but whose page an earlier run has left; None without one."""
    executed = report / path.name
    if not executed.exists() or not (report / f"{path.stem}.html").exists():
        return None
    notebook = nbformat.read(executed, as_version=4)
    failed = any(output.output_type == "error" for cell in notebook.cells for output in cell.get("outputs", []))
    return Card(path, notebook, "failed in an earlier run" if failed else "from an earlier run")


def page(path, notebook, report, exporter, state, chosen=()):
    """Writes a notebook and its page to the report, with links to the pages beside it; gives its card. Chosen: the models that it was run on."""
    nbformat.write(notebook, report / path.name)
    all_pages = sorted(path.parent.glob("*.ipynb"))
    at = [p.name for p in all_pages].index(path.name)

    def beside(i):
        if not 0 <= i < len(all_pages):
            return None
        return {"href": f"{all_pages[i].stem}.html", "title": title(nbformat.read(all_pages[i], as_version=4), all_pages[i])}

    text = exporter.from_notebook_node(notebook, resources={"metadata": {"name": title(notebook, path)},
                                                            "recall": {"previous": beside(at - 1), "next": beside(at + 1)}})[0]
    text = re.sub(r'href="(\d\d-[\w-]+)\.ipynb', r'href="\1.html', text)
    (report / f"{path.stem}.html").write_text(text, encoding="utf-8")
    return Card(path, notebook, state, chosen)


def said_by(*command, cwd):
    try:
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def revision(root):
    """Of the checkout, and whether files differ from it; outputs of notebooks and pictures are no part of the program."""
    at = said_by("git", "rev-parse", "--short=12", "HEAD", cwd=root)
    if not at:
        return "revision unknown"
    changed = said_by("git", "status", "--porcelain", "--", "src", "environment", "pom.xml", "data", cwd=root)
    return f"revision {at}" + (", with changes" if changed else "")


def model_rows(root, names):
    rows = []
    for name in names:
        told = said_by(str(root / "environment" / "recall"), "info", name, "--json", "--digest", cwd=root)
        m = json.loads(told) if told else {}
        rows.append([m.get("name", name), m.get("family", "not on this machine"), str(m.get("layers", "–")), f'{m["parameters"]:,}' if m else "–",
                     m.get("digest", "–")])
    return rows


def index(root, report, cards, seconds, java):
    """Writes the front page."""
    names = list(dict.fromkeys(n for c in cards for n in c.models))
    version = re.search(r"<version>([^<]+)</version>", (root / "pom.xml").read_text(encoding="utf-8")).group(1)
    rows = "".join("<tr>" + "".join(f"<td>{html.escape(v)}</td>" for v in r[:-1]) + f"<td><code>{html.escape(r[-1])}</code></td></tr>" for r in model_rows(root, names))
    now = datetime.datetime.now(datetime.timezone.utc)
    run = [("program", f"RecallLab {version}, {revision(root)}"), ("Java", java or "unknown"),
           ("machine", f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"), ("seeds", "stand in the cells, and beside each notebook below"),
           ("written", f"{now:%Y-%m-%d %H:%M} UTC; the notebooks ran for {seconds:,.0f} s")]
    about = "".join(f"<tr><th scope=\"row\">{k}</th><td>{html.escape(v)}</td></tr>" for k, v in run)
    (report / "index.html").write_text(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
        f"<title>RecallLab: report</title><style>{STYLE}</style></head><body><main><h1>RecallLab: where a language model keeps a fact</h1>"
        "<p>One picture and one sentence of each notebook. The sentences are made of the numbers by the notebooks; each leads to its page, and every page stands by itself.</p>"
        f"{''.join(c.html() for c in cards)}<h2 id=\"run\">What was run</h2><table>{about}</table>"
        "<table><thead><tr><th scope=\"col\">model</th><th scope=\"col\">family</th><th scope=\"col\">layers</th><th scope=\"col\">parameters</th>"
        f"<th scope=\"col\">SHA-256 of its files</th></tr></thead><tbody>{rows}</tbody></table></main></body></html>\n", encoding="utf-8")


class Links(html.parser.HTMLParser):
    """What a page has, and what it leads to."""

    def __init__(self):
        super().__init__()
        self.ids, self.maps, self.links, self.loaded, self.problems, self.title, self.in_title = set(), set(), [], [], [], "", False

    def handle_starttag(self, tag, attrs):
        a = dict(attrs)
        if a.get("id"):
            self.ids.add(a["id"])
        if tag == "map":
            self.maps.add(a.get("name"))
        if tag == "a" and a.get("href") is not None:
            self.links.append(a["href"])
        if tag == "img":
            self.loaded.append(a.get("src", ""))
            if not a.get("alt"):
                self.problems.append("a picture without alternative text")
            if a.get("usemap"):
                self.links.append(("map", a["usemap"].removeprefix("#")))
        if tag in ("script", "iframe", "source") and a.get("src"):
            self.loaded.append(a["src"])
        if tag == "link" and a.get("href"):
            self.loaded.append(a["href"])
        self.in_title = tag == "title" or self.in_title

    def handle_endtag(self, tag):
        self.in_title = self.in_title and tag != "title"

    def handle_data(self, data):
        if self.in_title:
            self.title += data


def read(path):
    links = Links()
    links.feed(path.read_text(encoding="utf-8"))
    return links


def problems(report):
    """What is wrong with the pages of a folder, a sentence each: broken links, what is loaded from elsewhere, pictures without a text, size, title."""
    found = []
    pages = {p.name: read(p) for p in sorted(pathlib.Path(report).glob("*.html"))}
    for name, here in pages.items():
        wrong = list(here.problems)
        size = (pathlib.Path(report) / name).stat().st_size
        if size >= MOST_BYTES:
            wrong.append(f"{size:,} bytes, expected fewer than {MOST_BYTES:,}")
        if here.title.strip() in ("", "Notebook"):
            wrong.append("no title of its own")
        for link in here.links:
            if isinstance(link, tuple):
                if link[1] not in here.maps:
                    wrong.append(f"a picture asks for the map '{link[1]}', which is not there")
                continue
            to = urllib.parse.urlsplit(link)
            if to.scheme or to.netloc:
                continue                                    # of the network: nothing is asked of it
            file = urllib.parse.unquote(to.path) or name
            target = pages.get(file)
            if target is None and not (pathlib.Path(report) / file).exists():
                wrong.append(f"a link to {file}, which is not there")
            elif to.fragment and target is not None and urllib.parse.unquote(to.fragment) not in target.ids and to.fragment not in target.ids:
                wrong.append(f"a link to {file}#{urllib.parse.unquote(to.fragment)}, which is not there")
        for source in here.loaded:
            if not source.startswith("data:"):
                wrong.append(f"{source[:100]} is loaded, expected everything in the page")
        found += [f"{name}: {w}" for w in dict.fromkeys(wrong)]
    return found
