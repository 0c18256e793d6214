"""The encoder tasks against transformers: today's pipelines, or recorded answers of 4.57.1
where it has them no more."""

import itertools
import json
import pickle
import random
import warnings
from pathlib import Path

import numpy as np
import pytest
import tiny_encoders as tiny
import torch
import transformers

from nlp_tour.base import errors
from nlp_tour.base.errors import InputError
from nlp_tour.engine.batching import Row
from nlp_tour.engine.encoder import open_encoder
from nlp_tour.pipeline import pipeline
from nlp_tour.tasks.base import read_options
from nlp_tour.tasks.registry import find_task
from nlp_tour.tasks.token_classification import is_bracket
from nlp_tour.tasks.zero_shot import ZeroShotClassification

transformers.logging.set_verbosity_error()
torch.set_num_threads(1)
GOLDEN = json.loads((Path(__file__).parent / "golden" / "qa.json").read_text(encoding="utf-8"))
HEADS = {
    "token-classification": "ForTokenClassification",
    "question-answering": "ForQuestionAnswering",
    "fill-mask": "ForMaskedLM",
    "zero-shot-classification": "ForSequenceClassification",
    "feature-extraction": "Model",
}
CLASSES = {"bert": "Bert", "distilbert": "DistilBert", "roberta": "Roberta"}
TAGS = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC", "MISC"]
NLI = {
    "yes last": ["contradiction", "neutral", "entailment"],
    "yes first": ["ENTAILMENT", "neutral", "contradiction"],
}
TOPICS = ["London", "music", "a quiet night", "paper", "old"]
each = pytest.mark.parametrize("kind, name", tiny.PAIRS, ids=["-".join(p) for p in tiny.PAIRS])
RUST = {}


def made(task, kind, name, labels=None, max_length=64, rust=None):
    "A tiny model with its tokenizer."
    if name not in RUST:
        RUST[name] = tiny.TOKENIZERS[name]()
    tok = tiny.wrap(rust or RUST[name], max_length, kind == "bert")
    more = (
        {
            "id2label": dict(enumerate(labels)),
            "label2id": {label: i for i, label in enumerate(labels)},
        }
        if labels
        else {}
    )
    return tiny.fill(
        getattr(transformers, CLASSES[kind] + HEADS[task])(
            tiny.config(kind, len(tok), max_length, **more)
        )
    ), tok


def both(task, kind, name, labels=None, max_length=64):
    "The stock pipeline and ours on one model."
    model, tok = made(task, kind, name, labels, max_length)
    return transformers.pipeline(task, model=model, tokenizer=tok, device="cpu"), pipeline(
        task, model=model, tokenizer=tok, device="cpu", progress=False
    )


def texts(n, seed=0, **size):
    rng = random.Random(str(seed))
    return [tiny.sentence(rng, **size) for _ in range(n)]


def masked(texts, mask, n=1, seed=5):
    "The same texts with `n` of their words hidden."
    rng, out = random.Random(seed), []
    for t in texts:
        words = t.split(" ")
        for i in rng.sample(range(len(words)), min(n, len(words))):
            words[i] = mask
        out.append(" ".join(words))
    return out


def same(ours, theirs, eps=1e-5):
    "Equal in everything, floats within `eps`."
    if isinstance(theirs, dict):
        assert ours.keys() == theirs.keys()
        for k in theirs:
            same(ours[k], theirs[k], eps)
    elif isinstance(theirs, (list, tuple)):
        assert len(ours) == len(theirs)
        for a, b in zip(ours, theirs):
            same(a, b, eps)
    elif isinstance(theirs, (float, np.floating)):
        assert abs(ours - theirs) <= eps, (ours, theirs)
    else:
        assert ours == theirs


# All of them

CALLS = {
    "token-classification": {"aggregation_strategy": "average"},
    "question-answering": {},
    "fill-mask": {"top_k": 2},
    "zero-shot-classification": {"candidate_labels": TOPICS},
    "feature-extraction": {},
}


def ready(task, kind="bert", name="wordpiece"):
    "A pipeline, and inputs for it."
    model, tok = made(
        task,
        kind,
        name,
        {"token-classification": TAGS, "zero-shot-classification": NLI["yes last"]}.get(task),
    )
    inputs = texts(12, task)
    if task == "fill-mask":
        inputs = masked(inputs, tok.mask_token)
    if task == "question-answering":
        inputs = [{"question": "who was it?", "context": t} for t in inputs]
    return pipeline(task, model=model, tokenizer=tok, device="cpu", **CALLS[task]), inputs


@pytest.mark.parametrize("task", CALLS)
def test_what_comes_in_decides_what_goes_out(task):
    pipe, inputs = ready(task)
    found = pipe(inputs)
    assert (
        isinstance(found, list)
        and len(found) == len(inputs)
        and json.loads(json.dumps(found)) == found
    )
    assert pipe([]) == [] and pipe(inputs[:1]) == [pipe(inputs[0])]
    same(pipe(tuple(inputs)), found)
    same(pipe(inputs[::-1])[::-1], found)
    same([pipe(x) for x in inputs], found)
    endless = pipe(x for x in itertools.cycle(inputs))
    same([next(endless) for _ in range(3)], found[:3])
    assert len(pipe(inputs).df) > 6


@pytest.mark.parametrize("task", CALLS)
def test_a_small_budget_and_train_mode_change_nothing(task):
    pipe, inputs = ready(task)
    found = pipe(inputs)
    pipe.model.train()
    pipe.batch_tokens = 40
    same(pipe(inputs), found)
    assert pipe.model.training


@pytest.mark.parametrize("task", CALLS)
def test_a_budget_that_is_measured(task):
    pipe, inputs = ready(task)
    auto = pipeline(
        task,
        model=pipe.model,
        tokenizer=pipe.tokenizer,
        device="cpu",
        batch_tokens="auto",
        **CALLS[task],
    )
    same(auto(inputs), pipe(inputs))


@pytest.mark.parametrize("task", CALLS)
@each
def test_saved_and_opened_again(task, kind, name, tmp_path):
    pipe, inputs = ready(task, kind, name)
    pipe.save_pretrained(tmp_path)
    named = (
        {"task": task} if task == "zero-shot-classification" else {}
    )  # saved as a classifier, which tells no more
    again = pipeline(model=tmp_path, device="cpu", **named, **CALLS[task])
    assert again.task.name == task and (again.fast is not None) == (task != "fill-mask")
    same(
        again(inputs), pipe(inputs), 5e-5 if task == "feature-extraction" else 1e-5
    )  # hidden states are no probabilities, and the encoder by hand may answer


@pytest.mark.parametrize("task", CALLS)
def test_steps_end_with_the_answer(task):
    pipe, inputs = ready(task)
    found = pipe.steps(inputs[0])
    assert (
        found["answer"] == pipe(inputs[0])
        and found["tokens"] == pipe.tokenizer.convert_ids_to_tokens(found["ids"])
        and set(found["kinds"]) <= {"word", "special", "unknown"}
    )
    assert (task == "feature-extraction") == (found["table"] == []) and len(
        found._repr_html_()
    ) > 500
    assert all(0 <= p <= 1 for p in found.get("probabilities", []))


@pytest.mark.parametrize(
    "task, kind, name",
    [
        *((t, "bert", "wordpiece") for t in CALLS),
        ("text-classification", "roberta", "byte_level"),
        ("question-answering", "distilbert", "unigram"),
    ],
)
def test_a_compiled_model_answers_alike(task, kind, name):
    if task == "text-classification":
        model, tok = made("zero-shot-classification", kind, name, TAGS)
        pipe, inputs = pipeline(task, model, tokenizer=tok, device="cpu"), texts(12)
    else:
        pipe, inputs = ready(task, kind, name)
    compiled = pipeline(
        task, model=pipe.model, tokenizer=pipe.tokenizer, backend="openvino", **CALLS.get(task, {})
    )
    assert type(compiled.fast).__name__ == "Compiled"
    with pytest.raises(InputError, match="OpenVINO compiled cannot be pickled; open the pipeline"):
        pickle.dumps(compiled)
    same(compiled(inputs), pipe(inputs), 1e-4)


def test_a_compiled_model_in_many_threads_and_its_bad_calls(tmp_path):
    from concurrent.futures import ThreadPoolExecutor

    pipe, inputs = ready("token-classification")
    compiled = pipeline(
        "ner",
        model=pipe.model,
        tokenizer=pipe.tokenizer,
        backend="openvino",
        **CALLS["token-classification"],
    )
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda _: compiled(inputs), range(8)):
            same(found, pipe(inputs), 1e-4)
    with pytest.raises(InputError, match="did you mean|unknown"):
        pipeline("ner", model=pipe.model, tokenizer=pipe.tokenizer, backend="onnx")
    with pytest.raises(InputError, match="takes float32, bfloat16, int8"):
        pipeline(
            "ner", model=pipe.model, tokenizer=pipe.tokenizer, backend="openvino", dtype="float16"
        )
    pipe, _ = ready("question-answering")
    with pytest.raises(InputError, match="calibration="):
        pipeline("question-answering", model=pipe.model, tokenizer=pipe.tokenizer, dtype="int8")


def test_a_model_that_openvino_cannot_read_is_refused_in_one_sentence(monkeypatch):
    import openvino

    def fail(*args, **kwargs):
        raise RuntimeError("Couldn't get TorchScript module by tracing.")

    monkeypatch.setattr(openvino, "convert_model", fail)
    pipe, _ = ready("token-classification")
    with pytest.raises(InputError, match=r"of transformers \d.*: Couldn't .*; leave backend"):
        pipeline("ner", model=pipe.model, tokenizer=pipe.tokenizer, backend="openvino")


def test_eight_bits_from_ones_own_calibration(tmp_path, monkeypatch):
    monkeypatch.setenv("NLP_TOUR_CACHE", str(tmp_path))
    pipe, inputs = ready("question-answering")
    given = {
        "model": pipe.model,
        "tokenizer": pipe.tokenizer,
        "dtype": "int8",
        "calibration": inputs,
    }
    first, again = pipeline("question-answering", **given), pipeline("question-answering", **given)
    assert first(inputs) == again(inputs) and len(list(tmp_path.iterdir())) == 1
    assert np.mean([a["answer"] == b["answer"] for a, b in zip(first(inputs), pipe(inputs))]) >= 0.5


def test_a_body_without_its_pooler_gives_features(tmp_path):
    pipe, inputs = ready("fill-mask")
    pipe.save_pretrained(tmp_path)
    with pytest.warns(UserWarning, match="pooler"):
        features = pipeline("feature-extraction", model=tmp_path, device="cpu")
    assert len(features("it was old")[0][0]) == 16
    with pytest.warns(UserWarning), pytest.raises(InputError, match="allow_untrained"):
        pipeline("ner", model=tmp_path)


@pytest.mark.parametrize(
    "name, task, model",
    [
        ("ner", "token-classification", "dbmdz/bert-large-cased-finetuned-conll03-english"),
        (
            "token-classification",
            "token-classification",
            "dbmdz/bert-large-cased-finetuned-conll03-english",
        ),
        ("question-answering", "question-answering", "distilbert-base-cased-distilled-squad"),
        ("fill-mask", "fill-mask", "distilroberta-base"),
        ("zero-shot-classification", "zero-shot-classification", "facebook/bart-large-mnli"),
        ("feature-extraction", "feature-extraction", "distilbert-base-cased"),
    ],
)
def test_names_and_default_models_of_2021(name, task, model):
    found = find_task(name)
    assert (found.task.name, found.head, found.model) == (task, task, model)


# Token classification


def only_spaces(text):
    "The same text where nothing but a space ends a word, as the stock pipeline has it."
    return " ".join("".join(c for c in text if not is_bracket(c)).split())


def trimmed(answers, texts):
    "Answers of a tokenizer that counts the space before a word, without that space."
    for found, text in zip(answers, texts):
        for a in found if isinstance(found, list) else [found]:
            piece = text[a["start"] : a["end"]]
            a["start"] += len(piece) - len(piece.lstrip())
            a["end"] -= len(piece) - len(piece.rstrip())
            if "answer" in a:
                a["answer"] = a["answer"].strip()
    return answers


def names(answers, texts):
    "The same for names; of one without any character nothing is left."
    return [[a for a in found if a["start"] < a["end"]] for found in trimmed(answers, texts)]


@each
@pytest.mark.parametrize("strategy", ["none", "simple", "first", "average", "max"])
def test_token_classification_equals_transformers(kind, name, strategy):
    stock, ours = both("token-classification", kind, name, TAGS, 128)
    inputs = texts(60, (kind, name))
    if strategy in ("first", "average", "max"):
        inputs = list(map(only_spaces, inputs))
    assert {e["entity"][-3:] for found in ours(inputs) for e in found} >= {"PER", "LOC"}, (
        "the model must not be of one mind"
    )
    for ignore in (["O"], [], ["O", "PER", "I-LOC"]):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = stock(inputs, aggregation_strategy=strategy, ignore_labels=ignore)
        if strategy != "none":
            theirs = names(theirs, inputs)
        same(ours(inputs, aggregation_strategy=strategy, ignore_labels=ignore), theirs)
    assert json.loads(json.dumps(ours(inputs))) == ours(inputs)


@each
@pytest.mark.parametrize("stride", [0, 5, 20])
def test_token_classification_windows_equal_transformers(kind, name, stride):
    stock, ours = both("token-classification", kind, name, TAGS, 40)
    inputs = [only_spaces(t) for t in texts(30, 1, least=20, most=60)]
    for strategy in ("simple", "first", "average", "max"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = stock(inputs, aggregation_strategy=strategy, stride=stride)
        same(ours(inputs, aggregation_strategy=strategy, stride=stride), names(theirs, inputs))


@each
def test_token_classification_judges_every_token_once(kind, name):
    model, tok = made("token-classification", kind, name, TAGS, 40)
    inputs = texts(30, 2, least=20, most=60)
    for text, found in zip(
        inputs, pipeline("ner", model=model, tokenizer=tok, ignore_labels=[])(inputs)
    ):
        assert [e["index"] for e in found] == list(range(1, len(found) + 1))
        encoding = tok(text).encodings[0]
        assert [(e["start"], e["end"]) for e in found] == encoding.offsets[1:-1]


def test_the_switches_of_early_2021():
    _, ours = both("token-classification", "bert", "wordpiece", TAGS)
    t = texts(20)
    assert ours(t, grouped_entities=True) == ours(t, aggregation_strategy="simple")
    assert ours(t, grouped_entities=True, ignore_subwords=True) == ours(
        t, aggregation_strategy="first"
    )
    assert ours(t, grouped_entities=False) == ours(t, ignore_subwords=True) == ours(t)


# Question answering


def same_words(ours, theirs):
    "The same answer; of several, 4.57.1 adds more spans to each the more are asked for."
    for a, b in zip(ours, theirs, strict=True):
        if isinstance(b, dict):
            same(a, b)
        else:
            assert len(a) == len(b)
            assert (a[0]["start"], a[0]["end"]) in [(x["start"], x["end"]) for x in b]


@each
def test_question_answering_equals_transformers_4_57(kind, name):
    model, tok = made(
        "question-answering",
        kind,
        name,
        max_length=256,
        rust=tiny.Tokenizer.from_str(json.dumps(GOLDEN["tokenizers"][name])),
    )
    ours = pipeline("question-answering", model=model, tokenizer=tok, device="cpu")
    golden = GOLDEN["answers"][f"{kind}-{name}"]
    pairs = [{"question": q, "context": c} for q, c, *_ in golden]
    contexts = [p["context"] for p in pairs]
    same_words(ours(pairs), trimmed([plain for *_, plain, _ in golden], contexts))
    questions = [p["question"] for p in pairs[:2]]
    same(ours(question=questions, context=contexts[:2]), ours(pairs[:2]))
    for k, options in enumerate(GOLDEN["options"]):
        theirs = [other for *_, other in golden[k :: len(GOLDEN["options"])]]
        if options.get("top_k", 1) > 1:
            theirs = [t if isinstance(t, list) else [t] for t in theirs]
        theirs = trimmed(theirs, contexts[k :: len(GOLDEN["options"])])
        same_words(ours(pairs[k :: len(GOLDEN["options"])], **options), theirs)


@each
def test_answers_from_windows_are_pieces_of_the_context(kind, name):
    model, tok = made("question-answering", kind, name, max_length=64)
    ours = pipeline("question-answering", model=model, tokenizer=tok, device="cpu")
    contexts = texts(20, 3, least=60, most=120)
    for context, answers in zip(contexts, ours("who was it?", contexts, top_k=5, max_answer_len=5)):
        assert sum(a["score"] for a in answers) <= 1 + 1e-6
        for a in answers:
            assert context[a["start"] : a["end"]] == a["answer"]
    assert ours("who was it?", contexts[0], max_seq_len=32, doc_stride=0)["answer"] in contexts[0]


# Feature extraction


@each
def test_feature_extraction_equals_transformers(kind, name):
    stock, ours = both("feature-extraction", kind, name, max_length=128)
    inputs = texts(60, (kind, name))
    same(ours(inputs), stock(inputs), 2e-5)
    vectors = {p: ours(inputs, pooling=p) for p in ("mean", "cls", "max")}
    for i, windows in enumerate(stock(inputs)):
        tokens = np.array(windows[0])
        for p, v in {"mean": tokens.mean(0), "cls": tokens[0], "max": tokens.max(0)}.items():
            assert np.abs(vectors[p][i] - v).max() < 2e-5
    unit = ours(inputs, pooling="mean", normalize=True)
    assert (
        np.abs(
            unit * np.linalg.norm(vectors["mean"], axis=1, keepdims=True) - vectors["mean"]
        ).max()
        < 1e-5
    )
    assert ours(inputs[0], pooling="mean").shape == (16,) and ours([], pooling="mean").shape == (
        0,
        16,
    )


@each
def test_a_classifier_by_hand_gives_the_features_of_all_tokens(kind, name, tmp_path):
    for part in made("zero-shot-classification", kind, name, NLI["yes last"], max_length=128):
        part.save_pretrained(tmp_path)
    ours, stock, inputs = (
        pipeline("feature-extraction", model=tmp_path, device="cpu"),
        transformers.pipeline("feature-extraction", model=str(tmp_path)),
        texts(60, (kind, name)),
    )
    assert ours.fast
    same(ours(inputs), stock(inputs), 5e-5)


@each
@pytest.mark.parametrize("dtype, gap", [("float32", 1e-5), ("bfloat16", 0.02)])
def test_one_token_of_the_last_layer_says_what_all_of_it_says(kind, name, dtype, gap, tmp_path):
    made("zero-shot-classification", kind, name, NLI["yes last"])[0].save_pretrained(tmp_path)
    fast, rng = open_encoder(tmp_path, dtype), torch.Generator().manual_seed(0)
    for B, T in ((1, 1), (1, 9), (7, 30), (40, 12)):
        ids, mask = (
            torch.randint(5, 150, (B, T), generator=rng),
            torch.arange(T) < torch.randint(1, T + 1, (B, 1), generator=rng),
        )
        for given in ({"input_ids": ids}, {"input_ids": ids, "attention_mask": mask.long()}):
            one, whole = fast(**given), fast.base_model(**given).last_hidden_state
            assert whole.shape[:2] == (B, T) and list(vars(one)) == ["logits"]
            assert (one.logits - fast.head(whole)["logits"]).abs().max() < gap


@each
def test_features_of_long_texts_pool_over_all_windows(kind, name):
    _, ours = both("feature-extraction", kind, name, max_length=32)
    text = texts(1, 4, least=60, most=60)[0]
    windows = ours(text)
    assert len(windows) > 2 and max(map(len, windows)) == 32
    for p, v in {
        "mean": np.concatenate(windows).mean(0),
        "max": np.concatenate(windows).max(0),
    }.items():
        assert np.abs(ours(text, pooling=p) - v).max() < 1e-5


def test_a_table_gets_a_column_of_vectors():
    pd = pytest.importorskip("pandas")
    _, ours = both("feature-extraction", "bert", "wordpiece")
    df = ours(pd.DataFrame({"text": texts(3)}), column="text", pooling="mean")
    assert list(df.columns) == ["text", "answer"] and df["answer"][0].shape == (16,)


# Fill-mask


def close(ours, theirs, eps=1e-5):
    "As `same`, save that candidates whose scores tie within `eps` may stand in another order."
    if theirs and isinstance(theirs[0], list):
        assert len(ours) == len(theirs)
        for a, b in zip(ours, theirs):
            close(a, b, eps)
    else:
        same([a["score"] for a in ours], [b["score"] for b in theirs], eps)
        known = {b["token"]: b for b in theirs}
        assert all(
            a["token"] in known or abs(a["score"] - theirs[-1]["score"]) <= eps for a in ours
        )
        for a in ours:
            same(a, known.get(a["token"], a), eps)


@each
@pytest.mark.parametrize("masks", [1, 3])
def test_fill_mask_equals_transformers(kind, name, masks):
    stock, ours = both("fill-mask", kind, name, max_length=128)
    inputs = masked(texts(60, (kind, name), least=6), stock.tokenizer.mask_token, masks)
    vocab = sorted(stock.tokenizer.get_vocab())[30:60]
    for options in (
        {},
        {"top_k": 2},
        {"top_k": len(stock.tokenizer)},
        {"targets": vocab},
        {"targets": vocab[:3] + ["London", "unbelievable"], "top_k": 4},
        {"targets": "London"},
    ):
        some = inputs if len(options) < 2 else inputs[:20]
        if options.get("top_k", 0) > 100:
            some = inputs[:3]
        theirs = [stock(t, **options) for t in some]
        close(ours(some, **options), theirs)
    assert json.loads(json.dumps(ours(inputs[:5]))) == ours(inputs[:5])
    assert ours(inputs[:1]) == [ours(inputs[0])]


@each
def test_joint_masks_find_the_best_pair(kind, name):
    model, tok = made("fill-mask", kind, name)
    ours = pipeline("fill-mask", model=model, tokenizer=tok, device="cpu")
    inputs, vocab = masked(texts(8, 8, least=6), tok.mask_token, 2), len(tok)

    def p(ids, at):
        with torch.inference_mode():
            return model(input_ids=torch.tensor(ids)).logits[:, at].softmax(-1)

    for text, found in zip(
        inputs, ours(inputs + masked(texts(3), tok.mask_token), joint=True, top_k=vocab)
    ):
        ids = tok(text)["input_ids"]
        a, b = [i for i, t in enumerate(ids) if t == tok.mask_token_id]
        first = p([ids], a)[0]
        pairs = first[:, None] * p([ids[:a] + [t] + ids[a + 1 :] for t in range(vocab)], b)
        assert abs(pairs.max().item() - found[0]["score"]) < 1e-6
        assert abs(pairs[tuple(found[0]["token"])].item() - found[0]["score"]) < 1e-6
        same(
            [x["score"] for x in found[:20]],
            sorted(pairs.flatten().tolist(), reverse=True)[:20],
            1e-6,
        )
    single = masked(texts(5), tok.mask_token)
    close(ours(single, joint=True), ours(single))


@each
def test_a_mask_anywhere_in_a_long_text(kind, name):
    model, tok = made("fill-mask", kind, name, max_length=32)
    ours = pipeline("fill-mask", model=model, tokenizer=tok, device="cpu", top_k=1)
    words = texts(1, 9, least=60, most=60)[0].split()
    for at in (0, 30, len(words) - 1):
        text = " ".join(words[:at] + [tok.mask_token] + words[at + 1 :])
        assert len(ours(text)[0]["sequence"]) > 100
        (row,) = ours.task.encode([text], read_options(ours.task, {"long": "truncate"}))
        assert len(row) == 32 and row.ids.count(tok.mask_token_id) == 1


# Zero-shot classification


def ranked(ours, theirs):
    "Equal scores by label, in descending order."
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs):
        assert a["sequence"] == b["sequence"] and a["scores"] == sorted(a["scores"], reverse=True)
        same(dict(zip(a["labels"], a["scores"])), dict(zip(b["labels"], b["scores"])))
        same(a["scores"], b["scores"])


@each
@pytest.mark.parametrize("order", NLI)
def test_zero_shot_equals_transformers(kind, name, order):
    stock, ours = both("zero-shot-classification", kind, name, NLI[order], 128)
    inputs = texts(30, (kind, name, order))
    for more in (
        {},
        {"multi_label": True},
        {"hypothesis_template": "{}, or not?"},
        {"candidate_labels": "London"},
        {"candidate_labels": "old, young , , music", "multi_label": True},
    ):
        options = {"candidate_labels": TOPICS} | more
        ranked(ours(inputs, **options), stock(inputs, **options))
    first = ours(inputs[0], TOPICS)
    assert isinstance(first, dict) and first == json.loads(json.dumps(first))
    assert ours(inputs[:2], TOPICS, multi_class=True) == ours(inputs[:2], TOPICS, multi_label=True)


@each
def test_labels_are_found_by_name_wherever_they_stand(kind, name):
    models = {}
    for order in itertools.permutations(range(3)):
        model, tok = made(
            "zero-shot-classification", kind, name, [NLI["yes last"][i] for i in order]
        )
        head = getattr(model.classifier, "out_proj", model.classifier)
        for p in head.parameters():
            p.data = p.data[list(order)]
        models[order] = pipeline(
            "zero-shot-classification", model=model, tokenizer=tok, device="cpu"
        )(texts(5), TOPICS, multi_label=True)
    for found in models.values():
        ranked(found, models[0, 1, 2])


@each
def test_zero_shot_reads_long_texts_whole(kind, name):
    model, tok = made("zero-shot-classification", kind, name, NLI["yes last"], 40)
    ours = pipeline(
        "zero-shot-classification",
        model=model,
        tokenizer=tok,
        device="cpu",
        candidate_labels=TOPICS,
    )
    long = texts(3, 11, least=50, most=60)
    assert all(abs(sum(a["scores"]) - 1) < 1e-5 for a in ours(long))
    assert ours(long)[0]["scores"] != ours(long, long="truncate")[0]["scores"]
    stock = transformers.pipeline("zero-shot-classification", model=model, tokenizer=tok)
    ranked(ours(long, long="truncate"), stock(long, candidate_labels=TOPICS))


def test_windows_weigh_what_they_hold():
    task = ZeroShotClassification({"id2label": {0: "contradiction", 1: "entailment"}})
    rows = [Row([1] * n, 0, None, k) for k in (0, 1) for n in (30, 10)]
    outputs = [
        np.array([0.0, x]) for x in (4.0, 0.0, 0.0, 4.0)
    ]  # label 0 is in the long window, label 1 in the short one
    options = read_options(task, {"candidate_labels": ["long", "short"]})
    answer = task.decode("…", rows, outputs, options)
    assert (
        answer["labels"] == ["long", "short"]
        and abs(answer["scores"][0] - 1 / (1 + np.exp(-2))) < 1e-6
    )


def test_zero_shot_by_the_embedded_model():
    near = pipeline(
        "zero-shot-classification",
        method="embedding",
        device="cpu",
        candidate_labels=["cooking", "sports", "travel"],
        hypothesis_template="This text is about {}.",
    )
    found = near(
        [
            "Bake the bread until the crust is golden.",
            "The striker missed a penalty.",
            "Our flight was delayed by nine hours. " * 100,
        ]
    )
    assert [a["labels"][0] for a in found] == ["cooking", "sports", "travel"]
    assert near("The striker missed a penalty.")["labels"] == found[1]["labels"]


# What is wrong gets one sentence


def bad(task, call, why, kind="bert", name="wordpiece", **more):
    model, tok = made(task, kind, name, **more)
    with pytest.raises((InputError, TypeError), match=why) as e:
        call(pipeline(task, model=model, tokenizer=tok, device="cpu"))
    assert "\n" not in str(e.value)


@pytest.mark.parametrize(
    "call, why",
    [
        (lambda p: p(question="who?", context=["London", ""]), "text 1, key 'context', is empty"),
        (lambda p: p(question="who?"), "a question needs its context; give context, too"),
        (lambda p: p(context="London"), "give question, too"),
        (
            lambda p: p(["who?"]),
            "text 0 must be a dict with the keys 'question' and 'context', and is str",
        ),
        (
            lambda p: p([{"question": "who?", "context": "Ada"}, {"question": "who?"}]),
            "text 1 must be a dict",
        ),
        (lambda p: p(question=["who?", "what?"], context=["Ada"]), "2 questions and 1 contexts"),
        (lambda p: p("Ada " * 100, "London was loud"), "the text has no room in 64 tokens"),
        (
            lambda p: p("who?", "London " * 100, long="error"),
            "the text has .* tokens and the model takes 64 at once",
        ),
        (lambda p: p("who?", "London", max_seq_len=100), "max_seq_len=100 is more than the 64"),
        (
            lambda p: p("who?", "London", max_seq_len=20, doc_stride=20),
            "doc_stride=20 must be less than max_seq_len=20",
        ),
        (
            lambda p: p("who?", "London", max_answer_len=0),
            "max_answer_len=0 must be a whole number from 1",
        ),
        (lambda p: p("who?", "London", top_n=2), "takes no argument 'top_n'; did you mean 'top_k'"),
    ],
)
def test_bad_questions(call, why):
    bad("question-answering", call, why)


@pytest.mark.parametrize(
    "call, why",
    [
        (lambda p: p(["London", None]), "text 1 is missing"),
        (
            lambda p: p("London", aggregation_strategy="longest"),
            "aggregation_strategy='longest' is unknown",
        ),
        (lambda p: p("London", stride=62), "stride=62 leaves nothing new"),
        (lambda p: p("London", ignore_labels="O"), "ignore_labels must be a list"),
        (
            lambda p: p("London", grouped_entities=True, aggregation_strategy="max"),
            "keep aggregation_strategy",
        ),
    ],
)
def test_bad_token_classification(call, why):
    bad("token-classification", call, why)


@pytest.mark.parametrize(
    "call, why",
    [
        (lambda p: p(["[MASK] was old", "it was old"]), r"text 1 has no mask; write \[MASK\]"),
        (lambda p: p("it was old"), "the text has no mask"),
        (
            lambda p: p("[MASK]" + " London" * 100 + " [MASK]"),
            "masks .* tokens apart, and the model takes 64",
        ),
        (lambda p: p("[MASK]" + " London" * 100, long="error"), "pass long='truncate'"),
        (lambda p: p("[MASK] was", targets=[""]), "target 0 is empty"),
        (lambda p: p("[MASK] was", target="it"), "did you mean 'targets'"),
    ],
)
def test_bad_masks(call, why):
    bad("fill-mask", call, why)


def test_a_target_with_its_space_is_a_word_of_the_vocabulary(capsys):
    "To RoBERTa's tokenizer the space before a word is a part of it."
    pipe, _ = ready("fill-mask", "roberta", "byte_level")
    assert "she" not in pipe.tokenizer.get_vocab() and "Ġshe" in pipe.tokenizer.get_vocab()
    text = "saw<mask>"
    errors._warned.clear()
    for target in (" she", "Ġshe"):
        assert [a["token_str"] for a in pipe(text, targets=[target])] == [" she"]
    assert not capsys.readouterr().err
    assert [a["token_str"] for a in pipe(text, targets="she")] == ["s"]
    printed = capsys.readouterr().err
    assert "'she' is not in the vocabulary; 's' stands for it. ' she', with a space" in printed


def test_a_tokenizer_without_a_mask():
    model, tok = made("fill-mask", "bert", "wordpiece")
    tok.mask_token = None
    with pytest.raises(InputError, match="has no mask token"):
        pipeline("fill-mask", model=model, tokenizer=tok)("it was old")


@pytest.mark.parametrize(
    "call, why",
    [
        (lambda p: p("it was old"), "which labels"),
        (lambda p: p("it was old", []), "candidate_labels is empty"),
        (lambda p: p("it was old", ["a", None]), "label 1 is missing"),
        (lambda p: p("it was old", ["a", "a"]), "a label twice"),
        (lambda p: p(["it was old", " "], "a, b"), "text 1 is empty"),
        (
            lambda p: p(["it was old", "old " * 100], "a, b", long="error"),
            "text 1 has .* tokens and the model takes 64",
        ),
        (
            lambda p: p("it was old", "a, b", hypothesis_template="It is."),
            "must have one {}, where the label goes",
        ),
        (lambda p: p("it was old", "a, b", multilabel=True), "did you mean 'multi_label'"),
        (
            lambda p: p("it was old", "a, b", method="embedding", multi_label=True),
            "multi_label needs an inference model",
        ),
    ],
)
def test_bad_zero_shot(call, why):
    bad("zero-shot-classification", call, why, labels=NLI["yes last"])


def test_a_model_without_entailment():
    bad(
        "zero-shot-classification",
        lambda p: p("it was old", "a, b"),
        "labels are NEGATIVE, POSITIVE: none is entailment",
        labels=["NEGATIVE", "POSITIVE"],
    )
    bad(
        "zero-shot-classification",
        lambda p: p("it was old", "a"),
        "needs a model that knows contradiction",
        labels=["other", "entailment"],
    )
