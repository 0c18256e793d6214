"""Killed at each system call that touches a file, also those of libraries in Rust and C; and on a
mount point. `EVERY_MOMENT=1` tries every call; a routine run tries some of each."""

import functools
import itertools
import os
import shutil
import subprocess
import sys
from pathlib import Path

import killing
import pytest
import torch

from nlp_tour.base.errors import InputError
from nlp_tour.base.folders import atomic_folder, finish_atomic
from nlp_tour.hub.loading import load
from nlp_tour.hub.saving import save
from nlp_tour.pipeline import pipeline

pytestmark = [
    pytest.mark.usefixtures("one_thread"),
    pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed"),
]
EVERY = bool(os.environ.get("EVERY_MOMENT"))


def killed_at(step, work, after, before=lambda n: None):
    """Kill `work(n)` at its first call, or at every `step`-th, until it lives; call `before(n)` and
    `after(n)` around each. Returns how often it died."""
    for died, n in enumerate(itertools.count(1, 1 if EVERY else step)):
        before(n)
        if not killing.at_call(n, functools.partial(work, n)):
            return died
        after(n)


def write(folder, version):
    with atomic_folder(folder, ["*.old"]) as part:
        (part / "sub").mkdir()
        for name in ("a.txt", "b.txt", "sub/c.txt"):
            (part / name).write_text(version)


@pytest.mark.parametrize("place", ["a folder", "a link", "a new folder", "a dot"])
def test_a_folder_is_the_old_or_the_new(place, tmp_path):
    seen = set()

    def work(n):
        folder = tmp_path / str(n) / "x"
        if place == "a dot":
            os.chdir(folder)
        write("." if place == "a dot" else folder, "2")

    def prepare(n):
        folder = tmp_path / str(n) / "x"
        folder.parent.mkdir()
        if place == "a new folder":
            return
        real = tmp_path / str(n) / "real" if place == "a link" else folder
        write(real, "1")
        (real / "z.old").write_text("1")
        if place == "a link":
            folder.symlink_to(real)

    for n in itertools.count(1):
        prepare(n)
        if not killing.at_call(n, functools.partial(work, n)):
            break
        folder = finish_atomic(tmp_path / str(n) / "x")
        names = ("a.txt", "b.txt", "sub/c.txt", "z.old")
        seen.add("".join((folder / p).read_text() for p in names if (folder / p).exists()))
        write(folder, "3")
        assert {(folder / p).read_text() for p in names[:3]} == {"3"}
        assert sorted(p.name for p in folder.iterdir()) == ["a.txt", "b.txt", "sub"]
    # The rename of a new folder is the last call.
    assert n > 8 and seen == ({""} if place == "a new folder" else {"1111", "222"})


def test_a_saved_model_is_the_old_or_the_new(tiny_classifier, tmp_path):
    model, tok = load(tiny_classifier)
    save(tmp_path / "old", model, tok)
    with torch.no_grad():
        model.classifier.bias[0] = 2
    model.config.id2label, tok.model_max_length = {0: "L2", 1: "other"}, 42
    seen = []

    def before(n):
        shutil.copytree(tmp_path / "old", tmp_path / str(n))

    def work(n):
        save(tmp_path / str(n), model, tok)

    def after(n):
        found, tok = load(tmp_path / str(n))
        bias = round(found.classifier.bias[0].item())
        seen.append((bias == 2, found.config.id2label[0], tok.model_max_length == 42))
        shutil.rmtree(tmp_path / str(n))

    died = killed_at(3, work, after, before)
    assert died > 5 and set(seen) == {(False, "NEGATIVE", False), (True, "L2", True)}, seen


def test_a_scored_file_goes_on_to_the_same_bytes(tiny_classifier, tmp_path):
    src = tmp_path / "texts.txt"
    src.write_text("".join(f"A quiet film number {i}.\n" for i in range(60)))
    pipe = pipeline("text-classification", model=str(tiny_classifier))

    def score(n):
        (tmp_path / str(n)).mkdir(exist_ok=True)
        out = tmp_path / str(n) / "out.jsonl"
        try:
            pipe.map_file(src, out, part_rows=20, progress=False)
        except InputError as e:
            assert "exists; delete it" in str(e) and out.read_bytes() == whole

    whole = b""
    score(0)
    whole = (tmp_path / "0" / "out.jsonl").read_bytes()

    def after(n):
        score(n)
        assert (tmp_path / str(n) / "out.jsonl").read_bytes() == whole
        left = [p.name for p in (tmp_path / str(n)).iterdir()]
        assert left == ["out.jsonl"], left

    assert killed_at(3, score, after) > 5


def test_a_training_goes_on_bit_for_bit(tmp_path):
    from test_moments import check_same, run

    how = {"save_steps": 2, "epochs": 1}
    expected = run(tmp_path / "straight", **how)

    def after(n):
        check_same(run(tmp_path / str(n), **how), expected, n)

    died = killed_at(15, lambda n: run(tmp_path / str(n), **how), after)
    assert died > 3


MOUNTED = """
import os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_system_calls import write
from nlp_tour.base.errors import InputError
from nlp_tour.base.folders import finish_atomic

folder = Path(sys.argv[1])
write(folder, "1")
os.chdir(folder)
write(".", "2")
assert {p.read_text() for p in folder.rglob("*.txt")} == {"2"}
assert sorted(p.name for p in folder.iterdir()) == ["a.txt", "b.txt", "sub"]
"""


def test_a_mount_point_is_a_folder_like_any_other(tmp_path):
    "A real one, in a name space of its own."
    (tmp_path / "mounted").mkdir()
    code, here = tmp_path / "mounted.py", Path(__file__).parent
    code.write_text(MOUNTED)
    mount = 'mount -t tmpfs none "$1" && exec "$2" "$3" "$1" "$4"'
    words = ["unshare", "-rm", "sh", "-c", mount, "sh", tmp_path / "mounted", sys.executable]
    tried = subprocess.run([*words[:3], "-c", "true"], capture_output=True)
    if tried.returncode:
        pytest.skip("this system gives no name space for mounts")
    done = subprocess.run([*words, code, here], text=True, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert not list((tmp_path / "mounted").iterdir())
