"""How soon does `nlp-tour predict "text"` answer? Against `import torch` plus reading the same weights, in fresh processes.

    python benchmarks/bench_cli.py [--rounds 5]"""
import argparse, subprocess, sys

from common import interleaved, report, rounded

from nlp_tour.names import embedded

if __name__ == "__main__":
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_argument("--rounds", type=int, default=5)
    folder = str(embedded("sentiment"))
    python = lambda code: [sys.executable, "-c", code]
    commands = {"import torch and load the weights": python(f"import torch; from safetensors.torch import load_file; load_file({folder + '/model.safetensors'!r})"),
                "nlp-tour predict": [sys.executable, "-m", "nlp_tour.cli", "predict", "We are very happy.", "--model", folder],
                "nlp-tour predict, embedded by default": [sys.executable, "-m", "nlp_tour.cli", "predict", "We are very happy."],
                "nlp-tour --help": [sys.executable, "-m", "nlp_tour.cli", "--help"]}
    def start(command): return lambda: subprocess.run(command, check=True, capture_output=True)
    for command in commands.values(): start(command)()  # fill the disk cache
    median, spread, _ = interleaved({k: start(c) for k, c in commands.items()}, cli.parse_args().rounds)
    floor = median["import torch and load the weights"]
    report("cli", dict(seconds=rounded(median, 3), spread=rounded(spread),
                       times_the_floor={k: round(v / floor, 2) for k, v in median.items() if k.startswith("nlp-tour predict")}))
