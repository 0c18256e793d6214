"API pages, a module each, from signatures, docstrings and docments; and the index of symbols that other pages link to."

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


def modules():
    "The names of all modules of the package that export something."
    names = sorted(
        m.name.removeprefix("nlp_tour.")
        for m in pkgutil.walk_packages(nlp_tour.__path__, "nlp_tour.")
        if not m.ispkg and not m.name.rpartition(".")[2].startswith("_")
    )
    return [n for n in names if getattr(importlib.import_module(f"nlp_tour.{n}"), "__all__", None)]


def slug(name):
    return name  # ids know upper from lower case, as Python does: `Pipeline` is not `pipeline`


def page(module):
    return module.replace(".", "-")


def own(module):
    "Name and object of what a module itself exports, in its order."
    m = importlib.import_module(f"nlp_tour.{module}")
    return [(n, m.__dict__[n]) for n in m.__all__ if n in m.__dict__ and not n.startswith("_")]


def members(cls):
    "Public methods and properties that a class itself defines and documents."
    found = [
        (n, inspect.unwrap(f.fget if isinstance(f, property) else getattr(f, "__func__", f)))
        for n, f in vars(cls).items()
        if not n.startswith("_") or n == "__call__"
    ]
    return [(n, f) for n, f in found if inspect.isfunction(f) and f.__doc__]


def symbols():
    "Symbol -> its place under `api/`; a name that two modules export belongs to the first."
    found = {}
    for module in modules():
        for name, o in own(module):
            if not callable(o):
                continue
            found.setdefault(name, f"{page(module)}.qmd#{slug(name)}")
            found.setdefault(f"{module}.{name}", f"{page(module)}.qmd#{slug(name)}")
            if inspect.isclass(o):
                for n, _ in members(o):
                    found.setdefault(f"{name}.{n}", f"{page(module)}.qmd#{slug(f'{name}.{n}')}")
    return found


def shown(value, most=40):
    "A default value as source would have it, short."
    text = value.__name__ if callable(value) and hasattr(value, "__name__") else repr(value)
    return text if len(text) <= most else text[: most - 1] + "…"


def typed(kind):
    "An annotation as source has it; nothing where a default of None is all that is known."
    if kind is type(None):
        return ""
    if kind in (empty, None) or kind is inspect.Parameter.empty:
        return ""
    return getattr(kind, "__name__", None) or str(kind).replace("typing.", "")


def marked(text):
    "Text with its backticks as code."
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text, quote=False))


def table(o):
    "The parameters as an HTML table; nothing where there are none to explain."
    rows = []
    for name, p in docments(o, full=True).items():
        if name in ("self", "cls"):
            continue
        default = (
            ""
            if name == "return" or p.default in (empty, inspect.Parameter.empty)
            else shown(p.default)
        )
        if name == "return" and typed(p.anno) == "" and not p.docment:
            continue
        label = "<em>returns</em>" if name == "return" else f"<code>{html.escape(name)}</code>"
        cells = [
            label,
            f"<code>{html.escape(typed(p.anno))}</code>" if typed(p.anno) else "",
            f"<code>{html.escape(default)}</code>" if default else "",
            marked(p.docment or ""),
        ]
        rows.append("<tr>" + "".join(f"<td>{c}</td>" for c in cells) + "</tr>")
    if not rows:
        return ""
    head = "".join(f'<th scope="col">{h}</th>' for h in ("parameter", "type", "default", "meaning"))
    return f'\n```{{=html}}\n<div class="wide" role="group" aria-label="parameters"><table class="table table-sm params"><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>\n```\n'


def entry(name, o, level, module):
    "Heading, signature, docstring and parameters of one symbol."
    title = "#" * level + " " + name.replace("_", "\\_") + f" {{#{slug(name)}}}\n\n"
    doc = (inspect.getdoc(o) or "").strip()
    if not callable(o):
        return title + f"```python\n{name} = {shown(o, 90)}\n```\n"
    try:
        parameters = [
            p.replace(annotation=inspect.Parameter.empty)
            for n, p in inspect.signature(o).parameters.items()
            if n not in ("self", "cls")
        ]
    except (ValueError, TypeError):
        parameters = None
    call = f"{name}{inspect.Signature(parameters)}" if parameters is not None else name
    if len(call) > 88:
        call = f"{name}(\n" + "".join(f"    {p},\n" for p in parameters) + ")"
    has_own = inspect.isfunction(o) or (inspect.isclass(o) and "__init__" in vars(o))
    return title + f"```python\n{call}\n```\n\n{doc}\n" + (table(o) if has_own else "")


def module_page(module):
    "The page of one module."
    m = importlib.import_module(f"nlp_tour.{module}")
    path = Path(m.__file__).relative_to(Path(nlp_tour.__file__).parents[1]).as_posix()
    parts = [
        f"---\ntitle: nlp_tour.{module}\ndescription: {json.dumps((m.__doc__ or '').strip())}\n---\n",
        f"[Source]({SOURCE}{path})\n",
    ]
    for name, o in own(module):
        parts.append(entry(name, o, 2, module))
        if inspect.isclass(o):
            parts += [entry(f"{name}.{n}", f, 3, module) for n, f in members(o)]
    return "\n".join(parts)


def write(folder):
    "Write all API pages and their index into `folder`."
    folder.mkdir(parents=True, exist_ok=True)
    names = modules()
    for name in names:
        (folder / f"{page(name)}.qmd").write_text(module_page(name), encoding="utf-8")
    rows = "\n".join(
        f"| [{n}]({page(n)}.qmd) | {(importlib.import_module(f'nlp_tour.{n}').__doc__ or '').strip()} |"
        for n in names
    )
    index = f"---\ntitle: API\ndescription: Every public name of the package, with its parameters.\n---\n\n`from nlp_tour.all import …` holds what a notebook needs; the modules hold all.\n\n| module | |\n|---|---|\n{rows}\n"
    (folder / "index.qmd").write_text(index, encoding="utf-8")
