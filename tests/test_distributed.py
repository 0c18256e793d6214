"Two processes train as one does at the same global batch, evaluate each row once, and save once."

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

here = Path(__file__).parent
ENV = os.environ | {
    "NLP_TOUR_OFFLINE": "1",
    "OMP_NUM_THREADS": "1",
    "CUDA_VISIBLE_DEVICES": "",
    "PYTHONPATH": os.pathsep.join([str(here.parent), str(here)]),
}


def run(way, out, batch, processes, port, *more):
    "Train; returns what it reported."
    # `--multi_gpu` is Accelerate's name for torchrun, on CPUs too.
    launch = ["-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", processes]
    launch += ["--num_machines", 1, "--mixed_precision", "no", "--dynamo_backend", "no"]
    launch += ["--main_process_port", port]
    program = [*launch, here / "train_tiny.py"] if processes > 1 else [here / "train_tiny.py"]
    report = f"{out}.json"
    options = [way, out, "--batch", batch, "--dropout", 0, "--report", report, *more]
    command = [sys.executable, *map(str, program), *map(str, options)]
    done = subprocess.run(
        command,
        env=ENV,
        cwd=here,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(Path(report).read_text()), load_file(report + ".safetensors")


@pytest.mark.parametrize("way", ["trainer", "loop"])
def test_two_processes_equal_one(way, tmp_path, free_port):
    one, weights = run(way, tmp_path / "one", 8, 1, free_port)
    two, others = run(way, tmp_path / "two", 4, 2, free_port)
    assert len(one["losses"]) == len(two["losses"]) == 24
    assert max(abs(a - b) for a, b in zip(one["losses"], two["losses"])) < 1e-5
    assert all(torch.allclose(weights[k], others[k], atol=1e-4) for k in weights)
    # 21 rows in batches of 4: one process reads some of them twice.
    assert abs(one["scores"]["loss"] - two["scores"]["loss"]) < 1e-5
    correct = two["scores"]["accuracy"] * 21
    assert one["scores"]["accuracy"] == two["scores"]["accuracy"]
    assert round(correct, 6) == round(correct)
    saved = [sorted(p.name for p in (tmp_path / n).glob("checkpoint-*")) for n in ("one", "two")]
    assert saved[0] == saved[1]
