"The figures that README quotes, as Markdown, from `benchmarks/results/*.json`."

import json
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


def read(name):
    return json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))


def grid(head, rows):
    "A Markdown table."
    return "\n".join(
        f"| {' | '.join(map(str, row))} |" for row in [head, ["---"] * len(head), *rows]
    )


def source(result):
    "The command that measured, and on what."
    name, m = result["benchmark"], result["machine"]
    return f"[`make bench-{name.replace('_', '-')}`](https://nlp-tour.github.io/nlp_tour/benchmarks.html#{name.replace('_', '-')}); {m['gpu'] or m['processor']}, {m['cores']} cores, torch {m['torch']}, transformers {m['transformers']}."


def inference(r):
    "Speed, waste and memory beside the peers, for both kinds of texts."
    kinds, rows = ("reviews", "mixed"), []

    def cells(name):
        return [
            *(f"{r[k]['times_stock_batch_1'][name]:.1f}" for k in kinds),
            *(f"{s:.0%}" if (s := r[k]["share_of_peak"].get(name)) else "" for k in kinds),
            f"{min(r[k]['same_labels'][name] for k in kinds):.1%}",
            r["peak_memory_MB"].get(name, "not measured"),
        ]

    stock = [n for n in r["reviews"]["times_stock_batch_1"] if n.startswith("stock")]
    for name in r["reviews"]["times_stock_batch_1"]:
        rows.append(
            [
                name.replace("stock", "`transformers.pipeline`") if name in stock else name,
                *cells(name),
            ]
        )
    head = [
        "times the speed of `transformers.pipeline` one by one",
        "reviews",
        "mixed with plots",
        "share of the machine's limit, reviews",
        "mixed",
        "labels as its own",
        "MB at most",
    ]
    vectors = " and ".join(f"{r[k]['times_sentence_transformers']:.1f} ({k})" for k in kinds)
    return (
        grid(head, rows)
        + f"""

{r["reviews"]["texts"]:,} texts each; padding in our batches {r["reviews"]["padding"]["ours, float32"]:.1%} and {r["mixed"]["padding"]["ours, float32"]:.1%}; vectors come {vectors} times as fast as from sentence-transformers' `encode`. {source(r)}"""
    )


def first(r, cli):
    "How soon a fresh process answers."
    script, at_once = cli["times_the_floor"].values()
    return f"""A fresh process gives its first answer {r["times_sooner_than_stock"]:.1f} times sooner than `transformers.pipeline` on the same folder ({r["seconds"]["ours"]:.1f} s against {r["seconds"]["stock"]:.1f} s; ONNX Runtime without torch needs {r["seconds"]["ONNX Runtime, no torch"]:.1f} s). {source(r)}

`nlp-tour predict "text"` takes {script:.2f} times as long as a script that imports torch and reads the weights, and {at_once:.2f} times as long as one that also ends as the command does, without taking torch apart. {source(cli)}"""


def training(r):
    "Examples a second, and seconds to the same loss."

    def dash(v, form):
        return "never" if v is None else format(v, form)

    rows = [
        [
            n,
            f"{r['examples_a_second'][n]:.3g}",
            f"{x:.3g}",
            f"{r['times_dynamic_padding'][n]:.2g}",
            dash(r["seconds_to_the_mark"][n], ".0f"),
            dash(r["times_sooner_at_the_mark"][n], ".0f"),
            f"{r['held_out_loss'][n]:.3f}" if n in r["held_out_loss"] else "",
            r["peak_memory_MB"].get(n, ""),
        ]
        for n, x in r["times_the_recipe"].items()
    ]
    head = [
        "one epoch of fine-tuning",
        "examples a second",
        "times the tour's recipe",
        "times Trainer with dynamic padding",
        f"seconds to a held-out loss of {r['mark']:.3f}",
        "times sooner than the recipe",
        "loss at the end",
        "MB at most",
    ]
    return (
        grid(head, rows)
        + f"\n\n{r['examples']:,} reviews, {r['seeds']} seeds; the recipe and the loop are timed over their first steps, and learn what dynamic padding learns. {source(r)}"
    )


def quality(r):
    "Accuracy at equal numbers of labels."
    ways = list(dict.fromkeys(w for found in r["accuracy"].values() for w in found))
    rows = [
        [
            w,
            *(
                f"{a[w]['mean']:.3f}" + f" ± {a[w]['sd']:.3f}" * (len(a[w]["runs"]) > 1)
                if w in a
                else ""
                for a in r["accuracy"].values()
            ),
        ]
        for w in ways
    ]
    return (
        grid(["accuracy on reviews of unseen films", *r["accuracy"]], rows)
        + f"\n\n{r['draws']} draws (one of all labels), {r['texts_tested']} reviews; the larger class is {r['majority']:.3f}. {source(r)}"
    )


def growth(r, o):
    "Files, and what we cost."
    most = list(r["scoring"])[3]
    return f"""A file of {most.split(", ")[1]} goes through a tiny model with {r["scoring"][most]["peak_MB"]} MB at most, {r["growth_MB_from_a_tenth_to_all"]:+} MB against a tenth of it; with the embedded model, a file is scored at {r["pace_of_files"]:.0%} of the pace in memory. {source(r)}

Beside the bare forward passes ours costs {o["overhead"]:.1%} ({o["microseconds_a_text"]:.0f} µs a text); it tokenizes {o["texts_tokenized_per_second"]["ours"] / o["texts_tokenized_per_second"]["datasets.map, batched"]:.1f} times as fast as `datasets.map`. {source(o)}"""


def table():
    "All of it."
    return "\n\n".join(
        [
            inference(read("inference")),
            first(read("first_answer"), read("cli")),
            training(read("training")),
            quality(read("quality")),
            growth(read("growth"), read("overhead")),
        ]
    )


if __name__ == "__main__":
    print(table())
