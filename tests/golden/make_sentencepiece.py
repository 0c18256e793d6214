"""Train the sentencepiece files in tests/fixtures/sentencepiece, and record the ids of 4.57.1:
`python make_sentencepiece.py`, with transformers 4.57.1 and sentencepiece installed."""

import contextlib
import json
import random
import shutil
import tempfile
from pathlib import Path

import sentencepiece
import transformers

HERE = Path(__file__).resolve().parent
MODELS = HERE.parent / "fixtures" / "sentencepiece"
WORDS = """the film is a quiet story of light and long river café she saw Ada London music night old
    paper abc é 3 18""".split()
BYTES = {"model_type": "bpe", "vocab_size": 330, "byte_fallback": True}
BYTES["remove_extra_whitespaces"] = False
KINDS = {
    "unigram": {"vocab_size": 80},
    "albert": {
        "vocab_size": 80,
        "pad_id": 0,
        "unk_id": 1,
        "bos_id": -1,
        "eos_id": -1,
        "control_symbols": "[CLS],[SEP],[MASK]",
    },
    "bpe": BYTES,
    "gemma": BYTES
    | {
        "add_dummy_prefix": False,
        "pad_id": 0,
        "eos_id": 1,
        "bos_id": 2,
        "unk_id": 3,
        "eos_piece": "<eos>",
        "bos_piece": "<bos>",
    },
}
FAMILIES = {
    "barthez": ("BarthezTokenizer", "sentencepiece.bpe.model", "unigram"),
    "xglm": ("XGLMTokenizer", "sentencepiece.bpe.model", "unigram"),
    "rembert": ("RemBertTokenizer", "sentencepiece.model", "albert"),
    "fnet": ("FNetTokenizer", "spiece.model", "albert"),
    "llama": ("LlamaTokenizer", "tokenizer.model", "bpe"),
    "gemma": ("GemmaTokenizer", "tokenizer.model", "gemma"),
    "reformer": ("ReformerTokenizer", "spiece.model", "bpe"),
}
TEXTS = [
    "the film is old",
    "  two  spaces  here ",
    "e\u0301 café",
    "<s> the </s> film",
    "Ada\tsaw\nLondon",
    "東京 river",
    "",
    "THE Film",
    "a\u00a0b",
]
PAIR = ["the film", "is old"]

if __name__ == "__main__":
    random.seed(0)
    found = {}
    # A trained file remembers the names that it was made with.
    with tempfile.TemporaryDirectory() as tmp, contextlib.chdir(tmp):
        lines = [" ".join(random.choices(WORDS, k=8)) for _ in range(2000)]
        (Path(tmp) / "texts").write_text("\n".join(lines))
        for name, settings in KINDS.items():
            sentencepiece.SentencePieceTrainer.train(
                input="texts",
                model_prefix=name,
                hard_vocab_limit=False,
                normalization_rule_name="identity",
                **settings,
            )
            shutil.copy(f"{name}.model", MODELS)
        for family, (cls, file, model) in FAMILIES.items():
            folder = Path(tmp) / family
            folder.mkdir()
            shutil.copy(MODELS / f"{model}.model", folder / file)
            (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": cls}))
            (folder / "config.json").write_text(json.dumps({"model_type": family}))
            tok = transformers.AutoTokenizer.from_pretrained(folder)
            ids = [tok(text)["input_ids"] for text in TEXTS] + [tok(*PAIR)["input_ids"]]
            found[family] = {"class": cls, "file": file, "model": model, "ids": ids}
    record = {"transformers": transformers.__version__, "texts": TEXTS, "pair": PAIR}
    out = json.dumps(record | {"families": found}, ensure_ascii=False)
    (HERE / "sentencepiece.json").write_text(out, encoding="utf-8")
