"""Llama and Mamba-2 in plain PyTorch, as torch_peer.py has Mamba and GPT-NeoX: weights of HuggingFace's names, [B, T, channel] everywhere.

Llama: one product for q, k, v and one for gate and up, F.scaled_dot_product_attention. Mamba-2: the chunked form (Dao and Gu, arXiv
2405.21060, section 6), products within a chunk and a state that is carried over; `tune` takes the quickest length of a chunk."""
import time

import torch, torch.nn.functional as F

CHUNKS = (16, 32, 64, 128, 256)
attend = getattr(F, "scaled_dot_product_attention", None)            # PyTorch 2

def rms(x, w, eps):
    if hasattr(F, "rms_norm"): return F.rms_norm(x, (x.shape[-1],), w, eps)
    x = x * torch.rsqrt(x.square().mean(-1, keepdim=True) + eps)
    return x if w is None else x * w

class Base:
    time = 1                               # position of the time axis in a residual
    def __init__(self, cfg, w, train=False):
        if train: w = {k: v.requires_grad_(True) for k, v in w.items()}
        self.w, self.train, self.packed = w, train, {}
        self.d, self.L, self.V = cfg["hidden_size"], cfg["num_hidden_layers"], cfg["vocab_size"]
        self.E = w[self.embedding]; self.U = self.E if cfg.get("tie_word_embeddings", False) else w["lm_head.weight"]
    def joined(self, *names):
        """Matrices below each other, so that one product does for all; kept, unless they are trained."""
        if self.train: return torch.cat([self.w[n] for n in names])
        if names not in self.packed:
            self.packed[names] = torch.cat([self.w[n] for n in names])
            at = 0                          # the parts are views of the whole from here on
            for n in names: rows = self.w[n].shape[0]; self.w[n] = self.packed[names][at:at + rows]; at += rows
        return self.packed[names]
    def embed(self, ids): return F.embedding(ids, self.E)
    def head(self, h): return F.linear(rms(h, self.w[self.last], self.eps), self.U)

class Llama(Base):
    embedding, last = "model.embed_tokens.weight", "model.norm.weight"
    def __init__(self, cfg, w, train=False):
        super().__init__(cfg, w, train)
        self.nh = cfg["num_attention_heads"]; self.nk = cfg.get("num_key_value_heads", self.nh)
        self.dh = cfg.get("head_dim") or self.d // self.nh; self.eps = cfg.get("rms_norm_eps", 1e-6)
        rope = cfg.get("rope_parameters") or cfg.get("rope_scaling") or {}
        if rope.get("rope_type", "default") != "default": raise SystemExit("a scaled rotary embedding is not known here")
        self.base = cfg.get("rope_theta") or rope.get("rope_theta", 10000.0); self.cache = {}
    def tables(self, T):
        if T not in self.cache:
            f = 1.0 / self.base ** (torch.arange(0, self.dh, 2, dtype=torch.float64) / self.dh)
            a = torch.arange(T, dtype=torch.float64)[:, None] * f
            self.cache[T] = torch.cat([a.cos(), a.cos()], -1).float(), torch.cat([-a.sin(), a.sin()], -1).float()
        return self.cache[T]
    def layer(self, l, h, add=None):
        """h [B,T,d] -> h after layer l. add(out): may change the MLP's output before it joins the residual."""
        b = f"model.layers.{l}."; nb, T = h.shape[:2]; cos, sin = self.tables(T); nq = self.nh + self.nk; half = self.dh // 2
        qkv = F.linear(rms(h, self.w[b + "input_layernorm.weight"], self.eps),
                       self.joined(*(b + f"self_attn.{x}_proj.weight" for x in "qkv")))
        qkv = qkv.view(nb, T, nq + self.nk, self.dh).transpose(1, 2)
        qk, v = qkv[:, :nq], qkv[:, nq:]     # the sign of the rotated half is inside `sin`
        qk = torch.addcmul(qk * cos, torch.cat([qk[..., half:], qk[..., :half]], -1), sin)
        q, k = qk[:, :self.nh], qk[:, self.nh:]
        if self.nk < self.nh: k, v = (x.repeat_interleave(self.nh // self.nk, 1) for x in (k, v))
        if attend: ctx = attend(q, k, v, is_causal=True)
        else:
            mask = torch.full((T, T), float("-inf")).triu_(1)
            ctx = torch.softmax(q @ k.transpose(-1, -2) / self.dh ** 0.5 + mask, -1) @ v
        h = h + F.linear(ctx.transpose(1, 2).reshape(nb, T, self.nh * self.dh), self.w[b + "self_attn.o_proj.weight"])
        gate, up = F.linear(rms(h, self.w[b + "post_attention_layernorm.weight"], self.eps),
                            self.joined(*(b + f"mlp.{x}_proj.weight" for x in ("gate", "up")))).chunk(2, -1)
        o = F.linear(F.silu(gate) * up, self.w[b + "mlp.down_proj.weight"])
        return h + (o if add is None else add(o))

class Mamba2(Base):
    embedding, last = "backbone.embeddings.weight", "backbone.norm_f.weight"
    def __init__(self, cfg, w, train=False):
        super().__init__(cfg, w, train)
        self.H, self.P, self.N, self.G = cfg["num_heads"], cfg["head_dim"], cfg["state_size"], cfg.get("n_groups", 8)
        self.K, self.eps = cfg.get("conv_kernel", 4), cfg.get("layer_norm_epsilon", 1e-5)
        self.di, self.chunk = self.H * self.P, 64
        low, high = cfg.get("time_step_limit") or (0.0, float("inf"))
        self.limits = (float(low), float(high["__float__"]) if isinstance(high, dict) else float(high))
    def tune(self, forward, tokens):
        """Takes the length of a chunk with which `forward` is quickest."""
        tried = []
        for self.chunk in sorted({min(c, tokens) for c in CHUNKS}):
            for timed in (False, True, True, True):
                begin = time.perf_counter(); forward()
                if timed: tried.append((time.perf_counter() - begin, self.chunk))
        self.chunk = min(tried)[1]
    def scan(self, x, delta, A, Bm, Cm):
        """x [B,T,H,P], delta [B,T,H], A [H], Bm, Cm [B,T,G,N] -> y [B,T,H,P], without D."""
        nb, T, H, P = x.shape; x, delta, Bm, Cm = x.transpose(1, 2), delta.transpose(1, 2), Bm.transpose(1, 2), Cm.transpose(1, 2)
        y, s = [], None
        for t in range(0, T, self.chunk):
            c = slice(t, t + self.chunk); xc, dc, Bc, Cc = x[:, :, c], delta[:, :, c], Bm[:, :, c], Cm[:, :, c]; n = xc.shape[2]
            fall = torch.cumsum(dc * A[:, None], -1)                      # log of what is left of a state, from the chunk's first token on
            seen = (fall[..., :, None] - fall[..., None, :]).masked_fill(torch.ones(n, n, dtype=torch.bool).triu(1), float("-inf"))
            mixed = (Cc @ Bc.transpose(-1, -2)).repeat_interleave(H // self.G, 1) * torch.exp(seen) * dc[..., None, :]
            yc = mixed @ xc
            Bh, Ch = (m.repeat_interleave(H // self.G, 1) if self.G > 1 else m for m in (Bc, Cc))
            if s is not None: yc = yc + torch.exp(fall)[..., None] * (Ch @ s)
            if t + n < T:
                new = Bh.transpose(-1, -2) @ (xc * (torch.exp(fall[..., -1:] - fall) * dc)[..., None])
                s = new if s is None else torch.addcmul(new, torch.exp(fall[..., -1])[..., None, None], s)
            y.append(yc)
        return torch.cat(y, 2).transpose(1, 2)
    def layer(self, l, h, add=None):
        """h [B,T,d] -> h after layer l. add(out): may change the block's output before it joins the residual."""
        b = f"backbone.layers.{l}."; g = lambda k: self.w.get(b + "mixer." + k); nb, T = h.shape[:2]; GN, K = self.G * self.N, self.K
        z, u, dt = F.linear(rms(h, self.w[b + "norm.weight"], self.eps), g("in_proj.weight"), g("in_proj.bias")).split(
            [self.di, self.di + 2 * GN, self.H], -1)
        taps = g("conv1d.weight")[:, 0].t(); up = F.pad(u, (0, 0, K - 1, 0)); conv = up[:, K - 1:] * taps[K - 1]
        for k in range(K - 1): conv = torch.addcmul(conv, up[:, k:k + T], taps[k])
        bias = g("conv1d.bias"); u = F.silu(conv if bias is None else conv + bias)
        x, Bm, Cm = u.split([self.di, GN, GN], -1); x = x.reshape(nb, T, self.H, self.P)
        delta = F.softplus(dt + g("dt_bias"))
        if self.limits != (0.0, float("inf")): delta = delta.clamp(*self.limits)
        y = self.scan(x, delta, -torch.exp(g("A_log")), Bm.reshape(nb, T, self.G, self.N), Cm.reshape(nb, T, self.G, self.N))
        y = torch.addcmul(y, x, g("D")[:, None]).reshape(nb, T, self.di) * F.silu(z)
        y = rms(y.view(nb, T, self.G, -1), None, self.eps).view(nb, T, self.di) * g("norm.weight")
        o = F.linear(y, g("out_proj.weight"), g("out_proj.bias"))
        return h + (o if add is None else add(o))
