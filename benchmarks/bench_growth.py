"""How do time and memory grow: of scoring with the rows, of training with the length of texts, and
what does a second process bring?

    python benchmarks/bench_growth.py [--rows 1000000] [--reviews 1000] [--rounds 3]

`map_file` on a thousand to a million rows with a model so small that our own work shows (2 layers,
32 wide), and on up to a hundredth of them with the embedded model. Its pace beside the same texts
in memory. Training steps of 2,048 tokens at 32 to 512 tokens a text. Scoring by one process with
one thread and with two, and by two processes (`accelerate launch`) with one thread each."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from common import HERE, interleaved, options, report, rounded

from nlp_tour.data.reviews import reviews
from nlp_tour.hub.standins import embedded
from nlp_tour.pipeline import pipeline

TINY = """
import sys; sys.path.insert(0, {tests!r})
import tiny_encoders as tiny
from transformers import BertForSequenceClassification
rust = tiny.wordpiece()
model = tiny.fill(BertForSequenceClassification(tiny.config("bert", rust.get_vocab_size())))
model.save_pretrained({folder!r})
tiny.wrap(rust, types=True).save_pretrained({folder!r})
"""
SCORE = """
from nlp_tour.pipeline import pipeline
pipe = pipeline("text-classification", model={model!r}, device="cpu")
pipe.map_file({src!r}, {out!r}, progress=False, **{more!r})
"""
STEPS = """
import json, statistics, time, warnings
import torch
from nlp_tour.hub.loading import load
from nlp_tour.training.optimizer import AdamW
from nlp_tour.native_loop import train
warnings.simplefilter("ignore")
model = load("bert-base-cased", "text-classification", labels=["NEGATIVE", "POSITIVE"])[0]
rows = {tokens} // {length}
batch = dict(
    input_ids=torch.randint(1000, 2000, (rows, {length})),
    attention_mask=torch.ones(rows, {length}, dtype=torch.long),
    labels=torch.zeros(rows, dtype=torch.long),
)
optimizer, seconds = AdamW(model.parameters(), lr=1e-5), []
for i in range(6):
    begin = time.perf_counter()
    train(model, [batch], optimizer, progress=False)
    seconds.append(time.perf_counter() - begin)
print(json.dumps(statistics.median(seconds[1:])))
"""
# --multi_gpu is its name for torchrun, on a CPU, too.
LAUNCH = """-m accelerate.commands.launch --multi_gpu --num_processes 2 --num_machines 1
    --mixed_precision no --dynamo_backend no --main_process_port 0"""
TOKENS, LENGTHS = 2048, (32, 64, 128, 256, 512)


def memory(pid):
    "Resident memory of a process and its highest so far in MB; None once it has ended."
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    lines = dict(line.split(":") for line in status.splitlines())
    if "VmHWM" not in lines:
        return None
    return tuple(int(lines[k].split()[0]) // 1024 for k in ("VmRSS", "VmHWM"))


def watched(code):
    """Run Python code in a process: (resident memory, its highest so far) in MB, some times a
    second, the seconds it took, and what it printed."""
    start, seen = time.perf_counter(), []
    command = [sys.executable, "-c", code]
    run = subprocess.Popen(command, cwd=HERE, stdout=subprocess.PIPE, text=True)
    while run.poll() is None:
        if now := memory(run.pid):
            seen.append(now)
        time.sleep(0.05)
    if run.wait():
        sys.exit(run.returncode)
    return seen, time.perf_counter() - start, run.stdout.read()


def write_rows(path, rows):
    "Write rows as JSON lines."
    with open(path, "w") as f:
        f.writelines(json.dumps(row) + "\n" for row in rows)


def scoring(model, sizes, texts, tmp):
    """For each number of rows: seconds of the whole process, highest memory, and memory at the
    start and end of its second half."""
    found = {}
    source, out = tmp / "src.jsonl", tmp / "out"
    for n in sizes:
        short = ({"id": i, "text": texts[i % len(texts)][:60]} for i in range(n))
        write_rows(source, short)
        shutil.rmtree(out, ignore_errors=True)
        code = SCORE.format(model=model, src=str(source), out=str(out), more={})
        seen, seconds, _ = watched(code)
        found[n] = {
            "seconds": round(seconds, 1),
            "rows_per_second": round(n / seconds),
            "peak_MB": seen[-1][1],
            "second_half_MB": [seen[len(seen) // 2][0], seen[-1][0]],
        }
        print(n, found[n], flush=True)
    return found


def pace(some, tmp, rounds):
    "Texts a second in memory and through a file, and the second by the first."
    pipe = pipeline("sentiment-analysis", model=str(embedded("sentiment")), device="cpu")
    write_rows(tmp / "reviews.jsonl", ({"text": t} for t in some))

    def from_file():
        shutil.rmtree(tmp / "pace", ignore_errors=True)
        pipe.map_file(tmp / "reviews.jsonl", tmp / "pace", progress=False)

    pipe(some[:64])
    ways = {"in memory": lambda: pipe(some, progress=False), "map_file": from_file}
    median, spread, _ = interleaved(ways, rounds)
    figures = {
        "texts_per_second": {k: round(len(some) / v) for k, v in median.items()},
        "pace_spread": rounded(spread),
    }
    return figures, round(median["in memory"] / median["map_file"], 3)


def scaling(some, tmp, rounds):
    "Seconds from start to end of a script that scores a file in sixteen parts."
    source, out, script = tmp / "some.jsonl", tmp / "scaled", tmp / "score.py"
    write_rows(source, ({"text": t} for t in some))
    parts = {"part_rows": -(-len(some) // 16)}
    model = str(embedded("sentiment"))
    script.write_text(SCORE.format(model=model, src=str(source), out=str(out), more=parts))

    def run(before, threads):
        shutil.rmtree(out, ignore_errors=True)
        env = os.environ | {"OMP_NUM_THREADS": str(threads), "CUDA_VISIBLE_DEVICES": ""}
        command = [sys.executable, *before, str(script)]
        subprocess.run(command, env=env, check=True, capture_output=True)

    ways = {
        "1 process, 1 thread": lambda: run([], 1),
        "1 process, 2 threads": lambda: run([], 2),
        "2 processes, 1 thread each": lambda: run(LAUNCH.split(), 1),
    }
    median, spread, _ = interleaved(ways, rounds)
    seconds = rounded(median)
    one = seconds["1 process, 1 thread"]
    return {
        "scaling_seconds": seconds,
        "scaling_spread": rounded(spread),
        "scaling_times": {k: round(one / v, 2) for k, v in seconds.items()},
    }


def scored(grown):
    "The figures of scoring by model and number of rows."
    found = {}
    for model, rows in grown.items():
        for n, figures in rows.items():
            shown = {k: v for k, v in figures.items() if k != "second_half_MB"}
            found[f"{model}, {n:,} rows"] = shown
    tiny = list(grown["tiny model"].items())
    halves = {f"{n:,} rows": dict(zip(("starts", "ends"), f["second_half_MB"])) for n, f in tiny}
    (_, tenth), (_, whole) = tiny[-2:]
    return {
        "growth_MB_from_a_tenth_to_all": whole["peak_MB"] - tenth["peak_MB"],
        "scoring": found,
        "second_half_MB": halves,
    }


def curve(x, y, lines, log_y=False):
    "A plot of the benchmark page."
    return {"x": x, "y": y, "log_x": True, "log_y": log_y, "lines": lines}


def curves(grown, seconds):
    "The plots: scoring by rows, and a training step by the length of texts."

    def lines(key):
        return {model: [[n, f[key]] for n, f in rows.items()] for model, rows in grown.items()}

    step = {"step": [[n, round(s, 3)] for n, s in seconds.items()]}
    return {
        "seconds of scoring a file": curve("rows", "seconds", lines("seconds"), log_y=True),
        "highest memory of scoring a file": curve("rows", "MB", lines("peak_MB")),
        "seconds of a training step of 2,048 tokens": curve("tokens a text", "seconds", step),
    }


if __name__ == "__main__":
    args = options(__doc__, rows=1_000_000, reviews=1000, rounds=3)
    tmp = Path(tempfile.mkdtemp())
    texts = reviews()["test"]["text"][:]
    tiny = tmp / "tiny"
    watched(TINY.format(tests=str(HERE.parent / "tests"), folder=str(tiny)))
    sizes = [args.rows // k for k in (1000, 100, 10, 1)]
    grown = {
        "tiny model": scoring(str(tiny), sizes, texts, tmp),
        "embedded model": scoring(str(embedded("sentiment")), sizes[:2], texts, tmp),
    }
    files, pace_of_files = pace((texts * 2)[: args.reviews], tmp, args.rounds)
    steps = {n: watched(STEPS.format(tokens=TOKENS, length=n)) for n in LENGTHS}
    seconds = {n: json.loads(printed) for n, (_, _, printed) in steps.items()}
    speed = {f"{n} tokens a text": round(TOKENS / s) for n, s in seconds.items()}
    peaks = {f"{n} tokens a text": seen[-1][1] for n, (seen, _, _) in steps.items()}
    figures = {
        "pace_of_files": pace_of_files,
        **scored(grown),
        **files,
        "training_tokens_per_second": speed,
        "training_peak_MB": peaks,
        **scaling((texts * 4)[: 2 * args.reviews], tmp, args.rounds),
        "curves": curves(grown, seconds),
    }
    report("growth", figures)
    shutil.rmtree(tmp)
