"The benchmark page, drawn from `benchmarks/results/*.json`: one section a file, bars for what was timed, the machine it ran on."
import ast, html, json

SOURCE = "https://github.com/nlp-tour/nlp_tour/blob/main/benchmarks/"


def question(path):
    "The first paragraph of a benchmark's docstring."
    return (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").split("\n\n")[0] if path.exists() else ""


def scalars(record, prefix=""):
    "All numbers of nested dicts as (name, value)."
    for k, v in record.items():
        if isinstance(v, dict): yield from scalars(v, f"{prefix}{k}, ")
        elif isinstance(v, (int, float)) and not isinstance(v, bool): yield f"{prefix}{k}", v


def number(v): return f"{v:,}" if isinstance(v, int) else f"{v:,.3g}" if abs(v) < 1000 else f"{v:,.0f}"


def bars(record, title):
    "A table of numbers of one unit with a bar each."
    rows = list(scalars(record))
    most = max((abs(v) for _, v in rows), default=0) or 1
    body = "".join(f'<tr><th scope="row">{html.escape(k)}</th><td class="num">{number(v)}</td><td class="bar"><span style="width:{100 * abs(v) / most:.1f}%"></span></td></tr>' for k, v in rows)
    return f'\n```{{=html}}\n<div class="wide" role="group" aria-label="{html.escape(title, quote=True)}"><table class="table table-sm bars"><caption>{html.escape(title)}</caption><tbody>{body}</tbody></table></div>\n```\n'


def is_grid(record):
    "Whether a record is a table: plain rows that have the same columns, of different units."
    rows = list(record.values())
    return len(rows) > 1 and all(isinstance(r, dict) and not any(isinstance(v, dict) for v in r.values()) for r in rows) and len({tuple(r) for r in rows}) == 1


def grid(record, title):
    "A table with a row for each entry and a column for each figure."
    columns = list(next(iter(record.values())))
    head = "".join(f'<th scope="col" class="num">{html.escape(c.replace("_", " "))}</th>' for c in columns)
    body = "".join(f'<tr><th scope="row">{html.escape(k)}</th>' + "".join(f'<td class="num">{number(v) if isinstance(v, (int, float)) else html.escape(str(v))}</td>' for v in r.values()) + "</tr>" for k, r in record.items())
    return f'\n```{{=html}}\n<div class="wide" role="group" tabindex="0" aria-label="{html.escape(title, quote=True)}"><table class="table table-sm"><caption>{html.escape(title)}</caption><thead><tr><td></td>{head}</tr></thead><tbody>{body}</tbody></table></div>\n```\n'


def section(path, folder):
    "One benchmark."
    result = json.loads(path.read_text(encoding="utf-8"))
    name, script = path.stem, folder/f"bench_{path.stem}.py"
    machine = ", ".join(f"{k} {v}" for k, v in (result.get("machine") or {}).items() if v is not None)
    out = [f"## {name.replace('_', ' ').capitalize()} {{#{name.replace('_', '-')}}}\n", question(script) + "\n", f"`python benchmarks/bench_{name}.py` · [source]({SOURCE}bench_{name}.py) · [numbers]({SOURCE}results/{name}.json)\n"]
    single = {k: v for k, v in result.items() if isinstance(v, (int, float)) and not isinstance(v, bool)}
    if single: out.append("\n".join(f"- {k.replace('_', ' ')}: **{number(v)}**" for k, v in single.items()) + "\n")
    out += [(grid if is_grid(v) else bars)(v, k.replace("_", " ")) for k, v in result.items() if isinstance(v, dict) and k not in ("machine", "spread") and any(scalars(v))]
    return "\n".join(out + [f"\nMeasured on {machine}.\n"])


def page(folder):
    "The page, as Quarto markdown."
    results = sorted((folder/"results").glob("*.json"))
    intro = "Each figure comes from one command, ours and what one would use instead in one run, in turn, medians. A figure without a command here is not quoted anywhere.\n"
    return "---\ntitle: Benchmarks\ndescription: Measured, on which machine, and how to measure it again.\n---\n\n" + intro + "\n" + "\n".join(section(p, folder) for p in results)
