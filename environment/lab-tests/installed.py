"""The kernel in a Jupyter of the user's own, started as VS Code does. Called by `environment/lab-test`: ROOT, ENVIRONMENT's folder, FOLDER."""
import os
import pathlib
import subprocess
import sys

from checks import Kernel, check, summary


def main():
    root, prefix, folder = (pathlib.Path(p) for p in sys.argv[1:])
    spec = prefix / "share" / "jupyter" / "kernels" / "recall-java"

    def install(*args):
        return subprocess.run([root / "environment" / "install-kernel", *args], capture_output=True, text=True, stdin=subprocess.DEVNULL)

    def refused(*args, sentence):
        done = install(*args)
        assert done.returncode == 2 and sentence in done.stderr and len(done.stderr.splitlines()) == 1, f"{done.returncode} {done.stderr}"

    def runs():
        done = install("--prefix", str(prefix))
        assert done.returncode == 0 and (spec / "kernel.json").exists(), done.stderr
        kernel = Kernel(folder)
        try:
            cell = kernel.run('LanguageModel.open("tiny-mamba").next("Novux Bridge is located in the city of").top(1)')
            assert "<table" in cell.result.get("text/html", ""), cell.error or cell.result
            where = kernel.run('java.nio.file.Path.of("").toAbsolutePath().toString()').result["text/plain"]
            assert pathlib.Path(where) == folder.resolve(), where
        finally:
            kernel.stop()

    def user():
        home = folder / "home"
        home.mkdir(exist_ok=True)
        os.environ["JUPYTER_DATA_DIR"] = str(home)
        try:
            assert install("--user").returncode == 0 and (home / "kernels" / "recall-java" / "jvm.args").exists()
            assert install("--user", "--remove").returncode == 0 and not (home / "kernels" / "recall-java").exists()
        finally:
            del os.environ["JUPYTER_DATA_DIR"]

    def removed():
        assert install("--prefix", str(prefix), "--remove").returncode == 0 and not spec.exists()
        refused("--prefix", str(prefix), "--remove", sentence="nothing to remove")

    check("install-kernel: a notebook in any folder runs in another Jupyter", runs)
    check("install-kernel: --user and --remove", user)
    check("install-kernel: --prefix and --remove", removed)
    check("install-kernel: an unknown option", lambda: refused("--nope", sentence="--nope: unknown option"))
    check("install-kernel: a folder that is not there", lambda: refused("--prefix", "/no/such", sentence="there is no folder '/no/such'"))
    check("install-kernel: no folder", lambda: refused("--prefix", sentence="--prefix: expected"))
    check("install-kernel: two places", lambda: refused("--user", "--prefix", str(prefix), sentence="expected one of them"))
    return summary()


if __name__ == "__main__":
    sys.exit(main())
