"The wheel: what it holds, and what pip would change of an image that has its own versions."

import csv
import json
import os
import re
import subprocess
import sys
import venv
from email import message_from_string
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from zipfile import ZipFile

import pins
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

root = Path(__file__).resolve().parent.parent
IMAGE = root / "tools" / "colab-2026-08.txt"
FOLDERS = {"_proc", ".ipynb_checkpoints"}


def run(*command, cwd=None):
    "What a command printed; it must succeed, without this environment's own settings for pip."
    env = {k: v for k, v in os.environ.items() if k != "PYTHONPATH" and not k.startswith("PIP_")}
    done = subprocess.run(list(map(str, command)), cwd=cwd, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    "The wheel, from the source distribution, as it is published."
    out = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "build", "--outdir", out, root]
    subprocess.run(build, check=True, capture_output=True)
    assert len(list(out.glob("*.tar.gz"))) == 1
    (found,) = out.glob("*.whl")
    return found


def environment(folder):
    "The Python and the packages' folder of an empty environment with pip."
    venv.create(folder, with_pip=True)
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    return python, Path(run(python, "-c", code).strip())


INSTALLED = """
import sys
import nlp_tour
from nlp_tour.app.notebooks import copy_notebooks
from nlp_tour.hub.standins import ADAPTER
print(nlp_tour.__version__)
print([m for m in ("torch", "transformers") if m in sys.modules])
print(sorted(p.name for p in ADAPTER.iterdir()))
print(len(copy_notebooks("chapters")))
"""


def test_the_wheel_installs_into_an_empty_environment(wheel, tmp_path):
    python, _ = environment(tmp_path / "env")
    run(python, "-m", "pip", "install", "-q", "--no-deps", wheel)
    version, heavy, adapter, copied = run(python, "-c", INSTALLED, cwd=tmp_path).splitlines()[-4:]
    assert version
    assert f"/wheel/{wheel.name}" in (root / "README.md").read_text(encoding="utf-8")
    assert heavy == "[]"
    assert adapter == "['README.md', 'adapter_config.json', 'adapter_model.safetensors']"
    shown = [p for p in (root / "nbs").rglob("*") if p.suffix in (".ipynb", ".png")]
    assert int(copied) == len([p for p in shown if not FOLDERS & set(p.parts)])
    notebook = Path("tasks") / "generation.ipynb"
    copy = tmp_path / "chapters" / notebook
    assert copy.read_bytes() == (root / "nbs" / notebook).read_bytes()


def needed(requirements):
    "Name -> metadata of all that these requirements ask for, as far as it is installed here."
    found, waiting = {}, [Requirement(r) for r in requirements]
    while waiting:
        one = waiting.pop()
        name = canonicalize_name(one.name)
        if name in found or (one.marker and not one.marker.evaluate({"extra": ""})):
            continue
        try:
            found[name] = distribution(name)
        except PackageNotFoundError:
            continue
        waiting += [Requirement(r) for r in found[name].requires or []]
    return found


def metadata(name, version, requires=()):
    lines = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}"]
    return "\n".join([*lines, *(f"Requires-Dist: {r}" for r in requires), ""])


def publish(folder, name, version, requires):
    "A wheel with nothing in it but its metadata."
    stem = f"{name.replace('-', '_')}-{version}"
    info = f"{stem}.dist-info"
    with ZipFile(folder / f"{stem}-py3-none-any.whl", "w") as archive:
        archive.writestr(f"{info}/METADATA", metadata(name, version, requires))
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")


def installer(wheel, pinned, folder):
    """What `pip install` of a wheel would install on an image, and an index for more of them. pip
    sees only metadata: the image's pins as installed, and a later version of each in the index."""
    python, site = environment(folder / "env")
    for name, version in pinned.items():
        info = site / f"{name}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(metadata(name, version), encoding="utf-8")
        (info / "INSTALLER").write_text("pip", encoding="utf-8")
    with ZipFile(wheel) as archive:
        (path,) = (n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        requires = message_from_string(archive.read(path).decode()).get_all("Requires-Dist")
    index = folder / "index"
    index.mkdir()
    for name, found in needed(requires).items():
        version = "99.0" if name in pinned else found.version
        publish(index, name, version, [r for r in found.requires or [] if "extra ==" not in r])

    def install(what):
        report = folder / "report.json"
        pip = [python, "-m", "pip", "install", "--dry-run", "--quiet", "--report", report]
        run(*pip, "--no-index", "--find-links", index, what)
        listed = json.loads(report.read_text(encoding="utf-8"))["install"]
        return {canonicalize_name(one["metadata"]["name"]) for one in listed}

    return install, index


@pytest.fixture(scope="module")
def on_the_image(wheel, tmp_path_factory):
    "The dry run on Colab's latest image."
    pinned = dict(pin.split("==") for pin in pins.lines(IMAGE))
    return installer(wheel, pinned, tmp_path_factory.mktemp("image"))


def test_the_wheel_replaces_nothing_of_colabs_image(wheel, on_the_image):
    install, _ = on_the_image
    names = {canonicalize_name(pin.split("==")[0]) for pin in pins.lines(IMAGE)}
    new = install(wheel)
    assert {"nlp-tour", "evaluate"} <= new, "what the image lacks is installed"
    assert {"torch", "transformers", "datasets", "numpy", "pandas"} <= names
    assert new & names == set()


with (root / "tools" / "colab-runtimes.tsv").open(encoding="utf-8") as file:
    RUNTIMES = {row.pop("runtime"): row for row in csv.DictReader(file, delimiter="\t")}


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_torch_and_the_data_stay_on_an_older_runtime(wheel, runtime, tmp_path):
    "A transformers that no test passes with is replaced, and what the newer one asks for."
    pinned = RUNTIMES[runtime]
    install, _ = installer(wheel, pinned, tmp_path)
    replaced = install(wheel) & set(pinned)
    is_old = tuple(map(int, pinned["transformers"].split(".")[:2])) < (5, 5)
    assert ("transformers" in replaced) == is_old
    assert replaced <= ({"transformers", "safetensors"} if is_old else set())


def test_a_higher_bound_would_replace_a_package_of_the_image(on_the_image):
    "The same dry run finds it, so the test above can fail."
    install, index = on_the_image
    publish(index, "greedy", "1.0", ["transformers>=5.16"])
    assert {"greedy", "transformers"} <= install("greedy")


def test_a_set_of_pins_keeps_the_torch_that_is_developed_with():
    (torch,) = (p for p in pins.lines(root / "constraints.txt") if p.startswith("torch=="))
    for name in ("lowest", IMAGE.stem):
        assert torch in pins.pins(name)
        assert torch not in pins.pins(name, own_torch=True)
    assert "transformers==5.5" in pins.pins("lowest") and re.search(r"\d{4}-\d\d", IMAGE.stem)


def test_the_lowest_python_is_named_once():
    "In settings.ini; the classifiers and the workflow begin with it."
    lowest = pins.settings()["min_python"]
    workflow = (root / ".github" / "workflows" / "test.yml").read_text(encoding="utf-8")
    tested = {tuple(map(int, v.split("."))) for v in re.findall(r'python: "([\d.]+)"', workflow)}
    assert min(tested) == tuple(map(int, lowest.split(".")))
    named = run(sys.executable, "setup.py", "-q", "--classifiers", cwd=root)
    pythons = {tuple(map(int, v.split("."))) for v in re.findall(r"Python :: (3\.\d+)", named)}
    assert tested <= pythons and max(tested) == max(pythons)
