"A GPU that is not here: tensors stay on the CPU, and say that they are on it."

from contextlib import ExitStack, contextmanager
from types import SimpleNamespace
from unittest.mock import patch

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

from nlp_tour.base.hardware import Hardware

# Copies and indices may come from another device.
MIXING = """__getitem__ __setitem__ copy_ __set__ __deepcopy__
    _has_compatible_shallow_copy_type""".split()
MOVES = ("to", "cuda", "cpu", "mps")


def there(tensor):
    "Whether a tensor pretends to be on the GPU."
    return getattr(tensor, "_there", False)


def put(found, on_gpu):
    "Let the tensors in a result pretend, or no longer."
    for tensor in tree_leaves(found):
        if isinstance(tensor, torch.Tensor):
            tensor._there = on_gpu
    return found


class Pretending(TorchFunctionMode):
    "Give tensors a device, and refuse what the device would."

    def __init__(self, kind):
        super().__init__()
        self.device = torch.device(kind, 0)

    def is_here(self, device):
        "Whether this names the pretended device."
        return torch.device(device).type == self.device.type

    def move(self, name, tensor, *where, copy=False, **how):
        "`Tensor.to` and its like."
        if name != "to":
            return put(tensor.clone(), name != "cpu")
        if where and isinstance(where[0], torch.Tensor):
            device, dtype = where[0].device if not there(where[0]) else self.device, where[0].dtype
        else:
            device, dtype, *_ = torch._C._nn._parse_to(*where, **how)
        target = there(tensor) if device is None else self.is_here(device)
        found = tensor if dtype is None else tensor.to(dtype)
        stays = found is tensor and target == there(tensor) and not copy
        return put(found.clone() if found is tensor and not stays else found, target)

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        name = getattr(func, "__name__", "")
        owner = getattr(getattr(func, "__self__", None), "__name__", "")
        if name == "__get__" and owner in ("device", "is_cuda", "is_mps"):
            return self.attribute(owner, func, args)
        if name in MOVES and isinstance(args[0], torch.Tensor):
            return self.move(name, *args, **kwargs)
        if name == "pin_memory":
            return args[0]
        tensors = [x for x in tree_leaves((args, kwargs)) if isinstance(x, torch.Tensor)]
        on_gpu = any(map(there, tensors))
        if on_gpu and name in ("numpy", "__array__"):
            raise TypeError(f"can't convert {self.device} device type tensor to numpy.")
        if on_gpu and name not in MIXING and any(x.dim() and not there(x) for x in tensors):
            sides = [(tuple(x.shape), there(x)) for x in tensors]
            raise RuntimeError(f"Expected all tensors to be on the same device: {name} {sides}")
        if kwargs.get("device") is not None:
            on_gpu = self.is_here(kwargs["device"])
            kwargs["device"] = "cpu" if on_gpu else kwargs["device"]
        if name in ("__getitem__", "__deepcopy__"):
            on_gpu = there(args[0])
        found = func(*args, **kwargs)
        if name == "__set__" and owner == "data":
            put(args[0], there(args[1]))
        return put(found, True) if on_gpu else found

    def attribute(self, owner, func, args):
        "Where a tensor says that it is."
        if not there(args[0]):
            return func(*args)
        return self.device if owner == "device" else owner == f"is_{self.device.type}"


def make_subclass(cls, data, *args, original=torch.Tensor._make_subclass, **kwargs):
    "A parameter is where its data are."
    return put(original(cls, data, *args, **kwargs), there(data))


def load(file, map_location=None, original=torch.load, **kwargs):
    "`torch.load`, to the CPU in truth."
    found = original(file, map_location="cpu", **kwargs)
    at = None if callable(map_location) else map_location
    return found if at is None else put(found, torch.device(at).type != "cpu")


def parallel(self, **inputs):
    "`DataParallel.forward`: a part of the batch for each GPU, and the outputs together."
    n = len(self.device_ids)
    chunks = {k: x.chunk(n) for k, x in inputs.items() if isinstance(x, torch.Tensor)}
    outputs = [self.module(**dict(zip(chunks, part))) for part in zip(*chunks.values())]
    joined = {}
    for name, first in outputs[0].items():
        values = [output[name] for output in outputs]
        joined[name] = torch.cat(values) if first.dim() else torch.stack(values)
    return type(outputs[0])(**joined)


def cuda(machine):
    "What torch.cuda says on this machine."
    about = SimpleNamespace(
        name=machine.name,
        total_memory=machine.memory,
        major=machine.capability[0],
        minor=machine.capability[1],
        multi_processor_count=40,
    )
    answers = {
        "is_available": True,
        "device_count": machine.count,
        "current_device": 0,
        "get_device_properties": about,
        "get_device_name": machine.name,
        "get_device_capability": machine.capability,
        "mem_get_info": (machine.free, machine.memory),
        "is_bf16_supported": machine.bf16,
        "get_rng_state_all": [],
        "get_rng_state": torch.get_rng_state(),
        "Event": SimpleNamespace(record=lambda *_: None, synchronize=lambda: None),
        "current_stream": None,
        "is_current_stream_capturing": False,
    }
    nothing = """synchronize empty_cache manual_seed manual_seed_all set_device set_rng_state
        set_rng_state_all"""
    answers |= dict.fromkeys(nothing.split())
    return {name: (lambda *_, found=found, **__: found) for name, found in answers.items()}


@contextmanager
def pretending(machine):
    "This machine passes as another one; `machine` is a `Hardware`."
    here = Hardware.here

    def described(kind=None):
        return machine if kind in (None, machine.kind) else here(kind)

    with ExitStack() as stack:
        stack.enter_context(patch.object(Hardware, "here", staticmethod(described)))
        if machine.kind == "cpu":
            yield
            return
        if machine.kind == "cuda":
            answers = cuda(machine)
            stack.enter_context(patch.multiple(torch.cuda, **answers))
            random = {k: v for k, v in answers.items() if k in vars(torch.cuda.random)}
            stack.enter_context(patch.multiple(torch.cuda.random, **random))
            stack.enter_context(patch.object(torch.nn.DataParallel, "forward", parallel))
        else:
            answers = {"is_available": lambda: True, "is_built": lambda: True}
            stack.enter_context(patch.multiple(torch.backends.mps, **answers))
            stack.enter_context(patch.object(torch.mps, "empty_cache", lambda: None))
            # transformers keeps its first answer.
            has_mps = patch("transformers.training_args.is_torch_mps_available", lambda: True)
            stack.enter_context(has_mps)
        stack.enter_context(patch.object(torch.Tensor, "_make_subclass", make_subclass))
        stack.enter_context(patch.object(torch, "load", load))
        stack.enter_context(Pretending(machine.kind))
        yield
