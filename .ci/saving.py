"""Edits a large model and saves it: how much anonymous memory that takes above the open model, and how large the file is.

usage: saving.py MODEL FOLDER -- COMMAND..    (MODEL: a bf16 Mamba; FOLDER: where it is saved, not there yet; COMMAND: what runs recall)

Memory is RssAnon of /proc, asked for every 20 ms. The edit (of the last layer, for the search needs the layers above turned) runs with
whatever heap it is given: there, what saving adds to the peak before it counts. Then the edit is taken from its file and saved in a heap of
1 GiB above the model's file, beside `next` in the same: there, all of it counts.
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
    recall = sys.argv[at + 1:]
    weights, change = os.path.join(model, "model.safetensors"), os.path.join(os.path.dirname(folder), "change.safetensors")
    (edited, saved), seconds = peaks(recall + [
        "edit", "--model", model, "--subject", "The Space Needle", "--prompt", "{} is in the city of", "--target", "Paris", "--layer", "63",
        "--contexts", "0", "--covariance", "identity", "--change", change, "--save", folder], folder)
    sizes = [os.path.getsize(weights), os.path.getsize(os.path.join(folder, "model.safetensors"))]
    print(f"edit {edited / 1e6:.0f} MB ({seconds[0]:.0f} s), saving it {saved / 1e6:.0f} MB ({seconds[1]:.0f} s); "
          f"files of {sizes[0]} and {sizes[1]} bytes", flush=True)
    shutil.rmtree(folder)
    narrow = [recall[0], f"-Xmx{(sizes[0] + MOST) >> 20}m", *recall[1:]]
    (opened, _), _ = peaks(narrow + ["next", model, "The Space Needle is in the city of"], folder)
    (before, applied), seconds = peaks(narrow + ["edit", "--model", model, "--apply", change, "--save", folder], folder)
    print(f"open {opened / 1e6:.0f} MB, edit from its file {before / 1e6:.0f} MB ({seconds[0]:.0f} s), saving it {applied / 1e6:.0f} MB "
          f"({seconds[1]:.0f} s)", flush=True)
    os.remove(change)
    if not saved or not applied or max(saved - edited, before - opened, applied - opened) > MOST:
        sys.exit(f"more than {MOST >> 20} MiB above")
    if abs(sizes[0] - sizes[1]) > sizes[0] // 1000:
        sys.exit("the file is not as large as before")


main()
