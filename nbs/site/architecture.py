"The architecture page: the house, storey by storey, and the roads of a text and of a training."

import html
import json
import sys
import textwrap
from pathlib import Path

import landing
from markup import raw, scrolling, tag

root = Path(__file__).resolve().parents[2]
sys.path.append(str(root / "tools"))
import floors  # noqa: E402

WIDE, GAP = 960, 10
ARROW, PADDING = 14, 14  # of a road
STOREYS = {
    "The workshop": "what the chapters need and a learner need not see",
    "The tour": "six chapters, the front functions",
    "Beyond the tour": "one idea each, the one import, and the command line",
}
# The road of a text: the room it passes, the function it meets there, and what comes out.
OPENING = [
    ("inference.arguments", "Request", "a Request"),
    ("inference.loading", "open_bundle", "a Bundle"),
    ("pipeline", "Pipeline", "a pipeline"),
]
ANSWERING = [
    ("base.texts", "as_texts", "texts"),
    ("tasks.base", "encode", "rows"),
    ("engine.batching", "plan", "batches"),
    ("inference.forward", "run", "outputs"),
    ("tasks.base", "decode", "answers"),
    ("base.results", "result", "plain Python"),
]
# The road of a training.
TRAINING = [
    ("data.datasets", "load_data", "train and test"),
    ("hub.tokenizers", "load_tokenizer", "a tokenizer"),
    ("training.encodings", "encode", "ids and labels"),
    ("trainer", "finetune", "or native_loop, train"),
    ("metrics.scores", "load_metric", "figures"),
    ("pictures.plots", "plot_confusion", "pictures"),
]
FRONT = """---
title: Architecture
description: A house with three storeys, and two roads through it.
page-layout: full
toc: false
---
"""
EVERY_ROOM = """
## Every room

A room is a notebook and the module it exports. It imports only from rooms below its own; a test
holds this. A learner reads the chapters, an engineer reads one wing.

"""


def lines(text, x, y, step=15):
    "Lines of text, one under the other."
    return "".join(f'<text x="{x}" y="{y + i * step}">{line}</text>' for i, line in enumerate(text))


def box(x, y, wide, high, name, sentence, kind=""):
    "A wing of the house: its name, and below it what lives there."
    words = textwrap.wrap(sentence.replace("`", ""), int((wide - 16) / 7))
    return (
        f'<rect class="room {kind}" x="{x:.0f}" y="{y}" width="{wide:.0f}" height="{high}" rx="5"/>'
        f'<text class="name" x="{x + 10:.0f}" y="{y + 20}">{html.escape(name)}</text>'
        f'<g class="quiet">{lines(map(html.escape, words), round(x + 10), y + 38)}</g>'
    )


def storey(wings, y, high, kind=""):
    "Wings side by side."
    wide = (WIDE - 2 * GAP - GAP * (len(wings) - 1)) / len(wings)
    boxes = [
        box(GAP + i * (wide + GAP), y, wide, high, name, sentence, kind)
        for i, (name, sentence) in enumerate(wings)
    ]
    return "".join(boxes)


def heading(title, y):
    "The name of a storey, above it."
    return (
        f'<text class="storey" x="{GAP}" y="{y}">{title}'
        f'<tspan class="quiet" dx="8">{STOREYS[title]}</tspan></text>'
    )


def chapters():
    "Number and title of the six chapters, with what each is about."
    index = json.loads((root / "nbs" / "index.ipynb").read_text(encoding="utf-8"))
    text = "\n".join("".join(c["source"]) for c in index["cells"])
    return [(title, seen) for _, title, seen in landing.chapters(text)]


def workshop():
    "The wings below the chapters, in rows of five from top to bottom."
    below = [floors.WINGS[w] for w in list(floors.floors()) if w not in ("", "beyond", " ", "app")]
    return [below[i : i + 5] for i in range(0, len(below), 5)][::-1]


def house():
    "The house as SVG, roof first."
    above = [floors.WINGS[wing] for wing in ("beyond", " ", "app")]
    parts = [
        '<path class="roof" d="M2 44L480 4L958 44Z"/>',
        '<text class="storey" x="480" y="33" text-anchor="middle">nlp_tour</text>',
        heading("Beyond the tour", 66),
        storey(above, 74, 62),
        heading("The tour", 158),
        storey(chapters(), 166, 80, "chapter"),
        heading("The workshop", 268),
    ]
    y = 276
    for row in workshop():
        parts.append(storey(row, y, 80))
        y += 80 + GAP
    walls = f'<path class="wall" d="M2 44V{y}H958V44"/>'
    return drawing("".join([walls, *parts]), y + 2, described())


def described():
    "The house in words."
    top = "; ".join(f"{name}: {text}" for name, text in reversed(floors.WINGS.values()))
    return f"A house of wings, from top to bottom, each built on those below it. {top}"


def sign(room):
    "The short name of a room: its last part, or the wing of a `base`."
    wing, _, last = room.rpartition(".")
    return wing if last == "base" else last


def widths(stops):
    "How wide each box of a road is, by its longest line."
    longest = [max(len(sign(room)), len(name), len(product)) for room, name, product in stops]
    space = WIDE - 4 - ARROW * (len(stops) - 1) - PADDING * len(stops)
    return [PADDING + space * letters / sum(longest) for letters in longest]


def road(stops, y, kinds):
    "Boxes in a row with arrows between them: room, function, and what comes out."
    parts, x = [], 2
    for i, ((room, name, product), kind, wide) in enumerate(zip(stops, kinds, widths(stops))):
        middle = f'x="{x + wide / 2:.0f}" text-anchor="middle"'
        if i:
            parts.append(f'<path class="arrow" d="M{x - 12:.0f} {y + 33}h8m-4-4 4 4-4 4"/>')
        parts.append(
            f'<rect class="room {kind}" x="{x:.0f}" y="{y}" width="{wide:.0f}" height="66" rx="5"/>'
            f'<text class="quiet" {middle} y="{y + 18}">{sign(room)}</text>'
            f'<text class="name" {middle} y="{y + 37}">{name}</text>'
            f'<text class="quiet" {middle} y="{y + 56}">{product}</text>'
        )
        x += wide + ARROW
    return "".join(parts)


def in_words(title, stops):
    "A road for those who do not see it."
    steps = [f"{room}, {name}: {product}" for room, name, product in stops]
    return f"{title}: " + "; then ".join(steps)


def road_of_a_text():
    "Opening a pipeline, and what each call does."
    stops = OPENING + ANSWERING
    kinds = ["chapter"] * len(OPENING) + [""] * len(ANSWERING)
    start = 2 + sum(widths(stops)[: len(OPENING)]) + ARROW * len(OPENING)
    title = "The road of a text"
    captions = (
        f'<text class="storey" x="2" y="16">{title}</text>'
        '<text class="code" x="2" y="36">pipe = pipeline(task, model, …)</text>'
        f'<text class="code" x="{start:.0f}" y="36">pipe(inputs, **options)</text>'
    )
    return drawing(captions + road(stops, 44, kinds), 112, in_words(title, stops))


def road_of_a_training():
    "From data to pictures."
    title = "The road of a training"
    caption = f'<text class="storey" x="2" y="16">{title}</text>'
    stops = road(TRAINING, 26, [""] * len(TRAINING))
    return drawing(caption + stops, 94, in_words(title, TRAINING))


def drawing(inside, high, alt):
    "An SVG that scrolls by itself where the page is narrow."
    frame = {"class_": "drawing", "viewBox": f"0 0 {WIDE} {high}"}
    return scrolling(tag("svg", inside, **frame, role="img", aria_label=alt), label="drawing")


def rooms(page_name):
    "The rooms of each wing with links to their pages, the top floor first."
    rows = ["| wing | rooms |", "|---|---|"]
    for wing, found in reversed(floors.floors().items()):
        links = [f"[{room}]({page_name(floors.notebook(wing, room))})" for room in found]
        rows.append(f"| {floors.WINGS[wing][0]} | {', '.join(links)} |")
    return "\n".join(rows)


def page(page_name):
    "The page, as Quarto markdown; `page_name` gives a notebook's name on the site."
    drawings = raw("\n".join([house(), road_of_a_text(), road_of_a_training()]))
    return FRONT + drawings + EVERY_ROOM + rooms(page_name) + "\n"
