"""How soon does a fresh process answer, and where does the time go?

    python benchmarks/bench_first_answer.py [--rounds 5]

From starting Python to the end of the process that gave one answer: ours, transformers.pipeline on the same folder, and ONNX Runtime with a tokenizer, which needs no torch.
The stages are taken inside a process of its own; `start and end` is what is left of its whole time."""

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

import peers
from common import fresh, interleaved, report, rounded

from nlp_tour.hub.standins import embedded

ONNX = """
import onnxruntime, tokenizers, numpy as np
s, tok = onnxruntime.InferenceSession({path!r}), tokenizers.Tokenizer.from_file({folder!r} + '/tokenizer.json')
e = tok.encode('We are very happy.'); s.run(['logits'], {{'input_ids': np.array([e.ids]), 'attention_mask': np.array([e.attention_mask])}})
"""
STAGES = """
import json, time; t = [time.perf_counter()]
{stages}
print(json.dumps([b - a for a, b in zip(t, t[1:])]))
"""


def stages(steps, rounds):
    "Median seconds of each step (name -> code) in a fresh process."
    run, runs = (
        fresh(
            STAGES.format(
                stages="\n".join(
                    f"{code}; t.append(time.perf_counter())" for code in steps.values()
                )
            )
        ),
        [],
    )
    for _ in range(rounds):
        start = time.perf_counter()
        inside = json.loads(run())
        runs.append([*inside, time.perf_counter() - start - sum(inside)])
    return {
        name: round(statistics.median(v), 3)
        for name, v in zip([*steps, "start and end"], zip(*runs))
    }


if __name__ == "__main__":
    cli = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    cli.add_argument("--rounds", type=int, default=5)
    rounds, folder, path = (
        cli.parse_args().rounds,
        str(embedded("sentiment")),
        str(Path(tempfile.mkdtemp()) / "model.onnx"),
    )
    peers.exported(folder, path)
    codes = {
        "import torch": "import torch",
        "import nlp_tour": "import nlp_tour",
        "python alone": "",
        "ours": f"from nlp_tour.pipeline import pipeline; pipeline('sentiment-analysis', model={folder!r})('We are very happy.')",
        "ours, embedded by default": "from nlp_tour.pipeline import pipeline; pipeline('sentiment-analysis')('We are very happy.')",
        "stock": f"import transformers; transformers.pipeline('sentiment-analysis', model={folder!r})('We are very happy.')",
        "ONNX Runtime, no torch": ONNX.format(path=path, folder=folder),
    }
    for code in codes.values():
        fresh(code)()  # fill the disk cache
    median, spread, _ = interleaved({k: fresh(c) for k, c in codes.items()}, rounds)
    ask = "p('We are very happy.')"
    where = {
        "ours": stages(
            {
                "import torch": "import torch",
                "import nlp_tour.pipeline": "from nlp_tour.pipeline import pipeline",
                "open": f"p = pipeline('sentiment-analysis', model={folder!r})",
                "answer": ask,
            },
            rounds,
        ),
        "stock": stages(
            {
                "import torch": "import torch",
                "import transformers.pipeline": "from transformers import pipeline",
                "open": f"p = pipeline('sentiment-analysis', model={folder!r})",
                "answer": ask,
            },
            rounds,
        ),
    }
    report(
        "first_answer",
        {
            "seconds": rounded(median, 3),
            "spread": rounded(spread),
            "times_sooner_than_stock": round(median["stock"] / median["ours"], 2),
            "import_nlp_tour": round(median["import nlp_tour"] - median["python alone"], 3),
            "seconds_of_ours": where["ours"],
            "seconds_of_stock": where["stock"],
        },
        "onnxruntime",
    )
