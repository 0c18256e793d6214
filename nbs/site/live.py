"""The live page's parts: the embedded sentiment model as int8 ONNX, its vocabulary, and onnxruntime-web, all in one folder.

Weights are int8 with a scale a column (a row, for embeddings); activations stay fp32, because quantizing those, too, moves scores by more
than 0.02 (dynamic int8 agrees with fp32 on 94 % of labels only)."""
import json, shutil, warnings
from pathlib import Path

import numpy as np

FILES = ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")


def exported(model, tok):
    "The model as an ONNX graph with free batch and length."
    import torch
    class Logits(torch.nn.Module):
        def __init__(self): super().__init__(); self.model = model
        def forward(self, input_ids, attention_mask): return self.model(input_ids=input_ids, attention_mask=attention_mask).logits
    batch = tok(["a fine film", "and a text that is longer"], padding=True, return_tensors="pt")
    free = {0: torch.export.Dim("batch"), 1: torch.export.Dim("tokens")}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(Logits().eval(), (batch["input_ids"], batch["attention_mask"]), input_names=["input_ids", "attention_mask"],
                                    output_names=["logits"], dynamic_shapes=(free, free), dynamo=True, opset_version=18, verbose=False)
    return program.model_proto


def rounded(weight, axis):
    "int8 values and the scales that give `weight` back, one scale for each index of `axis`."
    scale = np.abs(weight).max(axis=1 - axis, keepdims=True) / 127
    scale[scale == 0] = 1
    return np.round(weight / scale).astype(np.int8), np.squeeze(scale, 1 - axis).astype(np.float32)


def quantized(proto, smallest=10_000):
    "The graph with its large matrices in int8; each is made float where it is used."
    from onnx import helper, numpy_helper
    graph = proto.graph
    large = {i.name: numpy_helper.to_array(i) for i in graph.initializer if len(i.dims) == 2 and i.data_type == 1 and np.prod(i.dims) >= smallest}
    gathered = {n.input[0] for n in graph.node if n.op_type == "Gather"}
    kept = [i for i in graph.initializer if i.name not in large]
    nodes = []
    for name, weight in large.items():
        values, scale = rounded(weight, 0 if name in gathered else 1)
        kept += [numpy_helper.from_array(values, f"{name}.int8"), numpy_helper.from_array(scale, f"{name}.scale")]
        if name not in gathered: nodes.append(helper.make_node("DequantizeLinear", [f"{name}.int8", f"{name}.scale"], [name], axis=1))
    for node in graph.node:
        if node.op_type == "Gather" and node.input[0] in large: nodes += looked_up(helper, node)
        else: nodes.append(node)
    if any(n.op_type == "Gather" and n.input[0] in large for n in nodes): raise AssertionError("an embedding kept its float lookup")
    del graph.initializer[:], graph.node[:], graph.value_info[:]
    graph.initializer.extend(kept)
    graph.node.extend(nodes)
    return proto


def looked_up(helper, node):
    "An embedding's rows, looked up as int8 and then made float."
    name, ids, out = node.input[0], node.input[1], node.output[0]
    return [helper.make_node("Gather", [f"{name}.int8", ids], [f"{out}.int8"]), helper.make_node("Cast", [f"{out}.int8"], [f"{out}.float"], to=1),
            helper.make_node("Gather", [f"{name}.scale", ids], [f"{out}.flat"]), helper.make_node("Unsqueeze", [f"{out}.flat", "last.axis"], [f"{out}.scale"]),
            helper.make_node("Mul", [f"{out}.float", f"{out}.scale"], [out])]


def make(folder):
    "Write model.onnx, vocab.txt and about.json into `folder`."
    import onnx
    from onnx import numpy_helper
    from nlp_tour.model import load
    from nlp_tour.names import embedded
    source = embedded("sentiment")
    model, tok = load(str(source))
    proto = quantized(exported(model, tok))
    proto.graph.initializer.append(numpy_helper.from_array(np.array([-1], np.int64), "last.axis"))
    onnx.checker.check_model(proto)
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(proto, folder/"model.onnx")
    shutil.copy(source/"vocab.txt", folder)
    labels = [model.config.id2label[i] for i in range(model.config.num_labels)]
    (folder/"about.json").write_text(json.dumps(dict(labels=labels, max_length=tok.model_max_length)))


def collect(target, cache, tools, fresh=True):
    "Put all that the live page loads into `target`, with the bytes of each file."
    if fresh or not (cache/"model.onnx").exists(): make(cache)
    shutil.copytree(cache, target, dirs_exist_ok=True)
    for name in FILES: shutil.copy(tools/"onnxruntime-web"/"dist"/name, target)
    sizes = {p.name: p.stat().st_size for p in sorted(target.iterdir()) if p.name != "about.json"}
    about = json.loads((cache/"about.json").read_text()) | dict(sizes=sizes)
    (target/"about.json").write_text(json.dumps(about))
