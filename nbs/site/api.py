"API pages from signatures, docstrings and docments, and an index of symbols for other pages."

import ast
import collections
import functools
import html
import importlib
import inspect
import json
import pkgutil
import re
import textwrap
from pathlib import Path

from fastcore.docments import docments, empty

import nlp_tour
from nlp_tour.all import OURS

root = Path(__file__).resolve().parents[2]
SOURCE = "https://github.com/nlp-tour/nlp_tour/blob/main/"


FRONT = """---
title: {title}
description: {description}
---
"""
ALSO = (
    "\n## Also in this module {#also}\n\nWhat other modules build on; no notebook calls it alone.\n"
)
INDEX = """
`from nlp_tour.all import …` holds what a notebook needs; the modules hold everything.

| module | |
|---|---|
"""
TABLE = """
```{{=html}}
<div class="wide" role="group" aria-label="parameters"><table class="table table-sm params"><thead>
<tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>
```
"""


def modules():
    "The names of all modules of the package that export something."
    names = sorted(
        m.name.removeprefix("nlp_tour.")
        for m in pkgutil.walk_packages(nlp_tour.__path__, "nlp_tour.")
        if not m.ispkg and not m.name.rpartition(".")[2].startswith("_")
    )
    return [n for n in names if getattr(importlib.import_module(f"nlp_tour.{n}"), "__all__", None)]


def page(module):
    return module.replace(".", "-")


@functools.cache
def imported():
    "How many modules of the package import each name, as (module, name) -> number."
    count = collections.Counter()
    for path in Path(nlp_tour.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                module = node.module.removeprefix("nlp_tour.")
                count.update((module, alias.name) for alias in node.names)
    return count


def most_wanted(module, names):
    """The front functions of a module; without any, the one that most other modules import, of
    those with an example."""
    short = module.rpartition(".")[2]
    notebooks = notebooks_for(module)
    used = [n for n in names if example(n, notebooks)]
    front = OURS.get(module, []) or [n for n in used if n == short]
    return front or sorted(used, key=lambda n: -imported()[module, n])[:1]


def own(module):
    "Name and object of what a module itself exports: what everyone wants, then the rest in order."
    m = importlib.import_module(f"nlp_tour.{module}")
    front = most_wanted(module, m.__all__)
    names = sorted(m.__all__, key=lambda n: front.index(n) if n in front else len(front))
    return [(n, m.__dict__[n]) for n in names if n in m.__dict__ and not n.startswith("_")]


def function_of(member):
    "The function behind a method, a property or a class method."
    inner = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
    return inspect.unwrap(inner)


def members(cls):
    "Public methods and properties that a class itself defines and documents."
    public = [n for n in vars(cls) if not n.startswith("_") or n == "__call__"]
    found = [(n, function_of(vars(cls)[n])) for n in public]
    return [(n, f) for n, f in found if inspect.isfunction(f) and f.__doc__]


def is_property(cls, name):
    return not inspect.isroutine(inspect.unwrap(vars(cls)[name])) and not isinstance(
        vars(cls)[name], (classmethod, staticmethod)
    )


def ambiguous(everything):
    "Names that stand for different things in different modules."
    objects = {}
    for _, name, o in everything:
        objects.setdefault(name, []).append(o)
    return {name for name, found in objects.items() if any(o is not found[0] for o in found)}


def symbols():
    "Symbol -> its place under `api/`; a name that two modules use for two things has none."
    everything = [(module, *pair) for module in modules() for pair in own(module)]
    twice = ambiguous(everything)
    found = {}
    for module, name, o in everything:
        place = f"{page(module)}.qmd#"
        if callable(o):
            if name not in twice:
                found.setdefault(name, place + name)
            found.setdefault(f"{module}.{name}", place + name)
            for n, _ in members(o) if inspect.isclass(o) and name not in twice else []:
                found.setdefault(f"{name}.{n}", f"{place}{name}.{n}")
    return found


# In backticks these mean a parameter or an idea, more often than the function of that name.
STOP = {"attention", "data", "labels", "metrics", "model", "plots", "run", "text", "texts"}


def linked(found, module):
    """The symbols whose names in backticks are links on the page of a module. An ordinary word is
    one only for the front functions, and where it is at home."""
    front = {name for names in OURS.values() for name in names}

    def means_it(name, place):
        if place.startswith(f"{page(module)}.qmd#"):
            return True
        is_word = name.islower() and name.isalpha()
        return name not in STOP and (not is_word or name in front)

    return {name: place for name, place in found.items() if means_it(name, place)}


def without_addresses(text):
    "Python without the places of objects in memory: a function by its name, else three dots."
    text = text.replace(".<locals>", "").replace("<lambda>", "lambda")
    text = re.sub(r"<(?:function|class|bound method) '?([\w.]+)'?[^<>]*>", r"\1", text)
    return re.sub(r"<[^<>]* at 0x\w+>", "…", text)


def shown(value, most=40):
    "A default value as source would have it, short; a set in order, a function by its name."
    if isinstance(value, (set, frozenset)):
        text = f"{{{', '.join(sorted(map(repr, value)))}}}"
    elif callable(value) and hasattr(value, "__name__"):
        text = value.__name__.replace("<lambda>", "lambda")
    else:
        text = without_addresses(repr(value))
    return text if len(text) <= most else text[: most - 1] + "…"


def typed(kind):
    "An annotation as source has it; nothing where a default of None is all that is known."
    if kind in (empty, None, type(None), inspect.Parameter.empty):
        return ""
    written = str(kind).replace("typing.", "")
    is_plain = isinstance(kind, type) and "[" not in written
    return kind.__name__ if is_plain else without_addresses(written)


def marked(text):
    "Text with its backticks as code."
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text, quote=False))


def code(text):
    "Text as HTML code; nothing where there is none."
    return f"<code>{html.escape(text)}</code>" if text else ""


def parameter_row(name, p):
    "The cells of a parameter: name, type, default, meaning."
    kind = typed(p.anno)
    if name == "return":
        return "<em>returns</em>", code(kind), "", marked(p.docment or "")
    known = p.default not in (empty, inspect.Parameter.empty)
    default = shown(p.default) if known else ""
    return code(name), code(kind), code(default), marked(p.docment or "")


def table(o):
    "The parameters as an HTML table; nothing where there are none to explain."
    found = docments(o, full=True)
    returned = found.get("return")
    if returned and not typed(returned.anno) and not returned.docment:
        del found["return"]
    rows = [parameter_row(n, p) for n, p in found.items() if n not in ("self", "cls")]
    if not rows:
        return ""
    body = "".join(f"<tr><td>{'</td><td>'.join(row)}</td></tr>" for row in rows)
    names = ("parameter", "type", "default", "meaning")
    head = "".join(f'<th scope="col">{name}</th>' for name in names)
    return TABLE.format(head=head, rows=body)


def signature(name, o):
    "A call as source would have it: without annotations, in several lines where it is long."
    try:
        found = inspect.signature(o).parameters.items()
    except (ValueError, TypeError):
        return name
    bare = inspect.Parameter.empty
    parameters = [p.replace(annotation=bare) for n, p in found if n not in ("self", "cls")]
    call = f"{name}{inspect.Signature(parameters)}"
    if len(call) > 88:
        lines = "".join(f"    {p},\n" for p in parameters)
        call = f"{name}(\n{lines})"
    return without_addresses(call)


LONGEST_EXAMPLE = 8  # lines


NO_EXAMPLE = re.compile(r"^#\|\s*(export|exports|exporti|default_exp|gpu|slow|hub)\b", re.M)
HIDDEN = re.compile(r"^#\|\s*hide\b", re.M)
CHAPTERS = sorted((root / "nbs").glob("0*.ipynb"))
NOTEBOOKS = [p for p in sorted((root / "nbs").rglob("*.ipynb")) if "_proc" not in p.parts]


def statements(cell):
    "The statements of a cell as source, those inside `with` and `for` among them."
    try:
        todo = list(ast.parse(cell).body)
    except SyntaxError:  # a line for IPython
        return
    while todo:
        node = todo.pop(0)
        if isinstance(node, (ast.With, ast.For, ast.If)):
            todo = [*node.body, *todo]
        source = ast.get_source_segment(cell, node, padded=True)
        yield textwrap.dedent(source)


@functools.cache
def pieces(notebook):
    """The code of a notebook that may serve as an example, best first: short cells, short
    statements, short statements of its hidden cells."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    code = ["".join(c["source"]) for c in cells if c["cell_type"] == "code"]
    code = [c for c in code if not NO_EXAMPLE.search(c)]
    bare = {hidden: [] for hidden in (False, True)}
    for cell in code:
        bare[bool(HIDDEN.search(cell))].append(re.sub(r"^#\|.*\n", "", cell, flags=re.M))
    is_check = re.compile(r"\b(assert|test_\w+)\b")
    shown = sorted(bare[False], key=lambda c: bool(is_check.search(c)))
    parts = [part for cells in (shown, bare[True]) for cell in cells for part in statements(cell)]
    short = [c for c in [*shown, *parts] if len(c.splitlines()) <= LONGEST_EXAMPLE]
    return [c for c in short if not re.search(r"\A(def|class|from|import) ", c)]


@functools.cache
def notebooks_for(module):
    "The notebooks with examples of a module's functions: its own, the chapters, the others."
    file = Path(importlib.import_module(f"nlp_tour.{module}").__file__)
    found = re.search(r"File to edit: (\S+)\.$", file.read_text(encoding="utf-8"), re.M)
    own = [(file.parent / found[1]).resolve()] if found else []
    return tuple(dict.fromkeys([*own, *CHAPTERS, *NOTEBOOKS]))


@functools.cache
def example(name, notebooks):
    "The first use of a function, as a block; nothing where no notebook shows one."
    last = name.rpartition(".")[2]
    called = re.compile(rf"\.{last}\(" if "." in name else rf"(?<![\w.]){last}\(")
    uses = (c for notebook in notebooks for c in pieces(notebook) if last in c)
    use = next((c for c in uses if called.search(c)), None)
    return f"\n*Example*\n\n```python\n{use.strip()}\n```\n" if use else ""


def title(name, level):
    "A heading with the name as its anchor."
    escaped = name.replace("_", "\\_")
    return f"{'#' * level} {escaped} {{#{name}}}\n\n"


def entry(name, o, level, notebooks=()):
    "Heading, signature, docstring, parameters and an example of one symbol."
    top = title(name, level)
    if not callable(o):
        return f"{top}```python\n{name} = {shown(o, 90)}\n```\n"
    doc = (inspect.getdoc(o) or "").strip()
    has_parameters = inspect.isfunction(o) or (inspect.isclass(o) and "__init__" in vars(o))
    parameters = table(o) if has_parameters else ""
    call = f"```python\n{signature(name, o)}\n```"
    return f"{top}{call}\n\n{doc}\n{parameters}{example(name, notebooks)}"


def property_entry(name, getter, level):
    "Heading, type and docstring of a property, which is read and not called."
    found = docments(getter, full=True).get("return")
    parts = [typed(found.anno), found.docment or ""] if found else []
    about = ": ".join(["property", *filter(None, parts)])
    doc = (inspect.getdoc(getter) or "").strip()
    return f"{title(name, level)}::: {{.property}}\n{about}\n:::\n\n{doc}\n"


def class_members(name, cls, level, notebooks):
    "The entries of a class's own methods and properties."
    for n, f in members(cls):
        if is_property(cls, n):
            yield property_entry(f"{name}.{n}", f, level)
        else:
            yield entry(f"{name}.{n}", f, level, notebooks)


def symbol_entries(found, level, notebooks):
    "The entries of names and of what belongs to them."
    for name, o in found:
        yield entry(name, o, level, notebooks)
        if inspect.isclass(o):
            yield from class_members(name, o, level + 1, notebooks)


def summary(module):
    "The docstring of a module."
    return (importlib.import_module(f"nlp_tour.{module}").__doc__ or "").strip()


def module_page(module):
    "The page of one module."
    m = importlib.import_module(f"nlp_tour.{module}")
    path = Path(m.__file__).relative_to(Path(nlp_tour.__file__).parents[1]).as_posix()
    front = FRONT.format(title=f"nlp_tour.{module}", description=json.dumps(summary(module)))
    parts = [front, f"[Source]({SOURCE}{path})\n"]
    notebooks = notebooks_for(module)
    found = own(module)
    shown = [name for name, _ in found if example(name, notebooks)]
    parts += symbol_entries([pair for pair in found if pair[0] in shown], 2, notebooks)
    rest = [pair for pair in found if pair[0] not in shown]
    if rest:
        parts.append(ALSO)
        parts += symbol_entries(rest, 3, notebooks)
    text = "\n".join(parts)
    assert not re.search(r" at 0x[0-9a-f]{6}", text), f"{module}: an object's address"
    return text


def write(folder):
    "Write all API pages and their index into `folder`."
    folder.mkdir(parents=True, exist_ok=True)
    names = modules()
    for name in names:
        (folder / f"{page(name)}.qmd").write_text(module_page(name), encoding="utf-8")
    description = "Every public name of the package, with its parameters."
    rows = [f"| [{n}]({page(n)}.qmd) | {summary(n)} |\n" for n in names]
    text = FRONT.format(title="API", description=description) + INDEX + "".join(rows)
    (folder / "index.qmd").write_text(text, encoding="utf-8")
