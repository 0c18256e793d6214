"Killed at a random moment, met by a full disk: a run ends with the weights of an undisturbed one."

import contextlib
import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from nlp_tour.training.checkpoints import is_complete

here = Path(__file__).parent
ENV = os.environ | {
    "NLP_TOUR_OFFLINE": "1",
    "OMP_NUM_THREADS": "1",
    "CUDA_VISIBLE_DEVICES": "",
    "PYTHONPATH": str(here.parent),
}


def start(way, out, *more):
    return subprocess.Popen(
        [sys.executable, str(here / "train_tiny.py"), way, str(out), *map(str, more)],
        env=ENV,
        cwd=here,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def finish(way, out, *more):
    run = start(way, out, *more)
    _, errors = run.communicate(timeout=180)
    return run.returncode, errors


def kill_after(way, out, steps, seconds):
    "Start, wait for so many steps and a moment more, and kill -9."
    run = start(way, out, "--slow", 0.02)
    for _ in range(steps):
        assert run.stdout.readline() == "step\n", run.stderr.read()
    with contextlib.suppress(subprocess.TimeoutExpired):
        run.wait(seconds)
    run.kill()
    run.communicate()
    assert run.returncode == -9


def checkpoints(out):
    return sorted(int(p.name.split("-")[1]) for p in out.glob("checkpoint-*"))


@pytest.mark.parametrize("way", ["trainer", "loop"])
def test_killed_and_resumed_bit_for_bit(way, tmp_path):
    straight, killed = tmp_path / "straight", tmp_path / "killed"
    # Another moment each time, in 24 steps.
    moment = (random.randint(6, 20), random.random() * 0.1)
    code, errors = finish(way, straight, "--report", f"{straight}.json")
    assert code == 0, errors
    kill_after(way, killed, *moment)
    # It may have been killed while it wrote one.
    before = [n for n in checkpoints(killed) if is_complete(killed / f"checkpoint-{n}")]
    assert before, moment
    # One more, cut off in the middle of its weights.
    half = killed / "checkpoint-99"
    half.mkdir()
    weights = killed / f"checkpoint-{before[0]}" / "model.safetensors"
    (half / "model.safetensors").write_bytes(weights.read_bytes()[:999])
    # The weights fit on this disk, the optimizer's state does not.
    code, errors = finish(way, killed, "--limit", 70_000)
    assert code, moment
    for part in ("could not write", "make room on the disk", "the same command goes on from it"):
        assert part in errors, (moment, errors)
    assert {*before, 99} <= set(checkpoints(killed)), moment
    code, errors = finish(way, killed, "--report", f"{killed}.json")
    assert code == 0, (moment, errors)
    assert errors.count("checkpoint-99 was cut off while it was written") == 1, (moment, errors)
    a, b = load_file(f"{straight}.json.safetensors"), load_file(f"{killed}.json.safetensors")
    assert a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a), moment
    expected, report = (json.loads(Path(f"{run}.json").read_text()) for run in (straight, killed))
    assert report == expected, moment
