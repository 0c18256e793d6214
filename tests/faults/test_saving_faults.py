"Saving and training while everything goes wrong: the disk holds the old or the new, never a mix."

import functools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import killing
import pytest
import torch

from nlp_tour.base import locks
from nlp_tour.base.errors import InputError
from nlp_tour.base.folders import atomic_folder, finish_atomic
from nlp_tour.hub.loading import load
from nlp_tour.hub.saving import save

pytestmark = pytest.mark.usefixtures("one_thread")
ENV = os.environ | {"NLP_TOUR_OFFLINE": "1", "OMP_NUM_THREADS": "1"}


def state(folder):
    "A weight, a label, and the tokenizer's longest input in a folder; they belong together."
    model, tok = load(folder)
    return round(model.classifier.bias[0].item()), model.config.id2label[0], tok.model_max_length


def test_a_save_that_is_killed_leaves_the_old_or_the_new_and_never_both(tiny_classifier, tmp_path):
    model, tok = load(tiny_classifier)

    def version(n):
        with torch.no_grad():
            model.classifier.bias[0] = n
        model.config.id2label = {0: f"L{n}", 1: "other"}
        model.config.label2id = {f"L{n}": 0, "other": 1}
        tok.model_max_length = 40 + n
        return model, tok

    save(tmp_path / "old", *version(1))
    seen, new = [], version(2)
    for n in range(1, 1000):
        folder = tmp_path / str(n) / "model"
        shutil.copytree(tmp_path / "old", folder)
        if not killing.at(n, folder.parent, functools.partial(save, folder, *new)):
            break
        seen.append(state(folder))
    died = n - 1
    old, new = (1, "L1", 41), (2, "L2", 42)
    assert died > 10 and set(seen) == {old, new}, seen
    print(f"killed at {died} steps; {seen.count(old)} times the old, {seen.count(new)} the new")


def lora(folder, value):
    "A LoRA model and its tokenizer, on the model in a folder."
    from nlp_tour.beyond.lora import add_lora

    model, tok = load(folder)
    model = add_lora(model)
    with torch.no_grad():
        for name, w in model.named_parameters():
            if "lora_" in name:
                w.fill_(value)
    return model, tok


@pytest.mark.parametrize("first", ["an adapter", "a whole model"])
def test_an_adapter_and_a_whole_model_in_each_others_place(tiny_classifier, tmp_path, first):
    "Killed at every step, also while the old weights go: one of the two opens, never a third."
    whole, adapter = load(tiny_classifier), lora(tiny_classifier, 0.1)
    with torch.no_grad():
        whole[0].classifier.bias[0] = 9.0
    versions = [adapter, whole] if first == "an adapter" else [whole, adapter]
    save(tmp_path / "old", *versions[0])
    save(tmp_path / "new", *versions[1])

    def digest(folder):
        model, tok = load(folder)
        with torch.no_grad():
            return model(**tok("A quiet film.", return_tensors="pt")).logits.tolist()

    expected = [digest(tmp_path / name) for name in ("old", "new")]
    assert expected[0] != expected[1]
    seen = set()
    for n in range(1, 1000):
        folder = tmp_path / str(n) / "model"
        shutil.copytree(tmp_path / "old", folder)
        if not killing.at(n, folder.parent, functools.partial(save, folder, *versions[1])):
            break
        seen.add(expected.index(digest(folder)))
    assert n > 10 and seen == {0, 1}


def test_a_killed_save_is_finished_through_a_link_and_as_a_dot(tiny_classifier, tmp_path):
    model, tok = load(tiny_classifier)
    save(tmp_path / "old", model, tok)
    with torch.no_grad():
        model.classifier.bias[0] = 2
    tok.model_max_length = 42
    model.config.id2label = {0: "L2", 1: "other"}
    old, seen = state(tmp_path / "old"), []
    for n in range(1, 1000):
        folder, link = tmp_path / str(n) / "model", tmp_path / str(n) / "link"
        shutil.copytree(tmp_path / "old", folder)
        link.symlink_to(folder)
        if not killing.at(n, folder.parent, functools.partial(save, link, model, tok)):
            break
        here = os.getcwd()
        os.chdir(folder)
        try:
            seen.append(state("." if n % 2 else link))
        finally:
            os.chdir(here)
        assert link.is_symlink() and state(folder) == seen[-1]
    assert set(seen) == {old, (2, "L2", 42)}


def test_a_folder_may_be_called_dot(tiny_classifier, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save(".", *load(tiny_classifier))
    save(".", *load("."))
    assert load(tmp_path)


def test_a_folder_that_is_a_device_of_its_own(tmp_path, monkeypatch):
    "Nothing is renamed across the border of a mount point."
    folder, real = tmp_path / "mounted", os.replace
    folder.mkdir()
    (folder / "a.txt").write_text("old")

    def replace(old, new):
        if Path(old).is_relative_to(folder) != Path(new).is_relative_to(folder):
            raise OSError(18, "Invalid cross-device link")
        real(old, new)

    monkeypatch.setattr(os, "replace", replace)
    with atomic_folder(folder) as part:
        (part / "a.txt").write_text("new")
    assert (folder / "a.txt").read_text() == "new"


def test_a_save_that_the_disk_lost_is_passed_over(tmp_path, capsys):
    "After a power cut: the rename reached the disk, the bytes did not."
    folder = tmp_path / "out"
    (folder / ".saving").mkdir(parents=True)
    (folder / "a.txt").write_text("old")
    (folder / ".saving" / "a.txt").write_text("")
    listed = {"files": {"a.txt": "0" * 64}, "gone": []}
    (folder / ".saving" / ".files.json").write_text(json.dumps(listed))
    assert (finish_atomic(folder) / "a.txt").read_text() == "old"
    assert "did not fully reach the disk" in capsys.readouterr().err


ROUNDS = int(os.environ.get("NLP_TOUR_ROUNDS", 12))
WRITER = """
import sys, torch
from nlp_tour.hub.loading import load
from nlp_tour.hub.saving import save

folder, rounds = sys.argv[1], int(sys.argv[2])
model, tok = load(folder)
for n in range(1, rounds + 1):
    with torch.no_grad():
        model.classifier.bias[0] = n
    model.config.id2label = {0: f"L{n}", 1: "other"}
    tok.model_max_length = 40 + n % 20
    save(folder, model, tok)
"""


def test_a_writer_and_four_readers_at_once(tiny_classifier, tmp_path):
    "`NLP_TOUR_ROUNDS=1000` for a long one."
    folder = tmp_path / "model"
    model, tok = load(tiny_classifier)
    with torch.no_grad():
        model.classifier.bias[0] = 0
    model.config.id2label = {0: "L0", 1: "other"}
    tok.model_max_length = 40
    save(folder, model, tok)

    def read(done):
        from nlp_tour.pipeline import pipeline

        rounds = 0
        while not done.exists():
            n, label, longest = state(folder)
            assert (label, longest) == (f"L{n}", 40 + n % 20), (n, label, longest)
            pipe = pipeline("text-classification", model=str(folder))
            n = int(pipe.task.labels[0][1:])
            assert pipe.task.tok.max_length == 40 + n % 20
            rounds += 1
        assert rounds > 3

    children = []
    for _ in range(4):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                read(tmp_path / "done")
                code = 0
            except BaseException as e:
                print(type(e).__name__, str(e)[:300], file=sys.stderr)
            finally:
                os._exit(code)
        children.append(child)
    try:
        command = [sys.executable, "-c", WRITER, str(folder), str(ROUNDS)]
        run = subprocess.run(command, env=ENV, text=True, capture_output=True)
    finally:
        (tmp_path / "done").touch()
        ended = [os.waitpid(child, 0)[1] for child in children]
    assert run.returncode == 0, run.stderr[-500:]
    assert ended == [0] * 4
    assert state(folder) == (ROUNDS, f"L{ROUNDS}", 40 + ROUNDS % 20)


@pytest.mark.parametrize("lock", ["on the folder", "in a file"])
def test_two_writers_at_once_lose_no_save(tmp_path, monkeypatch, lock):
    "Each save is whole, and the last one stands."
    if lock == "in a file":
        monkeypatch.setattr(locks, "_try_folder", locks._try_file_in)
    folder = tmp_path / "out"
    with atomic_folder(folder) as part:
        (part / "0.txt").write_text("0")
    children = []
    for k in range(3):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                for n in range(30):
                    with atomic_folder(folder) as part:
                        (part / "both.txt").write_text(f"{k} {n}")
                        (part / "too.txt").write_text(f"{k} {n}")
                        (part / f"{k}-{n}.txt").write_text("")
                code = 0
            finally:
                os._exit(code)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 3
    assert len(list(folder.glob("*-*.txt"))) == 90
    assert (folder / "both.txt").read_text() == (folder / "too.txt").read_text()


def test_four_threads_load_at_once(tiny_classifier):
    from concurrent.futures import ThreadPoolExecutor

    import transformers

    level = transformers.logging.get_verbosity()
    with ThreadPoolExecutor(4) as pool:
        models = list(pool.map(lambda _: load(tiny_classifier)[0], range(12)))
    assert all(torch.isfinite(w).all() for model in models for w in model.parameters())
    assert transformers.logging.get_verbosity() == level


def test_a_link_inside_leads_no_file_out(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out" / "sub").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError, match="points outside"), atomic_folder(tmp_path / "out") as part:
        (part / "sub").mkdir()
        (part / "sub" / "x.json").write_text("{}")
    assert not list((tmp_path / "elsewhere").iterdir())
    (tmp_path / "elsewhere" / "a.txt").write_text("theirs")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / ".saving").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError, match="is a link"):
        finish_atomic(tmp_path / "other")
    (tmp_path / "planted" / ".saving").mkdir(parents=True)
    listed = {"files": {}, "gone": ["../elsewhere/a.txt"]}
    (tmp_path / "planted" / ".saving" / ".files.json").write_text(json.dumps(listed))
    with pytest.raises(InputError, match="points outside"):
        finish_atomic(tmp_path / "planted")
    assert (tmp_path / "elsewhere" / "a.txt").read_text() == "theirs"


def test_two_processes_make_the_same_folder_at_once(tmp_path):
    def make():
        with atomic_folder(tmp_path / "cache" / "model") as part:
            (part / "a.txt").write_text("whole")
            time.sleep(0.2)

    children = []
    for _ in range(4):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                make()
                code = 0
            finally:
                os._exit(code)
        children.append(child)
    assert [os.waitpid(c, 0)[1] for c in children] == [0] * 4
    assert [p.name for p in (tmp_path / "cache").iterdir()] == ["model"]
    assert (tmp_path / "cache" / "model" / "a.txt").read_text() == "whole"


def test_the_cache_of_embedded_models_is_whole_or_absent(tmp_path):
    env = ENV | {"NLP_TOUR_CACHE": str(tmp_path / "cache")}
    code = "from nlp_tour.hub.standins import embedded; print(embedded('encoder'))"
    run = subprocess.Popen([sys.executable, "-c", code], env=env, stdout=subprocess.PIPE, text=True)
    while not list((tmp_path / "cache").glob(".*.part/*")):
        assert run.poll() is None
        time.sleep(0.002)
    run.kill()
    run.communicate()
    assert not list((tmp_path / "cache").glob("encoder-*"))
    folder = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True
    ).stdout.strip()
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= {
        p.name for p in Path(folder).iterdir()
    }


@pytest.fixture()
def data(tmp_path):
    path = tmp_path / "mine.csv"
    rows = [f"a {w} film number {i},{w}\n" for i in range(200) for w in ("quiet", "loud")]
    path.write_text("text,label\n" + "".join(rows))
    return path


def train(data, out, model, *more):
    command = [sys.executable, "-m", "nlp_tour.app.cli", "train", str(data)]
    return [*command, "--out", str(out), "--model", str(model), *more]


@pytest.fixture(scope="module")
def tiny_body(tiny_classifier, tmp_path_factory):
    "The tiny classifier's body without its head, as the start of a training."

    folder = tmp_path_factory.mktemp("body") / "model"
    model, tok = load(tiny_classifier)
    model.bert.save_pretrained(folder)
    tok.save_pretrained(folder)
    return folder


def test_sigterm_is_ctrl_c_for_a_training_and_the_same_command_goes_on(data, tiny_body, tmp_path):
    command = train(data, tmp_path / "out", tiny_body, "--epochs", "60")
    pipe = subprocess.PIPE
    run = subprocess.Popen(command, env=ENV, text=True, stdout=pipe, stderr=pipe)
    printed = ""
    while not re.search(r"\b[1-9]\d*/1200\b", printed):
        c = run.stderr.read(1)
        assert c, printed
        printed += c
    second = subprocess.run(command, env=ENV, text=True, capture_output=True)
    assert second.returncode == 2 and "another run is writing here" in second.stderr, second.stderr
    run.send_signal(signal.SIGTERM)
    _, rest = run.communicate(timeout=60)
    assert run.returncode == 130 and "run the same command again to resume" in rest, rest
    assert list((tmp_path / "out" / "checkpoints").glob("checkpoint-*"))
    command = train(data, tmp_path / "out", tiny_body, "--epochs", "61")
    other = subprocess.run(command, env=ENV, text=True, capture_output=True)
    assert other.returncode == 2 and "interrupted run with epochs=60" in other.stderr, other.stderr


def test_a_clock_that_jumps_does_not_reach_a_training(data, tiny_body, tmp_path):
    paths = f"{str(data)!r}, {str(tmp_path / 'out')!r}, model={str(tiny_body)!r}"
    code = f"""
import itertools
import time

times = ((-1) ** k * k * 1e6 for k in itertools.count())
time.time = lambda: next(times)

from nlp_tour.app.tour import train

print(train({paths}, epochs=1, progress=False)["seconds"])
"""
    run = subprocess.run([sys.executable, "-c", code], env=ENV, text=True, capture_output=True)
    assert run.returncode == 0, run.stderr
    assert 0 <= float(run.stdout.splitlines()[-1]) < 600
