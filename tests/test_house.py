"The rules of the house: floors, notebooks, README."

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import floors
import pytest
from readme import readme

root = Path(__file__).resolve().parent.parent
NOTEBOOKS = [
    p
    for p in sorted((root / "nbs").rglob("*.ipynb"))
    if not {"_proc", ".ipynb_checkpoints"} & set(p.parts)
]

LINES_OF_A_MODULE = 300
LINES_OF_A_CELL = 40  # of an exported one

# The floors of the house, from bottom to top: a room imports only rooms that stand before it.
FLOORS = {
    "base": """errors names_2021 available_2021 gone_2021 patch exercises texts results hardware
        transfers strangers locks folders""",
    "bridges": "graph rules weights tensorflow keras_2021 callbacks_2021",
    "hub": """files standins names inputs tokenizer_files tokenizers_2021 tokenizers heads configs
        weights calling adapters models_2021 loading lm_head_2021 saving tensorflow""",
    "pictures": "images plots tables steps tokens drawings weights encoder report",
    "metrics": "counters classification regression glue entities generated scores",
    "data": """streams formats readers splits tables columns matching labels reviews by_name
        supervision datasets tokenized lines_2021 glue_2021 xnli_2021
        squad_2021 squad_set_2021 squad_answers_2021""",
    "engine": "tokens batching layers encoder numpy_encoder openvino problems check_data check",
    "tasks": """base registry classification token_classification features question_answering
        fill_mask zero_shot decoding generation text_generation conversational seq2seq
        table""",
    "inference": "arguments bundle bars loading writers scoring parts files budget forward steps",
    "training": """arguments_2021 arguments labels model_parts encodings identity checkpoints steps
        optimizer loop history callbacks evaluation resuming signatures methods_2021
        trainer_2021""",
    "": "tokenizer model pipeline customization trainer native_loop",
    "beyond": """wordpiece lora sweep targets explain attention browse calibration few_shot
        playground""",
    " ": "all",
    "app": """console notebooks tour_report runs own_data tour migrate_cells homes meanings
        importing call_arguments old_uses unpacking rewriting stars migrate options steps cli""",
}
ORDER = [f"{wing}.{room}".strip(". ") for wing, rooms in FLOORS.items() for room in rooms.split()]


def module_name(path):
    return ".".join(path.relative_to(root / "nlp_tour").with_suffix("").parts)


MODULES = {
    module_name(p): p
    for p in sorted((root / "nlp_tour").rglob("*.py"))
    if p.stem not in ("__init__", "_modidx")
}


def absolute(node, package):
    "The module that `from … import …` names, for a module in this package."
    here = package[: len(package) + 1 - node.level] if node.level else []
    return ".".join([*here, *filter(None, [node.module])])


def imports(path, name):
    "The modules of the package that a module imports, anywhere in it."
    found, package = set(), ["nlp_tour", *name.split(".")[:-1]]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            base = absolute(node, package)
            found |= {base, *(f"{base}.{a.name}" for a in node.names)}
        elif isinstance(node, ast.Import):
            found |= {a.name for a in node.names}
    return {f.removeprefix("nlp_tour.") for f in found if f.startswith("nlp_tour.")} & set(MODULES)


def test_every_module_has_its_floor():
    assert set(MODULES) == set(ORDER)


def test_every_wing_has_a_sentence_and_every_room_a_notebook():
    assert set(floors.WINGS) == set(FLOORS)
    rooms = [(wing, room) for wing, rooms in FLOORS.items() for room in rooms.split()]
    missing = [room for room in rooms if not (root / "nbs" / floors.notebook(*room)).is_file()]
    assert not missing


@pytest.mark.parametrize("name", MODULES)
def test_a_module_imports_only_what_stands_below_it(name):
    above = [m for m in imports(MODULES[name], name) if ORDER.index(m) >= ORDER.index(name)]
    assert not above, f"{name} imports {above}"


@pytest.mark.parametrize("name", MODULES)
def test_a_module_can_be_read_in_one_sitting(name):
    assert len(MODULES[name].read_text(encoding="utf-8").splitlines()) <= LINES_OF_A_MODULE


def sources(path, kind):
    "The sources of a notebook's cells of one kind."
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return ["".join(c["source"]) for c in cells if c["cell_type"] == kind]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_a_notebook_opens_with_its_title_and_is_small(path):
    raw = path.read_text(encoding="utf-8")
    assert "skip_exec" not in raw
    assert len(raw) <= 300_000, "300 KB with its outputs is the limit"
    assert "".join(json.loads(raw)["cells"][0]["source"]).startswith("# ")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_an_exported_cell_is_short(path):
    exported = [c for c in sources(path, "code") if re.search(r"^#\|\s*exports?\b", c, re.M)]
    long = [c for c in exported if len(c.splitlines()) > LINES_OF_A_CELL]
    assert not long


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_outputs_hold_no_path_no_traceback_and_no_progress_bar(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    shown = json.dumps([c.get("outputs", []) for c in cells])
    paths = r"/tmp/|/home/|/root/|/work/|site-packages"
    assert not re.search(rf"Traceback \(most recent|{paths}|\d+%\|", shown)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_a_table_has_its_head(path):
    for text in sources(path, "markdown"):
        for block in re.findall(r"(?:^\|.*\n?)+", text, re.M):
            assert re.match(r"\|.*\n\|[-:| ]+\|\n", block)


def broken_links(path, text):
    "Relative links of a Markdown text that lead to no file."
    text = re.sub(r"(?s)```.*?```|`[^`\n]*`", "", text)
    targets = re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", text)
    return [t for t in targets if not (path.parent / t).exists()]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_links_between_notebooks_lead_somewhere(path):
    assert broken_links(path, "\n\n".join(sources(path, "markdown"))) == []


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "benchmarks/README.md"])
def test_links_of_the_repository_lead_somewhere(name):
    assert broken_links(root / name, (root / name).read_text(encoding="utf-8")) == []


def test_readme_agrees_with_the_index():
    assert (root / "README.md").read_text(encoding="utf-8") == readme(), "run: make readme"


def test_contributing_agrees_with_the_floors():
    text = (root / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert text == floors.contributing(), "run: make readme"
    assert floors.table() in text


def test_importing_the_package_is_light():
    code = """
import sys, nlp_tour, nlp_tour.base.texts, nlp_tour.hub.names, nlp_tour.all
heavy = "torch", "transformers", "datasets", "pandas", "matplotlib"
print([m for m in heavy if m in sys.modules])
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
