"Nothing silent: broken folders, wrong files, untrained heads and unknown names, at every door."

import json
import shutil
import sys
import warnings
from pathlib import Path

import pytest
import tiny_encoders as tiny
import torch
import transformers
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, models

import nlp_tour.all as tour
from nlp_tour.base import errors
from nlp_tour.base.errors import InputError
from nlp_tour.bridges.weights import from_tf
from nlp_tour.engine.check import check
from nlp_tour.hub.loading import load
from nlp_tour.hub.saving import save
from nlp_tour.hub.tokenizers import load_tokenizer
from nlp_tour.hub.weights import untrained_weights
from nlp_tour.pipeline import pipeline

TEXT = "She found the old bridge in London early."


@pytest.fixture(scope="module")
def tok():
    return tiny.wrap(tiny.wordpiece(), types=True)


@pytest.fixture(scope="module")
def model(tok):
    torch.manual_seed(0)
    labels = {"id2label": {0: "bad", 1: "good"}, "label2id": {"bad": 0, "good": 1}}
    config = tiny.config("bert", len(tok), **labels)
    return tiny.fill(transformers.BertForSequenceClassification(config))


@pytest.fixture(scope="module")
def whole(tok, model, tmp_path_factory):
    return save(tmp_path_factory.mktemp("models") / "whole", model, tok)


@pytest.fixture
def folder(whole, tmp_path):
    return shutil.copytree(whole, tmp_path / "model")


def logits(model):
    return model.eval()(torch.tensor([[2, 9, 17, 30, 3]])).logits.detach()


# Each door, and what came through it: equal for equal models.
DOORS = {
    "load": lambda f: logits(load(f)[0]),
    "load a task": lambda f: logits(load(f, "text-classification")[0]),
    "load_tokenizer": lambda f: load_tokenizer(f)(TEXT)["input_ids"],
    "pipeline": lambda f: pipeline(model=f)(TEXT)[0]["label"],
    "pipeline, untouched model": lambda f: pipeline(
        "text-classification", model=f, model_kwargs={"attn_implementation": "eager"}
    )(TEXT)[0]["label"],
    "AutoModel": lambda f: logits(tour.AutoModelForSequenceClassification.from_pretrained(f)),
    "the model's class": lambda f: logits(tour.BertForSequenceClassification.from_pretrained(f)),
    "AutoTokenizer": lambda f: tour.AutoTokenizer.from_pretrained(f)(TEXT)["input_ids"],
    "AutoConfig": lambda f: tour.AutoConfig.from_pretrained(f).to_dict(),
    "check": lambda f: str(check(f).raise_for_problems()),
}
FILES = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"]
DAMAGE = {
    "missing": lambda p: p.unlink(),
    "empty": lambda p: p.write_bytes(b""),
    "half": lambda p: p.write_bytes(p.read_bytes()[: p.stat().st_size // 2]),
    "all but the end": lambda p: p.write_bytes(p.read_bytes()[:-2]),
    "garbage": lambda p: p.write_bytes(bytes(range(256)) * 8),
    "a list": lambda p: p.write_bytes(b"[1, 2]"),
    "a folder": lambda p: (p.unlink(), p.mkdir()),
}


def same(a, b):
    return torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b


@pytest.mark.parametrize("how", DAMAGE)
@pytest.mark.parametrize("file", FILES)
def test_a_broken_folder_gives_one_sentence_or_the_whole_model(whole, folder, file, how):
    DAMAGE[how](folder / file)
    for door, through in DOORS.items():
        try:
            found = through(folder)
        except InputError as e:
            message = str(e)
            assert "\n" not in message and message.endswith(".") and len(message) < 500, door
            assert file in message or str(folder) in message, (door, message)
        else:
            right = through(whole)
            if door == "AutoConfig":
                found.pop("_name_or_path", None)
                right.pop("_name_or_path", None)
            wrong = f"{door} opened a folder whose {file} is {how}"
            assert how == "missing" and same(found, right), wrong


@pytest.mark.parametrize(
    "file, doors",
    [
        ("config.json", {"load", "pipeline", "AutoModel", "AutoConfig", "check"}),
        ("model.safetensors", {"load", "pipeline", "AutoModel", "check"}),
        ("tokenizer.json", {"load", "load_tokenizer", "pipeline", "AutoTokenizer", "check"}),
    ],
)
def test_what_is_missing_is_missed(folder, file, doors):
    (folder / file).unlink()
    for door in doors:
        with pytest.raises(InputError):
            DOORS[door](folder)


def test_the_command_line_reports_it_in_one_line(folder, tmp_path, monkeypatch, capsys):
    from nlp_tour.app.cli import main

    (folder / "model.safetensors").write_bytes(b"half")
    options = f"--model {folder} --examples 8 --out {tmp_path / 'out'}".split()
    monkeypatch.setattr(sys, "argv", ["nlp-tour", "tour", *options])
    with pytest.raises(SystemExit) as stopped:
        main()
    lines = capsys.readouterr().err.splitlines()
    ours = [line for line in lines if line.startswith("nlp-tour:")]
    assert stopped.value.code == 2 and len(ours) == 1 and "model.safetensors" in ours[0]


@pytest.mark.parametrize(
    "change, words",
    [
        ({"model_type": "no_such_thing"}, "no_such_thing"),
        ({"vocab_size": 20}, "shape differs from the configuration"),
        ({"hidden_size": 12, "num_attention_heads": 2}, "shape differs from the configuration"),
        ({"hidden_size": "wide"}, "hidden_size"),
        ({"architectures": ["NoSuchForSequenceClassification"]}, "NoSuch"),
    ],
)
def test_a_configuration_that_is_wrong(folder, change, words):
    file = folder / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    with pytest.raises(InputError, match=words) as e:
        load(folder)
    assert "\n" not in str(e.value)


def test_a_shard_that_the_index_names(model, tok, tmp_path):
    model.save_pretrained(tmp_path, max_shard_size="20KB")
    tok.save_pretrained(tmp_path)
    shards = sorted(tmp_path.glob("model-*.safetensors"))
    assert len(shards) > 1 and torch.equal(logits(load(tmp_path)[0]), logits(model))
    shards[0].unlink()
    for door in DOORS.values():
        with pytest.raises(
            InputError, match="is missing, although model.safetensors.index.json names it"
        ):
            door(tmp_path)


def test_another_models_tokenizer_is_refused(folder, model, whole):
    other = tiny.wrap(tiny.byte_level())
    with pytest.raises(InputError, match="the tokenizer knows"):
        pipeline("text-classification", model=model, tokenizer=other)
    with pytest.raises(InputError, match="the tokenizer knows"):
        pipeline("text-classification", model=folder, tokenizer=other)
    other.save_pretrained(folder)
    for door in ("load", "load_tokenizer", "pipeline", "AutoTokenizer", "check"):
        with pytest.raises(InputError, match="the tokenizer knows"):
            DOORS[door](folder)
    with pytest.raises(InputError, match="the tokenizer knows"):
        load_tokenizer(folder, model)
    assert load_tokenizer(whole, model).model_max_length == model.config.max_position_embeddings


@pytest.mark.parametrize(
    "weight",
    [
        "bert.embeddings.word_embeddings.weight",
        "bert.encoder.layer.1.output.dense.weight",
        "classifier.bias",
    ],
)
@pytest.mark.parametrize("value", ["nan", "inf"])
def test_weights_that_are_no_numbers(folder, weight, value):
    file = folder / "model.safetensors"
    weights = load_file(file)
    weights[weight].flatten()[1 if weight.endswith("bias") else 100] = float(value)
    save_file(weights, file, {"format": "pt"})
    for door in ("pipeline", "pipeline, untouched model", "check"):
        with pytest.raises(InputError, match="NaN or infinite"):
            DOORS[door](folder)


def test_a_file_of_tensorflow_is_read_as_such(tmp_path):
    folder = shutil.copytree(
        Path(__file__).parent / "fixtures" / "tensorflow" / "bert-safetensors", tmp_path / "tf"
    )
    size = json.loads((folder / "config.json").read_text())["vocab_size"]
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    entries = special + [f"w{i}" for i in range(size - len(special))]
    words = {entry: i for i, entry in enumerate(entries)}
    tok = tiny.wrap(Tokenizer(models.WordLevel(words, "[UNK]")), types=True)
    tok.save_pretrained(folder)
    right = logits(from_tf(folder))
    for door in ("load", "AutoModel", "the model's class"):
        assert torch.equal(DOORS[door](folder), right), door
    assert check(folder).ok and pipeline(model=folder)("w1 w2")[0]["label"]
    stock = transformers.AutoModelForSequenceClassification.from_pretrained(folder)
    assert [p.kind for p in check(stock, tok).problems] == ["files"]
    with pytest.raises(InputError, match="TensorFlow's weights only"):
        pipeline("text-classification", model=stock, tokenizer=tok)


# Heads
@pytest.fixture
def headless(model, tok, tmp_path):
    return save(tmp_path / "body", model.bert, tok)


def test_every_door_warns_of_an_untrained_head(headless, tok, capsys):
    for opened in (
        lambda: load(headless, "text-classification")[0],
        lambda: tour.AutoModelForSequenceClassification.from_pretrained(headless),
        lambda: tour.BertForSequenceClassification.from_pretrained(headless, labels=["a", "b"]),
    ):
        with pytest.warns(UserWarning, match="classifier.bias, classifier.weight are in no file"):
            model = opened()
        assert untrained_weights(model) == ["classifier.bias", "classifier.weight"]
        with pytest.raises(InputError, match="are random numbers"):
            pipeline("text-classification", model=model, tokenizer=tok)
        assert [p.kind for p in check(model, tok).problems] == ["head"]
        parts = {"model": model, "tokenizer": tok}
        assert pipeline("text-classification", **parts, allow_untrained=True)(TEXT)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(InputError, match="are random numbers"):
            pipeline("text-classification", model=headless)
        with pytest.raises(InputError, match="are random numbers"):
            check(load(headless, "text-classification")[0]).raise_for_problems()


def test_a_head_that_was_trained_is_no_longer_untrained(headless, tok):
    from nlp_tour.beyond.lora import add_lora, merged
    from nlp_tour.native_loop import train

    texts = tok([TEXT, "The river was loud."], padding=True, return_tensors="pt")
    batch = texts | {"labels": torch.tensor([0, 1])}
    for change in (lambda m: m, add_lora):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = change(load(headless, "text-classification")[0])
        assert untrained_weights(model) == ["classifier.bias", "classifier.weight"]
        trained = [p for p in model.parameters() if p.requires_grad]
        train(model, [batch], torch.optim.AdamW(trained, lr=1e-3), progress=False)
        assert untrained_weights(model) == []
        model = merged(model) if change is add_lora else model
        assert pipeline("text-classification", model=model, tokenizer=tok)(TEXT)


def test_a_head_of_another_size_is_refused_or_asked_for(whole, tok):
    for opened in (load, tour.AutoModelForSequenceClassification.from_pretrained):
        with pytest.raises(InputError, match="weights whose shape differs"):
            opened(whole, labels=["a", "b", "c"])
        with pytest.warns(UserWarning, match="random numbers"):
            found = opened(whole, labels=["a", "b", "c"], ignore_mismatched_sizes=True)
        model = found[0] if opened is load else found
        assert untrained_weights(model) == ["classifier.bias", "classifier.weight"]


def test_a_head_that_is_left_behind_warns(whole):
    with pytest.warns(
        UserWarning, match=r"the head \(classifier.bias, classifier.weight\) has no place"
    ):
        tour.AutoModel.from_pretrained(whole)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert type(load(whole)[0]).__name__ == "BertForSequenceClassification"


# What was saved comes back
@pytest.mark.parametrize(
    "head, task",
    [
        ("BertForSequenceClassification", "text-classification"),
        ("BertForTokenClassification", "token-classification"),
        ("BertForQuestionAnswering", "question-answering"),
        ("BertForMaskedLM", "fill-mask"),
        ("BertModel", "feature-extraction"),
    ],
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_save_and_load_give_the_same_bits(tok, tmp_path, head, task, dtype):
    names = {}
    if task in ("text-classification", "token-classification"):
        names = {"id2label": {0: "a", 1: "b", 2: "c"}, "label2id": {"a": 0, "b": 1, "c": 2}}
    model = tiny.fill(getattr(transformers, head)(tiny.config("bert", len(tok), **names))).to(dtype)
    again, tok_again = load(save(tmp_path / "m", model, tok))
    x = tok([TEXT, "The river."], padding=True, return_tensors="pt")
    x_again = tok_again([TEXT, "The river."], padding=True, return_tensors="pt")
    with torch.no_grad():
        before, after = model(**x).to_tuple(), again(x_again).to_tuple()
    assert all(torch.equal(i, j) for i, j in zip(before, after, strict=True))
    assert type(again).__name__ == head and again.dtype == dtype
    assert again.config.id2label == model.config.id2label
    assert untrained_weights(again) == [] and not again.training
    if dtype == torch.float32:
        assert pipeline(model=tmp_path / "m").task.name == task


@pytest.mark.parametrize("kind", ["gpt2", "t5"])
def test_generating_models_come_back_too(kind, tmp_path):
    import tiny as generating

    if kind == "t5":
        rust = generating.unigram()
        model = generating.seq2seq("t5", rust.get_vocab_size())
    else:
        rust = generating.bpe()
        sizes = {"n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 64}
        config = transformers.GPT2Config(vocab_size=rust.get_vocab_size(), **sizes)
        model = generating.fill(transformers.GPT2LMHeadModel(config))
    tok = generating.tokenizer(kind, rust.to_str())
    tok.add_special_tokens({})
    model.resize_token_embeddings(len(tok))
    again, _ = load(save(tmp_path / "m", model, tok))
    ids = {"input_ids": torch.tensor([[5, 6, 7]])}
    if kind == "t5":
        ids["decoder_input_ids"] = torch.tensor([[1, 4]])
    with torch.no_grad():
        assert torch.equal(model(**ids).logits, again(ids).logits)
    assert type(again) is type(model)


def test_saving_over_another_kind_of_weights_leaves_none_of_them(model, tok, tmp_path):
    model.save_pretrained(tmp_path, max_shard_size="20KB")
    (tmp_path / "notes.md").write_text("mine")
    save(tmp_path, model, tok)
    assert [p.name for p in tmp_path.glob("*model*")] == ["model.safetensors"]
    assert (tmp_path / "notes.md").read_text() == "mine"
    assert torch.equal(logits(load(tmp_path)[0]), logits(model))


def test_a_save_that_fails_leaves_what_was_there(model, tok, folder, monkeypatch):
    before = {p.name: p.read_bytes() for p in folder.iterdir()}

    def full(part):
        (part / "tokenizer.json").write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tok, "save_pretrained", full, raising=False)
    with pytest.raises(
        InputError, match="No space left on device; the previous files are untouched"
    ):
        save(folder, model, tok)
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before
    assert [p.name for p in folder.parent.iterdir()] == ["model"]


# Names
def test_unknown_names_raise_with_the_nearest(whole, tmp_path):
    for wrong, meant in [
        (lambda: tour.DistilBertConfig(n_head=8), "n_heads"),
        (lambda: tour.BertConfig(hidden_sise=8), "hidden_size"),
        (lambda: tour.AutoConfig.from_pretrained(whole, num_hidden_layer=1), "num_hidden_layers"),
        (lambda: tour.BertConfig.from_pretrained(whole, num_label=3), "num_labels"),
        (lambda: load(whole, lables=["a"]), "labels"),
        (lambda: pipeline(model=whole, top_kk=2), "top_k"),
        (
            lambda: tour.AutoModelForSequenceClassification.from_pretrained(whole, num_lables=2),
            "num_labels",
        ),
        (lambda: tour.TrainingArguments(str(tmp_path), learning_rat=1), "learning_rate"),
    ]:
        with pytest.raises(TypeError, match=f"did you mean '{meant}'"):
            wrong()
    with pytest.raises(InputError, match="did you mean 'text-classification'"):
        load(whole, "text-clasification")


def test_names_of_2021_work_and_give_the_name_of_today(whole, capsys):
    errors._warned.clear()
    for _ in range(2):
        load(whole, use_auth_token=None, torch_dtype="float32")
        tour.AutoModelForSequenceClassification.from_pretrained(whole, torch_dtype="float32")
        load_tokenizer(whole, use_auth_token=None)
    printed = capsys.readouterr().err
    for line in (
        "load: `use_auth_token` is called `token` today",
        "load: `torch_dtype` is called `dtype` today",
        "AutoModelForSequenceClassification.from_pretrained: `torch_dtype` is called `dtype`",
        "load_tokenizer: `use_auth_token`",
    ):
        assert printed.count(line) == 1, line
    assert tour.AutoModelForSequenceClassification.from_pretrained(whole, from_tf=True) is not None
    assert "from_tf=True is not needed" in capsys.readouterr().err


@pytest.mark.parametrize(
    "name", [None, 7, b"folder", "", "no/such/folder", "./nowhere", "bert-base-casd"]
)
def test_names_that_lead_nowhere(name):
    for door in (
        load,
        load_tokenizer,
        lambda n: pipeline("text-classification", model=n if n is not None else 0),
        tour.AutoModel.from_pretrained,
        tour.AutoTokenizer.from_pretrained,
        tour.AutoConfig.from_pretrained,
    ):
        with pytest.raises(InputError) as e:
            door(name)
        assert "\n" not in str(e.value)


# Modes and lengths
def test_a_model_in_training_mode_answers_alike_and_stays_in_it(model, tok):
    pipe = pipeline("text-classification", model=model.train(), tokenizer=tok)
    assert len({pipe(TEXT)[0]["score"] for _ in range(5)}) == 1 and model.training
    assert [(p.kind, p.stops) for p in check(model, tok).problems] == [("mode", False)]
    model.eval()


def test_texts_over_the_maximum_are_reported_in_training_too(model, tok, capsys):
    from datasets import Dataset

    from nlp_tour.data.tokenized import tokenize_dataset

    rows = Dataset.from_dict({"text": [TEXT, "river " * 100], "label": [0, 1]})
    assert [(p.kind, p.stops) for p in check(model, tok, rows).problems] == [
        ("text", True),
        ("length", False),
    ]
    cut = tokenize_dataset(rows, tok)
    assert "1 of 2 texts" in capsys.readouterr().err and check(model, tok, cut).problems == []
    uncut = rows.map(lambda r: tok(r["text"]), remove_columns="text")
    assert [p.kind for p in check(model, tok, uncut).problems] == ["length"]


def test_data_that_cannot_be_learned_from_is_refused_before_training(model, tok):
    good = [dict(tok(TEXT)) | {"labels": i % 2} for i in range(4)]
    assert check(model, tok, good).ok
    for wrong, kind in [
        ({"labels": 2}, "labels"),
        ({"labels": "bad"}, "labels"),
        ({"labels": None}, "labels"),
        ({"labels": 0.5}, "labels"),
        ({"input_ids": [2, 10_000, 3]}, "vocabulary"),
        ({"attention_mask": [1, 1]}, "columns"),
        ({"input_ids": TEXT}, "columns"),
        ({"input_ids": [5] * 80, "attention_mask": [1] * 80, "token_type_ids": [0] * 80}, "length"),
    ]:
        report = check(model, tok, good[:3] + [good[3] | wrong])
        assert not report.ok and kind in [p.kind for p in report.problems], (wrong, report)
        assert "row 3" in report.problems[0].what, (wrong, report)
        with pytest.raises(InputError, match="row 3"):
            report.raise_for_problems()


def test_lora_is_saved_without_a_word_to_the_network(tmp_path, monkeypatch):
    import socket

    from nlp_tour.beyond.lora import add_lora, merged

    asked = []

    def getaddrinfo(host, *args, **kwargs):
        asked.append(host)
        raise OSError("no network")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    with pytest.warns(UserWarning, match="random numbers"):
        model, tok = load("bert-base-uncased", "text-classification", labels=["bad", "good"])
    for n, more in enumerate(([], ["[NEW]"])):  # as it was, and with a word more
        tok.add_tokens(more)
        model.resize_token_embeddings(len(tok))
        lora = add_lora(model)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            save(tmp_path / str(n), lora, tok)
        held = load_file(tmp_path / str(n) / "adapter_model.safetensors")
        assert asked == []
        assert any("word_embeddings" in k for k in held) == bool(more), n
        model = merged(lora)


@pytest.mark.parametrize("task_type", ["SEQ_CLS", "TOKEN_CLS"])
def test_an_adapter_as_peft_saves_it_opens_with_its_base_model(
    tiny_classifier, tmp_path, task_type
):
    "Without config.json and without a tokenizer; with three classes where the base has two."
    import transformers
    from peft import LoraConfig, get_peft_model

    kind = {"SEQ_CLS": "SequenceClassification", "TOKEN_CLS": "TokenClassification"}[task_type]
    auto = getattr(transformers, f"AutoModelFor{kind}")
    model = auto.from_pretrained(tiny_classifier, num_labels=3, ignore_mismatched_sizes=True)
    model = get_peft_model(model, LoraConfig(task_type=task_type, target_modules=["query"]))
    with torch.no_grad():
        for name, w in model.named_parameters():
            if "lora_" in name:
                w.fill_(0.05)
    model.save_pretrained(tmp_path / "adapter")
    assert not (tmp_path / "adapter" / "config.json").exists()
    opened, tok = load(tmp_path / "adapter")
    assert type(opened).__name__ == f"BertFor{kind}" and opened.untrained_weights == {}
    inputs = tok("A quiet film.", return_tensors="pt")
    with torch.no_grad():
        expected = model.eval()(**inputs).logits
        assert torch.allclose(opened(**inputs).logits, expected, atol=1e-5)
    task = {"SEQ_CLS": "text-classification", "TOKEN_CLS": "token-classification"}[task_type]
    assert pipeline(task, model=str(tmp_path / "adapter"))("A quiet film.")
    assert pipeline(model=str(tmp_path / "adapter")).task.name == task


def test_an_adapter_whose_base_model_is_gone_says_where_to_write_its_place(tmp_path):
    settings = {"base_model_name_or_path": "/gone/model", "task_type": "SEQ_CLS"}
    (tmp_path / "adapter_config.json").write_text(json.dumps(settings))
    with pytest.raises(InputError, match="contains an adapter of '/gone/model'.*under base_model"):
        load(tmp_path)
    (tmp_path / "adapter_config.json").write_text("{}")
    with pytest.raises(InputError, match="names no base model"):
        load(tmp_path)


@pytest.mark.parametrize("name", ["source.spm", "spiece.model", "sentencepiece.bpe.model"])
def test_a_tokenizer_of_sentencepiece_names_the_extra_that_reads_it(
    tiny_classifier, tmp_path, monkeypatch, name
):
    folder = Path(shutil.copytree(tiny_classifier, tmp_path / "model"))
    (folder / "tokenizer.json").unlink()
    (folder / name).write_bytes(b"\n\x0e\n\x05<unk>")
    monkeypatch.setitem(sys.modules, "sentencepiece", None)
    for open_it in (
        load,
        load_tokenizer,
        tour.AutoTokenizer.from_pretrained,
        lambda where: pipeline("text-classification", model=str(where)),
    ):
        with pytest.raises(InputError, match=r"pip install 'nlp_tour\[sentencepiece\]'"):
            open_it(folder)


def test_a_folder_of_byt5_needs_no_vocabulary(tmp_path):
    settings = {"d_model": 16, "d_kv": 8, "d_ff": 16, "num_layers": 1, "num_heads": 2}
    config = transformers.T5Config(vocab_size=384, decoder_start_token_id=0, **settings)
    torch.manual_seed(0)
    saved = transformers.T5ForConditionalGeneration(config).eval()
    saved.save_pretrained(tmp_path)
    transformers.ByT5Tokenizer().save_pretrained(tmp_path)
    model, tok = load(tmp_path)
    ids = tok("über", return_tensors="pt").input_ids
    assert ids.tolist() == [[b + 3 for b in "über".encode()] + [1]]
    out = saved.generate(ids, max_new_tokens=9)
    expected = transformers.ByT5Tokenizer().decode(out[0], skip_special_tokens=True)
    pipe = pipeline("text2text-generation", model=str(tmp_path))
    assert pipe("über", max_new_tokens=9)[0]["generated_text"] == expected
    assert tour.AutoTokenizer.from_pretrained(tmp_path)("a").input_ids == [100, 1]
