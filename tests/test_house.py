"The rules of the house: floors, notebooks, README, installation."

import ast
import json
import os
import re
import subprocess
import sys
import venv
from pathlib import Path

import pytest
from readme import readme

root = Path(__file__).resolve().parent.parent
NOTEBOOKS = [
    p
    for p in sorted((root / "nbs").rglob("*.ipynb"))
    if not {"_proc", ".ipynb_checkpoints"} & set(p.parts)
]

# The floors of the house, from bottom to top: a room imports only rooms that stand before it.
FLOORS = {
    "base": "errors patch texts results hardware folders",
    "bridges": "graph tensorflow",
    "hub": "files names",
    "pictures": "plots",
    "metrics": "counters scores",
    "data": "readers columns datasets",
    "engine": "batching encoder openvino check",
    "tasks": """base classification token_classification features question_answering fill_mask
        zero_shot generation conversational seq2seq table""",
    "inference": "arguments files",
    "training": "encodings checkpoints",
    "": "tokenizer model pipeline customization trainer native_loop",
    "beyond": """wordpiece lora sweep explain attention browse calibration few_shot
        playground""",
    " ": "all",
    "app": "console cells tour migrate cli",
}
ORDER = [f"{wing}.{room}".strip(". ") for wing, rooms in FLOORS.items() for room in rooms.split()]
# Imports that point upwards until their rooms are divided; this list only shrinks.
WAIVED = {
    ("training.encodings", "tokenizer"),
    ("engine.check", "tokenizer"),
    ("engine.check", "model"),
    ("inference.arguments", "model"),
    ("bridges.tensorflow", "hub.names"),
    ("engine.openvino", "model"),
}


def module_name(path):
    return ".".join(path.relative_to(root / "nlp_tour").with_suffix("").parts)


MODULES = {
    module_name(p): p
    for p in sorted((root / "nlp_tour").rglob("*.py"))
    if p.stem not in ("__init__", "_modidx")
}


def imports(path, name):
    "The modules of the package that a module imports, anywhere in it."
    found, here = set(), ["nlp_tour", *name.split(".")]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            base = ".".join(
                (here[: -node.level] if node.level else [])
                + (node.module.split(".") if node.module else [])
            )
            found |= {base, *(f"{base}.{a.name}" for a in node.names)}
        elif isinstance(node, ast.Import):
            found |= {a.name for a in node.names}
    return {f.removeprefix("nlp_tour.") for f in found if f.startswith("nlp_tour.")} & set(MODULES)


def test_every_module_has_its_floor():
    assert set(MODULES) == set(ORDER)


@pytest.mark.parametrize("name", MODULES)
def test_a_module_imports_only_what_stands_below_it(name):
    above = [m for m in imports(MODULES[name], name) if ORDER.index(m) >= ORDER.index(name)]
    assert not [m for m in above if (name, m) not in WAIVED], f"{name} imports {above}"


@pytest.mark.parametrize("name", MODULES)
def test_a_module_can_be_read_in_one_sitting(name):
    assert len(MODULES[name].read_text(encoding="utf-8").splitlines()) <= 600


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_notebook_style(path):
    raw = path.read_text(encoding="utf-8")
    cells = json.loads(raw)["cells"]
    code = ["".join(c["source"]) for c in cells if c["cell_type"] == "code"]
    assert "skip_exec" not in raw
    assert len(raw) <= 300_000, "300 KB with its outputs is the limit"
    assert (
        max(len(c.splitlines()) for c in code if re.search(r"^#\|\s*exports?\b", c, re.M)) <= 110
        if any("#| export" in c for c in code)
        else True
    )
    shown = json.dumps([c.get("outputs", []) for c in cells])
    assert not re.search(
        r"Traceback \(most recent|/tmp/|/home/|/root/|/work/|site-packages|\d+%\|", shown
    ), "an output holds a path, a traceback or a progress bar"
    assert "".join(cells[0]["source"]).startswith("# "), "a notebook opens with its title"
    for cell in cells:
        blocks = (
            re.findall(r"(?:^\|.*\n?)+", "".join(cell["source"]), re.M)
            if cell["cell_type"] == "markdown"
            else []
        )
        assert all(re.match(r"\|.*\n\|[-:| ]+\|\n", b) for b in blocks), "a table without its head"


def test_readme_agrees_with_the_index():
    assert (root / "README.md").read_text(encoding="utf-8") == readme(), "run: make readme"


def test_importing_the_package_is_light():
    heavy = "import sys, nlp_tour, nlp_tour.base.texts, nlp_tour.hub.names, nlp_tour.all; print([m for m in ('torch', 'transformers', 'datasets', 'pandas', 'matplotlib') if m in sys.modules])"
    assert (
        subprocess.run(
            [sys.executable, "-c", heavy], capture_output=True, text=True, check=True
        ).stdout.strip()
        == "[]"
    )


def test_the_wheel_installs_into_an_empty_environment(tmp_path):
    def run(*c, **kw):
        return subprocess.run(list(map(str, c)), check=True, capture_output=True, text=True, **kw)

    run(sys.executable, "-m", "build", "--outdir", tmp_path / "dist", root)
    (wheel,), (sdist,) = (tmp_path / "dist").glob("*.whl"), (tmp_path / "dist").glob("*.tar.gz")
    venv.create(tmp_path / "env", with_pip=True)
    python = tmp_path / "env" / ("Scripts" if os.name == "nt" else "bin") / "python"
    run(python, "-m", "pip", "install", "-q", "--no-deps", wheel)
    code = (
        "import sys, nlp_tour; from pathlib import Path; from nlp_tour.hub.names import ADAPTER; from nlp_tour.app.console import copy_notebooks; "
        "print(nlp_tour.__version__, 'torch' in sys.modules, 'transformers' in sys.modules, sorted(p.name for p in ADAPTER.iterdir()), len(copy_notebooks('chapters')))"
    )
    said = run(python, "-c", code, cwd=tmp_path).stdout.strip()
    assert said.endswith(
        f"False False ['README.md', 'adapter_config.json', 'adapter_model.safetensors'] {len(NOTEBOOKS) + len(list((root / 'nbs').rglob('*.png')))}"
    ), said
    assert (tmp_path / "chapters" / "tasks" / "generation.ipynb").read_bytes() == (
        root / "nbs" / "tasks" / "generation.ipynb"
    ).read_bytes()
