"""The site's build dies at any moment: `_docs` is whole, the model that the live page keeps is
whole or absent, and the next build ends as if nothing had been."""

import functools
import importlib
import re
import shutil
import sys
from pathlib import Path

import killing
import pytest
import yaml

root = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def site():
    "The modules of nbs/site, by name."
    before = set(sys.modules)
    # Before all others: there is a package called build, too.
    sys.path.insert(0, str(root / "nbs" / "site"))
    modules = {name: importlib.import_module(name) for name in ("build", "live", "stage")}
    yield modules
    sys.path.remove(str(root / "nbs" / "site"))
    for name in modules.keys() - before:
        sys.modules.pop(name)


def holds(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def pages(folder, version):
    "A small site."
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("index.html", f"only-in-{version}.html", "tasks/a.html", "tasks/b.html"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(version)
    return holds(folder)


def state(docs, old, new):
    "Which site a folder holds."
    if not docs.exists():
        return "none"
    found = holds(docs)
    if found == old:
        return "old"
    return "new" if found == new else "half"


def test_a_finished_site_is_never_half_replaced(site, tmp_path):
    old, new = pages(tmp_path / "old", "old"), pages(tmp_path / "new", "new")
    seen = []

    def work(n):
        docs, staged = tmp_path / str(n) / "_docs", tmp_path / str(n) / "_proc"
        pages(docs, "old")
        pages(staged / "_docs", "new")
        (tmp_path / str(n) / "ready").touch()
        swap(docs, staged)

    def swap(docs, staged):
        site["build"].replace_folder(staged / "_docs", docs)
        shutil.rmtree(staged)

    def after(n):
        docs, staged = tmp_path / str(n) / "_docs", tmp_path / str(n) / "_proc"
        if not (docs.parent / "ready").exists():
            return  # it died before the part that counts
        seen.append(state(docs, old, new))
        if seen[-1] == "none":
            assert holds(staged / ".old") == old, "between two renames the old site lies beside"
        shutil.rmtree(staged, ignore_errors=True)  # as staging does
        pages(staged / "_docs", "new")
        swap(docs, staged)
        assert holds(docs) == new
        assert {p.name for p in docs.parent.iterdir()} == {"_docs", "ready"}

    killing.everywhere(tmp_path, work, after)
    assert set(seen) == {"old", "none", "new"}
    assert seen.count("none") == 1
    assert seen.count("new") > 3


class LivePage:
    "Builds of the live page with a model that is quick to make, in this version or that."

    def __init__(self, live, folder, monkeypatch):
        self.live, self.folder, self.version = live, folder, "new"
        monkeypatch.setattr(live, "make", self.make)
        dist = folder / "tools" / "onnxruntime-web" / "dist"
        dist.mkdir(parents=True)
        for name in live.FILES:
            (dist / name).write_text(name)

    def make(self, folder):
        "The model of this version."
        for name in ("model.onnx", "vocab.txt"):
            (folder / name).write_text(self.version)
        (folder / "about.json").write_text(f'{{"labels": ["{self.version}"]}}')

    def build(self, name, version="new", fresh=True):
        "What one build puts on the page."
        self.version = version
        target, cache = self.folder / name / "target", self.folder / name / "cache"
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        self.live.collect(target, cache, self.folder / "tools", fresh=fresh)
        return holds(target)


@pytest.mark.parametrize("was_built_before", [False, True])
def test_the_live_page_s_model_is_kept_whole_or_not_at_all(
    site, tmp_path, monkeypatch, was_built_before
):
    page = LivePage(site["live"], tmp_path, monkeypatch)
    old, new = page.build("undisturbed", "old"), page.build("undisturbed", "new")
    assert old != new
    seen = []
    for n in range(1, 1000):
        name = f"killed-{n}"
        if was_built_before:
            page.build(name, "old")
        if not killing.at(n, tmp_path / name, functools.partial(page.build, name)):
            break
        seen.append(page.build(name, fresh=False))
        assert seen[-1] in (old, new), "the parts of two models"
    assert len(seen) > 10
    if was_built_before:
        assert old in seen
        assert new in seen


def test_staging_starts_from_nothing(site, tmp_path, monkeypatch):
    "Pages, references and figures of a project with three notebooks, killed here and there."
    stage = site["stage"]
    (tmp_path / "nbs" / "hub").mkdir(parents=True)
    for name in ("index.ipynb", "2021.ipynb", "hub/names.ipynb", "_quarto.yml"):
        shutil.copy(root / "nbs" / name, tmp_path / "nbs" / name)
    pages = {"section": "Pages", "contents": ["2021.ipynb", "hub/names.ipynb"]}
    sidebar = {"website": {"sidebar": {"contents": [pages]}}}
    (tmp_path / "nbs" / "sidebar.yml").write_text(yaml.safe_dump(sidebar))
    shutil.copytree(
        root / "nbs" / "site",
        tmp_path / "nbs" / "site",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    shutil.copy(root / "settings.ini", tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(stage, "nbs", tmp_path / "nbs")
    monkeypatch.setattr(stage, "staged", tmp_path / "_proc")

    def staged():
        "What a whole staging gives; cells that it adds get ids by chance."
        stage.stage()
        return {
            name: re.sub(rb'"id": "\w+"', b"", content)
            for name, content in holds(tmp_path / "_proc").items()
        }

    whole = staged()
    assert "hub/names.ipynb" in whole and "sidebar.yml" in whole
    for n in (20, 80):
        assert killing.at(n, tmp_path / "_proc", stage.stage), n
        (tmp_path / "_proc" / "_docs").mkdir(parents=True, exist_ok=True)
        (tmp_path / "_proc" / "_docs" / "half.html").write_text("half a page")
        assert staged() == whole, n
