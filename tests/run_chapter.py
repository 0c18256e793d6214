"""Run one notebook in this process, without a network, as on a machine of `test_machines`:
`python tests/run_chapter.py nbs/01_pipeline.ipynb ["a T4"]`. The exit code is 1 if a cell fails,
or if the chapter chose what another machine would."""

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
    "Run the code cells in order; return the names that they defined, or None if one failed."
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance(colors="nocolor")
    for number, cell in enumerate(json.loads(path.read_text(encoding="utf-8"))["cells"]):
        source = "".join(cell["source"])
        if cell["cell_type"] != "code" or SKIPPED.search(source):
            continue
        if not shell.run_cell(source).success:
            print(f"{path.stem}: cell {number} failed:\n{source}")
            return None
    return shell.user_ns


def check_choices(machine, names):
    "What a chapter chose on a machine: device, precision, budget, and which path answers."
    kind = MACHINES[machine].kind
    precision, _, budget, by_hand = CHOICES[machine]
    if "quick" in names:  # chapter 1; it has changed the model of `quick` by hand
        pipe = names["pipeline"]("sentiment-analysis")
        assert (pipe.device.type, pipe.batch_tokens) == (kind, budget)
        assert (pipe.fast is not None) == by_hand
    if "history" in names:  # chapter 5
        args = names["trainer"].args
        assert (args.bf16, args.fp16) == (precision == "bf16", precision == "fp16")
        assert args.device.type == names["model"].device.type == kind
    if "third" in names:  # chapter 6
        assert names["third"].device.type == kind


if __name__ == "__main__":
    sys.addaudithook(refuse_network)
    matplotlib.use("agg")
    warnings.filterwarnings("ignore", message=".*non-interactive")
    path = Path(sys.argv[1]).resolve()
    os.chdir(path.parent)
    if len(sys.argv) == 2:
        sys.exit(run(path) is None)
    from pretending import pretending
    from test_machines import CHOICES, MACHINES

    with pretending(MACHINES[sys.argv[2]]):
        names = run(path)
        if names is None:
            sys.exit(1)
        check_choices(sys.argv[2], names)
