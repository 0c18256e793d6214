"""Questions to tables against the pipeline of transformers on tiny random TAPAS models."""

import json
import random

import pandas as pd
import pytest
import torch
import transformers
from tiny import fill
from transformers import TapasConfig, TapasForQuestionAnswering, TapasTokenizer

from nlp_tour.all import pipeline
from nlp_tour.base.errors import InputError
from nlp_tour.tasks.registry import infer_task

WORDS = [
    "alien",
    "heat",
    "arrival",
    "ridley",
    "scott",
    "michael",
    "mann",
    "who",
    "made",
    "when",
    "was",
    "how",
    "many",
    "stars",
    "films",
    "are",
    "there",
    "the",
    "of",
    "in",
    "and",
    "[EMPTY]",
]
rng = random.Random(0)


def cell():
    return rng.choice(
        [
            lambda: " ".join(rng.choices(WORDS[:-1], k=rng.randint(1, 4))),
            lambda: str(rng.randint(1, 3000)),
            lambda: f"{rng.random():.2f}",
            lambda: "",
        ]
    )()


def table():
    rows, columns = rng.randint(1, 6), rng.randint(1, 5)
    return {f"{rng.choice(WORDS[:-1])} {i}": [cell() for _ in range(rows)] for i in range(columns)}


ASKED = [
    (table(), " ".join(rng.choices(WORDS[:-1], k=rng.randint(1, 8))) + "?") for _ in range(100)
]


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def tok(tmp_path_factory):
    vocabulary = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        *WORDS[::-1],
        *"0123456789.?-",
        *(f"##{d}" for d in "0123456789"),
    ]
    path = tmp_path_factory.mktemp("tapas") / "vocab.txt"
    path.write_text("\n".join(vocabulary))
    return TapasTokenizer(str(path), model_max_length=96)


def tapas(tok, **config):
    return fill(
        TapasForQuestionAnswering(
            TapasConfig(
                vocab_size=len(tok),
                hidden_size=16,
                num_hidden_layers=1,
                num_attention_heads=2,
                intermediate_size=16,
                max_position_embeddings=96,
                **config,
            )
        ),
        0.8,
    )


KINDS = {
    "cells": {},
    "aggregators": {
        "num_aggregation_labels": 4,
        "aggregation_labels": {0: "NONE", 1: "SUM", 2: "AVERAGE", 3: "COUNT"},
        "no_aggregation_label_index": 0,
    },
}


def both(kind, tok):
    model = tapas(tok, **KINDS[kind])
    if (
        kind == "aggregators"
    ):  # no aggregator is ahead of the others by itself, so that the question decides
        with torch.no_grad():
            ahead = [
                model(**tok(pd.DataFrame(t), q, return_tensors="pt")).logits_aggregation
                for t, q in ASKED[:9]
            ]
        model.aggregation_classifier.bias.data -= torch.cat(ahead).mean(0)
    return pipeline(
        "table-question-answering", model=model, tokenizer=tok, progress=False
    ), transformers.pipeline("table-question-answering", model=model, tokenizer=tok)


@pytest.mark.parametrize("kind", KINDS)
def test_answers_are_those_of_the_stock_pipeline(kind, tok):
    ours, stock = both(kind, tok)
    theirs = [stock(t, q) for t, q in ASKED]
    assert ours([{"table": t, "query": q} for t, q in ASKED]) == theirs
    assert ours([{"table": t, "query": q} for t, q in ASKED[:20]][::-1]) == theirs[:20][::-1]
    assert [ours(t, q) for t, q in ASKED[:5]] == theirs[:5]
    assert len({json.dumps(a) for a in theirs}) > 20 and any(a["cells"] for a in theirs)
    if kind == "aggregators":
        assert len({a["aggregator"] for a in theirs}) > 1 and any(
            " > " in a["answer"] for a in theirs
        )


@pytest.mark.parametrize("kind", KINDS)
def test_questions_in_turn(kind, tok):
    ours, stock = both(kind, tok)
    for i in range(0, 60, 3):
        t, queries = ASKED[i][0], [ASKED[i + k][1] for k in range(3)]
        assert ours(t, queries, sequential=True) == stock(t, queries, sequential=True)
        assert ours(t, queries) == [stock(t, q) for q in queries]
    many = [{"table": t, "query": [q, "how many?"]} for t, q in ASKED[:6]]
    assert ours(many, sequential=True) == [
        ours(m["table"], m["query"], sequential=True) for m in many
    ]


def test_every_call_form(tok):
    ours, _ = both("cells", tok)
    t, q = ASKED[0]
    one = ours(t, q)
    assert (
        one
        == ours(table=t, query=q)
        == ours(t, query=q)
        == ours({"table": t, "query": q})
        == ours(pd.DataFrame(t), q)
        == ours(pd.DataFrame(t, index=range(7, 7 + len(next(iter(t.values()))))), q)
    )
    assert [one] == ours(t, [q]) == ours([{"table": t, "query": q}]) and [one, one] == ours(
        {"table": t, "query": [q, q]}
    )
    assert ours([dict(zip(t, row)) for row in zip(*t.values())], q) == one
    assert next(ours({"table": t, "query": q} for _ in range(3))) == one and ours([]) == []


def test_numbers_become_strings(tok):
    ours, stock = both("cells", tok)
    numbers = {"films": [1, 2, 3], "stars": [0.5, 2.25, None]}
    assert ours(numbers, "how many?") == stock(
        {"films": ["1", "2", "3"], "stars": ["0.5", "2.25", ""]}, "how many?"
    )
    answer = ours(pd.DataFrame({"films": [1, 2]}), "how many?")
    assert all(type(c) is str for c in answer["cells"]) and all(
        type(i) is int for c in answer["coordinates"] for i in c
    )
    json.dumps(answer)


def test_rows_that_do_not_fit_are_left_out_and_it_is_said(tok, capsys):
    ours, stock = both("cells", tok)
    big = {
        "films": [" ".join(rng.choices(WORDS[:-1], k=6)) for _ in range(40)],
        "stars": [str(i) for i in range(40)],
        "who": ["mann"] * 40,
    }
    assert ours(big, "who made heat?") == stock(big, "who made heat?")
    message = capsys.readouterr().err
    assert "of 40 rows are read" in message
    with pytest.raises(
        InputError, match="text 1 has .* tokens, table and query, and the model takes 96"
    ):
        ours(
            [{"table": ASKED[0][0], "query": "who?"}, {"table": big, "query": "who?"}], long="error"
        )
    wide = {f"films {i}": ["heat"] for i in range(30)}
    with pytest.raises(InputError, match="not even one row fits"):
        ours(wide, "who made heat? " * 10)


BAD = [
    (
        {"table": {"a": [1, 2], "b": [1]}, "query": "q"},
        "text 1, key 'table', has ragged columns: 'a' has 2, 'b' has 1",
    ),
    ({"table": {}, "query": "q"}, "text 1, key 'table', is empty"),
    ({"table": {"a": "xy"}, "query": "q"}, "column 'a' is no list"),
    ({"table": [{"a": 1}, {"b": 2}], "query": "q"}, "row 1 has other columns"),
    ({"table": 3, "query": "q"}, "key 'table', is int"),
    ({"table": None, "query": "q"}, "is NoneType"),
    ({"table": {"a": [1]}, "query": " "}, "key 'query', is empty"),
    ({"table": {"a": [1]}, "query": None}, "key 'query', is missing"),
    ({"table": {"a": [1]}}, "text 1 needs a table and a query"),
    ({"table": {"a": [1]}, "query": []}, "text 1 has no query"),
    ("text", "text 1 needs a table and a query"),
]


@pytest.mark.parametrize("bad, message", BAD, ids=str)
def test_bad_tables_get_one_sentence_with_their_position(tok, bad, message):
    ours, _ = both("cells", tok)
    with pytest.raises(InputError) as e:
        ours([{"table": {"a": [1]}, "query": "who?"}, bad])
    assert message in str(e.value)


def test_the_rest(tok):
    ours, _ = both("cells", tok)
    assert pipeline(
        "table-question-answering",
        model=ours.model,
        tokenizer=tok,
        batch_tokens="auto",
        progress=False,
    )(*ASKED[0]) == ours(*ASKED[0])
    assert (
        infer_task({"architectures": ["TapasForQuestionAnswering"]}) == "table-question-answering"
    )
    with pytest.raises(TypeError, match="did you mean 'sequential'"):
        ours({"a": [1]}, "who?", sequental=True)
    with pytest.raises(TypeError, match="takes a table and a query"):
        ours({"a": [1]}, "who?", 3)
    with pytest.raises(InputError, match="needs a TAPAS model"):
        pipeline(
            "table-question-answering",
            model=transformers.BertForQuestionAnswering(
                transformers.BertConfig(
                    vocab_size=9,
                    hidden_size=8,
                    num_hidden_layers=1,
                    num_attention_heads=1,
                    intermediate_size=8,
                )
            ),
            tokenizer=tok,
        )


@pytest.mark.parametrize("n", [255, 256, 300])
def test_rows_that_the_model_has_no_number_for_are_left_out(tok, n, tmp_path):
    (tmp_path / "vocab.txt").write_text("\n".join(sorted(tok.vocab, key=tok.vocab.get)))
    big = TapasTokenizer(str(tmp_path / "vocab.txt"), model_max_length=2000)
    config = TapasConfig(
        vocab_size=len(tok),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=2000,
    )
    ask = pipeline(
        "table-question-answering", model=fill(TapasForQuestionAnswering(config)), tokenizer=big
    )
    table = pd.DataFrame({"stars": [str(i % 10) for i in range(n)]})
    assert ask(table, "how many?") == ask(table[:255], "how many?")
    if n > 255:
        with pytest.raises(InputError, match="counts to 255"):
            ask(table, "how many?", long="error")
    wide = pd.DataFrame([["1"] * 300], columns=[str(i) for i in range(300)])
    with pytest.raises(InputError, match="300 columns, and the model counts to 255"):
        ask(wide, "how many?")


def test_a_header_that_is_too_long_is_one_sentence(tok):
    ours, _ = both("cells", tok)
    table = {f"{WORDS[0]} {i}": ["1", "2"] for i in range(60)}
    with pytest.raises(InputError, match="not even one row fits into 96 tokens"):
        ours(table, "how many?")
    good, bad = {"table": {"a": ["1"]}, "query": "how many?"}, {"table": table, "query": "who?"}
    with pytest.raises(InputError, match="1: not even one row fits into 96 tokens"):
        ours([good, bad])
