"""Which way to teach a model sentiment is right most often, at equal numbers of labels?

    python benchmarks/bench_quality.py [--draws 3] [--test 800] [--labels 8 32 128 0] [--fresh]

Labels a class drawn from reviews of the training films, 0: all of them; accuracy on reviews of
unseen films; each draw is the same for all ways, and seeds its training. scikit-learn: TF-IDF of
words and pairs with logistic regression. SetFit with the 20 pairs a text and of each kind of its
paper (arXiv:2209.11055), at 128 labels with 5 (2,560 pairs, as at 32). With all labels there is one
draw, and no few-shot. Frozen: logistic regression on MiniLM's vectors. Few-shot: ours, after a
contrastive round. LoRA (r = 8) and the whole model: at least 80 steps, at least two epochs. It goes
on where it was stopped; --fresh begins anew."""

import argparse
import json
import math
import tempfile
import warnings

import transformers
from common import RESULTS, draw_by_label, report, spread
from datasets import DatasetDict

from nlp_tour.base.hardware import seed_all
from nlp_tour.beyond.few_shot import few_shot
from nlp_tour.beyond.lora import add_lora
from nlp_tour.data.reviews import reviews
from nlp_tour.hub.loading import load
from nlp_tour.hub.names import resolve
from nlp_tour.pipeline import pipeline
from nlp_tour.trainer import finetune

warnings.simplefilter("ignore")
transformers.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()
BODY, LABELS = "sentence-transformers/all-MiniLM-L6-v2", ["NEGATIVE", "POSITIVE"]


def tfidf(rows, test, seed):
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    vectors = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    model = make_pipeline(vectors, LogisticRegression(C=10, max_iter=1000))
    return model.fit(rows["text"][:], rows["label"][:]).predict(test["text"][:])


def few(rows, test, seed, **how):
    labels = [LABELS[y] for y in rows["label"]]
    return few_shot(rows["text"][:], labels, device="cpu", seed=seed, **how), test


def setfit(rows, test, seed):
    from datasets import Dataset
    from setfit import SetFitModel, Trainer, TrainingArguments

    model = SetFitModel.from_pretrained(str(resolve(BODY)), device="cpu")
    with tempfile.TemporaryDirectory() as out:
        args = TrainingArguments(
            out,
            batch_size=16,
            num_epochs=1,
            num_iterations=min(20, 1280 // len(rows)),
            seed=seed,
            report_to="none",
            save_strategy="no",
            show_progress_bar=False,
        )
        data = Dataset.from_dict({"text": rows["text"][:], "label": rows["label"][:]})
        Trainer(model=model, args=args, train_dataset=data).train()
    return model.predict(test["text"][:], show_progress_bar=False).tolist()


def trained(rows, test, seed, wrap, lr):
    seed_all(seed)
    model, tok = load("bert-base-cased", "text-classification", labels=LABELS)
    model = wrap(model)
    data = DatasetDict(train=rows, test=test.select(range(16)))
    steps_an_epoch = math.ceil(len(rows) / 16)
    with tempfile.TemporaryDirectory() as out:
        finetune(
            model,
            tok,
            data,
            out,
            epochs=max(2, math.ceil(80 / steps_an_epoch)),
            lr=lr,
            seed=seed,
            progress=False,
            save_steps=0,
            save_strategy="no",
            eval_strategy="no",
            load_best_model_at_end=False,
        )
    return pipeline("text-classification", model=model, tokenizer=tok, device="cpu"), test


WAYS = {
    "TF-IDF, scikit-learn": tfidf,
    "frozen": lambda r, t, s: few(r, t, s, steps=0),
    "few-shot, ours": lambda r, t, s: few(r, t, s, bf16=True),
    "SetFit": setfit,
    "LoRA": lambda r, t, s: trained(r, t, s, add_lora, 1e-3),
    "whole model": lambda r, t, s: trained(r, t, s, lambda m: m, 1e-4),
}

FEW = ("SetFit", "few-shot, ours")  # not for all labels


def accuracy(found, truth):
    "Of a list of classes, or of (a pipeline, the rows to ask it)."
    if isinstance(found, tuple):
        found = [LABELS.index(a["label"]) for a in found[0](found[1]["text"][:])]
    return sum(x == y for x, y in zip(found, truth)) / len(truth)


def options():
    "The options of the command."
    raw = argparse.RawDescriptionHelpFormatter
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    cli.add_argument("--draws", type=int, default=3)
    cli.add_argument("--test", type=int, default=800, help="reviews to test on")
    cli.add_argument("--labels", type=int, nargs="+", default=[8, 32, 128, 0])
    cli.add_argument("--fresh", action="store_true")
    return cli.parse_args()


def found_before(asked, fresh):
    "The accuracies of a run that was stopped, if it was asked the same."
    path = RESULTS / "quality.json"
    before = json.loads(path.read_text()) if path.exists() and not fresh else {}
    return before["accuracy"] if asked.items() <= before.items() else {}


def measure(work, n, draws, train, test):
    "The accuracy of one way with n labels a class, draw by draw; with all labels there is one."
    truth, found = test["label"][:], []
    for seed in range(draws if n else 1):
        if n:
            rows = train.select(draw_by_label(train["label"][:], n, seed))
        else:
            rows = train.shuffle(seed=seed)
        found.append(accuracy(work(rows, test, seed), truth))
    return spread(found)


def curves(figures, sizes):
    "Accuracy by labels, for the plot."
    lines = {way: [] for way in WAYS}
    for n, found in zip(sizes, figures.values()):
        for way, runs in found.items():
            lines[way].append([n, runs["mean"]])
    plot = {"x": "labels", "y": "accuracy", "log_x": True, "log_y": False, "lines": lines}
    return {"accuracy on unseen films by labels": plot}


if __name__ == "__main__":
    args = options()
    train, test = reviews()["train"], reviews()["test"].shuffle(seed=0).select(range(args.test))
    positive = sum(test["label"])
    majority = round(max(positive, len(test) - positive) / len(test), 4)
    asked = {"texts_tested": args.test, "draws": args.draws}
    figures = found_before(asked, args.fresh)
    sizes = [2 * n or len(train) for n in args.labels]
    for n in args.labels:
        name = f"{n} labels a class" if n else f"all {len(train):,} labels"
        for way, work in WAYS.items():
            if way in figures.setdefault(name, {}) or (not n and way in FEW):
                continue
            figures[name][way] = measure(work, n, args.draws, train, test)
            report(
                "quality",
                asked
                | {"majority": majority, "accuracy": figures, "curves": curves(figures, sizes)},
                "setfit",
                "scikit-learn",
                "sentence-transformers",
            )
