"""How far do a few labels go, and what does the contrastive round add?

    python benchmarks/bench_few_shot.py [--draws 10] [--test 800]

The embedded MiniLM on reviews: 8 to 128 of each label from the training films, drawn anew ten
times; accuracy on reviews of unseen films. *frozen*: logistic regression on the body's vectors.
*moved*: the same after one contrastive round. Both see the same draws."""

import time

import torch
import transformers
from common import draw_by_label, options, report, spread

from nlp_tour.beyond.few_shot import FewShot, few_shot, logistic_regression
from nlp_tour.data.reviews import reviews
from nlp_tour.pipeline import pipeline

SIZES = (8, 16, 32, 64, 128)


BODY = {
    "model": "sentence-transformers/all-MiniLM-L6-v2",
    "device": "cpu",
    "pooling": "mean",
    "normalize": True,
}


def right(model, vectors, labels):
    "The share of right answers on vectors of texts."
    return float(((vectors @ model.weights.T + model.biases).argmax(-1) == labels).mean())


def frozen(body, texts, labels, names):
    "Logistic regression on the body's vectors."
    line = logistic_regression(body(texts, progress=False), labels, len(names))
    return FewShot(body, *line, names)


if __name__ == "__main__":
    args = options(__doc__, draws=10, test=800)
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    train, test = reviews()["train"], reviews()["test"].shuffle(seed=0).select(range(args.test))
    names, truth = train.features["label"].names, torch.tensor(test["label"][:]).numpy()
    start = time.perf_counter()
    body = pipeline("feature-extraction", **BODY)
    vectors = body(test["text"], progress=False)
    how = {"pooling": "mean", "normalize": True, "progress": False}
    found = {}
    for n in SIZES:
        accuracy = {"frozen": [], "moved": []}
        for seed in range(args.draws):
            rows = train.select(draw_by_label(train["label"][:], n, seed))
            texts, labels = rows["text"][:], rows["label"][:]
            still = frozen(body, texts, labels, names)
            accuracy["frozen"].append(right(still, vectors, truth))
            moved = few_shot(texts, [names[y] for y in labels], device="cpu", seed=seed, bf16=True)
            accuracy["moved"].append(right(moved, moved.embed(test["text"], **how), truth))
        gains = [b - a for a, b in zip(accuracy["frozen"], accuracy["moved"])]
        found[n] = {way: spread(values) for way, values in accuracy.items()}
        found[n]["gain"] = spread(gains)
        print(n, found[n], flush=True)
    figures = {
        "texts_tested": len(test),
        "draws": args.draws,
        "labels_a_class": found,
        "majority": round(float(max(truth.mean(), 1 - truth.mean())), 4),
        "seconds": round(time.perf_counter() - start),
    }
    report("few_shot", figures)
