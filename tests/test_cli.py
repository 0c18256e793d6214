"The commands that hand on to another module; skipped only where that module is missing."

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


def needs(module):
    return pytest.mark.skipif(
        importlib.util.find_spec(f"nlp_tour.{module}") is None,
        reason=f"there is no nlp_tour.{module}",
    )


def command(*args):
    return subprocess.run(
        [sys.executable, "-m", "nlp_tour.app.cli", *map(str, args)],
        env=os.environ | {"NLP_TOUR_OFFLINE": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )


@needs("check")
def test_check_says_what_it_finds_by_its_exit_code(tiny_classifier):
    run = command("check", tiny_classifier)
    assert run.returncode in (0, 1) and run.stdout and "Traceback" not in run.stderr, run.stderr


@pytest.mark.parametrize(
    "args", [["predict", "Fine."], ["steps", "Fine."], ["check"]], ids=lambda a: a[0]
)
def test_a_closed_pipe_is_141_for_every_command(args, tiny_classifier):
    read, write = os.pipe()
    os.close(read)
    words = [
        *args[:1],
        *(["--model", tiny_classifier] if args[1:] else [tiny_classifier]),
        *args[1:],
    ]
    try:
        run = subprocess.run(
            [sys.executable, "-m", "nlp_tour.app.cli", *map(str, words)],
            env=os.environ | {"NLP_TOUR_OFFLINE": "1"},
            stdout=write,
            stderr=subprocess.PIPE,
            text=True,
            timeout=120,
        )
    finally:
        os.close(write)
    assert (run.returncode, run.stderr) == (141, "")


def test_bars_are_for_a_terminal_and_data_that_are_sound_are_found_sound(tiny_classifier, tmp_path):
    (tmp_path / "mine.csv").write_text("text,label\nA quiet film.,NEGATIVE\nLoud!,POSITIVE\n")
    run = command("check", tiny_classifier, "--data", tmp_path / "mine.csv")
    assert (run.returncode, run.stdout, run.stderr) == (0, "nothing found\n", "")


@pytest.mark.parametrize(
    "args, why",
    [
        (["a.csv", "b.csv"], "'a.csv' is one of 2 arguments"),
        (["Fine.", "a.csv"], "one of 2 arguments"),
        (["Fine.", "-"], "'-' is one of 2"),
        (["./folder"], "is a folder or a device"),
        (["Fine.", "folder"], "is a folder or a device"),
        (["my file.csv"], "there is no file"),
        (["*.txt"], "there is no file"),
        (["Fine.", "-o", "x.json"], "must end in .jsonl, .csv or .parquet."),
        (["a.csv", "-o", "x.json"], "or be a folder"),
        (["Fine.", "-o", "b.csv"], "exists; delete it"),
        (
            ["Fine.", "-o", "nowhere/x.csv"],
            "could not write nowhere/x.csv: No such file or directory; "
            "the previous files are untouched.",
        ),
        (["Fine.", "-f", "csv", "-o", "x.jsonl"], "does not go with"),
        (["Fine.", "--bad", "null"], "--bad is for a file"),
        (["Fine.", "--encoding", "latin-1"], "--encoding is for"),
        (["a.csv", "--input-format", "tsv"], "for standard input"),
        (["a.csv", "-c", "id"], "--bad null"),
        (["a.csv", "-c", "id", "-c", "text"], "does not go with the others"),
        (["-c", "x=y", "a.csv"], "there is no column 'y'"),
        (["latin.csv", "-c", "text"], "--encoding latin-1"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_meant_is_one_sentence(args, why, tiny_classifier, tmp_path):
    (tmp_path / "a.csv").write_text("id,text\n,Fine.\n")
    (tmp_path / "b.csv").write_text("kept")
    (tmp_path / "latin.csv").write_bytes("text\nCafé.\n".encode("latin-1"))
    (tmp_path / "folder").mkdir()
    before = sorted(p.name for p in tmp_path.iterdir())
    code, out, message = within(tmp_path, "predict", "--model", tiny_classifier, *args)
    assert (
        code == 2
        and not out
        and message.startswith("nlp-tour: ")
        and why in message
        and len(message.splitlines()) == 1
    ), message
    assert (
        sorted(p.name for p in tmp_path.iterdir()) == before
        and (tmp_path / "b.csv").read_text() == "kept"
    )


def within(folder, *args):
    "Run a command in this process, in a folder; its exit code and its messages."
    import contextlib
    import io
    import unittest.mock

    from nlp_tour.app.cli import main

    out, message, code = io.TextIOWrapper(io.BytesIO(), write_through=True), io.StringIO(), 0
    with (
        contextlib.chdir(folder),
        unittest.mock.patch.object(sys, "argv", ["nlp-tour", *map(str, args)]),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(message),
    ):
        try:
            main()
        except SystemExit as e:
            code = e.code or 0
    return code, out.buffer.getvalue().decode(), message.getvalue()


def test_a_world_size_that_is_no_number_is_one_sentence(tiny_classifier, tmp_path, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "abc")
    code, _, message = within(tmp_path, "predict", "Fine.", "--model", tiny_classifier)
    assert code == 2 and "must be whole numbers" in message


def test_a_question_and_its_context_come_from_two_columns(tmp_path):
    import json

    import tiny_encoders as tiny
    from transformers import BertForQuestionAnswering

    rust = tiny.wordpiece()
    tiny.fill(BertForQuestionAnswering(tiny.config("bert", rust.get_vocab_size()))).save_pretrained(
        tmp_path / "model"
    )
    tiny.wrap(rust, types=True).save_pretrained(tmp_path / "model")
    (tmp_path / "a.csv").write_text(
        "q,c\nWho is quiet?,The film is quiet.\nWho is loud?,The other is loud.\n"
    )
    how = [
        "predict",
        "a.csv",
        "--task",
        "question-answering",
        "--model",
        "model",
        "--column",
        "question=q",
        "--column",
        "context=c",
    ]
    code, out, message = within(tmp_path, *how)
    rows = [json.loads(line) for line in out.splitlines()]
    assert (
        code == 0
        and [r["q"] for r in rows] == ["Who is quiet?", "Who is loud?"]
        and all(r["answer"] in r["c"] for r in rows)
    ), message
    assert within(tmp_path, *how, "-o", "scored.jsonl")[0] == 0
    assert [
        json.loads(line)["answer"] for line in (tmp_path / "scored.jsonl").read_text().splitlines()
    ] == [r["answer"] for r in rows]


@needs("migrate")
def test_migrate_shows_and_then_writes(tmp_path):
    old = tmp_path / "train.py"
    old.write_text(
        "from transformers import AdamW, TrainingArguments\n"
        "args = TrainingArguments('out', evaluation_strategy='epoch')\n"
    )
    run = command("migrate", old)
    assert (
        run.returncode == 1
        and run.stdout.startswith("---")
        and "evaluation_strategy" in old.read_text()
    ), run.stderr
    assert (
        command("migrate", old, "--write").returncode == 0
        and "evaluation_strategy='epoch'" not in old.read_text()
    )
    old.write_text("from transformers import *\n")
    for words in ((), ("--write",)):
        run = command("migrate", old, *words)
        assert (
            run.returncode == 1
            and "train.py, line 1: `from transformers import *` is left unchanged" in run.stdout
        ), run.stderr


def tab(home, *words):
    "What bash offers after the last of `words`, with the completion that was installed in `home`."
    script = (
        f"source ~/.bashrc; COMP_WORDS=({' '.join(words[:-1])} '{words[-1]}'); "
        f"COMP_CWORD={len(words) - 1}; "
        f"$(complete -p nlp-tour | sed 's/.*-F \\([^ ]*\\).*/\\1/') nlp-tour; "
        f"echo ${{COMPREPLY[@]}}"
    )
    return subprocess.run(
        ["bash", "-c", script],
        env=at_home(home),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout.split()


def at_home(home):
    return os.environ | {
        "HOME": str(home),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "NLP_TOUR_OFFLINE": "1",
    }


@pytest.mark.skipif(not shutil.which("bash"), reason="there is no bash")
def test_the_tab_key_works_in_bash_after_the_command_installed_it(tmp_path):
    run = subprocess.run(
        ["bash", "-c", "nlp-tour --install-completion; exit $?"],
        env=at_home(tmp_path),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert run.returncode == 0 and "bash completion installed" in run.stdout, (
        run.stdout + run.stderr
    )
    assert tab(tmp_path, "nlp-tour", "pre") == ["predict"]
    assert tab(tmp_path, "nlp-tour", "predict", "--mo") == ["--model"]
    assert tab(tmp_path, "nlp-tour", "predict", "--task", "question") == ["question-answering"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_the_completion_is_shown_for_every_shell(shell):
    env = os.environ | {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    run = subprocess.run(
        [Path(sys.executable).parent / "nlp-tour", "--show-completion", shell],
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert run.returncode == 0 and "_NLP_TOUR_COMPLETE" in run.stdout and shell in run.stdout, (
        run.stderr
    )


@pytest.mark.parametrize("words", [["predict", "-"], ["predict"]], ids=" ".join)
def test_a_closed_standard_input_is_one_sentence(words, tiny_classifier):
    args = [sys.executable, "-m", "nlp_tour.app.cli", *words, "--model", str(tiny_classifier)]
    env = os.environ | {"NLP_TOUR_OFFLINE": "1"}
    shell = ["bash", "-c", 'exec "$@" <&-', "bash", *args]
    run = subprocess.run(shell, env=env, capture_output=True, text=True, timeout=120)
    assert run.returncode == 2 and "standard input is closed" in run.stderr, run.stderr


@pytest.mark.parametrize("task", ["text-generation", "conversational"])
@pytest.mark.parametrize("ending", [None, ".json", ".svg", ".html"])
def test_steps_of_a_model_that_writes(tmp_path, task, ending):
    import tiny
    from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

    names = {"eos_token": "</s>", "pad_token": "<pad>"}
    tok = PreTrainedTokenizerFast(tokenizer_object=tiny.bpe(), **names)
    sizes = {"n_embd": 16, "n_layer": 1, "n_head": 2, "n_positions": 64}
    config = GPT2Config(vocab_size=len(tok), bos_token_id=1, eos_token_id=1, **sizes)
    tiny.fill(GPT2LMHeadModel(config)).save_pretrained(tmp_path)
    tok.save_pretrained(tmp_path)
    out = ["--out", tmp_path / f"steps{ending}"] if ending else []
    run = command("steps", "The film is", "-t", task, "-m", tmp_path, *out)
    assert run.returncode == 0, run.stderr
    if ending:
        assert (tmp_path / f"steps{ending}").stat().st_size > 300
    else:
        assert "Ġfilm" in run.stdout


@pytest.mark.parametrize("ending", ["txt", "csv", "tsv"])
def test_a_blank_line_is_answered_null(tiny_classifier, tmp_path, ending):
    "Also in a table of one column, where a blank line is a blank cell."
    import json

    head = "" if ending == "txt" else "text\n"
    file = tmp_path / f"in.{ending}"
    file.write_text(f"{head}good\n\nbad\n")
    run = command("predict", file, "--model", tiny_classifier, "--bad", "null")
    rows = [json.loads(line) for line in run.stdout.splitlines()]
    assert [row["text"] for row in rows] == ["good", "", "bad"]
    assert [row["label"] is None for row in rows] == [False, True, False]
    run = command("predict", file, "--model", tiny_classifier)
    assert run.returncode == 2 and "row 1 (the first is 0)" in run.stderr, run.stderr


def test_thousands_of_columns_take_no_time_of_their_own():
    import time

    import pyarrow as pa

    from nlp_tour.inference.writers import rows_of

    table = pa.table({f"c{i}": ["x"] for i in range(4000)})
    start = time.process_time()
    assert len(rows_of(table)[0]) == 4000
    assert time.process_time() - start < 1
