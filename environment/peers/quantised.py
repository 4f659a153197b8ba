"""Small random models of every family in llama.cpp's formats, and the logits of what these files hold, read apart from us.

quantised.py DIR              DIR/NAME-KIND.gguf, every family in every kind, and DIR/logits.safetensors
quantised.py DIR --few        those of src/test/resources/gguf/families

The files are quantised by llama.cpp's own llama_model_quantize. Their numbers come back by the Python package gguf, the changes that
llama.cpp's converter makes are undone here, and transformers computes the logits in f64 as far as it lets.
"""
import importlib.metadata, os, sys, warnings

warnings.filterwarnings("ignore")
import numpy as np
import torch
import transformers as t
import gguf
import llama_cpp
from safetensors.torch import save_file

V = 48
IDS = [3, 17, 41, 9, 30, 5, 23, 11]
SILENT = llama_cpp.llama_log_callback(lambda *_: None)          # kept, for the library calls it later
KINDS = dict(f16=1, bf16=32, q8_0=7, q4_0=2, q4_1=3, q5_0=8, q5_1=9, q2_k=10, q3_k=12, q4_k=15, q5_k=17, q6_k=18, iq4_nl=25)
FEW = ["llama-q4_k", "qwen2-q5_k", "gpt2-q4_k", "falcon-mamba-q4_k", "mamba2-q6_k",
       "llama-narrow-q8_0", "qwen2-narrow-q5_1", "gpt2-narrow-q4_0", "falcon-mamba-narrow-q4_1", "mamba2-narrow-q5_0"]


def models():
    """Name and model; the K kinds need widths that are multiples of 256, of the narrow ones llama.cpp takes others."""
    plain = dict(vocab_size=V, bos_token_id=0, eos_token_id=0)
    for width, layers in ((256, 1), (64, 2)):
        name = "" if width == 256 else "-narrow"
        scan = dict(plain, hidden_size=width, num_hidden_layers=layers, pad_token_id=0, conv_kernel=4, state_size=16, expand=1)
        attention = dict(plain, hidden_size=width, num_hidden_layers=layers, num_attention_heads=4, intermediate_size=width)
        llama = dict(attention, num_key_value_heads=2, max_position_embeddings=64)
        yield "llama" + name, t.LlamaForCausalLM(t.LlamaConfig(**llama, rms_norm_eps=1e-5))
        yield "qwen2" + name, t.Qwen2ForCausalLM(t.Qwen2Config(**llama, tie_word_embeddings=True))
        yield "gpt2" + name, t.GPT2LMHeadModel(t.GPT2Config(**plain, n_embd=width, n_layer=layers, n_head=4, n_inner=width, n_positions=64))
        yield "gpt-neox" + name, t.GPTNeoXForCausalLM(t.GPTNeoXConfig(**attention, max_position_embeddings=64))
        yield "mamba" + name, t.MambaForCausalLM(t.MambaConfig(**scan, time_step_rank=16))
        yield "falcon-mamba" + name, t.FalconMambaForCausalLM(t.FalconMambaConfig(**scan, time_step_rank=16))
        yield "mamba2" + name, t.Mamba2ForCausalLM(t.Mamba2Config(**scan, head_dim=width // 4, num_heads=4, n_groups=2, chunk_size=8))


ARCHITECTURES = dict(llama="LLAMA", qwen2="QWEN2", gpt2="GPT2", gpt_neox="GPTNEOX", mamba="MAMBA", falcon_mamba="MAMBA", mamba2="MAMBA2")


def header(w, c):
    """What llama.cpp's converter says of a model."""
    w.add_tokenizer_model("no_vocab")
    w.add_vocab_size(V)
    w.add_block_count(c.num_hidden_layers)
    w.add_embedding_length(c.hidden_size)
    w.add_context_length(64)
    if c.model_type in ("mamba", "falcon_mamba", "mamba2"):
        w.add_feed_forward_length(0)
        w.add_head_count(0)
        w.add_ssm_conv_kernel(c.conv_kernel)
        w.add_ssm_inner_size(int(c.expand * c.hidden_size))
        w.add_ssm_state_size(c.state_size)
        w.add_layer_norm_rms_eps(c.layer_norm_epsilon)
        if c.model_type == "mamba2":
            w.add_ssm_time_step_rank(c.num_heads)
            w.add_ssm_group_count(c.n_groups)
        else:
            w.add_ssm_time_step_rank(c.time_step_rank)
            w.add_ssm_dt_b_c_rms(c.model_type == "falcon_mamba")
        return
    w.add_head_count(c.num_attention_heads)
    w.add_feed_forward_length(c.n_inner if c.model_type == "gpt2" else c.intermediate_size)
    if c.model_type in ("llama", "qwen2"):
        w.add_head_count_kv(c.num_key_value_heads)
        w.add_layer_norm_rms_eps(c.rms_norm_eps)
        w.add_rope_freq_base(c.rope_parameters["rope_theta"])
        if c.model_type == "llama":
            w.add_rope_dimension_count(c.hidden_size // c.num_attention_heads)
    elif c.model_type == "gpt2":
        w.add_layer_norm_eps(c.layer_norm_epsilon)
    else:
        w.add_layer_norm_eps(c.layer_norm_eps)
        w.add_parallel_residual(c.use_parallel_residual)
        width = c.hidden_size // c.num_attention_heads
        w.add_rope_dimension_count(int(width * c.rope_parameters["partial_rotary_factor"]))


def paired(x, heads, back):
    """Rows of queries or keys, halves of a head to pairs, or back."""
    by = x.reshape(heads, -1, 2, *x.shape[1:]) if back else x.reshape(heads, 2, -1, *x.shape[1:])
    return by.swapaxes(1, 2).reshape(x.shape)


def changed(name, x, c, back=False):
    """A tensor as the converter changes it, or as it was."""
    if c.model_type == "llama" and (".q_proj." in name or ".k_proj." in name):
        return paired(x, c.num_attention_heads if ".q_proj." in name else c.num_key_value_heads, back)
    if c.model_type == "gpt2" and ".c_" in name and x.ndim == 2:
        return x.T
    if c.model_type == "gpt_neox" and ".query_key_value." in name:
        heads, rest = c.num_attention_heads, x.shape[1:]
        by = x.reshape(3, heads, -1, *rest) if back else x.reshape(heads, 3, -1, *rest)
        return by.swapaxes(0, 1).reshape(x.shape)
    if name.endswith("A_log"):
        x = np.log(-x.reshape(-1) if c.model_type == "mamba2" else -x) if back else -np.exp(x)
    if name.endswith("conv1d.weight"):
        return x[:, None] if back else x[:, 0]
    if c.model_type == "mamba2" and name.endswith(("A_log", ".D")):
        return x.reshape(-1) if back else x[:, None]
    if c.model_type == "mamba2" and name.endswith(".mixer.norm.weight"):
        return x.reshape(-1) if back else x.reshape(c.n_groups, -1)
    return x


def gguf_names(model):
    """Ours for transformers' names, by the package's own table; a tied head is left out, and buffers."""
    c = model.config
    table = gguf.get_tensor_name_map(gguf.MODEL_ARCH[ARCHITECTURES[c.model_type]], c.num_hidden_layers)
    names = {}
    for name, _ in model.named_parameters():
        said = name.replace(".dt_bias", ".dt_proj.bias")
        found = table.get_name(said, try_suffixes=(".weight", ".bias"))
        names[name] = found or sys.exit(f"{name}: gguf has no name for it")
    return names


def write(model, file):
    w = gguf.GGUFWriter(file, gguf.MODEL_ARCH_NAMES[gguf.MODEL_ARCH[ARCHITECTURES[model.config.model_type]]])
    header(w, model.config)
    names = gguf_names(model)
    for name, p in model.named_parameters():
        w.add_tensor(names[name], np.ascontiguousarray(changed(name, p.detach().numpy(), model.config), dtype=np.float32))
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


def quantise(source, to, kind):
    p = llama_cpp.llama_model_quantize_default_params()
    p.ftype, p.nthread = KINDS[kind], 1
    if llama_cpp.llama_model_quantize(source.encode(), to.encode(), p) != 0:
        sys.exit(f"{to}: llama.cpp did not write it")


def logits(model, file):
    """Of a model with a file's numbers in the place of its own."""
    names, stored = gguf_names(model), {x.name: x for x in gguf.GGUFReader(file).tensors}
    state = {}
    for name, p in model.named_parameters():
        x = stored[names[name]]
        values = gguf.dequantize(x.data, x.tensor_type).astype(np.float64).reshape([int(n) for n in x.shape][::-1])
        state[name] = torch.from_numpy(np.ascontiguousarray(changed(name, values, model.config, back=True))).reshape(p.shape)
    whole = type(model)(model.config).double().eval()
    missing, unknown = whole.load_state_dict(state, strict=False)
    whole.tie_weights()
    if unknown or [n for n in missing if n in state]:
        sys.exit(f"{file}: {missing} {unknown}")
    with torch.no_grad():
        return whole(torch.tensor([IDS]), use_cache=False).logits[0].double()


def main():
    folder, few = sys.argv[1], "--few" in sys.argv[2:]
    os.makedirs(folder, exist_ok=True)
    llama_cpp.llama_log_set(SILENT, None)
    torch.manual_seed(11)
    expected = {"ids": torch.tensor(IDS)}
    for name, model in models():
        with torch.no_grad():
            for key, p in model.named_parameters():
                if p.dim() == 1 and not key.endswith(("A_log", "dt_bias", ".D")):
                    p.add_(0.1 * torch.randn_like(p))               # biases are not left at zero, nor norms at one
                elif p.dim() == 2 and not key.endswith("A_log"):
                    p.mul_(3)                                       # so that logits are not all near zero
        source = os.path.join(folder, name + ".part")
        write(model, source)
        for kind in KINDS:
            if few and f"{name}-{kind}" not in FEW:
                continue
            file = os.path.join(folder, f"{name}-{kind}.gguf")
            quantise(source, file, kind)
            expected[f"{name}-{kind}"] = logits(model, file).float().contiguous()
            used = sorted({x.tensor_type.name for x in gguf.GGUFReader(file).tensors})
            print(f"{name}-{kind}: {os.path.getsize(file)} bytes, {' '.join(used)}", flush=True)
        os.remove(source)
    save_file(expected, os.path.join(folder, "logits.safetensors"))
    print(", ".join(f"{p} {importlib.metadata.version(p)}" for p in ("llama-cpp-python", "gguf", "transformers")))


main()
