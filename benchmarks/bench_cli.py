"""How soon does `nlp-tour predict "text"` answer? Against `import torch` plus reading the same weights, in fresh processes.

    python benchmarks/bench_cli.py [--rounds 5]

The command ends without taking torch apart, so the floor is there twice: as a script that ends by itself, and as one that ends as the command does."""

import argparse
import subprocess
import sys

from common import interleaved, report, rounded

from nlp_tour.hub.standins import embedded

if __name__ == "__main__":
    cli = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    cli.add_argument("--rounds", type=int, default=5)
    folder = str(embedded("sentiment"))

    def python(code):
        return [sys.executable, "-c", code]

    floor = f"import os, torch; from safetensors.torch import load_file; load_file({folder + '/model.safetensors'!r})"
    commands = {
        "import torch and load the weights": python(floor),
        "the same, ended at once": python(floor + "; os._exit(0)"),
        "nlp-tour predict": [
            sys.executable,
            "-m",
            "nlp_tour.app.cli",
            "predict",
            "We are very happy.",
            "--model",
            folder,
        ],
        "nlp-tour predict, embedded by default": [
            sys.executable,
            "-m",
            "nlp_tour.app.cli",
            "predict",
            "We are very happy.",
        ],
        "nlp-tour --help": [sys.executable, "-m", "nlp_tour.app.cli", "--help"],
    }

    def start(command):
        return lambda: subprocess.run(command, check=True, capture_output=True)

    for command in commands.values():
        start(command)()  # fill the disk cache
    median, spread, _ = interleaved(
        {k: start(c) for k, c in commands.items()}, cli.parse_args().rounds
    )
    report(
        "cli",
        {
            "seconds": rounded(median, 3),
            "spread": rounded(spread),
            "times_the_floor": {
                floor: round(median["nlp-tour predict"] / median[floor], 2)
                for floor in list(commands)[:2]
            },
        },
    )
