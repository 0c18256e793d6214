"PyTorch <-> TensorFlow. The first half needs h5py only; the second TensorFlow (`make test-tf`)."

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers

from nlp_tour.base.errors import InputError
from nlp_tour.bridges.tensorflow import to_tf
from nlp_tour.bridges.weights import from_tf, is_tf_format, load_tf_weights, only_tf, tf_files
from nlp_tour.hub.tensorflow import load_tf

FIXTURES = Path(__file__).parent / "fixtures" / "tensorflow"
OUTPUTS = np.load(FIXTURES / "outputs.npz")
X = {name: OUTPUTS[name] for name in ("input_ids", "attention_mask")}
FOLDERS = sorted(f.name for f in FIXTURES.iterdir() if f.is_dir())
needs_tf = pytest.mark.skipif(
    importlib.util.find_spec("tensorflow") is None,
    reason="TensorFlow is not installed: make test-tf",
)


def torch_inputs(model, inputs=X):
    more = (
        {"decoder_input_ids": inputs["input_ids"][:, :4]} if model.config.is_encoder_decoder else {}
    )
    return {k: torch.tensor(v) for k, v in (inputs | more).items()}


def run(code, **env):
    "Run Python in a process of its own; its output, or its error's last line."
    import os

    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"} | env,
    )
    return done.stdout.strip() if done.returncode == 0 else done.stderr.strip().splitlines()[-1]


# TensorFlow -> PyTorch: always


@pytest.mark.parametrize("folder", FOLDERS)
def test_reads_what_tensorflow_wrote(folder):
    model = from_tf(FIXTURES / folder)
    with torch.no_grad():
        answer = model(**torch_inputs(model))[0]
    assert np.abs(answer.numpy() - OUTPUTS[folder.split("-")[0]]).max() < 1e-5
    assert not model.training


def test_fixtures_are_small():
    assert sum(f.stat().st_size for f in FIXTURES.rglob("*")) < 2**20


def test_kinds_of_files_agree_bit_by_bit():
    h5, shards, safe = [
        load_tf_weights(FIXTURES / f"bert-{kind}") for kind in ("h5", "sharded", "safetensors")
    ]
    assert h5.keys() == shards.keys() == safe.keys()
    assert all(
        np.array_equal(w, shards[name]) and np.array_equal(w, safe[name]) for name, w in h5.items()
    )


def test_transformers_alone_would_load_random_weights():
    "The reason for `is_tf_format`: when this fails, rewrite the first section of bridges/weights."
    folder = FIXTURES / "bert-safetensors"
    assert is_tf_format(folder / "model.safetensors") and only_tf(folder)
    model, report = transformers.AutoModelForSequenceClassification.from_pretrained(
        folder, output_loading_info=True
    )
    assert len(report["missing_keys"]) > 30


def test_pytorch_files_are_left_alone(tmp_path):
    from_tf(FIXTURES / "bert-h5").save_pretrained(tmp_path)
    assert (
        not is_tf_format(tmp_path / "model.safetensors")
        and tf_files(tmp_path) == []
        and not only_tf(tmp_path)
    )
    shutil.copy(FIXTURES / "bert-h5" / "tf_model.h5", tmp_path)
    assert tf_files(tmp_path) and not only_tf(tmp_path)


def test_missing_weights_raise():
    with pytest.raises(
        InputError,
        match="no weights for qa_outputs.bias, qa_outputs.weight of BertForQuestionAnswering",
    ):
        from_tf(FIXTURES / "bert-h5", transformers.AutoModelForQuestionAnswering)
    assert type(from_tf(FIXTURES / "bert-h5", transformers.AutoModel)).__name__ == "BertModel"
    assert type(from_tf(FIXTURES / "bert-h5", transformers.BertModel)).__name__ == "BertModel"


@pytest.mark.parametrize(
    "file",
    [
        "bert-h5/tf_model.h5",
        "bert-safetensors/model.safetensors",
        "bert-sharded/tf_model-00002-of-00002.h5",
    ],
)
def test_broken_files_get_a_sentence(file, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree((FIXTURES / file).parent, folder)
    whole = (FIXTURES / file).read_bytes()
    (folder / Path(file).name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="cannot be read"):
        from_tf(folder)


def test_lost_shard_and_no_weights(tmp_path):
    shutil.copytree(FIXTURES / "bert-sharded", tmp_path / "a")
    (tmp_path / "a" / "tf_model-00001-of-00002.h5").unlink()
    with pytest.raises(InputError, match="00001-of-00002.h5 cannot be read"):
        from_tf(tmp_path / "a")
    with pytest.raises(InputError, match="no TensorFlow weights"):
        load_tf_weights(tmp_path)


def test_class_that_is_gone(tmp_path):
    shutil.copytree(FIXTURES / "bert-h5", tmp_path / "a")
    config = (tmp_path / "a" / "config.json").read_text()
    (tmp_path / "a" / "config.json").write_text(
        config.replace("BertForSequenceClassification", "TFBertForSequenceClassification")
    )
    assert type(from_tf(tmp_path / "a")).__name__ == "BertForSequenceClassification"
    (tmp_path / "a" / "config.json").write_text(
        config.replace("BertForSequenceClassification", "BertForTelepathy")
    )
    with pytest.raises(InputError, match="BertForTelepathy"):
        from_tf(tmp_path / "a")


def test_without_the_extras(monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(
        InputError, match=r"h5py, which is not installed; run: pip install 'nlp_tour\[h5\]'"
    ):
        from_tf(FIXTURES / "bert-h5")
    from_tf(FIXTURES / "bert-safetensors")
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    from nlp_tour.bridges.tensorflow import _keras_class

    _keras_class.cache_clear()
    with pytest.raises(InputError, match=r"run: pip install 'nlp_tour\[tf\]'"):
        load_tf(FIXTURES / "bert-safetensors")


def test_import_is_light():
    code = (
        "import sys, nlp_tour.bridges.tensorflow; heavy = {'torch', 'transformers', 'tensorflow', "
        "'keras', 'h5py'}; print(sorted(heavy & set(sys.modules)))"
    )
    assert run(code) == "[]"


# PyTorch -> TensorFlow: with the extra

SMALL = {
    "vocab_size": 40,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 32,
    "pad_token_id": 0,
    "initializer_range": 0.3,
}
SEQ2SEQ = {"vocab_size": 40, "d_model": 16, "pad_token_id": 0, "decoder_start_token_id": 0}
CASES = {
    **{
        f"bert-{head}": (f"BertFor{head}", SMALL)
        for head in (
            "SequenceClassification",
            "MaskedLM",
            "QuestionAnswering",
            "TokenClassification",
            "MultipleChoice",
        )
    },
    "bert": ("BertModel", SMALL),
    "distilbert": (
        "DistilBertForSequenceClassification",
        {
            "vocab_size": 40,
            "dim": 16,
            "n_layers": 2,
            "n_heads": 2,
            "hidden_dim": 32,
            "max_position_embeddings": 32,
        },
    ),
    "roberta": ("RobertaForMaskedLM", SMALL | {"pad_token_id": 1}),
    "electra": ("ElectraForTokenClassification", SMALL | {"embedding_size": 8}),
    "albert": ("AlbertForQuestionAnswering", SMALL | {"embedding_size": 8}),
    "mpnet": ("MPNetForMaskedLM", SMALL),
    "mobilebert": (
        "MobileBertForSequenceClassification",
        SMALL | {"embedding_size": 16, "intra_bottleneck_size": 16},
    ),
    "modernbert": (
        "ModernBertForMaskedLM",
        SMALL | {"bos_token_id": 1, "eos_token_id": 2, "cls_token_id": 1, "sep_token_id": 2},
    ),
    "deberta-v2": (
        "DebertaV2ForSequenceClassification",
        SMALL
        | {
            "relative_attention": True,
            "position_buckets": 8,
            "pos_att_type": ["p2c", "c2p"],
            "position_biased_input": False,
            "norm_rel_ebd": "layer_norm",
            "share_att_key": True,
        },
    ),
    "esm": ("EsmForMaskedLM", SMALL | {"pad_token_id": 1, "mask_token_id": 2}),
    "gpt2": (
        "GPT2LMHeadModel",
        {
            "vocab_size": 40,
            "n_positions": 32,
            "n_embd": 16,
            "n_layer": 2,
            "n_head": 2,
            "bos_token_id": 1,
            "eos_token_id": 2,
        },
    ),
    "gpt2-classifier": (
        "GPT2ForSequenceClassification",
        {
            "vocab_size": 40,
            "n_positions": 32,
            "n_embd": 16,
            "n_layer": 2,
            "n_head": 2,
            "bos_token_id": 1,
            "eos_token_id": 2,
            "pad_token_id": 0,
        },
    ),
    "t5": (
        "T5ForConditionalGeneration",
        SEQ2SEQ | {"d_kv": 8, "d_ff": 32, "num_layers": 2, "num_heads": 2},
    ),
    "bart": (
        "BartForConditionalGeneration",
        SEQ2SEQ
        | {
            "encoder_layers": 1,
            "decoder_layers": 1,
            "encoder_attention_heads": 2,
            "decoder_attention_heads": 2,
            "encoder_ffn_dim": 32,
            "decoder_ffn_dim": 32,
            "max_position_embeddings": 32,
            "bos_token_id": 2,
            "eos_token_id": 3,
        },
    ),
}


def tiny(case):
    name, options = CASES[case]
    torch.manual_seed(0)
    cls = getattr(transformers, name)
    return cls(cls.config_class(**options)).eval()


def numpy_inputs(model, ids, mask):
    if type(model).__name__.endswith("MultipleChoice"):
        ids, mask = np.stack([ids] * 3, 1), np.stack([mask] * 3, 1)
    return {"input_ids": ids, "attention_mask": mask} | (
        {"decoder_input_ids": ids[:, :4]} if model.config.is_encoder_decoder else {}
    )


@needs_tf
@pytest.mark.parametrize("case", CASES)
def test_parity(case):
    model = tiny(case)
    twin = to_tf(model)
    for ids, mask in [
        (X["input_ids"], X["attention_mask"]),
        (X["input_ids"][:1], X["attention_mask"][:1]),
    ]:
        inputs = numpy_inputs(model, ids, mask)
        with torch.no_grad():
            expected = model(**{k: torch.tensor(v) for k, v in inputs.items()})
        for name, answer in twin(inputs).items():
            gap = np.abs(answer.numpy() - expected[name].numpy())
            assert (
                gap[mask.astype(bool)] if gap.shape[:2] == mask.shape else gap
            ).max() < 1e-5 * max(1, float(expected[name].abs().max())), name


@needs_tf
def test_parity_on_real_tokens():
    from nlp_tour.hub.standins import embedded

    folder = embedded("encoder")
    model, tok = (
        transformers.AutoModel.from_pretrained(folder).eval(),
        transformers.AutoTokenizer.from_pretrained(folder),
    )
    twin = load_tf(folder, transformers.AutoModel, tok)
    texts = [
        "We are very happy to show you the Transformers library.",
        "We hope you don't hate it.",
        "A" + " very" * 300 + " long text.",
    ]
    batch = tok(texts, padding=True, return_tensors="np")
    with torch.no_grad():
        expected = model(**tok(texts, padding=True, return_tensors="pt"))
    for name, answer in twin(batch).items():
        gap = np.abs(answer.numpy() - expected[name].numpy())
        assert (gap[batch["attention_mask"].astype(bool)] if gap.ndim == 3 else gap).max() < 1e-5


@needs_tf
def test_left_out_masks_are_filled_in():
    model = tiny("bert")
    twin, ids = to_tf(model), X["input_ids"]
    with torch.no_grad():
        expected = model(torch.tensor(ids)).pooler_output.numpy()
    assert np.abs(twin({"input_ids": ids})["pooler_output"].numpy() - expected).max() < 1e-5
    with pytest.raises(TypeError, match="did you mean 'input_ids'"):
        twin({"input_id": ids})
    with pytest.raises(InputError, match="needs input_ids"):
        twin({"attention_mask": ids})


@needs_tf
@pytest.mark.parametrize("case", ["bert-SequenceClassification", "roberta", "gpt2", "t5"])
def test_gradients(case):
    import tensorflow as tf

    model = tiny(case)
    twin, inputs = to_tf(model), numpy_inputs(model, X["input_ids"], X["attention_mask"])
    (model(**{k: torch.tensor(v) for k, v in inputs.items()}).logits ** 2).mean().backward()
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(twin(inputs)["logits"] ** 2)
    found = tape.gradient(loss, [v.value for v in twin.trainable_variables])
    expected = {name: p.grad.numpy() for name, p in model.named_parameters() if p.grad is not None}
    scale = max(np.abs(g).max() for g in expected.values())
    compared = 0
    for variable, gradient in zip(twin.trainable_variables, found):
        if variable.name not in expected:
            continue
        assert np.abs(
            tf.convert_to_tensor(gradient).numpy() - expected[variable.name]
        ).max() < 1e-5 * max(scale, 1), variable.name
        compared += 1
    assert compared == len(expected)


@needs_tf
def test_dropout_only_in_training():
    twin = to_tf(tiny("bert-SequenceClassification"))
    a, b, c = (
        twin(X)["logits"].numpy(),
        twin(X)["logits"].numpy(),
        twin(X, training=True)["logits"].numpy(),
    )
    assert np.array_equal(a, b) and np.abs(a - c).max() > 1e-3


@needs_tf
@pytest.mark.parametrize("case", ["bert-SequenceClassification", "distilbert", "bert-MaskedLM"])
def test_fit_and_back(case, tmp_path):
    import keras

    keras.utils.set_random_seed(0)
    model = tiny(case)
    twin, y = to_tf(model), X["input_ids"] if case.endswith("MaskedLM") else np.array([1, 0])
    twin.compile(
        optimizer=keras.optimizers.AdamW(1e-2),
        loss={"logits": keras.losses.SparseCategoricalCrossentropy(from_logits=True)},
    )
    before = twin.evaluate(X, {"logits": y}, verbose=0)
    twin.fit(X, {"logits": y}, epochs=3, verbose=0)
    assert twin.evaluate(X, {"logits": y}, verbose=0) < before
    twin.save_pretrained(tmp_path / "saved")
    back, report = type(model).from_pretrained(tmp_path / "saved", output_loading_info=True)
    assert not report["missing_keys"] and not report["unexpected_keys"]
    with torch.no_grad():
        logits, old = (
            back.eval()(**torch_inputs(back)).logits.numpy(),
            model(**torch_inputs(model)).logits.numpy(),
        )
    assert (
        np.abs(logits - twin(X)["logits"].numpy()).max() < 1e-5
        and np.abs(logits - old).max() > 1e-3
    )


@needs_tf
def test_shared_weights_stay_shared():
    model = tiny("bert-MaskedLM")
    twin = to_tf(model)
    assert len(twin.trainable_variables) == len(list(model.parameters()))
    assert len({v.name for v in twin.variables}) == len(twin.variables)
    back = twin.to_torch()
    assert back.get_output_embeddings().weight is back.get_input_embeddings().weight


@needs_tf
def test_saved_model_needs_no_torch(tmp_path):
    twin = load_tf(FIXTURES / "bert-h5")
    twin.export(tmp_path / "served")
    np.savez(tmp_path / "x.npz", **{k: v.numpy() for k, v in twin.complete(X).items()})
    code = f"""
import sys; sys.modules["torch"] = sys.modules["transformers"] = sys.modules["nlp_tour"] = None
import numpy as np, tensorflow as tf
reader = tf.saved_model.load({str(tmp_path / "served")!r})
inputs = {{k: tf.constant(v) for k, v in np.load({str(tmp_path / "x.npz")!r}).items()}}
print(reader.serve(inputs)["logits"].numpy().tolist())"""
    assert np.abs(np.array(eval(run(code))) - OUTPUTS["bert"]).max() < 1e-5


@needs_tf
def test_torch_face():
    from nlp_tour.bridges.tensorflow import as_torch

    face = as_torch(load_tf(FIXTURES / "bert-h5"))
    answer = face(**{k: torch.tensor(v) for k, v in X.items()}, token_type_ids=None)
    assert np.abs(answer.logits.numpy() - OUTPUTS["bert"]).max() < 1e-5 and not face.training


@needs_tf
def test_names_of_2021():
    from nlp_tour.hub.tensorflow import tf_class

    TFAutoModel = tf_class(transformers.AutoModel)
    assert TFAutoModel.__name__ == "TFAutoModel"
    twin = TFAutoModel.from_pretrained(FIXTURES / "bert-h5", from_pt=False)
    assert list(twin(X)) == ["last_hidden_state", "pooler_output"]


@needs_tf
def test_an_operation_without_a_rule_is_named():
    fnet = transformers.FNetModel(
        transformers.FNetConfig(
            vocab_size=40,
            hidden_size=16,
            num_hidden_layers=1,
            intermediate_size=32,
            max_position_embeddings=32,
        )
    )
    with pytest.raises(InputError, match=r"aten\._fft_c2c\.default has no TensorFlow rule"):
        to_tf(fnet)


@needs_tf
def test_a_wrong_rule_is_found(monkeypatch):
    import nlp_tour.bridges.rules as rules

    values = rules._values
    monkeypatch.setattr(
        rules,
        "_values",
        lambda tf: values(tf) | {"gelu": lambda x, approximate="none": tf.nn.relu(x)},
    )
    with pytest.raises(InputError, match="gives different outputs in TensorFlow"):
        to_tf(tiny("bert"))


@needs_tf
def test_a_failing_rule_gets_a_sentence(monkeypatch):
    import nlp_tour.bridges.rules as rules

    values = rules._values
    monkeypatch.setattr(rules, "_values", lambda tf: values(tf) | {"gelu": lambda: None})
    with pytest.raises(InputError, match="BertModel cannot be replayed in TensorFlow"):
        to_tf(tiny("bert"))


@needs_tf
def test_the_model_stays_as_it_is():
    model = tiny("gpt2").train()
    before, state = model.config.to_dict(), {k: v.clone() for k, v in model.state_dict().items()}
    to_tf(model)
    assert (
        model.training
        and model.config.to_dict() == before
        and all(torch.equal(v, state[k]) for k, v in model.state_dict().items())
    )


@needs_tf
def test_another_keras_backend_is_refused():
    code = f"from nlp_tour.hub.tensorflow import load_tf; load_tf({str(FIXTURES / 'bert-h5')!r})"
    assert "set KERAS_BACKEND=tensorflow" in run(code, KERAS_BACKEND="torch")


# the front doors: always for TensorFlow's files, with the extra for the Keras model


@pytest.mark.parametrize("folder", ["bert-h5", "bert-safetensors", "bert-sharded"])
def test_the_tours_spelling_reads_tensorflows_files(folder):
    from nlp_tour.all import AutoModelForSequenceClassification

    right = OUTPUTS["bert"]
    for model in [
        AutoModelForSequenceClassification.from_pretrained(str(FIXTURES / folder), from_tf=True),
        AutoModelForSequenceClassification.from_pretrained(FIXTURES / folder),
    ]:
        with torch.no_grad():
            answer = model(**torch_inputs(model))[0]
        assert np.abs(answer.numpy() - right).max() < 1e-5


def test_from_tf_on_pytorch_files_says_what_was_loaded(capsys, tmp_path):
    from nlp_tour.all import AutoModel

    from_tf(FIXTURES / "bert-h5").save_pretrained(tmp_path)
    assert AutoModel.from_pretrained(tmp_path, from_tf=True).num_parameters() > 0
    assert "from_tf=True is not needed" in capsys.readouterr().err


@needs_tf
def test_pipeline_answers_from_tensorflow():
    from nlp_tour.all import TFAutoModelForSequenceClassification, load, pipeline

    texts = [
        "We are very happy to show you the 🤗 Transformers library.",
        "We hope you don't hate it.",
        "A dull film. " * 40,
    ]
    pt, tf = (
        pipeline("sentiment-analysis", framework="pt"),
        pipeline("sentiment-analysis", framework="tf"),
    )
    for a, b in zip(pt(texts), tf(texts)):
        assert a["label"] == b["label"] and abs(a["score"] - b["score"]) < 1e-5
    model, tok = load("distilbert-base-uncased-finetuned-sst-2-english", framework="tf")
    keras = TFAutoModelForSequenceClassification.from_pretrained(
        "distilbert-base-uncased-finetuned-sst-2-english", from_pt=True
    )
    inputs = dict(tok(texts[:2], padding=True, return_tensors="np"))
    assert (
        np.abs(np.asarray(model(inputs)["logits"]) - np.asarray(keras(inputs)["logits"])).max()
        < 1e-6
    )


# the names of 2021 around a Keras model

TEXTS = ["a good film", "a bad film, and a long one", "good"]


def tokenized():
    "A tokenizer, and rows of three texts with labels."
    import datasets

    from nlp_tour.all import AutoTokenizer

    tok = AutoTokenizer.from_pretrained("bert-base-uncased")
    rows = datasets.Dataset.from_dict({"text": TEXTS, "label": [1, 0, 1]})
    return tok, rows.map(lambda row: tok(row["text"]))


def collated(name):
    "A collator for `tokenized` by its name."
    import nlp_tour.all as ours

    tok, rows = tokenized()
    takes = [] if name == "DefaultDataCollator" else [tok]
    return getattr(ours, name)(*takes, return_tensors="tf"), rows


@needs_tf
@pytest.mark.parametrize(
    "name",
    ["DataCollatorWithPadding", "DataCollatorForLanguageModeling", "DataCollatorForSeq2Seq"],
)
def test_a_collator_of_2021_gives_tensors_of_tensorflow(name):
    import tensorflow as tf

    collate, rows = collated(name)
    features = [{"input_ids": ids} for ids in rows["input_ids"]]
    batch = collate(features)
    assert all(v is None or isinstance(v, tf.Tensor) for v in batch.values())
    longest = max(map(len, rows["input_ids"]))
    assert batch["input_ids"].shape == (3, longest)


@needs_tf
def test_to_tf_dataset_joins_rows_by_a_collator_of_2021():
    collate, rows = collated("DataCollatorWithPadding")
    columns = ["input_ids", "attention_mask"]
    batches = rows.to_tf_dataset(
        columns=columns, label_cols="label", batch_size=2, shuffle=False, collate_fn=collate
    )
    (x, y), (_, last) = batches
    assert sorted(x) == sorted(columns)
    assert y.numpy().tolist() + last.numpy().tolist() == [1, 0, 1]


@needs_tf
def test_a_tokenizer_gives_tensors_of_tensorflow():
    import tensorflow as tf

    tok, rows = tokenized()
    right = tok(TEXTS, padding=True, return_tensors="np")
    for batch in (
        tok(TEXTS, padding=True, return_tensors="tf"),
        tok.batch_encode_plus(TEXTS, padding=True, return_tensors="tf"),
        tok.pad({"input_ids": rows["input_ids"][:]}, return_tensors="tf"),
    ):
        assert isinstance(batch["input_ids"], tf.Tensor)
        assert (batch["input_ids"].numpy() == right["input_ids"]).all()
    assert tok.encode("a", return_tensors="tf").numpy().tolist() == [tok.encode("a")]


@needs_tf
def test_weight_decay_is_decoupled_and_spares_norms_and_biases():
    "With gradients of zero, Adam moves nothing: what changes is the decay alone."
    import keras

    from nlp_tour.all import AdamWeightDecay, create_optimizer

    twin = to_tf(tiny("bert-SequenceClassification"))
    optimizer, schedule = create_optimizer(0.1, 10, 2, weight_decay_rate=0.5)
    assert isinstance(optimizer, AdamWeightDecay)
    weights = twin.trainable_variables
    before = [w.numpy() for w in weights]
    for _ in range(3):
        optimizer.apply([keras.ops.zeros_like(w) for w in weights], weights)
    shrunk = np.prod([1 - 0.5 * float(schedule(step)) for step in range(3)])
    for old, weight in zip(before, weights):
        spared = "LayerNorm" in weight.name or weight.name.endswith("bias")
        assert np.allclose(weight.numpy(), old * (1 if spared else shrunk), atol=1e-7), weight.name


@needs_tf
def test_a_schedule_rises_and_falls_as_its_formula():
    from nlp_tour.all import create_optimizer

    steps, warmup, power = 20, 5, 2.0
    _, schedule = create_optimizer(1e-3, steps, warmup, min_lr_ratio=0.1, power=power)

    def formula(step):
        if step < warmup:
            return 1e-3 * step / warmup
        left = 1 - min(step - warmup, steps - warmup) / (steps - warmup)
        return 1e-4 + 9e-4 * left**power

    rates = [float(schedule(step)) for step in range(25)]
    assert np.allclose(rates, [formula(step) for step in range(25)], rtol=1e-5, atol=1e-9)


@needs_tf
def test_an_optimizer_of_2021_comes_back_from_its_configuration():
    import keras

    from nlp_tour.all import AdamWeightDecay, create_optimizer

    optimizer, _ = create_optimizer(1e-3, 20, 5, weight_decay_rate=0.1)
    again = AdamWeightDecay.from_config(optimizer.get_config())
    assert again.get_config() == optimizer.get_config()
    w = keras.Variable(np.ones(2), name="w")
    for _ in range(3):
        again.apply([keras.ops.ones(2)], [w])
    assert w.numpy().max() < 1


@needs_tf
def test_a_callback_pushes_only_with_a_repository_and_a_token(monkeypatch, tmp_path, capsys):
    import huggingface_hub

    from nlp_tour.all import PushToHubCallback

    calls = []

    class Job:
        def result(self):
            calls.append("done")

    class Hub:
        def __init__(self, token):
            calls.append(token)

        def create_repo(self, name, exist_ok):
            return type("Repo", (), {"repo_id": f"me/{name}"})

        def upload_folder(self, repo_id, folder_path, commit_message, run_as_future):
            assert (Path(folder_path) / "model.safetensors").exists() and run_as_future
            calls.append((repo_id, commit_message))
            return Job()

    monkeypatch.setattr(huggingface_hub, "HfApi", Hub)
    monkeypatch.setattr(huggingface_hub, "get_token", lambda: None)
    twin, y = to_tf(tiny("bert-SequenceClassification")), np.array([1, 0])
    twin.compile(optimizer="adam", loss="mse")

    def fit(**options):
        callback = PushToHubCallback(tmp_path / "out", **options)
        twin.fit(X, y[:, None], epochs=2, verbose=0, callbacks=[callback])

    fit(hub_model_id="m")
    fit(hub_token="t")
    assert calls == [] and capsys.readouterr().err.count("pushes nothing") == 2
    fit(hub_model_id="m", hub_token="t")
    ends = ["epoch 0", "epoch 1", "End of training"]
    pushed = [c[1] for c in calls if isinstance(c, tuple)]
    assert [message[-len(end) :] for message, end in zip(pushed, ends)] == ends
    assert calls.count("done") == 3 and calls[-1] == "done" and calls[0] == "t"


@needs_tf
def test_a_metric_is_computed_from_all_batches():
    from nlp_tour.all import KerasMetricCallback

    collate, rows = collated("DataCollatorWithPadding")
    kept = rows.select_columns(["input_ids", "attention_mask", "label"])
    batches = kept.to_tf_dataset(batch_size=2, shuffle=False, collate_fn=collate)
    twin = load_tf("distilbert-base-uncased-finetuned-sst-2-english")
    twin.compile(optimizer="sgd", loss="mse")
    seen = []

    def metric(both):
        seen.append(both)
        return {"accuracy": float((both[0].argmax(-1) == both[1]).mean())}

    callback = KerasMetricCallback(metric, batches)
    x = dict(collate([{"input_ids": ids} for ids in rows["input_ids"]]))
    history = twin.fit(x, np.zeros((3, 1)), verbose=0, callbacks=[callback]).history
    (predictions, labels) = seen[0]
    assert predictions.shape == (3, 2) and labels.tolist() == [1, 0, 1]
    assert np.abs(predictions - twin(x)["logits"].numpy()).max() < 1e-5
    assert history["accuracy"] == [(predictions.argmax(-1) == [1, 0, 1]).mean()]


@needs_tf
def test_a_metric_of_what_is_generated():
    from nlp_tour.all import KerasMetricCallback

    twin = to_tf(tiny("t5"))
    ids = {"input_ids": X["input_ids"], "attention_mask": X["attention_mask"]}
    data = ids | {"labels": X["input_ids"]}
    seen = []
    callback = KerasMetricCallback(
        lambda both: seen.append(both[0]) or {"n": 1.0},
        data,
        batch_size=2,
        predict_with_generate=True,
        generate_kwargs={"max_new_tokens": 3, "do_sample": False},
    )
    callback.set_model(twin)
    callback.on_epoch_end(0, {})
    right = tiny("t5").generate(
        **{k: torch.tensor(v) for k, v in ids.items()}, max_new_tokens=3, do_sample=False
    )
    assert seen[0].tolist() == right.tolist()


@needs_tf
def test_outputs_are_read_as_in_2021():
    twin = to_tf(tiny("bert"))
    named = twin(X)
    for outputs in (twin(**X), twin(X["input_ids"], attention_mask=X["attention_mask"])):
        assert np.array_equal(outputs.pooler_output, named["pooler_output"])
        assert np.array_equal(outputs[0], named["last_hidden_state"])
        hidden, pooled = outputs[:]
        assert np.array_equal(pooled, named["pooler_output"])
    with pytest.raises(AttributeError, match="none is called logits"):
        _ = named.logits


@needs_tf
@pytest.mark.parametrize("eagerly", [False, True])
def test_keras_trains_on_named_outputs(eagerly):
    import keras

    twin, loss = to_tf(tiny("bert-SequenceClassification")), keras.losses.MeanSquaredError()
    twin.compile(optimizer="sgd", loss={"logits": loss}, run_eagerly=eagerly)
    history = twin.fit(X, {"logits": np.zeros((2, 2))}, verbose=0).history
    assert history["loss"][0] > 0 and list(twin.predict(X, verbose=0)) == ["logits"]
