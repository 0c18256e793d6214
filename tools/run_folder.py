"""Do the files of a folder, written in 2020-2022, run to the end after `migrate`?

    python tools/run_folder.py FOLDER [PART OF A NAME ...]

Each `.py` and `.ipynb` is migrated and run in a process and a folder of its own, offline, with
tiny models and data sets under the names that it asks for (`fake_names.py`) and small files in
place of its downloads (`fake_files.py`). `self_contained_2021.tsv` has the public files that this
was measured on, and the arguments of scripts.

The rule for that list. A file needs only the standard library, transformers, datasets (`nlp`),
torch, numpy, scipy, sklearn, pandas, matplotlib, tqdm, IPython, accelerate, evaluate, tokenizers;
imports within `try`, `if` and functions do not count. It does something: a notebook, or a script
with a main part. It works on text, without TensorFlow, without a login, without a module beside
it, and with data that a hub has or a file of a public form holds.

What is stood in for: `pip`, downloads and other shell commands are skipped; "cuda" reads as "cpu",
half precision as full, a checkpoint's number as that of the last one; `input()` gives two lines,
then ends the file. A cell that was saved with an error may fail again: its author shows it."""

import argparse
import contextlib
import csv
import json
import os
import re
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path

HERE = Path(__file__).resolve().parent
SECONDS = 240
ON_CPU = [
    (r"\.cuda\(\w*\)", ""),
    (r"([\"'])cuda(:\d)?\1", r"\1cpu\1"),
    (r"\.half\(\)", ""),
    (r"fp16=True", "fp16=False"),
    (r"num_workers=\d+", "num_workers=0"),
    (r"torch\.cuda\.(set_device|current_device|get_device_name)\(\w*\)", "0"),
    (
        r"\\?[\"']([\w/.]+)/checkpoint-\d+\\?[\"']",
        r"__import__('glob').glob('\1/checkpoint-*')[-1]",
    ),
]


def listed():
    "Return the rows of the list by the end of a file's name: the path, `/` written as `__`."
    with (HERE / "self_contained_2021.tsv").open(encoding="utf-8") as f:
        rows = list(csv.DictReader(f, delimiter="\t"))
    return {f"{row['repository']}/{row['path']}".replace("/", "__"): row for row in rows}


def row_of(path, known):
    "Return a file's row of the list, or an empty one; `@date` in its name does not count."
    name = re.sub(r"@[\d-]+", "", path.name).replace("+", "__")
    return known.get(name, {"arguments": "", "not counted": ""})


def on_cpu(text):
    "Return code that asks for no GPU."
    for old, new in ON_CPU:
        text = re.sub(old, new, text)
    return text


def child(script, words):
    "Run one migrated file in this process."
    import builtins

    sys.path[:] = [p for p in sys.path if Path(p or ".").resolve() != HERE]
    answers = iter(["A good film.", "It is good."])

    def answer(prompt=""):
        for text in answers:
            return text
        raise EOFError("no more input")

    builtins.input = answer
    sys.path.insert(0, os.getcwd())
    sys.argv = [script, *words]
    with contextlib.suppress(EOFError):
        if script.endswith(".py"):
            import runpy

            runpy.run_path(script, run_name="__main__")
        else:
            run_cells(json.loads(Path(script).read_text(encoding="utf-8")))


def run_cells(notebook):
    "Run a notebook's cells; raise at the first that fails, unless it failed when it was saved."
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    shell.system = shell.getoutput = lambda command, **_: print("skipped:", command) or []
    for name in (
        "pip",
        "conda",
        "cd",
        "mkdir",
        "matplotlib",
        "autoreload",
        "load_ext",
        "reload_ext",
    ):
        shell.register_magic_function(lambda line: None, "line", name)
    for name in ("bash", "sh", "writefile", "capture"):
        shell.register_magic_function(lambda line, cell: None, "cell", name)
    for i, cell in enumerate(notebook["cells"]):
        if cell["cell_type"] != "code":
            continue
        source = "".join(cell["source"])
        result = shell.run_cell(source, store_history=True)
        fails = any(o.get("output_type") == "error" for o in cell.get("outputs", []))
        fails |= "Error: " in json.dumps(cell.get("outputs", []))
        error = result.error_in_exec or result.error_before_exec
        if isinstance(error, (EOFError, SystemExit)):
            return
        if error is not None and not fails:
            print(f"FAILED in cell {i}:\n{source[:600]}", file=sys.stderr)
            raise error


def migrated(path):
    "Return a file's text after `migrate`."
    from nlp_tour.app.migrate import migrate, migrate_notebook

    text = path.read_text(encoding="utf-8")
    rewrite = migrate if path.suffix == ".py" else migrate_notebook
    return rewrite(text, str(path)).source


def source(text, path):
    "Return the code of a file."
    if path.suffix == ".py":
        return text
    return "\n".join("".join(cell["source"]) for cell in json.loads(text)["cells"])


def prepare(home):
    "Set the environment of the runs; before the libraries are imported."
    offline = ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "NLP_TOUR_OFFLINE", "OMP_NUM_THREADS")
    os.environ |= dict.fromkeys(offline, "1") | {"HF_HOME": str(home), "MPLBACKEND": "agg"}
    os.environ |= {"WANDB_DISABLED": "true", "TOKENIZERS_PARALLELISM": "false"}


def fork(script, words, log):
    "Run a migrated file in a process of its own; return whether it ended well and in time."
    pid = os.fork()
    if pid:
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                return os.waitstatus_to_exitcode(status) == 0
            time.sleep(0.2)
        os.killpg(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        log.open("a").write(f"\nover {SECONDS} s\n")
        return False
    code = 1
    try:
        os.setpgid(0, 0)
        out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(out, 1)
        os.dup2(out, 2)
        os.chdir(script.parent)
        child(script.name, words)
        code = 0
    except SystemExit as e:
        code = 0 if e.code in (None, 0) else 1
        print(e.code)
    except BaseException:  # whatever a stranger's file raises is its result
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def run(path, words, home, logs):
    "Run a file; return whether it ran to the end, and the last line of what it reported."
    import fake_files
    import fake_names

    log = logs / f"{path.name}.log"
    with tempfile.TemporaryDirectory() as place:
        text = on_cpu(migrated(path))
        work = fake_files.make(Path(place) / "a/b/work", text)
        fake_names.make(home, source(text, path) + "\n" + " ".join(words))
        fake_names.make_folder(work / "finetuned", "gpt2")
        script = work / ("run_it" + path.suffix)
        script.write_text(text, encoding="utf-8")
        sys.stdout.flush()
        good = fork(script, words, log)
    last = [t for t in log.read_text(encoding="utf-8", errors="replace").splitlines() if t.strip()]
    return good, last[-1] if last else ""


def main():
    "Run the files; print a line for each, and the count."
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("parts", nargs="*")
    parser.add_argument("--home", type=Path, default=Path(tempfile.gettempdir()) / "fake_names")
    parser.add_argument("--logs", type=Path, default=Path(tempfile.gettempdir()) / "run_folder")
    options = parser.parse_args()
    options.logs.mkdir(parents=True, exist_ok=True)
    prepare(options.home)
    import transformers  # noqa: F401  once for all runs

    import nlp_tour.all  # noqa: F401

    known, ran, files = listed(), 0, 0
    for path in sorted(options.folder.rglob("*")):
        wanted = not options.parts or any(part in path.name for part in options.parts)
        if path.suffix not in (".py", ".ipynb") or not wanted:
            continue
        row = row_of(path, known)
        if row["not counted"] and not options.parts:
            print("left out       ", path.name, "-", row["not counted"], flush=True)
            continue
        start = time.monotonic()
        good, last = run(path, (row["arguments"] or "").split(), options.home, options.logs)
        files, ran = files + 1, ran + good
        seconds = time.monotonic() - start
        print("ran   " if good else "FAILED", f"{seconds:4.0f} s ", path.name, flush=True)
        if not good:
            print("       ", last[:300], flush=True)
    print(f"{ran} of {files} files ran to the end; their output is in {options.logs}")
    return ran < files


if __name__ == "__main__":
    sys.exit(main())
