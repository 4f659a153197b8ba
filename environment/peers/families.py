"""Small random models of every family as transformers writes them, and whether it opens what we save.

families.py make DIR          a folder a model, and requests that read our logits and save an edit of it
families.py check DIR         our logits and those of the saved folders beside transformers'; exit code 1 where they are apart
"""
import json, os, sys, warnings

warnings.filterwarnings("ignore")
import torch
import transformers as t
from safetensors import safe_open

IDS = [3, 17, 41, 9, 66, 5, 23, 80, 11, 2]
CLOSE = 1e-4
V = 96


def models():
    """Name, model, dtype, and the layer and matrix of an edit."""
    scan = dict(vocab_size=V, hidden_size=48, num_hidden_layers=3, state_size=8, conv_kernel=4, bos_token_id=0, eos_token_id=0, pad_token_id=0)
    plain = dict(vocab_size=V, bos_token_id=0, eos_token_id=0)
    yield "mamba", t.MambaForCausalLM(t.MambaConfig(**scan)), "out_proj"
    yield "mamba-bias", t.MambaForCausalLM(t.MambaConfig(**scan, use_bias=True, use_conv_bias=False)), "in_proj.z"
    yield "falcon-mamba", t.FalconMambaForCausalLM(t.FalconMambaConfig(**scan)), "in_proj.x"
    yield "mamba2", t.Mamba2ForCausalLM(t.Mamba2Config(**scan, expand=2, head_dim=16, num_heads=6, n_groups=2, chunk_size=8)), "out_proj"
    yield "gpt-neox", t.GPTNeoXForCausalLM(t.GPTNeoXConfig(
        **plain, hidden_size=48, num_hidden_layers=3, num_attention_heads=3, intermediate_size=96)), "mlp.dense_4h_to_h"
    llama = dict(plain, hidden_size=48, num_hidden_layers=3, num_attention_heads=4, num_key_value_heads=2, intermediate_size=96)
    yield "llama", t.LlamaForCausalLM(t.LlamaConfig(**llama)), "mlp.down_proj"
    yield "llama-biases", t.LlamaForCausalLM(t.LlamaConfig(**llama, attention_bias=True, mlp_bias=True, head_dim=16)), "mlp.down_proj"
    yield "llama3-rope", t.LlamaForCausalLM(t.LlamaConfig(**llama, tie_word_embeddings=True, rope_scaling=dict(
        rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=8))), "mlp.down_proj"
    yield "mistral", t.MistralForCausalLM(t.MistralConfig(**llama, sliding_window=None)), "mlp.down_proj"
    yield "qwen2", t.Qwen2ForCausalLM(t.Qwen2Config(**llama)), "mlp.down_proj"
    yield "gpt2", t.GPT2LMHeadModel(t.GPT2Config(**plain, n_embd=48, n_layer=3, n_head=4, n_positions=64)), "mlp.c_proj"


def logits(folder, dtype=torch.float32):
    model = t.AutoModelForCausalLM.from_pretrained(folder, dtype=dtype).eval()
    with torch.no_grad():
        return model(torch.tensor([IDS]), use_cache=False).logits[0].double()


def make(folder):
    torch.manual_seed(7)
    for name, model, matrix in models():
        with torch.no_grad():
            for key, p in model.named_parameters():
                if p.dim() == 1 and not key.endswith(("A_log", "dt_bias", ".D")):
                    p.add_(0.1 * torch.randn_like(p))                   # biases are not left at zero, nor norms at one
        for dtype in ("f32", "bf16"):
            at = os.path.join(folder, f"{name}-{dtype}")
            model.to(torch.bfloat16 if dtype == "bf16" else torch.float32).save_pretrained(at)
            prompt = {"ids": IDS}
            read = {"experiment": "activations", "model": at, "prompt": prompt, "points": ["logits"]}
            rome = {"experiment": "rome", "model": at, "layer": 1, "matrix": matrix, "prompt": prompt, "subject_last": 4,
                    "prefixes": [{"ids": []}], "target": [7], "kl_prompt": prompt, "kl_pos": 4, "covariance": "identity",
                    "hyperparameters": {"steps": 4, "lr": 0.5, "weight_decay": 0.5, "kl_factor": 0.0625, "clamp_norm_factor": 3,
                                        "stop_loss": 0.05}, "save": at + "-edited"}
            lines = [read, rome, dict(read, model=at + "-edited")]
            with open(at + ".jsonl", "w") as f:
                f.writelines(json.dumps(line) + "\n" for line in lines)
        model.to(torch.float32)


def ours(folder, line):
    with safe_open(os.path.join(folder, str(line), "result.safetensors"), "pt") as f:
        return f.get_tensor("logits").double()


def check(folder):
    apart = False
    for name in sorted(f[:-6] for f in os.listdir(folder) if f.endswith(".jsonl")):
        at = os.path.join(folder, name)
        theirs, edited = logits(at), logits(at + "-edited")
        opened = (theirs - ours(at + "-out", 0)).abs().max().item()
        saved = (edited - ours(at + "-out", 2)).abs().max().item()
        changed = (edited - theirs).abs().max().item()
        bad = not (opened <= CLOSE and saved <= CLOSE and changed > 1e-3)
        apart |= bad
        print(f"{name:20} opened by us {opened:.1e}, saved by us {saved:.1e}, the edit changed logits by {changed:.2f}{'  APART' if bad else ''}")
    print(f"transformers {t.__version__}, torch {torch.__version__}; at most {CLOSE:.0e} is allowed")
    return apart


if __name__ == "__main__":
    command, where = sys.argv[1:]
    sys.exit(make(where) if command == "make" else check(where))
