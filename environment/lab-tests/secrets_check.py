"""The token and the port of a running Lab. Called by `environment/lab-test`, LAB_URL set: the server's PROCESS, ROOT."""
import os
import pathlib
import stat
import subprocess
import sys
import urllib.parse

from checks import check, summary


def main():
    process, root = sys.argv[1], pathlib.Path(sys.argv[2])
    address = urllib.parse.urlparse(os.environ.pop("LAB_URL"))
    token, port = address.query.removeprefix("token="), str(address.port)

    def not_in_arguments():
        said = subprocess.run(["ps", "-ww", "-p", process, "-o", "args="], capture_output=True, text=True).stdout
        assert said.strip() and token not in said, "the token is there, or the server is not"

    def not_in_readable_files():
        for folder, _, names in os.walk(root / "target" / "jupyter"):
            if "venv" in pathlib.Path(folder).parts:
                continue
            for name in names:
                path = pathlib.Path(folder) / name
                if path.is_file() and token.encode() in path.read_bytes():
                    private = any(not p.stat().st_mode & (stat.S_IROTH | stat.S_IXOTH | stat.S_IRGRP | stat.S_IXGRP) for p in [path, path.parent])
                    assert private, f"{path} can be read by others"

    def taken_port():
        done = subprocess.run([root / "environment" / "lab", "--no-browser", "--port", port], capture_output=True, text=True, stdin=subprocess.DEVNULL)
        assert done.returncode == 2 and f"--port: {port} is in use" in done.stderr and "token" not in done.stdout, done

    def bad_port():
        for bad in ["x", "0", "99999", ""]:
            done = subprocess.run([root / "environment" / "lab", "--port", bad], capture_output=True, text=True, stdin=subprocess.DEVNULL)
            assert done.returncode == 2 and len(done.stderr.splitlines()) == 1, done

    check("lab: the token is not among the arguments", not_in_arguments)
    check("lab: nor in files that others can read", not_in_readable_files)
    check("lab: a port that is taken is refused", taken_port)
    check("lab: a port that is none is refused", bad_port)
    return summary()


if __name__ == "__main__":
    sys.exit(main())
