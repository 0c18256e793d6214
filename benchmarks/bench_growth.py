"""How do time and memory grow: of scoring with the rows, of training with the length of texts, and what does a second process bring?

    python benchmarks/bench_growth.py [--rows 1000000] [--reviews 1000] [--rounds 3]

`map_file` on a thousand to a million rows with a model so small that our own work shows (2 layers, 32 wide), and on up to a hundredth of them with the embedded model.
Its pace beside the same texts in memory. Training steps of 2,048 tokens at 32 to 512 tokens a text. Scoring by one process with one
thread and with two, and by two processes (`accelerate launch`) with one thread each."""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from common import HERE, interleaved, report, rounded

from nlp_tour.data.datasets import reviews
from nlp_tour.hub.standins import embedded
from nlp_tour.pipeline import pipeline

TINY = """
import sys; sys.path.insert(0, {tests!r})
import tiny_encoders as tiny
from transformers import BertForSequenceClassification
rust = tiny.wordpiece()
tiny.fill(BertForSequenceClassification(tiny.config("bert", rust.get_vocab_size()))).save_pretrained({folder!r})
tiny.wrap(rust, types=True).save_pretrained({folder!r})
"""
SCORE = "from nlp_tour.pipeline import pipeline; pipeline('text-classification', model={model!r}, device='cpu').map_file({src!r}, {out!r}, progress=False)"
STEPS = """
import torch, time, statistics, warnings, json; warnings.simplefilter('ignore')
from nlp_tour.hub.loading import load
from nlp_tour.native_loop import AdamW, train
model = load('bert-base-cased', 'text-classification', labels=['NEGATIVE', 'POSITIVE'])[0]
rows = {tokens} // {length}
batch = dict(input_ids=torch.randint(1000, 2000, (rows, {length})), attention_mask=torch.ones(rows, {length}, dtype=torch.long), labels=torch.zeros(rows, dtype=torch.long))
optimizer, seconds = AdamW(model.parameters(), lr=1e-5), []
for i in range(6):
    begin = time.perf_counter(); train(model, [batch], optimizer, progress=False); seconds.append(time.perf_counter() - begin)
print(json.dumps(statistics.median(seconds[1:])))
"""


def watched(command, env=None):
    "Run a command; (resident memory, its highest so far) in MB, some times a second, the seconds it took, and what it printed."
    start, run, seen = (
        time.perf_counter(),
        subprocess.Popen(
            command, env=env and os.environ | env, cwd=HERE, stdout=subprocess.PIPE, text=True
        ),
        [],
    )
    while run.poll() is None:
        try:
            lines = dict(l.split(":") for l in open(f"/proc/{run.pid}/status"))
        except (FileNotFoundError, ProcessLookupError):
            break
        if "VmHWM" in lines:
            seen.append(
                tuple(int(lines[k].split()[0]) // 1024 for k in ("VmRSS", "VmHWM"))
            )  # it has none once it has ended
        time.sleep(0.05)
    if run.wait():
        sys.exit(run.returncode)
    return seen, time.perf_counter() - start, run.stdout.read()


def rows_of_text(path, n, texts):
    with open(path, "w") as f:
        for i in range(n):
            f.write(json.dumps({"id": i, "text": texts[i % len(texts)][:60]}) + "\n")


def scoring(model, sizes, texts, tmp):
    "For each number of rows: seconds of the whole process, highest memory, and memory at the start and end of its second half."
    found = {}
    for n in sizes:
        rows_of_text(tmp / "src.jsonl", n, texts)
        shutil.rmtree(tmp / "out", ignore_errors=True)
        seen, seconds, _ = watched(
            [
                sys.executable,
                "-c",
                SCORE.format(model=model, src=str(tmp / "src.jsonl"), out=str(tmp / "out")),
            ]
        )
        found[n] = {
            "seconds": round(seconds, 1),
            "rows_per_second": round(n / seconds),
            "peak_MB": seen[-1][1],
            "second_half_MB": [seen[len(seen) // 2][0], seen[-1][0]],
        }
        print(n, found[n], flush=True)
    return found


def pace(some, tmp, rounds):
    "Texts a second in memory and through a file."
    pipe = pipeline("sentiment-analysis", model=str(embedded("sentiment")), device="cpu")
    (tmp / "reviews.jsonl").write_text("".join(json.dumps({"text": t}) + "\n" for t in some))

    def from_file():
        shutil.rmtree(tmp / "pace", ignore_errors=True)
        pipe.map_file(tmp / "reviews.jsonl", tmp / "pace", progress=False)

    pipe(some[:64])
    median, spread, _ = interleaved(
        {"in memory": lambda: pipe(some, progress=False), "map_file": from_file}, rounds
    )
    return {
        "texts_per_second": {k: round(len(some) / v) for k, v in median.items()},
        "pace_spread": rounded(spread),
    }, round(median["in memory"] / median["map_file"], 3)


def scaling(some, tmp, rounds):
    "Seconds from start to end of a script that scores a file in sixteen parts."
    (tmp / "some.jsonl").write_text("".join(json.dumps({"text": t}) + "\n" for t in some))
    (tmp / "score.py").write_text(
        SCORE.format(
            model=str(embedded("sentiment")), src=str(tmp / "some.jsonl"), out=str(tmp / "scaled")
        ).replace("progress=False", f"progress=False, part_rows={-(-len(some) // 16)}")
    )
    launch = [
        "-m",
        "accelerate.commands.launch",
        "--multi_gpu",
        "--num_processes",
        "2",
        "--num_machines",
        "1",
        "--mixed_precision",
        "no",
        "--dynamo_backend",
        "no",
        "--main_process_port",
        "0",
    ]  # --multi_gpu: its name for torchrun, on a CPU, too

    def run(before, threads):
        shutil.rmtree(tmp / "scaled", ignore_errors=True)
        subprocess.run(
            [sys.executable, *before, str(tmp / "score.py")],
            env=os.environ | {"OMP_NUM_THREADS": str(threads), "CUDA_VISIBLE_DEVICES": ""},
            check=True,
            capture_output=True,
        )

    median, spread, _ = interleaved(
        {
            "1 process, 1 thread": lambda: run([], 1),
            "1 process, 2 threads": lambda: run([], 2),
            "2 processes, 1 thread each": lambda: run(launch, 1),
        },
        rounds,
    )
    return rounded(median), rounded(spread)


if __name__ == "__main__":
    cli = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name, value in {"rows": 1_000_000, "reviews": 1000, "rounds": 3}.items():
        cli.add_argument(f"--{name}", type=int, default=value)
    args, tmp = cli.parse_args(), Path(tempfile.mkdtemp())
    texts = reviews()["test"]["text"][:]
    subprocess.run(
        [
            sys.executable,
            "-c",
            TINY.format(tests=str(HERE.parent / "tests"), folder=str(tmp / "tiny")),
        ],
        check=True,
        capture_output=True,
    )
    sizes = [args.rows // k for k in (1000, 100, 10, 1)]
    grown = {
        "tiny model": scoring(str(tmp / "tiny"), sizes, texts, tmp),
        "embedded model": scoring(str(embedded("sentiment")), sizes[:2], texts, tmp),
    }
    files, kept = pace((texts * 2)[: args.reviews], tmp, args.rounds)
    lengths = (32, 64, 128, 256, 512)
    steps = {
        n: watched([sys.executable, "-c", STEPS.format(tokens=2048, length=n)]) for n in lengths
    }
    seconds, memory = (
        {n: json.loads(printed) for n, (_, _, printed) in steps.items()},
        {n: seen[-1][1] for n, (seen, _, _) in steps.items()},
    )
    together, spread = scaling((texts * 4)[: 2 * args.reviews], tmp, args.rounds)
    one = together["1 process, 1 thread"]

    def line(key):
        return {model: [[n, r[key]] for n, r in rows.items()] for model, rows in grown.items()}

    report(
        "growth",
        dict(
            pace_of_files=kept,
            growth_MB_from_a_tenth_to_all=grown["tiny model"][sizes[3]]["peak_MB"]
            - grown["tiny model"][sizes[2]]["peak_MB"],
            scoring={
                f"{model}, {n:,} rows": {k: v for k, v in r.items() if k != "second_half_MB"}
                for model, rows in grown.items()
                for n, r in rows.items()
            },
            second_half_MB={
                f"{n:,} rows": dict(zip(("starts", "ends"), r["second_half_MB"]))
                for n, r in grown["tiny model"].items()
            },
            **files,
            training_tokens_per_second={
                f"{n} tokens a text": round(2048 / s) for n, s in seconds.items()
            },
            training_peak_MB={f"{n} tokens a text": m for n, m in memory.items()},
            scaling_seconds=together,
            scaling_spread=spread,
            scaling_times={k: round(one / v, 2) for k, v in together.items()},
            curves={
                "seconds of scoring a file": {
                    "x": "rows",
                    "y": "seconds",
                    "log_x": True,
                    "log_y": True,
                    "lines": line("seconds"),
                },
                "highest memory of scoring a file": {
                    "x": "rows",
                    "y": "MB",
                    "log_x": True,
                    "log_y": False,
                    "lines": line("peak_MB"),
                },
                "seconds of a training step of 2,048 tokens": {
                    "x": "tokens a text",
                    "y": "seconds",
                    "log_x": True,
                    "log_y": False,
                    "lines": {"step": [[n, round(s, 3)] for n, s in seconds.items()]},
                },
            },
        ),
    )
    shutil.rmtree(tmp)
