"The floors of the house, from FLOORS in tests/test_house.py, and their table in CONTRIBUTING.md."

import ast
import re
from pathlib import Path

root = Path(__file__).resolve().parent.parent
nbs = root / "nbs"

# The name of each wing, and what lives there; "" are the chapters, " " is the one import.
WINGS = {
    "base": ("base", "Errors, texts, results, hardware; folders replaced whole."),
    "bridges": ("bridges", "PyTorch and TensorFlow weights, read into each other's models."),
    "hub": ("hub", "A name becomes a folder, a folder a checked model."),
    "pictures": ("pictures", "Plots, tables and reports: light and dark, with alt text."),
    "metrics": ("metrics", "Metrics that count as they go, under the names of 2021."),
    "data": ("data", "Any source of texts as one kind of table; the reviews."),
    "engine": ("engine", "Batches under a budget, and the encoders that answer them."),
    "tasks": ("tasks", "What an answer means: encode and decode, nothing else."),
    "inference": ("inference", "Arguments, the forward pass, and files of any size."),
    "training": ("training", "What Trainer and the native loop share."),
    "": ("the chapters", "The tour: front functions, short enough to read aloud."),
    "beyond": ("beyond", "One idea each, built from the floors below."),
    " ": ("all", "Everything in one import."),
    "app": ("app", "`nlp-tour`: each command is a call that a notebook could make."),
}


def floors():
    "Wing -> its rooms, from bottom to top."
    tree = ast.parse((root / "tests" / "test_house.py").read_text(encoding="utf-8"))
    assignments = [node for node in tree.body if isinstance(node, ast.Assign)]
    (found,) = [a.value for a in assignments if getattr(a.targets[0], "id", "") == "FLOORS"]
    return {wing: rooms.split() for wing, rooms in ast.literal_eval(found).items()}


def notebook(wing, room):
    "The notebook of a room, relative to `nbs/`; a chapter has a number in front of its name."
    if wing.strip():
        return f"{wing}/{room}.ipynb"
    numbered = [p.name for p in nbs.glob(f"0?_{room}.ipynb")]
    return numbered[0] if numbered else f"{room}.ipynb"


def table():
    "The floors as Markdown, the top floor first; each room links to its notebook."
    rows = ["| wing | what lives there | rooms |", "|---|---|---|"]
    for wing, rooms in reversed(floors().items()):
        name, sentence = WINGS[wing]
        links = ", ".join(f"[{room}](nbs/{notebook(wing, room)})" for room in rooms)
        rows.append(f"| **{name}** | {sentence} | {links} |")
    return "\n".join(rows)


def contributing():
    "CONTRIBUTING.md with the table of today between its marks."
    text = (root / "CONTRIBUTING.md").read_text(encoding="utf-8")
    marks = re.compile(r"(<!-- floors -->\n).*?(<!-- /floors -->)", re.S)
    return marks.sub(lambda m: f"{m[1]}{table()}\n{m[2]}", text)
