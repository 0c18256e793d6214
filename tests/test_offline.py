"""Without a network: what opens, and what the sentences say to pass instead works."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import tiny
import tiny_encoders
import torch
import transformers

from nlp_tour.all import (
    AutoModelForMaskedLM,
    AutoModelWithLMHead,
    AutoTokenizer,
    BertForMaskedLM,
    Conversation,
    DistilBertForMaskedLM,
    load,
    load_dataset,
    pipeline,
    reviews,
    save,
)
from nlp_tour.base.errors import InputError
from nlp_tour.hub import names
from nlp_tour.hub.standins import FILL_MASK, embedded
from nlp_tour.hub.weights import untrained_weights
from nlp_tour.tasks.registry import ALIASES, TASKS

pytestmark = pytest.mark.usefixtures("one_thread", "no_network")
ROOT = Path(__file__).parents[1]
SENTENCE = "This movie was really [MASK]."
ASK = {
    "text-classification": ("Great.",),
    "feature-extraction": ("Great.",),
    "fill-mask": (SENTENCE,),
    "token-classification": ("The film",),
    "question-answering": ("The film?", "A quiet story."),
    "zero-shot-classification": ("The film", ["quiet", "story"]),
    "text-generation": ("The film",),
    "text2text-generation": ("The film",),
    "summarization": ("The film",),
    "translation_en_to_fr": ("The film",),
    "translation": ("The film",),
}
OPEN = {"text-classification", "feature-extraction", "fill-mask"}
EVERY = [*TASKS, *ALIASES, "translation_en_to_fr"]


@pytest.fixture(scope="module")
def no_network():
    "No network, and nothing downloaded before."
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NLP_TOUR_OFFLINE", "1")
        patch.setattr(names, "cached", lambda name, revision=None: None)
        yield


def folder_for(class_name, folder):
    "A tiny trained model of a class, saved with its tokenizer."
    if class_name == "GPT2LMHeadModel":
        tok = tiny.tokenizer("gpt2", tiny.bpe(special=("<s>", "<pad>")).to_str())
        sizes = {"n_embd": 16, "n_layer": 1, "n_head": 2, "vocab_size": len(tok)}
        model = transformers.GPT2LMHeadModel(transformers.GPT2Config(**sizes))
        return save(folder, tiny.fill(model), tok)
    if class_name == "T5ForConditionalGeneration":
        tok = tiny.tokenizer("t5", tiny.unigram().to_str())
        return save(folder, tiny.seq2seq("t5", len(tok)), tok)
    rust = tiny_encoders.wordpiece()
    tok = tiny_encoders.wrap(rust, types=True)
    labels = {0: "contradiction", 1: "entailment"}
    config = tiny_encoders.config("bert", len(tok), id2label=labels)
    return save(folder, tiny_encoders.fill(getattr(transformers, class_name)(config)), tok)


MADE = {
    "token-classification": "BertForTokenClassification",
    "question-answering": "BertForQuestionAnswering",
    "zero-shot-classification": "BertForSequenceClassification",
    "text-generation": "GPT2LMHeadModel",
    "conversational": "GPT2LMHeadModel",
    "text2text-generation": "T5ForConditionalGeneration",
    "summarization": "T5ForConditionalGeneration",
    "translation": "T5ForConditionalGeneration",
    "translation_en_to_fr": "T5ForConditionalGeneration",
}


@pytest.mark.parametrize("task", EVERY)
def test_every_default_opens_or_says_what_to_pass(task):
    full = ALIASES.get(task, task)
    if full in OPEN:
        pipe = pipeline(task)
        assert pipe(*ASK[full]) and untrained_weights(pipe.model) == []
        return
    with pytest.raises(InputError) as e:
        pipeline(task)
    sentence = str(e.value)
    default = TASKS["translation" if full.startswith("translation") else full][2]
    assert sentence.startswith(
        f"{default!r} is not a local folder, and the hub cannot be reached; "
    )
    assert "pass model= a folder" in sentence and f"hf download {default}" in sentence
    assert "did you mean" not in sentence and sentence.endswith(".")
    wanted = re.search(r"that a (.+?) was saved to", sentence)[1]
    made = MADE.get(full, "TapasForQuestionAnswering")
    assert made.endswith(tuple(re.findall(r"\w{6,}", wanted)))


@pytest.mark.parametrize("task", sorted(MADE))
def test_what_the_sentence_says_to_pass_works(task, tmp_path):
    folder = folder_for(MADE[task], tmp_path / "model")
    writes = MADE[task].endswith(("LMHeadModel", "ConditionalGeneration"))
    options = {"max_new_tokens": 3} if writes else {}
    pipe = pipeline(task, model=folder, progress=False)
    if task == "conversational":
        assert pipe(Conversation("The film"), **options).generated_responses
    else:
        assert pipe(*ASK[task], **options)


def test_a_folder_under_the_default_name_opens(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder_for("GPT2LMHeadModel", tmp_path / "gpt2")
    assert pipeline("text-generation")("The film", max_new_tokens=3)


def test_zero_shot_answers_by_vectors_as_its_sentence_says():
    with pytest.raises(InputError, match="method='embedding' and no model"):
        pipeline("zero-shot-classification")
    pipe = pipeline("zero-shot-classification", method="embedding")
    answer = pipe("A thrilling football match.", ["sports", "cooking", "law"])
    assert answer["labels"][0] == "sports"


# The embedded fill-mask model


def test_one_line_says_which_model_fills_masks():
    code = "from nlp_tour.all import pipeline; pipeline('fill-mask')"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stderr.count("the embedded fill-mask model (MiniLM, 6 layers) stands in for") == 1


@pytest.mark.parametrize(
    "text, one_of",
    [
        (SENTENCE, "good funny bad great boring entertaining"),
        ("A [MASK] about a boy and his dog.", "story comedy drama tale"),
        ("I [MASK] this movie.", "liked loved enjoyed"),
        ("One of the best [MASK] of the year.", "films movies comedies"),
    ],
)
def test_known_words_are_among_the_first_five(text, one_of):
    found = [answer["token_str"] for answer in pipeline("fill-mask")(text)]
    assert len(found) == 5 and set(found) & set(one_of.split())


def test_it_finds_hidden_words_of_films_that_it_has_never_seen():
    tok = AutoTokenizer.from_pretrained("distilroberta-base")
    texts, words = [], []
    for text in reviews()["test"]["text"][:300]:
        before = text.split()
        word = before[len(before) // 2].lower()
        if word.isalpha() and tok.convert_tokens_to_ids(word) != tok.unk_token_id:
            before[len(before) // 2] = tok.mask_token
            texts.append(" ".join(before))
            words.append(word)
    answers = pipeline("fill-mask", progress=False)(texts)
    found = [w in [a["token_str"] for a in top] for w, top in zip(words, answers, strict=True)]
    frequent = sum(w in ("the", "a", "of", "and", "to") for w in words)
    assert len(found) > 200 and sum(found) > 1.25 * frequent


@pytest.mark.parametrize("name", ["bert-base-uncased", "distilbert-base-uncased", None])
def test_fill_mask_equals_transformers_on_the_same_weights(name):
    kind = "DistilBert" if name and name.startswith("distil") else "Bert"
    folder = embedded("distilbert-fill-mask" if kind == "DistilBert" else "fill-mask")
    model, info = getattr(transformers, f"{kind}ForMaskedLM").from_pretrained(
        folder, output_loading_info=True
    )
    assert not info["missing_keys"] and not info["unexpected_keys"]
    tok = transformers.AutoTokenizer.from_pretrained(folder)
    stock = transformers.pipeline("fill-mask", model=model, tokenizer=tok, device="cpu")
    ours = pipeline("fill-mask", model=name)
    for text in (SENTENCE, "A [MASK] about a boy and his dog."):
        for a, b in zip(stock(text), ours(text), strict=True):
            assert a.pop("score") == pytest.approx(b.pop("score"), abs=1e-5) and a == b


@pytest.mark.parametrize(
    "cls, name",
    [
        (AutoModelForMaskedLM, "bert-base-cased"),
        (BertForMaskedLM, "bert-base-uncased"),
        (DistilBertForMaskedLM, "distilbert-base-uncased"),
        (AutoModelForMaskedLM, "distilroberta-base"),
        (AutoModelWithLMHead, "bert-base-uncased"),
    ],
)
def test_classes_with_a_masked_head_open_with_trained_weights(cls, name):
    model = cls.from_pretrained(name)
    assert type(model).__name__.endswith("ForMaskedLM") and untrained_weights(model) == []
    mask = AutoTokenizer.from_pretrained(name).mask_token
    assert mask == "[MASK]"


def test_a_mask_is_read_as_the_model_writes_it():
    fill = pipeline("fill-mask")
    assert fill("This movie was really <mask>.") == fill(SENTENCE)
    with pytest.raises(InputError, match=r"write \[MASK\]"):
        fill("This movie was really good.")


def test_other_heads_on_the_same_name_get_the_plain_body():
    body = load("bert-base-uncased")[0]
    plain = transformers.AutoModel.from_pretrained(embedded("encoder"))
    assert all(map(torch.equal, body.parameters(), plain.parameters()))


def test_an_adapter_on_it_finds_its_base_again(tmp_path):
    import peft

    model, tok = load("bert-base-uncased", "fill-mask")
    lora = peft.LoraConfig(target_modules=["query"], init_lora_weights=False)
    adapted = peft.get_peft_model(model, lora).eval()
    inputs = tok(SENTENCE, return_tensors="pt")
    with torch.no_grad():
        before = adapted(**inputs).logits
        again = load(save(tmp_path / "adapter", adapted, tok))[0]
        assert torch.allclose(before, again(**inputs).logits, atol=1e-4)


def test_the_embedded_files_are_small_and_described():
    weights = FILL_MASK / "adapter_model.safetensors"
    assert weights.stat().st_size <= 2_000_000
    card = (FILL_MASK / "README.md").read_text(encoding="utf-8")
    assert "license: apache-2.0" in card and "Not for" in card
    setup = (ROOT / "setup.py").read_text(encoding="utf-8")
    patterns = re.search(r'package_data=\{"nlp_tour": \[(.+?)\]', setup)[1]
    packed = [p for p in re.findall(r'"(.+?)"', patterns) for p in (ROOT / "nlp_tour").glob(p)]
    assert {weights, FILL_MASK / "adapter_config.json", FILL_MASK / "README.md"} <= set(packed)


# Data sets


@pytest.mark.parametrize(
    "asked, columns, labels, splits",
    [
        (("imdb",), ["text", "label"], ["neg", "pos"], ["train", "test"]),
        (("glue", "sst2"), ["sentence", "label", "idx"], ["negative", "positive"], None),
        (("sst2",), ["sentence", "label", "idx"], ["negative", "positive"], None),
        (
            ("glue", "mrpc"),
            ["sentence1", "sentence2", "label", "idx"],
            ["not_equivalent", "equivalent"],
            None,
        ),
    ],
)
def test_stand_ins_have_the_form_of_their_names(asked, columns, labels, splits):
    ds = load_dataset(*asked)
    assert list(ds) == (splits or ["train", "validation", "test"])
    seen = set()
    for rows in ds.values():
        assert rows.column_names == columns and rows.features["label"].names == labels
        assert set(rows["label"]) == {0, 1}
        own = {text for name in columns[:-2] or ["text"] for text in rows[name] if name != "label"}
        assert len(own) and not own & seen
        seen |= own


def test_labels_of_the_pairs_are_true():
    film = {t: f for split in reviews().values() for t, f in zip(split["text"], split["film"])}
    for rows in load_dataset("glue", "mrpc").values():
        pairs = zip(rows["sentence1"], rows["sentence2"], rows["label"])
        assert all((film[a] == film[b]) == bool(label) for a, b, label in pairs)
        assert 0.4 < sum(rows["label"]) / len(rows) < 0.6


@pytest.mark.parametrize(
    "asked, leads_on",
    [
        (("glue", "cola"), "'glue', 'mrpc'"),
        (("glue",), "'glue', 'sst2'"),
        (("wikitext", "wikitext-2-raw-v1"), "load_dataset('csv'"),
    ],
)
def test_a_data_set_without_a_stand_in_leads_on(asked, leads_on):
    with pytest.raises(InputError, match="the hub cannot be reached") as e:
        load_dataset(*asked)
    assert leads_on in str(e.value)


@pytest.mark.parametrize("name, head", [("conll2003", "TokenClass"), ("squad", "QuestionAnsw")])
@pytest.mark.filterwarnings("ignore:bert-base-cased")
def test_the_lines_in_a_refusal_run(name, head):
    with pytest.raises(InputError) as e:
        load_dataset(name)
    lines = re.search("`(.+)`", str(e.value))[1]
    assert len(lines.split("; ")) == 3
    scope = {}
    exec(lines, scope)
    assert len(scope["data"]["train"]) == 1 and head in type(scope["model"]).__name__
