"""Print versions as constraints for pip: `python tools/pins.py lowest`, the lowest of settings.ini,
or `python tools/pins.py colab-2026-08`, those that a file beside this one lists.

torch is that of constraints.txt, since others come with gigabytes for a GPU; `torch` after the name
keeps the set's own."""

import re
import sys
from configparser import ConfigParser
from pathlib import Path

here = Path(__file__).resolve().parent
root = here.parent
# Later ones do not go with the lowest NumPy and the lowest Matplotlib.
BESIDE = ["pyarrow==17.0.0", "ipython==8.23.0"]


def lines(path):
    "The pins in a file, without comments."
    text = path.read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def settings():
    "The entries of settings.ini."
    found = ConfigParser(delimiters=["="])
    found.read(root / "settings.ini", encoding="utf-8")
    return found["DEFAULT"]


def lowest():
    "Each requirement of settings.ini at its lower bound."
    config = settings()
    wanted = [*config["requirements"].split(), *config["dev_requirements"].split()]
    return [r.replace(">=", "==", 1) for r in wanted if "=" in r] + BESIDE


def pins(name, own_torch=False):
    "The pins of a set, with the torch of constraints.txt or with its own."
    found = lowest() if name == "lowest" else lines(here / f"{name}.txt")
    if own_torch:
        return found
    (torch,) = (line for line in lines(root / "constraints.txt") if line.startswith("torch=="))
    return [torch if re.match(r"torch\b", line) else line for line in found]


if __name__ == "__main__":
    print("\n".join(pins(sys.argv[1], own_torch="torch" in sys.argv[2:])))
