"The figures that README quotes, as Markdown, from `benchmarks/results/*.json`."
import json
from pathlib import Path

RESULTS = Path(__file__).parent/"results"


def read(name): return json.loads((RESULTS/f"{name}.json").read_text(encoding="utf-8"))


def measured_on(result):
    "Machine and versions of a result."
    m = result["machine"]
    return f"{m['gpu'] or m['processor']}, {m['cores']} cores, torch {m['torch']}, transformers {m['transformers']}"


def inference(r):
    "Speed against the stock pipeline, for both kinds of texts."
    kinds = ("reviews", "mixed")
    rows = ["| times the speed of `transformers.pipeline` one by one | one-sentence reviews | mixed with plots | labels as in float32 |", "|---|---|---|---|"]
    rows.append(f"| `transformers.pipeline` at its best batch size | {' | '.join(format(r[k]['times_stock_batch_1'][r[k]['best_stock']], '.1f') + ' (' + r[k]['best_stock'].split(', ')[1] + ')' for k in kinds)} | |")
    for name in (n for n in r["reviews"]["times_stock_batch_1"] if not n.startswith("stock")):
        agree = [r[k]["agreement"][name]["same_labels"] for k in kinds] if name in r["reviews"]["agreement"] else []
        rows.append(f"| {name} | {' | '.join(format(r[k]['times_stock_batch_1'][name], '.1f') for k in kinds)} | {f'{min(agree):.1%}' if agree else ''} |")
    return "\n".join(rows) + f"\n\n{r['reviews']['texts']:,} texts each; padding in our batches {r['reviews']['padding_in_our_batches']:.1%} and {r['mixed']['padding_in_our_batches']:.1%}; `python benchmarks/bench_inference.py`; {measured_on(r)}."


def training(r):
    "Examples a second against the tour's recipe."
    rows = ["| one epoch of fine-tuning | times the tour's recipe | times Trainer with dynamic padding | held-out loss |", "|---|---|---|---|"]
    rows += [f"| {n} | {x:.0f} | {r['times_dynamic_padding'][n]:.1f} | {r['held_out_loss'][n]:.3f} |" for n, x in r["times_the_recipe"].items()]
    return "\n".join(rows) + f"\n\n{r['examples']} reviews; the recipe is timed over ten steps; `python benchmarks/bench_training.py`; {measured_on(r)}."


def first(r):
    return f"A fresh process gives its first answer {r['times_sooner_than_stock']:.1f} times sooner than `transformers.pipeline` on the same folder ({r['seconds']['ours']:.1f} s against {r['seconds']['stock']:.1f} s; `python benchmarks/bench_first_answer.py`; {measured_on(r)})."


def table():
    "All of it."
    return "\n\n".join([inference(read("inference")), first(read("first_answer")), training(read("training"))])


if __name__ == "__main__": print(table())
