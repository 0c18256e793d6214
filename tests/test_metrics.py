"""Metrics against scikit-learn and SciPy, and against the kept answers of seqeval, sacrebleu, nltk,
rouge-score and torchmetrics (tests/golden/metrics.py)."""

import gc
import json
import math
import os
import pickle
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import scipy.stats
import sklearn.metrics as skl
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nlp_tour.base.errors import InputError, _warned
from nlp_tour.metrics.counters import METRICS
from nlp_tour.metrics.entities import spans
from nlp_tour.metrics.scores import load_metric, metrics

GOLDEN = json.loads((Path(__file__).parent / "golden" / "metrics.json").read_text(encoding="utf-8"))
quick = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
label = st.integers(0, 4)
pairs = st.lists(st.tuples(label, label), min_size=1, max_size=60)


def streamed(name, p, r, cuts, options=None, **kwargs):
    "The answer of adding slices one after the other."
    metric = load_metric(name, **kwargs)
    for a, b in zip([0, *cuts], [*cuts, len(p)]):
        metric.add_batch(predictions=p[a:b], references=r[a:b])
    return metric.compute(**(options or {}))


@quick
@given(
    pairs,
    st.sampled_from(["macro", "micro", "weighted", None]),
    st.sampled_from([0, 1, math.nan]),
    st.none() | st.lists(label, min_size=1, unique=True),
)
@pytest.mark.filterwarnings("ignore")
def test_f1_precision_and_recall_are_scikit_learns(rows, average, zero_division, labels):
    t, p = zip(*rows)
    for name, theirs in {
        "f1": skl.f1_score,
        "precision": skl.precision_score,
        "recall": skl.recall_score,
    }.items():
        options = {"average": average, "zero_division": zero_division, "labels": labels}
        ours = load_metric(name).compute(predictions=p, references=t, **options)[name]
        assert ours == pytest.approx(theirs(t, p, **options), nan_ok=True), (name, options)


@quick
@given(st.lists(st.tuples(st.sampled_from("ny"), st.sampled_from("ny")), min_size=1, max_size=20))
@pytest.mark.filterwarnings("ignore")
def test_binary_f1_of_named_classes(rows):
    t, p = zip(*rows)
    assert load_metric("f1").compute(predictions=p, references=t, pos_label="y")[
        "f1"
    ] == pytest.approx(skl.f1_score(t, p, pos_label="y", zero_division=0))


@quick
@given(pairs, st.sampled_from([None, "true", "pred", "all"]), st.integers(0, 60))
@pytest.mark.filterwarnings("ignore")
def test_the_other_label_metrics_are_scikit_learns_and_stream(rows, normalize, cut):
    t, p = zip(*rows)
    cuts = [min(cut, len(p))]
    assert streamed("accuracy", p, t, cuts) == {"accuracy": skl.accuracy_score(t, p)}
    assert streamed("accuracy", p, t, cuts, {"normalize": False}) == {
        "accuracy": skl.accuracy_score(t, p, normalize=False)
    }
    assert streamed("matthews_correlation", p, t, cuts)["matthews_correlation"] == pytest.approx(
        skl.matthews_corrcoef(t, p)
    )
    ours = streamed("confusion_matrix", p, t, cuts, {"normalize": normalize})["confusion_matrix"]
    np.testing.assert_allclose(ours, skl.confusion_matrix(t, p, normalize=normalize))


number = st.integers(-50, 50).map(lambda i: i / 4)


@quick
@given(
    st.lists(st.tuples(number, number), min_size=2, max_size=40),
    st.integers(0, 40),
    st.sampled_from([0, 1e6]),
)
@pytest.mark.filterwarnings("ignore")
def test_regression_is_scikit_learns_and_scipys_and_streams(rows, cut, shift):
    p, r = np.array(rows).T + shift
    cuts = [min(cut, len(p))]
    assert streamed("mse", p, r, cuts)["mse"] == pytest.approx(skl.mean_squared_error(r, p))
    assert streamed("mae", p, r, cuts)["mae"] == pytest.approx(skl.mean_absolute_error(r, p))
    for name, theirs in {
        "pearsonr": scipy.stats.pearsonr,
        "spearmanr": scipy.stats.spearmanr,
    }.items():
        assert streamed(name, p, r, cuts)[name] == pytest.approx(
            theirs(p, r)[0], abs=1e-6, nan_ok=True
        )


def test_the_names_of_2021_and_their_keys():
    for name, key in {
        "pearson": "pearsonr",
        "spearman": "spearmanr",
        "mse": "mse",
        "mae": "mae",
    }.items():
        assert list(
            load_metric(name).compute(predictions=[1.0, 2.0, 4.0], references=[1, 2, 3])
        ) == [key]


@pytest.mark.parametrize("case", GOLDEN["spans"])
def test_spans_are_seqevals(case):
    assert spans(case["tags"]) == [tuple(s) for s in case["spans"]]


def close(ours, theirs):
    assert ours.keys() == theirs.keys()
    for k, v in theirs.items():
        if isinstance(v, dict):
            close(ours[k], v)
        else:
            assert ours[k] == pytest.approx(v), k


@pytest.mark.parametrize("name", ["seqeval", "sacrebleu", "rouge", "squad"])
def test_texts_score_as_the_reference_libraries_say(name):
    for case in GOLDEN[name]:
        p, r = case["predictions"], case["references"]
        close(load_metric(name).compute(predictions=p, references=r), case["answer"])
        if name != "squad":
            close(streamed(name, p, r, [len(p) // 3, len(p) // 2]), case["answer"])


def test_squad_answers_without_a_word_have_no_f1():
    "The script of SQuAD 1.1 says so: no word in common, F1 0, though both texts are equal."
    squad, asked = (
        load_metric("squad"),
        [{"id": 1, "answers": {"text": ["The"], "answer_start": [0]}}],
    )
    assert squad.compute(predictions=[{"id": 1, "prediction_text": "a."}], references=asked) == {
        "exact_match": 100.0,
        "f1": 0.0,
    }


def test_rouge_l_alone():
    for case in GOLDEN["rouge"]:
        close(
            load_metric("rougeL").compute(
                predictions=case["predictions"], references=case["references"]
            ),
            {"rougeL": case["answer"]["rougeL"]},
        )


def test_rouge_has_the_parts_that_scripts_of_2021_read(capsys):
    "Precision and recall are those of the reference with the best F, then means."
    p = ["a b c d", "x"]
    r = [["a b", "a b c q r s"], "x y"]
    rouge = load_metric("rouge")
    mid = rouge.compute(predictions=p, references=r)["rouge1"].mid
    assert mid.precision == pytest.approx((2 / 4 + 1) / 2)
    assert mid.recall == pytest.approx((2 / 2 + 1 / 2) / 2)
    assert mid.fmeasure == pytest.approx((2 / 3 + 2 / 3) / 2)
    again = pickle.loads(pickle.dumps(mid))
    assert (again, again.precision, again.recall) == (mid, mid.precision, mid.recall)
    assert json.dumps(rouge.compute(predictions=["a"], references=["a"])["rouge1"]) == "1.0"


def test_rouge_says_that_it_does_not_stem(capsys):
    _warned.clear()
    same = [
        load_metric("rouge").compute(predictions=["cats ran"], references=["cat ran"], **how)
        for how in ({}, {"use_stemmer": False}, {"use_stemmer": True})
    ]
    assert same[0] == same[1] == same[2]
    assert capsys.readouterr().err.count("`use_stemmer=True` has no effect") == 1


def test_bleu_has_no_smoothing():
    for case in GOLDEN["bleu"]:
        assert load_metric("bleu").compute(
            predictions=case["predictions"], references=case["references"]
        )["bleu"] == pytest.approx(case["bleu"])
    for case in GOLDEN["sacrebleu"]:
        if len(case["references"][0]) > 1:
            continue  # of several references "bleu" takes the shortest
        assert 100 * load_metric("bleu").compute(
            predictions=case["predictions"], references=case["references"]
        )["bleu"] == pytest.approx(case["unsmoothed"])
    assert (
        load_metric("bleu").compute(
            predictions=["a b c d e"], references=[["a b c", "a b c d e f"]]
        )["reference_length"]
        == 3
    )


def test_sacrebleu_of_nothing_in_common_or_nothing_at_all():
    for message in ("x y z", ""):
        assert (
            load_metric("sacrebleu").compute(predictions=[message], references=["a b c"])["score"]
            == 0
        )


@pytest.mark.parametrize("name", ["f1", "mse", "pearsonr"])
def test_a_million_predictions_take_no_more_room_than_ten(name):
    metric, rng = load_metric(name), np.random.default_rng(0)
    batch = {"predictions": rng.integers(0, 3, 1000), "references": rng.integers(0, 3, 1000)}
    metric.add_batch(**batch)
    tracemalloc.start()
    held = tracemalloc.get_traced_memory()[0]
    for _ in range(1000):
        metric.add_batch(**batch)
    gc.collect()  # NumPy leaves some cycles to it
    grown = tracemalloc.get_traced_memory()[0] - held
    tracemalloc.stop()
    assert grown < 20_000, f"{grown} bytes held after a million predictions"


def test_an_answer_is_plain_python_whatever_comes_in():
    for make in (list, tuple, np.array, torch.tensor):
        for name in (
            "accuracy",
            "f1",
            "precision",
            "recall",
            "matthews_correlation",
            "confusion_matrix",
            "mse",
            "mae",
            "pearsonr",
            "spearmanr",
        ):
            answer = load_metric(name).compute(
                predictions=make([0, 1, 1, 0]), references=make([0, 1, 0, 0])
            )
            json.dumps(answer)
            assert all(type(v) in (float, list) for v in answer.values())
    half = torch.tensor([0.5, 1.5], dtype=torch.bfloat16, requires_grad=True)
    assert load_metric("mae").compute(predictions=half, references=[0.5, 1.0]) == {"mae": 0.25}


def test_compute_starts_anew_and_a_failed_call_keeps_what_was_added():
    f1 = load_metric("f1")
    f1.add_batch(predictions=[0, 1, 2], references=[0, 1, 1])
    with pytest.raises(InputError, match="choose 'macro'"):
        f1.compute()
    with pytest.raises(InputError, match="choose 'macro'"):
        f1.compute(predictions=[1], references=[1])
    assert f1.compute(average="micro") == {"f1": pytest.approx(2 / 3)}
    with pytest.raises(InputError, match="nothing to compute"):
        f1.compute()


@pytest.mark.parametrize(
    "name, p, r, options, says",
    [
        ("accuracy", [1, 2], [1], {}, "2 predictions and 1 references"),
        ("accuracy", [], [], {}, "nothing to compute"),
        ("accuracy", [0.5], [1], {}, "prediction 0 is 0.5, which is not a label"),
        ("accuracy", [None], [1], {}, "prediction 0 is None"),
        ("accuracy", [[0.1, 0.9]], [1], {}, "argmax"),
        ("accuracy", ["1"], [1], {}, "names and numbers"),
        ("accuracy", "1", [1], {}, "not a list"),
        ("accuracy", torch.tensor(1), [1], {}, "not a list"),
        ("accuracy", [1], None, {}, "references of accuracy are missing"),
        ("f1", [1], [1], {"average": "makro"}, "did you mean 'macro'"),
        ("f1", ["a"], ["b"], {}, "pos_label=1 is not one of the labels"),
        ("confusion_matrix", [1], [1], {"normalize": "tru"}, "did you mean 'true'"),
        ("mse", ["a"], [1], {}, "takes numbers"),
        ("mse", [math.inf], [1], {}, "prediction 0 is not finite"),
        ("mse", [[1, 2], [1]], [1, 2], {}, "differ in length"),
        ("seqeval", ["O"], ["O"], {}, "row 0 of seqeval is not a list"),
        ("seqeval", [["O"]], [["O", "O"]], {}, "row 0 of seqeval has 1 predictions and 2"),
        ("seqeval", [[[0.1, 0.9]]], [[1]], {}, "knows no tag"),
        ("seqeval", [["PER"]], [["O"]], {}, "tag 0 is 'PER'"),
        ("rouge", [[1, 2]], ["a"], {}, "batch_decode"),
        ("bleu", ["a"], [[]], {}, "batch_decode"),
        (
            "squad",
            [{"id": 1, "text": "x"}],
            [{"id": 1, "answers": {"text": ["x"]}}],
            {},
            "'prediction_text'",
        ),
        (
            "squad",
            [{"id": 1, "prediction_text": "x"}],
            [{"id": 1, "answers": {"text": []}}],
            {},
            "a list of texts",
        ),
        ("perplexity", [1.0], [0], {}, "no tokens"),
    ],
)
def test_bad_input_gets_one_sentence(name, p, r, options, says):
    with pytest.raises(InputError) as e:
        load_metric(name).compute(predictions=p, references=r, **options)
    assert says in str(e.value) and "\n" not in str(e.value)


def test_unknown_names_say_the_nearest(monkeypatch):
    monkeypatch.setenv("NLP_TOUR_OFFLINE", "1")
    with pytest.raises(InputError, match="hub cannot be reached; did you mean 'accuracy'"):
        load_metric("acuracy")
    with pytest.raises(TypeError, match="did you mean 'average'"):
        load_metric("f1").compute(predictions=[1], references=[1], avrage="macro")
    with pytest.raises(TypeError, match="no argument 'averge'"):
        metrics("f1", averge="macro")


def test_other_names_go_to_evaluate(monkeypatch):
    import evaluate

    import nlp_tour.metrics.scores as m

    monkeypatch.setattr(m, "hub_reachable", lambda: True)
    monkeypatch.setattr(evaluate, "load", lambda name, config, **kw: (name, config, kw))
    assert load_metric("super_glue", "boolq", seed=1) == ("super_glue", "boolq", {"seed": 1})

    def missing(*a, **k):
        raise FileNotFoundError("nowhere")

    monkeypatch.setattr(evaluate, "load", missing)
    with pytest.raises(InputError, match="neither nlp_tour nor the hub"):
        load_metric("acuracy")


def test_they_combine_with_evaluate():
    import evaluate

    both, p, t = (
        evaluate.combine([load_metric("accuracy"), load_metric("f1")]),
        [1, 0, 1, 1],
        [1, 0, 0, 1],
    )
    want = {"accuracy": 0.75, "f1": pytest.approx(0.8)}
    assert both.compute(predictions=p, references=t) == want
    both.add_batch(predictions=torch.tensor(p), references=torch.tensor(t))
    assert both.compute() == want
    for a, b in zip(p, t):
        both.add(prediction=a, reference=b)
    assert both.compute() == want


def test_ignore_index_and_tokens():
    p, t = torch.tensor([[1, 2, 0], [1, 0, 0]]), torch.tensor([[1, 2, -100], [2, -100, -100]])
    assert load_metric("accuracy").compute(predictions=p, references=t) == {
        "accuracy": pytest.approx(2 / 3)
    }
    tags = ["O", "B-X", "I-X"]
    for id2label in (tags, dict(enumerate(tags))):
        got = load_metric("seqeval", id2label=id2label).compute(predictions=p, references=t)
        assert got["X"] == {
            "precision": 1.0,
            "recall": 1.0,
            "f1": 1.0,
            "number": 2,
        }  # an I that begins a span counts as its B
        assert got["overall_accuracy"] == pytest.approx(2 / 3)
    with pytest.raises(InputError, match="nothing to compute"):
        load_metric("accuracy").compute(predictions=[1], references=[-100])


def test_the_trainer_evaluates_with_it(tmp_path):
    from transformers import (
        BertConfig,
        BertForSequenceClassification,
        BertForTokenClassification,
        Trainer,
        TrainingArguments,
    )

    config = {
        "vocab_size": 20,
        "hidden_size": 8,
        "num_hidden_layers": 1,
        "num_attention_heads": 1,
        "intermediate_size": 8,
        "num_labels": 3,
    }

    def evaluated(model, data, compute, **kwargs):
        args = TrainingArguments(
            str(tmp_path),
            per_device_eval_batch_size=4,
            report_to=[],
            disable_tqdm=True,
            use_cpu=True,
            **kwargs,
        )
        return {
            pre is None: Trainer(
                model,
                args,
                eval_dataset=data,
                compute_metrics=compute,
                preprocess_logits_for_metrics=pre,
            ).evaluate()
            for pre in (None, compute.preprocess_logits)
        }

    torch.manual_seed(0)
    rows = [
        {"input_ids": torch.randint(0, 20, (5,)), "labels": torch.tensor(i % 3)} for i in range(10)
    ]
    compute = metrics("accuracy", "f1", average="macro")
    model = BertForSequenceClassification(BertConfig(**config))
    got, in_batches = (
        evaluated(model, rows, compute),
        evaluated(model, rows, compute, batch_eval_metrics=True),
    )
    for name in ("eval_accuracy", "eval_f1"):
        assert got[True][name] == got[False][name] == in_batches[False][name]
    tokens = [
        {"input_ids": r["input_ids"], "labels": torch.tensor([-100, 1, 2, 0, -100])} for r in rows
    ]
    got = evaluated(
        BertForTokenClassification(BertConfig(**config)),
        tokens,
        metrics("seqeval", id2label=["O", "B-X", "I-X"]),
    )
    assert got[True]["eval_overall_f1"] == got[False]["eval_overall_f1"]
    rated = [
        {"input_ids": r["input_ids"], "labels": torch.tensor(float(i))} for i, r in enumerate(rows)
    ]
    got = evaluated(
        BertForSequenceClassification(BertConfig(**config | {"num_labels": 1})),
        rated,
        metrics("mse", "pearson"),
    )
    assert (
        got[True]["eval_mse"] == pytest.approx(got[True]["eval_loss"], rel=1e-4)
        and got[True]["eval_pearsonr"] == got[False]["eval_pearsonr"]
    )


def test_importing_is_light_and_nothing_is_written(tmp_path):
    code = (
        "import sys, nlp_tour.metrics.scores as m\n"
        "heavy = {'torch', 'transformers', 'evaluate', 'datasets'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "answer = m.load_metric('accuracy').compute(predictions=[1], references=[1])\n"
        "assert answer == {'accuracy': 1.0}\n"
        "assert 'evaluate' not in sys.modules\n"
    )
    subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        env=os.environ | {"HF_HOME": str(tmp_path), "HOME": str(tmp_path)},
    )
    assert not list(tmp_path.iterdir())


def test_every_metric_says_what_it_is():
    for name, cls in METRICS.items():
        assert cls.__doc__ and cls.__doc__ in repr(cls(name)).replace("\n", "\n    ")
