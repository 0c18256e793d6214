"""How soon does a fresh process answer, and where does the time go?

    python benchmarks/bench_first_answer.py [--rounds 5]

From starting Python to the end of the process that gave one answer, in turn: ours, in Python and as
`nlp-tour predict`; transformers.pipeline on the same folder; ONNX Runtime and OpenVINO with a
tokenizer, which need no torch; sentence-transformers' vectors of the same body; `import torch`
alone. The peak of memory is of a process that does only this. `echo … | nlp-tour predict` over 1 to
10,000 lines, as it comes and with torch imported first. The stages are taken inside a process of
its own; `start and end` is what is left of its whole time. `early_work` is where importing torch
begins to pay, which is what `EARLY_WORK` of nbs/inference/bundle.ipynb states."""

import json
import statistics
import tempfile
import time
from pathlib import Path

import peers
from common import fresh, interleaved, judged, options, peak_memory, report, rounded

from nlp_tour.data.reviews import reviews
from nlp_tour.hub.names import resolve
from nlp_tour.hub.standins import embedded

TOKENS = """
import numpy as np, tokenizers
tok = tokenizers.Tokenizer.from_file({folder!r} + "/tokenizer.json")
e = tok.encode("We are very happy.")
inputs = dict(input_ids=np.array([e.ids]), attention_mask=np.array([e.attention_mask]))
"""
ONNX = """
import onnxruntime
onnxruntime.InferenceSession({path!r}).run(["logits"], inputs)
"""
OPENVINO = """
import openvino
openvino.Core().compile_model({path!r}, "CPU")(inputs)
"""
VECTORS = """
import peers
peers.sentence_transformer({body!r}).encode(["We are very happy."])
"""
STAGES = """
import json, time; t = [time.perf_counter()]
{stages}
print(json.dumps([b - a for a, b in zip(t, t[1:])]))
"""
COMMAND = """
import sys
from nlp_tour.app.cli import main
sys.argv[1:] = ["predict", "--device", "cpu", *{words!r}]
try:
    main()
except SystemExit as end:
    assert not end.code
"""
EARLY = """
import json, time
from nlp_tour.inference import bundle
from nlp_tour.pipeline import pipeline
bundle.EARLY_WORK = float("inf")
texts = json.loads({texts!r})
pipe = pipeline("sentiment-analysis", device="cpu", progress=False)
def seconds(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
answer = lambda: pipe(texts)
a_token = pipe.bundle.early.work()
tokens = sum(map(len, pipe.task.encode(texts, pipe.options)))
numpy = min(seconds(answer) for _ in range(3))
handing_over = seconds(lambda: pipe.fast)
answer()
torch = min(seconds(answer) for _ in range(3))
print(json.dumps([a_token, tokens, numpy, handing_over, torch]))
"""
OURS, STOCK = "from nlp_tour.pipeline import pipeline", "from transformers import pipeline"
ASK = "p('We are very happy.')"
LINES = (1, 10, 100, 1000, 10_000)


def contenders(folder, path):
    "name -> the code of a fresh process."
    make = f"p = pipeline('sentiment-analysis', model={folder!r})"
    tokens = TOKENS.format(folder=folder)
    body = str(resolve("sentence-transformers/all-MiniLM-L6-v2"))
    words = ["--model", folder, "We are very happy."]
    return {
        "import torch": "import torch",
        "import nlp_tour": "import nlp_tour",
        "python alone": "",
        "ours": f"{OURS}; {make}; {ASK}",
        "ours, embedded by default": f"{OURS}; p = pipeline('sentiment-analysis'); {ASK}",
        "nlp-tour predict": COMMAND.format(words=words),
        "stock": f"{STOCK}; {make}; {ASK}",
        "ONNX Runtime, no torch": tokens + ONNX.format(path=path),
        "OpenVINO, no torch": tokens + OPENVINO.format(path=path),
        "sentence-transformers": VECTORS.format(body=body),
    }


def stages(folder, rounds):
    "Ours and the stock pipeline: median seconds of each step in a fresh process."
    make, found = f"p = pipeline('sentiment-analysis', model={folder!r})", {}
    steps = {
        "ours": {"import nlp_tour.pipeline": OURS},
        "stock": {"import torch": "import torch", "import transformers.pipeline": STOCK},
    }
    for name, first in steps.items():
        codes, runs = first | {"open": make, "answer": ASK}, []
        timed = "\n".join(f"{code}; t.append(time.perf_counter())" for code in codes.values())
        run = fresh(STAGES.format(stages=timed))
        for _ in range(rounds):
            start = time.perf_counter()
            inside = json.loads(run())
            runs.append([*inside, time.perf_counter() - start - sum(inside)])
        medians = map(statistics.median, zip(*runs))
        found[name] = dict(zip([*codes, "start and end"], (round(m, 3) for m in medians)))
    return found


def pipes(rounds):
    "Lines through a pipe: seconds as it comes, and with torch imported before anything else."
    texts = [" ".join(t.split()[:6]) for t in reviews()["train"]["text"]]
    found, code = {}, COMMAND.format(words=[])
    for n in LINES:
        lines = "\n".join((texts * (n // len(texts) + 1))[:n]) + "\n"
        ways = {"as it comes": fresh(code, lines), "torch": fresh(f"import torch\n{code}", lines)}
        found[n] = rounded(interleaved(ways, rounds)[0], 3)
    return found


def early_work(rounds):
    "Where importing torch begins to pay."
    texts = json.dumps(list(reviews()["test"]["text"][:48]))
    run = fresh(EARLY.format(texts=texts))
    runs = [json.loads(run()) for _ in range(rounds)]
    a_token, tokens, numpy, handing_over, torch = map(statistics.median, zip(*runs))
    crossing = handing_over / (numpy - torch) * tokens if numpy > torch else float("inf")
    return {
        "multiplications_a_token": a_token,
        "seconds_of_handing_over": round(handing_over, 3),
        "tokens_a_second": {"NumPy": round(tokens / numpy), "torch": round(tokens / torch)},
        "crossing_tokens": round(crossing),
        "crossing_multiplications": float(f"{crossing * a_token:.2g}"),
    }


def bars(seconds, peaks, piped):
    "What is to hold, as (measured, limit)."
    found = {}
    for name in ("ours", "nlp-tour predict"):
        own = seconds[name]
        found |= {
            f"{name}: share of transformers.pipeline's time": (own / seconds["stock"], 0.1),
            f"{name}: share of import torch": (own / seconds["import torch"], 1 / 3),
            f"{name}: times ONNX Runtime": (own / seconds["ONNX Runtime, no torch"], 1.2),
            f"{name}: MB at most": (peaks[name], 120),
        }
    for n, ways in piped.items():
        found[f"pipe of {n:,} lines: times torch"] = (ways["as it comes"] / ways["torch"], 1.05)
    return found


if __name__ == "__main__":
    rounds = options(__doc__, rounds=5).rounds
    folder = str(embedded("sentiment"))
    path = str(Path(tempfile.mkdtemp()) / "model.onnx")
    peers.exported(folder, path)
    codes = contenders(folder, path)
    work = {name: fresh(code) for name, code in codes.items()}
    for run in work.values():
        run()  # fill the disk cache
    median, spread, _ = interleaved(work, rounds)
    peaks = {name: peak_memory(code) for name, code in codes.items()}
    piped = pipes(rounds)
    inside = stages(folder, rounds)
    figures = {
        "seconds": rounded(median, 3),
        "spread": rounded(spread),
        "peak_memory_MB": peaks,
        "times_sooner_than_stock": round(median["stock"] / median["ours"], 2),
        "import_nlp_tour": round(median["import nlp_tour"] - median["python alone"], 3),
        "seconds_of_ours": inside["ours"],
        "seconds_of_stock": inside["stock"],
        "seconds_of_lines": piped,
        "early_work": early_work(rounds),
        "bars": judged(bars(median, peaks, piped)),
    }
    report("first_answer", figures, "onnxruntime", "openvino", "sentence-transformers")
