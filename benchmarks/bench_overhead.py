"""What do we cost beside the forward pass, and what does tokenization cost beside datasets.map?

    python benchmarks/bench_overhead.py [--texts 2000] [--rounds 5]

One-sentence reviews, the embedded sentiment model. Bare: the same encoder on the same batches of
ids, made beforehand, and nothing else; the difference is reading, checking, encoding, planning,
padding, decoding and order. Tokenization: ours on all texts at once, the fast tokenizer of
transformers in one call, and `datasets.map` in batches of 1,000, as the tour does."""

import cProfile
import pstats

import torch
from common import interleaved, options, report, rounded
from datasets import Dataset, disable_caching, disable_progress_bars
from transformers import AutoTokenizer

from nlp_tour.data.reviews import reviews
from nlp_tour.engine.batching import pad, plan
from nlp_tour.hub.standins import embedded
from nlp_tour.pipeline import pipeline
from nlp_tour.tasks.base import read_options

STAGES = {
    "reading and checking": ("as_texts", "checked", "check_text"),
    "encoding": ("encode",),
    "planning": ("plan",),
    "padding": ("pad",),
    "decoding": ("decode",),
}


def bare(pipe, texts):
    "The forward passes of these texts and nothing else."
    rows = pipe.task.encode(texts, read_options(pipe.task, {"long": "truncate"}))
    planned = plan([len(r) for r in rows], pipe.batch_tokens)
    groups = [[rows[i] for i in positions] for positions in planned]
    batches = [pad(group, pipe.task.pad_id, pipe.device) for group in groups]

    def work():
        with torch.inference_mode():
            for inputs in batches:
                pipe.fast(**inputs)

    return work


def stages(pipe, texts):
    "Seconds inside each of our own stages, by the profiler (it slows what it watches)."
    profile = cProfile.Profile()
    profile.runcall(pipe, texts, progress=False)
    spent = {stage: [0] for stage in STAGES}
    for (file, _, function), row in pstats.Stats(profile).stats.items():
        for stage, names in STAGES.items():
            if "nlp_tour" in file and function in names:
                spent[stage].append(row[3])
    return {stage: round(max(seconds), 4) for stage, seconds in spent.items()}


if __name__ == "__main__":
    args = options(__doc__, texts=2000, rounds=5)
    disable_caching()
    disable_progress_bars()
    folder = str(embedded("sentiment"))
    texts = (reviews()["test"]["text"][:] + reviews()["train"]["text"][:])[: args.texts]
    pipe = pipeline(model=folder, device="cpu")
    tok = AutoTokenizer.from_pretrained(folder)
    table = Dataset.from_dict({"text": texts})
    work = {
        "ours, whole": lambda: pipe(texts, progress=False),
        "bare forward passes": bare(pipe, texts),
    }

    def tokenize(batch):
        return tok(batch["text"], truncation=True)

    words = {
        "ours": lambda: pipe.task.encode(texts, read_options(pipe.task, {"long": "truncate"})),
        "transformers, one call": lambda: tok(texts, truncation=True),
        "datasets.map, batched": lambda: table.map(tokenize, batched=True),
        "transformers, one by one": lambda: [tok(t, truncation=True) for t in texts],
    }
    for do in (work | words).values():
        do()
    whole, slow, _ = interleaved(work, args.rounds)
    encoded, spread, _ = interleaved(words, args.rounds)
    ours, bare_seconds = whole["ours, whole"], whole["bare forward passes"]
    figures = {
        "texts": len(texts),
        "overhead": round(ours / bare_seconds - 1, 4),
        "microseconds_a_text": round((ours - bare_seconds) / len(texts) * 1e6, 1),
        "seconds": rounded(whole, 3),
        "spread": rounded(slow | spread),
        "seconds_by_profiler": stages(pipe, texts),
        "texts_tokenized_per_second": {k: round(len(texts) / v) for k, v in encoded.items()},
    }
    report("overhead", figures, "datasets")
