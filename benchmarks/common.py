"What the benchmarks share: interleaved timing, the machine, and where results go."
import json, os, platform, random, statistics, time
from importlib.metadata import version
from pathlib import Path

os.environ.setdefault("NLP_TOUR_OFFLINE", "1")
RESULTS = Path(__file__).parent / "results"


def machine():
    "What the figures were measured on."
    import torch
    model = next((l.split(":")[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")), platform.processor()) if os.path.exists("/proc/cpuinfo") else platform.processor()
    return dict(processor=model, cores=os.cpu_count(), threads=torch.get_num_threads(), gpu=torch.cuda.get_device_name() if torch.cuda.is_available() else None,
                python=platform.python_version(), **{p: version(p) for p in ("torch", "transformers", "tokenizers")})


def interleaved(contenders, rounds=3):
    "Median seconds of each contender (name -> function), run in turn, A B A B, after a warm-up on nothing."
    seconds = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, work in contenders.items():
            start = time.perf_counter()
            work()
            seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(s) for name, s in seconds.items()}, {name: max(s) / min(s) for name, s in seconds.items()}


def report(name, figures):
    "Print the figures as JSON, and keep them with the machine that gave them."
    RESULTS.mkdir(exist_ok=True)
    figures = {"benchmark": name, "machine": machine()} | figures
    (RESULTS/f"{name}.json").write_text(json.dumps(figures, indent=2) + "\n")
    print(json.dumps(figures, indent=2))


def draw_by_label(labels, n, seed):
    "Positions of n examples of each label, drawn at random."
    rng = random.Random(seed)
    return [i for k in sorted(set(labels)) for i in rng.sample([i for i, y in enumerate(labels) if y == k], n)]


def spread(values):
    "Mean and standard deviation of repeated runs, and the runs."
    return dict(mean=round(statistics.mean(values), 4), sd=round(statistics.stdev(values), 4) if len(values) > 1 else 0.0, runs=[round(v, 4) for v in values])
