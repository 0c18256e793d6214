"""Four ways to a sentiment classifier on the embedded reviews: accuracy on unseen films, seconds,
parameters trained, megabytes saved.

    python benchmarks/bench_customization.py [--texts 1200] [--epochs 2]

The same texts in the same order, batches of like length of 16, AdamW with a linear warm-up and
decay. From scratch: a DistilBERT of 2 layers, 128 wide. The others start from the embedded MiniLM.
Learning rates are what suits each way, not tuned further. The frozen body trains the whole head,
LoRA only its last matrix: the one before it is pretrained."""

import tempfile
import time
import warnings
from pathlib import Path

import torch
import transformers
from common import options, report

from nlp_tour.base.hardware import seed_all
from nlp_tour.beyond.lora import add_lora, learning_rates, trained_share
from nlp_tour.customization import freeze
from nlp_tour.data.reviews import majority_share, reviews
from nlp_tour.engine.batching import group_by_length
from nlp_tour.hub.loading import load
from nlp_tour.hub.saving import save
from nlp_tour.metrics.scores import load_metric
from nlp_tour.native_loop import evaluate, train
from nlp_tour.training.optimizer import AdamW

warnings.filterwarnings("ignore", message=".*random numbers; train this model")
LABELS = ["NEGATIVE", "POSITIVE"]


def body():
    return load("bert-base-uncased", "text-classification", labels=LABELS)[0]


def scratch():
    config = transformers.DistilBertConfig(
        dim=128, hidden_dim=512, n_layers=2, n_heads=4, id2label=dict(enumerate(LABELS))
    )
    return transformers.DistilBertForSequenceClassification(config)


def frozen():
    model = freeze(body())
    for p in model.bert.pooler.parameters():
        p.requires_grad_(True)
    return model


WAYS = {
    "tiny, from scratch": (scratch, 1e-3),
    "body frozen": (frozen, 1e-3),
    "LoRA, r = 8": (lambda: add_lora(body()), 1e-3),
    "whole": (body, 1e-4),
    "whole, rates by layer": (body, None),
}


def batches(tok, rows, epochs, seed):
    "Padded batches, in another order each epoch."
    ids = tok(rows["text"][:], truncation=True)["input_ids"]
    for epoch in range(epochs):
        for group in group_by_length([len(i) for i in ids], 16, seed + epoch):
            inputs = tok.pad({"input_ids": [ids[i] for i in group]}, return_tensors="pt")
            yield inputs | {"labels": torch.tensor([rows[i]["label"] for i in group])}


def optimizer_of(model, lr):
    "AdamW with one learning rate, or with rates by layer where there is none."
    if lr is None:
        return AdamW(learning_rates(model, 2e-4, 0.8))
    return AdamW([p for p in model.parameters() if p.requires_grad], lr=lr)


def megabytes(model, tok):
    "The size of the saved weights."
    with tempfile.TemporaryDirectory() as tmp:
        files = save(Path(tmp) / "m", model, tok).glob("*.safetensors")
        return sum(f.stat().st_size for f in files) / 1e6


def measure(make, lr, tok, learned, tested, epochs):
    "Train one way and test it."
    seed_all(42)
    model = make()
    optimizer = optimizer_of(model, lr)
    data = list(batches(tok, learned, epochs, 42))
    schedule = transformers.get_linear_schedule_with_warmup(optimizer, len(data) // 10, len(data))
    start = time.perf_counter()
    train(model, data, optimizer, schedule, progress=False)
    seconds = time.perf_counter() - start
    parameters = sum(p.numel() for p in model.parameters() if p.requires_grad)
    share = trained_share(model)
    found = evaluate(model, list(batches(tok, tested, 1, 0)), load_metric("accuracy"))
    return {
        "accuracy": round(found["accuracy"], 3),
        "loss": round(found["loss"], 3),
        "seconds": round(seconds, 1),
        "parameters_trained": parameters,
        "share_trained": round(share, 4),
        "megabytes_saved": round(megabytes(model, tok), 2),
    }


if __name__ == "__main__":
    args = options(__doc__, texts=1200, epochs=2)
    _, tok = load("distilbert-base-uncased-finetuned-sst-2-english")
    learned = reviews()["train"].shuffle(seed=1).select(range(args.texts))
    tested = reviews()["test"].shuffle(seed=1).select(range(args.texts // 2))
    ways = {}
    for name, (make, lr) in WAYS.items():
        ways[name] = measure(make, lr, tok, learned, tested, args.epochs)
        print(name, ways[name], flush=True)
    slowest = ways["whole"]["seconds"]
    for figures in ways.values():
        figures["time_of_whole"] = round(figures["seconds"] / slowest, 2)
    figures = {
        "texts": args.texts,
        "epochs": args.epochs,
        "tested": len(tested),
        "majority": round(majority_share(tested["label"][:]), 3),
        "ways": ways,
    }
    report("customization", figures)
