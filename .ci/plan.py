#!/usr/bin/env python3
"""What a plan says beside what the work takes: hours of --plan over the seconds of the same command, on random weights of real shapes.

usage: plan.py --models FOLDER --out FOLDER [--shape NAME]... [--only NAME]...

FOLDER holds random models in folders named after their shapes. A model of random weights with a tied head says the last token again: the
facts that it is asked about are such. What requests share (known facts, contexts, second moments, means) is computed first, for a request
of one pair, fact or edit; then the plan is printed, and the command runs. Ratios should be from 0.8 to 1.25: exit code 1 where one is not.
"""
import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LEAST, MOST = 0.8, 1.25
# last words of prompts, each one token that the next one may repeat
WORDS = """north south east west red blue green white black home house water fire earth wind stone wood iron gold king queen city town
river road bridge tower church school table chair book paper letter word line point night day morning evening winter summer spring
bread milk fish meat salt sugar apple tree flower garden field mountain island ocean beach horse dog cat bird sheep lion tiger""".split()
# name: the command, the option of its size, and how many at the shapes
CASES = {
    "trace": (["trace", "--point", "residual"], "--pairs", {"mamba-130m": 24, "mamba-370m": 6}),
    "components": (["trace", "--point", "components"], "--pairs", {"mamba-130m": 8, "mamba-370m": 2}),
    "path-blocking": (["path-blocking"], "--pairs", {"mamba-130m": 24, "mamba-370m": 6}),
    "knockout": (["knockout", "--form", "published", "--documents", "64"], "--facts", {"mamba-130m": 64, "mamba-370m": 16}),
    "edges": (["knockout", "--form", "edges"], "--facts", {"mamba-130m": 64, "mamba-370m": 16}),
    "edit-sweep": (["edit-sweep", "--layer", "4,12", "--contexts", "4", "--documents", "40", "--file", "REQUESTS"], "--requests",
                   {"mamba-130m": 6, "mamba-370m": 2}),
    "lre": (["lre", "--splits", "1", "--samples", "2", "--every", "8", "--faithfulness-only", "--prompt", "zero-shot"], "--facts",
            {"mamba-130m": 20, "mamba-370m": 8}),
}


def facts(home):
    """A relation in which each word is its own object, and requests that turn some into others."""
    folder = home / "relations"
    folder.mkdir(parents=True, exist_ok=True)
    relation = {"name": "again", "prompt_templates": ["it was said more than once that this was the {}", "once more the {}"],
                "samples": [{"subject": w, "object": w} for w in WORDS]}
    (folder / "again.json").write_text(json.dumps(relation))
    requests = [{"case_id": i, "requested_rewrite": {"prompt": "it was said more than once that the {} is in the city of", "subject": w,
                                                     "target_new": {"str": "Rome"}, "target_true": {"str": "Paris"}},
                 "paraphrase_prompts": [f"people say that the {w} is in the city of", f"you find the {w} in"],
                 "neighborhood_prompts": [f"it was said more than once that the {n} is in the city of" for n in WORDS[i + 1:i + 11]]}
                for i, w in enumerate(WORDS[:30])]
    (home / "requests.json").write_text(json.dumps(requests))
    return folder


def recall(home, *arguments):
    done = subprocess.run([ROOT / "environment/recall", *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          env={**os.environ, "RECALL_STORE": str(home / "store")})
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, arguments))}: exit code {done.returncode}, {done.stderr}")
    return done.stdout


def ratio(models, home, shape, name):
    words, size, counts = CASES[name]
    words = [str(home / "requests.json") if w == "REQUESTS" else w for w in words]
    if name != "edit-sweep":
        words = [*words, "--relations", home / "relations", "--relation", "again"]
    out = home / f"{shape}-{name}"
    shutil.rmtree(out, ignore_errors=True)
    command = [*words, "--model", models / shape]
    if name != "lre":
        recall(home, *command, size, 1, "--out", out / "first")
    command += [size, counts.get(shape, 4), "--out", out / "all"]
    said = recall(home, *command, "--plan")
    planned = 3600 * float(re.search(r"hours on this machine: (\S+)", said).group(1))
    rows = int(re.search(r"(?m)^all +\d+ +\d+ +(\d+)", said).group(1))
    recall(home, *command)
    seconds = json.loads((out / "all/result.json").read_text())["seconds"]
    print(f"{shape}, {name}: {rows} rows, planned {planned:.1f} s, took {seconds:.1f} s: {planned / seconds:.2f}", flush=True)
    return planned / seconds


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--models", type=Path, required=True)
    options.add_argument("--out", type=Path, required=True)
    options.add_argument("--shape", action="append")
    options.add_argument("--only", action="append", choices=CASES)
    asked = options.parse_args()
    home = asked.out.resolve()
    facts(home)
    found = {(s, n): ratio(asked.models.resolve(), home, s, n) for s in asked.shape or ["mamba-130m", "mamba-370m"]
             for n in asked.only or CASES}
    bad = [f"{s}, {n}: {r:.2f}" for (s, n), r in found.items() if not LEAST <= r <= MOST]
    if bad:
        sys.exit(f"outside {LEAST} to {MOST}: {'; '.join(bad)}")


main()
