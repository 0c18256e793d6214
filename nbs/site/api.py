"API pages from signatures, docstrings and docments, and an index of symbols for other pages."

import html
import importlib
import inspect
import json
import pkgutil
import re
from pathlib import Path

from fastcore.docments import docments, empty

import nlp_tour

SOURCE = "https://github.com/nlp-tour/nlp_tour/blob/main/"


FRONT = """---
title: {title}
description: {description}
---
"""
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


def own(module):
    "Name and object of what a module itself exports, in its order."
    m = importlib.import_module(f"nlp_tour.{module}")
    return [(n, m.__dict__[n]) for n in m.__all__ if n in m.__dict__ and not n.startswith("_")]


def function_of(member):
    "The function behind a method, a property or a class method."
    inner = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
    return inspect.unwrap(inner)


def members(cls):
    "Public methods and properties that a class itself defines and documents."
    public = [n for n in vars(cls) if not n.startswith("_") or n == "__call__"]
    found = [(n, function_of(vars(cls)[n])) for n in public]
    return [(n, f) for n, f in found if inspect.isfunction(f) and f.__doc__]


def symbols():
    "Symbol -> its place under `api/`; a name that two modules export belongs to the first."
    found = {}
    for module in modules():
        place = f"{page(module)}.qmd#"
        for name, o in own(module):
            if not callable(o):
                continue
            found.setdefault(name, place + name)
            found.setdefault(f"{module}.{name}", place + name)
            for n, _ in members(o) if inspect.isclass(o) else []:
                found.setdefault(f"{name}.{n}", f"{place}{name}.{n}")
    return found


def shown(value, most=40):
    "A default value as source would have it, short; a set in order, a function by its name."
    if isinstance(value, (set, frozenset)):
        text = f"{{{', '.join(sorted(map(repr, value)))}}}"
    elif callable(value) and hasattr(value, "__name__"):
        text = value.__name__
    else:
        text = re.sub(r"<function (\w+) at 0x\w+>", r"\1", repr(value))
    return text if len(text) <= most else text[: most - 1] + "…"


def typed(kind):
    "An annotation as source has it; nothing where a default of None is all that is known."
    if kind in (empty, None, type(None), inspect.Parameter.empty):
        return ""
    return getattr(kind, "__name__", None) or str(kind).replace("typing.", "")


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
    return re.sub(r"<[\w.]+ object at 0x\w+>", "…", call)


def entry(name, o, level):
    "Heading, signature, docstring and parameters of one symbol."
    escaped = name.replace("_", "\\_")
    title = f"{'#' * level} {escaped} {{#{name}}}\n\n"
    if not callable(o):
        return f"{title}```python\n{name} = {shown(o, 90)}\n```\n"
    doc = (inspect.getdoc(o) or "").strip()
    has_parameters = inspect.isfunction(o) or (inspect.isclass(o) and "__init__" in vars(o))
    parameters = table(o) if has_parameters else ""
    return f"{title}```python\n{signature(name, o)}\n```\n\n{doc}\n{parameters}"


def summary(module):
    "The docstring of a module."
    return (importlib.import_module(f"nlp_tour.{module}").__doc__ or "").strip()


def module_page(module):
    "The page of one module."
    m = importlib.import_module(f"nlp_tour.{module}")
    path = Path(m.__file__).relative_to(Path(nlp_tour.__file__).parents[1]).as_posix()
    front = FRONT.format(title=f"nlp_tour.{module}", description=json.dumps(summary(module)))
    parts = [front, f"[Source]({SOURCE}{path})\n"]
    for name, o in own(module):
        parts.append(entry(name, o, 2))
        if inspect.isclass(o):
            parts += [entry(f"{name}.{n}", f, 3) for n, f in members(o)]
    return "\n".join(parts)


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
