"""A cache folder as the hub's libraries lay it out, with the tour's names and small contents:
`python tools/fake_hub.py FOLDER`, then `HF_HOME=FOLDER HF_HUB_OFFLINE=1`.

The files have the form of the hub's own: DistilBERT's sentiment model has no tokenizer.json, BERT
has the weight names of 2018, a language head and a cased vocabulary, and IMDB is sorted by label,
with some long texts and a third split. Their numbers come from the embedded parts.
"""

import hashlib
import json
import os
import shutil
import sys
from pathlib import Path

import torch
from datasets import ClassLabel, DatasetInfo, Features, SplitInfo, Value
from datasets.arrow_writer import ArrowWriter
from datasets.splits import SplitDict
from safetensors.torch import load_file, save_file
from tokenizers import BertWordPieceTokenizer
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    BertConfig,
    BertForPreTraining,
    DistilBertConfig,
    DistilBertForMaskedLM,
    DistilBertForSequenceClassification,
)

from nlp_tour.data.reviews import reviews
from nlp_tour.hub.standins import bert_to_distilbert, embedded

SENTENCES = [
    "We are very happy to show you the 🤗 Transformers library.",
    "We hope you don't hate it.",
    "A quiet triumph.",
    "Two hours of my life, gone.",
    "A good waste of two hours.",
    "A good film.",
    "A great film.",
    "It made me cry.",
    "good",
    "bad",
]


def model_folder(
    home,  # of the cache, as in HF_HOME
    name,  # of the model on the hub
):
    "Make the folder of a model's files, and the reference that points to it."
    repository = home / "hub" / f"models--{name.replace('/', '--')}"
    commit = hashlib.sha1(name.encode()).hexdigest()
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text(commit)
    folder = repository / "snapshots" / commit
    folder.mkdir(parents=True)
    return folder


def write_model(folder, model, weights=None, architecture=None):
    "Write the configuration and the weights as the hub has them."
    architecture = architecture or type(model).__name__
    settings = model.config.to_dict() | {"architectures": [architecture]}
    for ours in ("dtype", "_name_or_path"):
        settings.pop(ours, None)
    (folder / "config.json").write_text(json.dumps(settings, indent=2))
    weights = weights or model.state_dict()
    weights = {name: w.detach().clone().contiguous() for name, w in weights.items()}
    save_file(weights, folder / "model.safetensors", {"format": "pt"})


def write_tokenizer(folder, words, lower, fast):
    "Write a vocabulary, its settings and, for a fast one, all rules in one file."
    (folder / "vocab.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
    settings = {"do_lower_case": lower, "model_max_length": 512}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    if fast:
        rules = BertWordPieceTokenizer(str(folder / "vocab.txt"), lowercase=lower)
        rules.save(str(folder / "tokenizer.json"))


def cased(words, vectors, size=28_996):
    "A vocabulary that has capitals, and vectors: a word's own for its capitalized form, too."
    lower = words[: size * 2 // 3]
    known = set(lower)
    capitals = {w.capitalize(): i for i, w in enumerate(lower) if w.isalpha()}
    new = [w for w in capitals if w not in known][: size - len(lower)]
    rows = [*range(len(lower)), *(capitals[w] for w in new)]
    return lower + new, vectors[rows]


def distilbert_settings(config, **more):
    "The sizes of a BERT as those of a DistilBERT."
    return DistilBertConfig(
        dim=config.hidden_size,
        hidden_dim=config.intermediate_size,
        n_heads=config.num_attention_heads,
        n_layers=config.num_hidden_layers,
        vocab_size=config.vocab_size,
        **more,
    )


def fit_head(student, teacher, tokenizer):
    "Give the student's body, which is the teacher's, a head with about the teacher's answers."
    texts = SENTENCES + reviews()["train"].shuffle(seed=0)["text"][:800]
    hidden, logits = [], []
    for start in range(0, len(texts), 50):
        how = {"padding": True, "truncation": True, "return_tensors": "pt"}
        batch = tokenizer(texts[start : start + 50], **how)
        with torch.no_grad():
            logits.append(teacher(**batch).logits)
            batch.pop("token_type_ids", None)
            hidden.append(student.distilbert(**batch).last_hidden_state[:, 0])
    hidden, logits = torch.cat(hidden).double(), torch.cat(logits).double()
    ones = torch.ones(len(hidden), 1, dtype=hidden.dtype)
    system = torch.cat([hidden, ones], 1)
    ridge = torch.eye(system.shape[1], dtype=hidden.dtype) * 0.1
    found = torch.linalg.solve(system.T @ system + ridge, system.T @ logits).float()
    weight, bias = found[:-1].T, found[-1]
    lift = 8.0  # lets nearly all numbers pass the ReLU
    student.pre_classifier.weight.data = torch.eye(weight.shape[1])
    student.pre_classifier.bias.data.fill_(lift)
    student.classifier.weight.data = weight.contiguous()
    student.classifier.bias.data = bias - lift * weight.sum(1)


def make_sentiment(home, words):
    "The tour's first model."
    teacher = AutoModelForSequenceClassification.from_pretrained(embedded("sentiment")).eval()
    names = {"id2label": teacher.config.id2label, "label2id": teacher.config.label2id}
    student = DistilBertForSequenceClassification(distilbert_settings(teacher.config, **names))
    student.distilbert.load_state_dict(bert_to_distilbert(teacher.bert.state_dict()))
    fit_head(student.eval(), teacher, AutoTokenizer.from_pretrained(embedded("sentiment")))
    folder = model_folder(home, "distilbert-base-uncased-finetuned-sst-2-english")
    write_model(folder, student)
    write_tokenizer(folder, words, lower=True, fast=False)


def make_distilbert(home, words):
    "A body with the head that it was pretrained with."
    config = DistilBertConfig.from_pretrained(embedded("distilbert"))
    model = DistilBertForMaskedLM(config)
    model.distilbert.load_state_dict(load_file(embedded("distilbert") / "model.safetensors"))
    model.tie_weights()
    folder = model_folder(home, "distilbert-base-uncased")
    weights = {k: w for k, w in model.state_dict().items() if k != "vocab_projector.weight"}
    write_model(folder, model, weights)
    write_tokenizer(folder, words, lower=True, fast=True)


def make_bert(home, words, name):
    "A body with a language head, and the names that weights had in 2018."
    weights = load_file(embedded("encoder") / "model.safetensors")
    config = BertConfig.from_pretrained(embedded("encoder"))
    vectors = "embeddings.word_embeddings.weight"
    lower = not name.endswith("-cased")
    if not lower:
        words, weights[vectors] = cased(words, weights[vectors])
        config.vocab_size = len(words)
    model = BertForPreTraining(config)
    model.bert.load_state_dict(weights, strict=False)
    model.tie_weights()
    old = {"LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"}
    named = {}
    for key, weight in model.state_dict().items():
        end = next((new for new in old if key.endswith(new)), "")
        if not key.startswith("cls.predictions.decoder"):
            named[key.removesuffix(end) + old.get(end, "")] = weight
    folder = model_folder(home, name)
    write_model(folder, model, named, "BertForMaskedLM")
    write_tokenizer(folder, words, lower, fast=True)


def imdb_rows(split, size):
    "Texts of several reviews each, all of one label; some are longer than a model takes."
    rows = []
    for label in (0, 1):
        texts = [r["text"] for r in reviews()[split] if r["label"] == label]
        for i in range(size // 2):
            many = 40 if i % 100 == 99 else 1 + i % 2
            texts, own = texts[many:], texts[:many]
            rows.append({"text": "<br /><br />".join(own), "label": label})
    return rows


def make_imdb(home):
    "A small IMDB in the cache of data sets."
    folder = home / "datasets" / "imdb" / "plain_text" / "0.0.0" / hashlib.sha1(b"imdb").hexdigest()
    folder.mkdir(parents=True)
    features = Features(text=Value("string"), label=ClassLabel(names=["neg", "pos"]))
    splits = {split: imdb_rows(split, 400) for split in ("train", "test")}
    splits["unsupervised"] = [row | {"label": -1} for row in imdb_rows("train", 20)]
    found = SplitDict(dataset_name="imdb")
    for name, rows in splits.items():
        with ArrowWriter(path=str(folder / f"imdb-{name}.arrow"), features=features) as writer:
            for row in rows:
                writer.write(row)
            count, size = writer.finalize()
        found.add(SplitInfo(name=name, num_bytes=size, num_examples=count))
    about = {"dataset_name": "imdb", "config_name": "plain_text", "version": "0.0.0"}
    info = DatasetInfo(features=features, splits=found, builder_name="parquet", **about)
    info.write_to_directory(str(folder))


def make(
    home,  # the folder that HF_HOME will name
):  # it, as a `Path`
    "Write all models and data sets of the tour; a finished folder is kept."
    home = Path(home)
    made, done = home / "made", hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
    if made.exists() and made.read_text() == done:
        return home
    for old in ("hub", "datasets"):
        shutil.rmtree(home / old, ignore_errors=True)
    torch.manual_seed(0)
    words = (embedded("sentiment") / "vocab.txt").read_text(encoding="utf-8").splitlines()
    make_sentiment(home, words)
    make_distilbert(home, words)
    make_bert(home, words, "bert-base-uncased")
    make_bert(home, words, "bert-base-cased")
    make_imdb(home)
    made.write_text(done)
    return home


if __name__ == "__main__":
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    print(make(sys.argv[1]))
