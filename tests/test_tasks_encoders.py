"The encoder tasks against transformers: today's pipelines where it has them, 4.57.1's recorded answers where it has not."
import itertools, json, random, warnings
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers

import tiny
from nlp_tour.core import InputError
from nlp_tour.pipeline import pipeline

transformers.logging.set_verbosity_error()
torch.set_num_threads(1)
GOLDEN = json.loads((Path(__file__).parent/"golden"/"qa.json").read_text(encoding="utf-8"))
HEADS = {"token-classification": "ForTokenClassification", "question-answering": "ForQuestionAnswering", "fill-mask": "ForMaskedLM",
         "zero-shot-classification": "ForSequenceClassification", "feature-extraction": "Model"}
CLASSES = dict(bert="Bert", distilbert="DistilBert", roberta="Roberta")
TAGS = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC", "MISC"]
each = pytest.mark.parametrize("kind, name", tiny.PAIRS, ids="-".join)
RUST = {}


def made(task, kind, name, labels=None, max_length=64, rust=None):
    "A tiny model with its tokenizer."
    if name not in RUST: RUST[name] = tiny.TOKENIZERS[name]()
    tok = tiny.wrap(rust or RUST[name], max_length, kind == "bert")
    more = dict(id2label=dict(enumerate(labels)), label2id={l: i for i, l in enumerate(labels)}) if labels else {}
    return tiny.fill(getattr(transformers, CLASSES[kind] + HEADS[task])(tiny.config(kind, len(tok), max_length, **more))), tok


def both(task, kind, name, labels=None, max_length=64):
    "The stock pipeline and ours on one model."
    model, tok = made(task, kind, name, labels, max_length)
    return transformers.pipeline(task, model=model, tokenizer=tok, device="cpu"), pipeline(task, model=model, tokenizer=tok, device="cpu", progress=False)


def texts(n, seed=0, **size): rng = random.Random(seed); return [tiny.sentence(rng, **size) for _ in range(n)]


def same(ours, theirs, eps=1e-5):
    "Equal in everything, floats within `eps`."
    if isinstance(theirs, dict):
        assert ours.keys() == theirs.keys()
        for k in theirs: same(ours[k], theirs[k], eps)
    elif isinstance(theirs, (list, tuple)):
        assert len(ours) == len(theirs)
        for a, b in zip(ours, theirs): same(a, b, eps)
    elif isinstance(theirs, (float, np.floating)): assert abs(ours - theirs) <= eps, (ours, theirs)
    else: assert ours == theirs


# Token classification

@each
@pytest.mark.parametrize("strategy", ["none", "simple", "first", "average", "max"])
def test_token_classification_equals_transformers(kind, name, strategy):
    stock, ours = both("token-classification", kind, name, TAGS, 128)
    inputs = texts(60)
    for ignore in (["O"], [], ["O", "PER", "I-LOC"]):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = stock(inputs, aggregation_strategy=strategy, ignore_labels=ignore)
        same(ours(inputs, aggregation_strategy=strategy, ignore_labels=ignore), theirs)
    assert json.loads(json.dumps(ours(inputs))) == ours(inputs)


@each
@pytest.mark.parametrize("stride", [0, 5, 20])
def test_token_classification_windows_equal_transformers(kind, name, stride):
    stock, ours = both("token-classification", kind, name, TAGS, 40)
    inputs = texts(30, 1, least=20, most=60)
    for strategy in ("simple", "first", "average", "max"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            same(ours(inputs, aggregation_strategy=strategy, stride=stride), stock(inputs, aggregation_strategy=strategy, stride=stride))


@each
def test_token_classification_judges_every_token_once(kind, name):
    model, tok = made("token-classification", kind, name, TAGS, 40)
    inputs = texts(30, 2, least=20, most=60)
    for text, found in zip(inputs, pipeline("ner", model=model, tokenizer=tok, ignore_labels=[])(inputs)):
        assert [e["index"] for e in found] == list(range(1, len(found) + 1))
        encoding = tok(text).encodings[0]
        assert [(e["start"], e["end"]) for e in found] == encoding.offsets[1:-1]


def test_the_switches_of_early_2021():
    _, ours = both("token-classification", "bert", "wordpiece", TAGS)
    t = texts(20)
    assert ours(t, grouped_entities=True) == ours(t, aggregation_strategy="simple")
    assert ours(t, grouped_entities=True, ignore_subwords=True) == ours(t, aggregation_strategy="first")
    assert ours(t, grouped_entities=False) == ours(t, ignore_subwords=True) == ours(t)


# Question answering

@each
def test_question_answering_equals_transformers_4_57(kind, name):
    model, tok = made("question-answering", kind, name, max_length=256, rust=tiny.Tokenizer.from_str(json.dumps(GOLDEN["tokenizers"][name])))
    ours = pipeline("question-answering", model=model, tokenizer=tok, device="cpu")
    pairs = [dict(question=q, context=c) for q, c in GOLDEN["texts"]]
    for k, options in enumerate(GOLDEN["options"]):
        theirs = [answers[k] for answers in GOLDEN["answers"][f"{kind}-{name}"]]
        if options.get("top_k", 1) > 1: theirs = [t if isinstance(t, list) else [t] for t in theirs]
        same(ours(pairs, **options), theirs)
        same([ours(p, **options) for p in pairs[:3]], theirs[:3])


@each
def test_answers_from_windows_are_pieces_of_the_context(kind, name):
    model, tok = made("question-answering", kind, name, max_length=64)
    ours = pipeline("question-answering", model=model, tokenizer=tok, device="cpu")
    contexts = texts(20, 3, least=60, most=120)
    for context, answers in zip(contexts, ours("who was it?", contexts, top_k=5, max_answer_len=5)):
        assert sum(a["score"] for a in answers) <= 1 + 1e-6
        for a in answers: assert context[a["start"]:a["end"]] == a["answer"]
    assert ours("who was it?", contexts[0], max_seq_len=32, doc_stride=0)["answer"] in contexts[0]


# Feature extraction

@each
def test_feature_extraction_equals_transformers(kind, name):
    stock, ours = both("feature-extraction", kind, name, max_length=128)
    inputs = texts(60)
    same(ours(inputs), stock(inputs), 2e-5)
    vectors = {p: ours(inputs, pooling=p) for p in ("mean", "cls", "max")}
    for i, (tokens,) in enumerate(stock(inputs)):
        tokens = np.array(tokens)
        for p, v in dict(mean=tokens.mean(0), cls=tokens[0], max=tokens.max(0)).items(): assert np.abs(vectors[p][i] - v).max() < 2e-5
    unit = ours(inputs, pooling="mean", normalize=True)
    assert np.abs(unit * np.linalg.norm(vectors["mean"], axis=1, keepdims=True) - vectors["mean"]).max() < 1e-5
    assert ours(inputs[0], pooling="mean").shape == (16,) and ours([], pooling="mean").shape == (0, 16)


@each
def test_features_of_long_texts_pool_over_all_windows(kind, name):
    _, ours = both("feature-extraction", kind, name, max_length=32)
    text = texts(1, 4, least=60, most=60)[0]
    windows = ours(text)
    assert len(windows) > 2 and max(map(len, windows)) == 32
    for p, v in dict(mean=np.concatenate(windows).mean(0), max=np.concatenate(windows).max(0)).items(): assert np.abs(ours(text, pooling=p) - v).max() < 1e-5


def test_a_table_gets_a_column_of_vectors():
    pd = pytest.importorskip("pandas")
    _, ours = both("feature-extraction", "bert", "wordpiece")
    df = ours(pd.DataFrame({"text": texts(3)}), column="text", pooling="mean")
    assert list(df.columns) == ["text", "answer"] and df["answer"][0].shape == (16,)


# What is wrong gets one sentence

def bad(task, call, why, kind="bert", name="wordpiece", **more):
    model, tok = made(task, kind, name, **more)
    with pytest.raises((InputError, TypeError), match=why) as e: call(pipeline(task, model=model, tokenizer=tok, device="cpu"))
    assert "\n" not in str(e.value)


@pytest.mark.parametrize("call, why", [
    (lambda p: p(question="who?", context=["London", ""]), "text 1, key 'context', is empty"),
    (lambda p: p(question="who?"), "a question needs its context; give context, too"),
    (lambda p: p(context="London"), "give question, too"),
    (lambda p: p(["who?"]), "text 0 must be a dict with the keys 'question' and 'context', and is str"),
    (lambda p: p([{"question": "who?", "context": "Ada"}, {"question": "who?"}]), "text 1 must be a dict"),
    (lambda p: p(question=["who?", "what?"], context=["Ada"]), "2 questions and 1 contexts"),
    (lambda p: p("Ada " * 100, "London was loud"), "text 0 has no room in 64 tokens"),
    (lambda p: p("who?", "London " * 100, long="error"), "text 0 has .* tokens and 64 are taken at once"),
    (lambda p: p("who?", "London", max_seq_len=100), "max_seq_len=100 is more than the 64"),
    (lambda p: p("who?", "London", max_answer_len=0), "max_answer_len=0 must be a whole number from 1"),
    (lambda p: p("who?", "London", top_n=2), "takes no argument 'top_n'; did you mean 'top_k'"),
])
def test_bad_questions(call, why): bad("question-answering", call, why)


@pytest.mark.parametrize("call, why", [
    (lambda p: p(["London", None]), "text 1 is missing"),
    (lambda p: p("London", aggregation_strategy="longest"), "aggregation_strategy='longest' is unknown"),
    (lambda p: p("London", stride=62), "stride=62 leaves nothing new"),
    (lambda p: p("London", ignore_labels="O"), "ignore_labels must be a list"),
    (lambda p: p("London", grouped_entities=True, aggregation_strategy="max"), "keep aggregation_strategy"),
])
def test_bad_token_classification(call, why): bad("token-classification", call, why)
