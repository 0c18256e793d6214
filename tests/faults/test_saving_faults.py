"Saving and training while everything goes wrong: the disk holds the old or the new, never a mix."

import functools
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


def test_a_link_inside_leads_no_file_out(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out" / "sub").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError, match="leads out of"), atomic_folder(tmp_path / "out") as part:
        (part / "sub").mkdir()
        (part / "sub" / "x.json").write_text("{}")
    assert not list((tmp_path / "elsewhere").iterdir())
    (tmp_path / "elsewhere" / "a.txt").write_text("theirs")
    (tmp_path / ".other.ready").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError, match="is a link"):
        finish_atomic(tmp_path / "other")
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
    assert run.returncode == 130 and "the same command goes on" in rest, rest
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
