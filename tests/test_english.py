"Words that good technical English does without: none of them is left in the sources."

import io
import json
import re
import tokenize
from pathlib import Path

import pytest

root = Path(__file__).resolve().parent.parent
WORDS = re.compile(
    r"""(?<!["'])\b(said|told|shall|whoever|whosoever|no\s+number\b(?!\s+of))\b(?!["'])
    |(?:^|[.;:!?]\s)Who\s(?!is\b|was\b|are\b|does\b|did\b|wrote\b|will\b|has\b)[a-z]+[^?.]*[.;,]""",
    re.X | re.I | re.M,
)
FOLDERS = {"nbs": "*.ipynb", "nbs/site": "*.py", "tools": "*.py", "benchmarks": "*.py"}
SOURCES = [
    *(path for folder, names in FOLDERS.items() for path in sorted((root / folder).rglob(names))),
    *(path for folder in (".", "nbs", "benchmarks") for path in (root / folder).glob("*.md")),
    *(root / "nbs").glob("*.qmd"),
    *(root / "tests").rglob("*.py"),
]


def strings_and_comments(code):
    "The strings of several words and the comments of Python code; a magic line is none."
    code = re.sub(r"^[%!].*", "", code, flags=re.M)
    kinds = {tokenize.STRING, tokenize.COMMENT, getattr(tokenize, "FSTRING_MIDDLE", None)}
    found = tokenize.generate_tokens(io.StringIO(code).readline)
    return [t.string for t in found if t.type in kinds and t.string.count(" ") > 1]


def prose(path):
    "What a file says in English, piece by piece."
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        return strings_and_comments(text)
    if path.suffix != ".ipynb":
        return [text]
    cells = [(c["cell_type"], "".join(c["source"])) for c in json.loads(text)["cells"]]
    code = [piece for kind, s in cells if kind == "code" for piece in strings_and_comments(s)]
    return [s for kind, s in cells if kind == "markdown"] + code


@pytest.mark.parametrize(
    "path", [p for p in SOURCES if "_proc" not in p.parts], ids=lambda p: p.stem
)
def test_no_such_word(path):
    if path == Path(__file__).resolve():
        return
    found = [m[0] for piece in prose(path) for m in WORDS.finditer(piece)]
    assert found == [], found


def test_the_words_are_found():
    for bad in (
        "He said so.",
        "It shall be.",
        "Who wants more, asks.",
        "Whoever reads",
        "no number",
    ):
        assert WORDS.search(bad), bad
    for good in ("Who is it?", "a number", 'the `how` is "told"'):
        assert not WORDS.search(good), good
