"The commands that hand on to another module; skipped only where that module is missing."
import importlib.util, os, shutil, subprocess, sys
from pathlib import Path

import pytest


def needs(module): return pytest.mark.skipif(importlib.util.find_spec(f"nlp_tour.{module}") is None, reason=f"there is no nlp_tour.{module}")


def command(*args): return subprocess.run([sys.executable, "-m", "nlp_tour.cli", *map(str, args)], env=os.environ | {"NLP_TOUR_OFFLINE": "1"}, capture_output=True, text=True, timeout=120)


@needs("check")
def test_check_says_what_it_finds_by_its_exit_code(tiny_classifier):
    run = command("check", tiny_classifier)
    assert run.returncode in (0, 1) and run.stdout and "Traceback" not in run.stderr, run.stderr


@needs("migrate")
def test_migrate_shows_and_then_writes(tmp_path):
    old = tmp_path/"train.py"
    old.write_text("from transformers import AdamW, TrainingArguments\nargs = TrainingArguments('out', evaluation_strategy='epoch')\n")
    run = command("migrate", old)
    assert run.returncode == 1 and run.stdout.startswith("---") and "evaluation_strategy" in old.read_text(), run.stderr
    assert command("migrate", old, "--write").returncode == 0 and "evaluation_strategy='epoch'" not in old.read_text()
    old.write_text("from transformers import *\n")
    for words in ((), ("--write",)):
        run = command("migrate", old, *words)
        assert run.returncode == 1 and "train.py, line 1: `from transformers import *` is left as it is" in run.stdout, run.stderr


def tab(home, *words):
    "What bash offers after the last of `words`, with the completion that was installed in `home`."
    script = f"source ~/.bashrc; COMP_WORDS=({' '.join(words[:-1])} '{words[-1]}'); COMP_CWORD={len(words) - 1}; $(complete -p nlp-tour | sed 's/.*-F \\([^ ]*\\).*/\\1/') nlp-tour; echo ${{COMPREPLY[@]}}"
    return subprocess.run(["bash", "-c", script], env=at_home(home), capture_output=True, text=True, check=True, timeout=60).stdout.split()


def at_home(home): return os.environ | {"HOME": str(home), "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "NLP_TOUR_OFFLINE": "1"}


@pytest.mark.skipif(not shutil.which("bash"), reason="there is no bash")
def test_the_tab_key_works_in_bash_after_the_command_installed_it(tmp_path):
    run = subprocess.run(["bash", "-c", "nlp-tour --install-completion; exit $?"], env=at_home(tmp_path), capture_output=True, text=True, timeout=60)
    assert run.returncode == 0 and "bash completion installed" in run.stdout, run.stdout + run.stderr
    assert tab(tmp_path, "nlp-tour", "pre") == ["predict"]
    assert tab(tmp_path, "nlp-tour", "predict", "--mo") == ["--model"]
    assert tab(tmp_path, "nlp-tour", "predict", "--task", "question") == ["question-answering"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_the_completion_is_shown_for_every_shell(shell):
    env = os.environ | {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    run = subprocess.run([Path(sys.executable).parent/"nlp-tour", "--show-completion", shell], env=env, capture_output=True, text=True, timeout=60)
    assert run.returncode == 0 and "_NLP_TOUR_COMPLETE" in run.stdout and shell in run.stdout, run.stderr
