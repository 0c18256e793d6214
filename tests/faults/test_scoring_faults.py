"Scoring a file under faults: kills, full and closed disks, two runs, dying ranks, changed files."

import csv
import functools
import itertools
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import killing
import pytest

from nlp_tour.base.errors import InputError
from nlp_tour.inference.files import map_file
from nlp_tour.pipeline import pipeline

pytestmark = pytest.mark.usefixtures("one_thread")
ROWS, LONG = 300, 70_000


@pytest.fixture(scope="module")
def pipe(tiny_classifier):
    return pipeline("text-classification", model=tiny_classifier)


@pytest.fixture(scope="module")
def src(tmp_path_factory):
    import random

    import tiny_encoders as tiny

    rng, path = random.Random(1), tmp_path_factory.mktemp("src") / "texts.jsonl"
    path.write_text(
        "".join(json.dumps({"id": i, "text": tiny.sentence(rng)}) + "\n" for i in range(ROWS))
    )
    return path


@pytest.fixture(scope="module")
def whole(pipe, src, tmp_path_factory):
    "What an undisturbed run writes."
    out = tmp_path_factory.mktemp("whole") / "out.jsonl"
    map_file(pipe, src, out, part_rows=64)
    assert [json.loads(line)["id"] for line in out.read_text().splitlines()] == list(range(ROWS))
    return out.read_bytes()


def rows_of(folder):
    return b"".join(p.read_bytes() for p in sorted(folder.glob("part-*.jsonl")))


def test_killed_at_every_step_it_goes_on_to_the_same_bytes(pipe, src, whole, tmp_path):
    def work(n):
        map_file(pipe, src, tmp_path / str(n) / "out.jsonl", part_rows=64, progress=False)

    def after(n):
        out = tmp_path / str(n) / "out.jsonl"
        if out.exists() and not out.with_name("out.jsonl.parts").exists():
            with pytest.raises(InputError, match="exists; delete it"):
                work(n)
            assert out.read_bytes() == whole and [p.name for p in out.parent.iterdir()] == [
                "out.jsonl"
            ]
            return
        assert not out.exists() or out.read_bytes() == whole, "a file that is there is whole"
        work(n)
        assert out.read_bytes() == whole
        assert [p.name for p in out.parent.iterdir()] == ["out.jsonl"]

    died = killing.everywhere(tmp_path, work, after)
    print(f"killed at {died} steps")
    assert died > 25


@pytest.fixture
def killed_before_the_join(pipe, src, tmp_path):
    "A run whose parts are all there, and the name of its output."
    out = tmp_path / "out.jsonl"
    half = tmp_path / "half" / "out.jsonl"
    for n in range(1, 1000):
        shutil.rmtree(half.parent, ignore_errors=True)
        run = functools.partial(map_file, pipe, src, half, part_rows=64, progress=False)
        assert killing.at(n, half.parent, run)
        folder = half.with_name("out.jsonl.parts")
        if len(list(folder.glob("part-*.jsonl"))) == 5:
            break
    folder.rename(tmp_path / "out.jsonl.parts")
    return out


def test_an_empty_file_under_the_output_s_name_loses_no_answer(
    pipe, src, whole, killed_before_the_join
):
    out = killed_before_the_join
    out.touch()
    message = map_file(pipe, src, out, part_rows=64, progress=False)
    assert message["done"] and message["rows"] == ROWS
    assert out.read_bytes() == whole
    assert not out.with_name("out.jsonl.parts").exists()


def test_another_file_under_the_output_s_name_stands_and_so_do_the_parts(
    pipe, src, whole, killed_before_the_join
):
    out = killed_before_the_join
    out.write_text("theirs")
    with pytest.raises(InputError, match="another file than the answers.*move it away"):
        map_file(pipe, src, out, part_rows=64, progress=False)
    assert out.read_text() == "theirs"
    out.unlink()
    assert map_file(pipe, src, out, part_rows=64, progress=False)["done"]
    assert out.read_bytes() == whole


def test_a_second_run_that_comes_while_the_first_joins(pipe, src, whole, tmp_path, monkeypatch):
    "It gets one sentence, and the first ends as if it had been alone."
    import threading

    from nlp_tour.inference import parts as files

    out, joining, seen = tmp_path / "out.jsonl", threading.Event(), []
    join = files.join_parts

    def slow(*args):
        joining.set()
        time.sleep(0.5)
        join(*args)

    monkeypatch.setattr(files, "join_parts", slow)

    def second():
        joining.wait(60)
        try:
            seen.append(map_file(pipe, src, out, part_rows=64, progress=False))
        except InputError as e:
            seen.append(str(e))

    other = threading.Thread(target=second)
    other.start()
    assert map_file(pipe, src, out, part_rows=64, progress=False)["done"]
    other.join()
    assert re.search("has just finished|another run is writing|exists; delete it", seen[0]), seen
    assert out.read_bytes() == whole
    assert [p.name for p in tmp_path.iterdir()] == ["out.jsonl"]


def test_killed_again_and_again_in_one_folder(pipe, src, whole, tmp_path):
    def work(n):
        map_file(pipe, src, tmp_path / "out", part_rows=64, format="jsonl", progress=False)

    seen = []

    def after(n):
        seen.append(
            len(list((tmp_path / "out").glob("part-*"))) if (tmp_path / "out").exists() else 0
        )

    died = killing.everywhere(tmp_path, work, after)
    assert died >= 5 and seen == sorted(seen), "parts only grow in number"
    assert rows_of(tmp_path / "out") == whole
    assert json.loads((tmp_path / "out" / "_manifest.json").read_text())["done"]


def test_a_part_that_was_half_written_is_no_part(pipe, src, whole, tmp_path):
    from nlp_tour.inference import writers as scoring

    def half(table, f, real=scoring.write_jsonl):
        if table["id"][0].as_py() == 128:
            f.write(b'{"id": 128, "te')
            f.flush()
            os.kill(os.getpid(), signal.SIGKILL)
        real(table, f)

    child = os.fork()
    if not child:
        scoring.WRITERS["jsonl"] = half
        map_file(pipe, src, tmp_path / "out", part_rows=64, format="jsonl", progress=False)
        os._exit(0)
    assert os.WIFSIGNALED(os.waitpid(child, 0)[1])
    assert (
        len(list((tmp_path / "out").glob("part-*"))) == 2
        and len(list((tmp_path / "out").glob(".part-*.tmp"))) == 1
    )
    map_file(pipe, src, tmp_path / "out", part_rows=64, format="jsonl", progress=False)
    assert rows_of(tmp_path / "out") == whole and not list((tmp_path / "out").glob(".part-*.tmp"))


def test_another_model_option_or_source_is_refused(pipe, src, tiny_classifier, tmp_path):
    import torch

    map_file(pipe, src, tmp_path / "out", part_rows=64, progress=False)
    other = pipeline("text-classification", model=tiny_classifier)
    with torch.no_grad():
        other.model.classifier.bias[0] += 0.5
    grown = tmp_path / "texts.jsonl"
    grown.write_bytes(src.read_bytes() + src.read_bytes())
    for why, call in {
        "another model": lambda: map_file(other, src, tmp_path / "out", part_rows=64),
        "another options": lambda: map_file(pipe, src, tmp_path / "out", part_rows=64, top_k=None),
        "another source": lambda: map_file(pipe, grown, tmp_path / "out", part_rows=64),
        "another part_rows": lambda: map_file(pipe, src, tmp_path / "out", part_rows=65),
        "another item": lambda: map_file(pipe, src, tmp_path / "out", "id", part_rows=64),
    }.items():
        with pytest.raises(InputError, match=why):
            call()


def test_two_runs_on_one_folder_and_a_lock_that_dies_with_its_process(pipe, src, tmp_path):
    ready, go = os.pipe()
    child = os.fork()
    if not child:

        def slow(*a, **kw):
            os.write(go, b"x")
            time.sleep(60)

        class Slow:
            def __getattr__(self, name):
                return getattr(pipe, name)

            __call__ = slow

        map_file(Slow(), src, tmp_path / "out", part_rows=64, progress=False)
        os._exit(0)
    os.read(ready, 1)
    try:
        with pytest.raises(InputError, match="another run is writing here"):
            map_file(pipe, src, tmp_path / "out", part_rows=64)
        os.environ |= {"RANK": "1", "WORLD_SIZE": "2"}
        with pytest.raises(InputError, match="another run is writing here"):
            map_file(pipe, src, tmp_path / "out", part_rows=64)
    finally:
        for name in ("RANK", "WORLD_SIZE"):
            os.environ.pop(name, None)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    assert map_file(pipe, src, tmp_path / "out", part_rows=64, progress=False)["done"]


def command(*args, **env):
    "The command as a process of its own."
    return subprocess.Popen(
        [sys.executable, "-m", "nlp_tour.app.cli", *map(str, args)],
        env=os.environ | {"NLP_TOUR_OFFLINE": "1", "OMP_NUM_THREADS": "1"} | env,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@pytest.fixture(scope="module")
def long_src(src, tmp_path_factory):
    "Enough rows that a run can be caught at work: some seconds."
    path = tmp_path_factory.mktemp("long") / "texts.jsonl"
    rows = [json.loads(line)["text"] for line in src.read_text().splitlines()]
    path.write_text(
        "".join(json.dumps({"id": i, "text": rows[i % ROWS]}) + "\n" for i in range(LONG))
    )
    return path


def wait_for_part(out, number, run, seconds=120):
    "Wait until a part is there, while the run lives."
    end = time.monotonic() + seconds
    while not list(out.glob(f"part-*{number}.*")):
        assert run.poll() is None, run.communicate()
        assert time.monotonic() < end
        time.sleep(0.02)


def ids(out):
    import pyarrow.parquet as pq

    return [
        i for p in sorted(out.glob("part-*.parquet")) for i in pq.read_table(p)["id"].to_pylist()
    ]


def test_kill_minus_nine_then_sigterm_then_the_end(tiny_classifier, long_src, tmp_path):
    args = "predict", long_src, "--model", tiny_classifier, "--out", tmp_path / "out"
    run = command(*args)
    wait_for_part(tmp_path / "out", 0, run)
    run.kill()
    run.communicate()
    before = {p.name: p.stat().st_mtime_ns for p in (tmp_path / "out").glob("part-*")}
    run = command(*args)
    wait_for_part(tmp_path / "out", len(before), run)
    run.send_signal(signal.SIGTERM)
    _, message = run.communicate(timeout=30)
    assert (
        run.returncode == 130
        and "run the same command again to resume" in message
        and "Traceback" not in message
    )
    run = command(*args)
    _, message = run.communicate(timeout=120)
    assert run.returncode == 0 and f"{LONG:,} rows" in message, message
    assert ids(tmp_path / "out") == list(range(LONG))
    assert all((tmp_path / "out" / n).stat().st_mtime_ns == t for n, t in before.items()), (
        "what was there was not written again"
    )


def test_of_two_ranks_one_dies_and_comes_back(tiny_classifier, long_src, tmp_path):
    args = "predict", long_src, "--model", tiny_classifier, "--out", tmp_path / "out"
    ranks = [command(*args, RANK=str(r), WORLD_SIZE="2") for r in (0, 1)]
    wait_for_part(tmp_path / "out", 1, ranks[1])
    ranks[1].kill()
    ranks[1].communicate()
    _, message = ranks[0].communicate(timeout=120)
    assert ranks[0].returncode == 0 and "parts of other ranks are still missing" in message, message
    assert not json.loads((tmp_path / "out" / "_manifest.json").read_text())["done"]
    again = command(*args, RANK="1", WORLD_SIZE="2")
    _, message = again.communicate(timeout=120)
    assert again.returncode == 0, message
    assert ids(tmp_path / "out") == list(range(LONG))
    assert json.loads((tmp_path / "out" / "_manifest.json").read_text())["done"]


def test_accelerate_launches_two_ranks(tiny_classifier, long_src, tmp_path, free_port):
    "The flag is what chooses torchrun; without GPUs both ranks work on the CPU."
    accelerate = Path(sys.executable).parent / "accelerate"
    run = subprocess.run(
        [
            accelerate,
            "launch",
            "--multi_gpu",
            "--num_processes",
            "2",
            "--num_machines",
            "1",
            "--mixed_precision",
            "no",
            "--dynamo_backend",
            "no",
            "--main_process_port",
            free_port,
            "-m",
            "nlp_tour.app.cli",
            "predict",
            long_src,
            "--model",
            tiny_classifier,
            "--out",
            tmp_path / "out",
        ],
        env=os.environ | {"NLP_TOUR_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert run.returncode == 0, run.stderr
    assert ids(tmp_path / "out") == list(range(LONG))
    assert {p.name for p in (tmp_path / "out").glob(".rank-*")} == {".rank-0.lock", ".rank-1.lock"}


def test_a_full_disk_keeps_what_was_written(pipe, src, whole, tmp_path):
    "A file size limit stands for the disk: the second part, of long texts, does not fit."
    wide = tmp_path / "wide.jsonl"
    lines = src.read_text().splitlines()
    lines[70] = json.dumps({"id": 70, "text": "a quiet film " * 20_000})
    wide.write_text("\n".join(lines) + "\n")
    read, write = os.pipe()
    child = os.fork()
    if not child:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
        try:
            map_file(
                pipe,
                wide,
                tmp_path / "out",
                part_rows=64,
                format="jsonl",
                long="truncate",
                progress=False,
            )
        except InputError as e:
            os.write(write, str(e).encode())
        os._exit(0)
    os.waitpid(child, 0)
    message = os.read(read, 10_000).decode()
    assert re.search("could not write .*part-00001.jsonl: .*the same call goes on", message), (
        message
    )
    assert [p.name for p in (tmp_path / "out").glob("*part-*")] == ["part-00000.jsonl"]
    map_file(
        pipe, wide, tmp_path / "out", part_rows=64, format="jsonl", long="truncate", progress=False
    )
    assert [json.loads(line)["id"] for line in rows_of(tmp_path / "out").splitlines()] == list(
        range(ROWS)
    )


def test_a_real_full_disk(tiny_classifier, src, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "none", disk], capture_output=True
    ).returncode:
        pytest.skip("no right to mount a small disk; the test before has a limit on file sizes")
    try:
        run = command(
            "predict",
            src,
            "--model",
            tiny_classifier,
            "--out",
            disk / "out.csv",
            "--set",
            "top_k=1",
        )
        (disk / "ballast").write_bytes(b"x" * 250_000)
        _, message = run.communicate(timeout=60)
        assert (
            run.returncode == 2
            and "No space left on device" in message
            and "Traceback" not in message
        ), message
        (disk / "ballast").unlink()
        run = command(
            "predict",
            src,
            "--model",
            tiny_classifier,
            "--out",
            disk / "out.csv",
            "--set",
            "top_k=1",
        )
        _, message = run.communicate(timeout=60)
        assert run.returncode == 0, message
        assert [r["id"] for r in csv.DictReader((disk / "out.csv").open(newline=""))] == [
            str(i) for i in range(ROWS)
        ]
    finally:
        subprocess.run(["umount", disk], check=True)


def without_privilege():
    "Give up root's right to write anywhere, so that a closed folder is closed in a container, too."
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    for capability in (1, 2):
        libc.prctl(
            24, capability, 0, 0, 0
        )  # PR_CAPBSET_DROP: CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH


@pytest.mark.parametrize(
    "args",
    [
        ["predict", "{src}", "--model", "{model}", "--out", "{closed}/out"],
        ["predict", "Fine.", "--model", "{model}", "--out", "{closed}/out.csv"],
        ["notebooks", "{closed}/chapters"],
        ["train", "{data}", "--out", "{closed}/out", "--epochs", "1", "--examples", "8"],
    ],
    ids=lambda a: " ".join(a[:2]),
)
def test_a_closed_folder_is_one_sentence(args, src, tiny_classifier, tmp_path):
    closed, data = tmp_path / "closed", tmp_path / "data.csv"
    closed.mkdir(mode=0o555)
    data.write_text("text,label\n" + "".join(f"a film {i},{i % 2}\n" for i in range(30)))
    args = [a.format(src=src, model=tiny_classifier, closed=closed, data=data) for a in args]
    run = subprocess.run(
        [sys.executable, "-m", "nlp_tour.app.cli", *args],
        env=os.environ | {"NLP_TOUR_OFFLINE": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        preexec_fn=without_privilege,
    )
    assert run.returncode == 2 and "Traceback" not in run.stderr, run.stderr
    assert re.search(r"nlp-tour: (could not|Permission denied)", run.stderr.splitlines()[-1]), (
        run.stderr
    )
    assert not list(closed.iterdir())


def test_a_source_that_changes_while_it_is_read_is_told(pipe, src, tmp_path):
    mine = tmp_path / "texts.jsonl"
    shutil.copy(src, mine)

    class Meddling:
        def __getattr__(self, name):
            return getattr(pipe, name)

        def __call__(self, *a, **kw):
            with open(mine, "a") as f:
                f.write('{"id": 999, "text": "one more"}\n')
            return pipe(*a, **kw)

    with pytest.raises(InputError, match="changed while it was read"):
        map_file(Meddling(), mine, tmp_path / "out", part_rows=64, progress=False)
    assert not json.loads((tmp_path / "out" / "_manifest.json").read_text())["done"]
    with pytest.raises(InputError, match="another source"):
        map_file(pipe, mine, tmp_path / "out", part_rows=64, progress=False)


def test_a_source_that_is_replaced_is_read_to_its_end_and_told(pipe, src, tmp_path):
    mine, calls = tmp_path / "texts.jsonl", []
    shutil.copy(src, mine)

    class Replacing:
        def __getattr__(self, name):
            return getattr(pipe, name)

        def __call__(self, texts, **kw):
            if not calls:
                (tmp_path / "new").write_text('{"id": 0, "text": "another file"}\n')
                os.replace(tmp_path / "new", mine)
            calls.extend(texts)
            return pipe(texts, **kw)

    with pytest.raises(InputError, match="changed while it was read"):
        map_file(Replacing(), mine, tmp_path / "out", part_rows=64, progress=False)
    assert len(calls) == ROWS, "an open file stays the one that was opened"


def test_an_output_folder_that_is_taken_away_is_told(pipe, src, tmp_path):
    class Taking:
        def __getattr__(self, name):
            return getattr(pipe, name)

        def __call__(self, *a, **kw):
            shutil.rmtree(tmp_path / "out", ignore_errors=True)
            return pipe(*a, **kw)

    with pytest.raises(InputError, match="could not write"):
        map_file(Taking(), src, tmp_path / "out", part_rows=64, progress=False)


def test_a_clock_that_jumps_changes_nothing(pipe, src, whole, tmp_path, monkeypatch):
    jumps = (sign * n * 1e7 for n in itertools.count() for sign in (1, -1))
    monkeypatch.setattr(time, "time", jumps.__next__)
    mine = tmp_path / "texts.jsonl"
    shutil.copy(src, mine)
    os.utime(mine, (4e9, 4e9))  # from the year 2096
    map_file(pipe, mine, tmp_path / "out", part_rows=64, format="jsonl", progress=False)
    (tmp_path / "out" / "part-00001.jsonl").unlink()
    os.utime(tmp_path / "out" / "part-00000.jsonl", (0, 0))
    map_file(pipe, mine, tmp_path / "out", part_rows=64, format="jsonl", progress=False)
    assert rows_of(tmp_path / "out") == whole


def test_a_number_or_a_key_that_comes_late_is_not_cut_or_lost(pipe, tmp_path):
    head = [{"text": "a film", "price": 9, "meta": {"a": 1}, "note": None}] * 4096

    def write(*rows):
        return (tmp_path / "in.jsonl").write_text(
            "".join(json.dumps(r) + "\n" for r in (*head, *rows))
        )

    write({"text": "a film", "price": 10, "meta": {"a": 1, "b": [2, {"c": None}]}, "note": 5})
    map_file(pipe, tmp_path / "in.jsonl", tmp_path / "out.jsonl", progress=False)
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").open()]
    assert {k: rows[-1][k] for k in ("price", "meta", "note")} == {
        "price": 10,
        "meta": {"a": 1, "b": [2, {"c": None}]},
        "note": 5,
    }
    assert rows[0]["meta"] == {"a": 1}
    write({"text": "a film", "price": 9.99, "meta": {}, "note": None})
    with pytest.raises(InputError, match="line 4097: key 'price' holds '9.99'"):
        map_file(pipe, tmp_path / "in.jsonl", tmp_path / "late", progress=False)


@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet"])
def test_a_part_without_any_text_has_the_columns_of_the_others(pipe, tmp_path, kind):
    import pandas as pd

    (tmp_path / "in.txt").write_text("\n" * 3 + "a quiet film\n" * 4 + "\n")
    map_file(
        pipe, tmp_path / "in.txt", tmp_path / f"out.{kind}", bad="null", part_rows=3, progress=False
    )
    found = {
        "jsonl": lambda p: pd.read_json(p, lines=True),
        "csv": pd.read_csv,
        "parquet": pd.read_parquet,
    }[kind](tmp_path / f"out.{kind}")
    assert list(found) == ["text", "label", "score"] and found["score"].notna().tolist() == [
        False
    ] * 3 + [True] * 4 + [False]


def test_a_file_that_was_scored_before_keeps_its_answers(pipe, src, tmp_path):
    import pandas as pd

    for kind, read in {
        "jsonl": lambda p: pd.read_json(p, lines=True),
        "csv": pd.read_csv,
        "parquet": pd.read_parquet,
    }.items():
        for n in range(3):
            map_file(
                pipe,
                tmp_path / f"{n - 1}.{kind}" if n else src,
                tmp_path / f"{n}.{kind}",
                part_rows=200,
                progress=False,
            )
        found = read(tmp_path / f"2.{kind}")
        assert list(found)[2:] == [
            p + k for p in ("", "predicted_", "predicted_predicted_") for k in ("label", "score")
        ]
        assert (found["label"] == found["predicted_predicted_label"]).all()
        again = pipe(
            pd.DataFrame({"text": ["a film"], "label": ["x"], "predicted_label": ["y"]}),
            column="text",
        )
        assert again[["label", "predicted_label"]].values.tolist() == [["x", "y"]] and again[
            "predicted_predicted_label"
        ][0] in ("NEGATIVE", "POSITIVE")


def test_json_lines_hold_answers_as_they_are_and_nothing_that_is_no_json(pipe, tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(
        pa.table({"text": ["a film"], "x": [float("nan")], "raw": [b"fine"]}),
        tmp_path / "in.parquet",
    )
    for kind in ("jsonl", "csv"):
        map_file(
            pipe, tmp_path / "in.parquet", tmp_path / f"out.{kind}", progress=False, top_k=None
        )
    row = json.loads(
        (tmp_path / "out.jsonl").read_text(),
        parse_constant=lambda name: pytest.fail(f"{name} is no JSON"),
    )
    assert (
        row["x"] is None
        and row["raw"] == "fine"
        and {a["label"] for a in row["answer"]} == {"NEGATIVE", "POSITIVE"}
    )
    assert (
        json.loads(next(csv.DictReader((tmp_path / "out.csv").open(newline="")))["answer"])
        == row["answer"]
    )
    pq.write_table(pa.table({"text": ["a film"], "raw": [b"\xff"]}), tmp_path / "raw.parquet")
    for kind in ("jsonl", "csv"):
        with pytest.raises(InputError, match="column 'raw' holds bytes that are no text"):
            map_file(pipe, tmp_path / "raw.parquet", tmp_path / f"raw.{kind}", progress=False)
    map_file(pipe, tmp_path / "raw.parquet", tmp_path / "raw2.parquet", progress=False)
    assert pq.read_table(tmp_path / "raw2.parquet")["raw"].to_pylist() == [b"\xff"]


@pytest.mark.parametrize(
    "name", [".lock", ".rank-0.lock", ".rank-7.lock", "part-00000.jsonl", "_manifest.json"]
)
def test_a_link_in_the_place_of_any_file_of_a_run_writes_nothing_elsewhere(
    pipe, src, tmp_path, name
):
    (tmp_path / "out").mkdir()
    (tmp_path / "precious.txt").write_text("precious")
    (tmp_path / "out" / name).symlink_to(tmp_path / "precious.txt")
    with pytest.raises(InputError, match=f"holds a link .{name}"):
        map_file(pipe, src, tmp_path / "out", format="jsonl", progress=False)
    assert (tmp_path / "precious.txt").read_text() == "precious"
    (tmp_path / "empty").mkdir()
    (tmp_path / "x.csv.parts").symlink_to(tmp_path / "empty")
    with pytest.raises(InputError, match="is a link"):
        map_file(pipe, src, tmp_path / "x.csv", progress=False)
    assert not list((tmp_path / "empty").iterdir())


def as_rank(rank, world, work):
    "Fork a rank; its exit code says whether it ended well."
    child = os.fork()
    if child:
        return child
    os.environ |= {"RANK": str(rank), "WORLD_SIZE": str(world)}
    try:
        work()
        os._exit(0)
    except BaseException as e:
        print(type(e).__name__, e, file=sys.stderr)
    finally:
        os._exit(1)


def test_ranks_that_start_together_find_their_places(tmp_path):
    from nlp_tour.inference.parts import place_of_rank

    for n in range(60):
        folder = tmp_path / str(n)
        folder.mkdir()
        if n % 2:
            (folder / ".rank-0.lock").write_text("1")  # left by a run of one process

        def work(folder=folder):
            with place_of_rank(folder, int(os.environ["RANK"]), 2):
                time.sleep(0.005)

        ended = [os.waitpid(child, 0)[1] for child in [as_rank(r, 2, work) for r in (0, 1)]]
        assert ended == [0, 0] and {p.name: p.read_text() for p in folder.glob(".rank-*")} == {
            ".rank-0.lock": "2",
            ".rank-1.lock": "2",
        }


@pytest.mark.parametrize("moment", ["before its end", "while the other joins"])
def test_a_rank_that_finds_the_parts_joined_is_done(
    pipe, src, whole, tmp_path, monkeypatch, moment
):
    from nlp_tour.inference import files as scoring

    out = tmp_path / "out.jsonl"

    def score():
        return map_file(pipe, src, out, part_rows=64, progress=False)

    def other():
        child = as_rank(0, 2, lambda: score()["done"] or 1 / 0)
        assert os.waitpid(child, 0)[1] == 0

    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    if moment == "before its end":
        real = scoring.score_parts

        def work(*args):
            done = real(*args)
            if os.environ["RANK"] == "1":
                other()
            return done

        monkeypatch.setattr(scoring, "score_parts", work)
    else:
        import fcntl

        real = fcntl.flock

        def flock(f, how):
            if os.environ["RANK"] == "1" and list(Path(f.name).parent.glob("part-00003*")):
                other()
            real(f, how)

        monkeypatch.setattr(fcntl, "flock", flock)
    assert score()["done"] and out.read_bytes() == whole
    assert [p.name for p in tmp_path.iterdir()] == ["out.jsonl"]


def test_parts_are_joined_when_every_rank_has_begun(pipe, src, tmp_path, monkeypatch):
    "A rank with no part to score that starts last finds the run, not a file in its way."
    monkeypatch.setenv("WORLD_SIZE", "2")
    for rank, done in (("0", False), ("1", True)):
        monkeypatch.setenv("RANK", rank)
        assert map_file(pipe, src, tmp_path / "out.jsonl", progress=False)["done"] is done
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == ROWS


def test_no_bar_is_drawn_where_nobody_looks(tiny_classifier, long_src, tmp_path):
    run = command("predict", long_src, "--model", tiny_classifier, "--out", tmp_path / "out")
    _, message = run.communicate(timeout=120)
    assert run.returncode == 0 and "rows [" not in message and "\r" not in message, message


@pytest.mark.parametrize("lines", [0, 4096])
def test_a_pipe_with_nothing_in_its_last_part_ends_in_a_whole_file(
    tiny_classifier, tmp_path, lines
):
    import pyarrow.parquet as pq

    message = subprocess.run(
        [
            sys.executable,
            "-m",
            "nlp_tour.app.cli",
            "predict",
            "--model",
            tiny_classifier,
            "--bad",
            "null",
            "--out",
            tmp_path / "out.parquet",
        ],
        input="a film\n" * lines + "\n" * bool(lines),
        env=os.environ | {"NLP_TOUR_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
        text=True,
        capture_output=True,
        timeout=120,
    )
    assert message.returncode == 0, message.stderr
    found = pq.read_table(tmp_path / "out.parquet")
    assert (
        found.column_names == ["text", "label", "score"]
        and len(found) == lines + bool(lines)
        and found["label"].null_count == bool(lines)
    )
