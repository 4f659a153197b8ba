"""Fills `strata` of strata.json beside it: mean effects of the subject's last token by layer, apart by the number of the subject's tokens.

An independent model: Mamba-1 in numpy, float64, one token after the other, from data/models/tiny-mamba's safetensors. For each pair of
strata.json (ids of the clean and the corrupt prompt, the answer, the index of the subject's last token, how many tokens the subject has)
the residual stream of the clean run is put into the corrupt run at that token after each layer in turn:
(p - p_corrupt) / (p_clean - p_corrupt), over pairs whose two runs differ by 0.05 or more.  usage: python3 strata.py (needs numpy)
"""
import json
import pathlib

import numpy as np

HERE = pathlib.Path(__file__).parent
MODEL = HERE.parents[3] / "data" / "models" / "tiny-mamba"
LEAST_SPAN = 0.05


def tensors(path):
    raw = path.read_bytes()
    length = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8:8 + length])
    header.pop("__metadata__", None)
    return {name: np.frombuffer(raw, "<f4", offset=8 + length + t["data_offsets"][0], count=int(np.prod(t["shape"])))
            .reshape(t["shape"]).astype(np.float64) for name, t in header.items()}


W = {k.removeprefix("backbone."): v for k, v in tensors(MODEL / "model.safetensors").items()}
LAYERS = 1 + max(int(k.split(".")[1]) for k in W if k.startswith("layers."))


def norm(x, weight):
    return x / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + 1e-5) * weight


def silu(x):
    return x / (1 + np.exp(-x))


def block(h, n):
    w = {k.split(".", 2)[2]: v for k, v in W.items() if k.startswith(f"layers.{n}.")}
    x = norm(h, w["norm.weight"])
    both = x @ w["mixer.in_proj.weight"].T
    inner = both.shape[1] // 2
    a, gate = both[:, :inner], both[:, inner:]
    kernel = w["mixer.conv1d.weight"][:, 0, :]
    padded = np.vstack([np.zeros((kernel.shape[1] - 1, inner)), a])
    c = np.stack([(padded[t:t + kernel.shape[1]] * kernel.T).sum(0) for t in range(len(h))]) + w["mixer.conv1d.bias"]
    u = silu(c)
    rest = u @ w["mixer.x_proj.weight"].T
    rank = w["mixer.dt_proj.weight"].shape[1]
    states = (rest.shape[1] - rank) // 2
    delta = np.logaddexp(0, rest[:, :rank] @ w["mixer.dt_proj.weight"].T + w["mixer.dt_proj.bias"])
    b, read = rest[:, rank:rank + states], rest[:, rank + states:]
    decay = -np.exp(w["mixer.A_log"])
    state = np.zeros((inner, states))
    s = np.empty_like(u)
    for t in range(len(h)):
        state = np.exp(delta[t][:, None] * decay) * state + (delta[t] * u[t])[:, None] * b[t]
        s[t] = state @ read[t] + w["mixer.D"] * u[t]
    return h + (s * silu(gate)) @ w["mixer.out_proj.weight"].T


EMBED = W.get("embeddings.weight", W.get("embedding.weight"))


def run(ids, patch=None):
    """The residual stream after each layer, and the probabilities after the last token; patch: (layer, token, vector)."""
    h = EMBED[ids]
    stream = []
    for n in range(LAYERS):
        h = block(h, n)
        if patch is not None and patch[0] == n:
            h = h.copy()
            h[patch[1]] = patch[2]
        stream.append(h)
    logits = EMBED @ norm(h[-1], W["norm_f.weight"])
    p = np.exp(logits - logits.max())
    return stream, p / p.sum()


file = HERE / "strata.json"
given = json.loads(file.read_text())
effects = {}
for pair in given["pairs"]:
    clean, p_clean = run(pair["clean"])
    _, p_corrupt = run(pair["corrupt"])
    answer, at = pair["answer"], pair["last"]
    span = p_clean[answer] - p_corrupt[answer]
    if span >= LEAST_SPAN:
        effects.setdefault(pair["tokens"], []).append(
            [(run(pair["corrupt"], (n, at, clean[n][at]))[1][answer] - p_corrupt[answer]) / span for n in range(LAYERS)])
strata = [{"tokens": k, "pairs": len(v), "means": [float(f"{m:.9f}") for m in np.mean(v, axis=0)]} for k, v in sorted(effects.items())]
pairs = ",\n".join("  " + json.dumps(p) for p in given["pairs"])
strata = ",\n".join("  " + json.dumps(s) for s in strata)
file.write_text('{\n "pairs": [\n' + pairs + '\n ],\n "strata": [\n' + strata + "\n ]\n}\n")
