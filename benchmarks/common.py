"""What the benchmarks share: interleaved timing, peaks of memory and of the machine, where results
go. The method is in README.md beside this file."""

import argparse
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


def options(doc, **defaults):
    "The options of a benchmark, whole numbers that all have a default."
    raw = argparse.RawDescriptionHelpFormatter
    cli = argparse.ArgumentParser(description=doc, formatter_class=raw)
    for name, value in defaults.items():
        cli.add_argument(f"--{name.replace('_', '-')}", type=int, default=value)
    return cli.parse_args()


def make_embedded(doc, train, write, evaluate, write_card):
    """Train an embedded model, write it into the package, print its figures and write its card;
    with --evaluate only print the figures of what the package holds."""
    raw = argparse.RawDescriptionHelpFormatter
    cli = argparse.ArgumentParser(description=doc, formatter_class=raw)
    cli.add_argument("--evaluate", action="store_true")
    only_evaluate = cli.parse_args().evaluate
    if not only_evaluate:
        write(train())
    figures = evaluate()
    print(json.dumps(figures))
    if not only_evaluate:
        write_card(figures)


def card_versions():
    "The versions that a model card names."
    packages = {p: version(p).split("+")[0] for p in ("torch", "transformers", "peft")}
    return {"python": platform.python_version(), **packages}


def processor():
    "The name of the processor, where Linux tells it."
    cpus = Path("/proc/cpuinfo")
    lines = cpus.read_text().splitlines() if cpus.exists() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def machine(*packages):
    "What the figures were measured on, with the versions of these packages and of every result's."
    import torch

    return dict(
        processor=processor(),
        cores=os.cpu_count(),
        threads=torch.get_num_threads(),
        load=round(os.getloadavg()[0], 1),  # mean of the minute before the result
        gpu=torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        python=platform.python_version(),
        **{p: version(p) for p in ("torch", "transformers", "tokenizers", *packages)},
    )


def interleaved(contenders, rounds=3):
    """Run contenders (name -> function) in turn, A B A B: name -> median seconds, name -> slowest
    by fastest, and name -> what the last run returned."""
    seconds, answers = {name: [] for name in contenders}, {}
    for _ in range(rounds):
        for name, work in contenders.items():
            if seconds[name] and seconds[name][0] > LONG:
                continue
            start = time.perf_counter()
            answers[name] = work()
            seconds[name].append(time.perf_counter() - start)
    median = {name: statistics.median(s) for name, s in seconds.items()}
    spread = {name: max(s) / min(s) for name, s in seconds.items()}
    return median, spread, answers


def fresh(code, stdin="", **environment):
    """A function that runs Python code in a process of its own and returns what it printed. Ours is
    read from bytecode, as the installed packages are."""
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"} | environment
    command = {"args": [sys.executable, "-c", code], "cwd": HERE, "env": env, "input": stdin}
    return lambda: subprocess.run(**command, check=True, capture_output=True, text=True).stdout


PEAK = """
with open("/proc/self/status") as status:
    print(next(line.split()[1] for line in status if line.startswith("VmHWM")))
"""


def peak_memory(code):
    """Highest resident memory in MB of a process of its own that runs the code (Linux: VmHWM, which
    starts anew with each program)."""
    printed = fresh(f"{code}\n{PEAK}")()
    return int(printed.split()[-1]) // 1024


CPU_LAYERS = ((1024, 384, 1536), (1024, 1536, 384), (2048, 2048, 2048), (4096, 1024, 1024))
GPU_LAYERS = ((4096, 4096, 4096), (8192, 8192, 8192))


def matmul_peak(dtype, seconds=2, device="cpu"):
    """FLOP/s of the fastest linear layer, of several sizes: the limit of this machine for a product
    of matrices. On a CPU, weights are packed as ours are."""
    import torch

    from nlp_tour.engine.layers import linear

    cpu, best = torch.device(device).type == "cpu", 0
    like = {"dtype": dtype, "device": device}
    with torch.inference_mode():
        for rows, inside, out in CPU_LAYERS if cpu else GPU_LAYERS:
            x = torch.randn(rows, inside, **like)
            weight, bias = torch.randn(out, inside, **like), torch.zeros(out, **like)
            layer = linear(weight, bias, packed=cpu)
            end = time.perf_counter() + seconds / 4
            while time.perf_counter() < end:
                start = time.perf_counter()
                layer(x)
                if not cpu:
                    torch.cuda.synchronize()
                best = max(best, 2 * rows * inside * out / (time.perf_counter() - start))
    return best


def flops(lengths, layers=6, width=384, inner=1536, read=None):
    """Products that an encoder's answer needs over texts of so many tokens, none of them padding: 2
    for each weight and token, and attention's two (n, n, width). Of the last layer a head may
    `read` the first tokens only."""

    def layer(n, m):
        keys_and_values = 4 * n * width**2
        queries_and_the_rest = 4 * m * (width**2 + width * inner)
        return keys_and_values + queries_and_the_rest + 4 * n * m * width

    return sum((layers - 1) * layer(n, n) + layer(n, read or n) for n in lengths)


def report(name, figures, *packages):
    "Print the figures as JSON, and keep them with the machine that gave them."
    RESULTS.mkdir(exist_ok=True)
    figures = {"benchmark": name, "machine": machine(*packages)} | figures
    (RESULTS / f"{name}.json").write_text(json.dumps(figures, indent=2) + "\n")
    print(json.dumps(figures, indent=2))


def judged(bars):
    "Name -> (measured, limit), below the limit is right; printed, and as they are kept."
    found = {}
    for name, (measured, limit) in bars.items():
        holds = measured <= limit
        found[name] = {"measured": round(measured, 3), "limit": limit, "holds": holds}
        verdict = "pass" if holds else "FAIL"
        print(f"{verdict}  {name}: {measured:.3g}, limit {limit:g}")
    return found


def rounded(figures, digits=2):
    return {k: round(v, digits) for k, v in figures.items()}


def reached(points, mark):
    """Seconds at which a curve first lies at the mark or below, between two evaluations on a
    straight line; None: never."""
    for (t0, a), (t1, b) in zip([points[0], *points], points):
        if b <= mark:
            return t1 if a == b or a <= mark else t0 + (t1 - t0) * (a - mark) / (a - b)
    return None


def draw_by_label(labels, n, seed):
    "Positions of n examples of each label, drawn at random."
    rng, drawn = random.Random(seed), []
    for label in sorted(set(labels)):
        drawn += rng.sample([i for i, y in enumerate(labels) if y == label], n)
    return drawn


def spread(values):
    "Mean and standard deviation of repeated runs, and the runs."
    values = list(map(float, values))
    return {
        "mean": round(statistics.mean(values), 4),
        "sd": round(statistics.stdev(values), 4) if len(values) > 1 else 0.0,
        "runs": [round(v, 4) for v in values],
    }
