"""Write seq2seq.json: what transformers 4.57.1, the last with these tasks, answers on tiny random
models.

    python -m venv oracle
    oracle/bin/pip install transformers==4.57.1 torch==2.13.0
    oracle/bin/python tests/golden/seq2seq.py

Two bugs of 4.57.1 are stepped around: a default of 256 new tokens goes before a `max_length` that
the caller or the configuration gives, and a default of four beams before the model's own
`num_beams`. So `max_new_tokens=None` goes with each `max_length`.
"""

import json
import random
import sys
import tempfile
import warnings
from pathlib import Path

import transformers
from transformers import MBartTokenizerFast, pipeline

here = Path(__file__).resolve().parent
sys.path.insert(0, str(here.parent))
from tiny import CODES, SEQ2SEQ, TEXTS, seq2seq, tokenizer, unigram  # noqa: E402

assert transformers.__version__ == "4.57.1", transformers.__version__
warnings.simplefilter("ignore")
transformers.logging.set_verbosity_error()
rng = random.Random(0)


def texts(n):
    return [" ".join(rng.choice(TEXTS).rstrip(".").split()[: rng.randint(1, 7)]) for _ in range(n)]


def case(model, tok, name, task, inputs, options, config=None):
    "One call of the pipeline of 4.57.1, with what it answered."
    import copy

    made = seq2seq(name, len(tok), copy.deepcopy(config))
    asked = dict(options) | ({"max_new_tokens": None} if "max_length" in options else {})
    pipe = pipeline(task, model=made, tokenizer=tok, framework="pt", device="cpu")
    answers = [pipe(t, **asked) for t in inputs]
    for a in (a for one in answers for a in one):
        for k, v in a.items():
            if hasattr(v, "tolist"):
                a[k] = v.tolist()
                while a[k] and a[k][-1] == tok.pad_token_id:
                    a[k].pop()
    return {
        "model": name,
        "tokenizer": model,
        "task": task,
        "config": config,
        "inputs": inputs,
        "options": options,
        "answers": answers,
    }


def main():
    rust = unigram(special=("<s>", "<pad>", "</s>", "<unk>"))
    tokenizers = {"plain": rust.to_str()}
    toks = {"plain": tokenizer("plain", tokenizers["plain"])}
    with tempfile.TemporaryDirectory() as tmp:
        (Path(tmp) / "tokenizer.json").write_text(tokenizers["plain"])
        mbart = MBartTokenizerFast(
            tokenizer_file=f"{tmp}/tokenizer.json",
            src_lang="en_XX",
            tgt_lang="ro_RO",
            additional_special_tokens=CODES["mbart"],
        )
    tokenizers["mbart"], toks["mbart"] = mbart.backend_tokenizer.to_str(), mbart
    cases = []
    options = [
        {"max_new_tokens": 8},
        {"max_new_tokens": 8, "num_beams": 1},
        {"max_length": 9},
        {"max_length": 12, "min_length": 8},
        {"max_new_tokens": 6, "num_return_sequences": 3, "num_beams": 3},
        {"max_new_tokens": 6, "num_return_sequences": 2, "return_tensors": True},
        {"max_new_tokens": 8, "no_repeat_ngram_size": 2, "length_penalty": 0.3},
        {"max_new_tokens": 8, "early_stopping": True, "num_beams": 2},
    ]
    for name in SEQ2SEQ:
        for o in options:
            cases.append(case("plain", toks["plain"], name, "text2text-generation", texts(9), o))
    t5 = {
        "task_specific_params": {
            "summarization": {
                "prefix": "A quiet ",
                "num_beams": 2,
                "min_length": 4,
                "no_repeat_ngram_size": 3,
                "length_penalty": 2.0,
            },
            "translation_en_to_fr": {"prefix": "The film is ", "num_beams": 3},
            "translation_en_to_de": {"prefix": "Her second ", "early_stopping": True},
        }
    }
    for name, config in [("t5", t5), ("bart", None), ("marian", None)]:
        for o in options[:-1]:
            cases.append(case("plain", toks["plain"], name, "summarization", texts(10), o, config))
        for task in ("translation_en_to_fr", "translation_en_to_de"):
            for o in options[:2] + options[4:6]:
                cases.append(case("plain", toks["plain"], name, task, texts(5), o, config))
    for name in ("mbart", "m2m"):
        for source, target in (("en_XX", "ro_RO"), ("de_DE", "fr_XX")):
            for o in options[:2] + options[4:6]:
                cases.append(
                    case(
                        "mbart",
                        toks["mbart"],
                        name,
                        "translation",
                        texts(6),
                        o | {"src_lang": source, "tgt_lang": target},
                    )
                )
    counts = {
        t: sum(len(c["inputs"]) for c in cases if c["task"].startswith(t))
        for t in ("text2text", "summarization", "translation")
    }
    print(counts)
    assert min(counts.values()) >= 200
    out = {
        "made with": f"transformers {transformers.__version__}",
        "tokenizers": {k: json.loads(v) for k, v in tokenizers.items()},
        "cases": cases,
    }
    (here / "seq2seq.json").write_text(
        json.dumps(out, ensure_ascii=False, separators=(",", ":")), encoding="utf-8"
    )


main()
