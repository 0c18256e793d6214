"""How soon does a fresh process answer, and where does the time go?

    python benchmarks/bench_first_answer.py [--rounds 5]

From starting Python to the end of the process that gave one answer: ours, transformers.pipeline on
the same folder, and ONNX Runtime with a tokenizer, which needs no torch. The stages are taken
inside a process of its own; `start and end` is what is left of its whole time."""

import json
import statistics
import tempfile
import time
from pathlib import Path

import peers
from common import fresh, interleaved, options, report, rounded

from nlp_tour.hub.standins import embedded

ONNX = """
import numpy as np, onnxruntime, tokenizers
session = onnxruntime.InferenceSession({path!r})
tok = tokenizers.Tokenizer.from_file({folder!r} + "/tokenizer.json")
e = tok.encode("We are very happy.")
inputs = dict(input_ids=np.array([e.ids]), attention_mask=np.array([e.attention_mask]))
session.run(["logits"], inputs)
"""
STAGES = """
import json, time; t = [time.perf_counter()]
{stages}
print(json.dumps([b - a for a, b in zip(t, t[1:])]))
"""
OURS, STOCK = "from nlp_tour.pipeline import pipeline", "from transformers import pipeline"
ASK = "p('We are very happy.')"


def stages(steps, rounds):
    "Median seconds of each step (name -> code) in a fresh process."
    timed = "\n".join(f"{code}; t.append(time.perf_counter())" for code in steps.values())
    run, runs = fresh(STAGES.format(stages=timed)), []
    for _ in range(rounds):
        start = time.perf_counter()
        inside = json.loads(run())
        runs.append([*inside, time.perf_counter() - start - sum(inside)])
    names = [*steps, "start and end"]
    return {name: round(statistics.median(s), 3) for name, s in zip(names, zip(*runs))}


if __name__ == "__main__":
    rounds = options(__doc__, rounds=5).rounds
    folder = str(embedded("sentiment"))
    path = str(Path(tempfile.mkdtemp()) / "model.onnx")
    peers.exported(folder, path)
    make = f"p = pipeline('sentiment-analysis', model={folder!r})"
    codes = {
        "import torch": "import torch",
        "import nlp_tour": "import nlp_tour",
        "python alone": "",
        "ours": f"{OURS}; {make}; {ASK}",
        "ours, embedded by default": f"{OURS}; p = pipeline('sentiment-analysis'); {ASK}",
        "stock": f"{STOCK}; {make}; {ASK}",
        "ONNX Runtime, no torch": ONNX.format(path=path, folder=folder),
    }
    work = {name: fresh(code) for name, code in codes.items()}
    for run in work.values():
        run()  # fill the disk cache
    median, spread, _ = interleaved(work, rounds)
    ours = {"import torch": "import torch", "import nlp_tour.pipeline": OURS}
    stock = {"import torch": "import torch", "import transformers.pipeline": STOCK}
    then = {"open": make, "answer": ASK}
    figures = {
        "seconds": rounded(median, 3),
        "spread": rounded(spread),
        "times_sooner_than_stock": round(median["stock"] / median["ours"], 2),
        "import_nlp_tour": round(median["import nlp_tour"] - median["python alone"], 3),
        "seconds_of_ours": stages(ours | then, rounds),
        "seconds_of_stock": stages(stock | then, rounds),
    }
    report("first_answer", figures, "onnxruntime")
