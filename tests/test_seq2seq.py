"""Text to text, summaries and translations against answers of transformers 4.57.1
(tests/golden/seq2seq.py)."""

import json
import random
from pathlib import Path

import pytest
import transformers
from tiny import CODES, TEXTS, seq2seq, tokenizer
from transformers import MBartTokenizer

from nlp_tour.all import pipeline
from nlp_tour.base.errors import InputError
from nlp_tour.tasks.registry import find_task, infer_task
from nlp_tour.tasks.seq2seq import halves

GOLDEN = json.loads((Path(__file__).parent / "golden" / "seq2seq.json").read_text(encoding="utf-8"))


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def toks(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mbart")
    (folder / "tokenizer.json").write_text(
        json.dumps(GOLDEN["tokenizers"]["mbart"]), encoding="utf-8"
    )
    (folder / "tokenizer_config.json").write_text(
        json.dumps(
            {
                "tokenizer_class": "MBartTokenizer",
                "src_lang": "en_XX",
                "tgt_lang": "ro_RO",
                "bos_token": "<s>",
                "eos_token": "</s>",
                "pad_token": "<pad>",
                "unk_token": "<unk>",
                "cls_token": "<s>",
                "sep_token": "</s>",
                "mask_token": "<mask>",
                "extra_special_tokens": CODES["mbart"],
            }
        ),
        encoding="utf-8",
    )
    return {
        "plain": tokenizer("plain", json.dumps(GOLDEN["tokenizers"]["plain"])),
        "mbart": MBartTokenizer.from_pretrained(folder),
    }


def made(case, toks, **options):
    tok = toks[case["tokenizer"]]
    return pipeline(
        case["task"],
        model=seq2seq(case["model"], len(tok), case["config"]),
        tokenizer=tok,
        progress=False,
        **options,
    )


@pytest.mark.parametrize(
    "case", GOLDEN["cases"], ids=lambda c: f"{c['task']}-{c['model']}-{c['options']}"
)
def test_answers_are_those_of_4_57(case, toks):
    pipe, inputs, golden = made(case, toks), case["inputs"], case["answers"]
    flat = golden if len(golden[0]) > 1 else [g[0] for g in golden]
    assert pipe(inputs, **case["options"]) == flat
    order = random.Random(0).sample(range(len(inputs)), len(inputs))
    assert made(case, toks, **case["options"])([inputs[i] for i in order]) == [
        flat[i] for i in order
    ]
    assert pipe(inputs[0], **case["options"]) == golden[0]


def test_the_golden_answers_cover_every_task():
    for task in ("text2text", "summarization", "translation"):
        assert sum(len(c["inputs"]) for c in GOLDEN["cases"] if c["task"].startswith(task)) >= 200
    assert {c["model"] for c in GOLDEN["cases"]} == {"t5", "bart", "marian", "mbart", "m2m"}


# Where 4.57.1 was wrong.


def test_lengths_and_beams_of_the_configuration_count(toks):
    tok = toks["plain"]
    model = seq2seq("t5", len(tok), {"task_specific_params": {"summarization": {"max_length": 5}}})
    pipe = pipeline("summarization", model=model, tokenizer=tok)
    assert len(pipe(TEXTS[0], return_tensors=True)[0]["summary_token_ids"]) == 5
    assert len(pipe(TEXTS[0], return_tensors=True, max_length=7)[0]["summary_token_ids"]) == 7
    model.generation_config.num_beams = 2
    assert pipeline("summarization", model=model, tokenizer=tok)(TEXTS[0]) == pipe(
        TEXTS[0], num_beams=2
    )


def test_several_texts_of_each_text(toks):
    pipe = made(
        {"task": "text2text-generation", "model": "bart", "tokenizer": "plain", "config": None},
        toks,
    )
    one, many = (
        pipe(TEXTS[0], num_return_sequences=3, max_new_tokens=4),
        pipe(TEXTS[:2], num_return_sequences=3, max_new_tokens=4),
    )
    assert len(one) == 3 and many[0] == one and [len(m) for m in many] == [3, 3]
    assert next(pipe((t for t in TEXTS), max_new_tokens=4)) == pipe(TEXTS[0], max_new_tokens=4)[0]


# Long texts.


def test_halves_lose_no_word_and_fit():
    rng = random.Random(0)
    for _ in range(200):
        parts = [
            rng.choice(["word", "x" * rng.randint(1, 40), ". ", "! ", " ", "\n", "é", "…"])
            for _ in range(rng.randint(1, 60))
        ]
        text = "".join(parts).strip() or "x"
        most = rng.randint(4, 60)
        pieces = halves(text, lambda t, most=most: len(t) <= most)
        assert all(len(p) <= most for p in pieces)
        assert "".join("".join(pieces).split()) == "".join(text.split())


def test_a_long_text_is_summarised_in_pieces_and_says_so(toks, capsys):
    case = {"task": "summarization", "model": "bart", "tokenizer": "plain", "config": None}
    long, pipe = " ".join(TEXTS[:8]), made(case, toks)

    def ids(t):
        return len(toks["plain"](t)["input_ids"])

    pieces = halves(long, lambda t: ids(t) <= 64)
    assert ids(long) > 64 and len(pieces) > 1
    answers = pipe([TEXTS[0], long], num_return_sequences=2, max_new_tokens=5)
    each = pipe(pieces, num_return_sequences=2, max_new_tokens=5)
    assert answers[1] == [
        {"summary_text": " ".join(e[i]["summary_text"] for e in each)} for i in range(2)
    ]
    assert "summarised in pieces" in capsys.readouterr().err
    cut = pipe(long, long="truncate", max_new_tokens=5)
    assert (
        cut
        == pipeline("summarization", model=pipe.model, tokenizer=toks["plain"], truncation=True)(
            long, max_new_tokens=5
        )
        and cut != answers[1]
    )
    with pytest.raises(InputError, match="text 1 has .* reads 64"):
        pipe(["a", long], long="error")
    with pytest.raises(InputError, match="text 1 has .* reads 64; pass long='truncate'"):
        made(case | {"task": "text2text-generation"}, toks)([TEXTS[0], long])


# Languages.


def test_names_of_2021_resolve():
    for name in (
        "text2text-generation",
        "summarization",
        "translation",
        "text-generation",
        "conversational",
    ):
        assert find_task(name).task.name == name
    for name in ("translation_en_to_fr", "translation_en_to_de", "translation_zh_CN_to_en"):
        found = find_task(name)
        assert (found.task.name, found.head, found.model) == (name, "translation", "t5-base")
    assert found.task({}).pair(found.task.Options()) == ("zh_CN", "en")
    assert (
        infer_task({"architectures": ["MarianMTModel"]}) == "translation"
        and infer_task({"architectures": ["T5ForConditionalGeneration"]}) == "text2text-generation"
    )


def test_the_task_name_and_the_options_name_the_same_pair(toks):
    base = {"model": "mbart", "tokenizer": "mbart", "config": None}
    named = made(base | {"task": "translation_en_to_ro"}, toks)
    explicit = made(base | {"task": "translation"}, toks)
    golden = [
        c
        for c in GOLDEN["cases"]
        if c["model"] == "mbart" and c["options"].get("tgt_lang") == "ro_RO"
    ][0]
    inputs, options = (
        golden["inputs"],
        {k: v for k, v in golden["options"].items() if not k.endswith("_lang")},
    )
    assert (
        named(inputs, **options)
        == explicit(inputs, src_lang="en", tgt_lang="ro_RO", **options)
        == [a[0] for a in golden["answers"]]
    )
    assert toks["mbart"].src_lang == "en_XX"
    assert (
        explicit(inputs, src_lang="de_DE", tgt_lang="fr_XX", **options) != named(inputs, **options)
        and toks["mbart"].src_lang == "en_XX"
    )


@pytest.mark.parametrize(
    "options, message",
    [
        ({}, "between .* languages; pass src_lang and tgt_lang"),
        ({"src_lang": "en_XX"}, "pass src_lang and tgt_lang"),
        ({"src_lang": "en_XX", "tgt_lang": "fr_FR"}, "did you mean 'fr_XX'"),
        ({"src_lang": "english", "tgt_lang": "fr_XX"}, "src_lang='english' is no language .*en_XX"),
    ],
    ids=str,
)
def test_an_unknown_language_lists_the_nearest(toks, options, message):
    pipe = made(
        {"task": "translation", "model": "mbart", "tokenizer": "mbart", "config": None}, toks
    )
    with pytest.raises(InputError, match=message):
        pipe(TEXTS[0], **options)


def test_a_prefix_for_each_pair(toks):
    config = {
        "task_specific_params": {
            "translation_en_to_fr": {"prefix": "The film is ", "max_length": 6},
            "translation_en_to_de": {"prefix": "Her second "},
        }
    }
    pipe = made(
        {"task": "translation", "model": "t5", "tokenizer": "plain", "config": config}, toks
    )
    plain = made(
        {"task": "text2text-generation", "model": "t5", "tokenizer": "plain", "config": None}, toks
    )
    for t in TEXTS[:5]:
        assert (
            pipe(t, src_lang="en", tgt_lang="fr")[0]["translation_text"]
            == plain("The film is " + t, max_length=6)[0]["generated_text"]
        )
        assert (
            pipe(t, src_lang="en", tgt_lang="de", max_length=6)[0]["translation_text"]
            == plain("Her second " + t, max_length=6)[0]["generated_text"]
        )
    with pytest.raises(InputError, match="did you mean 'translation_en_to_de'"):
        pipe(TEXTS[0], src_lang="en", tgt_lang="dk")


def test_a_model_for_one_pair_refuses_another(toks):
    tok = tokenizer("plain", json.dumps(GOLDEN["tokenizers"]["plain"]))
    tok.source_lang, tok.target_lang = "en", "fr"
    pipe = pipeline(
        "translation_en_to_fr", model=seq2seq("marian", len(tok)), tokenizer=tok, max_new_tokens=4
    )
    assert pipe(TEXTS[0])
    with pytest.raises(InputError, match="translates from en to fr, and 'de'"):
        pipe(TEXTS[0], src_lang="en", tgt_lang="de")


@pytest.mark.parametrize(
    "bad, message",
    [
        ("", "text 1 is empty"),
        (None, "text 1 is missing"),
        ({"text": "a", "text_pair": "b"}, "text 1 is a pair"),
        (b"x", "text 1 is bytes"),
    ],
    ids=str,
)
def test_bad_texts_get_one_sentence(toks, bad, message):
    with pytest.raises(InputError, match=message):
        made({"task": "summarization", "model": "t5", "tokenizer": "plain", "config": None}, toks)(
            ["The film", bad]
        )


def test_bad_settings(toks):
    pipe = made(
        {"task": "summarization", "model": "bart", "tokenizer": "plain", "config": None}, toks
    )
    for options, message in [
        ({"max_length": 1}, "max_length=1"),
        ({"min_length": 30, "max_length": 20}, "at least 29"),
        ({"max_new_tokens": 64}, "writes 63 at most"),
        ({"num_return_sequences": 5}, "num_beams of at least 5"),
    ]:
        with pytest.raises(InputError, match=message):
            pipe("The film", **options)
    with pytest.raises(TypeError, match="did you mean 'min_length'"):
        pipe("The film", min_lenght=3)
    with pytest.raises(TypeError, match="no argument 'stream'"):
        pipe("The film", stream=True)


class Words(transformers.PreTrainedTokenizer):
    "A tokenizer in Python alone, as Marian and M2M100 have one."

    def __init__(self, **kwargs):
        self.words = {
            w: i
            for i, w in enumerate(
                [
                    "<s>",
                    "<pad>",
                    "</s>",
                    "<unk>",
                    *dict.fromkeys(w for t in TEXTS for w in t.split()),
                ]
            )
        }
        super().__init__(
            bos_token="<s>", eos_token="</s>", pad_token="<pad>", unk_token="<unk>", **kwargs
        )

    vocab_size = property(lambda self: len(self.words))

    def get_vocab(self):
        return dict(self.words)

    def _tokenize(self, text):
        return text.split()

    def _convert_token_to_id(self, token):
        return self.words.get(token, 3)

    def _convert_id_to_token(self, i):
        return list(self.words)[i]

    def build_inputs_with_special_tokens(self, a, b=None):
        return a + [2]


def test_a_tokenizer_without_a_rust_backend():
    tok = Words()
    model = seq2seq("marian", len(tok))
    ours = pipeline(
        "translation_en_to_fr", model=model, tokenizer=tok, max_new_tokens=6, progress=False
    )(TEXTS[:20])
    for t, a in zip(TEXTS, ours):
        ids = model.generate(
            **tok(t, return_tensors="pt"), max_new_tokens=6, num_beams=4, do_sample=False
        )
        assert a["translation_text"] == tok.decode(ids[0], skip_special_tokens=True)


def test_it_saves_and_opens(toks, tmp_path):
    pipe = made(
        {"task": "text2text-generation", "model": "t5", "tokenizer": "plain", "config": None}, toks
    )
    pipe.save_pretrained(tmp_path / "t5")
    again = pipeline(model=str(tmp_path / "t5"))
    assert again.task.name == "text2text-generation" and again(TEXTS[:5], max_new_tokens=5) == pipe(
        TEXTS[:5], max_new_tokens=5
    )


def test_translation_without_a_pair_gives_what_text2text_gives(toks, capsys):
    "The text may name its languages itself, as T5's users of 2021 wrote it."
    config = {"task_specific_params": {"translation_en_to_fr": {"prefix": "The film is "}}}
    case = {"model": "t5", "tokenizer": "plain", "config": config}
    pipe = made(case | {"task": "translation"}, toks)
    plain = made(case | {"task": "text2text-generation"}, toks)
    text = "The film is " + TEXTS[0]
    found = pipe(text, max_length=6)[0]["translation_text"]
    assert found == plain(text, max_length=6)[0]["generated_text"]
    assert "translation_en_to_fr" in capsys.readouterr().err


def test_a_string_that_stops_is_not_sought_in_the_name_of_a_language(toks):
    pipe = made(
        {"task": "translation", "model": "mbart", "tokenizer": "mbart", "config": None}, toks
    )
    pair = {"src_lang": "en_XX", "tgt_lang": "ro_RO", "max_length": 12}
    free = pipe(TEXTS[0], **pair)[0]["translation_text"]
    assert pipe(TEXTS[0], stop_sequence="ro", **pair)[0]["translation_text"]
    last = free.split()[-1][-1]
    stopped = pipe(TEXTS[0], stop_sequence=last, **pair)[0]["translation_text"]
    assert stopped and free.startswith(stopped)
    first = stopped.index(last)
    assert last not in stopped[:first]
