"""Stage the site: notebooks become pages, docments become API pages, benchmark results become a page; all of it lies in `_proc/`.

nbdev does the staging (its directives keep their meaning); what differs is that a page here shows the exported source where it stands,
because the notebooks are the book. Signatures and parameters have pages of their own, under `api/`."""

import datetime
import html
import json
import re
import shutil
import sys
from importlib.metadata import version
from pathlib import Path

import api
import architecture
import figures
import yaml
from fastcore.xtras import dict2obj  # noqa: F401  (nbdev's cells are such objects)
from landing import landing
from nbdev import serve
from nbdev.config import get_config
from nbdev.frontmatter import FrontmatterProc
from nbdev.process import Processor
from nbdev.processors import (
    FilterDefaults,
    filter_stream_,
    hide_,
    hide_line,
    populate_language,
    rm_header_dash,
    strip_ansi,
    strip_hidden_metadata,
)
from nbdev.quarto import refresh_quarto_yml

root = Path(__file__).resolve().parents[2]
nbs, staged = root / "nbs", root / "_proc"
SITE = f"{get_config(path=root).doc_host}{get_config(path=root).doc_baseurl}/"
CHAPTERS = [
    "01_pipeline",
    "02_tokenizer",
    "03_model",
    "04_customization",
    "05_trainer",
    "06_native_loop",
]
WIDGET, STATE = (
    "application/vnd.jupyter.widget-view+json",
    "application/vnd.jupyter.widget-state+json",
)
ASSETS = (".css", ".scss", ".mjs", ".js", ".svg")
NEEDS = {
    "hub": "needs a network",
    "gpu": "needs a GPU",
    "slow": "takes long",
    "tf": "needs TensorFlow",
}  # directives of cells that are not run everywhere


def page_name(path):
    "Where a notebook ends up: `tasks/table.ipynb` as it is, `01_pipeline.ipynb` without its number."
    return re.sub(r"(^|/)\d+[a-z]?_", r"\1", path)


def page_module(nb):
    "The API page of the module that a notebook exports, without its ending."
    names = [
        d["default_exp"][0]
        for c in nb.cells
        if (d := getattr(c, "directives_", {})).get("default_exp")
    ]
    return api.page(names[0]) if names else ""


def title_of(path):
    "The first heading of a notebook."
    return next(
        re.search(r"^#\s+(.+)", "".join(c["source"]), re.M)[1].strip()
        for c in json.loads(path.read_text(encoding="utf-8"))["cells"]
        if c["cell_type"] == "markdown"
    )


def link_symbols(text, symbols, up):
    "`name` in backticks links to its API page, outside of code blocks and of links."

    def link(m):
        return (
            f"[`{m[1]}`]({up}api/{symbols[m[1].removesuffix('()')]})"
            if m[1].removesuffix("()") in symbols
            else m[0]
        )

    parts = re.split(
        r"(^```.*?^```|\[[^\]\n]*\]\([^)\n]*\)|^#.*$|``.+?``)", text, flags=re.M | re.S
    )
    return "".join(
        p if i % 2 else re.sub(r"(?<!`)`([\w.]+(?:\(\))?)`(?!`)", link, p)
        for i, p in enumerate(parts)
    )


def link_pages(text, up):
    "Links between notebooks follow the pages' names; links to the published site, which work from a notebook anywhere, stay on this one."
    text = text.replace(f"]({SITE})", f"]({up}index.html)").replace(f"]({SITE}", f"]({up}")
    return re.sub(
        r"\]\((?!https?:)([\w./-]+)\.ipynb(#[^)]*)?\)",
        lambda m: f"]({page_name(m[1] + '.ipynb')}{m[2] or ''})",
        text,
    )


def badge(text):
    "The Colab badge as a link of our own: its picture would be a request to another site."
    return re.sub(
        r'<a href="(https://colab[^"]+)"[^>]*><img [^>]*></a>',
        r'<a class="colab" href="\1">Open in Colab</a>',
        text,
    )


def static_html(markup):
    "HTML of a cell as every renderer shows it: tables in the site's style, wide content scrolls by itself, no styles of their own."
    markup = re.sub(r"<style scoped>.*?</style>", "", markup, flags=re.S)
    markup = re.sub(
        r'<table border="1" class="dataframe">',
        '<table class="table table-sm table-striped">',
        markup,
    )
    markup = re.sub(r' style="text-align: right;"', "", markup)
    markup = re.sub(
        r";?\s*(opacity:\.\d+|overflow-x:auto)(?=[;\"])", "", markup
    )  # pale text is hard to read, and the block around it scrolls
    return f'<div class="wide" role="group" aria-label="output">{markup}</div>'


def plain(text):
    "A line of Markdown without its marks."
    return re.sub(r"[`*]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text))


def raw(markup):
    "A Markdown block that holds HTML as it is."
    return f"\n```{{=html}}\n{markup.strip()}\n```\n"


def widget(view):
    "The place of a widget: the manager's script puts it there."
    return f'<div class="wide"><script type="{WIDGET}">{json.dumps(view)}</script></div>'


def widget_state(state, up):
    "The state of a page's widgets, and the script that draws them, from this site."
    return f'<script type="{STATE}">{json.dumps(state).replace("</", "<" + chr(92) + "/")}</script>\n<script src="{up}site/widgets.js" defer></script>'


class Page(Processor):
    "What both renderers need, for every page."

    symbols, versions = {}, ""

    def begin(self):
        self.path = Path(self.nb.path_).resolve().relative_to(nbs)
        self.module = page_module(self.nb)
        self.state = self.nb.metadata.get("widgets", {}).get(STATE)
        self.up, self.heading, self.said = (
            "../" * (len(self.path.parts) - 1),
            self.nb.frontmatter_.get("title", ""),
            "",
        )

    def cell(self, cell):
        if cell.cell_type == "markdown":
            self.prose(cell)
        elif cell.cell_type == "code":
            if "default_exp" in cell.directives_ or not cell.source.strip():
                cell.source = None
            else:
                self.code(cell)

    def prose(self, cell):
        for line in cell.source.splitlines():
            if line.startswith("#"):
                self.heading = line.strip("# ")
            elif line.strip() and not line.startswith("<"):
                self.said = line
        cell.source = link_symbols(link_pages(badge(cell.source), self.up), self.symbols, self.up)

    def code(self, cell):
        why = [NEEDS[d] for d in cell.directives_ if d in NEEDS]
        cell.source = re.sub(r"^#\|\s*eval:.*\n?", "", cell.source, flags=re.M)
        alt = (
            " ".join(cell.directives_.get("fig-alt:", [])).strip('"')
            or f"{self.heading}: {plain(self.said)}"[:160]
        )
        cell.outputs = [self.output(o, alt) for o in cell.get("outputs", [])]
        if cell.directives_.keys() & {"export", "exports"}:
            cell.names_ = [
                n
                for n in re.findall(r"^(?:def|class) (\w+)", cell.source, re.M)
                if self.symbols.get(n, "").startswith(f"{self.module}.qmd#")
            ]
        if why:
            cell.source = f"# {', '.join(why)}\n{cell.source}"

    def reference(self, names):
        "A line under exported code that leads to its API page."
        links = " ".join(f"[`{n}`]({self.up}api/{self.symbols[n]})" for n in names)
        return dict2obj(
            {
                "cell_type": "markdown",
                "metadata": {},
                "source": f"::: {{.reference}}\nParameters: {links}\n:::\n",
                "directives_": {},
            }
        )

    def output(self, o, alt):
        data = o.get("data", {})
        if WIDGET in data and self.state:
            return dict2obj(
                {
                    "output_type": "display_data",
                    "metadata": {},
                    "data": {"text/markdown": raw(widget(data[WIDGET]))},
                }
            )
        if "text/html" in data:
            return dict2obj(
                {
                    "output_type": "display_data",
                    "metadata": {},
                    "data": {"text/markdown": raw(static_html("".join(data["text/html"])))},
                }
            )
        if "image/png" in data:
            alt = o.get("metadata", {}).get("image/png", {}).get("alt") or alt
            size = 'class="figure-png" loading="lazy"'
            markup = f'<img {size} alt="{html.escape(alt, quote=True)}" src="data:image/png;base64,{"".join(data["image/png"]).strip()}">'
            return dict2obj(
                {
                    "output_type": "display_data",
                    "metadata": {},
                    "data": {"text/markdown": raw(markup)},
                }
            )
        return o

    def end(self):
        self.nb.cells = [
            c
            for cell in self.nb.cells
            for c in (
                [cell, self.reference(cell.names_)] if getattr(cell, "names_", None) else [cell]
            )
        ]
        if self.state:
            self.nb.cells.append(
                dict2obj(
                    {
                        "cell_type": "markdown",
                        "metadata": {},
                        "source": raw(widget_state(self.state, self.up)),
                        "directives_": {},
                    }
                )
            )
        if (
            self.path.stem in CHAPTERS
            or self.path.parent.name == "tasks"
            or re.match(r"\d\d_", self.path.name)
        ):
            self.nb.cells.append(
                dict2obj(
                    {
                        "cell_type": "markdown",
                        "metadata": {},
                        "source": raw(f'<p class="stamp">{self.versions}</p>'),
                        "directives_": {},
                    }
                )
            )


class Pages(FilterDefaults):
    "nbdev's processors without those that replace source by signatures, and ours."

    def base_procs(self):
        return [
            FrontmatterProc,
            populate_language,
            strip_ansi,
            hide_line,
            filter_stream_,
            rm_header_dash,
            hide_,
            strip_hidden_metadata,
            Page,
        ]


def runs_with(day):
    "What the pages were run with, in a sentence."
    libraries = ", ".join(
        f"{n} {version(n).partition('+')[0]}"
        for n in ("torch", "transformers", "datasets", "evaluate", "accelerate", "peft")
    )
    return f"Runs with Python {sys.version_info.major}.{sys.version_info.minor}, {libraries}. Page built {day}."


def sidebar():
    "The sidebar of `nbs/sidebar.yml`, with the pages' names on the site and their titles."
    found = yaml.safe_load((nbs / "sidebar.yml").read_text(encoding="utf-8"))

    def entry(item):
        if isinstance(item, dict):
            return item
        title = title_of(nbs / item)
        number = re.match(r"0(\d)_", item)
        return {"text": f"{number[1]} {title}" if number else title, "href": page_name(item)}

    for group in found["website"]["sidebar"]["contents"]:
        group["contents"] = [entry(item) for item in group["contents"]]
    return found


def stage():
    "Write all pages into `_proc/`, under the names that they keep on the site."
    day = datetime.date.today().isoformat()
    Page.symbols, Page.versions = api.symbols(), runs_with(day)
    refresh_quarto_yml()
    serve.FilterDefaults = Pages  # nbdev's documented way to choose other processors is a subclass
    serve.proc_nbs(n_workers=0, force=True)
    for p in sorted(staged.rglob("*.ipynb")):
        if (new := staged / page_name(p.relative_to(staged).as_posix())) != p:
            p.rename(new)
    (staged / "sidebar.yml").write_text(
        yaml.safe_dump(sidebar(), sort_keys=False, allow_unicode=True), encoding="utf-8"
    )
    api.write(staged / "api")
    architecture_page = architecture.page(page_name)
    (staged / "architecture.qmd").write_text(architecture_page, encoding="utf-8")
    (staged / "benchmarks.qmd").write_text(figures.page(root / "benchmarks"), encoding="utf-8")
    landing(staged / "index.ipynb", root)
    for p in (staged / "site").iterdir():
        if p.suffix not in ASSETS:
            shutil.rmtree(p) if p.is_dir() else p.unlink()


if __name__ == "__main__":
    stage()
