"A GPU is asked for the next batch before it has answered the last; tried on a pretended one."

import sys
from types import SimpleNamespace
from unittest.mock import patch

import pytest
import torch
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

from nlp_tour.base.hardware import Hardware
from nlp_tour.hub.standins import embedded
from nlp_tour.native_loop import train
from nlp_tour.pipeline import pipeline
from nlp_tour.training.checkpoints import new_accelerator

GiB = 2**30
H100 = Hardware("cuda", "NVIDIA H100", 80 * GiB, 78 * GiB, (9, 0), bf16=True, fp16=True)
WAITING = ("item", "tolist", "numpy", "cpu", "__bool__", "__float__", "__int__")


def there(tensor):
    return getattr(tensor, "_there", False)


class Gpu(TorchFunctionMode):
    "Tensors that say they are on a GPU; notes what is sent, fetched and waited for."

    def __init__(self):
        super().__init__()
        self.log = []

    def put(self, found, on_gpu):
        for tensor in tree_leaves(found):
            if isinstance(tensor, torch.Tensor):
                tensor._there = on_gpu
        return found

    def move(self, tensor, *where, **how):
        device, dtype, non_blocking, _ = torch._C._nn._parse_to(*where, **how)
        target = there(tensor) if device is None else device.type == "cuda"
        if target != there(tensor):
            self.log.append(("to gpu" if target else "to cpu", non_blocking))
        found = tensor.clone() if dtype is None else tensor.to(dtype).clone()
        return self.put(found, target)

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        name, owner = func.__name__, getattr(getattr(func, "__self__", None), "__name__", "")
        on_gpu = any(map(there, tree_leaves((args, kwargs))))
        if name == "__get__" and owner in ("device", "is_cuda") and on_gpu:
            return torch.device("cuda", 0) if owner == "device" else True
        if name == "to" and isinstance(args[0], torch.Tensor):
            return self.move(*args, **kwargs)
        if name == "pin_memory":
            return args[0]
        if name in WAITING and on_gpu:
            caller = sys._getframe(1).f_globals["__name__"]
            self.log.append(("wait", caller))
        if kwargs.get("device") is not None:
            on_gpu = torch.device(kwargs["device"]).type == "cuda"
            kwargs["device"] = "cpu" if on_gpu else kwargs["device"]
        return self.put(func(*args, **kwargs), on_gpu)

    def event(self):
        "What stands for `torch.cuda.Event`."
        return SimpleNamespace(
            record=lambda stream: self.log.append(("record", None)),
            synchronize=lambda: self.log.append(("synchronize", None)),
        )


@pytest.fixture
def gpu(monkeypatch):
    found = Gpu()
    monkeypatch.setattr(Hardware, "here", lambda kind=None: H100)
    monkeypatch.setattr(torch.cuda, "Event", found.event)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: None)
    return found


TEXTS = ["A quiet triumph.", "A dull, lifeless mess of a film, I am afraid.", "Fine."] * 3


def test_batches_are_begun_before_outputs_are_fetched(gpu):
    folder = str(embedded("sentiment"))
    right = pipeline(model=folder, device="cpu")(TEXTS)
    with gpu:
        pipe = pipeline(model=folder, device="cuda", batch_tokens=32, progress=False)
        gpu.log.clear()
        found = pipe(TEXTS)
    for a, b in zip(found, right):
        assert a["label"] == b["label"] and a["score"] == pytest.approx(b["score"], abs=1e-5)
    kinds = [kind for kind, _ in gpu.log]
    batches = kinds.count("record")
    assert batches >= 3 and kinds.count("synchronize") == batches
    first_wait = kinds.index("synchronize")
    assert "to gpu" not in kinds[first_wait:] and "record" not in kinds[first_wait:]
    assert all(non_blocking for kind, non_blocking in gpu.log if kind.startswith("to "))
    waiting = {caller for kind, caller in gpu.log if kind == "wait"}
    assert waiting <= {"transformers.masking_utils"}  # is there padding at all?


def test_much_that_waits_is_fetched_in_between(gpu):
    with gpu, patch("nlp_tour.inference.forward.WAITING", 0):
        pipe = pipeline(
            model=str(embedded("sentiment")), device="cuda", batch_tokens=32, progress=False
        )
        gpu.log.clear()
        pipe(TEXTS)
    kinds = [kind for kind, _ in gpu.log if kind in ("record", "synchronize")]
    assert kinds == ["record", "synchronize"] * (len(kinds) // 2)


def test_gradients_are_computed_while_the_loss_is_on_its_way(gpu):
    "Forward, the loss sets out, backward, and only then somebody waits for the loss."

    class Line(torch.nn.Linear):
        def forward(self, x, labels):
            loss = (super().forward(x) - labels).pow(2).mean()
            loss.register_hook(lambda grad: gpu.log.append(("backward", None)))
            return SimpleNamespace(loss=gpu.put(loss, True))

    batches = [{"x": torch.ones(2, 1), "labels": torch.ones(2, 1)} for _ in range(2)]
    line = Line(1, 1)
    optimizer = torch.optim.SGD(line.parameters(), lr=0.01)
    with gpu:
        train(line, batches, optimizer, progress=False, accelerator=new_accelerator(cpu=True))
    kinds = [kind for kind, _ in gpu.log]
    assert kinds == ["to cpu", "record", "backward", "synchronize"] * 2
