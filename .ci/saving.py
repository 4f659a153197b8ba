"""Edits a large model and saves it: how much anonymous memory that takes above the open model, and how large the file is.

usage: saving.py MODEL FOLDER -- COMMAND..    (MODEL: a bf16 Mamba; FOLDER: where it is saved, not there yet; COMMAND: what runs recall)

Memory is RssAnon of /proc, asked for every 20 ms. The open model's is its largest while `next` answers one prompt.
"""
import os
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
    (opened, _), _ = peaks(recall + ["next", model, "The Space Needle is in the city of"], folder)
    (edited, saved), seconds = peaks(recall + ["edit", "--model", model, "--subject", "The Space Needle", "--prompt", "{} is in the city of",
                                               "--target", "Paris", "--layer", "60", "--contexts", "0", "--covariance", "identity", "--save",
                                               folder], folder)
    sizes = [os.path.getsize(os.path.join(f, "model.safetensors")) for f in (model, folder)]
    print(f"open {opened / 1e6:.0f} MB, editing {edited / 1e6:.0f} MB ({seconds[0]:.0f} s), saving {saved / 1e6:.0f} MB ({seconds[1]:.0f} s); "
          f"files {sizes[0]} and {sizes[1]} bytes")
    if not saved or max(edited, saved) - opened > MOST:
        sys.exit(f"more than {MOST >> 20} MiB above the open model")
    if abs(sizes[0] - sizes[1]) > sizes[0] // 1000:
        sys.exit("the file is not as large as before")


main()
