#!/usr/bin/env python3
"""Studies on a real standalone cluster of two workers: the bytes of the local engine, whatever is killed on the way.

usage: spark.py --out FOLDER [--only NAME]... [--short]
       spark.py --out FOLDER --sweep [--kills N] [--seed N]
       spark.py --out FOLDER --efficiency

Each case of CASES is run on the local engine and on Spark; with one worker (and its executor) killed by SIGKILL in the middle; with the
driver killed and the same command gone on with, on Spark and on the local engine. Then what cannot be asked: one sentence, exit code 2.
--short: only the first case is killed with its driver too. --sweep: a sweep of more than 2,000 pieces, its command killed N times on either
engine at random moments, gives the table of an unbroken run.
--efficiency measures instead: how much quicker two one-thread workers are than one, beside two local one-thread processes; and what a
piece costs beyond its work. Both are told from the times at which pieces were kept.
"""
import argparse
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CLUSTER = ROOT / "target/cluster"
SECONDS = re.compile(rb'\n\s*"[^"\n]*seconds" : [^\n]*')
MODEL = ROOT / "data/models/tiny-mamba"
ALL = ["--relation", "all"]

# name: a command of some seconds, in several pieces
CASES = {
    "trace": ["trace", *ALL, "--pairs", "192", "--point", "residual"],
    "knockout": ["knockout", *ALL, "--form", "published", "--facts", "256", "--documents", "40"],
    "lre": ["lre", *ALL, "--splits", "1", "--facts", "6", "--every", "6", "--faithfulness-only"],
    "edit-sweep": ["edit-sweep", *ALL, "--requests", "40", "--layer", "2,4,6", "--contexts", "1", "--documents", "20"],
}


def stop(text):
    sys.exit(text)


def cluster(*arguments):
    done = subprocess.run([ROOT / "environment/cluster", *arguments], stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        stop(f"environment/cluster {' '.join(arguments)}: exit code {done.returncode}, {done.stdout}")
    return done.stdout.splitlines()


def start():
    url = cluster("start", "--workers", "2")[-1]
    if not re.fullmatch(r"spark://127\.0\.0\.1:\d+", url):
        stop(f"environment/cluster start ends with '{url}', expected the master's URL")
    return url


def kill_worker():
    """What a machine that is switched off leaves: neither worker nor executor."""
    worker = int((CLUSTER / "pids/worker-1").read_text())
    executors = subprocess.run(["ps", "--ppid", str(worker), "-o", "pid="], stdout=subprocess.PIPE, text=True).stdout.split()
    for pid in [worker, *map(int, executors)]:
        os.kill(pid, signal.SIGKILL)
    return len(executors)


class Case:
    def __init__(self, name, home, url):
        self.name, self.home, self.url = name, home / name, url
        shutil.rmtree(self.home, ignore_errors=True)
        self.home.mkdir(parents=True)

    def begin(self, work, engine):
        """Starts the command; the driver itself is the process, so that it can be killed."""
        where = ["--engine", "spark", "--master", self.url] if engine == "spark" else []
        if work not in ("local", "spark") and not (self.home / f"{work}-cache").exists():
            shutil.copytree(self.home / "local-cache", self.home / f"{work}-cache")     # a kill is to meet a piece of its own
        log = open(self.home / f"{work}.log", "w")
        return subprocess.Popen([ROOT / "environment/recall", *CASES[self.name], "--model", MODEL, "--out", self.home / work, *where],
                                stdout=log, stderr=log, start_new_session=True,
                                env={**os.environ, "RECALL_STORE": str(self.home / f"{work}-cache")})

    def said(self, work):
        return (self.home / f"{work}.log").read_text()

    def end(self, process, work):
        code = process.wait()
        if code != 0:
            stop(f"{self.name}, {work}: exit code {code}, {self.said(work)}")

    def files(self, work):
        out = self.home / work
        found = {}
        for file in sorted(p for p in out.rglob("*") if p.is_file()):
            name = str(file.relative_to(out))
            if ".part-" in name:
                stop(f"{self.name}, {work}: left {file}")
            if not name.startswith("store/"):
                found[name] = SECONDS.sub(b"", file.read_bytes())
        return found

    def pieces(self, work):
        return {p.name: p.read_bytes() for p in (self.home / work).glob("store/??/*.json")}

    def requires_same(self, work):
        expected, found = self.files("local"), self.files(work)
        others = sorted(n for n in {*expected, *found} if expected.get(n) != found.get(n))
        if others:
            stop(f"{self.name}, {work}: writes other {', '.join(others)} than the local engine, see {self.home}")
        if self.pieces(work) != self.pieces("local"):
            stop(f"{self.name}, {work}: keeps other pieces than the local engine, see {self.home}")

    def middle(self, process, work):
        """Waits until a first piece of its own is kept; all must not be."""
        while process.poll() is None and not self.pieces(work):
            time.sleep(0.02)
        if process.poll() is not None:
            stop(f"{self.name}, {work}: ended before it could be killed, {self.said(work)}")

    def timed(self, work, engine):
        begun = time.monotonic()
        self.end(self.begin(work, engine), work)
        return time.monotonic() - begun

    def kills_worker(self):
        process = self.begin("worker", "spark")
        self.middle(process, "worker")
        had, executors = len(self.pieces("worker")), kill_worker()
        self.end(process, "worker")
        if executors != 1:
            stop(f"{self.name}: the worker that was killed had {executors} executors, expected 1")
        return had

    def kills_driver(self, work, then):
        process = self.begin(work, "spark")
        self.middle(process, work)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        had = len(self.pieces(work))
        self.end(self.begin(work, then), work)
        if f"{had} finished pieces of an earlier run were taken" not in self.said(work):
            stop(f"{self.name}, {work}: {had} pieces were kept, but the command said {self.said(work)}")
        return had

    def run(self, short):
        """Short: the driver is not killed."""
        local, spark = self.timed("local", "local"), self.timed("spark", "spark")
        self.requires_same("spark")
        worker = self.kills_worker()
        self.requires_same("worker")
        cluster("stop")
        self.url = start()
        if short:
            print(f"{self.name}: {len(self.pieces('local'))} pieces, {local:.1f} s local, {spark:.1f} s on Spark; a worker killed after {worker}"
                  "; all the same bytes", flush=True)
            return self.url
        driver = self.kills_driver("driver", "spark")
        self.requires_same("driver")
        other = self.kills_driver("driver-local", "local")
        self.requires_same("driver-local")
        print(f"{self.name}: {len(self.pieces('local'))} pieces, {local:.1f} s local, {spark:.1f} s on Spark; a worker killed after {worker}"
              f", the driver after {driver} and {other}; all the same bytes", flush=True)
        return self.url

    def is_refused(self, work, sentence, url=None, environment=None):
        log = self.home / f"{work}.log"
        done = subprocess.run([ROOT / "environment/recall", *CASES[self.name], "--model", MODEL, "--out", self.home / work,
                               "--engine", "spark", "--master", url or self.url],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              env={**os.environ, "RECALL_STORE": "none", **(environment or {})})
        log.write_text(done.stdout)
        said = [line for line in done.stdout.splitlines() if not line.startswith("waiting for spark:")]       # a slow machine
        if done.returncode != 2 or len(said) != 1 or not re.search(sentence, said[0]):
            stop(f"{work}: exit code {done.returncode}, expected 2 and one sentence like '{sentence}': {done.stdout}")
        print(f"{work}: {said[0]}", flush=True)


def refusals(home, url):
    case = Case("trace", home / "refused", url)
    case.is_refused("wrong-port", "nobody answers at 'spark://127.0.0.1:1'", url="spark://127.0.0.1:1")
    case.is_refused("wrong-url", "'sparky', where Spark cannot work", url="sparky")
    # executors that look for models elsewhere
    conf = case.home / "conf"
    models = case.home / "models"
    models.mkdir()
    conf.mkdir()
    settings = (CLUSTER / "conf/spark-defaults.conf").read_text()
    (conf / "spark-defaults.conf").write_text(f"{settings}spark.recall.models {models}\n")
    there = {"SPARK_CONF_DIR": str(conf)}
    case.is_refused("not-visible", f"cannot open the model at {models}/tiny-mamba", environment=there)
    shutil.copytree(ROOT / "data/models/tiny-neox", models / "tiny-mamba")
    case.is_refused("other-weights", "has another model at", environment=there)


# more than 2,000 pieces
SWEEP = {
    "models": [str(MODEL), str(ROOT / "data/models/tiny-neox")],
    "studies": {"linear": {"experiment": "lre_sweep", "relation": "all", "splits": 20, "facts": 6, "every": 8, "faithfulness_only": True}},
    "settings": {"seed": list(range(1, 10))},
}
PIECES = 2_000


def sweep(home, kills, seed):
    home.mkdir(parents=True, exist_ok=True)
    file, chance = home / "sweep.json", random.Random(seed)
    file.write_text(json.dumps(SWEEP))

    def begin(work, master):
        where = ["--engine", "spark", "--master", master] if master else []
        log = open(home / f"{work}.log", "a")
        return subprocess.Popen([ROOT / "environment/recall", "sweep", file, "--out", home / work, *where], stdout=log, stderr=log,
                                start_new_session=True, env={**os.environ, "RECALL_STORE": str(home / f"{work}-cache")})

    def end(work, master):
        if begin(work, master).wait() != 0:
            stop(f"sweep, {work}: failed, {(home / (work + '.log')).read_text()[-2000:]}")
        pieces = len(list((home / work).glob("requests/*/store/??/*.json")))
        return [(home / work / name).read_bytes() for name in ("results.parquet", "results.csv")], pieces

    for work in "local", "local-killed", "spark-killed":
        for left in work, f"{work}-cache":
            shutil.rmtree(home / left, ignore_errors=True)
        (home / f"{work}.log").unlink(missing_ok=True)
    begun = time.monotonic()
    expected, pieces = end("local", None)
    length = time.monotonic() - begun
    if pieces < PIECES:
        stop(f"sweep: {pieces} pieces, expected at least {PIECES}")
    url = start()
    try:
        for work, master in ("local-killed", None), ("spark-killed", url):
            killed = []
            while len(killed) < kills:
                process = begin(work, master)
                try:
                    process.wait(length * (0.05 + chance.random()) / (kills + 1) + 5)
                    break                                   # it has come to its end before
                except subprocess.TimeoutExpired:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
                    killed.append(len(list((home / work).glob("requests/*/store/??/*.json"))))
            found, had = end(work, master)
            if found != expected or had != pieces:
                stop(f"sweep, {work}, seed {seed}: another table or other pieces ({had}) than an unbroken one's ({pieces}), see {home}")
            if len(killed) < kills:
                stop(f"sweep, {work}, seed {seed}: ended after {len(killed)} kills, expected {kills}")
            print(f"sweep, {work}: {pieces} pieces, {length:.0f} s unbroken; killed after {', '.join(map(str, killed))}; the same bytes",
                  flush=True)
    finally:
        cluster("stop")


WARM = 4        # pieces by which all have begun
LONG = ["trace", *ALL, "--pairs", "1280", "--point", "residual", "--threads", "1"]


def seconds_a_piece(store):
    """Mean time between two pieces, when all work has begun."""
    times = sorted(p.stat().st_mtime_ns for p in store.glob("??/*.json"))[WARM:]
    if len(times) < 2 * WARM:
        stop(f"{store}: too few pieces to tell")
    return (times[-1] - times[0]) / (len(times) - 1) / 1e9


def together(home, names, more=()):
    """Runs the long command, several times at once; the stores of its own pieces, and of short ones."""
    processes = []
    for name in names:
        shutil.rmtree(home / name, ignore_errors=True)
        environment = {**os.environ, "RECALL_STORE": str(home / name / "short")}
        processes.append(subprocess.Popen([ROOT / "environment/recall", *LONG, "--model", MODEL, "--out", home / name / "out", *more],
                                          stdout=subprocess.DEVNULL, env=environment))
    for process in processes:
        if process.wait() != 0:
            stop(f"{names}: exit code {process.returncode}")
    return [home / name / "out/store" for name in names], [home / name / "short" for name in names]


def efficiency(home):
    home.mkdir(parents=True, exist_ok=True)
    own, short = together(home, ["local"])
    one, local_short = seconds_a_piece(own[0]), seconds_a_piece(short[0])
    both = 1 / sum(1 / seconds_a_piece(store) for store in together(home, ["local-1", "local-2"])[0])
    spark = []
    for workers in 1, 2:
        url = cluster("start", "--workers", str(workers))[-1]
        try:
            stores = together(home, [f"spark-{workers}"], ["--engine", "spark", "--master", url])
        finally:
            cluster("stop")
        spark.append([seconds_a_piece(kind[0]) for kind in stores])
    gain = spark[0][0] / spark[1][0]
    print(f"a piece of {one:.2f} s: two local processes {one / both:.2f} times as quick, two workers {gain:.2f} times: "
          f"{gain / (one / both):.2f} of that")
    print(f"a short piece: {1000 * local_short:.1f} ms here, {1000 * spark[0][1]:.1f} ms on one worker: "
          f"{1000 * (spark[0][1] - local_short):.1f} ms for the way")


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--out", type=Path, required=True)
    options.add_argument("--only", action="append", choices=CASES, help="a case, and no refusals; may be given several times")
    options.add_argument("--short", action="store_true", help="the driver is killed in the first case alone")
    options.add_argument("--sweep", action="store_true", help="kill a sweep")
    options.add_argument("--kills", type=int, default=5, help="of the sweep, on either engine")
    options.add_argument("--seed", type=int, default=1, help="of the moments")
    options.add_argument("--efficiency", action="store_true", help="measure, and check nothing")
    asked = options.parse_args()
    home = asked.out.resolve()
    if (CLUSTER / "url").exists():
        stop("a cluster is running already; environment/cluster stop ends it")
    if asked.efficiency:
        efficiency(home)
        return
    if asked.sweep:
        sweep(home, asked.kills, asked.seed)
        return
    url = start()
    try:
        if not asked.only:
            refusals(home, url)
        for i, name in enumerate(asked.only or CASES):
            url = Case(name, home, url).run(asked.short and i > 0)
    finally:
        cluster("stop")


main()
