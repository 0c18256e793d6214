"""Write metrics.json: what the reference libraries answer on seeded random cases.

    python -m venv oracle
    oracle/bin/pip install seqeval==1.2.2 sacrebleu==2.6.0 rouge-score==0.1.2 nltk==3.10.4 \\
        torchmetrics==1.9.0 torch
    oracle/bin/python tests/golden/metrics.py
"""

import json
import random
import warnings
from importlib.metadata import version
from pathlib import Path

from nltk.translate.bleu_score import corpus_bleu as nltk_bleu
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu import corpus_bleu
from seqeval.metrics import accuracy_score, classification_report
from seqeval.metrics.sequence_labeling import get_entities
from torchmetrics.functional.text import squad

warnings.simplefilter("ignore")
rng = random.Random(0)
WORDS = [
    "the",
    "a",
    "an",
    "cat",
    "cats",
    "sat",
    "on",
    "mat,",
    "mat.",
    "U.S.",
    "3.5%",
    "1,000",
    "isn't",
    "'quoted'",
    "(aside)",
    "well-known",
    "2019-2021",
    "x.,1",
    ",,",
    "...",
    "déjà",
    "The",
    "Paris—the",
    "Müller's",
    "&quot;q&quot;",
    "&amp;lt;",
    "a/b",
    "e-mail",
    "<skipped>",
    "$5",
    "what?!",
    "10-",
    "-\n",
    "new\nline",
]


def text(longest=14, shortest=0):
    return " ".join(rng.choices(WORDS, k=rng.randint(shortest, longest)))


def near(t):
    "A text that shares most words with `t`."
    words = [w if rng.random() < 0.8 else rng.choice(WORDS) for w in t.split(" ")]
    return " ".join(
        words[: len(words) - (rng.random() < 0.3)] + [rng.choice(WORDS)] * (rng.random() < 0.3)
    )


def tags():
    return rng.choices(
        ["O", "B-PER", "I-PER", "B-LOC", "I-LOC", "E-LOC", "S-PER", "I-A-B", "B", "I"],
        k=rng.randint(1, 12),
    )


def seqeval_case(n):
    true = [tags() for _ in range(n)]
    predicted = [
        [t if rng.random() < 0.7 else rng.choice(["O", "B-PER", "I-LOC", "S-PER"]) for t in row]
        for row in true
    ]
    report = classification_report(true, predicted, output_dict=True)
    answer = {
        k: dict(zip(("precision", "recall", "f1", "number"), map(float, v.values())))
        for k, v in report.items()
        if not k.endswith(" avg")
    }
    answer |= {
        f"overall_{k}": float(report["micro avg"][s])
        for k, s in (("precision", "precision"), ("recall", "recall"), ("f1", "f1-score"))
    }
    return {
        "predictions": predicted,
        "references": true,
        "answer": answer | {"overall_accuracy": float(accuracy_score(true, predicted))},
    }


def bleu_case(n, m):
    predicted = [text() for _ in range(n)]
    true = [[near(s) or "x" for _ in range(m)] for s in predicted]
    streams = list(zip(*true))
    b, plain = (
        corpus_bleu(predicted, streams),
        corpus_bleu(predicted, streams, smooth_method="none"),
    )
    answer = {
        "score": b.score,
        "counts": b.counts,
        "totals": b.totals,
        "precisions": b.precisions,
        "bp": b.bp,
        "sys_len": b.sys_len,
        "ref_len": b.ref_len,
    }
    return {
        "predictions": predicted,
        "references": true,
        "answer": answer,
        "unsmoothed": plain.score,
    }


def nltk_case(n):
    predicted = [" ".join(rng.choices("abcdef", k=rng.randint(5, 20))) for _ in range(n)]
    true = [
        " ".join(c if rng.random() < 0.9 else "x" for c in s.split()) + " x" * rng.randint(0, 3)
        for s in predicted
    ]
    return {
        "predictions": predicted,
        "references": true,
        "bleu": float(nltk_bleu([[t.split()] for t in true], [s.split() for s in predicted])),
    }


def rouge_case(n):
    predicted = [text() for _ in range(n)]
    true = [[near(s) for _ in range(rng.randint(1, 2))] for s in predicted]
    kinds = ["rouge1", "rouge2", "rougeL"]
    scores = [RougeScorer(kinds).score_multi(t, s) for s, t in zip(predicted, true)]
    return {
        "predictions": predicted,
        "references": true,
        "answer": {k: sum(float(s[k].fmeasure) for s in scores) / n for k in kinds},
    }


def squad_case(n):
    "Every text has a word: without any, torchmetrics takes the rule of SQuAD 2, not that of 1.1."
    predicted = [
        {"id": str(i), "prediction_text": "cat " * rng.randint(1, 2) + text(6)} for i in range(n)
    ]
    true = [
        {
            "id": s["id"],
            "answers": {
                "text": [
                    "cat " * rng.randint(1, 2) + near(s["prediction_text"])
                    for _ in range(rng.randint(1, 3))
                ],
                "answer_start": [0],
            },
        }
        for s in predicted
    ]
    return {
        "predictions": predicted,
        "references": true[::-1],
        "answer": {k: float(v) for k, v in squad(predicted, true).items()},
    }


rows = [tags() for _ in range(60)]
golden = {
    "versions": {
        p: version(p) for p in ("seqeval", "sacrebleu", "rouge-score", "nltk", "torchmetrics")
    },
    "spans": [{"tags": r, "spans": get_entities(r)} for r in rows],
    "seqeval": [seqeval_case(n) for n in (1, 5, 20)],
    "sacrebleu": [bleu_case(n, m) for n, m in ((1, 1), (1, 1), (2, 1), (12, 1), (12, 3), (30, 2))],
    "bleu": [nltk_case(n) for n in (3, 10)],
    "rouge": [rouge_case(n) for n in (1, 10, 30)],
    "squad": [squad_case(n) for n in (1, 10, 30)],
}
Path(__file__).with_suffix(".json").write_text(
    json.dumps(golden, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8"
)
