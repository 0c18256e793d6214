"Data for training: labels by name, one reader of labels, both texts of a pair, nothing dropped."

import json
import math

import numpy as np
import pandas as pd
import pytest
import torch
from datasets import ClassLabel, Dataset, DatasetDict, Features, List, Value
from tiny_encoders import corpus, wordpiece, wrap
from torch.utils.data import DataLoader
from transformers import BertConfig, BertForQuestionAnswering, BertForSequenceClassification

from nlp_tour.app.own_data import tour_data
from nlp_tour.app.tour import tour
from nlp_tour.app.tour import train as train_any
from nlp_tour.base import errors
from nlp_tour.base.errors import InputError
from nlp_tour.beyond.browse import show_results, top_losses
from nlp_tour.beyond.calibration import calibrate
from nlp_tour.beyond.few_shot import few_shot
from nlp_tour.beyond.lora import add_lora
from nlp_tour.data.datasets import load_data
from nlp_tour.data.matching import in_model_order
from nlp_tour.data.tokenized import tokenize_dataset
from nlp_tour.engine.check import check
from nlp_tour.hub.loading import load
from nlp_tour.metrics.scores import load_metric
from nlp_tour.native_loop import evaluate, train
from nlp_tour.pipeline import pipeline
from nlp_tour.trainer import finetune
from nlp_tour.training.arguments_2021 import TrainingArguments
from nlp_tour.training.encodings import encode
from nlp_tour.training.labels import fit_head, kind_of
from nlp_tour.training.optimizer import AdamW
from nlp_tour.training.trainer_2021 import Trainer

pytestmark = pytest.mark.usefixtures("one_thread")
TOK, TEXTS = wrap(wordpiece()), [f"{t} {i}" for i, t in enumerate(corpus(n=24))]
QUIET = {"progress": False, "precision": "fp32"}


def model(names=("neg", "pos"), cls=BertForSequenceClassification):
    "A tiny random model whose labels have these names."
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1}
    return cls(
        BertConfig(
            vocab_size=220,
            num_attention_heads=2,
            max_position_embeddings=64,
            hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
            id2label=dict(enumerate(names)),
            label2id={name: i for i, name in enumerate(names)},
            **sizes,
        )
    ).eval()


def labelled(ids, names, **columns):
    "Rows with texts and these labels."
    rows = Dataset.from_dict({"text": TEXTS[: len(ids)], "label": ids, **columns})
    return rows.cast_column("label", ClassLabel(names=list(names)))


IDS = [0, 1, 1, 0, 1, 0, 1, 1]
SAME = labelled(IDS, ["neg", "pos"])
TURNED = labelled([1 - y for y in IDS], ["pos", "neg"])


@pytest.fixture
def pipe():
    net = model()
    net.classifier.weight.data *= 50
    return pipeline("text-classification", model=net, tokenizer=TOK, allow_untrained=True)


def mostly_right(pipe, items):
    "Ids of the answers, two of eight wrong: a best temperature exists."
    ids = [int(a["label"] == "pos") for a in pipe(items)]
    return [1 - y if i in (1, 6) else y for i, y in enumerate(ids)]


@pytest.fixture(autouse=True)
def said_anew(monkeypatch):
    monkeypatch.setattr(errors, "_warned", set())


# Labels meet by name


def test_whatever_judges_takes_labels_by_name(pipe):
    ids = mostly_right(pipe, TEXTS[:8])
    words = Dataset.from_dict({"text": TEXTS[:8], "label": [["neg", "pos"][y] for y in ids]})
    same, turned = labelled(ids, ["neg", "pos"]), labelled([1 - y for y in ids], ["pos", "neg"])
    assert calibrate(pipe, same) == calibrate(pipe, turned) == calibrate(pipe, words)
    assert top_losses(pipe, same, 3) == top_losses(pipe, turned, 3)
    assert show_results(pipe, same) == show_results(pipe, turned)
    other = labelled(IDS, ["cold", "warm"])
    for judge in (calibrate, top_losses, show_results):
        with pytest.raises(InputError, match="the data has the labels cold, warm, and the model"):
            judge(pipe, other)


def test_finetune_takes_labels_by_name_in_every_split(tmp_path):
    weights = []
    for k, splits in enumerate([(SAME, SAME), (TURNED, SAME), (SAME, TURNED), (TURNED, TURNED)]):
        net = model()
        data = DatasetDict(train=splits[0], test=splits[1])
        history = finetune(net, TOK, data, tmp_path / str(k), epochs=1, **QUIET)
        weights.append((history.evaluations[-1]["eval_loss"], net.classifier.weight.tolist()))
        assert net.config.id2label == {0: "neg", 1: "pos"}
    assert all(w == weights[0] for w in weights)


def test_some_of_a_models_classes_keep_their_places():
    net = model(["neg", "so so", "pos"])
    some = labelled([0, 1, 0], ["neg", "pos"])
    fit_head(net, some, "label")
    assert encode(some, TOK, net)["labels"] == [0, 2, 0]
    assert net.config.id2label[1] == "so so"
    stars = load_data(pd.DataFrame({"text": TEXTS[:6], "label": [2, 1, 2, 1, 2, 1]}), test_share=0)
    nameless = model(["LABEL_0", "LABEL_1", "LABEL_2"])
    fit_head(nameless, stars["train"], "label")
    assert encode(stars["train"], TOK, nameless)["labels"] == [2, 1, 2, 1, 2, 1]


def test_the_loop_refuses_labels_in_another_order():
    net, rows = model(), tokenize_dataset(TURNED, TOK)
    batches = DataLoader(rows.with_format("torch"), batch_size=1)
    with pytest.raises(InputError, match="counts its labels pos, neg, and the model neg, pos"):
        train(net, batches, AdamW(net.parameters()), progress=False)
    with pytest.raises(InputError, match="counts its labels pos, neg"):
        evaluate(net, batches, load_metric("accuracy"))
    same = DataLoader(tokenize_dataset(SAME, TOK).with_format("torch"), batch_size=1)
    assert 0 <= evaluate(net, same, load_metric("accuracy"))["accuracy"] <= 1


@pytest.mark.parametrize("column", ["label", "labels"])
def test_the_class_trainer_refuses_labels_in_another_order(column, tmp_path):
    why, args = "counts its labels pos, neg, and the model neg, pos", TrainingArguments(tmp_path)
    same, turned = (
        tokenize_dataset(ds, TOK).rename_columns({"labels": column} if column == "label" else {})
        for ds in (SAME, TURNED)
    )
    how = {"model": model(), "args": args, "tokenizer": TOK}
    for data in ({"train_dataset": turned}, {"eval_dataset": turned}):
        with pytest.raises(InputError, match=why):
            Trainer(**how, **data)
    with pytest.raises(InputError, match=why):
        Trainer(**how, eval_dataset={"one": same, "other": turned})
    trainer = Trainer(**how, train_dataset=same, eval_dataset=same)
    for work in (trainer.evaluate, trainer.predict):
        with pytest.raises(InputError, match=why):
            work(turned)
    in_order = in_model_order(turned, ["neg", "pos"], column)
    assert trainer.evaluate(in_order) and trainer.predict(in_order).label_ids.tolist() == IDS
    trainer.train_dataset = turned
    with pytest.raises(InputError, match=why):
        trainer.train()
    nameless = Trainer(**how | {"model": model(["LABEL_0", "LABEL_1"])}, eval_dataset=turned)
    assert nameless.evaluate()["eval_loss"] > 0


def test_the_class_trainer_looks_at_the_labels_it_uses(tmp_path):
    "Names of a column that is left aside do not matter, nor do rows without names."
    rows = tokenize_dataset(SAME, TOK)
    aside = rows.cast_column("labels", Value("int64")).add_column("label", TURNED["label"][:])
    aside = aside.cast_column("label", ClassLabel(names=["pos", "neg"]))
    how = {"model": model(), "args": TrainingArguments(tmp_path), "tokenizer": TOK}
    Trainer(**how, train_dataset=aside, eval_dataset=[rows[0]])


def test_check_finds_names_that_do_not_meet():
    def labels(data):
        return [p.level for p in check(model(), TOK, data).problems if p.kind == "labels"]

    assert labels(SAME) == []
    assert labels(TURNED) == ["note"]
    assert labels(tokenize_dataset(TURNED, TOK)) == ["stop"]
    assert labels(labelled(IDS, ["cold", "warm"])) == ["stop"]


def test_load_refuses_a_heads_own_labels_in_another_order(tmp_path):
    model().save_pretrained(tmp_path)
    TOK.save_pretrained(tmp_path)
    with pytest.raises(InputError, match=r"own in another order: it counts \['neg', 'pos'\]"):
        load(tmp_path, labels=["pos", "neg"])
    assert load(tmp_path, labels=["cold", "warm"])[0].config.id2label == {0: "cold", 1: "warm"}


def test_load_data_brings_splits_into_one_order():
    words = pd.DataFrame({"text": SAME["text"][:], "label": [["neg", "pos"][y] for y in IDS]})
    for test in (TURNED, words):
        data = load_data({"train": SAME, "test": test})
        assert data["test"]["label"] == IDS
        assert data["test"].features["label"].names == ["neg", "pos"]
    assert load_data(DatasetDict(train=SAME, test=TURNED))["test"]["label"] == IDS
    with pytest.raises(InputError, match="the data of test has the labels cold, warm"):
        load_data({"train": SAME, "test": labelled(IDS, ["cold", "warm"])})


# One reader of labels


@pytest.mark.parametrize("hot", [[1, 0, 1], [1.0, 0.0, 1.0], [True, False, True]])
def test_zeros_and_ones_are_not_ids(hot):
    rows = {"text": TEXTS[:4], "label": [hot, [hot[1]] * 3] * 2}
    ds = Dataset.from_dict(rows)
    assert kind_of(ds) == "labels"
    net = model(["a", "b", "c"])
    assert encode(ds, TOK, net)["labels"][:2] == [[1.0, 0.0, 1.0], [0.0, 0.0, 0.0]]
    data = load_data(pd.DataFrame(rows), test_share=0)["train"]
    assert data.features["label"].feature.names == ["0", "1", "2"]
    assert data["label"][:2] == [[0, 2], []]


def test_lists_of_ids_stay_ids():
    ds = Dataset.from_dict({"text": TEXTS[:3], "label": [[0, 2], [1], []]})
    assert encode(ds, TOK, model(["a", "b", "c"]))["labels"][0] == [1.0, 0.0, 1.0]
    with pytest.raises(InputError, match="rows of 4 zeros and ones, and the model has 3"):
        hot = Dataset.from_dict({"text": TEXTS[:1], "label": [[1, 0, 1, 1]]})
        encode(hot, TOK, model(["a", "b", "c"]))
    soft = Dataset.from_dict({"text": TEXTS[:1], "label": [[0.3, 0.7]]})
    with pytest.raises(InputError, match="row 0 .* of train holds 0.3"):
        encode(soft, TOK, model(["a", "b"]))


def test_a_column_of_zeros_keeps_its_place():
    table = pd.DataFrame(
        {"text": TEXTS[:4], "toxic": [1, 0] * 2, "insult": 0, "threat": [0, 1] * 2}
    )
    data = load_data(table, label=["toxic", "insult", "threat"], test_share=0)["train"]
    assert data.features["label"].feature.names == ["toxic", "insult", "threat"]
    assert data["label"][:2] == [[0], [2]]


@pytest.mark.parametrize(
    "labels, why",
    [
        (["a", None], "row 1 .* has no label"),
        (["a", ""], "row 1 .* has an empty label"),
        ([0, math.nan], "row 1 .* has no label"),
        (torch.tensor([0.5, 1.5]), "the label of text 0 is a float"),
        ([["a"], ["b"]], "the label of text 0 is a list"),
        (["a", 1], "mixes str"),
        ([b"a", b"b"], "row 0 .* has bytes"),
    ],
)
def test_few_shot_reads_labels_as_load_data_does(labels, why):
    with pytest.raises(InputError, match=why):
        few_shot(["one text", "another text"], labels)


def test_missing_labels_and_truth_values_in_data_that_was_not_loaded_here():
    truth = Dataset.from_dict({"text": TEXTS[:2], "label": [True, False]})
    assert encode(truth, TOK, model())["labels"] == [1, 0]
    for label, dtype in (([0, None], "int64"), ([0.5, None], "float32")):
        features = Features(text=Value("string"), label=Value(dtype))
        ds = Dataset.from_dict({"text": TEXTS[:2], "label": label}, features)
        with pytest.raises(InputError, match="row 1 .* of train has no label"):
            encode(ds, TOK, model())


# Both texts of a pair


def test_the_second_text_is_never_dropped(pipe):
    pairs = SAME.add_column("text_pair", TEXTS[8:16])
    encoded = TOK(SAME["text"][:], TEXTS[8:16], truncation=True)["input_ids"]
    assert tokenize_dataset(pairs, TOK)["input_ids"] == encoded
    items = [{"text": a, "text_pair": b} for a, b in zip(SAME["text"], TEXTS[8:16])]
    scores = pipe(items, return_all_scores=True)
    losses = [-math.log(row[y]["score"]) for row, y in zip(scores, IDS)]
    worst = top_losses(pipe, pairs, 3)
    assert [r["loss"] for r in worst] == pytest.approx(sorted(losses, reverse=True)[:3])
    assert worst[0]["text"] in list(zip(SAME["text"], TEXTS[8:16]))
    assert TEXTS[8][:10] in show_results(pipe, pairs)
    found = labelled(mostly_right(pipe, items), ["neg", "pos"], text_pair=TEXTS[8:16])
    assert calibrate(pipe, found) != calibrate(pipe, found.remove_columns("text_pair"))


@pytest.mark.parametrize("gone", ["", None])
@pytest.mark.parametrize("row", [0, 1])
def test_a_missing_second_text_is_named_by_its_row(gone, row, pipe):
    halves = [gone if i == row else "fine" for i in range(8)]
    pairs = SAME.add_column("text_pair", halves)
    for work in (
        lambda: encode(pairs, TOK, model()),
        lambda: tokenize_dataset(pairs, TOK),
        lambda: calibrate(pipe, pairs),
        lambda: top_losses(pipe, pairs),
        lambda: load_data(pd.DataFrame(pairs.to_dict())),
    ):
        with pytest.raises(InputError, match=f"row {row} .* has no text in column 'text_pair'"):
            work()


# Files and folders


def test_cells_keep_what_was_written(tmp_path):
    file = tmp_path / "a.csv"
    file.write_text("text,label\n" + "a text,None\nanother,NA\n" * 4)
    assert load_data(file, test_share=0)["train"].features["label"].names == ["NA", "None"]
    file.write_text("text,label\n" + "a text,012\nanother,007\n" * 4)
    assert load_data(file, test_share=0)["train"].features["label"].names == ["007", "012"]
    file.write_text("text,label\na b,0\nc d,NA\ne f,1\n")
    with pytest.raises(InputError, match="row 1 .* has no label"):
        load_data(file)
    lines = tmp_path / "a.jsonl"
    lines.write_text(
        "\n".join(json.dumps({"text": f"a {i}", "label": f"{i % 2}.5"}) for i in range(8))
    )
    assert load_data(lines, test_share=0)["train"].features["label"].names == ["0.5", "1.5"]


def test_an_encoding_can_be_named(tmp_path):
    file = tmp_path / "latin.csv"
    file.write_bytes("text,label\nnaïve,a\nfine,b\n".encode("latin-1"))
    with pytest.raises(InputError, match="encoding='latin-1'"):
        load_data(file)
    data = load_data(file, encoding="latin-1", test_share=0)["train"]
    assert data["text"] == ["naïve", "fine"]


@pytest.mark.parametrize("name", ["validation", "val", "dev"])
def test_folders_of_a_split_and_of_texts_without_labels(name, tmp_path, capsys):
    for part in ("train/neg", "train/pos", "train/unsup", f"{name}/neg", f"{name}/pos"):
        (tmp_path / part).mkdir(parents=True)
        (tmp_path / part / "0.txt").write_text(f"a text of {part}")
    data = tour_data(tmp_path)
    assert data["train"].features["label"].names == ["neg", "pos"]
    assert (len(data["train"]), len(data["test"])) == (2, 2)
    assert "1 of 3 texts in" in capsys.readouterr().err


@pytest.mark.parametrize("how", ["no column", "missing", "-1"])
def test_a_test_split_without_labels_is_left_out_with_a_line(how, capsys):
    table = pd.DataFrame({"text": TEXTS[:16], "label": ["a", "b"] * 8})
    test = {
        "no column": table[["text"]],
        "missing": table.assign(label=None),
        "-1": table.assign(label=-1),
    }[how]
    data = load_data({"train": table, "test": test})
    assert "the split 'test' has no labels" in capsys.readouterr().err
    assert len(data["train"]) + len(data["test"]) == 16


def test_columns_may_be_called_zero_and_not_twice():
    table = pd.DataFrame({0: [f"a b {i}" for i in range(10)], 1: ["x", "y"] * 5})
    assert load_data(table, text=0, label=1, test_share=0)["train"]["text"][0] == "a b 0"
    twice = pd.DataFrame([["a b", "c d", "x"]], columns=["text", "text", "label"])
    with pytest.raises(InputError, match="two columns are called 'text'"):
        load_data(twice)


def test_nothing_is_not_zero():
    for wrong, why in [({"alpha": 0}, "alpha=0"), ({"targets": []}, "targets is empty")]:
        with pytest.raises(InputError, match=why):
            add_lora(model(), **wrong)
    data = DatasetDict(train=SAME, test=SAME)
    with pytest.raises(InputError, match="patience is 0; it must be"):
        finetune(model(), TOK, data, "nowhere", patience=0, **QUIET)


# Every kind of data


def test_questions_without_an_answer_are_learnt_and_scored(tmp_path):
    contexts = [f"In {1800 + i} {t}" for i, t in enumerate(TEXTS)]
    answers = ["" if i % 2 else f"{1800 + i}" for i in range(24)]
    table = pd.DataFrame({"question": "Which year?", "context": contexts, "answers": answers})
    data = load_data(table)
    net = model(cls=BertForQuestionAnswering)
    rows = encode(data["train"], TOK, net)
    silent = [i for i, a in enumerate(data["train"]["answers"]) if not a["text"]]
    ends = [r["end_positions"] for r in rows if r["row"] in silent]
    assert ends and set(ends) == {0}
    scores = finetune(net, TOK, data, tmp_path, epochs=1, **QUIET).evaluations[-1]
    assert 0 <= scores["eval_exact_match"] <= 100
    missing = table.assign(answers=[None, *answers[1:]])
    with pytest.raises(InputError, match="row 0 .* has no answers"):
        load_data(missing)


def test_train_takes_what_load_data_takes_and_the_tour_says_what_it_does_not(tmp_path):
    model().save_pretrained(tmp_path / "body")
    TOK.save_pretrained(tmp_path / "body")
    numbers = pd.DataFrame({"text": TEXTS, "label": [i / 8 for i in range(24)]})
    how = {"model": str(tmp_path / "body"), "epochs": 1, "progress": False}
    metrics = train_any(numbers, tmp_path / "numbers", **how)
    assert {"mse", "pearsonr"} <= set(metrics["scores"])
    assert json.loads((tmp_path / "numbers" / "metrics.json").read_text()) == metrics
    with pytest.raises(InputError, match="the data holds numbers; train on it"):
        tour(data=numbers)


def test_several_labels_meet_by_name():
    feature = List(ClassLabel(names=["b", "a"]))
    features = Features(text=Value("string"), label=feature)
    ds = Dataset.from_dict({"text": TEXTS[:2], "label": [[0], [0, 1]]}, features)
    assert encode(ds, TOK, model(["a", "b", "c"]))["labels"] == [[0.0, 1.0, 0.0], [1.0, 1.0, 0.0]]
    assert np.array(ds["label"][0]).tolist() == [0]


@pytest.mark.parametrize("twin", ["Pos", "pos ", " pos", "ｐｏｓ"])
def test_classes_that_look_alike_are_named(twin, capsys):
    errors._warned.clear()
    texts = [f"text {i}" for i in range(20)]
    data = Dataset.from_dict({"text": texts, "label": ["pos", twin, "neg", "neg"] * 5})
    names = load_data(data)["train"].features["label"].names
    assert {"pos", twin, "neg"} == set(names)
    assert f"{twin!r}" in capsys.readouterr().err
    load_data(Dataset.from_dict({"text": texts, "label": ["pos", "neg"] * 10}))
    assert "alike" not in capsys.readouterr().err


def test_an_array_of_one_text_is_no_list_of_words():
    data = pd.DataFrame({"tokens": [["Ada", "saw"], np.array("Ada")], "tags": [["O", "B"]] * 2})
    with pytest.raises(InputError, match="row 1 .* has ndarray for tokens"):
        load_data(data)
