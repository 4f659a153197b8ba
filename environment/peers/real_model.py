#!/usr/bin/env python3
"""What transformers reads of a GGUF file, for RealModelTest: token ids of 1,000 lines, and logits after 20 prompts.

    real_model.py MODEL.gguf RELATIONS OUT.json      (RELATIONS: data/relations)

Needs requirements-transformers.txt. Lines are filled templates of the relations, and letters, blanks and digits drawn from a seed."""
import glob, json, os, random, sys, unicodedata

os.environ["HF_HUB_OFFLINE"] = "1"
import torch
from tokenizers import pre_tokenizers
from transformers import AutoModelForCausalLM, AutoTokenizer

PROMPTS, LINES, SEED = 20, 1000, 1
PARTS = ["  ", "\t", "\n", "\r\n", "   ", "'s", "'LL", "é", "e\u0301", "ß", "日本", "語", "한국", "привет", "שלום", "😀",
         "👨\u200d👩\u200d👧", "\u00a0", "\u200b", "½", "٣", "²", "1234", "3.14", "0x1F", "_", "--", "…", "{}", "</a>", "<|im_start|>", "<|endoftext|>", "user", "ﬁ", "İ", "\u2028"]


def lines(folder):
    draw = random.Random(SEED)
    facts = []
    for file in sorted(glob.glob(os.path.join(folder, "**", "*.json"), recursive=True)):
        with open(file, encoding="utf-8") as f:
            relation = json.load(f)
        facts += [t.replace("{}", s["subject"]) for t in relation["prompt_templates"] for s in relation["samples"]]
    facts = draw.sample(sorted(set(facts)), LINES // 2)
    letters = [c for c in map(chr, range(32, 0x3000)) if unicodedata.category(c)[0] in "LMNPSZ"]
    odd = []
    while len(odd) < LINES - len(facts):
        kind = draw.random()
        some = letters[:95] if kind < .5 else letters
        words = [draw.choice(PARTS) if draw.random() < .5 else "".join(draw.choices(some, k=draw.randint(1, 6)))
                 for _ in range(draw.randint(1, 12))]
        odd.append(draw.choice(["", " "]).join(words))
    return facts + odd


def main(gguf, relations, out):
    folder, file = os.path.split(os.path.abspath(gguf))
    tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=file)
    # transformers passes over tokenizer.ggml.pre: as in the model's own tokenizer.json every digit, ½ and ² too, is a word by itself
    backend = tokenizer.backend_tokenizer
    backend.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), backend.pre_tokenizer])
    model = AutoModelForCausalLM.from_pretrained(folder, gguf_file=file, dtype=torch.float32).eval()
    texts = lines(relations)
    ids = [tokenizer(t)["input_ids"] for t in texts]
    logits = []
    with torch.no_grad():
        for i in range(PROMPTS):
            logits.append(model(torch.tensor([ids[i]]), use_cache=False).logits[0, -1].tolist())
    with open(out, "w", encoding="utf-8") as f:
        json.dump({"lines": texts, "ids": ids, "logits": logits}, f)
    print("%d lines, %d prompts" % (len(texts), len(logits)))


main(*sys.argv[1:])
