"""Run notebooks from top to bottom and keep the outputs that teach: `python tools/execute.py nbs/01_pipeline.ipynb …` (without names: all).

Cells flagged slow, gpu, hub or tf keep the outputs they have. Progress bars go, and so do the paths in front of warnings."""

import os
import re
import subprocess
import sys
from pathlib import Path

os.environ.setdefault("NLP_TOUR_OFFLINE", "1")
import nbformat
from nbclient import NotebookClient

root = Path(__file__).resolve().parent.parent
SKIPPED = re.compile(r"^#\|\s*(slow|gpu|hub|tf|notest|eval:\s*false)\b", re.M)


def tidy(outputs):
    "Outputs without progress bars, and warnings without the path of the cell."
    kept = []
    for o in outputs:
        data = o.get("data", {})
        if (
            data.pop("application/vnd.jupyter.widget-view+json", None) and "text/html" not in data
        ) or "━" in data.get("text/plain", ""):
            continue  # its static view stays
        if o.output_type == "stream" and o.name == "stderr":
            o.text = re.sub(
                r"^\S*ipykernel_\S+: (\w+): (.*)\n(  .*\n)?", r"\1: \2\n", o.text, flags=re.M
            )
            o.text = "".join(
                line for line in o.text.splitlines(True) if not re.search(r"\d+%\||\d+it \[", line)
            )
            if not o.text.strip():
                continue
        if kept and o.output_type == kept[-1].output_type == "stream" and o.name == kept[-1].name:
            kept[-1].text += o.text
        else:
            kept.append(o)
    return kept


def execute(path):
    "Run one notebook in place."
    nb = nbformat.read(path, 4)
    skipped = {
        i: (c.source, c.outputs)
        for i, c in enumerate(nb.cells)
        if c.cell_type == "code" and SKIPPED.search(c.source)
    }
    for i in skipped:
        nb.cells[i].source = ""
    NotebookClient(
        nb, timeout=900, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}}
    ).execute()
    for i, (source, outputs) in skipped.items():
        nb.cells[i].source, nb.cells[i].outputs = source, outputs
    for c in nb.cells:
        if c.cell_type != "code":
            continue
        c.outputs = tidy(c.outputs)
        if alt := re.search(r'^#\|\s*fig-alt:\s*"(.*)"$', c.source, re.M):
            for o in c.outputs:
                if "image/png" in o.get("data", {}):
                    o.metadata["image/png"] = {"alt": alt[1]}
    nb.metadata = {
        "kernelspec": {"name": "python3", "display_name": "python3", "language": "python"}
    }
    nbformat.write(nb, path)


if __name__ == "__main__":
    for path in map(
        Path,
        sys.argv[1:]
        or sorted(str(p) for p in (root / "nbs").rglob("*.ipynb") if "_proc" not in p.parts),
    ):
        print("running", path, flush=True)
        execute(path)
    subprocess.run([str(Path(sys.executable).with_name("nbdev_clean"))], cwd=root, check=True)
