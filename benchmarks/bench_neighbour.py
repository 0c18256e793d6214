"""How much longer does the same work take while another process keeps a core busy?

    python benchmarks/bench_neighbour.py [--texts 200] [--rounds 3] [--busy 1]

One-sentence reviews through the embedded sentiment model, with as many threads as there are cores,
alone and beside processes that compute without end. Each way is a process of its own and runs
alone, then beside them; the ways take turns; medians. `all threads` is ours without the look at
the neighbours; waiting passively is a setting of the environment, which OpenMP reads once, before
Python can change it."""

import json
import os
import statistics

from common import fresh, judged, options, report, rounded

CODE = """
import json, subprocess, sys, time
from nlp_tour.data.reviews import reviews
from nlp_tour.hub.standins import embedded
import torch
{make}
texts = list(reviews()["test"]["text"][:{texts}])
pipe(texts[:50])
def seconds():
    start = time.perf_counter()
    pipe(texts)
    return time.perf_counter() - start
alone = seconds()
busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range({busy})]
try:
    time.sleep(1)
    beside = seconds()
finally:
    for process in busy:
        process.kill()
        process.wait()
print(json.dumps([alone, beside]))
"""
OURS = """
from nlp_tour.pipeline import pipeline
pipe = pipeline("sentiment-analysis", device="cpu", progress=False, **{how!r})
"""
ALL_THREADS = """
from nlp_tour.base import hardware
hardware.neighbours.threads = lambda most: most
"""
STOCK = """
import transformers
folder = str(embedded("sentiment"))
stock = transformers.pipeline("text-classification", model=folder, device=-1)
pipe = lambda texts: stock(texts, batch_size=8)
"""
ours = OURS.format(how={})
WAYS = {  # name -> code that makes `pipe`, and settings of the environment
    "ours": (ours, {}),
    "ours, all threads": (ALL_THREADS + ours, {}),
    "ours, all threads, OMP_WAIT_POLICY=passive": (
        ALL_THREADS + ours,
        {"OMP_WAIT_POLICY": "passive"},
    ),
    "ours, all threads, GOMP_SPINCOUNT=10000": (ALL_THREADS + ours, {"GOMP_SPINCOUNT": "10000"}),
    "ours on OpenVINO": (OURS.format(how={"backend": "openvino"}), {}),
    "stock, batch 8": (STOCK, {}),
}


def measure(texts, rounds, busy):
    "name -> (seconds alone, seconds beside), of each round."
    found = {name: [] for name in WAYS}
    for _ in range(rounds):
        for name, (make, settings) in WAYS.items():
            threads = {"OMP_NUM_THREADS": str(os.cpu_count())}
            run = fresh(CODE.format(make=make, texts=texts, busy=busy), **threads, **settings)
            found[name].append(json.loads(run().splitlines()[-1]))
            print(name, found[name][-1], flush=True)
    return found


if __name__ == "__main__":
    args = options(__doc__, texts=200, rounds=3, busy=1)
    found = measure(args.texts, args.rounds, args.busy)
    alone, beside = (
        {name: statistics.median(run[i] for run in runs) for name, runs in found.items()}
        for i in (0, 1)
    )
    longer = {name: beside[name] / alone[name] for name in found}
    quiet = alone["ours"] / alone["ours, all threads"]
    figures = {
        "texts": args.texts,
        "busy_processes": args.busy,
        "seconds_alone": rounded(alone, 3),
        "seconds_beside": rounded(beside, 3),
        "times_as_long": rounded(longer),
        "bars": judged(
            {
                "ours: times as long beside a busy core": (longer["ours"], 2.5),
                "ours alone: times all threads": (quiet, 1.05),
            }
        ),
    }
    report("neighbour", figures, "openvino")
