"What the benchmarks reckon with is right, and each has a question, a command and a result."

import ast
import time
from pathlib import Path

import common
import numpy as np
import peers
import pytest
import table
import torch

root = Path(__file__).parent.parent

QUESTIONS = sorted((root / "benchmarks").glob("bench_*.py"))


@pytest.mark.parametrize("path", QUESTIONS, ids=lambda p: p.stem)
def test_each_asks_one_question_and_has_its_answer(path):
    doc = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    question = doc.split("\n\n")[0]
    assert "?" in question or ":" in question
    assert f"python benchmarks/{path.name}" in doc
    result = table.read(path.stem.removeprefix("bench_"))
    assert result["benchmark"] == path.stem.removeprefix("bench_")
    assert {"processor", "cores", "python", "torch", "transformers"} <= set(result["machine"])


def test_every_result_has_its_benchmark():
    assert {p.stem for p in common.RESULTS.glob("*.json")} == {
        p.stem.removeprefix("bench_") for p in QUESTIONS
    }


def test_contenders_take_turns_and_the_slow_go_once(monkeypatch):
    ran = []
    monkeypatch.setattr(common, "LONG", 0.01)
    median, slowest, answers = common.interleaved(
        {"a": lambda: ran.append("a"), "b": lambda: ran.append("b") or time.sleep(0.02) or 7},
        rounds=3,
    )
    assert ran == ["a", "b", "a", "a"]
    assert median["b"] > median["a"] and slowest["b"] == 1 and answers["b"] == 7


def test_products_are_counted_as_torch_counts_them():
    from torch.utils.flop_counter import FlopCounterMode
    from transformers import BertConfig, BertModel

    model = BertModel(
        BertConfig(
            num_hidden_layers=2,
            hidden_size=32,
            intermediate_size=64,
            num_attention_heads=2,
            attn_implementation="eager",
        ),
        add_pooling_layer=False,
    ).eval()
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        model(torch.ones(3, 17, dtype=torch.long))
    assert common.flops([17] * 3, layers=2, width=32, inner=64) == counter.get_total_flops()
    x, first, body = (
        torch.randn(3, 17, 32),
        torch.randn(3, 1, 32),
        common.flops([17] * 3, layers=1, width=32, inner=64),
    )
    with FlopCounterMode(
        display=False
    ) as counter:  # a last layer for one token: keys and values of all, everything else of one
        for n, out in ((x, 64), (first, 64), (first, 64)):
            n @ torch.randn(32, out)
        first @ x.transpose(1, 2) @ x @ torch.randn(32, 0)
        torch.randn(3, 1, 64) @ torch.randn(64, 32)
    assert (
        common.flops([17] * 3, layers=2, width=32, inner=64, read=1)
        == body + counter.get_total_flops()
    )


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_the_rows_for_a_gpu_run_anywhere(dtype):
    import bench_training

    sizes = dict(zip(bench_training.SIZES, (2, 32, 64, 2)))
    found = bench_training.step_speed(torch.device("cpu"), dtype, False, 2, 16, 1, sizes)
    assert found["tokens_per_second"] > 0 and 0 <= found["utilisation"] < 1


def test_bars_are_judged(capsys):
    found = common.judged({"a": (0.09, 0.1), "b": (130, 120)})
    assert [bar["holds"] for bar in found.values()] == [True, False]
    assert capsys.readouterr().out.startswith("pass  a: 0.09, limit 0.1\nFAIL  b: 130, limit 120")


def test_a_peak_of_memory_is_that_of_its_own_process():
    held = np.ones(300 * 2**20, np.uint8)  # ours does not count
    small = common.peak_memory("pass")
    assert (
        small < 150 < 200 < common.peak_memory("x = bytearray(b'1') * (250 * 2**20)") < 500
        and held.any()
    )


def test_the_limit_is_above_a_small_product():
    x, w = torch.randn(8, 64), torch.randn(64, 64)
    start = time.perf_counter()
    x @ w
    assert common.matmul_peak(torch.float32, seconds=0.2) > 2 * 8 * 64 * 64 / (
        time.perf_counter() - start
    )


def test_peers_answer_in_the_order_of_the_texts():
    class Tok:
        pad_token_id = 0

        def __call__(self, texts, truncation):
            return {"input_ids": [[len(t)] * len(t) for t in texts]}

    def run(ids, mask):
        assert (ids[mask == 0] == 0).all() and (mask.sum(1) == ids[:, 0]).all()
        return np.stack([np.zeros(len(ids)), ids[:, 0]], 1)

    texts = ["aaa", "a", "aaaa", "aa", "aaaaa"]
    assert np.allclose(
        peers.in_batches(run, Tok(), texts, 2)[:, 1], [1 / (1 + np.exp(-len(t))) for t in texts]
    )
    assert peers.by_length([3, 1, 4, 2, 5], 2) == [[1, 3], [0, 2], [4]]


def test_a_mark_is_reached_between_two_evaluations():
    points = [(1, 0.8), (3, 0.6), (4, 0.7), (5, 0.5)]
    assert common.reached(points, 0.7) == pytest.approx(2)
    assert common.reached(points, 0.9) == 1
    assert common.reached(points, 0.55) == pytest.approx(4.75)
    assert common.reached(points, 0.4) is None


def test_readme_tables_hold_the_results():
    text, r = table.table(), table.read("inference")
    for name in r["peak_memory_MB"]:
        if not name.startswith("body"):
            assert str(r["peak_memory_MB"][name]) in text
    assert f"{table.read('first_answer')['times_sooner_than_stock']:.1f} times sooner" in text
    for way, x in table.read("training")["times_the_recipe"].items():
        assert way in text and f"| {x:.3g} |" in text
