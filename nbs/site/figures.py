"The benchmark page, drawn from `benchmarks/results/*.json`: one section a file, plots, tables with bars, the machine it ran on."

import ast
import html
import json
import re

from plots import number, plot

SOURCE = "https://github.com/nlp-tour/nlp_tour/blob/main/benchmarks/"
ORDER = [
    "inference",
    "first_answer",
    "cli",
    "training",
    "quality",
    "few_shot",
    "customization",
    "files",
    "growth",
    "overhead",
]  # others come after these
APART = ("benchmark", "machine", "curves", "notes")  # what has a form of its own
NAMES = {"spread": "slowest / fastest run", "cli": "command line"}


def question(path):
    "The first paragraph of a benchmark's docstring."
    return (
        (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").split("\n\n")[0]
        if path.exists()
        else ""
    )


def named(key):
    return NAMES.get(key, key.replace("_", " "))


def decimals(v):
    return len(number(v).partition(".")[2]) if isinstance(v, float) and "e" not in number(v) else 0


def cell(v, digits=None):
    "A value as text, with as many decimals as its column; a list by its items, repeated runs by their mean and standard deviation."
    if isinstance(v, (list, tuple)):
        return ", ".join(map(cell, v))
    if is_runs(v):
        return " ± ".join(cell(v[k], digits or decimals(v["mean"])) for k in ("mean", "sd"))
    if isinstance(v, dict):
        return ", ".join(f"{k} {cell(x)}" for k, x in v.items())
    return (
        "yes"
        if v is True
        else "no"
        if v is False
        else f"{v:,.{digits}f}"
        if digits and isinstance(v, float)
        else number(v)
    )


def cells(values):
    "The values of a column as text, in line with each other."
    digits = max((decimals(v["mean"] if is_runs(v) else v) for v in values), default=0)
    return [cell(v, digits) for v in values]


def is_runs(v):
    return isinstance(v, dict) and {"mean", "sd"} <= set(v)


def is_number(v):
    return v is None or (isinstance(v, (int, float)) and not isinstance(v, bool))


def is_flat(v):
    return (
        isinstance(v, dict)
        and bool(v)
        and not is_runs(v)
        and all(is_number(x) or is_runs(x) for x in v.values())
        and any(x is not None for x in v.values())
    )


def is_grid(record):
    "Whether a record is a table: plain rows that have the same columns, of different units."
    rows = list(record.values()) if isinstance(record, dict) else []
    return (
        bool(rows)
        and all(
            isinstance(r, dict)
            and not is_runs(r)
            and not any(isinstance(v, dict) for v in r.values())
            for r in rows
        )
        and len({tuple(r) for r in rows}) == 1
    )


def runs_below(record, prefix=""):
    "Repeated runs at any depth as {name: runs}; nothing where a record holds anything else."
    found = {}
    for k, v in record.items():
        below = (
            {f"{prefix}{k}": v}
            if is_runs(v)
            else runs_below(v, f"{prefix}{k}, ")
            if isinstance(v, dict) and v
            else {}
        )
        if not below:
            return {}
        found |= below
    return found


def bar(v, most):
    "The cell of a bar, with a whisker of one standard deviation where there is one."
    mean, sd = (v["mean"], v["sd"]) if is_runs(v) else (v or 0, 0)

    def at(x):
        return 100 * min(max(x / most, 0), 1)

    whisker = (
        f'<i style="left:{at(abs(mean) - sd):.1f}%;width:{at(abs(mean) + sd) - at(abs(mean) - sd):.1f}%"></i>'
        if sd
        else ""
    )
    return (
        f'<td class="bar"><div><span style="width:{at(abs(mean)):.1f}%"></span>{whisker}</div></td>'
    )


def row(name, *tds):
    return f'<tr><th scope="row">{html.escape(name)}</th>{"".join(tds)}</tr>'


def num(text):
    return f'<td class="num">{html.escape(text)}</td>'


def head(*names):
    return (
        "<thead><tr><td></td>"
        + "".join(
            f'<th scope="col" class="num">{html.escape(named(n))}</th>' if n else "<td></td>"
            for n in names
        )
        + "</tr></thead>"
    )


def table(columns, title):
    "A table of {column: {row: value}} with bars for the column that says most: how many times something, else the first."
    lead = next((c for c in columns if c.startswith("times")), next(iter(columns)))
    rows = list(
        dict.fromkeys(r for c in sorted(columns.values(), key=len, reverse=True) for r in c)
    )
    most = (
        max(abs(v["mean"]) + v["sd"] if is_runs(v) else abs(v or 0) for v in columns[lead].values())
        or 1
    )
    texts = {k: cells([c.get(r) for r in rows]) for k, c in columns.items()}
    others = [k for k in columns if k != lead]
    body = "".join(
        row(
            r,
            num(texts[lead][i]),
            bar(columns[lead].get(r), most),
            *(num(texts[k][i]) for k in others),
        )
        for i, r in enumerate(rows)
    )
    return framed(
        f"{head(lead, '', *others) if others else ''}<tbody>{body}</tbody>",
        f"{title or named(lead)}{f'; bars: {named(lead)}' if others and title else ''}",
        "bars",
    )


def grid(record, title):
    "A table with a row for each entry and a column for each figure."
    columns = {c: cells([r[c] for r in record.values()]) for c in next(iter(record.values()))}
    body = "".join(
        row(k, *(num(texts[i]) for texts in columns.values())) for i, k in enumerate(record)
    )
    return framed(f"{head(*columns)}<tbody>{body}</tbody>", title, "figured")


def framed(inside, title, kind):
    "A table that scrolls by itself where the page is narrow."
    title = html.escape(title, quote=True)
    return f'<div class="wide" role="group" aria-label="{title}"><table class="table table-sm {kind}"><caption>{title}</caption>{inside}</table></div>'


def raw(markup):
    return f"\n```{{=html}}\n{markup}\n```\n"


def together(columns):
    "Columns over the same rows, in groups: each group is one table."
    groups = []
    for name, column in sorted(columns.items(), key=lambda c: -len(c[1])):
        home = next((g for g in groups if set(column) <= set(next(iter(g.values())))), None)
        if home is None:
            groups.append({name: column})
        else:
            home[name] = column
    return [{k: g[k] for k in columns if k in g} for g in groups]


def drawn(record, title, level=3):
    "Everything in a record: single figures as a list, what is alike as one table, what is nested under a heading of its own."
    record = {k: v for k, v in record.items() if k not in APART}
    facts = {k: v for k, v in record.items() if not isinstance(v, dict) or is_runs(v)}
    flat = {k: v for k, v in record.items() if is_flat(v)}
    out = (
        ["\n".join(f"- {named(k)}: **{cell(v)}**" for k, v in facts.items()) + "\n"]
        if facts
        else []
    )
    out += [
        raw(
            table(
                g, title if len(g) > 1 else ": ".join(filter(None, [title, named(next(iter(g)))]))
            )
        )
        for g in together(flat)
    ]
    for k, v in record.items():
        if k in facts or k in flat or not v:
            continue
        if runs := runs_below(v):
            out.append(raw(table({k: runs}, f"{named(k)}: mean ± standard deviation")))
        elif is_grid(v):
            out.append(raw(grid(v, named(k))))
        else:
            out += [f"{'#' * level} {named(k).capitalize()}\n", *drawn(v, named(k), level + 1)]
    return out


def section(path, folder):
    "One benchmark."
    result = json.loads(path.read_text(encoding="utf-8"))
    name, script = path.stem, folder / f"bench_{path.stem}.py"
    anchor = name.replace("_", "-")
    out = [
        f"## {named(name).capitalize()} {{#{anchor}}}\n",
        question(script) + "\n",
        f"`make bench-{anchor}` · [source]({SOURCE}bench_{name}.py) · [numbers]({SOURCE}results/{name}.json)\n",
    ]
    if plots := "".join(plot(t, c) for t, c in (result.get("curves") or {}).items()):
        out.append(raw(f'<div class="plots">{plots}</div>'))
    out += drawn(result, "")
    if notes := result.get("notes"):
        out.append("\n".join(f"- **{named(k)}**: {v}" for k, v in notes.items()) + "\n")
    machine = ", ".join(
        f"{named(k)} {cell(v)}" for k, v in (result.get("machine") or {}).items() if v is not None
    )
    return "\n".join([*out, f"\nMeasured on: {machine}.\n"])


def method(path):
    "What `benchmarks/README.md` says about how things are measured: its section of that name, else all of it."
    if not path.exists():
        return ""
    text = re.sub(r"^# .*\n", "", path.read_text(encoding="utf-8"))
    own = re.search(
        r"^## [^\n]*(?:measured|method)[^\n]*\n(.*?)(?=^## |\Z)", text, re.M | re.S | re.I
    )
    text = own[1] if own else re.sub(r"^##", "###", text, flags=re.M)
    return (
        "## How it is measured {#method}\n\n"
        + re.sub(r"\]\((?!https?:|#)", f"]({SOURCE}", text.strip())
        + "\n"
    )


def page(folder):
    "The page, as Quarto markdown."
    results = sorted(
        (folder / "results").glob("*.json"),
        key=lambda p: (ORDER.index(p.stem) if p.stem in ORDER else len(ORDER), p.stem),
    )
    intro = "Each figure comes from one command, ours and what one would use instead in one run, in turn, medians. A figure without a command here is not quoted anywhere.\n"
    return (
        "---\ntitle: Benchmarks\ndescription: Measured, on which machine, and how to measure it again.\n---\n\n"
        + "\n".join([intro, method(folder / "README.md"), *(section(p, folder) for p in results)])
    )
