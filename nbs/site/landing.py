"The first screen of the site, made from the notebooks and the results of the benchmarks."

import ast
import html
import json
import re

from markup import raw, tag

# Attention of six tokens to six tokens.
ATTENTION = [
    [1, 0.3, 0.1, 0.1, 0.2, 0.1],
    [0.3, 0.9, 0.4, 0.1, 0.1, 0.1],
    [0.1, 0.3, 0.5, 0.7, 0.2, 0.1],
    [0.1, 0.1, 0.6, 0.9, 0.3, 0.2],
    [0.2, 0.1, 0.2, 0.3, 0.8, 0.5],
    [0.1, 0.1, 0.1, 0.2, 0.5, 1],
]


def heatmap():
    "The picture of the model: each square as strong as its attention."
    squares = []
    for i, row in enumerate(ATTENTION):
        for j, strength in enumerate(row):
            place = f'x="{30 + 10 * j}" y="{4 + 9 * i}" width="8" height="7" rx="1.5"'
            squares.append(f'<rect {place} class="fill" style="opacity:{strength}"/>')
    return "".join(squares)


# One small picture a chapter, in the accent colour of the theme (currentColor and CSS variables).
PICTURES = {
    "pipeline": (
        '<rect x="4" y="24" width="26" height="12" rx="3" class="line"/>'
        '<path d="M32 30h10m-4-4 4 4-4 4" class="line"/>'
        '<rect x="46" y="16" width="28" height="28" rx="6" class="fill"/>'
        '<path d="M76 30h10m-4-4 4 4-4 4" class="line"/>'
        '<rect x="92" y="20" width="24" height="7" rx="2" class="fill"/>'
        '<rect x="92" y="33" width="9" height="7" rx="2" class="soft"/>'
    ),
    "tokenizer": (
        '<rect x="4" y="12" width="112" height="9" rx="3" class="soft"/>'
        '<rect x="4" y="34" width="20" height="14" rx="3" class="fill"/>'
        '<rect x="28" y="34" width="14" height="14" rx="3" class="line"/>'
        '<rect x="46" y="34" width="26" height="14" rx="3" class="fill"/>'
        '<rect x="76" y="34" width="12" height="14" rx="3" class="line"/>'
        '<rect x="92" y="34" width="24" height="14" rx="3" class="fill"/>'
        '<path d="M14 22v9M35 22v9M59 22v9M82 22v9M104 22v9" class="line"/>'
    ),
    "model": heatmap(),
    "customization": (
        '<rect x="30" y="46" width="60" height="9" rx="3" class="soft"/>'
        '<rect x="30" y="34" width="60" height="9" rx="3" class="soft"/>'
        '<rect x="30" y="22" width="60" height="9" rx="3" class="soft"/>'
        '<rect x="44" y="6" width="32" height="12" rx="3" class="fill"/>'
    ),
    "trainer": (
        '<path d="M10 6v46h104" class="axis"/>'
        '<path d="M14 10c10 26 22 30 40 33s40 4 58 4" class="line"/>'
        '<path d="M14 14c14 20 26 26 42 28s34 1 56-3" class="dash"/>'
    ),
    "native_loop": (
        '<path d="M60 8a22 22 0 1 1-19 11" class="line"/>'
        '<path d="m36 26 4-9 9 4" class="line"/>'
        '<circle cx="60" cy="30" r="7" class="fill"/>'
    ),
}

# Benchmark, where its figure stands in the results, and what the figure says.
FIGURES = [
    (
        "inference",
        ("reviews", "times_best_stock", "ours, float32"),
        "as many texts a second as transformers.pipeline at its best batch size, on a CPU, "
        "with the same answers",
    ),
    (
        "training",
        ("times_the_recipe", "finetune"),
        "as many examples a second as "
        "the fine-tuning recipe of 2021, on a CPU and the same reviews",
    ),
    (
        "first_answer",
        ("times_sooner_than_stock",),
        "sooner: the first answer of a fresh process on a CPU, against transformers.pipeline",
    ),
]
CARD = "https://github.com/nlp-tour/nlp_tour/blob/main/nlp_tour/embedded/sentiment/README.md"
HERO = """<div class="hero">
<div class="first"><div class="promise">
<h1>Hugging Face Transformers' Quick Tour of 2021, running today</h1>
<p>Pipeline, tokenizer, model, customization, Trainer, native loop: six notebooks that are source,
documentation and tests at once. They run on today's libraries, also without a network.</p></div>
<div class="classified">{example}</div>
<div class="start"><pre class="commands"><code>{install}</code></pre>
<p class="go"><a class="primary" href="pipeline.html">Begin the tour</a>
<a href="try.html">Try it in the page</a> <a href="2021.html">2021 to today</a></p></div></div>
<ol class="path">{path}</ol>
<div class="figures">{figures}</div>
</div>"""
FRONT = "---\npagetitle: nlp_tour\npage-layout: full\ntoc: false\n---\n"


def chapters(text):
    "The table of chapters in the index: (page, title, what one sees)."
    rows = re.findall(r"^\| \[(\d [^\]]+)\]\((\w+)\.ipynb\) \| ([^|]+) \|", text, re.M)
    return [(page, title, seen.strip()) for title, page, seen in rows]


def chapter(page, title, seen):
    "The card of a chapter."
    picture = tag("svg", PICTURES.get(page, ""), viewBox="0 0 120 60", aria_hidden="true")
    words = tag("b", html.escape(title)) + tag("span", html.escape(seen))
    return tag("li", tag("a", picture, words, href=f"{page}.html"))


PARTS = re.compile(r'(?P<st>"[^"]*")|(?P<kw>\b(?:from|import)\b)')


def coloured(source):
    "Python as the pages show it."

    def part(found):
        return tag("span", html.escape(found[0], quote=False), class_=found.lastgroup)

    return PARTS.sub(part, source)


def is_example(cell):
    return cell["cell_type"] == "code" and "pipeline(" in "".join(cell["source"])


def example(notebook):
    "The first lines of code in the index, and the answer that they printed."
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    cell = next(filter(is_example, cells))
    (printed,) = [o["data"]["text/plain"] for o in cell["outputs"] if "data" in o]
    (answer,) = ast.literal_eval("".join(printed))
    label, score = answer["label"], answer["score"]
    full = tag("span", style=f"width:{100 * score:.0f}%")
    meter = tag("span", full, class_="meter", aria_hidden="true")
    text = tag("span", f"{label} {score:.4f}", class_="answer")
    code = tag("code", coloured("".join(cell["source"])))
    return tag("pre", code) + tag("p", meter, text, class_="verdict-line")


def read(root, name):
    "The results of a benchmark; nothing where it was not run."
    path = root / "benchmarks" / "results" / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def figure(value, text, href):
    "A figure of the first screen, with a link to the page that says how it was measured."
    return tag("a", tag("b", value), tag("span", html.escape(text)), class_="figure", href=href)


def measured(root, printed):
    "The figures of the first screen, without those that were not measured; a test counts them."
    cards = []
    if accuracy := re.search(r"accuracy on unseen films: ([\d.]+)", printed):
        text = "of reviews judged right, of films that the model has never seen"
        cards.append(figure(f"{float(accuracy[1]):.1%}", text, CARD))
    for name, keys, text in FIGURES:
        value = read(root, name)
        for key in keys:
            value = value.get(key, {})
        if value:
            digits = 1 if value < 10 else 0
            href = f"benchmarks.html#{name.replace('_', '-')}"
            cards.append(figure(f"{value:.{digits}f}×", text, href))
    return "".join(cards)


def hero(root, text, printed):
    "The first screen as HTML."
    path = "".join(chapter(*row) for row in chapters(text))
    lines = example(root / "nbs" / "index.ipynb")
    (install,) = re.findall(r"\bpip install git\+[^\s`]+", text)
    parts = {"install": install, "path": path, "figures": measured(root, printed)}
    return HERO.format(example=lines, **parts)


def folded(picture):
    "A large picture that is loaded when it is asked for."
    alt, source = picture.groups()
    image = (
        f'<img class="figure-png" loading="lazy" alt="{html.escape(alt, quote=True)}" '
        f'src="{source}">'
    )
    return raw(tag("details", tag("summary", html.escape(alt)), image)).strip()


PICTURE = re.compile(r"^!\[([^\]]*)\]\((images/[^)]+)\)$", re.M)


def landing(notebook, root):
    "Put the first screen on top of the staged index."
    nb = json.loads(notebook.read_text(encoding="utf-8"))
    cells = nb["cells"]
    for c in cells:
        c["source"] = "".join(c["source"])
    prose = [c for c in cells if c["cell_type"] == "markdown"]
    text = "\n".join(c["source"] for c in prose)
    printed = "\n".join("".join(o.get("text", "")) for c in cells for o in c.get("outputs", []))
    for c in prose:
        c["source"] = PICTURE.sub(folded, c["source"])
    first = raw(hero(root, text, printed))
    shown = next(filter(is_example, cells))  # on the first screen
    nb["cells"] = [
        {"cell_type": "raw", "metadata": {}, "source": FRONT},
        {"cell_type": "markdown", "metadata": {}, "source": first},
        *(c for c in cells if c["cell_type"] != "raw" and c is not shown),
    ]
    for i, c in enumerate(nb["cells"]):
        c["id"] = f"cell-{i}"
    notebook.write_text(json.dumps(nb), encoding="utf-8")
