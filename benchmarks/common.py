"What the benchmarks share: interleaved timing, peaks of memory and of the machine, where results go. The method is in README.md beside this file."

import json
import os
import platform
import random
import statistics
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

os.environ.setdefault("NLP_TOUR_OFFLINE", "1")
HERE = Path(__file__).parent
RESULTS = HERE / "results"
LONG = 45  # seconds; what takes longer is timed once


def machine(*packages):
    "What the figures were measured on, with the versions of these packages beside those of every result."
    import torch

    model = (
        next(
            (l.split(":")[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")),
            platform.processor(),
        )
        if os.path.exists("/proc/cpuinfo")
        else platform.processor()
    )
    return dict(
        processor=model,
        cores=os.cpu_count(),
        threads=torch.get_num_threads(),
        gpu=torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        python=platform.python_version(),
        **{p: version(p) for p in ("torch", "transformers", "tokenizers", *packages)},
    )


def interleaved(contenders, rounds=3):
    "Run contenders (name -> function) in turn, A B A B: name -> median seconds, name -> slowest by fastest, and name -> what the last run returned."
    seconds, answers = {name: [] for name in contenders}, {}
    for _ in range(rounds):
        for name, work in contenders.items():
            if seconds[name] and seconds[name][0] > LONG:
                continue
            start = time.perf_counter()
            answers[name] = work()
            seconds[name].append(time.perf_counter() - start)
    return (
        {name: statistics.median(s) for name, s in seconds.items()},
        {name: max(s) / min(s) for name, s in seconds.items()},
        answers,
    )


def fresh(code):
    "A function that runs Python code in a process of its own and returns what it printed."
    return lambda: (
        subprocess.run(
            [sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=HERE
        ).stdout
    )


def peak_memory(code):
    "Highest resident memory in MB of a process of its own that runs the code (Linux: VmHWM, which starts anew with each program)."
    seen = fresh(
        f"{code}\nprint('\\n', next(l.split()[1] for l in open('/proc/self/status') if l.startswith('VmHWM')))"
    )()
    return int(seen.split()[-1]) // 1024


def matmul_peak(dtype, seconds=2, device="cpu"):
    "FLOP/s of the fastest linear layer, of several sizes: the limit of this machine for a product of matrices. On a CPU, weights are packed as ours are."
    import torch

    from nlp_tour.engine.encoder import linear

    cpu, best = torch.device(device).type == "cpu", 0
    with torch.inference_mode():
        for rows, inside, out in (
            ((1024, 384, 1536), (1024, 1536, 384), (2048, 2048, 2048), (4096, 1024, 1024))
            if cpu
            else ((4096, 4096, 4096), (8192, 8192, 8192))
        ):
            x, layer = (
                torch.randn(rows, inside, dtype=dtype, device=device),
                linear(
                    torch.randn(out, inside, dtype=dtype, device=device),
                    torch.zeros(out, dtype=dtype, device=device),
                    packed=cpu,
                ),
            )
            end = time.perf_counter() + seconds / 4
            while time.perf_counter() < end:
                start = time.perf_counter()
                layer(x)
                if not cpu:
                    torch.cuda.synchronize()
                best = max(best, 2 * rows * inside * out / (time.perf_counter() - start))
    return best


def flops(lengths, layers=6, width=384, inner=1536, read=None):
    "Products that an encoder's answer needs over texts of so many tokens, none of them padding: 2 for each weight and token, and attention's two (n, n, width). Of the last layer a head may `read` the first tokens only."

    def layer(n, m):
        return (
            4 * n * width**2 + 4 * m * (width**2 + width * inner) + 4 * n * m * width
        )  # keys and values of n tokens, the rest of m

    return sum((layers - 1) * layer(n, n) + layer(n, read or n) for n in lengths)


def report(name, figures, *packages):
    "Print the figures as JSON, and keep them with the machine that gave them."
    RESULTS.mkdir(exist_ok=True)
    figures = {"benchmark": name, "machine": machine(*packages)} | figures
    (RESULTS / f"{name}.json").write_text(json.dumps(figures, indent=2) + "\n")
    print(json.dumps(figures, indent=2))


def rounded(figures, digits=2):
    return {k: round(v, digits) for k, v in figures.items()}


def reached(points, mark):
    "Seconds at which a curve first lies at the mark or below, between two evaluations on a straight line; None: never."
    for (t0, a), (t1, b) in zip([points[0], *points], points):
        if b <= mark:
            return t1 if a == b or a <= mark else t0 + (t1 - t0) * (a - mark) / (a - b)


def draw_by_label(labels, n, seed):
    "Positions of n examples of each label, drawn at random."
    rng = random.Random(seed)
    return [
        i
        for k in sorted(set(labels))
        for i in rng.sample([i for i, y in enumerate(labels) if y == k], n)
    ]


def spread(values):
    "Mean and standard deviation of repeated runs, and the runs."
    values = list(map(float, values))
    return {
        "mean": round(statistics.mean(values), 4),
        "sd": round(statistics.stdev(values), 4) if len(values) > 1 else 0.0,
        "runs": [round(v, 4) for v in values],
    }
