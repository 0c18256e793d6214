"Exercises of the chapters: what is folded as the solution is what a hidden cell runs."

import json
import re
from pathlib import Path

import pytest

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
