"""Run notebooks from top to bottom and keep the outputs that teach:
`python tools/execute.py nbs/01_pipeline.ipynb …`, without names all.

Cells flagged slow, gpu, hub or tf keep the outputs they have. Progress bars go, and so do the paths
in front of warnings."""

import os
import re
import subprocess
import sys
from pathlib import Path

os.environ.setdefault("NLP_TOUR_OFFLINE", "1")
import nbformat  # noqa: E402
from nbclient import NotebookClient  # noqa: E402

root = Path(__file__).resolve().parent.parent
SKIPPED = re.compile(r"^#\|\s*(slow|gpu|hub|tf|notest|eval:\s*false)\b", re.M)
WARNED = re.compile(r"^\S*ipykernel_\S+: (\w+): (.*)\n(  .*\n)?", re.M)
PROGRESS = re.compile(r"\d+%\||\d+it \[")
WIDGET = "application/vnd.jupyter.widget-view+json"


def is_progress(output):
    "Whether an output is a live view, of a bar for example; its static view stays."
    data = output.get("data", {})
    live = data.pop(WIDGET, None) and "text/html" not in data
    return live or "━" in data.get("text/plain", "")


def without_noise(text):
    "What came on stderr without progress bars and the paths of warnings."
    lines = WARNED.sub(r"\1: \2\n", text).splitlines(True)
    return "".join(line for line in lines if not PROGRESS.search(line))


def tidy(outputs):
    "Outputs without progress bars, and warnings without the path of the cell."
    kept = []
    for output in outputs:
        if is_progress(output):
            continue
        stream = output.get("name")
        if stream == "stderr":
            output.text = without_noise(output.text)
            if not output.text.strip():
                continue
        if stream and kept and kept[-1].get("name") == stream:
            kept[-1].text += output.text
        else:
            kept.append(output)
    return kept


def describe_figures(cell):
    "Put the alt text of a cell on its pictures."
    alt = re.search(r'^#\|\s*fig-alt:\s*"(.*)"$', cell.source, re.M)
    for output in cell.outputs if alt else []:
        if "image/png" in output.get("data", {}):
            output.metadata["image/png"] = {"alt": alt[1]}


def execute(path):
    "Run one notebook in place."
    nb = nbformat.read(path, 4)
    code = [c for c in nb.cells if c.cell_type == "code"]
    skipped = [(c, c.source, c.outputs) for c in code if SKIPPED.search(c.source)]
    for cell, *_ in skipped:
        cell.source = ""
    here = {"metadata": {"path": str(path.parent)}}
    NotebookClient(nb, timeout=900, kernel_name="python3", resources=here).execute()
    for cell, source, outputs in skipped:
        cell.source = source
        cell.outputs = outputs
    for cell in code:
        cell.outputs = tidy(cell.outputs)
        describe_figures(cell)
    kernel = {"name": "python3", "display_name": "python3", "language": "python"}
    nb.metadata = {"kernelspec": kernel}
    nbformat.write(nb, path)


if __name__ == "__main__":
    notebooks = sorted(p for p in (root / "nbs").rglob("*.ipynb") if "_proc" not in p.parts)
    for path in map(Path, sys.argv[1:] or notebooks):
        print("running", path, flush=True)
        execute(path)
    subprocess.run([str(Path(sys.executable).with_name("nbdev_clean"))], cwd=root, check=True)
