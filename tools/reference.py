"What the browser test compares with: Python's scores and tokens, and a page with a widget. `python tools/reference.py FOLDER`."

import json
import os
import sys
from pathlib import Path

os.environ["NLP_TOUR_OFFLINE"] = "1"
root = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(root / "nbs" / "site"))
from ipywidgets import IntSlider, Widget
from stage import STATE, WIDGET, widget, widget_state

from nlp_tour.data.datasets import reviews
from nlp_tour.pipeline import pipeline

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

if __name__ == "__main__":
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    texts = reviews()["test"]["text"][:200]
    texts.append(" ".join(texts[:60]))  # longer than the model: read in windows
    pipe = pipeline("sentiment-analysis")
    positive = [
        next(a["score"] for a in answer if a["label"] == "POSITIVE")
        for answer in pipe(texts, top_k=None)
    ]
    hard = HARD + reviews()["train"]["text"][:2000]
    ids = pipe.tokenizer(hard, truncation=True, max_length=512)["input_ids"]
    (out / "scores.json").write_text(
        json.dumps({"texts": texts, "positive": positive, "hard": hard, "ids": ids})
    )
    slider = IntSlider(value=7, description="seven")
    body = widget(slider._repr_mimebundle_()[WIDGET]) + widget_state(Widget.get_manager_state(), "")
    assert STATE in body
    (out / "widget.html").write_text(
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>widget</title></head><body>{body}</body></html>'
    )
