"What is chosen on machines that are not at hand; tensors stay on this one's CPU."

import time
from unittest.mock import patch

import pytest
import torch

from nlp_tour.base import hardware
from nlp_tour.base.errors import InputError
from nlp_tour.base.hardware import Hardware, best_precision, pick_device, token_budget
from nlp_tour.inference.arguments import Request
from nlp_tour.inference.loading import can_encode
from nlp_tour.pipeline import pipeline
from nlp_tour.training.arguments import FinetuneSettings, recipe

GiB = 2**30
MACHINES = {
    "a CPU without AVX-512": Hardware("cpu", "x86_64", 16 * GiB, 8 * GiB, cores=2),
    "a CPU with AMX": Hardware("cpu", "x86_64", 64 * GiB, 32 * GiB, bf16=True, cores=8),
    "a T4": Hardware("cuda", "Tesla T4", 15 * GiB, 14 * GiB, (7, 5), fp16=True, cores=2),
    "a V100": Hardware("cuda", "Tesla V100", 16 * GiB, 15 * GiB, (7, 0), fp16=True, cores=8),
    "a GTX 1080": Hardware("cuda", "GTX 1080", 8 * GiB, 7 * GiB, (6, 1), cores=8),
    "an L4": Hardware("cuda", "NVIDIA L4", 22 * GiB, 21 * GiB, (8, 9), bf16=True, fp16=True),
    "an A100": Hardware("cuda", "NVIDIA A100", 40 * GiB, 39 * GiB, (8, 0), bf16=True, fp16=True),
    "an H100": Hardware("cuda", "NVIDIA H100", 80 * GiB, 78 * GiB, (9, 0), bf16=True, fp16=True),
    "two GPUs": Hardware(
        "cuda", "Tesla T4", 15 * GiB, 1 * GiB, (7, 5), count=2, fp16=True, cores=4
    ),
    "a Mac": Hardware("mps", "arm64", 16 * GiB, 6 * GiB, fp16=True, cores=8),
}
# precision, dtype="auto", tokens in a batch, whether the encoder by hand answers
CHOICES = {
    "a CPU without AVX-512": ("fp32", "float32", 1024, True),
    "a CPU with AMX": ("bf16", "bfloat16", 1024, True),
    "a T4": ("fp16", "float16", 8192, False),
    "a V100": ("fp16", "float16", 8192, False),
    "a GTX 1080": ("fp32", "float32", 4096, False),
    "an L4": ("bf16", "bfloat16", 16384, False),
    "an A100": ("bf16", "bfloat16", 32768, False),
    "an H100": ("bf16", "bfloat16", 65536, False),
    "two GPUs": ("fp16", "float16", 2048, False),
    "a Mac": ("fp32", "float32", 4096, False),
}


@pytest.fixture(params=MACHINES)
def machine(request):
    "A name of `MACHINES`, as which this machine passes."
    with patch.object(Hardware, "here", return_value=MACHINES[request.param]):
        yield request.param


def test_precision_and_budget(machine):
    kind = MACHINES[machine].kind
    precision, dtype, budget, by_hand = CHOICES[machine]
    assert pick_device().type == kind
    assert (best_precision(), token_budget(kind)) == (precision, budget)
    request = Request(task="sentiment-analysis", dtype="auto")
    assert (request.device.type, request.dtype) == (kind, dtype)
    assert can_encode(request) == by_hand
    assert Request(task="sentiment-analysis").dtype == "float32"


def test_the_recipe_of_finetune(machine):
    kind, precision = MACHINES[machine].kind, CHOICES[machine][0]
    found = recipe(FinetuneSettings())
    assert (found["bf16"], found["fp16"]) == (precision == "bf16", precision == "fp16")
    assert found["optim"] == "adamw_torch_fused"
    assert found["dataloader_pin_memory"] == (kind == "cuda")
    assert found["use_cpu"] == (kind == "cpu")
    wide = recipe(FinetuneSettings(precision="fp32"))
    assert not wide["bf16"] and not wide["fp16"]


def test_a_pipeline_on_the_cpu_of_any_machine(machine):
    "The CPU's own budget and fast path, whatever GPU stands beside it."
    with pipeline("sentiment-analysis", device="cpu") as pipe:
        assert pipe.batch_tokens == 1024 and pipe.fast is not None
        assert pipe("A quiet triumph.")[0]["label"] == "POSITIVE"


def test_each_rank_takes_its_own_gpu(monkeypatch):
    monkeypatch.setenv("LOCAL_RANK", "3")
    with patch.object(Hardware, "here", return_value=MACHINES["two GPUs"]):
        assert pick_device() == torch.device("cuda:1")


def test_a_gpu_that_is_not_there(monkeypatch):
    monkeypatch.setattr(Hardware, "here", Hardware)
    with pytest.raises(InputError, match="no GPU here"):
        pick_device("cuda")


def test_threads_are_fewer_beside_a_busy_neighbour(monkeypatch):
    "Another process pretends to keep one of two processors busy; afterwards all is as before."
    monkeypatch.setattr(hardware, "neighbours", hardware.Neighbours())
    monkeypatch.setattr(hardware.Usage, "now", lambda: beside_one(time.perf_counter()))
    before, threads = torch.get_num_threads(), []
    torch.set_num_threads(2)
    try:
        with pipeline("sentiment-analysis", device="cpu", progress=False) as pipe:
            launch = pipe.launch
            pipe.launch = lambda *args: threads.append(torch.get_num_threads()) or launch(*args)
            first = pipe("A quiet triumph.")
            time.sleep(hardware.SOON)
            assert pipe("A quiet triumph.") == first
        assert threads == [2, 1] and torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def beside_one(now):
    "Of two processors, another process has one."
    return hardware.Usage(time=now, counted=2 * now, idle=0.1 * now, own=0.9 * now)
