"The main job as a process: interrupted and resumed, on a file of one's own, and with bad input."

import json
import os
import re
import signal
import subprocess
import sys

import pytest

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
    said = ""
    while not re.search(r"\b[1-9]\d*/125\b", said):
        said += run.stderr.read(1)  # the bar has passed a step
    run.send_signal(signal.SIGINT)
    _, said = run.communicate(timeout=120)
    assert run.returncode == 130, said
    assert "run the same command again to resume" in said
    (checkpoint,) = (out / "checkpoints").glob("checkpoint-*")
    assert 0 < int(checkpoint.name.split("-")[1]) < 125
    other = start(*args, "--epochs", "2")
    _, said = other.communicate(timeout=120)
    assert other.returncode == 2 and "interrupted run with epochs=1.0" in said
    again = start(*args)
    told, said = again.communicate(timeout=300)
    assert again.returncode == 0, said
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
    told, said = run.communicate(timeout=120)
    assert run.returncode == 0, said
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
    _, said = run.communicate(timeout=60)
    assert run.returncode == 2 and why in said and "Traceback" not in said
    assert said.strip().splitlines()[-1].startswith("nlp-tour: ")


def test_an_output_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "out").write_text("a file, not a folder")
    run = start("--examples", "20", "--out", tmp_path / "out")
    _, said = run.communicate(timeout=60)
    assert run.returncode == 2 and "could not write" in said
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
