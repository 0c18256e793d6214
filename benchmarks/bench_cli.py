"""How soon does `nlp-tour predict "text"` answer? Against `import torch` plus reading the same
weights, in fresh processes.

    python benchmarks/bench_cli.py [--rounds 5]

For one text the command computes in NumPy and does not import torch. With torch it would end
without taking it apart, so that script is there twice: one ends by itself, the other as the command
does."""

import subprocess
import sys

from common import interleaved, options, report, rounded

from nlp_tour.hub.standins import embedded

FLOOR = """import os, torch
from safetensors.torch import load_file
load_file({weights!r})
"""


def python(code):
    return [sys.executable, "-c", code]


def nlp_tour(*arguments):
    return [sys.executable, "-m", "nlp_tour.app.cli", *arguments]


def start(command):
    return lambda: subprocess.run(command, check=True, capture_output=True)


if __name__ == "__main__":
    rounds = options(__doc__, rounds=5).rounds
    folder = embedded("sentiment")
    floor = FLOOR.format(weights=str(folder / "model.safetensors"))
    ask = ("predict", "We are very happy.")
    floors = {
        "import torch and load the weights": python(floor),
        "the same, ended at once": python(floor + "os._exit(0)"),
    }
    commands = floors | {
        "nlp-tour predict": nlp_tour(*ask, "--model", str(folder)),
        "nlp-tour predict, embedded by default": nlp_tour(*ask),
        "nlp-tour --help": nlp_tour("--help"),
    }
    work = {name: start(command) for name, command in commands.items()}
    for run in work.values():
        run()  # fill the disk cache
    median, spread, _ = interleaved(work, rounds)
    ours = median["nlp-tour predict"]
    figures = {
        "seconds": rounded(median, 3),
        "spread": rounded(spread),
        "times_the_floor": {name: round(ours / median[name], 2) for name in floors},
    }
    report("cli", figures)
