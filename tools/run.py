"""Run every test and stop at the first that fails: style, notebooks in step with the package,
`nbdev_test`, pytest.

    python tools/run.py [--no-clean]   # --no-clean starts at nbdev_test
"""

import hashlib
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

root = Path(__file__).resolve().parent.parent


def digest():
    "The SHA-256 of each notebook and module."
    files = [p for folder in ("nbs", "nlp_tour") for p in sorted((root / folder).rglob("*"))]
    return {
        str(p.relative_to(root)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in files
        if p.suffix in (".ipynb", ".py") and not {"_proc", ".ipynb_checkpoints"} & set(p.parts)
    }


def run(*command, **env):
    "Run a command in the project's root; end with its exit code if it fails."
    print("$", *command, flush=True)
    if code := subprocess.run(command, cwd=root, env=os.environ | env).returncode:
        sys.exit(code)


def check_style():
    "Refuse what `make fmt` would change."
    run("ruff", "format", "--check")
    run("ruff", "check")


def check_in_step():
    "Refuse notebooks that are not clean and modules that differ from their notebooks."
    before = digest()
    run("nbdev_clean")
    run("nbdev_export")
    after = digest()
    changed = sorted(k for k in before.keys() | after.keys() if before.get(k) != after.get(k))
    if changed:
        sys.exit(
            f"not clean, or not in step with the notebooks: {', '.join(changed)}. "
            "They are mended now: look at the change and commit it."
        )


if __name__ == "__main__":
    if "--no-clean" not in sys.argv:
        check_style()
        check_in_step()
    # OpenVINO reads no model of transformers before 5.11, and says so; its room stays closed there.
    major, minor = map(int, version("transformers").split(".")[:2])
    closed = "^([_.]|openvino)" if (major, minor) < (5, 11) else "^[_.]"
    # Two workers with several threads each would stand in each other's way.
    run("nbdev_test", "--timing", "--n_workers", "2", "--skip_file_re", closed, OMP_NUM_THREADS="1")
    pytest = (sys.executable, "-m", "pytest", "-q", "tests")
    run(*pytest, "-n", "2", "--dist", "loadfile", OMP_NUM_THREADS="1")
