"""Stage the site in `_proc/`: notebooks, docments and results of benchmarks become pages.

nbdev does the staging, and its directives keep their meaning. The difference: a page here shows the
exported source where it stands, because the notebooks are the book. Signatures and parameters have
pages of their own, under `api/`."""

import ast
import base64
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
from fastcore.xtras import dict2obj  # nbdev's cells are such objects
from landing import landing
from markup import raw, scrolling
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
WIDGET = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"
ASSETS = (".css", ".scss", ".mjs", ".js", ".svg")
# Directives of cells that are not run everywhere.
NEEDS = {
    "hub": "needs a network",
    "gpu": "needs a GPU",
    "slow": "takes long",
    "tf": "needs TensorFlow",
}
LIBRARIES = ("torch", "transformers", "datasets", "evaluate", "accelerate", "peft")


def page_name(path):
    "The page of a notebook: `tasks/table.ipynb` as it is, `01_pipeline.ipynb` without its number."
    return re.sub(r"(^|/)\d+_", r"\1", path)


def page_module(nb):
    "The API page of the module that a notebook exports, without its ending."
    for cell in nb.cells:
        if name := getattr(cell, "directives_", {}).get("default_exp"):
            return api.page(name[0])
    return ""


def title_of(path):
    "The first heading of a notebook."
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    first = next("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
    return re.search(r"^#\s+(.+)", first, re.M)[1].strip()


# Code blocks, links, headings and literals with two backticks hold no symbols.
NO_SYMBOLS = re.compile(
    r"(^```.*?^```|\[[^\]\n]*\]\([^)\n]*\)|^#[^\n]*$|``.+?``)", flags=re.M | re.S
)
SYMBOL = re.compile(r"(?<!`)`([\w.]+(?:\(\))?)`(?!`)")


def link_symbols(text, symbols, up):
    "`name` in backticks links to its API page, outside of code blocks and of links."

    def link(found):
        name = found[1].removesuffix("()")
        return f"[`{found[1]}`]({up}api/{symbols[name]})" if name in symbols else found[0]

    parts = NO_SYMBOLS.split(text)
    parts[::2] = [SYMBOL.sub(link, part) for part in parts[::2]]
    return "".join(parts)


def link_pages(text, up):
    """Links between notebooks follow the pages' names; links to the published site, which work from
    a notebook anywhere, stay on this one."""

    def link(found):
        path, anchor = found.groups(default="")
        return f"]({page_name(path)}{anchor})"

    text = text.replace(f"]({SITE})", f"]({up}index.html)").replace(f"]({SITE}", f"]({up}")
    return re.sub(r"\]\((?!https?:)([\w./-]+\.ipynb)(#[^)]*)?\)", link, text)


def badge(text):
    "The Colab badge as a link of our own: its picture would be a request to another site."
    return re.sub(
        r'<a href="(https://colab[^"]+)"[^>]*><img [^>]*></a>',
        r'<a class="colab" href="\1">Open in Colab</a>',
        text,
    )


def static_html(markup):
    "HTML of a cell in the site's style, with no styles of its own; wide content scrolls."
    markup = re.sub(r"<style scoped>.*?</style>", "", markup, flags=re.S)
    plain_table, styled = '<table border="1" class="dataframe">', "table table-sm table-striped"
    markup = markup.replace(plain_table, f'<table class="{styled}">')
    markup = markup.replace(' style="text-align: right;"', "")
    # Pale text is hard to read, and the block around it scrolls.
    markup = re.sub(r";?\s*(opacity:\.\d+|overflow-x:auto)(?=[;\"])", "", markup)
    return scrolling(markup, label="output")


def plain(text):
    "A line of Markdown without its marks."
    return re.sub(r"[`*]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text))


def widget(view):
    "The place of a widget: the manager's script puts it there."
    return f'<div class="wide"><script type="{WIDGET}">{json.dumps(view)}</script></div>'


def widget_state(state, up):
    "The state of a page's widgets, and the script that draws them, from this site."
    held = json.dumps(state).replace("</", "<\\/")
    script = f'<script src="{up}site/widgets.js" defer></script>'
    return f'<script type="{STATE}">{held}</script>\n{script}'


BROAD = 800  # pixels


def picture(data, alt):
    """A figure of a notebook, with its words for those who do not see it; a broad one scrolls on a
    phone, where its letters would be too small to read."""
    data = "".join(data).strip()
    words = html.escape(alt, quote=True)
    source = f"data:image/png;base64,{data}"
    image = f'<img class="figure-png" loading="lazy" alt="{words}" src="{source}">'
    pixels = int.from_bytes(base64.b64decode(data[:32])[16:20], "big")  # PNG's width
    return scrolling(image, label="picture") if pixels > BROAD else image


def markdown_cell(source):
    "A cell as nbdev's processors know it."
    cell = {"cell_type": "markdown", "metadata": {}, "source": source, "directives_": {}}
    return dict2obj(cell)


def markdown_output(markup):
    "An output that holds HTML as it is."
    data = {"text/markdown": raw(markup)}
    return dict2obj({"output_type": "display_data", "metadata": {}, "data": data})


def is_imports(source):
    "Whether a cell does nothing but import."
    try:
        body = ast.parse(source).body
    except SyntaxError:
        return False
    return bool(body) and all(isinstance(line, (ast.Import, ast.ImportFrom)) for line in body)


def folded(source, is_exported):
    "A cell with the directives that fold it, where it holds imports or exported source."
    imports = is_imports(source)
    if not (imports or is_exported):
        return source
    return fold(source, "imports" if imports else "source")


def fold(source, what):
    "A cell with the directives that fold it, under a line that says how long it is."
    count = len(source.strip().splitlines())
    lines = "line" if count == 1 else "lines"
    summary = f"Show the {what}, {count} {lines}"
    return f'#| code-fold: true\n#| code-summary: "{summary}"\n{source}'


class Imports(Processor):
    """A chapter's imports, hidden in its count of lines, stand folded on the page: all of them in
    one place, so that the cells below run from top to bottom."""

    def begin(self):
        cells = [c for c in self.nb.cells if c.cell_type == "code"]
        for cell in cells:
            if "helpers" in cell.directives_:
                del cell.directives_["hide"]
                cell.source = fold(with_exported(cell.source, cells), "imports")


def with_exported(source, cells):
    "Imports, and above them those that the chapter's exported source needs besides."
    exported = [c.source for c in cells if c.directives_.keys() >= {"hide", "export"}]
    lines = "\n".join(exported).splitlines()
    more = [s for s in lines if s.startswith(("import ", "from ")) and s not in source.splitlines()]
    titles = "# for the parts of nlp_tour that this page shows", "# for all other cells"
    return "\n".join([titles[0], *more, "", titles[1], source])


class Page(Processor):
    "What both renderers need, for every page."

    symbols, versions = {}, ""

    def begin(self):
        self.path = Path(self.nb.path_).resolve().relative_to(nbs)
        self.module = page_module(self.nb)
        self.linked = api.linked(self.symbols, self.module)
        self.state = self.nb.metadata.get("widgets", {}).get(STATE)
        self.up = "../" * (len(self.path.parts) - 1)
        self.heading = self.nb.frontmatter_.get("title", "")
        self.last_line = ""
        self.is_workshop = len(self.path.parts) > 1  # a chapter is read from top to bottom

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
                self.last_line = line
        cell.source = link_symbols(link_pages(badge(cell.source), self.up), self.linked, self.up)

    def code(self, cell):
        needs = [NEEDS[d] for d in cell.directives_ if d in NEEDS]
        cell.source = re.sub(r"^#\|\s*eval:.*\n?", "", cell.source, flags=re.M)
        own_words = " ".join(cell.directives_.get("fig-alt:", [])).strip('"')
        alt = own_words or f"{self.heading}: {plain(self.last_line)}"[:160]
        cell.outputs = [self.output(o, alt) for o in cell.get("outputs", [])]
        is_exported = bool(cell.directives_.keys() & {"export", "exports"})
        if is_exported:
            cell.names_ = self.exported(cell.source)
        if needs:
            cell.source = f"# {', '.join(needs)}\n{cell.source}"
        if self.is_workshop:
            cell.source = folded(cell.source, is_exported)
        elif cell.source.startswith("beside("):
            cell.source = fold(cell.source, "cell")  # its output shows the code again

    def exported(self, source):
        "Functions and classes of a cell that have an entry on the API page of this notebook."
        names = re.findall(r"^(?:def|class) (\w+)", source, re.M)
        return [n for n in names if self.symbols.get(n, "").startswith(f"{self.module}.qmd#")]

    def reference(self, names):
        "A line under exported code that leads to its API page."
        links = " ".join(f"[`{n}`]({self.up}api/{self.symbols[n]})" for n in names)
        return markdown_cell(f"::: {{.reference}}\nParameters: {links}\n:::\n")

    def output(self, o, alt):
        "An output as both renderers show it."
        data = o.get("data", {})
        if WIDGET in data and self.state:
            return markdown_output(widget(data[WIDGET]))
        if "text/html" in data:
            return markdown_output(static_html("".join(data["text/html"])))
        if "image/png" in data:
            own_words = o.get("metadata", {}).get("image/png", {}).get("alt")
            return markdown_output(picture(data["image/png"], own_words or alt))
        return o

    def end(self):
        cells = []
        for cell in self.nb.cells:
            cells.append(cell)
            if names := getattr(cell, "names_", None):
                cells.append(self.reference(names))
        if self.state:
            cells.append(markdown_cell(raw(widget_state(self.state, self.up))))
        is_chapter = re.match(r"\d\d_", self.path.name)
        if is_chapter or self.path.parent.name == "tasks":
            cells.append(markdown_cell(raw(f'<p class="stamp">{self.versions}</p>')))
        self.nb.cells = cells


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
            Imports,
            hide_,
            strip_hidden_metadata,
            Page,
        ]


def runs_with(day):
    "What the pages were run with, in a sentence."
    libraries = ", ".join(f"{name} {version(name).partition('+')[0]}" for name in LIBRARIES)
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return f"Runs with Python {python}, {libraries}. Page built {day}."


def sidebar_entry(item):
    "A notebook in the sidebar by its page and its title, a chapter with its number."
    if isinstance(item, dict):
        return item
    title = title_of(nbs / item)
    if number := re.match(r"0(\d)_", item):
        title = f"{number[1]} {title}"
    return {"text": title, "href": page_name(item)}


# Sections of `nbs/sidebar.yml` that stay open; all others are wings, a closed line each.
OPEN = ("Chapters", "Reference")


def api_entries():
    "The API pages, the modules of each wing together."
    wings = {}
    for module in api.modules():
        wing = module.rpartition(".")[0] or "the chapters"
        wings.setdefault(wing, []).append(
            {"text": module.rpartition(".")[2], "href": f"api/{api.page(module)}.qmd"}
        )
    chapters = wings.pop("the chapters", [])
    groups = [{"section": wing, "contents": pages} for wing, pages in wings.items()]
    return [*chapters, *groups]


def sidebar():
    """The sidebars made from `nbs/sidebar.yml`, with the pages' names on the site and their titles:
    the chapters, a line for each wing and the reference; API pages have one of their own."""
    found = yaml.safe_load((nbs / "sidebar.yml").read_text(encoding="utf-8"))
    groups = found["website"]["sidebar"]["contents"]
    for group in groups:
        group["contents"] = [sidebar_entry(item) for item in group["contents"]]
    wings = [group for group in groups if group["section"] not in OPEN]
    first = [group for group in groups if group["section"] == OPEN[0]]
    last = [group for group in groups if group["section"] == OPEN[1]]
    look = {"style": "docked", "collapse-level": 2}
    pages = [*first, {"section": "Workshop", "contents": wings}, *last]
    modules = [{"section": "API", "href": "api/index.qmd", "contents": api_entries()}]
    sidebars = [
        {"id": "tour", **look, "contents": pages},
        {"id": "api", **look, "contents": modules},
    ]
    return {"website": {"sidebar": sidebars}}


def stage_notebooks():
    "Let nbdev stage the notebooks with our processors, then give them the names of their pages."
    Page.symbols = api.symbols()
    Page.versions = runs_with(datetime.date.today().isoformat())
    refresh_quarto_yml()
    serve.FilterDefaults = Pages  # nbdev's documented way to choose other processors is a subclass
    serve.proc_nbs(n_workers=0, force=True)
    for path in sorted(staged.rglob("*.ipynb")):
        page = staged / page_name(path.relative_to(staged).as_posix())
        if page != path:
            path.rename(page)


def lines(text):
    "A text as the notebook format has it: a list of lines, each with its end."
    return "".join(text).splitlines(keepends=True)


def parts(cell):
    "All texts of a cell: dictionaries, each with the key that holds one."
    yield cell, "source"
    for output in cell.get("outputs", []):
        if "text" in output:
            yield output, "text"
        for kind in output.get("data", {}):
            if kind.startswith("text/"):
                yield output["data"], kind


def check_lines(nb, name):
    """Every text of a notebook is a list of lines with their ends, and a title block comes first:
    Quarto joins what it finds in a list, and without ends all would stand in one line."""
    title_block = "".join(nb["cells"][0]["source"])
    assert re.match(r"---\n(?:.*\n)*?(?:page)?title: ", title_block), f"{name}: no title block"
    for cell in nb["cells"]:
        for holder, key in parts(cell):
            text = holder[key]
            assert isinstance(text, list), f"{name}: {key} is one string"
            assert all(line.endswith("\n") for line in text[:-1]), f"{name}: a line without an end"


def in_lines(notebook):
    "Rewrite a staged notebook with its texts as lists of lines."
    nb = json.loads(notebook.read_text(encoding="utf-8"))
    for cell in nb["cells"]:
        for holder, key in parts(cell):
            holder[key] = lines(holder[key])
    check_lines(nb, notebook.name)
    notebook.write_text(json.dumps(nb, ensure_ascii=False), encoding="utf-8")


def stage():
    "Write all pages into `_proc/`, under the names that they keep on the site."
    stage_notebooks()
    menu = yaml.safe_dump(sidebar(), sort_keys=False, allow_unicode=True)
    made = {
        "sidebar.yml": menu,
        "architecture.qmd": architecture.page(page_name),
        "benchmarks.qmd": figures.page(root / "benchmarks"),
    }
    for name, text in made.items():
        (staged / name).write_text(text, encoding="utf-8")
    api.write(staged / "api")
    landing(staged / "index.ipynb", root)
    for notebook in staged.rglob("*.ipynb"):
        in_lines(notebook)
    for path in (staged / "site").iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.suffix not in ASSETS:
            path.unlink()
    shutil.copy(root / "nlp_tour" / "embedded" / "names" / "names_2021.json", staged / "site")


if __name__ == "__main__":
    stage()
