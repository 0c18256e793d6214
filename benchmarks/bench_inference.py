"""How many texts a second, against what one would use instead, on the same model and texts, and how
near to the machine's limit?

    python benchmarks/bench_inference.py [--texts 2000] [--rounds 3]

The embedded sentiment model; one-sentence reviews, and a mixture of three reviews to one plot, cut
to 330 words. The stock pipeline at batch sizes 1, 8, 32 and 128, as the texts come; ONNX Runtime
and OpenVINO by hand, texts sorted; ours out of the box, in each dtype and on OpenVINO. The body
alone: sentence-transformers' `encode` and ours. All in one process, in turn, medians; memory in
processes of their own. On a GPU, rows of its own: each at float32, float16 and bfloat16, ours with
the budget of tokens that it measures, the stock pipeline and sentence-transformers at each batch
size."""

import functools
import random
import tempfile
from pathlib import Path

import peers
import torch
from common import flops, interleaved, matmul_peak, options, peak_memory, report, rounded

from nlp_tour.data.reviews import plots, reviews
from nlp_tour.engine.batching import padding_share, plan
from nlp_tour.hub.names import resolve
from nlp_tour.hub.standins import embedded
from nlp_tour.pipeline import pipeline

STOCK, SIZES = (1, 8, 32, 128), (8, 32)
BODY = "sentence-transformers/all-MiniLM-L6-v2"
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
    # Imported here: ours does without it, and memory is measured in processes with this module.
    import transformers

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
    "A function of ids and mask that gives logits."
    if library == "ONNX Runtime":
        return peers.onnx_runtime(exported(), torch.get_num_threads())
    return peers.openvino(exported())


@functools.cache
def ours(name):
    return pipeline(model=str(embedded("sentiment")), device="cpu", **OURS[name])


@functools.cache
def bodies(name):
    "The encoder without its head, theirs or ours."
    if name == "sentence-transformers":
        return peers.sentence_transformer(str(resolve(BODY)))
    how = {"device": "cpu", "pooling": "mean", "normalize": True}
    return pipeline("feature-extraction", model=BODY, **how)


GPU_SIZES = (32, 128, 512)


def on_gpu(texts, rounds):
    "Of one kind of texts on the GPU: seconds, and how many times the stock pipeline's best."
    from transformers import pipeline as stock_pipeline

    folder, body = str(embedded("sentiment")), peers.sentence_transformer(str(resolve(BODY)))
    body = body.to("cuda")
    work = {}
    for size in GPU_SIZES:
        work[f"sentence-transformers, batch {size}"] = functools.partial(
            body.encode, texts, batch_size=size
        )
    for dtype in ("float32", "float16", "bfloat16"):
        theirs = stock_pipeline("text-classification", model=folder, device=0, dtype=dtype)
        for size in GPU_SIZES:
            how = {"batch_size": size, "truncation": True}
            work[f"stock, {dtype}, batch {size}"] = functools.partial(theirs, texts, **how)
        own = pipeline(model=folder, device="cuda", dtype=dtype, batch_tokens="auto")
        work[f"ours, {dtype}"] = functools.partial(own, texts, progress=False)
    for do in work.values():
        do()
    median, slowest, _ = interleaved(work, rounds)
    best = min((k for k in median if k.startswith("stock")), key=median.get)
    own = {k: v for k, v in median.items() if k.startswith("ours")}
    return {
        "seconds": rounded(median, 3),
        "spread": rounded(slowest),
        "best_stock": best,
        "times_best_stock": ratios(median[best], own),
    }


def positive(answers):
    "The probability of POSITIVE in each answer."
    return [a["score"] if a["label"] == "POSITIVE" else 1 - a["score"] for a in answers]


def by_stock(texts, size):
    return positive(stock()(texts, batch_size=size, truncation=True))


def by_peer(texts, library, size):
    return peers.in_batches(by_hand(library), tokenizer(), texts, size)[:, 1].tolist()


def by_ours(texts, name):
    return positive(ours(name)(texts, progress=False))


def contenders():
    """name -> a function of texts that gives the probability of POSITIVE for each, or the vectors
    of the body."""
    partial, found = functools.partial, {}
    for size in STOCK:
        found[f"stock, batch {size}"] = partial(by_stock, size=size)
    for library in ("ONNX Runtime", "OpenVINO"):
        for size in SIZES:
            found[f"{library}, batch {size}"] = partial(by_peer, library=library, size=size)
    for name in OURS:
        found[name] = partial(by_ours, name=name)
    return found | {
        "body: sentence-transformers": lambda texts: bodies("sentence-transformers").encode(
            texts, batch_size=32
        ),
        "body: ours": lambda texts: bodies("ours")(texts, progress=False),
    }


def batches_of(name, lengths):
    "Positions of the texts in the batches of a contender."
    if name == "body: sentence-transformers":
        return peers.by_length(lengths, 32)
    if "batch" not in name:
        return plan(lengths, ours("ours, float32").batch_tokens)
    size, n = int(name.split()[-1]), len(lengths)
    if name.startswith("stock"):
        return [list(range(i, min(i + size, n))) for i in range(0, n, size)]
    return peers.by_length(lengths, size)


def ratios(one, others, digits=2):
    "How many times as long one takes as each of the others."
    return {name: round(one / seconds, digits) for name, seconds in others.items()}


def shares_of_peak(median, lengths, peaks):
    "The share of the machine's limit that each reaches; int8 has no limit here."
    found = {}
    for name, seconds in median.items():
        if name.endswith("int8"):
            continue
        products = flops(lengths, read=None if name.startswith("body") else 1)
        limit = peaks["bfloat16" if name.endswith("bfloat16") else "float32"]
        found[name] = round(products / seconds / limit, 3)
    return found


def agreement(answers, heads):
    "How far the answers agree with the stock pipeline's, one by one."
    truth, same, largest = answers["stock, batch 1"], {}, {}
    for name in heads:
        pairs = list(zip(truth, answers[name]))
        same[name] = round(sum((x > 0.5) == (y > 0.5) for x, y in pairs) / len(truth), 4)
        largest[name] = round(max(abs(x - y) for x, y in pairs), 6)
    bodies = [torch.tensor(answers[f"body: {n}"]) for n in ("ours", "sentence-transformers")]
    differ = abs(bodies[0] - bodies[1]).max()
    return {
        "same_labels": same,
        "largest_difference": largest,
        "vectors_differ": float(f"{differ:.1e}"),
    }


def compare(texts, rounds, peaks):
    """One kind of texts: seconds, ratios, padding, agreement with the stock pipeline's answers one
    by one, share of the limit."""
    work = contenders()
    for do in work.values():
        do(texts[:64])
    timed = {name: functools.partial(do, texts) for name, do in work.items()}
    median, slowest, answers = interleaved(timed, rounds)
    lengths = [min(len(r), 512) for r in tokenizer()(texts)["input_ids"]]
    heads = {k: v for k, v in median.items() if not k.startswith("body")}
    best = min((k for k in heads if k.startswith("stock")), key=heads.get)
    others = {k: v for k, v in heads.items() if not k.startswith("stock")}
    theirs, own = median["body: sentence-transformers"], median["body: ours"]
    return {
        "texts": len(texts),
        "tokens": sum(lengths),
        "longest": max(lengths),
        "seconds": rounded(median),
        "spread": rounded(slowest),
        "tokens_per_second": ratios(sum(lengths), median, digits=None),
        "times_stock_batch_1": ratios(median["stock, batch 1"], heads),
        "best_stock": best,
        "times_best_stock": ratios(median[best], others),
        "times_sentence_transformers": round(theirs / own, 2),
        "padding": {k: round(padding_share(lengths, batches_of(k, lengths)), 4) for k in median},
        "share_of_peak": shares_of_peak(median, lengths, peaks),
        **agreement(answers, heads),
    }


PEAK = """
import bench_inference as b
b.exported = lambda: {exported!r}
b.contenders()[{name!r}](b.corpora({n})["mixed"])
"""


def peak(name, n):
    """Highest memory of a process that opens one contender and scores n mixed texts; the model of
    ONNX is there before."""
    return peak_memory(PEAK.format(exported=exported(), name=name, n=n))


if __name__ == "__main__":
    args = options(__doc__, texts=2000, rounds=3)
    peaks = {name: matmul_peak(getattr(torch, name)) for name in ("float32", "bfloat16")}
    figures = {k: compare(texts, args.rounds, peaks) for k, texts in corpora(args.texts).items()}
    figures["matmul_peak_GFLOPs"] = {k: round(v / 1e9) for k, v in peaks.items()}
    names = [name for name in contenders() if not name.endswith("batch 128")]
    figures["peak_memory_MB"] = {name: peak(name, min(args.texts, 1000)) for name in names}
    figures["gpu"] = "not run: torch sees no GPU on this machine"
    if torch.cuda.is_available():
        kinds = corpora(8 * args.texts).items()
        figures["gpu"] = {k: on_gpu(texts, args.rounds) for k, texts in kinds}
    report("inference", figures, "sentence-transformers", "onnxruntime", "openvino")
