"""How many texts a second, against what one would use instead, on the same model and texts, and how near to the machine's limit?

    python benchmarks/bench_inference.py [--texts 2000] [--rounds 3]

The embedded sentiment model; one-sentence reviews, and a mixture of three reviews to one plot, cut to 330 words. The stock pipeline at batch
sizes 1, 8, 32 and 128, as the texts come; ONNX Runtime and OpenVINO by hand, texts sorted; ours out of the box, in each dtype and on OpenVINO.
The body alone: sentence-transformers' `encode` and ours. All in one process, in turn, medians; memory in processes of their own."""

import argparse
import functools
import random
import tempfile
from pathlib import Path

import peers
import torch
from common import flops, interleaved, matmul_peak, peak_memory, report, rounded

from nlp_tour.data.datasets import plots, reviews
from nlp_tour.engine.batching import padding_share, plan
from nlp_tour.hub.names import resolve
from nlp_tour.hub.standins import embedded
from nlp_tour.pipeline import pipeline

STOCK, SIZES, BODY = (1, 8, 32, 128), (8, 32), "sentence-transformers/all-MiniLM-L6-v2"
OURS = {
    "ours, float32": {},
    "ours, bfloat16": {"dtype": "bfloat16"},
    "ours on OpenVINO, float32": {"backend": "openvino"},
    "ours on OpenVINO, bfloat16": {"backend": "openvino", "dtype": "bfloat16"},
    "ours on OpenVINO, int8": {"dtype": "int8"},
}


def corpora(n):
    "Texts of one sentence, and a mixture of one plot to three reviews."
    one = (reviews()["test"]["text"][:] + reviews()["train"]["text"][:])[:n]
    mixed = one[: n - n // 4] + [" ".join(p.split()[:330]) for p in (plots() * 4)[: n // 4]]
    random.Random(0).shuffle(mixed)
    return {"reviews": one, "mixed": mixed}


@functools.cache
def stock():
    import transformers  # not above: ours does without, and memory is measured in a process that imports this file

    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    return transformers.pipeline("text-classification", model=str(embedded("sentiment")), device=-1)


@functools.cache
def tokenizer():
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(str(embedded("sentiment")))


@functools.cache
def exported():
    path = str(Path(tempfile.mkdtemp()) / "model.onnx")
    peers.exported(str(embedded("sentiment")), path)
    return path


@functools.cache
def by_hand(library):
    return (
        peers.onnx_runtime(exported(), torch.get_num_threads())
        if library == "ONNX Runtime"
        else peers.openvino(exported())
    )


@functools.cache
def ours(name):
    return pipeline(model=str(embedded("sentiment")), device="cpu", **OURS[name])


@functools.cache
def bodies(name):
    return (
        peers.sentence_transformer(str(resolve(BODY)))
        if name == "sentence-transformers"
        else pipeline(
            "feature-extraction", model=BODY, device="cpu", pooling="mean", normalize=True
        )
    )


def contenders():
    "name -> a function of texts that gives the probability of POSITIVE for each, or the vectors of the body."

    def positive(answers):
        return [a["score"] if a["label"] == "POSITIVE" else 1 - a["score"] for a in answers]

    found = {
        f"stock, batch {b}": lambda t, b=b: positive(stock()(t, batch_size=b, truncation=True))
        for b in STOCK
    }
    for library in ("ONNX Runtime", "OpenVINO"):
        found |= {
            f"{library}, batch {b}": lambda t, b=b, l=library: peers.in_batches(
                by_hand(l), tokenizer(), t, b
            )[:, 1].tolist()
            for b in SIZES
        }
    found |= {name: lambda t, n=name: positive(ours(n)(t, progress=False)) for name in OURS}
    return found | {
        "body: sentence-transformers": lambda t: bodies("sentence-transformers").encode(
            t, batch_size=32
        ),
        "body: ours": lambda t: bodies("ours")(t, progress=False),
    }


def padding(name, lengths):
    "The share of padding in a contender's batches."
    if name == "body: sentence-transformers":
        return padding_share(lengths, peers.by_length(lengths, 32))
    if "batch" not in name:
        return padding_share(lengths, plan(lengths, ours("ours, float32").batch_tokens))
    size = int(name.split()[-1])
    return padding_share(
        lengths,
        [list(range(i, min(i + size, len(lengths)))) for i in range(0, len(lengths), size)]
        if name.startswith("stock")
        else peers.by_length(lengths, size),
    )


def compare(texts, rounds, peaks):
    "One kind of texts: seconds, ratios, padding, agreement with the stock pipeline's answers one by one, share of the limit."
    work = contenders()
    for do in work.values():
        do(texts[:64])
    median, slowest, answers = interleaved(
        {name: functools.partial(do, texts) for name, do in work.items()}, rounds
    )
    lengths = [min(len(r), 512) for r in tokenizer()(texts)["input_ids"]]
    heads = {k: v for k, v in median.items() if not k.startswith("body")}
    best, truth = (
        min((k for k in heads if k.startswith("stock")), key=heads.get),
        answers["stock, batch 1"],
    )
    return {
        "texts": len(texts),
        "tokens": sum(lengths),
        "longest": max(lengths),
        "seconds": rounded(median),
        "spread": rounded(slowest),
        "tokens_per_second": {k: round(sum(lengths) / v) for k, v in median.items()},
        "times_stock_batch_1": {
            k: round(median["stock, batch 1"] / v, 2) for k, v in heads.items()
        },
        "best_stock": best,
        "times_best_stock": {
            k: round(median[best] / v, 2) for k, v in heads.items() if not k.startswith("stock")
        },
        "times_sentence_transformers": round(
            median["body: sentence-transformers"] / median["body: ours"], 2
        ),
        "padding": {k: round(padding(k, lengths), 4) for k in median},
        "share_of_peak": {
            k: round(
                flops(lengths, read=None if k.startswith("body") else 1)
                / v
                / peaks["bfloat16" if k.endswith("bfloat16") else "float32"],
                3,
            )
            for k, v in median.items()
            if not k.endswith("int8")
        },
        "same_labels": {
            k: round(sum((x > 0.5) == (y > 0.5) for x, y in zip(truth, answers[k])) / len(truth), 4)
            for k in heads
        },
        "largest_difference": {
            k: round(max(abs(x - y) for x, y in zip(truth, answers[k])), 6) for k in heads
        },
        "vectors_differ": float(
            f"{abs(torch.tensor(answers['body: ours']) - torch.tensor(answers['body: sentence-transformers'])).max():.1e}"
        ),
    }


def peak(name, n):
    "Highest memory of a process that opens one contender and scores n mixed texts; the model of ONNX is there before."
    return peak_memory(
        f"import bench_inference as b; b.exported = lambda: {exported()!r}; b.contenders()[{name!r}](b.corpora({n})['mixed'])"
    )


if __name__ == "__main__":
    cli = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    cli.add_argument("--texts", type=int, default=2000)
    cli.add_argument("--rounds", type=int, default=3)
    args = cli.parse_args()
    measured = {name: matmul_peak(getattr(torch, name)) for name in ("float32", "bfloat16")}
    figures = {
        name: compare(texts, args.rounds, measured) for name, texts in corpora(args.texts).items()
    }
    figures["matmul_peak_GFLOPs"] = {k: round(v / 1e9) for k, v in measured.items()}
    figures["peak_memory_MB"] = {
        name: peak(name, min(args.texts, 1000))
        for name in contenders()
        if not name.endswith("batch 128")
    }
    report("inference", figures, "sentence-transformers", "onnxruntime", "openvino")
