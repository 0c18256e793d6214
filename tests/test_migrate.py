"What `migrate` does to any file: new code stays byte for byte, and the result is Python."

import ast
import json
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

pytest.importorskip("libcst")
from nlp_tour.app.migrate import OLD_WORDS, migrate, migrate_file, migrate_notebook
from nlp_tour.app.migrate_cells import set_aside
from nlp_tour.app.rewriting import ARGUMENTS
from nlp_tour.base.errors import InputError

root = Path(__file__).resolve().parent.parent

LINES = st.lists(
    st.sampled_from(
        [
            "x = 1",
            "if x:",
            "    y = 'a'",
            "    %time f(x)",
            "!ls \\",
            "  -l",
            "out = !ls",
            "a, b = %sx ls",
            "f?",
            "?f",
            "f(x)??",
            "%%time",
            "%%bash",
            "%%capture out",
            "print('%s'",
            "      % x)",
            "'''",
            "!echo it's",
            "",
            "# %time",
            "for i in x: pass",
            ";f a",
            "/f a",
            "await f()",
            "\tx",
            "x = '",
            "\\",
            "_ipython0_",
            "!ls\r",
            "x = 2\r",
            "\x0c",
            "é = '\u2028'",
            "  %%time",
            "f(a,",
            "  b)?",
            "(",
            ")",
        ]
    ),
    max_size=9,
)
SOURCES = st.builds(
    lambda lines, end: "\n".join(lines) + end, LINES, st.sampled_from(["", "\n", "\n\n"])
)


@given(SOURCES)
@example(")\nprint('%s'\nout = !ls\nf?")
@settings(max_examples=400, deadline=None)
def test_lines_of_ipython_are_given_back(source):
    try:
        masked, back, old = set_aside(source, OLD_WORDS)
    except SyntaxError:
        return  # an indentation that IPython cannot read either
    assert back(masked) == source and old == [] and masked.count("\n") == source.count("\n")


@given(SOURCES)
@settings(max_examples=200, deadline=None)
def test_what_ipython_can_run_is_python_once_its_lines_are_set_aside(source):
    from IPython.core.inputtransformer2 import TransformerManager

    source, manager = source + "\n", TransformerManager()
    manager.cleanup_transforms = []  # a whole cell in another language, prompts and indents
    if any(line.lstrip().startswith("%%") for line in source.splitlines()):
        return

    def read(s):
        return compile(s, "cell", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)

    try:
        read(manager.transform_cell(source))
    except SyntaxError:
        return
    read(set_aside(source)[0])


@given(
    st.lists(SOURCES, max_size=4), st.booleans(), st.sampled_from([None, 1, "\t"]), st.booleans()
)
@settings(max_examples=200, deadline=None)
def test_a_notebook_changes_only_where_it_is_old(sources, ascii, indent, lines):
    def notebook(extra):
        return {
            "a": 1.0,
            "cells": [
                {
                    "cell_type": "code",
                    "source": (s + extra).splitlines(True) if lines else s + extra,
                    "outputs": ["é", 1e5],
                }
                for s in sources
            ],
            "nbformat": 4,
        }

    def text(nb):
        return json.dumps(nb, ensure_ascii=ascii, indent=indent)

    same = text(notebook(""))
    assert migrate_notebook(same).source == same and not migrate_notebook(same).changes
    old = text(notebook("\nfrom transformers import AdamW\nAdamW(é)\n"))
    try:
        done = migrate_notebook(old)
    except InputError as e:
        assert "line ends" in str(e)
        return
    if done.changes and not done.left and "bash" not in old:
        assert done.source == old.replace("from transformers", "from nlp_tour.all")
    json.loads(done.source)


CALL = st.lists(
    st.sampled_from(
        sorted(
            {
                f"{name}={value}"
                for kind in ("TrainingArguments", "pipeline")
                for name, rule in ARGUMENTS[kind].items()
                for value in (rule if isinstance(rule, dict) else ["x"])
            }
            | {"warmup_steps=0", "optim='x'", "top_k=1", "**rest"}
        )
    ),
    unique_by=lambda s: s.partition("=")[0],
    max_size=5,
)


@given(
    st.sampled_from(["TrainingArguments", "pipeline"]),
    CALL,
    st.sampled_from([", ", ",\n  ", ",  # a word\n  ", ",\n  # a line\n  "]),
    st.sampled_from(["", ",", "  # end\n", ",\n  # end\n"]),
)
@settings(max_examples=400, deadline=None)
def test_what_comes_out_is_python_with_its_comment_lines(name, arguments, between, end):
    if not arguments:
        end = ""
    source = f"from transformers import {name}\n{name}({between.join(arguments)}{end})\n"
    done = migrate(source)
    compile(done.source, "new", "exec")
    assert done.source.count("# a line") == source.count("# a line")
    assert migrate(done.source).changes == []


@pytest.mark.parametrize(
    "path",
    [*sorted((root / "nlp_tour").glob("*.py"))[:8], *sorted((root / "nbs").glob("0*.ipynb"))[:4]],
    ids=lambda p: p.name,
)
def test_files_of_today_come_back_byte_for_byte(path, tmp_path):
    copy = tmp_path / path.name
    copy.write_bytes(path.read_bytes())
    try:
        migrate_file(copy, write=True)
    except InputError as e:
        pytest.fail(str(e))
    text = path.read_text(encoding="utf-8")
    shows_2021 = any(old in text for old in ("from transformers", "from datasets", "from_tf="))
    assert shows_2021 or text == copy.read_text(encoding="utf-8")


def test_a_script_is_no_notebook(tmp_path):
    "A line that begins with % is Python in a script, and a magic there is not."
    with pytest.raises(InputError, match="line 1: this is not Python 3"):
        migrate("%pip install x\n")
    link = tmp_path / "link.py"
    (tmp_path / "real.py").write_text("from transformers import AdamW")
    link.symlink_to("real.py")
    assert migrate_file(link, write=True).count("No newline at end of file") == 2
    assert (
        link.is_symlink() and (tmp_path / "real.py").read_text() == "from nlp_tour.all import AdamW"
    )


def test_ipython_in_a_notebook_hides_nothing_old():
    "Cells that IPython times are rewritten; its other lines stay and are reported if they are old."
    cells = [
        "out = !ls\nimport transformers",
        "%%time\ntransformers.AdamW",
        "%time t = Trainer(tokenizer=x)",
        "%%writefile a.py\nfrom transformers import pipeline",
        "print 'two'",
        "%matplotlib inline",
    ]
    done = migrate_notebook(
        json.dumps({"cells": [{"cell_type": "code", "source": source} for source in cells]})
    )
    new = [cell["source"] for cell in json.loads(done.source)["cells"]]
    assert new == ["out = !ls\nimport nlp_tour.all as transformers", *cells[1:]]
    assert [sentence[:7] for _, sentence in sorted(done.left, key=lambda item: item[1])] == [
        "cell 2:",
        "cell 3:",
        "cell 4:",
    ]
