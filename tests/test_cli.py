"The commands that hand on to another module; skipped only where that module is missing."
import importlib.util, os, subprocess, sys

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
