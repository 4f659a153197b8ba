"""The pages of a report, made of the committed notebooks. Called by `environment/lab-test`: ROOT, a FOLDER to write them to."""
import pathlib
import sys

import nbformat

from checks import check, summary

sys.dont_write_bytecode = True


def main():
    root, folder = (pathlib.Path(p) for p in sys.argv[1:])
    sys.path.insert(0, str(root / "environment"))
    import report
    folder.mkdir(parents=True, exist_ok=True)
    paths = sorted((root / "notebooks").glob("*.ipynb"))
    exporter = report.exporter(root)
    cards = []

    def pages():
        for path in paths:
            cards.append(report.page(path, nbformat.read(path, as_version=4), folder, exporter, "as committed"))
        report.index(root, folder, cards, 0, "17")
        assert len(list(folder.glob("*.html"))) == len(paths) + 1

    def no_faults():
        found = report.problems(folder)
        assert not found, "\n".join(found)

    def fronts():
        missing = [c.path.stem for c in cards if not c.picture]
        assert not missing, f"no picture: {missing}"
        # the sentence of a cell that has not been published since it was written is not there yet
        missing = [c.path.stem for c in cards if not c.sentence and any(o.output_type == "stream" for o in report.outputs(
            nbformat.read(c.path, as_version=4), report.SENTENCE))]
        assert not missing, f"no sentence: {missing}"
        assert sum(bool(c.sentence) for c in cards) >= len(cards) - 1, [c.path.stem for c in cards if not c.sentence]
        text = (folder / "index.html").read_text(encoding="utf-8")
        for part in ["What was run", "SHA-256", "tiny-mamba", "revision ", "seed 1"] + [c.title.split(":")[0] for c in cards]:
            assert part in text, f"expected {part!r}"
        digest = text.split("tiny-mamba</td>", 1)[1].split("<code>", 1)[1].split("</code>", 1)[0]
        assert len(digest) == 64, digest

    def navigation():
        links = report.read(folder / paths[1].with_suffix(".html").name).links
        for to in ["index.html", paths[0].with_suffix(".html").name, paths[2].with_suffix(".html").name]:
            assert links.count(to) >= 2, f"{to}: {links.count(to)}"
        assert not any(str(link).endswith(".ipynb") for link in links), links

    def faults_are_found():
        bad = folder / "bad"
        bad.mkdir(exist_ok=True)
        (bad / "a.html").write_text('<title>a</title><a href="b.html#here">x</a><a href="b.html#nowhere">x</a><a href="c.html">x</a><a href="#me" id="me">x</a>'
                                    '<a href="https://example.org/">x</a><img src="data:,"><img alt="t" src="x.png" usemap="#m">', encoding="utf-8")
        (bad / "b.html").write_text('<title>Notebook</title><p id="here">' + "x" * report.MOST_BYTES, encoding="utf-8")
        expected = ["a.html: a link to b.html#nowhere, which is not there", "a.html: a link to c.html, which is not there",
                    "a.html: a picture asks for the map 'm', which is not there", "a.html: a picture without alternative text",
                    "a.html: x.png is loaded, expected everything in the page", "b.html: 2,500,036 bytes, expected fewer than 2,500,000",
                    "b.html: no title of its own"]
        found = report.problems(bad)
        assert sorted(found) == sorted(expected), "\n".join(found)

    check("report: a page for each notebook, and a front page", pages)
    check("report: no broken link, no picture without a text, each page below 2.5 MB and with a title", no_faults)
    check("report: a picture and a sentence of each notebook, and what was run", fronts)
    check("report: each page leads to those beside it", navigation)
    check("report: faults of pages are found", faults_are_found)
    return summary()


if __name__ == "__main__":
    sys.exit(main())
