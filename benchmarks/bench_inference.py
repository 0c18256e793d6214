"""How many times faster than transformers.pipeline are we, on the same model and texts?

    python benchmarks/bench_inference.py [--texts 2000] [--rounds 3]

The embedded sentiment model; one-sentence reviews, and a mixture with plots of up to 512 tokens. The stock pipeline runs at batch sizes
1, 8, 32 and 128 (128 on reviews only), as the texts come; ours as it comes out of the box. All in one process, in turn, medians."""
import argparse, random, resource, subprocess, sys

from common import interleaved, report

import torch, transformers
from nlp_tour.batching import padding_share, plan
from nlp_tour.data import plots, reviews
from nlp_tour.names import embedded
from nlp_tour.pipeline import pipeline


def corpora(n):
    "Texts of one sentence, and a mixture of one plot to three reviews cut to what the model takes."
    one = (reviews()["test"]["text"][:] + reviews()["train"]["text"][:])[:n]
    mixed = one[: n - n // 4] + [" ".join(p.split()[:330]) for p in (plots() * 4)[: n // 4]]
    random.Random(0).shuffle(mixed)
    return {"reviews": one, "mixed": mixed}


def peak(kind, texts):
    "Peak resident memory in MB of a process of its own."
    code = {"ours": "from nlp_tour.pipeline import pipeline; p = pipeline(model=f); p(t)",
            "stock": "import transformers; p = transformers.pipeline('text-classification', model=f, device=-1); p(t, batch_size=32, truncation=True)"}[kind]
    script = f"import resource, sys; sys.path.insert(0, {sys.path[0]!r}); import bench_inference as b; t = b.corpora({texts})['mixed']; f = str(b.embedded('sentiment'))\n{code}\nprint(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)"
    return int(subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()[-1])


if __name__ == "__main__":
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_argument("--texts", type=int, default=2000)
    cli.add_argument("--rounds", type=int, default=3)
    args = cli.parse_args()
    transformers.logging.set_verbosity_error()
    folder = str(embedded("sentiment"))
    stock = transformers.pipeline("text-classification", model=folder, device=-1)
    ours, half = pipeline(model=folder, device="cpu"), pipeline(model=folder, device="cpu", dtype="bfloat16")
    figures = {}
    for name, texts in corpora(args.texts).items():
        sizes = (1, 8, 32, 128) if name == "reviews" else (1, 8, 32)
        contenders = {f"stock, batch {b}": lambda b=b: stock(texts, batch_size=b, truncation=True) for b in sizes}
        contenders |= {"ours, float32": lambda: ours(texts, progress=False), "ours, bfloat16": lambda: half(texts, progress=False)}
        a, b = stock(texts[:64], batch_size=1, truncation=True), ours(texts[:64], progress=False)
        median, spread = interleaved(contenders, args.rounds)
        lengths = [len(e[0].ids) for e in ours.tok.windows(texts, "truncate")]
        best = min((k for k in median if k.startswith("stock")), key=median.get)
        full, low = ours(texts, progress=False), half(texts, progress=False)
        figures[name] = dict(texts=len(texts), tokens=sum(lengths), seconds={k: round(v, 2) for k, v in median.items()}, spread={k: round(v, 2) for k, v in spread.items()},
            times_stock_batch_1={k: round(median["stock, batch 1"] / v, 2) for k, v in median.items()}, best_stock=best,
            times_best_stock={k: round(median[best] / v, 2) for k, v in median.items() if k.startswith("ours")},
            padding_in_our_batches=round(padding_share(lengths, plan(lengths, ours.batch_tokens)), 4),
            largest_difference_from_stock=max(abs(x["score"] - y["score"]) for x, y in zip(a, b)),
            bfloat16=dict(same_labels=sum(x["label"] == y["label"] for x, y in zip(full, low)) / len(texts), largest_difference=max(abs(x["score"] - y["score"]) for x, y in zip(full, low) if x["label"] == y["label"])))
    figures["peak_memory_MB"] = {kind: peak(kind, min(args.texts, 1000)) for kind in ("ours", "stock")}
    report("inference", figures)
