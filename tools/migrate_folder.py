"""Does `migrate` leave a dead import of transformers or datasets in silence, or damage a file?

    python tools/migrate_folder.py FOLDER

FOLDER holds Python files and notebooks of 2020-2022, for example those of `files_2021.tsv`
(repository, commit and path of each file that `migrate` was measured on). Every import of its
result is tried on the installed libraries, apart from `migrate` itself. Nothing is written."""

import ast
import contextlib
import json
import sys
from pathlib import Path

from nlp_tour.app.homes import exists
from nlp_tour.app.migrate import migrate, migrate_notebook
from nlp_tour.app.migrate_cells import code_cells, set_aside
from nlp_tour.base.errors import InputError


def parts(path, text):
    "Return the code of a file by cell; None is a script's only cell."
    if path.suffix == ".py":
        return {None: text}
    cells = {}
    for i, source in code_cells(json.loads(text)).items():
        with contextlib.suppress(SyntaxError):  # IPython cannot run such a cell either
            code = set_aside(source)[0]
            ast.parse(code)
            cells[i] = code
    return cells


def dead_imports(code):
    "Yield line and name of each import of the libraries that fails here."
    for node in ast.walk(ast.parse(code)):
        library = isinstance(node, ast.ImportFrom) and not node.level
        if library and node.module.split(".")[0] in ("transformers", "datasets", "nlp_tour", "nlp"):
            for alias in node.names:
                if alias.name != "*" and not exists(node.module, alias.name):
                    yield node.lineno, alias.name


def silent(path, done):
    "Return the dead imports of a result that `migrate` does not report."
    reported = [why for _, why in done.left]
    return [
        f"{path}, cell {cell}, line {line}: {name}"
        for cell, code in parts(path, done.source).items()
        for line, name in dead_imports(code)
        if not any(f"`{name}`" in why for why in reported)
    ]


def main(folder):
    "Print the figures and each silent dead import; return the number of faults."
    files, changes, left, faults, unread = 0, 0, 0, [], 0
    for path in sorted(p for p in Path(folder).rglob("*") if p.suffix in (".py", ".ipynb")):
        text = path.read_text(encoding="utf-8", errors="replace")
        rewrite = migrate if path.suffix == ".py" else migrate_notebook
        try:
            done = rewrite(text, str(path))
            again = rewrite(done.source)
        except InputError as e:
            unread += 1
            print(e)
            continue
        files, changes, left = files + 1, changes + len(done.changes), left + len(done.left)
        faults += silent(path, done)
        if again.source != done.source:
            faults.append(f"{path}: a second run changes it again")
    print(*faults, sep="\n")
    print(f"{files} files, {changes} changes, {left} old uses left and reported, {unread} unread")
    print(f"{len(faults)} faults")
    return len(faults)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]) > 0)
