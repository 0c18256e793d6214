"Write README.md from nbs/index.ipynb, and the table of rooms in CONTRIBUTING.md."

import re
import sys
from pathlib import Path

import floors
import nbformat

root = Path(__file__).resolve().parent.parent
sys.path.append(str(root / "benchmarks"))


def directives(source):
    "The `#|` lines of a cell."
    return set(re.findall(r"^#\|\s*(\w+)", source, re.M))


def printed(output):
    "The text of one output."
    if output.output_type == "stream" and output.name == "stdout":
        return output["text"]
    return output.get("data", {}).get("text/plain", "")


def outputs(cell):
    "What a cell printed and returned, as indented text."
    text = "".join(map(printed, cell.outputs)).strip()
    return ["\n".join("    " + line for line in text.splitlines())] if text else []


def measured():
    "The figures of the benchmarks."
    import table

    return [table.table()]


# What README has in full and the site on a page of its own.
MORE = {"## Measured": measured}


def readme():
    "README.md as a string: the notebook's text, code and outputs, without what it hides."
    blocks = []
    for cell in nbformat.read(root / "nbs" / "index.ipynb", 4).cells:
        if cell.cell_type == "markdown":
            heading = cell.source.split("\n")[0]
            blocks += [cell.source, *MORE.get(heading, list)()]
        elif not directives(cell.source) & {"hide", "default_exp"}:
            blocks += [f"```python\n{cell.source}\n```", *outputs(cell)]
    text = "\n\n".join(blocks)
    text = re.sub(r"(\]\(|src=\")(images/)", r"\1nbs/\2", text)
    return re.sub(r"\]\((?!http|nbs/|#)([\w/]+\.ipynb)\)", r"](nbs/\1)", text) + "\n"


if __name__ == "__main__":
    (root / "README.md").write_text(readme(), encoding="utf-8")
    (root / "CONTRIBUTING.md").write_text(floors.contributing(), encoding="utf-8")
