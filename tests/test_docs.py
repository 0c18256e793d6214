"The site's configuration and sources. A browser looks at the pages: `make test-docs`."

import json
import re
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import api
import architecture
import colab
import figures
import floors
import install_cells
import landing
import plots
import pytest
import stage
import yaml
from nbdev.process import NBProcessor
from nbdev.processors import hide_

root = Path(__file__).resolve().parent.parent
COPIED = [*sorted((root / "nbs").glob("0*.ipynb")), root / "nbs" / "howto.ipynb"]
config = yaml.safe_load((root / "_quarto.yml").read_text(encoding="utf-8"))

# The subset of Quarto's schema that both renderers read alike: a key is allowed here only after it
# was tried with both.
ALLOWED = {
    "project": {"type": str, "resources": list},
    "format": {
        "html": {
            "theme": {"light": list, "dark": list},
            "css": str,
            "include-in-header": {"text": str},
            "toc": bool,
            "toc-depth": int,
            "html-math-method": str,
            "respect-user-color-scheme": bool,
        }
    },
    "website": {
        "title": str,
        "description": str,
        "favicon": str,
        "repo-subdir": str,
        "page-navigation": bool,
        "llms-txt": bool,
        "image": str,
        "open-graph": bool,
        "twitter-card": bool,
        "search": {"location": str, "type": str},
        "navbar": {"left": list, "right": list},
        "page-footer": {"center": str},
    },
    "metadata-files": list,
}


def wrong(value, allowed, where=""):
    "Keys that are not in the subset, and values of another type."
    if isinstance(allowed, type):
        return [] if isinstance(value, allowed) else [f"{where} is {type(value).__name__}"]
    return [
        e
        for k, v in value.items()
        for e in (wrong(v, allowed[k], f"{where}.{k}") if k in allowed else [f"{where}.{k}"])
    ]


def test_the_configuration_is_valid_for_both_renderers():
    assert wrong(config, ALLOWED) == []
    link = root / "nbs" / "_quarto.yml"
    assert link.is_symlink()
    assert link.resolve() == root / "_quarto.yml"
    navbar = config["website"]["navbar"]
    for entry in [*navbar["left"], *navbar["right"]]:
        assert set(entry) <= {"text", "href"}
        assert entry["text"], "an entry without text prints its URL"


# ---- publishing
def workflow(name):
    text = (root / ".github" / "workflows" / f"{name}.yml").read_text(encoding="utf-8")
    return yaml.safe_load(text.replace("\non:\n", "\n'on':\n"))


def test_the_site_is_published_after_all_tests_as_the_browser_saw_it():
    docs, tests = workflow("docs"), workflow("test")
    assert docs["on"]["push"] == {"branches": ["main"]} and "workflow_dispatch" in docs["on"]
    assert docs["concurrency"] == {"group": "pages", "cancel-in-progress": False}
    assert docs["jobs"]["test"]["uses"] == "./.github/workflows/test.yml"
    assert docs["jobs"]["publish"]["needs"] == "test"
    assert [s["uses"] for s in docs["jobs"]["publish"]["steps"]] == ["actions/deploy-pages@v5"]
    assert "workflow_call" in tests["on"]
    assert tests["on"]["push"] == {"branches-ignore": ["main"]}, "main's tests would run twice"
    steps = tests["jobs"]["test"]["steps"]
    (made,) = [i for i, s in enumerate(steps) if s.get("run", "").startswith("make ${{ matrix")]
    (uploaded,) = [i for i, s in enumerate(steps) if "upload-pages" in s.get("uses", "")]
    assert made < uploaded, "what is uploaded is what was tested"
    assert "matrix.target == 'test-docs'" in steps[uploaded]["if"]
    assert steps[uploaded]["with"] == {"path": "_docs"}
    assert {"python": "3.11", "target": "test-docs"} in (
        tests["jobs"]["test"]["strategy"]["matrix"]["include"]
    )


def test_the_workflows_take_current_actions_and_a_torch_without_cuda():
    newest = {"checkout": 7, "setup-python": 7, "setup-node": 7, "upload-pages-artifact": 5}
    for name in ("docs", "test"):
        jobs = workflow(name)["jobs"].values()
        used = [s["uses"] for job in jobs for s in job.get("steps", []) if "uses" in s]
        for action, major in (u.removeprefix("actions/").split("@v") for u in used):
            assert int(major) >= newest.get(action, 5), action
    assert "TORCH_CPU_INDEX" in workflow("test")["env"]["PIP_EXTRA_INDEX_URL"]
    assert "TORCH_CPU_INDEX" in (root / "CONTRIBUTING.md").read_text(encoding="utf-8")


def test_contributing_says_what_to_switch_on_for_pages():
    text = (root / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert "Settings → Pages" in text and "**GitHub Actions**" in text and "docs.yml" in text


def notebook(source, title="---\ntitle: A\n---\n", outputs=()):
    code = {"cell_type": "code", "source": source, "outputs": list(outputs)}
    return {"cells": [{"cell_type": "raw", "source": title}, code]}


def test_staged_notebooks_are_whole_for_quarto(tmp_path):
    "Quarto joins the lines of a list; a string without line ends would become one line."
    output = {"output_type": "display_data", "data": {"text/markdown": "a\nb", "image/png": "x"}}
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps(notebook("x = 1\n\ny", outputs=[output])), encoding="utf-8")
    stage.in_lines(path)
    code = json.loads(path.read_text(encoding="utf-8"))["cells"][1]
    assert code["source"] == ["x = 1\n", "\n", "y"]
    assert code["outputs"][0]["data"] == {"text/markdown": ["a\n", "b"], "image/png": "x"}


@pytest.mark.parametrize(
    "source, title, fault",
    [
        ("x", "---\ntitle: A\n---\n", "one string"),
        (["x", "y"], "---\ntitle: A\n---\n", "without an end"),
        (["x"], "# A\n", "no title block"),
    ],
)
def test_staging_refuses_what_quarto_would_break(source, title, fault):
    with pytest.raises(AssertionError, match=fault):
        stage.check_lines(notebook(source, [title]), "a.ipynb")


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_the_theme_files_are_plain_css_after_their_marker(mode):
    "Quarto compiles them as Sass, the other renderer takes their rules as they are."
    text = (root / "nbs" / "site" / f"{mode}.scss").read_text(encoding="utf-8")
    defaults, marker, rules = text.partition("/*-- scss:rules --*/")
    assert marker
    assert not re.search(r"\$|@include|@import|&|//", rules)
    assert "$web-font-path: false;" in defaults
    assert f"site/{mode}.scss" in config["format"]["html"]["theme"][mode]


def test_nothing_of_the_site_asks_another_server():
    for path in [*(root / "nbs" / "site").iterdir(), *(root / "nbs").glob("*.qmd")]:
        if path.suffix in (".css", ".scss", ".mjs", ".svg", ".qmd"):
            text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
            assert not re.search(r"(src=|url\(|import |fetch\().{0,3}https?:", text), path.name


# ---- Colab
BADGED = install_cells.notebooks()


@pytest.mark.parametrize("path", BADGED, ids=install_cells.name_of)
def test_a_notebook_with_a_badge_installs_the_package_on_colab_only(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    first = next("".join(c["source"]) for c in cells if c["cell_type"] == "code")
    assert first == install_cells.install_cell(install_cells.name_of(path)), (
        "run: python tools/install_cells.py"
    )
    assert sum("google.colab" in "".join(c["source"]) for c in cells) == 1
    assert f"/blob/main/nbs/{install_cells.name_of(path)}.ipynb" in json.dumps(cells[:3]), (
        "the badge opens another notebook"
    )


def test_every_chapter_has_a_badge_and_colab_runs_all_that_have_one():
    names = [install_cells.name_of(path) for path in BADGED]
    assert len([name for name in names if re.match(r"0[1-6]_", name)]) == 6
    assert names == colab.NOTEBOOKS


# ---- the architecture
def svgs(page):
    "The drawings of a page, which must be well-formed."
    return [ElementTree.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", page, re.S)]


def test_the_architecture_is_drawn_from_the_floors():
    page = architecture.page(str)
    house, *roads = svgs(page)
    for name, sentence in floors.WINGS.values():
        assert f"{name}: {sentence}" in house.get("aria-label")
    assert all(road.get("role") == "img" and road.get("aria-label") for road in roads)
    names = {text.text for text in house.iter("text") if text.get("class") == "name"}
    assert len(names) == len(floors.WINGS) - 1 + 6  # six chapters in the place of their wing
    for wing, rooms in floors.floors().items():
        assert all(f"[{room}]({floors.notebook(wing, room)})" in page for room in rooms)


def test_the_roads_lead_through_rooms_and_functions_that_exist():
    for room, function, _ in [
        *architecture.OPENING,
        *architecture.ANSWERING,
        *architecture.TRAINING,
    ]:
        module = (root / "nlp_tour" / room.replace(".", "/")).with_suffix(".py")
        source = module.read_text(encoding="utf-8")
        assert re.search(rf"^ *(def|class) {function}\b", source, re.M), f"{room}: {function}"


def test_no_sentence_of_the_architecture_leaves_its_box():
    house = svgs(architecture.page(str))[0]
    elements = list(house)
    boxes = [i for i, e in enumerate(elements) if "room" in e.get("class", "")]
    assert boxes
    for i in boxes:
        box, sentence = elements[i], elements[i + 2]
        bottom = float(box.get("y")) + float(box.get("height"))
        assert all(float(line.get("y")) < bottom - 4 for line in sentence), sentence[0].text


# ---- the benchmark page: what a made-up result looks like, before any browser


def drawn(tmp_path, result, name="made_up", readme=None):
    "The page of one result, and the elements of all markup on it, which must be well-formed."
    (tmp_path / "results").mkdir(exist_ok=True)
    machine = {"processor": "P <1>", "threads": [1, 2], "gpu": None}
    whole = json.dumps({"benchmark": name, "machine": machine} | result)
    (tmp_path / "results" / f"{name}.json").write_text(whole, encoding="utf-8")
    (tmp_path / f"bench_{name}.py").write_text('"""Is it quick?\n\nHow to."""', encoding="utf-8")
    if readme:
        (tmp_path / "README.md").write_text(readme, encoding="utf-8")
    page = figures.page(tmp_path)
    markup = "".join(re.findall(r"```\{=html\}\n(.*?)\n```", page, re.S))
    return page, ElementTree.fromstring(f"<all>{markup}</all>")


def words(element):
    return " ".join(" ".join(element.itertext()).split())


def test_every_number_of_a_result_is_on_the_page(tmp_path):
    page, all_ = drawn(
        tmp_path,
        {
            "texts": 1234,
            "best": "a & b",
            "sizes": [3, 4],
            "seconds": {"ours <fast>": 0.5, "stock": 12.5},
            "times_stock": {"ours <fast>": 24.5},
            "spread": {"ours <fast>": 1.01, "stock": 1.5},
            "ways": {
                "x": {"loss": 0.125, "mib": 70, "rows": [7, 9], "note": "n"},
                "y": {"loss": 0.25, "mib": None, "rows": [8], "note": "m"},
            },
            "deep": {"kind": {"speed": {"one": 31.5}, "count": 77}},
            "notes": {"peer": "It is **better** here."},
        },
    )
    assert "texts: **1,234**" in page
    assert "best: **a & b**" in page
    assert "sizes: **3, 4**" in page
    assert "count: **77**" in page
    assert "- **peer**: It is **better** here." in page
    first, grid, deep = map(words, all_.findall(".//table"))
    assert first == (
        "times stock times stock seconds slowest / fastest run "
        "ours <fast> 24.5 0.5 1.01 stock – 12.5 1.50"
    )
    assert grid == "ways loss mib rows note x 0.125 70 7, 9 n y 0.250 – 8 m"
    assert deep == "kind: speed one 31.5"
    assert "Measured on: processor P <1>, threads 1, 2." in page
    assert "`make bench-made-up`" in page
    assert "Is it quick?" in page
    assert "How to" not in page


def test_repeated_runs_are_bars_with_a_whisker(tmp_path):
    page, all_ = drawn(
        tmp_path,
        {
            "accuracy": {
                "8": {
                    "frozen": {"mean": 0.5, "sd": 0.25, "runs": [0.25, 0.75]},
                    "moved": {"mean": 0.75, "sd": 0.0, "runs": [0.75]},
                }
            }
        },
    )
    (table,) = all_.findall(".//table")
    assert "8, frozen 0.50 ± 0.25" in words(table)
    assert "8, moved 0.75 ± 0.00" in words(table)
    assert "runs" not in words(table)
    assert [s.get("style") for s in table.findall(".//span")] == ["width:66.7%", "width:100.0%"]
    assert [s.get("style") for s in table.findall(".//i")] == ["left:33.3%;width:66.7%"]


CURVE = {
    "x": "rows",
    "y": "seconds",
    "log_x": True,
    "log_y": True,
    "lines": {
        "ours & all": [[1000, 0.5], [100000, 50]],
        "stock": [[1000, 2], [10000, 20], [100000, None]],
    },
}


def test_a_curve_is_a_plot_that_can_be_read_in_three_ways(tmp_path):
    _, all_ = drawn(tmp_path, {"curves": {"Time <over> rows": CURVE}})
    (svg,) = [s for s in all_.iter("svg") if s.get("role") == "img"]
    assert svg.get("viewBox")
    assert svg.get("aria-label") == (
        "Time <over> rows. seconds over rows: "
        "ours & all from 0.5 at 1,000 to 50 at 100,000; stock from 2 at 1,000 to 20 at 10,000."
    )
    texts = [t.text for t in svg.iter("text")]
    assert {"1", "10", "1,000", "10,000", "100,000", "seconds", "rows"} <= set(texts), texts
    ours, stock = [
        [tuple(map(float, p.split())) for p in e.get("d")[1:].split("L")]
        for e in svg.iter("path")
        if e.get("class") == "curve"
    ]
    assert ours[0][0] == stock[0][0] and ours[0][1] > stock[0][1], (
        "the same rows stand over each other, and more seconds higher"
    )
    ticks = {
        t.text: float(t.get("x")) for t in svg.iter("text") if t.get("text-anchor") == "middle"
    }
    assert abs(stock[1][0] - ticks["10,000"]) < 0.2
    assert [words(li) for li in all_.iter("li")] == ["ours & all", "stock"]
    assert (
        words(all_.find(".//details/div/table"))
        == "seconds rows ours & all stock 1,000 0.5 2 10,000 – 20 100,000 50 –"
    )


def test_axes_have_round_ticks_and_refuse_what_they_cannot_hold():
    assert plots.steps(0, 47, log=False) == [0, 10, 20, 30, 40]
    assert plots.steps(0, 0.9, log=False) == [0, 0.2, 0.4, 0.6, 0.8]
    assert plots.steps(1, 1e6, log=True) == [10.0**e for e in range(7)]
    assert plots.steps(64, 512, log=True) == [100, 200, 500]
    with pytest.raises(ValueError, match="no place for 0"):
        plots.plot("t", CURVE | {"lines": {"a": [[0, 1], [2, 3]]}})
    assert plots.plot("t", CURVE | {"lines": {"a": [[1, None]]}}) == ""
    assert "<svg" in plots.plot("t", CURVE | {"lines": {"a": [[5, 5]]}})


METHOD = """# Benchmarks

An intro.

## How it is measured

In turn, see [it](common.py).

## Peers

Many.
"""


def test_the_method_is_written_once(tmp_path):
    page, _ = drawn(tmp_path, {"n": 1}, readme=METHOD)
    text = f"In turn, see [it]({figures.SOURCE}common.py)."
    assert figures.SOURCE == "https://github.com/nlp-tour/nlp_tour/blob/main/benchmarks/"
    assert f"## How it is measured {{#method}}\n\n{text}" in page
    assert "Many" not in page
    assert page.index("## Made up") < page.index("How it is measured")


def test_nothing_is_less_than_nothing():
    assert figures.cell(-0.0) == "0" and figures.cell(-0.0, 2) == "0.00"
    assert figures.cell(-0.04, 2) == "-0.04"


def test_the_benchmark_page_begins_with_what_was_found():
    page = figures.page(root / "benchmarks")
    inference = json.loads((root / "benchmarks/results/inference.json").read_text("utf-8"))
    found, _, rest = page.partition("\n## ")
    assert (
        f"**{figures.cell(inference['reviews']['times_best_stock']['ours, float32'])} times"
        in found
    )
    chart = ElementTree.fromstring(re.search(r"<table.*?</table>", found, re.S)[0])
    rows = [words(row) for row in chart.iter("tr")]
    assert rows[0].startswith("stock, batch") and rows[-1].startswith("ours")
    assert len(chart.findall(".//span")) == len(rows)
    assert "How it is measured" not in found and rest.count("## How it is measured") == 1
    captions = re.findall(r"<(?:caption|th)[^>]*>([^<]*)<", page)
    code = ("nlp_tour", "map_file", "finetune")  # names of code keep their form
    assert not [
        c for c in captions if re.search("[a-z]_[a-z]", c) and not any(n in c for n in code)
    ]


def test_2021_begins_with_a_pair_of_a_dead_and_a_living_line():
    cells = json.loads((root / "nbs" / "2021.ipynb").read_text(encoding="utf-8"))["cells"]
    shown = [
        "".join(c["source"])
        for c in cells
        if c["cell_type"] == "code" and not "".join(c["source"]).startswith("#| hide")
    ]
    assert shown[0].startswith('beside("""')


@pytest.mark.parametrize("path", sorted((root / "nbs").rglob("*.ipynb")), ids=lambda p: p.stem)
def test_what_quotes_a_benchmark_links_to_its_section(path):
    "A cell of text that names a benchmark's command leads to its figures, and the section exists."
    results = {p.stem.replace("_", "-") for p in (root / "benchmarks" / "results").glob("*.json")}
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    page = r"\]\(https://nlp-tour\.github\.io/nlp_tour/benchmarks\.html"
    for text in ("".join(c["source"]) for c in cells if c["cell_type"] == "markdown"):
        linked = set(re.findall(rf"{page}#([\w-]+)\)", text))
        named = re.findall(r"bench[_-]([a-z_-]+[a-z])", text)
        quoted = {n.replace("_", "-") for n in named} & results
        assert quoted <= linked, f"quoted without a link: {sorted(quoted - linked)}"
        assert linked <= results | {"method"}, f"no such section: {sorted(linked - results)}"


def test_symbols_below_a_heading_are_links():
    linked = stage.link_symbols("# `load`\n\nSee `load`.\n", {"load": "hub.qmd#load"}, "../")
    assert linked == "# `load`\n\nSee [`load`](../api/hub.qmd#load).\n"


# ---- what pages show
def test_a_workshop_page_folds_imports_and_exported_source():
    assert stage.folded("x = 1", False) == "x = 1"
    imports = "import os\nfrom a import b"
    assert stage.folded(imports, False).startswith("#| code-fold: true\n")
    assert 'summary: "Show the imports, 2 lines"' in stage.folded(imports, True)
    assert 'summary: "Show the source, 1 line"' in stage.folded("def f(): pass", True)
    assert stage.folded("%pip install x", False) == "%pip install x"


@pytest.mark.parametrize("path", COPIED, ids=lambda path: path.stem)
def test_the_code_of_a_page_has_every_name_that_it_uses(path):
    "So a reader can copy it from top to bottom."
    page = NBProcessor(path, procs=[stage.Imports, hide_])
    page.process()
    code = "\n".join(c.source for c in page.nb.cells if c.cell_type == "code" and c.source)
    ruff = ["ruff", "check", "--isolated", "--select", "F821", "--output-format", "concise", "-"]
    found = subprocess.run(ruff, input=code, capture_output=True, text=True, encoding="utf-8")
    assert found.returncode == 0, found.stdout


def test_the_sidebar_has_the_chapters_a_line_for_each_wing_and_the_api_apart():
    tour, modules = stage.sidebar()["website"]["sidebar"]
    first, wings, last = tour["contents"]
    assert [p["text"][0] for p in first["contents"]] == list("123456")
    assert tour["collapse-level"] == 2 and all("contents" in wing for wing in wings["contents"])
    assert {"Tasks", "Beyond the tour"} <= {wing["section"] for wing in wings["contents"]}
    assert "howto.ipynb" in [page["href"] for page in last["contents"]]
    (top,) = modules["contents"]
    assert top["href"] == "api/index.qmd"
    entries = [e for group in top["contents"] for e in group.get("contents", [group])]
    assert {e["href"] for e in entries} == {f"api/{api.page(m)}.qmd" for m in api.modules()}


class Alike:
    "Two modules' functions of one name are two things, unless one is the other."

    def first(self):
        pass

    def second(self):
        pass


def test_a_name_is_a_link_only_where_it_is_unique_and_means_that():
    pairs = [("a", "f", Alike.first), ("b", "f", Alike.first), ("c", "g", Alike.first)]
    assert api.ambiguous(pairs) == set()
    assert api.ambiguous([*pairs, ("d", "g", Alike.second)]) == {"g"}
    found = {
        "metrics": "metrics-scores.qmd#metrics",
        "finetune": "trainer.qmd#finetune",
        "walk": "beyond-explain.qmd#walk",
        "walk_all": "beyond-explain.qmd#walk_all",
    }
    assert set(api.linked(found, "trainer")) == {"finetune", "walk_all"}
    assert set(api.linked(found, "beyond.explain")) == {"finetune", "walk", "walk_all"}
    assert "metrics" in api.linked(found, "metrics.scores")


def test_no_default_shows_the_address_of_an_object():
    assert api.shown(lambda: 0) == "lambda"
    assert api.shown({"a": Alike.first}) == "{'a': Alike.first}"
    assert api.shown(object()) == "…"
    assert " at 0x" not in api.shown([object(), lambda: 0], most=200)


def test_the_first_screen_shows_the_code_of_the_index_with_its_answer():
    shown = landing.example(root / "nbs" / "index.ipynb")
    assert '<span class="kw">from</span> nlp_tour.all' in shown
    assert re.search(r"POSITIVE 0\.\d{4}<", shown)
    assert landing.coloured('f("a & b")') == 'f(<span class="st">"a &amp; b"</span>)'
