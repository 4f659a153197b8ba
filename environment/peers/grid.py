"""The residual stream put back at every layer and token, by other tools, as their users would do it.

    grid.py TOOL < REQUEST          (TOOL: transformers or transformer_lens)

REQUEST, an object: `model` (a folder) and, of a GGUF file in it, `file`; `clean` and `corrupt` (token ids, equally many), `answer` (an id),
`threads`. Two lines are answered. The first comes behind the first grid, made one cell after the other: `name`, `version`, `torch` and
`threads` of the tool, and `grid`, the answer's probability by layer and token. The second has `seconds` of a grid, the best of some:
`one by one` (a run of the model for every cell) and `layers batched` (all tokens of a layer in one run), and of the latter its own `grid`.
A grid is all of it: the clean run, and the corrupt run with each cell put back. No KV cache; logits of the last token alone where the tool
can. Needs requirements.txt, requirements-transformers.txt and, for transformer_lens, requirements-lens.txt."""
import contextlib, importlib.metadata, json, logging, os, sys, time, warnings

os.environ["HF_HUB_OFFLINE"] = "1"
warnings.filterwarnings("ignore")
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

LONG, FEWEST, MOST = 20.0, 2, 10           # seconds after which a grid is not made again, but so often at least; and at most


class Transformers:
    """Hooks of PyTorch on the layers of a model of HuggingFace transformers."""
    name, package = "transformers", "transformers"

    def __init__(self, ask):
        self.model = opened(ask)
        trunk = getattr(self.model, self.model.base_model_prefix)
        self.layers = list(trunk.layers)
        self.clean, self.corrupt, self.answer = ids(ask["clean"]), ids(ask["corrupt"]), ask["answer"]

    def run(self, tokens, hook=None, layer=None):
        with contextlib.ExitStack() as hooks:
            for i, module in enumerate(self.layers):
                if hook and layer in (None, i):
                    hooks.callback(module.register_forward_hook(
                        lambda _, __, out, i=i: tuple_of(out, hook(i, out[0] if isinstance(out, tuple) else out))).remove)
            return self.model(tokens, use_cache=False, logits_to_keep=1).logits[:, -1]

    def kept(self):
        """The clean run's residual stream after each layer."""
        kept = {}

        def keep(layer, stream):
            kept[layer] = stream[0].clone()
            return stream
        self.run(self.clean, keep)
        return kept

    def one_by_one(self):
        kept, grid = self.kept(), []
        for layer in range(len(self.layers)):
            for token in range(self.corrupt.shape[1]):
                def put(_, stream):
                    stream[:, token] = kept[layer][token]
                    return stream
                grid.append(probability(self.run(self.corrupt, put, layer), self.answer))
        return torch.cat(grid)

    def batched(self):
        kept, grid, tokens = self.kept(), [], torch.arange(self.corrupt.shape[1])
        for layer in range(len(self.layers)):
            def put(_, stream):
                stream[tokens, tokens] = kept[layer]
                return stream
            grid.append(probability(self.run(self.corrupt.repeat(len(tokens), 1), put, layer), self.answer))
        return torch.cat(grid)


class TransformerLens:
    """A bridge over the same model, and the tool's own function for patching."""
    name, package = "TransformerLens", "transformer-lens"

    def __init__(self, ask):
        from transformer_lens import patching
        from transformer_lens.model_bridge import TransformerBridge
        logging.disable(logging.WARNING)
        self.patching = patching
        tokenizer = AutoTokenizer.from_pretrained(ask["model"], **where(ask))
        self.model = TransformerBridge.boot_transformers(ask["model"], hf_model=opened(ask), tokenizer=tokenizer, device="cpu")
        self.clean, self.corrupt, self.answer = ids(ask["clean"]), ids(ask["corrupt"]), ask["answer"]

    @staticmethod
    def point(layer):
        return "blocks.%d.hook_resid_post" % layer

    def kept(self):
        return self.model.run_with_cache(self.clean, names_filter=[self.point(i) for i in range(self.model.cfg.n_layers)])[1]

    def one_by_one(self):
        return self.patching.generic_activation_patch(
            self.model, self.corrupt, self.kept(), lambda logits: probability(logits[:, -1], self.answer)[0],
            self.patching.layer_pos_patch_setter, "resid_post", ("layer", "pos")).flatten()

    def batched(self):
        kept, grid, tokens = self.kept(), [], torch.arange(self.corrupt.shape[1])
        for layer in range(self.model.cfg.n_layers):
            def put(stream, hook):
                stream[tokens, tokens] = kept[self.point(layer)][0]
                return stream
            logits = self.model.run_with_hooks(self.corrupt.repeat(len(tokens), 1), fwd_hooks=[(self.point(layer), put)])
            grid.append(probability(logits[:, -1], self.answer))
        return torch.cat(grid)


def where(ask):
    return {"gguf_file": ask["file"]} if ask.get("file") else {}


def opened(ask):
    return AutoModelForCausalLM.from_pretrained(ask["model"], dtype=torch.float32, **where(ask)).eval()


def ids(tokens):
    return torch.tensor([tokens])


def tuple_of(out, first):
    """What a layer gave, with another first part."""
    return (first, *out[1:]) if isinstance(out, tuple) else first


def probability(logits, answer):
    return torch.softmax(logits.double(), -1)[:, answer]


def best(grid):
    times, begun = [], time.perf_counter()
    while len(times) < FEWEST or len(times) < MOST and time.perf_counter() - begun < LONG:
        begin = time.perf_counter()
        values = grid()
        times.append(time.perf_counter() - begin)
    return min(times), values.tolist()


def say(**answer):
    print(json.dumps(answer), flush=True)


@torch.no_grad()
def main(tool):
    ask = json.load(sys.stdin)
    torch.set_num_threads(ask["threads"])
    tool = {"transformers": Transformers, "transformer_lens": TransformerLens}[tool](ask)
    say(grid=tool.one_by_one().tolist(), name=tool.name, version=importlib.metadata.version(tool.package), torch=torch.__version__,
        threads=torch.get_num_threads())
    single, batched = best(tool.one_by_one), best(tool.batched)
    say(seconds={"one by one": single[0], "layers batched": batched[0]}, grid=batched[1])


if __name__ == "__main__":
    main(*sys.argv[1:])
