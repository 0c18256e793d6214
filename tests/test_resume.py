"Killed at a random moment, met by a full disk, a run goes on and ends with the weights of one that was never disturbed, bit for bit."

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
    _, said = run.communicate(timeout=180)
    return run.returncode, said


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
    straight, killed, moment = (
        tmp_path / "straight",
        tmp_path / "killed",
        (random.randint(6, 20), random.random() * 0.1),
    )  # another one each time; of 24 steps
    code, said = finish(way, straight, "--report", f"{straight}.json")
    assert code == 0, said
    kill_after(way, killed, *moment)
    before = [
        n for n in checkpoints(killed) if is_complete(killed / f"checkpoint-{n}")
    ]  # it may have been killed while it wrote
    assert before, moment
    half = killed / "checkpoint-99"  # one more, cut off in the middle of its weights
    half.mkdir()
    (half / "model.safetensors").write_bytes(
        (killed / f"checkpoint-{before[0]}" / "model.safetensors").read_bytes()[:999]
    )
    code, said = finish(
        way, killed, "--limit", 70_000
    )  # the weights fit on this disk, the optimizer's state does not
    assert (
        code
        and "could not write" in said
        and "make room on the disk" in said
        and "the same command goes on from it" in said
    ), (moment, said)
    assert {*before, 99} <= set(checkpoints(killed)), moment
    code, said = finish(way, killed, "--report", f"{killed}.json")
    assert code == 0 and said.count("checkpoint-99 was cut off while it was written") == 1, (
        moment,
        said,
    )
    a, b = load_file(f"{straight}.json.safetensors"), load_file(f"{killed}.json.safetensors")
    assert a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a), moment
    assert json.loads(Path(f"{straight}.json").read_text()) == json.loads(
        Path(f"{killed}.json").read_text()
    ), moment
