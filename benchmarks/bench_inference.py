"""How many times faster than transformers.pipeline are we, on the same model and texts?

    python benchmarks/bench_inference.py [--texts 2000] [--rounds 3]

The embedded sentiment model; one-sentence reviews, and a mixture of three reviews to one plot, cut to 330 words. The stock pipeline runs at
batch sizes 1, 8, 32 and 128 (128 on reviews only), as the texts come; ours as it comes out of the box, in each dtype and on OpenVINO. All in
one process, in turn, medians. Memory: the peak of a process of its own that scores 1,000 mixed texts."""
import argparse, random, subprocess, sys

from common import interleaved, report

from nlp_tour.batching import padding_share, plan
from nlp_tour.data import plots, reviews
from nlp_tour.names import embedded
from nlp_tour.pipeline import pipeline

OURS = {"ours, float32": {}, "ours, bfloat16": dict(dtype="bfloat16"), "openvino, float32": dict(backend="openvino"),
        "openvino, bfloat16": dict(backend="openvino", dtype="bfloat16"), "openvino, int8": dict(dtype="int8")}


def corpora(n):
    "Texts of one sentence, and a mixture of one plot to three reviews."
    one = (reviews()["test"]["text"][:] + reviews()["train"]["text"][:])[:n]
    mixed = one[: n - n // 4] + [" ".join(p.split()[:330]) for p in (plots() * 4)[: n // 4]]
    random.Random(0).shuffle(mixed)
    return {"reviews": one, "mixed": mixed}


def peak(kind, texts):
    "Peak resident memory in MB of a process of its own (Linux: VmHWM, which starts anew with each program)."
    code = {"ours": "from nlp_tour.pipeline import pipeline; p = pipeline(model=f); p(t)",
            "stock, batch 1": "import transformers; p = transformers.pipeline('text-classification', model=f, device=-1); p(t, truncation=True)",
            "stock, batch 32": "import transformers; p = transformers.pipeline('text-classification', model=f, device=-1); p(t, batch_size=32, truncation=True)"}[kind]
    script = f"import sys; sys.path.insert(0, {sys.path[0]!r}); import bench_inference as b; t = b.corpora({texts})['mixed']; f = str(b.embedded('sentiment'))\n{code}\nprint(int(next(l.split()[1] for l in open('/proc/self/status') if l.startswith('VmHWM'))) // 1024)"
    return int(subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()[-1])


def agreement(full, other):
    "How far another dtype moves the answers."
    return dict(same_labels=round(sum(x["label"] == y["label"] for x, y in zip(full, other)) / len(full), 4),
                largest_difference=round(max(abs(x["score"] - (y["score"] if x["label"] == y["label"] else 1 - y["score"])) for x, y in zip(full, other)), 4))


def compare(texts, stock, pipes, sizes, rounds):
    "One kind of texts: seconds, ratios, padding and agreement."
    contenders = {f"stock, batch {b}": lambda b=b: stock(texts, batch_size=b, truncation=True) for b in sizes}
    contenders |= {name: lambda p=p: p(texts, progress=False) for name, p in pipes.items()}
    for work in (*pipes.values(), stock): work(texts[:64])
    median, spread = interleaved(contenders, rounds)
    ours = pipes["ours, float32"]
    lengths = [len(r) for r in ours.task.encode(texts, ours.tok, {"long": "truncate"})]
    best = min((k for k in median if k.startswith("stock")), key=median.get)
    full = ours(texts, progress=False)
    few, truth = full[:200], stock(texts[:200], batch_size=1, truncation=True)
    return dict(texts=len(texts), tokens=sum(lengths), seconds={k: round(v, 2) for k, v in median.items()}, spread={k: round(v, 2) for k, v in spread.items()},
                tokens_per_second={k: round(sum(lengths) / v) for k, v in median.items()},
                times_stock_batch_1={k: round(median["stock, batch 1"] / v, 2) for k, v in median.items()}, best_stock=best,
                times_best_stock={k: round(median[best] / median[k], 2) for k in pipes},
                padding_in_our_batches=round(padding_share(lengths, plan(lengths, ours.batch_tokens)), 4),
                agreement={"ours, float32, with stock": agreement(truth, few)} | {k: agreement(full, p(texts, progress=False)) for k, p in pipes.items() if k != "ours, float32"})


if __name__ == "__main__":
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_argument("--texts", type=int, default=2000)
    cli.add_argument("--rounds", type=int, default=3)
    args = cli.parse_args()
    import transformers  # not above: ours does without, and `peak` imports this file
    transformers.logging.set_verbosity_error()
    folder = str(embedded("sentiment"))
    stock = transformers.pipeline("text-classification", model=folder, device=-1)
    pipes = {name: pipeline(model=folder, device="cpu", **options) for name, options in OURS.items()}
    figures = {name: compare(texts, stock, pipes, (1, 8, 32, 128) if name == "reviews" else (1, 8, 32), args.rounds) for name, texts in corpora(args.texts).items()}
    figures["peak_memory_MB"] = {kind: peak(kind, min(args.texts, 1000)) for kind in ("ours", "stock, batch 1", "stock, batch 32")}
    report("inference", figures)
