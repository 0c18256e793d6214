"""Run every test: notebooks clean and in step with the package, `nbdev_test`, pytest. Stops at the first that fails.

python tools/run.py [--no-clean]   # --no-clean skips the first, for environments with other versions"""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

root = Path(__file__).resolve().parent.parent


def digest():
    "What the notebooks and the package hold, file by file."
    files = [
        p
        for folder in ("nbs", "nlp_tour")
        for p in sorted((root / folder).rglob("*"))
        if p.suffix in (".ipynb", ".py") and not {"_proc", ".ipynb_checkpoints"} & set(p.parts)
    ]
    return {str(p.relative_to(root)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def run(*command, **env):
    "Run a command in the project's root, with more in its environment; end with its exit code when it fails."
    print("$", *command, flush=True)
    if code := subprocess.run(command, cwd=root, env=os.environ | env).returncode:
        sys.exit(code)


if "--no-clean" not in sys.argv:
    before = digest()
    run("nbdev_clean")
    run("nbdev_export")
    after = digest()
    if changed := sorted(k for k in before.keys() | after.keys() if before.get(k) != after.get(k)):
        sys.exit(
            f"not clean or not in step with the notebooks: {', '.join(changed)}; they are mended now, so look at the change and commit it."
        )
run(
    "nbdev_test", "--timing", "--n_workers", "2", OMP_NUM_THREADS="1"
)  # two workers with threads of their own would stand in each other's way
run(sys.executable, "-m", "pytest", "-q", "tests")
