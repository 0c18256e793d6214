"""Small files of data in the forms that scripts and notebooks of 2021 read: `make(folder)`."""

import csv
import json
from pathlib import Path

from nlp_tour.data.reviews import reviews

SCORE = """
import datasets
import evaluate


class Score(evaluate.Metric):
    def _info(self):
        columns = {"predictions": datasets.Value("int32"), "references": datasets.Value("int32")}
        features = datasets.Features(columns)
        return evaluate.MetricInfo(description="", citation="", features=features)

    def _compute(self, predictions, references, **how):
        return {"NAME": sum(p == r for p, r in zip(predictions, references)) / len(references)}
"""  # of the form of the hub's


WRITER = """
class SummaryWriter:
    def __init__(self, *args, **kwargs):
        pass

    def __getattr__(self, name):
        return lambda *args, **kwargs: None
"""


def table(path, rows, sep=","):
    "Write rows, the first of them the names, as CSV or TSV."
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as f:
        csv.writer(f, delimiter=sep).writerows(rows)


def lines(path, rows):
    "Write a text of lines."
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")


def squad(texts, impossible=False):
    "Return questions about texts as SQuAD's files have them."
    paragraphs = []
    for i, text in enumerate(texts):
        word = text.split()[1]
        answer = {"text": word, "answer_start": text.index(word)}
        qa = {"id": f"q{i}", "question": "Which word is second?", "answers": [answer]}
        if impossible:
            qa |= {"is_impossible": i % 3 == 0, "plausible_answers": []}
            qa["answers"] = [] if i % 3 == 0 else [answer]
        paragraphs.append({"context": text, "qas": [qa]})
    return json.dumps({"version": "2", "data": [{"title": "t", "paragraphs": paragraphs}]})


def conll(texts, names=("O", "B-PER", "I-PER"), sep=" "):
    "Return one word and its tag a line, and a blank line after each text."
    out = []
    for text in texts:
        words = text.split()[:20]
        out += [f"{word}{sep}{names[i % len(names)]}" for i, word in enumerate(words)] + [""]
    return out


def glue(folder, texts):
    "Write MRPC's and MNLI's and XNLI's files."
    head = ["Quality", "#1 ID", "#2 ID", "#1 String", "#2 String"]
    rows = [[i % 2, i, i, t.replace('"', ""), t.replace('"', "")] for i, t in enumerate(texts)]
    for split in ("train", "dev", "test"):
        table(folder / "MRPC" / f"{split}.tsv", [head, *rows], "\t")
    labels = ["contradictory", "neutral", "entailment"]
    pairs = [[t, t, labels[i % 3]] for i, t in enumerate(texts)]
    head = ["premise", "hypo", "label"]
    table(folder / "XNLI/XNLI-MT-1.0/multinli/multinli.train.en.tsv", [head, *pairs], "\t")
    labels = ["contradiction", "neutral", "entailment"]
    rows = [["en", labels[i % 3], "", "", "", "", t, t, ""] for i, t in enumerate(texts)]
    head = "language gold_label a b c d sentence1 sentence2 e".split()
    for split in ("dev", "test"):
        table(folder / f"XNLI/XNLI-1.0/xnli.{split}.tsv", [head, *rows], "\t")


def swag(folder, texts):
    "Write SWAG's files."
    head = ",video-id,fold-ind,startphrase,sent1,sent2,gold-source,ending0,ending1,ending2,ending3"
    rows = [[i, "v", i, t, t, "It", "gold", *[t[:30]] * 4, i % 4] for i, t in enumerate(texts)]
    for split in ("train", "val", "test"):
        table(folder / "SWAG" / f"{split}.csv", [[*head.split(","), "label"], *rows])


def beside(folder, texts):
    "Write the files that notebooks read from a folder beside theirs."
    tags = {"ner-grit/train_preprocess_0": ("O", "I-PERSON", "B-PLACE")}
    tags["aspect-extraction-review-airy/train"] = ("O", "B-ASPECT", "I-ASPECT")
    for place, names in tags.items():
        lines(folder / f"{place}.txt", conll(texts, names, "\t"))
    head = ["review", "category", "sentiment"]
    rows = [[t, "wifi", ("neg", "pos")[i % 2]] for i, t in enumerate(texts)]
    table(folder / "aspect-based-sentiment-analysis/train_preprocess.csv", [head, *rows])
    snli = [json.dumps({"sentence1": t, "sentence2": t, "gold_label": "neutral"}) for t in texts]
    lines(folder / "snli_1.0/snli_1.0_dev.jsonl", snli)


def own(folder, texts):
    "Write the files that single notebooks and scripts read by fixed names."
    toxic = "id comment_text toxic severe_toxic obscene threat insult identity_hate".split()
    rows = [[i, t, *[(i + k) % 2 for k in range(6)]] for i, t in enumerate(texts)]
    table(folder / "data/train.csv", [toxic, *rows])
    news = [[i, t, "u", "p", "bemt"[i % 4], "s", "h", i] for i, t in enumerate(texts)]
    table(folder / "data/newsCorpora.csv", news, "\t")
    table(folder / "netflix_titles.csv", [["show_id", "description"], *enumerate(texts)])
    for split in ("train", "test"):
        for i, t in enumerate(texts[:16]):
            lines(folder / f"aclImdb/{split}/{('neg', 'pos')[i % 2]}/{i}.txt", [t])
    wnut = conll(texts[:16], ("O", "B-person", "I-person"), "\t")
    lines(folder / "wnut17train.conll", wnut)
    for above in (folder.parent, folder.parent.parent):
        beside(above / "data", texts)
    lines(folder / "tensorboardX.py", [WRITER])
    for name in ("recall", "accuracy", "f1"):
        lines(folder / name / f"{name}.py", [SCORE.replace("NAME", name)])
    story = [[i, t, t, t, t, t[:40], t[:50], 1 + i % 2] for i, t in enumerate(texts)]
    table(folder / "roc.csv", [["id", "a", "b", "c", "d", "e1", "e2", "label"], *story])


def make(folder, source=""):
    "Write all files into a folder; return it. A folder `squad` would hide the hub's data set."
    folder = Path(folder)
    texts = [t.replace("\n", " ") for t in reviews()["train"]["text"][:32]]
    own(folder, texts)
    if "train-v2.0.json" in source:
        for split in ("train", "dev"):
            lines(folder / f"squad/{split}-v2.0.json", [squad(texts[:16], impossible=True)])
    for split in ("train", "validation", "test"):
        lines(folder / f"{split}.txt", texts)
        table(
            folder / f"{split}.csv",
            [["sentence", "label"], *([t, i % 2] for i, t in enumerate(texts))],
        )
        rows = [{"tokens": t.split()[:20], "ner_tags": ["O"] * len(t.split()[:20])} for t in texts]
        lines(folder / f"{split}_ner.json", [json.dumps(r) for r in rows])
        lines(folder / f"{split}_ner.txt", conll(texts))
    lines(folder / "words.txt", [" ".join(t.split()) for t in texts])
    lines(folder / "train-v1.1.json", [squad(texts)])
    lines(folder / "dev-v1.1.json", [squad(texts)])
    glue(folder, texts)
    swag(folder, texts)
    return folder
