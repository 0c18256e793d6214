"""Tiny models and data sets under the names that other people's files ask for, in the hub's cache.

`make(home, source)` looks for names of models and data sets in a file's text and writes each as a
small one of its family into a cache folder (`HF_HOME`), so that the file itself runs unchanged and
offline. Hidden sizes are the real ones: some files build layers on them.
"""

import hashlib
import json
import re
import sys
from itertools import cycle, islice
from pathlib import Path

import torch
import transformers
from datasets import (
    ClassLabel,
    DatasetInfo,
    Features,
    List,
    SplitInfo,
    Translation,
    Value,
)
from datasets.arrow_writer import ArrowWriter
from datasets.splits import SplitDict
from fake_hub import model_folder
from tokenizers import (
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

from nlp_tour.data.reviews import reviews
from nlp_tour.hub.standins import embedded

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from tiny_families import small_settings  # noqa: E402

BERT = {
    "pad_token": "[PAD]",
    "unk_token": "[UNK]",
    "cls_token": "[CLS]",
    "sep_token": "[SEP]",
    "mask_token": "[MASK]",
}
ROBERTA = {
    "bos_token": "<s>",
    "pad_token": "<pad>",
    "eos_token": "</s>",
    "unk_token": "<unk>",
    "cls_token": "<s>",
    "sep_token": "</s>",
    "mask_token": "<mask>",
}
GPT2 = dict.fromkeys(["bos_token", "eos_token", "unk_token"], "<|endoftext|>")
T5 = {"pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"}
XLNET = {
    "end_of_paragraph": "<eop>",
    "end_of_text": "<eod>",
    "unk_token": "<unk>",
    "bos_token": "<s>",
    "eos_token": "</s>",
    "cls_token": "<cls>",
    "sep_token": "<sep>",
    "pad_token": "<pad>",
    "mask_token": "<mask>",
}
ALBERT = {k: t for k, t in XLNET.items() if k.endswith("_token")}
ALBERT |= {"cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]"}
ALBERT |= {"bos_token": "[CLS]", "eos_token": "[SEP]"}
PAIRS = {
    "cls sep": ("{cls} $A {sep}", "{cls}:0 $A:0 {sep}:0 $B:1 {sep}:1"),
    "roberta": ("{cls} $A {sep}", "{cls}:0 $A:0 {sep}:0 {sep}:0 $B:0 {sep}:0"),
    "xlnet": ("$A {sep} {cls}:2", "$A:0 {sep}:0 $B:1 {sep}:1 {cls}:2"),
    "t5": ("$A {eos}", "$A {eos} $B {eos}"),
}
# What a name says about a model: (pattern, family, class of the tokenizer, algorithm, special
# tokens, how texts end). The first that matches decides.
KINDS = [
    (r"distilbert", "distilbert", "DistilBertTokenizer", "words", BERT, "cls sep"),
    (r"xlm-roberta|xlm-r", "xlm-roberta", "XLMRobertaTokenizer", "unigram", ROBERTA, "roberta"),
    (r"camembert", "camembert", "CamembertTokenizer", "unigram", ROBERTA, "roberta"),
    (r"roberta|BioMed-RoBERTa|tweet", "roberta", "RobertaTokenizer", "bytes", ROBERTA, "roberta"),
    (r"albert|indic-bert", "albert", "AlbertTokenizer", "unigram", ALBERT, "cls sep"),
    (r"electra", "electra", "ElectraTokenizer", "words", BERT, "cls sep"),
    (r"bart", "bart", "BartTokenizer", "bytes", ROBERTA, "roberta"),
    (r"xlnet", "xlnet", "XLNetTokenizer", "unigram", XLNET, "xlnet"),
    (r"minilm|bert", "bert", "BertTokenizer", "words", BERT, "cls sep"),
    (r"gpt-neo|gpt_neo", "gpt_neo", "GPT2Tokenizer", "bytes", GPT2, None),
    (r"gpt-j", "gptj", "GPT2Tokenizer", "bytes", GPT2, None),
    (r"openai-gpt", "openai-gpt", "OpenAIGPTTokenizer", "letters", {"unk_token": "<unk>"}, None),
    (r"bloom", "bloom", "BloomTokenizer", "bytes", ROBERTA, None),
    (r"gpt2|gpt", "gpt2", "GPT2Tokenizer", "bytes", GPT2, None),
    (r"t5", "t5", "T5Tokenizer", "unigram", T5, "t5"),
]
HEADS = [
    (r"sst|sentiment|emotion|stance|-hate|irony|offensive|emoji", "SEQUENCE_CLASSIFICATION"),
    (r"nli", "SEQUENCE_CLASSIFICATION"),
    (r"squad", "QUESTION_ANSWERING"),
    (r"conll|-ner", "TOKEN_CLASSIFICATION"),
]
LABELS = [
    (r"sst", ["NEGATIVE", "POSITIVE"]),
    (r"sentiment", ["LABEL_0", "LABEL_1", "LABEL_2"]),
    (r"nli", ["contradiction", "neutral", "entailment"]),
    (
        r"conll|-ner",
        ["O", "B-MISC", "I-MISC", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC"],
    ),
]
NAME = re.compile(
    r"(?<![\w./-])((?:[\w.-]+/)?[\w.]+(?:-[\w.]+)+|gpt2|(?:[\w-]+/)[\w.-]*bert[\w.-]*)(?![\w/-])"
)


def texts(n):
    "Some reviews."
    return reviews()["train"]["text"][:n]


def trained(algorithm, special):
    "A fast tokenizer of the algorithm, trained on reviews."
    extra = list(dict.fromkeys(special.values()))
    if algorithm == "words":
        words = (embedded("sentiment") / "vocab.txt").read_text(encoding="utf-8").splitlines()
        rust = Tokenizer(models.WordPiece({w: i for i, w in enumerate(words)}, unk_token="[UNK]"))
        rust.normalizer = normalizers.BertNormalizer(lowercase=True)
        rust.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        rust.decoder = decoders.WordPiece()
        return rust
    if algorithm == "unigram":
        rust = Tokenizer(models.Unigram())
        rust.normalizer = normalizers.NFKC()
        rust.pre_tokenizer = pre_tokenizers.Metaspace()
        rust.decoder = decoders.Metaspace()
        trainer = trainers.UnigramTrainer(
            vocab_size=1500, special_tokens=extra, unk_token="<unk>", show_progress=False
        )
    elif algorithm == "letters":
        rust = Tokenizer(models.BPE(end_of_word_suffix="</w>", unk_token="<unk>"))
        rust.normalizer = normalizers.BertNormalizer(lowercase=True)
        rust.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        rust.decoder = decoders.BPEDecoder(suffix="</w>")
        trainer = trainers.BpeTrainer(
            vocab_size=1500, special_tokens=extra, end_of_word_suffix="</w>", show_progress=False
        )
    else:
        rust = Tokenizer(models.BPE())
        rust.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        rust.decoder = decoders.ByteLevel()
        letters = pre_tokenizers.ByteLevel.alphabet()
        trainer = trainers.BpeTrainer(
            vocab_size=5000, special_tokens=extra, initial_alphabet=letters, show_progress=False
        )
    rust.train_from_iterator(texts(4000), trainer)
    return rust


def write_tokenizer(folder, kind):
    "Write a tokenizer's files as the hub has them; return its size and its special ids."
    _, family, name, algorithm, special, ends = kind
    rust = trained(algorithm, special)
    if ends is not None:
        words = {k.removesuffix("_token"): t for k, t in special.items()}
        single, pair = (form.format(**words) for form in PAIRS[ends])
        ids = [(t, rust.token_to_id(t)) for t in dict.fromkeys(special.values())]
        rust.post_processor = processors.TemplateProcessing(
            single=single, pair=pair, special_tokens=ids
        )
    rust.add_special_tokens(list(dict.fromkeys(special.values())))
    rust.save(str(folder / "tokenizer.json"))
    longest = {"gpt2": 1024, "gpt_neo": 1024, "bart": 1024, "roberta": 128}  # else 512
    limits = {"model_max_length": longest.get(family, 512)}
    settings = {k: t for k, t in special.items() if k.endswith("_token")} | limits
    settings["tokenizer_class"] = name
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    model = json.loads(rust.to_str())["model"]
    if algorithm == "words":
        words = sorted(model["vocab"], key=model["vocab"].get)
        (folder / "vocab.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
    elif algorithm in ("bytes", "letters"):
        (folder / "vocab.json").write_text(json.dumps(model["vocab"]), encoding="utf-8")
        merges = "\n".join(" ".join(m) for m in model["merges"])
        (folder / "merges.txt").write_text(f"#version: 0.2\n{merges}\n", encoding="utf-8")
    ids = {k + "_id": rust.token_to_id(t) for k, t in special.items()}
    more = 100 if family == "t5" else 0  # its sentinels
    return rust.get_vocab_size() + more, ids


def found(name, table):
    "Return what the first pattern that occurs in a name stands for."
    return next((what for pattern, what in table if re.search(pattern, name, re.I)), None)


def small(family, size, ids):
    "Return a configuration's settings: the real hidden size, two layers, special ids that fit."
    config_class = CONFIG_MAPPING[family]
    usual = config_class().to_dict()
    settings = small_settings(config_class, family) | {"vocab_size": size}
    real = {"hidden_size": 768, "d_model": 768, "n_embd": 768, "dim": 768, "num_layers": 2}
    settings |= {k: number for k, number in real.items() if k in settings}
    for k in ("max_position_embeddings", "n_positions"):
        if k in settings:
            settings[k] = max(usual[k], 512)
    if family == "roberta":
        settings |= {"max_position_embeddings": 514, "type_vocab_size": 1}
    for k in ("bos_token_id", "eos_token_id", "pad_token_id", "sep_token_id"):
        if k in settings:
            settings[k] = usual.get(k) if (usual.get(k) or 0) < size else None
    settings |= {k: ids[k] for k in settings.keys() & ids.keys()}
    settings |= {k: ids[k] for k in ("pad_token_id",) if k in ids}
    start = {"t5": "pad_token_id", "bart": "eos_token_id"}.get(family)
    return settings | ({"decoder_start_token_id": ids[start]} if start else {})


def write_model(folder, name, family, size, ids):
    "Write a small model of the family."
    settings = small(family, size, ids)
    labels = found(name, LABELS)
    if labels:
        settings |= {"id2label": dict(enumerate(labels))}
        settings |= {"label2id": {label: i for i, label in enumerate(labels)}}
    config = CONFIG_MAPPING[family](**settings)
    head = found(name, HEADS)
    auto = transformers.models.auto.modeling_auto
    heads = [head] if head else ["PRETRAINING", "CAUSAL_LM"]
    tables = [getattr(auto, f"MODEL_FOR_{h}_MAPPING_NAMES") for h in heads]
    cls = next(table[family] for table in tables if family in table)
    torch.manual_seed(0)
    model = getattr(transformers, cls[0] if isinstance(cls, tuple) else cls)(config)
    model.save_pretrained(folder)


def kind_of(name):
    "Return the entry of `KINDS` for a name, or None."
    return next((k for k in KINDS if re.search(k[0], name, re.I)), None)


def make_folder(folder, name):
    "Write a model of the name's family into a folder."
    kind = kind_of(name)
    folder.mkdir(parents=True, exist_ok=True)
    write_model(folder, name, kind[1], *write_tokenizer(folder, kind))


def make_model(home, name):
    "Write a model of the name's family into the cache, if it has one."
    exists = (home / "hub" / f"models--{name.replace('/', '--')}").exists()
    if kind_of(name) is not None and not exists:
        make_folder(model_folder(home, name), name)


TEXT, SMALL_INT = Value("string"), Value("int32")
ANSWERS = {"text": List(TEXT), "answer_start": List(SMALL_INT)}
SQUAD = {"id": TEXT, "title": TEXT, "context": TEXT, "question": TEXT, "answers": ANSWERS}
TAGS = ["O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC", "B-MISC", "I-MISC"]
FEELINGS = """anger anticipation disgust fear joy love optimism pessimism sadness surprise
    trust""".split()
PLAIN = ("train", "validation", "test")
ROWS = {  # (name, configuration) -> columns and splits
    ("glue", "mrpc"): ({"sentence1": TEXT, "sentence2": TEXT, "label": 2, "idx": SMALL_INT}, PLAIN),
    ("glue", "cola"): ({"sentence": TEXT, "label": 2, "idx": SMALL_INT}, PLAIN),
    ("glue", "sst2"): ({"sentence": TEXT, "label": 2, "idx": SMALL_INT}, PLAIN),
    ("glue", "mnli"): (
        {"premise": TEXT, "hypothesis": TEXT, "label": 3, "idx": SMALL_INT},
        (
            "train",
            "validation_matched",
            "validation_mismatched",
            "test_matched",
            "test_mismatched",
        ),
    ),
    ("imdb", "plain_text"): ({"text": TEXT, "label": 2}, ("train", "test", "unsupervised")),
    ("squad", "plain_text"): (SQUAD, ("train", "validation")),
    ("squad_v2", "squad_v2"): (SQUAD, ("train", "validation")),
    ("wikitext", "wikitext-2-raw-v1"): ({"text": TEXT}, PLAIN),
    ("tweet_eval", "sentiment"): ({"text": TEXT, "label": 3}, PLAIN),
    ("banking77", "default"): ({"text": TEXT, "label": 77}, ("train", "test")),
    ("ncbi_disease", "ncbi_disease"): (
        {"id": TEXT, "tokens": List(TEXT), "ner_tags": ["O", "B-Disease", "I-Disease"]},
        PLAIN,
    ),
    ("conll2003", "conll2003"): ({"id": TEXT, "tokens": List(TEXT), "ner_tags": TAGS}, PLAIN),
    ("swag", "regular"): (
        dict.fromkeys(
            ["video-id", "fold-ind", "startphrase", "sent1", "sent2", "gold-source"]
            + [f"ending{i}" for i in range(4)],
            TEXT,
        )
        | {"label": 4},
        PLAIN,
    ),
    ("sem_eval_2018_task_1", "subtask5.english"): (
        {"ID": TEXT, "Tweet": TEXT, **dict.fromkeys(FEELINGS, Value("bool"))},
        PLAIN,
    ),
    ("ml6team/cnn_dailymail_nl", "default"): (
        {"article": TEXT, "highlights": TEXT, "id": TEXT},
        PLAIN,
    ),
    ("wmt16", "ro-en"): ({"translation": Translation(["ro", "en"])}, PLAIN),
}


def feature(form):
    "Return a column's type: a number stands for labels, a list for the tags of words."
    if isinstance(form, int):
        return ClassLabel(names=[f"class_{i}" for i in range(form)])
    return List(ClassLabel(names=form)) if isinstance(form, list) else form


def value(form, column, i, text):
    "Return a column's value in row `i`."
    if isinstance(form, int):
        return i % form
    if isinstance(form, list):
        return [k % len(form) for k in range(len(text.split()))]
    if form is ANSWERS:
        return {"text": [text.split()[1]], "answer_start": [text.index(text.split()[1])]}
    if isinstance(form, Translation):
        return dict.fromkeys(form.languages, text)
    if isinstance(form, List):
        return text.split()
    if form == Value("bool"):
        return (i + len(column)) % 2 == 0
    if form == SMALL_INT:
        return i
    return str(i) if column.lower() == "id" else text


def make_rows(home, name, config):
    "Write a small data set into the cache of data sets."
    columns, splits = ROWS[name, config]
    commit = hashlib.sha1(name.encode()).hexdigest()
    folder = home / "datasets" / name.replace("/", "___") / config / "0.0.0" / commit
    if folder.exists():
        return
    folder.mkdir(parents=True)
    features = Features({c: feature(form) for c, form in columns.items()})
    infos = SplitDict(dataset_name=name.split("/")[-1])
    for split in splits:
        count = 24 if split == "train" else 12
        path = folder / f"{name.split('/')[-1]}-{split}.arrow"
        with ArrowWriter(path=str(path), features=features) as writer:
            for i, text in enumerate(islice(cycle(texts(400)), count)):
                writer.write({c: value(form, c, i, text) for c, form in columns.items()})
            n, size = writer.finalize()
        infos.add(SplitInfo(name=split, num_bytes=size, num_examples=n))
    about = {"dataset_name": name.split("/")[-1], "config_name": config, "version": "0.0.0"}
    info = DatasetInfo(features=features, splits=infos, builder_name="parquet", **about)
    info.write_to_directory(str(folder))


def make(
    home,  # the folder that HF_HOME will name
    source,  # the text of a file, with its arguments
):  # names of the models and data sets that are there
    "Write every model and data set that a file names; those that exist are kept."
    home = Path(home)
    names = sorted(set(NAME.findall(source)))
    for name in names:
        make_model(home, name)
    for name, config in ROWS:
        if re.search(rf"\b{re.escape(name)}\b", source):
            make_rows(home, name, config)
    return names
