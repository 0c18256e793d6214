"""Run one notebook in this process, without a network, as on a machine of `test_machines`:
`python tests/run_chapter.py nbs/01_pipeline.ipynb ["a T4"]`. The exit code is 1 if a cell fails."""

import json
import os
import re
import sys
import warnings
from pathlib import Path

import matplotlib

SKIPPED = re.compile(r"^#\|\s*(slow|gpu|hub|tf|notest|eval:\s*false)\b", re.M)


def refuse_network(event, args):
    "End a call that would reach another machine."
    if event == "socket.getaddrinfo" or (event == "socket.connect" and isinstance(args[1], tuple)):
        raise PermissionError(f"a chapter asked for the network: {args}")


def run(path):
    "Run the code cells in order; return whether all succeeded."
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    for number, cell in enumerate(json.loads(path.read_text(encoding="utf-8"))["cells"]):
        source = "".join(cell["source"])
        if cell["cell_type"] != "code" or SKIPPED.search(source):
            continue
        if not shell.run_cell(source).success:
            print(f"{path.stem}: cell {number} failed:\n{source}")
            return False
    return True


if __name__ == "__main__":
    sys.addaudithook(refuse_network)
    matplotlib.use("agg")
    warnings.filterwarnings("ignore", message=".*non-interactive")
    path = Path(sys.argv[1]).resolve()
    os.chdir(path.parent)
    if len(sys.argv) == 2:
        sys.exit(not run(path))
    from pretending import pretending
    from test_machines import MACHINES

    with pretending(MACHINES[sys.argv[2]]):
        sys.exit(not run(path))
