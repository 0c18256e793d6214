"Exercises of the chapters: what is folded as the solution is what a hidden cell runs."

import json
import re
from pathlib import Path

import pytest

from nlp_tour.base.exercises import EXERCISES as CHECKS

root = Path(__file__).resolve().parent.parent
EXERCISES = [*sorted((root / "nbs").glob("0[1-6]_*.ipynb")), root / "nbs/base/exercises.ipynb"]


def cells(path, kind):
    "The sources of the cells of one kind."
    found = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return ["".join(c["source"]) for c in found if c["cell_type"] == kind]


def solutions(path):
    "The code in the folded solutions."
    folded = re.compile(r"<details>.*?Solution.*?```python\n(.*?)\n```.*?</details>", re.S)
    return [code for text in cells(path, "markdown") for code in folded.findall(text)]


@pytest.mark.parametrize("path", EXERCISES, ids=lambda p: p.stem)
def test_solutions_are_run_and_wrong_answers_get_a_hint(path):
    hidden = [c for c in cells(path, "code") if c.startswith("#| hide") and "check_answer(" in c]
    for code in solutions(path):
        tests = [c for c in hidden if code in c]
        assert tests, f"no hidden cell runs the solution {code!r}"
        assert any("test_fail(lambda: check_answer(" in c for c in tests)


@pytest.mark.parametrize("path", EXERCISES[:-1], ids=lambda p: p.stem)
def test_every_exercise_of_a_chapter_has_its_check(path):
    asked = re.findall(r"\*\*Exercise (\d)\.\*\*", "\n".join(cells(path, "markdown")))
    shown = [c for c in cells(path, "code") if not c.startswith("#| hide")]
    checked = re.findall(r'check_answer\(answer, "([\d.]+)"', "\n".join(shown))
    chapter = int(path.stem[:2])
    assert checked == [f"{chapter}.{number}" for number in asked]
    assert checked == [number for number in CHECKS if number.startswith(f"{chapter}.")]


def test_no_cell_shows_a_hint_before_an_answer():
    hints = [hint for _, hint in CHECKS.values()]
    for path in EXERCISES[:-1]:
        for cell in cells(path, "code") + cells(path, "markdown"):
            assert not any(hint in cell for hint in hints)
