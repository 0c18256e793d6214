"Write README.md from nbs/index.ipynb: `python tools/readme.py`."

import re
import sys
from pathlib import Path

import nbformat

root = Path(__file__).resolve().parent.parent
sys.path.append(str(root / "benchmarks"))
import table


def directives(source):
    "The `#|` lines of a cell."
    return set(re.findall(r"^#\|\s*(\w+)", source, re.M))


def outputs(cell):
    "What a cell printed and returned, as indented text."
    text = "".join(
        o["text"]
        if o.output_type == "stream" and o.name == "stdout"
        else o.get("data", {}).get("text/plain", "")
        for o in cell.outputs
    )
    return ["\n".join("    " + line for line in text.strip().splitlines())] if text.strip() else []


def tables(notebook):
    "The sections of a notebook that hold a table, a level deeper."
    return [
        re.sub("(?m)^## ", "### ", c.source)
        for c in nbformat.read(root / "nbs" / notebook, 4).cells
        if c.cell_type == "markdown" and c.source.startswith("## ") and "|---" in c.source
    ]


MORE = {
    "## Measured": lambda: [table.table()],
    "## Reliability": lambda: tables("reliability.ipynb"),
}  # what README has in full and the site on pages of its own


def readme():
    "README.md as a string: the notebook's text, code and outputs, without what it hides."
    blocks = []
    for cell in nbformat.read(root / "nbs" / "index.ipynb", 4).cells:
        if cell.cell_type == "markdown":
            blocks += [cell.source, *MORE.get(cell.source.split("\n")[0], list)()]
        elif not directives(cell.source) & {"hide", "default_exp"}:
            blocks += [f"```python\n{cell.source}\n```", *outputs(cell)]
    text = "\n\n".join(blocks)
    text = re.sub(r"(\]\(|src=\")(images/)", r"\1nbs/\2", text)
    return re.sub(r"\]\((?!http|nbs/|#)([\w/]+\.ipynb)\)", r"](nbs/\1)", text) + "\n"


if __name__ == "__main__":
    (root / "README.md").write_text(readme(), encoding="utf-8")
