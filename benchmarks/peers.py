"""What one would use instead, each the way a careful user runs it: encode all, sort by length, cut
into batches of a fixed size, pad each to its longest."""

import sys
from pathlib import Path

import numpy as np

sys.path.append(str(Path(__file__).parent.parent / "nbs" / "site"))


def by_length(lengths, size):
    "Batches of positions, shortest first."
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    return [order[i : i + size] for i in range(0, len(order), size)]


def in_batches(run, tok, texts, size):
    "Probabilities (n, labels) by `run(ids, mask)` -> logits."
    rows, found = tok(texts, truncation=True)["input_ids"], None
    for batch in by_length([len(r) for r in rows], size):
        ids = np.full((len(batch), max(len(rows[i]) for i in batch)), tok.pad_token_id, np.int64)
        mask = np.zeros_like(ids)
        for j, i in enumerate(batch):
            ids[j, : len(rows[i])] = rows[i]
            mask[j, : len(rows[i])] = 1
        logits = run(ids, mask)
        e = np.exp(logits - logits.max(-1, keepdims=True))
        if found is None:
            found = np.empty((len(rows), logits.shape[1]), np.float32)
        found[batch] = e / e.sum(-1, keepdims=True)
    return found


def exported(folder, path):
    "Write the model of a folder as ONNX, float32."
    import onnx
    from live import exported  # as the site's live page has it, before rounding
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    model = AutoModelForSequenceClassification.from_pretrained(folder)
    onnx.save(exported(model, AutoTokenizer.from_pretrained(folder)), path)


def onnx_runtime(path, threads):
    "ONNX Runtime on an exported model."
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return lambda ids, mask: session.run(["logits"], {"input_ids": ids, "attention_mask": mask})[0]


def openvino(path):
    "OpenVINO on an exported model, in float32."
    import openvino as ov

    compiled = ov.Core().compile_model(
        path, "CPU", {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
    )
    return lambda ids, mask: compiled({"input_ids": ids, "attention_mask": mask})[0]


def sentence_transformer(folder):
    "sentence-transformers' encoder: mean over tokens, length 1, as many tokens as the model reads."
    from sentence_transformers import SentenceTransformer, models

    body = models.Transformer(folder, max_seq_length=512)
    pooling = models.Pooling(body.get_embedding_dimension())
    return SentenceTransformer(modules=[body, pooling, models.Normalize()], device="cpu")
