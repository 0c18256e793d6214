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


def section(path, folder):
    "One benchmark."
    result = json.loads(path.read_text(encoding="utf-8"))
    name, script = path.stem, folder/f"bench_{path.stem}.py"
    machine = ", ".join(f"{k} {v}" for k, v in (result.get("machine") or {}).items() if v is not None)
    out = [f"## {name.replace('_', ' ').capitalize()} {{#{name.replace('_', '-')}}}\n", question(script) + "\n", f"`python benchmarks/bench_{name}.py` · [source]({SOURCE}bench_{name}.py) · [numbers]({SOURCE}results/{name}.json)\n"]
    single = {k: v for k, v in result.items() if isinstance(v, (int, float)) and not isinstance(v, bool)}
    if single: out.append("\n".join(f"- {k.replace('_', ' ')}: **{number(v)}**" for k, v in single.items()) + "\n")
    out += [bars(v, k.replace("_", " ")) for k, v in result.items() if isinstance(v, dict) and k not in ("machine", "spread") and any(scalars(v))]
    return "\n".join(out + [f"\nMeasured on {machine}.\n"])


def page(folder):
    "The page, as Quarto markdown."
    results = sorted((folder/"results").glob("*.json"))
    intro = "Each figure comes from one command, ours and what one would use instead in one run, in turn, medians. A figure without a command here is not quoted anywhere.\n"
    return "---\ntitle: Benchmarks\ndescription: Measured, on which machine, and how to measure it again.\n---\n\n" + intro + "\n" + "\n".join(section(p, folder) for p in results)
