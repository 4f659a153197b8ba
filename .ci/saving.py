"""Edits a large model and saves it: how much anonymous memory the whole command takes above the open model, and how large the file is.

usage: saving.py MODEL FOLDER -- COMMAND..    (MODEL: a bf16 Mamba; FOLDER: where it is saved, not there yet; COMMAND: what runs recall)

Memory is RssAnon of /proc, asked for every 20 ms. Commands run in a heap of 1 GiB above the model's file, where what a command holds
counts, and in the heap that COMMAND gives, where what it has let go counts too until it goes back to the system. The edit is made in the
layer that is edited unless another is named: the search goes back through all above it.
"""
import os
import shutil
import subprocess
import sys
import time

MOST = 1 << 30      # bytes above the open model


def anonymous(pid):
    """Bytes, 0 where the process has ended."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii") as status:
            return next((int(line.split()[1]) * 1024 for line in status if line.startswith("RssAnon")), 0)
    except FileNotFoundError:
        return 0


def peaks(command, folder):
    """Largest before the folder is there, and from then on; seconds of both."""
    largest, seconds, saving = [0, 0], [0.0, 0.0], 0
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        begun = time.monotonic()
        while process.poll() is None:
            saving = saving or int(any(name.startswith(os.path.basename(folder)) for name in os.listdir(os.path.dirname(folder))))
            largest[saving] = max(largest[saving], anonymous(process.pid))
            seconds[saving] = time.monotonic() - begun
            time.sleep(0.02)
    if process.returncode:
        sys.exit(f"{' '.join(command[-12:])} ended with {process.returncode}")
    return largest, [seconds[0], max(0.0, seconds[1] - seconds[0])]


def main():
    at = sys.argv.index("--")
    model, folder = (os.path.abspath(a) for a in sys.argv[1:at])
    given = sys.argv[at + 1:]
    weights, change = os.path.join(model, "model.safetensors"), os.path.join(os.path.dirname(folder), "change.safetensors")
    size = os.path.getsize(weights)
    narrow = [given[0], *(o for o in given[1:] if "RAMPercentage" not in o and not o.startswith("-Xmx"))]
    narrow.insert(1, f"-Xmx{(size + MOST) >> 20}m")
    edit = ["edit", "--model", model, "--subject", "The Space Needle", "--prompt", "{} is in the city of", "--target", "Paris",
            "--contexts", "0", "--covariance", "identity", "--change", change, "--save", folder]
    above = 0
    for heap, recall in (("1 GiB above the file", narrow), ("as given", given)):
        (opened, _), _ = peaks(recall + ["next", model, "The Space Needle is in the city of"], folder)
        (edited, saved), seconds = peaks(recall + edit, folder)
        print(f"heap {heap}: open {opened / 1e6:.0f} MB, edit {edited / 1e6:.0f} MB ({seconds[0]:.0f} s), saving it {saved / 1e6:.0f} MB "
              f"({seconds[1]:.0f} s)", flush=True)
        written = os.path.getsize(os.path.join(folder, "model.safetensors"))
        shutil.rmtree(folder)
        (before, applied), seconds = peaks(recall + ["edit", "--model", model, "--apply", change, "--save", folder], folder)
        print(f"  from the edit's file {max(before, applied) / 1e6:.0f} MB ({sum(seconds):.0f} s)", flush=True)
        shutil.rmtree(folder)
        above = max(above, max(edited, saved, before, applied) - opened)
    os.remove(change)
    print(f"files of {size} and {written} bytes", flush=True)
    if above > MOST:
        sys.exit(f"{above >> 20} MiB above the open model, expected at most {MOST >> 20}")
    if abs(size - written) > size // 1000:
        sys.exit("the file is not as large as before")


main()
