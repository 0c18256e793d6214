"What the benchmarks share: interleaved timing, the machine, and where results go."
import json, os, platform, statistics, time
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
