"""The parts of the live page: the embedded sentiment model as int8 ONNX, its vocabulary, and
onnxruntime-web, in one folder.

Weights are int8 with a scale for 64 of them in a column (for a row, in the embeddings); activations
stay fp32. On 200 reviews, one scale a column moves scores by up to 0.025, and int8 activations by
more; this keeps them within 0.012."""

import json
import logging
import shutil
import warnings

import numpy as np

BLOCK = 64
FILES = ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")


def exported(model, tok):
    "The model as an ONNX graph with free batch and length."
    import torch

    class Logits(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, input_ids, attention_mask):
            return self.model(input_ids=input_ids, attention_mask=attention_mask).logits

    batch = tok(["a fine film", "and a text that is longer"], padding=True, return_tensors="pt")
    free = {0: torch.export.Dim("batch"), 1: torch.export.Dim("tokens")}
    # It would name each part of torchvision that it does not find.
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            Logits().eval(),
            (batch["input_ids"], batch["attention_mask"]),
            input_names=["input_ids", "attention_mask"],
            output_names=["logits"],
            dynamic_shapes=(free, free),
            dynamo=True,
            opset_version=18,
            verbose=False,
        )
    return program.model_proto


def rounded(weight, axis):
    "int8 values, and the scales that give `weight` back: one for all values along `axis`."
    scale = np.abs(weight).max(axis=axis, keepdims=True) / 127
    scale[scale == 0] = 1
    return np.round(weight / scale).astype(np.int8), scale.astype(np.float32)


def large_matrices(graph, smallest=10_000):
    "name -> float array of the matrices that are worth rounding."
    from onnx import numpy_helper

    return {
        i.name: numpy_helper.to_array(i)
        for i in graph.initializer
        if len(i.dims) == 2 and i.data_type == 1 and np.prod(i.dims) >= smallest
    }


def in_int8(name, weight, is_looked_up):
    "The arrays that stand for a weight: a scale for each row of a table, else for each block."
    if is_looked_up:
        values, scale = rounded(weight, 1)
        return {f"{name}.int8": values, f"{name}.scale": scale}
    values, scale = rounded(weight.reshape(-1, BLOCK, weight.shape[1]), 1)
    shape = np.array(weight.shape, np.int64)
    return {f"{name}.int8": values, f"{name}.scale": scale, f"{name}.shape": shape}


def quantized(proto):
    "The graph with its large matrices in int8; each is made float where it is used."
    from onnx import numpy_helper

    graph = proto.graph
    large = large_matrices(graph)
    looked_up = {n.input[0] for n in graph.node if n.op_type == "Gather"} & set(large)
    kept, nodes = [i for i in graph.initializer if i.name not in large], []
    for name, weight in large.items():
        arrays = in_int8(name, weight, name in looked_up)
        kept += [numpy_helper.from_array(array, key) for key, array in arrays.items()]
        if name not in looked_up:
            nodes += matrix(name)
    for node in graph.node:
        is_lookup = node.op_type == "Gather" and node.input[0] in looked_up
        nodes += lookup(node) if is_lookup else [node]
    del graph.initializer[:], graph.node[:], graph.value_info[:]
    graph.initializer.extend(kept)
    graph.node.extend(nodes)
    return proto


def matrix(name):
    "A weight made float: the runtime does it once, when it opens the model."
    from onnx import helper

    return [
        helper.make_node("Cast", [f"{name}.int8"], [f"{name}.float"], to=1),
        helper.make_node("Mul", [f"{name}.float", f"{name}.scale"], [f"{name}.blocks"]),
        helper.make_node("Reshape", [f"{name}.blocks", f"{name}.shape"], [name]),
    ]


def lookup(node):
    "The rows of an embedding: looked up as int8, then made float, so that the table stays small."
    from onnx import helper

    (name, ids), out = node.input, node.output[0]
    return [
        helper.make_node("Gather", [f"{name}.int8", ids], [f"{out}.int8"]),
        helper.make_node("Cast", [f"{out}.int8"], [f"{out}.float"], to=1),
        helper.make_node("Gather", [f"{name}.scale", ids], [f"{out}.scale"]),
        helper.make_node("Mul", [f"{out}.float", f"{out}.scale"], [out]),
    ]


def make(folder):
    "Write model.onnx, vocab.txt and about.json into `folder`."
    import onnx
    from transformers.utils.logging import disable_progress_bar

    from nlp_tour.hub.loading import load
    from nlp_tour.hub.standins import embedded

    disable_progress_bar()
    source = embedded("sentiment")
    model, tok = load(str(source))
    proto = quantized(exported(model, tok))
    onnx.checker.check_model(proto)
    onnx.save(proto, folder / "model.onnx")
    shutil.copy(source / "vocab.txt", folder)
    labels = [model.config.id2label[i] for i in range(model.config.num_labels)]
    (folder / "about.json").write_text(
        json.dumps({"labels": labels, "max_length": tok.model_max_length})
    )


def collect(target, cache, modules, fresh=True):
    "Put all that the live page loads into `target`, with the bytes of each file."
    from nlp_tour.base.folders import atomic_folder, finish_atomic

    if fresh or not (finish_atomic(cache) / "model.onnx").exists():
        with atomic_folder(cache) as part:
            make(part)
    # Without the writer's lock.
    shutil.copytree(cache, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".*"))
    for name in FILES:
        shutil.copy(modules / "onnxruntime-web" / "dist" / name, target)
    sizes = {p.name: p.stat().st_size for p in sorted(target.iterdir()) if p.name != "about.json"}
    about = json.loads((cache / "about.json").read_text()) | {"sizes": sizes}
    (target / "about.json").write_text(json.dumps(about))
