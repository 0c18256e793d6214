"""What must hold on every system, and what Windows lacks, pretended here: no `fcntl`, folders that
cannot be opened, a console with a code page of 256 letters, processes that are not forked."""

import io
import multiprocessing
import os
import re
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

import pytest

from nlp_tour.base import locks
from nlp_tour.base.errors import InputError
from nlp_tour.base.folders import atomic_folder, read_whole
from nlp_tour.inference.files import map_file
from nlp_tour.pipeline import pipeline

root = Path(__file__).resolve().parent.parent


def python(*args, **env):
    "What a Python process did, without the network."
    ran = subprocess.run(
        [sys.executable, *args],
        env=os.environ | {"NLP_TOUR_OFFLINE": "1"} | env,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=600,
    )
    return ran


def test_the_lines_of_readme_run(tmp_path):
    readme = (root / "README.md").read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"```python\n(.*?)```", readme, re.S)).split("\ntest = ")[0]
    assert "pipeline(" in code and len(code.splitlines()) >= 10
    (tmp_path / "lines.py").write_text(code, encoding="utf-8")
    ran = python(str(tmp_path / "lines.py"), PYTHONUTF8="1")
    assert ran.returncode == 0, ran.stderr
    assert "label: POSITIVE" in ran.stdout


@pytest.mark.parametrize(
    "args", [["predict"], ["predict", "--format", "table"], ["steps"]], ids=str
)
def test_the_command_line_writes_to_a_console_with_a_code_page(args):
    ran = python(
        "-m", "nlp_tour.app.cli", *args, "Ω 😀 A quiet triumph.", PYTHONIOENCODING="cp1252"
    )
    assert ran.returncode == 0, ran.stderr
    assert "POSITIVE" in ran.stdout and "Traceback" not in ran.stderr


def test_a_diff_with_letters_that_the_console_lacks(tmp_path):
    old = tmp_path / "old.py"
    old.write_text("from transformers import AdamW  # Ω 😀\n", encoding="utf-8")
    ran = python("-m", "nlp_tour.app.cli", "migrate", str(old), PYTHONIOENCODING="cp1252")
    assert ran.returncode == 1, ran.stderr
    assert "AdamW  # ? ?" in ran.stdout


@pytest.fixture
def windows(monkeypatch):
    "No `fcntl`, and `os.open` refuses folders."
    monkeypatch.setitem(sys.modules, "fcntl", None)

    def refuse(path, *args, **kwargs):
        if os.path.isdir(path):
            raise PermissionError(13, "Permission denied", str(path))
        return os.open(path, *args, **kwargs)

    monkeypatch.setattr(locks, "os", SimpleNamespace(**vars(os) | {"open": refuse}))


def test_one_writer_at_a_time_without_fcntl(windows, tmp_path):
    order = []

    def write(name):
        with locks.locked_folder(tmp_path.resolve()):
            order.append(name)
            order.append(name)

    with locks.locked_folder(tmp_path.resolve()):
        second = threading.Thread(target=write, args=["second"])
        second.start()
        second.join(0.2)
        assert second.is_alive() and order == []
        order.append("first")
    second.join(10)
    assert order == ["first", "second", "second"]


def test_a_folder_is_replaced_whole_without_fcntl(windows, tmp_path):
    folder = tmp_path / "model"
    for text in ("one", "two"):
        with atomic_folder(folder) as part:
            (part / "a").write_text(text, encoding="utf-8")
        assert read_whole(folder, lambda: (folder / "a").read_text(encoding="utf-8")) == text
    with pytest.raises(InputError), atomic_folder(folder) as part:
        (part / "a").write_text("three", encoding="utf-8")
        raise OSError(28, "No space left on device")
    assert (folder / "a").read_text(encoding="utf-8") == "two"


def test_a_file_is_scored_without_fcntl(windows, tmp_path):
    "Without file locks, one warning says so and the work is done."
    texts = tmp_path / "texts.csv"
    texts.write_text("text\nA quiet triumph.\nTedious and loud.\n", encoding="utf-8")
    heard = io.StringIO()
    with pipeline("sentiment-analysis", progress=False) as pipe, patch.object(sys, "stderr", heard):
        map_file(pipe, texts, tmp_path / "out")
    assert list((tmp_path / "out").glob("*.parquet"))


def classify(text):
    "Run in a process that began with nothing."
    with pipeline("sentiment-analysis", progress=False) as pipe:
        return pipe(text)[0]["label"]


def test_a_process_that_is_spawned_gives_the_same_answer():
    texts = ["A quiet triumph.", "Tedious and loud."]
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.map(classify, texts) == ["POSITIVE", "NEGATIVE"]
