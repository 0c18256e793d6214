"Killed at a random moment, a run goes on and ends with the weights of one that was never killed, bit for bit."
import json, os, random, subprocess, sys
from pathlib import Path

import pytest, torch
from safetensors.torch import load_file

here = Path(__file__).parent
ENV = os.environ | {"NLP_TOUR_OFFLINE": "1", "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}


def start(way, out, *more): return subprocess.Popen([sys.executable, str(here/"train_tiny.py"), way, str(out), *map(str, more)], env=ENV, cwd=here, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def finish(way, out, *more):
    run = start(way, out, *more)
    _, said = run.communicate(timeout=120)
    assert run.returncode == 0, said
    return said


def kill_after(way, out, steps, seconds):
    "Start, wait for so many steps and a moment more, and kill -9."
    run = start(way, out, "--slow", .02)
    for _ in range(steps): assert run.stdout.readline() == "step\n", run.stderr.read()
    try: run.wait(seconds)
    except subprocess.TimeoutExpired: pass
    run.kill()
    run.communicate()
    assert run.returncode == -9


@pytest.mark.parametrize("way", ["trainer", "loop"])
def test_killed_twice_and_resumed_bit_for_bit(way, tmp_path):
    finish(way, tmp_path/"straight", "--report", tmp_path/"straight.json")
    rng = random.Random()
    moments = [(rng.randint(1, 8), rng.random() * .1), (rng.randint(1, 8), rng.random() * .1)]  # another one in each run of the tests; 24 steps in all
    for steps, seconds in moments: kill_after(way, tmp_path/"killed", steps, seconds)
    saved = sorted(int(p.name.split("-")[1]) for p in (tmp_path/"killed").glob("checkpoint-*"))
    whole = max(saved, default=0)
    half = tmp_path/"killed"/f"checkpoint-{whole + 100}"  # one more, cut off in the middle of its weights
    half.mkdir()
    if saved: (half/"model.safetensors").write_bytes((tmp_path/"killed"/f"checkpoint-{whole}"/"model.safetensors").read_bytes()[:999])
    said = finish(way, tmp_path/"killed", "--report", tmp_path/"killed.json")
    assert f"{half.name} was cut off while it was written" in said, moments
    a, b = load_file(tmp_path/"straight.json.safetensors"), load_file(tmp_path/"killed.json.safetensors")
    assert a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a), moments
    a, b = (json.loads((tmp_path/f"{n}.json").read_text()) for n in ("straight", "killed"))
    assert a == b, moments


@pytest.mark.parametrize("way", ["trainer", "loop"])
def test_a_full_disk_is_one_sentence_and_loses_nothing(way, tmp_path):
    kill_after(way, tmp_path/"run", 12, 0)
    before = sorted(p.name for p in (tmp_path/"run").glob("checkpoint-*"))
    assert before
    run = start(way, tmp_path/"run", "--limit", 30_000)  # the weights fit in, the optimizer's state does not
    _, said = run.communicate(timeout=120)
    assert run.returncode and "could not write" in said and "make room on the disk" in said, said
    assert "the same command goes on from it" in said
    assert sorted(p.name for p in (tmp_path/"run").glob("checkpoint-*")) == before
    finish(way, tmp_path/"run", "--report", tmp_path/"after.json")
    finish(way, tmp_path/"straight", "--report", tmp_path/"straight.json")
    a, b = load_file(tmp_path/"straight.json.safetensors"), load_file(tmp_path/"after.json.safetensors")
    assert all(torch.equal(a[k], b[k]) for k in a)
