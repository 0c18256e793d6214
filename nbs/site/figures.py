"""The benchmark page, drawn from `benchmarks/results/*.json`: for each file a section with plots,
tables with bars, and the machine it ran on."""

import ast
import html
import json
import math
import re

from markup import raw, scrolling, tag
from plots import number, plot

SOURCE = "https://github.com/nlp-tour/nlp_tour/blob/main/benchmarks/"
# The order of the sections; others come after these.
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
]
APART = ("benchmark", "machine", "curves", "notes")  # what has a form of its own
NAMES = {
    "spread": "slowest / fastest run",
    "cli": "command line",
    "times_stock_batch_1": "times stock at batch 1",
    "times_best_stock": "times stock at its best batch size",
    "best_stock": "the best batch size of stock",
    "matmul_peak_GFLOPs": "fastest product of matrices, GFLOP a second",
    "peak_memory_MB": "most memory, MB",
    "peak_MB": "most memory, MB",
    "training_peak_MB": "most memory in training, MB",
    "share_of_peak": "share of the limit",
    "tokens_per_second": "tokens a second",
    "rows_per_second": "rows a second",
    "texts_per_second": "texts a second",
    "texts_tokenized_per_second": "texts tokenized a second",
    "training_tokens_per_second": "tokens a second in training",
    "microseconds_a_text": "microseconds for a text",
    "labels_a_class": "labels for a class",
    "time_of_whole": "time, as a share of the whole model's",
    "second_half_MB": "growth in the second half, MB",
    "growth_MB_from_a_tenth_to_all": "growth from a tenth of the rows to all, MB",
    "times_the_floor": "predict's time, divided by this row's",
    "pace_of_files": "pace of files",
    "pace_spread": "pace: slowest / fastest run",
    "mark": "the loss to reach",
    "seconds_to_the_mark": "seconds to the loss to reach",
    "times_sooner_at_the_mark": "times sooner at the loss to reach",
    "seconds_of_lines": "seconds for so many lines of a pipe: in NumPy first, or all in torch",
    "seconds_of_handing_over": "seconds to bring in torch",
    "crossing_tokens": "tokens from which torch pays",
    "crossing_multiplications": "multiplications from which torch pays",
    "early_work": "the first tokens, before torch is there",
    "bars": "targets",
    "draws": "draws of the labels",
}
FRONT = """---
title: Benchmarks
description: Measured, on which machine, and how to measure it again.
---
"""


def question(path):
    "The first paragraph of a benchmark's docstring."
    if not path.exists():
        return ""
    doc = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return doc.split("\n\n")[0]


def named(key):
    return NAMES.get(key, key.replace("_", " "))


def is_runs(v):
    "Whether a value is the mean and the standard deviation of repeated runs."
    return isinstance(v, dict) and {"mean", "sd"} <= set(v)


def is_number(v):
    return v is None or (isinstance(v, (int, float)) and not isinstance(v, bool))


def is_flat(v):
    "Whether a value is a column of numbers or of repeated runs, one of them known."
    if not isinstance(v, dict) or is_runs(v):
        return False
    figures = list(v.values())
    return all(is_number(x) or is_runs(x) for x in figures) and any(x is not None for x in figures)


def is_plain_row(v):
    return (
        isinstance(v, dict) and not is_runs(v) and not any(isinstance(x, dict) for x in v.values())
    )


def is_grid(record):
    "Whether a record is a table: plain rows that have the same columns, of different units."
    rows = list(record.values()) if isinstance(record, dict) else []
    return bool(rows) and all(map(is_plain_row, rows)) and len({tuple(row) for row in rows}) == 1


def runs_below(record, prefix=""):
    "Repeated runs at any depth as {name: runs}; nothing where a record holds anything else."
    found = {}
    for k, v in record.items():
        below = {}
        if is_runs(v):
            below = {f"{prefix}{k}": v}
        elif isinstance(v, dict):
            below = runs_below(v, f"{prefix}{k}, ")
        if not below:
            return {}
        found |= below
    return found


def decimals(v):
    "How many decimals a figure has on the page."
    if is_runs(v):
        v = v["mean"]
    if not isinstance(v, float) or "e" in number(v):
        return 0
    return len(number(v).partition(".")[2])


def cell(v, digits=None):
    """A value as text, with as many decimals as its column; a list by its items, repeated runs by
    their mean and standard deviation."""
    if isinstance(v, (list, tuple)):
        return ", ".join(map(cell, v))
    if is_runs(v):
        return " ± ".join(cell(v[k], digits or decimals(v)) for k in ("mean", "sd"))
    if isinstance(v, dict):
        return ", ".join(f"{k} {cell(x)}" for k, x in v.items())
    if isinstance(v, bool):
        return "yes" if v else "no"
    return f"{v + 0.0:,.{digits}f}" if digits and isinstance(v, float) else number(v)


def cells(values):
    "The values of a column as text, in line with each other."
    digits = max(map(decimals, values), default=0)
    return [cell(v, digits) for v in values]


def bar(v, most):
    "The cell of a bar, with a whisker of one standard deviation where there is one."
    mean, sd = (v["mean"], v["sd"]) if is_runs(v) else (v or 0, 0)

    def at(x):
        return 100 * min(max(x / most, 0), 1)

    parts = [tag("span", style=f"width:{at(abs(mean)):.1f}%")]
    if sd:
        start, end = at(abs(mean) - sd), at(abs(mean) + sd)
        parts.append(tag("i", style=f"left:{start:.1f}%;width:{end - start:.1f}%"))
    return tag("td", tag("div", *parts), class_="bar")


def row(name, *tds):
    return tag("tr", tag("th", html.escape(name), scope="row"), *tds)


def num(text):
    return tag("td", html.escape(text), class_="num")


def head(*names):
    "The head of a table; an empty name is the column of bars."
    columns = [
        tag("th", html.escape(named(n)), scope="col", class_="num") if n else "" for n in names
    ]
    return tag("thead", tag("tr", "<td></td>", *(column or "<td></td>" for column in columns)))


def framed(inside, title, kind):
    "A table with its title."
    caption = tag("caption", html.escape(title))
    return scrolling(tag("table", caption, inside, class_=f"table table-sm {kind}"), label=title)


def height(v):
    "How far a bar and its whisker reach."
    return abs(v["mean"]) + v["sd"] if is_runs(v) else abs(v or 0)


def table(columns, title):
    """A table of {column: {row: value}}, with bars for the column that says most: how many times
    something, else the first. Then come equal answers, without which no speed counts."""
    lead = next((c for c in columns if c.startswith("times")), next(iter(columns)))
    others = sorted((k for k in columns if k != lead), key=lambda k: k != "same_labels")
    longest_first = sorted(columns.values(), key=len, reverse=True)
    names = list(dict.fromkeys(name for column in longest_first for name in column))
    most = max(map(height, columns[lead].values())) or 1
    texts = {k: cells([column.get(name) for name in names]) for k, column in columns.items()}
    rows = []
    for i, name in enumerate(names):
        first = num(texts[lead][i]), bar(columns[lead].get(name), most)
        rows.append(row(name, *first, *(num(texts[k][i]) for k in others)))
    top = head(lead, "", *others) if others else ""
    caption = title or named(lead)
    if others and title:
        caption += f"; bars: {named(lead)}"
    return framed(top + tag("tbody", *rows), caption, "bars")


def grid(record, title):
    "A table with a row for each entry and a column for each figure."
    names = next(iter(record.values()))
    columns = {c: cells([r[c] for r in record.values()]) for c in names}
    rows = [row(k, *(num(texts[i]) for texts in columns.values())) for i, k in enumerate(record)]
    return framed(head(*columns) + tag("tbody", *rows), title, "figured")


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


def group_title(group, title):
    "The title of a group of columns; one column alone is named."
    if len(group) > 1:
        return title
    (name,) = group
    return ": ".join(filter(None, [title, named(name)]))


def nested(key, v, level):
    "What is neither a figure nor a column: runs and grids as tables, else under a heading."
    if runs := runs_below(v):
        return [raw(table({key: runs}, f"{named(key)}: mean ± standard deviation"))]
    if is_grid(v):
        return [raw(grid(v, named(key)))]
    return [f"{'#' * level} {named(key).capitalize()}\n", *drawn(v, named(key), level + 1)]


def drawn(record, title, level=3):
    """Everything in a record: single figures as a list, what is alike as one table, what is nested
    under a heading of its own."""
    record = {k: v for k, v in record.items() if k not in APART}
    facts = {k: v for k, v in record.items() if not isinstance(v, dict) or is_runs(v)}
    flat = {k: v for k, v in record.items() if is_flat(v)}
    out = []
    if facts:
        out.append("".join(f"- {named(k)}: **{cell(v)}**\n" for k, v in facts.items()))
    out += [raw(table(group, group_title(group, title))) for group in together(flat)]
    for k, v in record.items():
        if k not in facts and k not in flat and v:
            out += nested(k, v, level)
    return out


def section(path, folder):
    "One benchmark."
    result = json.loads(path.read_text(encoding="utf-8"))
    name, anchor = path.stem, path.stem.replace("_", "-")
    links = f"[source]({SOURCE}bench_{name}.py) · [numbers]({SOURCE}results/{name}.json)"
    out = [
        f"## {named(name).capitalize()} {{#{anchor}}}\n",
        question(folder / f"bench_{name}.py") + "\n",
        f"`make bench-{anchor}` · {links}\n",
    ]
    plots = [plot(title, curve) for title, curve in (result.get("curves") or {}).items()]
    if any(plots):
        out.append(raw(tag("div", *plots, class_="plots")))
    out += drawn(result, "")
    if notes := result.get("notes"):
        out.append("".join(f"- **{named(k)}**: {v}\n" for k, v in notes.items()))
    machine = {k: v for k, v in (result.get("machine") or {}).items() if v is not None}
    measured_on = ", ".join(f"{named(k)} {cell(v)}" for k, v in machine.items())
    return "\n".join([*out, f"\nMeasured on: {measured_on}.\n"])


METHOD = re.compile(r"^## [^\n]*(?:measured|method)[^\n]*\n(.*?)(?=^## |\Z)", re.M | re.S | re.I)


def method(path):
    "How things are measured: that section of `benchmarks/README.md`, else all of it."
    if not path.exists():
        return ""
    text = re.sub(r"^# .*\n", "", path.read_text(encoding="utf-8"))
    own = METHOD.search(text)
    text = own[1] if own else re.sub(r"^##", "###", text, flags=re.M)
    linked = re.sub(r"\]\((?!https?:|#)", f"]({SOURCE}", text.strip())
    return f"## How it is measured {{#method}}\n\n{linked}\n"


def result_of(folder, name):
    "The result of a benchmark; nothing where it was not run."
    path = folder / "results" / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def fastest(seconds):
    "The quickest of each contender's ways: `stock, batch 8` and `stock, batch 32` are one's."
    best = {}
    for name, value in seconds.items():
        who = re.sub(r", batch \d+$", "", name)
        if value and not name.startswith("body:") and value < best.get(who, (math.inf,))[0]:
            best[who] = value, name
    return {name: value for value, name in best.values()}


def findings(folder):
    "What was found: a sentence, and a chart of speed."
    reviews = result_of(folder, "inference").get("reviews", {})
    times = reviews.get("times_best_stock", {}).get("ours, float32")
    training = result_of(folder, "training")
    recipe = training.get("times_the_recipe", {}).get("finetune")
    padded = training.get("times_dynamic_padding", {}).get("finetune")
    sooner = result_of(folder, "first_answer").get("times_sooner_than_stock")
    found = []
    if times:
        found.append(
            f"nlp_tour answers [**{cell(times)} times** as many texts a second](#inference) as "
            "transformers' pipeline at its best batch size, with the same labels"
        )
    if recipe:
        found.append(
            f"it fine-tunes [**{cell(recipe)} times** as fast](#training) as the recipe of "
            f"2021, and {cell(padded)} times as fast as Trainer with dynamic padding"
        )
    if sooner:
        found.append(f"its first answer comes [**{cell(sooner)} times** sooner](#first-answer)")
    if not found:
        return ""
    sentence = f"On a CPU, {'; '.join(found)}."
    speed = fastest(reviews.get("seconds", {}))
    texts = {name: round(reviews["texts"] / value) for name, value in speed.items()}
    slowest_first = dict(sorted(texts.items(), key=lambda pair: pair[1]))
    title = (
        f"Texts a second, {cell(reviews.get('texts'))} film reviews, each at its best batch size"
    )
    chart = raw(table({"texts a second": slowest_first}, title)) if texts else ""
    return f"""{sentence} Where a peer is better, the figures show it.
{chart}
Each figure comes from one command, which runs ours and the alternatives in turn and takes medians;
[how it is measured](#method) stands at the end. No page quotes a figure without a command here.
"""


def place(path):
    "Where the section of a result stands."
    return (ORDER.index(path.stem) if path.stem in ORDER else len(ORDER), path.stem)


def page(folder):
    "The page, as Quarto markdown."
    results = sorted((folder / "results").glob("*.json"), key=place)
    sections = [section(path, folder) for path in results]
    return "\n".join([FRONT, findings(folder), *sections, method(folder / "README.md")])
