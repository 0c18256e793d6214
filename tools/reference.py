"""What the browser test compares with: Python's scores and tokens, and a page with a widget.

`python tools/reference.py FOLDER`"""

import json
import os
import sys
from pathlib import Path

os.environ["NLP_TOUR_OFFLINE"] = "1"
root = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(root / "nbs" / "site"))
from ipywidgets import IntSlider, Widget  # noqa: E402
from stage import STATE, WIDGET, widget, widget_state  # noqa: E402

from nlp_tour.data.reviews import reviews  # noqa: E402
from nlp_tour.pipeline import pipeline  # noqa: E402

HARD = [
    "Ça n'est pas mal — vraiment!",
    "naïve café ÅNGSTRÖM İstanbul",
    "你好 world 東京",
    "a\u200bb\u00adc\ttab\nline",
    "don't… “quote” ‘x’ $5 100% a_b",
    "🤗🎬 emoji",
    "x" * 101,
    "ﬁne ½ Ⅳ ǅ",
    "e\u0301 Σίσυφος",
    "tail\u0085next\u2028line",
]

PAGE = (
    '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>widget</title></head>'
    "<body>{body}</body></html>"
)


def scores():
    "Texts with their probability of POSITIVE, and hard texts with their ids."
    texts = reviews()["test"]["text"][:200]
    texts.append(" ".join(texts[:60]))  # longer than the model: read in windows
    pipe = pipeline("sentiment-analysis")
    answers = [{a["label"]: a["score"] for a in answer} for answer in pipe(texts, top_k=None)]
    hard = HARD + reviews()["train"]["text"][:2000]
    return {
        "texts": texts,
        "positive": [answer["POSITIVE"] for answer in answers],
        "hard": hard,
        "ids": pipe.tokenizer(hard, truncation=True, max_length=512)["input_ids"],
    }


def widget_page():
    "A page with a slider and its state."
    slider = IntSlider(value=7, description="seven")
    body = widget(slider._repr_mimebundle_()[WIDGET]) + widget_state(Widget.get_manager_state(), "")
    assert STATE in body
    return PAGE.format(body=body)


if __name__ == "__main__":
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    (out / "scores.json").write_text(json.dumps(scores()))
    (out / "widget.html").write_text(widget_page())
