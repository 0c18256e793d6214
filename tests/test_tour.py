"The main job as a process: interrupted and resumed, on a file of one's own, and with bad input."

import json
import os
import re
import signal
import subprocess
import sys

import pandas as pd
import pytest

from nlp_tour.base.errors import InputError

ENV = os.environ | {"NLP_TOUR_OFFLINE": "1"}


def start(*args):
    return subprocess.Popen(
        [
            sys.executable,
            "-c",
            "from nlp_tour.app.cli import main; main()",
            "tour",
            *map(str, args),
        ],
        env=ENV,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_ctrl_c_leaves_a_checkpoint_and_the_same_command_goes_on(tmp_path):
    out, args = tmp_path / "report", ["--examples", "2000", "--out", tmp_path / "report"]
    run = start(*args)
    message = ""
    while not re.search(r"\b[1-9]\d*/125\b", message):
        message += run.stderr.read(1)  # the bar has passed a step
    run.send_signal(signal.SIGINT)
    _, message = run.communicate(timeout=120)
    assert run.returncode == 130, message
    assert "run the same command again to resume" in message
    (checkpoint,) = (out / "checkpoints").glob("checkpoint-*")
    assert 0 < int(checkpoint.name.split("-")[1]) < 125
    other = start(*args, "--epochs", "2")
    _, message = other.communicate(timeout=120)
    assert other.returncode == 2 and "interrupted run with epochs=1.0" in message
    again = start(*args)
    output, message = again.communicate(timeout=300)
    assert again.returncode == 0, message
    metrics = json.loads((out / "metrics.json").read_text())
    assert metrics["accuracy"] > metrics["majority"] and metrics["examples"] == 2000
    assert not (out / "checkpoints").exists() and (out / "report.html").exists()


def test_a_file_of_ones_own(tmp_path):
    rows = [
        f"{word} thing number {i},{label}"
        for i in range(20)
        for word, label in [("lovely", "praise"), ("awful", "blame")]
    ]
    (tmp_path / "mine.csv").write_text("review,category\n" + "\n".join(rows))
    run = start(
        "--data",
        tmp_path / "mine.csv",
        "--out",
        tmp_path / "out",
        "--text",
        "What a lovely thing",
        "--epochs",
        "2",
    )
    output, message = run.communicate(timeout=120)
    assert run.returncode == 0, message
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert (
        metrics["labels"] == ["blame", "praise"]
        and metrics["sentences"][-1]["text"] == "What a lovely thing"
    )


@pytest.mark.parametrize(
    "args, why",
    [
        (["--data", "missing.csv"], "there is no file"),
        (["--epochs", "0"], "must be more than 0"),
        (["--text", ""], "text is empty"),
        (["--model", "bert-base-casd"], "did you mean 'bert-base-cased'?"),
        (["--model", "./nowhere"], "there is no model folder"),
    ],
)
def test_bad_input_gets_one_sentence(args, why, tmp_path):
    run = start(*args, "--out", tmp_path / "out")
    _, message = run.communicate(timeout=60)
    assert run.returncode == 2 and why in message and "Traceback" not in message
    assert message.strip().splitlines()[-1].startswith("nlp-tour: ")


def test_an_output_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "out").write_text("a file, not a folder")
    run = start("--examples", "20", "--out", tmp_path / "out")
    _, message = run.communicate(timeout=60)
    assert run.returncode == 2 and "could not write" in message
    assert (tmp_path / "out").read_text() == "a file, not a folder"


def test_train_judges_both_texts_of_a_pair(tmp_path):
    from nlp_tour.app.tour import train

    rows = [
        f"thing number {i},{word} thing,{label}"
        for i in range(40)
        for word, label in [("a lovely", "praise"), ("an awful", "blame")]
    ]
    (tmp_path / "pairs.csv").write_text("premise,hypothesis,label\n" + "\n".join(rows))
    metrics = train(tmp_path / "pairs.csv", tmp_path / "out", epochs=3, progress=False)
    assert metrics["accuracy"] == 1.0


def test_the_tour_on_pairs(tmp_path):
    from nlp_tour.app.tour import tour

    rows = [f"one {i},two {i},{i % 2}" for i in range(40)]
    (tmp_path / "pairs.csv").write_text("premise,hypothesis,label\n" + "\n".join(rows))
    metrics = tour(tmp_path / "out", data=tmp_path / "pairs.csv", progress=False)
    assert metrics["padding"]["times_the_tokens_2021"] > 1
    assert (tmp_path / "out" / "report.html").exists()


# From Python, on whatever `load_data` takes


@pytest.fixture(scope="module")
def body(tmp_path_factory):
    "A tiny model with a head for other labels, as the start of a training."
    import test_training as tiny

    from nlp_tour.hub.saving import save

    return save(tmp_path_factory.mktemp("body") / "model", tiny.model(), tiny.TOK)


TEXTS = [f"{word} thing number {i}" for i in range(10) for word in ("a lovely", "an awful")]
KINDS = {
    "other columns": {"said": TEXTS, "topic": ["praise", "blame"] * 10},
    "pairs": {"premise": TEXTS, "hypothesis": TEXTS[::-1], "label": [0, 1] * 10},
    "several labels": {"text": TEXTS, "label": [["a"], ["a", "b"]] * 10},
    "multi-hot": {"text": TEXTS, "label": [[1, 0, 1], [0, 1, 0]] * 10},
    "numbers": {"text": TEXTS, "label": [i / 8 for i in range(20)]},
    "tags": {"tokens": [t.split() for t in TEXTS], "tags": [["B-X", *"OOOO"]] * 20},
    "answers": {"question": ["Which?"] * 20, "context": TEXTS, "answers": [t[:4] for t in TEXTS]},
}
SCORES = {"several labels": "f1", "multi-hot": "f1", "numbers": "mse", "tags": "overall_f1"}
SCORES |= {"answers": "exact_match"}


@pytest.mark.parametrize("kind", KINDS)
def test_train_from_python_takes_every_kind_of_data(kind, body, tmp_path):
    from nlp_tour.app.tour import train

    how = {"model": body, "epochs": 1, "progress": False}
    metrics = train(pd.DataFrame(KINDS[kind]), tmp_path, **how)
    assert json.loads((tmp_path / "metrics.json").read_text()) == json.loads(json.dumps(metrics))
    assert metrics["examples"] + metrics["test_examples"] == 20
    scores = metrics["scores"] if kind in SCORES else metrics
    assert 0 <= scores[SCORES.get(kind, "accuracy")] <= 100
    assert (tmp_path / "config.json").exists() and not (tmp_path / "checkpoints").exists()


@pytest.mark.parametrize("kind", KINDS)
def test_the_tour_from_python_reports_or_leads_on(kind, body, tmp_path):
    from nlp_tour.app.tour import tour

    how = {"model": body, "progress": False}
    if kind in SCORES:
        with pytest.raises(InputError, match="reports on one label a text.*nlp-tour train FILE"):
            tour(tmp_path / "out", data=pd.DataFrame(KINDS[kind]), **how)
        assert not (tmp_path / "out").exists()
        return
    metrics = tour(tmp_path / "out", data=pd.DataFrame(KINDS[kind]), **how)
    assert 0 <= metrics["accuracy"] <= 1 and (tmp_path / "out" / "report.html").exists()


ROWS = pd.DataFrame({"text": TEXTS, "label": ["praise", "blame"] * 10})
WRONG = {
    "no labels": (ROWS[["text"]], "which column holds the label?"),
    "all labels missing": (ROWS.assign(label=None), "has no label in column 'label'"),
    "one label": (ROWS.assign(label="praise"), "holds one label only"),
    "no text": (ROWS[["label"]], "which column holds the text?"),
    "an empty text": (ROWS.assign(text=["", *TEXTS[1:]]), "row 0 .* has no text"),
    "mixed labels": (ROWS.assign(label=["a", 1] * 10), "mixes"),
    "no rows": (ROWS[:0], "has no rows"),
    "no split to test on": ({"train": ROWS, "mine": ROWS}, "no validation or test split with rows"),
    "two validation splits": ({"train": ROWS, "val": ROWS, "dev": ROWS}, "'val' and 'dev' are"),
    "tags of other lengths": (
        pd.DataFrame({"tokens": [["a", "b"]] * 9, "tags": [["O"], ["B"], ["B"]] * 3}),
        "2 tokens and 1 tags",
    ),
    "a number": (3, "int is no source of texts"),
    "a list": (TEXTS, "list is no source of texts"),
    "nothing": ({}, "an empty dict"),
}


@pytest.mark.parametrize("run", ["tour", "train"])
@pytest.mark.parametrize("what", WRONG)
def test_bad_data_from_python_is_one_sentence_and_leaves_nothing(what, run, body, tmp_path):
    import nlp_tour.app.tour as room

    data, why = WRONG[what]
    with pytest.raises(InputError, match=why):
        getattr(room, run)(data=data, out=tmp_path / "out", model=body, progress=False)
    assert not (tmp_path / "out").exists()


WRONG_SIZES = [{"examples": 1}, {"examples": 2.5}, {"examples": "all"}, {"seed": -1}]
WRONG_SIZES += [{"seed": "a"}, {"epochs": 0}, {"epochs": "two"}, {"epochs": float("nan")}]


@pytest.mark.parametrize("wrong", WRONG_SIZES, ids=str)
@pytest.mark.parametrize("run", ["tour", "train"])
def test_bad_sizes_from_python_are_one_sentence(wrong, run, body, tmp_path):
    import nlp_tour.app.tour as room

    with pytest.raises(InputError, match=" is .*; it must be "):
        getattr(room, run)(data=ROWS, out=tmp_path / "out", model=body, **wrong)


def test_a_saved_model_keeps_the_order_of_its_labels(body, tmp_path):
    from nlp_tour.app.tour import tour, train
    from nlp_tour.hub.loading import load
    from nlp_tour.hub.saving import save

    model, tok = load(body, labels=["praise", "blame"])
    save(tmp_path / "saved", model, tok)
    how = {"model": str(tmp_path / "saved"), "epochs": 1, "progress": False}
    assert train(ROWS, tmp_path / "a", **how)["labels"] == ["praise", "blame"]
    assert tour(tmp_path / "b", data=ROWS, **how)["labels"] == ["praise", "blame"]


@pytest.mark.parametrize("name", ["validation", "valid", "val", "dev", "eval", "Test"])
def test_a_split_is_known_by_all_its_names(name, body, tmp_path):
    from datasets import Dataset, DatasetDict

    from nlp_tour.app.tour import train
    from nlp_tour.beyond.sweep import lr_sweep
    from nlp_tour.data.datasets import duplicates, load_data
    from nlp_tour.hub.loading import load
    from nlp_tour.trainer import finetune

    parts = {"train": ROWS[:12], name: ROWS[12:]}
    data = DatasetDict({k: Dataset.from_pandas(v, preserve_index=False) for k, v in parts.items()})
    loaded = load_data(data)
    assert [*loaded] == ["train", "test" if name in ("eval", "Test") else "validation"]
    assert len(loaded["train"]) == 12
    metrics = train(data, tmp_path / "a", model=body, epochs=1, progress=False)
    assert (metrics["examples"], metrics["test_examples"]) == (12, 8)
    raw = DatasetDict({"train": loaded["train"], name: loaded["train"]})
    assert duplicates(raw)[0]["rows"] == 12
    how = {"epochs": 1, "progress": False, "precision": "fp32"}
    model, tok = load(body, labels=["blame", "praise"])
    assert finetune(model, tok, raw, tmp_path / "b", **how).evaluations
    assert len(lr_sweep(raw, body, [1e-3], seeds=1, **how)) == 1
