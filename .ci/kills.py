#!/usr/bin/env python3
"""Runs that are killed at random moments, with their inputs changed in between or not, and brought to their end by the same command.

What they leave must be what an unbroken run on the inputs as they are then leaves: byte for byte, but for the kept pieces and lines of a
key that ends in `seconds`, and with no temporary file.

usage: kills.py --kills N --seed N --out FOLDER [--only NAME]... -- COMMAND...

COMMAND is the command line's start, such as environment/recall's java. Each case of CASES works in FOLDER/NAME: `in` holds its inputs,
`cache` is its RECALL_STORE, all else is what it wrote. Figures go to FOLDER/figures.json.
"""
import argparse
import json
import os
import random
import re
import shutil
import struct
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SECONDS = re.compile(rb'\n\s*"[^"\n]*seconds" : [^\n]*')
SHARED = ["--model", "in/model", "--threads", "1", "--out", "out"]
LAYER = 6
SHALLOW = 3     # layers that a model keeps which need not know the facts

EDIT = ["edit", *SHARED, "--requests", "in/requests.json", "--contexts", "1"]
SWEEP = ["edit-sweep", *SHARED, "--contexts", "1", "--documents", "20"]


def some(relation):
    return ["--relations", "in/relations", "--relation", relation]


# name: what may change in between, and the command
CASES = {
    "trace": (["relations", "weights"], ["trace", *SHARED, *some("landmark_in_country"), "--pairs", "33", "--attribution"]),
    "path-blocking": (["relations", "weights"], ["path-blocking", *SHARED, *some("landmark_in_country"), "--pairs", "33"]),
    "knockout-edges": (["relations", "weights"],
                       ["knockout", *SHARED, *some("person_occupation"), "--form", "edges", "--flows", "--facts", "40"]),
    "knockout-published": (["relations", "texts", "weights"],
                           ["knockout", *SHARED, *some("person_occupation"), "--form", "published", "--facts", "40",
                            "--texts", "in/texts.txt", "--documents", "90"]),
    "edit-one": (["texts", "weights"], ["edit", *SHARED, "--subject", "Novux Bridge", "--prompt", "{} is located in the city of",
                                        "--target", "Malpolis", "--texts", "in/texts.txt", "--documents", "600",
                                        "--change", "change.safetensors"]),
    "edit-each": (["requests", "texts", "weights"], [*EDIT, "--count", "65", "--texts", "in/texts.txt", "--documents", "40",
                                                     "--how", "each"]),
    "edit-sequence": (["requests", "weights"], [*EDIT, "--count", "65", "--documents", "40", "--how", "sequence", "--save", "saved"]),
    "edit-joint": (["requests"], [*EDIT, "--count", "65", "--documents", "600", "--how", "joint", "--save", "saved",
                                  "--moments", "moments.safetensors"]),
    "edit-sweep": (["relations", "weights"], [*SWEEP, *some("city_in_country"), "--requests", "3", "--layer", "2,6"]),
    "edit-sweep-file": (["requests", "weights"], [*SWEEP, "--file", "in/requests.json", "--requests", "3", "--layer", "1,2"]),
    "lre": (["relations", "weights"], ["lre", *SHARED, *some("company_hq"), "--splits", "3", "--facts", "6", "--every", "4",
                                       "--faithfulness-only"]),
}


def stop(text):
    sys.exit(text)


def weights(data):
    """The tensors of a safetensors file, [name, (entry, bytes)]."""
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + length])
    header.pop("__metadata__", None)
    return {name: (e, data[8 + length + e["data_offsets"][0]:8 + length + e["data_offsets"][1]]) for name, e in header.items()}


def written(tensors):
    """A safetensors file of tensors."""
    header, body = {}, b""
    for name, (entry, values) in tensors.items():
        header[name] = {**entry, "data_offsets": [len(body), len(body) + len(values)]}
        body += values
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + body


def shallow(model):
    """Leaves a model its first layers."""
    config = json.loads((model / "config.json").read_text())
    config["num_hidden_layers"] = config["n_layer"] = SHALLOW
    (model / "config.json").write_text(json.dumps(config))
    file = model / "model.safetensors"
    deeper = re.compile(r"layers\.(\d+)\.")
    file.write_bytes(written({name: t for name, t in weights(file.read_bytes()).items()
                              if not deeper.search(name) or int(deeper.search(name)[1]) < SHALLOW}))


def halved(data):
    """A model's file with out_proj of one layer halved."""
    tensors = weights(data)
    name = [n for n in tensors if n.endswith(".out_proj.weight")]
    name = sorted(name, key=lambda n: int(re.search(r"layers\.(\d+)\.", n)[1]))[:LAYER + 1][-1]
    entry, values = tensors[name]
    assert entry["dtype"] == "F32", entry
    numbers = struct.unpack(f"<{len(values) // 4}f", values)
    tensors[name] = (entry, struct.pack(f"<{len(numbers)}f", *(v / 2 for v in numbers)))
    return written(tensors)


def reversed_samples(data):
    relation = json.loads(data)
    relation["samples"].reverse()
    return json.dumps(relation).encode()


# what changes: files, and the other content of one
CHANGES = {
    "relations": ("relations/*.json", reversed_samples),
    "requests": ("requests.json", lambda data: json.dumps(json.loads(data)[::-1]).encode()),
    "texts": ("texts.txt", lambda data: b"\n".join(data.split(b"\n")[::-1])),
    "weights": ("model/model.safetensors", halved),
}


def own_pieces(work):
    return len(list(work.glob("out/store/??/*.json")))


class Case:
    """A command with its inputs as given, and what unbroken runs of it leave."""

    def __init__(self, name, start, out):
        self.name, self.start, self.home = name, start, out / name
        self.changes, self.command = CASES[name]
        self.unbroken = {}      # by what is changed: [seconds, files]
        shutil.rmtree(self.home, ignore_errors=True)
        given = self.home / "given"
        given.mkdir(parents=True)
        shutil.copytree(ROOT / "data/models/tiny-mamba", given / "model")
        if "in/requests.json" in self.command:
            shallow(given / "model")
        (given / "relations").mkdir()
        for file in sorted((ROOT / "data/world").glob("*.json")):
            shutil.copy(file, given / "relations")
        shutil.copy(ROOT / "data/world/edits/requests.json", given)
        texts = []
        for file in sorted((given / "relations").glob("*.json")):
            texts += [f"{s['subject']} and {s['object']} are known , says {file.stem}" for s in json.loads(file.read_text())["samples"]]
        (given / "texts.txt").write_text("\n".join(texts))
        self.given = given

    def folder(self, name):
        """A folder to work in, with the inputs as given."""
        work = self.home / name
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        shutil.copytree(self.given, work / "in")
        return work

    def change(self, work, change):
        """Writes what a change changes, or what was given, in place."""
        for kind in self.changes:
            pattern, other = CHANGES[kind]
            for file in self.given.glob(pattern):
                data = file.read_bytes()
                with open(work / "in" / file.relative_to(self.given), "r+b") as f:
                    f.write(other(data) if kind == change else data)
                    f.truncate()

    def begin(self, work):
        with open(self.home / f"{work.name}.log", "w") as log:
            return subprocess.Popen([*self.start, *self.command], cwd=work, stdout=log, stderr=log,
                                    env={**os.environ, "RECALL_STORE": str(work / "cache")})

    def end(self, work, said):
        """Runs the command to its end: the files that it leaves, without times."""
        if self.begin(work).wait() != 0:
            stop(f"{self.name}{said}: failed, {(self.home / (work.name + '.log')).read_text()}")
        found = {}
        for file in sorted(p for p in work.rglob("*") if p.is_file()):
            name = str(file.relative_to(work))
            if not name.startswith(("in/", "cache/")):
                if ".part-" in name:
                    stop(f"{self.name}{said}: left {file}")
                if not name.startswith("out/store/"):
                    found[name] = SECONDS.sub(b"", file.read_bytes())
        return found

    def whole(self, change):
        if change not in self.unbroken:
            work = self.folder("whole-" + (change or "given"))
            self.change(work, change)
            begun = time.monotonic()
            files = self.end(work, f", unbroken, {change or 'nothing'} changed")
            self.unbroken[change] = [time.monotonic() - begun, files]
            if change and files == self.unbroken[None][1]:
                stop(f"{self.name}: a change of {change} changes nothing")
        return self.unbroken[change]

    def run(self, kills, chance):
        """Kills the command so many times at least, brings it to its end each time, and compares: figures."""
        length = self.whole(None)[0]
        figures = dict(seconds=round(length, 1), kills=0, runs=0, after_a_piece=0, after_a_piece_of_its_own=0, inputs_changed=0)
        while figures["kills"] < kills:
            work, change, said = self.folder("killed"), None, ""
            kind = chance.choice(self.changes)
            for _ in range(chance.randint(1, 3)):
                process = self.begin(work)
                if chance.random() < 0.5:
                    moment = (0.2 + 0.85 * chance.random()) * length        # nothing is written while Java starts
                else:                                                       # soon after a piece of its own, which may come late
                    had, begun = own_pieces(work), time.monotonic()
                    while process.poll() is None and own_pieces(work) == had:
                        time.sleep(0.02)
                    moment = 0.15 * chance.random() * length
                    said += f", {time.monotonic() - begun:.3f} s until a piece"
                try:
                    process.wait(moment)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
                    figures["kills"] += 1
                    own = own_pieces(work) > 0
                    figures["after_a_piece_of_its_own"] += own
                    figures["after_a_piece"] += own or any(work.glob("cache/??/*.json")) or any(work.glob("moments.*"))
                    said += f", killed after {moment:.3f} s"
                if chance.random() < 0.6:
                    change = None if change else kind
                    self.change(work, change)
                    figures["inputs_changed"] += 1
                    said += f", {kind} changed"
            expected = self.whole(change)[1]
            found = self.end(work, said)
            others = sorted(n for n in {*expected, *found} if expected.get(n) != found.get(n))
            if others:
                stop(f"{self.name}{said}: writes other {', '.join(others)} than {self.home}/whole-{change or 'given'}; see {work}")
            figures["runs"] += 1
        return figures


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--kills", type=int, default=20, help="of each case")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--out", type=Path, required=True)
    options.add_argument("--only", action="append", choices=CASES, help="a case; may be given several times")
    options.add_argument("command", nargs="+")
    asked = options.parse_args()
    out, all_figures = asked.out.resolve(), {}
    for name in asked.only or CASES:
        figures = Case(name, asked.command, out).run(asked.kills, random.Random(f"{asked.seed} {name}"))
        print(f"{name}: {figures['kills']} kills in {figures['runs']} runs of {figures['seconds']} s unbroken, "
              f"{figures['after_a_piece']} after a first piece was kept ({figures['after_a_piece_of_its_own']} after one of its own), "
              f"inputs changed {figures['inputs_changed']} times; all as unbroken", flush=True)
        all_figures[name] = figures
        (out / "figures.json").write_text(json.dumps(dict(seed=asked.seed, cases=all_figures), indent=2) + "\n")


main()
