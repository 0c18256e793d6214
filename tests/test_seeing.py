"Do explanations explain? Sanity tests on real reviews, families and tokenizers; pictures."

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import numpy as np
import pytest
import tiny_encoders
import torch
import transformers

from nlp_tour.base.errors import InputError
from nlp_tour.beyond.attention import attention, rollout
from nlp_tour.beyond.explain import METHODS, TOLERANCE, explain, model_of
from nlp_tour.beyond.playground import playground
from nlp_tour.beyond.targets import TARGETS, Read
from nlp_tour.data.reviews import reviews
from nlp_tour.engine.batching import Row, plan
from nlp_tour.pictures.images import contrast_ratio
from nlp_tour.pipeline import pipeline

root = Path(__file__).resolve().parent.parent
SEEING = [
    root / f"nbs/{n}.ipynb"
    for n in (
        "beyond/sweep",
        "pictures/plots",
        "beyond/attention",
        "beyond/explain",
        "beyond/browse",
        "beyond/calibration",
        "beyond/few_shot",
        "beyond/playground",
    )
]


@pytest.fixture(scope="module")
def classifier():
    return pipeline("sentiment-analysis", device="cpu")


@pytest.fixture(scope="module")
def texts(classifier):
    "200 reviews of unseen films, of 6 to 12 words."
    found = [t for t in reviews()["test"].shuffle(seed=0)["text"] if 6 <= len(t.split()) <= 12]
    return found[:200]


def message(pipe, rows, labels):
    "The log-odds of a label for each row."
    out = [None] * len(rows)
    for batch in plan(list(map(len, rows)), pipe.batch_tokens):
        for i, z in zip(batch, pipe.run([rows[i] for i in batch], pipe.options)):
            out[i] = z
    return np.array([z[k] - z[1 - k] for z, k in zip(out, labels)])


@pytest.mark.parametrize("method", METHODS)
def test_deleting_the_top_words_costs_more_than_deleting_random_ones(classifier, texts, method):
    rng, rows, labels = np.random.default_rng(0), {"whole": [], "top": [], "random": []}, []
    for why in explain(classifier, texts, method=method):
        read, k = Read(classifier, why["text"]), max(1, len(why["words"]) // 5)
        order = np.argsort([-w["weight"] for w in why["words"]])
        labels.append(classifier.task.labels.index(why["target"]))
        for way, gone in (
            ("whole", []),
            ("top", order[:k]),
            ("random", rng.choice(len(order), k, replace=False)),
        ):
            away = {i for j in gone for i in range(read.words[j]["first"], read.words[j]["after"])}
            rows[way].append(Row([id for i, id in enumerate(read.row.ids) if i not in away]))
    whole, top, random = (message(classifier, r, labels) for r in rows.values())
    assert len(labels) == 200 and (whole > 0).all()
    assert (whole - top).mean() > 3 * (whole - random).mean() and (top < random).mean() > 0.8


@pytest.mark.parametrize("method", METHODS)
def test_a_randomised_model_gives_other_attributions(classifier, texts, method):
    """An explanation that survives the loss of the weights explains the text, not the model
    (Adebayo et al., arXiv:1810.03292)."""
    model = transformers.AutoModelForSequenceClassification.from_config(model_of(classifier).config)
    torch.manual_seed(0)
    for p in model.parameters():
        torch.nn.init.normal_(p, std=0.05) if p.ndim > 1 else None
    other = pipeline(
        "text-classification", model=model, tokenizer=classifier.tokenizer, device="cpu"
    )

    def rank(e):
        return np.argsort(np.argsort([abs(w["weight"]) for w in e["words"]]))

    agree = [
        np.corrcoef(
            rank(explain(classifier, t, "POSITIVE", method)),
            rank(explain(other, t, "POSITIVE", method)),
        )[0, 1]
        for t in texts[:12]
    ]
    same = [
        np.corrcoef(
            rank(explain(classifier, t, "POSITIVE", method)),
            rank(explain(classifier, t, "POSITIVE", method)),
        )[0, 1]
        for t in texts[:2]
    ]
    assert abs(np.mean(agree)) < 0.3 and min(same) > 0.99


HEADS = {
    "text-classification": "SequenceClassification",
    "token-classification": "TokenClassification",
    "question-answering": "QuestionAnswering",
}
ITEMS = {
    "text-classification": {"text": "Ada Lovelace wrote", "text_pair": "the first letter"},
    "token-classification": "Ada Lovelace wrote the first letter in London",
    "question-answering": {
        "question": "who wrote the letter?",
        "context": "Ada Lovelace wrote the first letter in London.",
    },
}


def tiny(kind, rust, task):
    "A pipeline of a tiny model."
    tok = tiny_encoders.wrap(tiny_encoders.TOKENIZERS[rust](), types=kind == "bert")
    prefix = {"bert": "Bert", "distilbert": "DistilBert", "roberta": "Roberta"}[kind]
    labels = (
        {}
        if task == "question-answering"
        else {"num_labels": 3, "id2label": {0: "A", 1: "B", 2: "C"}}
    )
    model = tiny_encoders.fill(
        getattr(transformers, f"{prefix}For{HEADS[task]}")(
            tiny_encoders.config(kind, len(tok), **labels)
        ),
        scale=0.3,
    )
    return pipeline(task, model=model, tokenizer=tok, device="cpu")


@pytest.mark.parametrize("task", TARGETS)
@pytest.mark.parametrize("kind,rust", tiny_encoders.PAIRS)
def test_every_family_and_task_adds_up(one_thread, kind, rust, task):
    pipe = tiny(kind, rust, task)
    walk, hidden = (explain(pipe, ITEMS[task], method=m) for m in ("gradients", "occlusion"))
    assert walk["value"] == pytest.approx(hidden["value"], abs=1e-4) and walk[
        "baseline"
    ] == pytest.approx(hidden["baseline"], abs=1e-4)
    change = walk["value"] - walk["baseline"]
    assert abs(sum(w["weight"] for w in walk["words"]) - change) <= TOLERANCE * max(1, abs(change))
    texts = walk["text"] if isinstance(walk["text"], tuple) else (walk["text"],)
    assert all(
        texts[w["side"]][w["start"] : w["end"]] == w["word"] == w["word"].strip() != ""
        for w in walk["words"]
    )
    assert {w["side"] for w in walk["words"]} == set(range(len(texts)))
    json.dumps(walk)
    tokens, weights = attention(pipe, ITEMS[task])
    assert (
        np.allclose(weights.sum(-1), 1, atol=1e-5)
        and np.allclose(rollout(weights).sum(-1), 1, atol=1e-5)
        and len(tokens) == weights.shape[-1]
    )


def scorer(pipe, read, score):
    "The score of a text as a function of the model's inputs, a batch at a time."
    more = {"token_type_ids": torch.tensor([read.row.types])} if read.row.types else {}

    def f(**inputs):
        n = len(next(iter(inputs.values())))
        inputs |= {k: v.expand(n, -1) for k, v in more.items()}
        return score(pipe.task.forward(pipe.model, inputs, [read.row] * n, pipe.options))

    return f


def test_equal_to_captum(one_thread):
    "On a pair, a name and an answer; the notebook has it on one text of the real model."
    from captum.attr import LayerIntegratedGradients

    from nlp_tour.beyond.explain import integrated_gradients, mask_id, run_rows

    for task in TARGETS:
        pipe = tiny("bert", "wordpiece", task)
        read = Read(pipe, pipe.task.check(ITEMS[task], "the text"))
        (out,) = run_rows(pipe, [read.row])
        _, score = TARGETS[task](
            pipe,
            read,
            tuple(o.numpy() for o in out) if isinstance(out, tuple) else out.numpy(),
            None,
        )
        f = scorer(pipe, read, score)
        ids = torch.tensor([read.row.ids])
        base = torch.tensor([read.hidden(read.words, mask_id(pipe))])
        embed = pipe.model.get_input_embeddings()
        theirs = (
            LayerIntegratedGradients(lambda i, f=f: f(input_ids=i), embed)
            .attribute(ids, baselines=base, n_steps=24, method="gausslegendre")[0]
            .sum(-1)
        )
        ours = integrated_gradients(
            lambda e, f=f: f(inputs_embeds=e),
            embed(ids)[0].detach(),
            embed(base)[0].detach(),
            steps=24,
            batch=7,
        )
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)


def test_a_walk_that_does_not_add_up_is_refused(monkeypatch, classifier):
    from nlp_tour.beyond import explain as module

    monkeypatch.setattr(
        module, "integrated_gradients", lambda f, x, base, steps, batch: torch.zeros(len(x))
    )
    with pytest.raises(InputError, match="did not converge in 1024 steps"):
        explain(classifier, "A joy.")


def test_explaining_leaves_a_model_as_it_was(one_thread):
    pipe = tiny("bert", "wordpiece", "text-classification")
    pipe.model.train()
    before = {n: p.clone() for n, p in pipe.model.named_parameters()}
    explain(pipe, ITEMS["text-classification"])
    attention(pipe, ITEMS["text-classification"])
    assert pipe.model.training and all(
        torch.equal(p, before[n]) and p.grad is None for n, p in pipe.model.named_parameters()
    )


def test_a_playground_for_questions_follows_both_fields(one_thread):
    p = playground(tiny("bert", "wordpiece", "question-answering"), ITEMS["question-answering"])
    seen = {p.html.value}
    for name, text in (
        ("question", "where was the letter?"),
        ("context", "The old bridge in Paris."),
    ):
        p.fields[name].value = text
        assert p.html.value not in seen
        seen.add(p.html.value)
    p.fields["question"].value = "  "
    assert "is empty" in p.html.value


class Inks(HTMLParser):
    "Every element's style, and every picture's alt text."

    def __init__(self, page):
        super().__init__()
        self.styles, self.alts = [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if "style" in attrs:
            self.styles.append(attrs["style"])
        if tag == "img":
            self.alts.append(attrs.get("alt"))


@pytest.mark.parametrize(
    "path",
    [
        p
        for p in sorted((root / "nbs").rglob("*.ipynb"))
        if not {"_proc", ".ipynb_checkpoints"} & set(p.parts)
    ],
    ids=lambda p: p.stem,
)
def test_every_picture_has_words(path):
    for cell in nbformat.read(path, 4).cells:
        for o in cell.get("outputs", []):
            if "image/png" in o.get("data", {}):
                assert o["metadata"].get("image/png", {}).get("alt", "").strip(), cell.source
            assert all(a and a.strip() for a in Inks(o.get("data", {}).get("text/html", "")).alts)


@pytest.mark.parametrize("path", SEEING, ids=lambda p: p.stem)
def test_no_style_takes_the_ink_away(path):
    for cell in nbformat.read(path, 4).cells:
        for o in cell.get("outputs", []):
            found = Inks(o.get("data", {}).get("text/html", ""))
            assert not [s for s in found.styles if re.search(r"(^|;)\s*color\s*:", s)], (
                "text keeps the page's own ink, so it is read in light and dark"
            )


PAGES = {
    "jupyter": ("#000000", "#ffffff"),
    "jupyter dark": ("#dedede", "#111111"),
    "github": ("#1f2328", "#ffffff"),
    "github dark": ("#e6edf3", "#0d1117"),
    "docs": ("#373a3c", "#ffffff"),
    "docs dark": ("#ffffff", "#222222"),
    "report": ("#1c232b", "#ffffff"),
    "report dark": ("#e4e9ef", "#14191f"),
    "report card dark": ("#e4e9ef", "#1d242c"),
}


@pytest.mark.parametrize("page", PAGES)
def test_words_under_colour_can_be_read(page, classifier):
    def rgb(h):
        return tuple(int(h[i : i + 2], 16) for i in (1, 3, 5))

    ink, paper = map(rgb, PAGES[page])
    view = explain(
        classifier, "The plot is clumsy and slow, but the cast is a joy to watch."
    )._repr_html_()
    colours = re.findall(r"background:rgba\((\d+),(\d+),(\d+),([\d.]+)\)", view)
    lines = re.findall(r"border-bottom:2px (\w+)", view)
    assert (
        {"solid", "dashed"} == set(lines)
        and "<sup>+</sup>" in view
        and "<sup>\N{MINUS SIGN}</sup>" in view
    )
    for *c, a in colours:
        assert (
            contrast_ratio(
                ink, tuple(float(a) * int(v) + (1 - float(a)) * p for v, p in zip(c, paper))
            )
            >= 4.5
        )
