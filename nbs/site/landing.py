"The first screen of the site, from what the notebooks and benchmarks say; nothing in it is typed in twice."

import html
import json
import re

# One small picture a chapter, in the accent colour of the theme (currentColor and CSS variables).
PICTURES = {
    "pipeline": '<rect x="4" y="24" width="26" height="12" rx="3" class="line"/><path d="M32 30h10m-4-4 4 4-4 4" class="line"/><rect x="46" y="16" width="28" height="28" rx="6" class="fill"/><path d="M76 30h10m-4-4 4 4-4 4" class="line"/><rect x="92" y="20" width="24" height="7" rx="2" class="fill"/><rect x="92" y="33" width="9" height="7" rx="2" class="soft"/>',
    "tokenizer": '<rect x="4" y="12" width="112" height="9" rx="3" class="soft"/><rect x="4" y="34" width="20" height="14" rx="3" class="fill"/><rect x="28" y="34" width="14" height="14" rx="3" class="line"/><rect x="46" y="34" width="26" height="14" rx="3" class="fill"/><rect x="76" y="34" width="12" height="14" rx="3" class="line"/><rect x="92" y="34" width="24" height="14" rx="3" class="fill"/><path d="M14 22v9M35 22v9M59 22v9M82 22v9M104 22v9" class="line"/>',
    "model": "".join(
        f'<rect x="{30 + 10 * j}" y="{4 + 9 * i}" width="8" height="7" rx="1.5" class="fill" style="opacity:{o}"/>'
        for i, row in enumerate(
            [
                [1, 0.3, 0.1, 0.1, 0.2, 0.1],
                [0.3, 0.9, 0.4, 0.1, 0.1, 0.1],
                [0.1, 0.3, 0.5, 0.7, 0.2, 0.1],
                [0.1, 0.1, 0.6, 0.9, 0.3, 0.2],
                [0.2, 0.1, 0.2, 0.3, 0.8, 0.5],
                [0.1, 0.1, 0.1, 0.2, 0.5, 1],
            ]
        )
        for j, o in enumerate(row)
    ),
    "customization": '<rect x="30" y="46" width="60" height="9" rx="3" class="soft"/><rect x="30" y="34" width="60" height="9" rx="3" class="soft"/><rect x="30" y="22" width="60" height="9" rx="3" class="soft"/><rect x="44" y="6" width="32" height="12" rx="3" class="fill"/>',
    "trainer": '<path d="M10 6v46h104" class="axis"/><path d="M14 10c10 26 22 30 40 33s40 4 58 4" class="line"/><path d="M14 14c14 20 26 26 42 28s34 1 56-3" class="dash"/>',
    "native_loop": '<path d="M60 8a22 22 0 1 1-19 11" class="line"/><path d="m36 26 4-9 9 4" class="line"/><circle cx="60" cy="30" r="7" class="fill"/>',
}

# Benchmark, where its figure stands in the results, and what the figure says.
FIGURES = [
    (
        "inference",
        ("reviews", "times_best_stock", "ours, float32"),
        "the texts a second of transformers.pipeline at its best batch size, with the same answers",
    ),
    (
        "training",
        ("times_the_recipe", "finetune"),
        "the examples a second of the fine-tuning recipe of 2021, on the same reviews",
    ),
    (
        "first_answer",
        ("times_sooner_than_stock",),
        "sooner: the first answer of a fresh process, against transformers.pipeline",
    ),
]


def rows(text):
    "The table of chapters in the index: (page, title, what one sees)."
    return [
        (m[2], m[1], m[3].strip())
        for m in re.finditer(r"^\| \[(\d [^\]]+)\]\((\w+)\.ipynb\) \| ([^|]+) \|", text, re.M)
    ]


def classified(printed):
    "The tour's two sentences with the answers that the index notebook printed."
    found = re.findall(r"label: (\w+), with score: ([\d.]+)", printed)
    sentences = [
        "We are very happy to show you the 🤗 Transformers library.",
        "We hope you don't hate it.",
    ]
    return "".join(
        f'<p class="said"><span class="text">{html.escape(s)}</span><span class="meter" aria-hidden="true"><span style="width:{100 * float(score):.0f}%"></span></span><span class="answer">{label} {score}</span></p>'
        for s, (label, score) in zip(sentences, found)
    )


def read(root, name):
    "The results of a benchmark; nothing where it was not run."
    path = root / "benchmarks" / "results" / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def measured(root, printed):
    "The figures of the first screen, each with the page that says how it was measured; one that was not measured is left out, and the site's test counts them."
    accuracy = re.search(r"accuracy on unseen films: ([\d.]+)", printed)
    cards = [
        (
            accuracy and f"{float(accuracy[1]):.1%}",
            "of reviews judged right, of films that the model has never seen",
            "https://github.com/nlp-tour/nlp_tour/blob/main/nlp_tour/embedded/sentiment/README.md",
        )
    ]
    for name, keys, what in FIGURES:
        value = read(root, name)
        for key in keys:
            value = value.get(key, {})
        cards.append(
            (
                value and f"{value:.{int(value < 10)}f}×",
                what,
                f"benchmarks.html#{name.replace('_', '-')}",
            )
        )
    return "".join(
        f'<a class="figure" href="{href}"><b>{value}</b><span>{html.escape(what)}</span></a>'
        for value, what, href in cards
        if value
    )


def hero(root, text, printed):
    "The first screen as HTML."
    path = "".join(
        f'<li><a href="{page}.html"><svg viewBox="0 0 120 60" role="img" aria-label="">{PICTURES.get(page, "")}</svg><b>{html.escape(title)}</b><span>{html.escape(see)}</span></a></li>'.replace(
            ' role="img" aria-label=""', ' aria-hidden="true"'
        )
        for page, title, see in rows(text)
    )
    return f"""<div class="hero">
<div class="first"><div class="promise"><h1>The Quick Tour of 2021, as living code</h1>
<p>It runs on today's libraries, it works with no network, and it shows its work. Six notebooks are the source, the documentation and the tests.</p>
<pre class="commands"><code>make tour    <i># train, evaluate, save, report</i>
make test    <i># every notebook, every test</i></code></pre>
<p class="go"><a class="primary" href="pipeline.html">Begin the tour</a> <a href="try.html">Try it in the page</a> <a href="2021.html">2021 to today</a></p></div>
<div class="classified"><code>pipeline('sentiment-analysis')</code>{classified(printed)}</div></div>
<ol class="path">{path}</ol>
<div class="figures">{measured(root, printed)}</div>
</div>"""


def folded(picture):
    "A large picture that is loaded when it is asked for."
    alt = html.escape(picture[1], quote=True)
    return f'```{{=html}}\n<details><summary>{alt}</summary><img class="figure-png" loading="lazy" alt="{alt}" src="{picture[2]}"></details>\n```'


def landing(notebook, root):
    "Put the first screen on top of the staged index."
    nb = json.loads(notebook.read_text(encoding="utf-8"))
    cells = nb["cells"]

    def source(c):
        return "".join(c["source"])

    text = "\n".join(source(c) for c in cells if c["cell_type"] == "markdown")
    printed = "\n".join("".join(o.get("text", "")) for c in cells for o in c.get("outputs", []))
    front = {
        "cell_type": "raw",
        "metadata": {},
        "source": "---\npagetitle: nlp_tour\npage-layout: full\ntoc: false\n---\n",
    }
    body = [c for c in cells if c["cell_type"] != "raw"]
    first = {
        "cell_type": "markdown",
        "metadata": {},
        "source": f"```{{=html}}\n{hero(root, text, printed)}\n```\n",
    }
    for c in body:
        if c["cell_type"] == "markdown":
            without = re.sub(
                r"^## Two commands\n+```sh\n.*?^```\n+", "", source(c), flags=re.M | re.S
            )  # the first screen has them
            c["source"] = re.sub(r"^!\[([^\]]*)\]\((images/[^)]+)\)$", folded, without, flags=re.M)
    nb["cells"] = [front, first, *body]
    for i, c in enumerate(nb["cells"]):
        c["id"] = f"cell-{i}"
    notebook.write_text(json.dumps(nb), encoding="utf-8")
