"The figures that README quotes, as Markdown, from `benchmarks/results/*.json`."

import json
from pathlib import Path

RESULTS = Path(__file__).parent / "results"
SITE = "https://nlp-tour.github.io/nlp_tour/benchmarks.html"


def read(name):
    return json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))


def grid(head, rows):
    "A Markdown table."
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def source(result):
    "The command that measured, and on what."
    name, m = result["benchmark"].replace("_", "-"), result["machine"]
    hardware = m["gpu"] or m["processor"]
    versions = f"torch {m['torch']}, transformers {m['transformers']}"
    return f"[`make bench-{name}`]({SITE}#{name}); {hardware}, {m['cores']} cores, {versions}."


def label(name):
    "A contender as the table names it."
    return name.replace("stock", "`transformers.pipeline`")


def inference(r):
    "Speed, waste and memory beside the peers, for both kinds of texts."
    kinds = [r["reviews"], r["mixed"]]
    ours = "ours, float32"
    rows = []
    for name in r["reviews"]["times_stock_batch_1"]:
        speeds = [f"{k['times_stock_batch_1'][name]:.1f}" for k in kinds]
        shares = [k["share_of_peak"].get(name) for k in kinds]
        same = min(k["same_labels"][name] for k in kinds)
        memory = r["peak_memory_MB"].get(name, "not measured")
        percents = [f"{share:.0%}" if share else "" for share in shares]
        rows.append([label(name), *speeds, *percents, f"{same:.1%}", memory])
    head = [
        "times the speed of `transformers.pipeline` one by one",
        "reviews",
        "mixed with plots",
        "share of the machine's limit, reviews",
        "mixed",
        "labels as its own",
        "MB at most",
    ]
    vectors = [f"{r[k]['times_sentence_transformers']:.1f} ({k})" for k in ("reviews", "mixed")]
    padding = " and ".join(f"{k['padding'][ours]:.1%}" for k in kinds)
    text = (
        f"{kinds[0]['texts']:,} texts each; padding in our batches {padding}; "
        f"vectors come {' and '.join(vectors)} times as fast as from "
        f"sentence-transformers' `encode`. {source(r)}"
    )
    return f"{grid(head, rows)}\n\n{text}"


def first(r, cli):
    "How soon a fresh process answers."
    script, at_once = cli["times_the_floor"].values()
    seconds = r["seconds"]
    answer = (
        f"A fresh process gives its first answer {r['times_sooner_than_stock']:.1f} times sooner "
        "than `transformers.pipeline` on the same folder "
        f"({seconds['ours']:.1f} s against {seconds['stock']:.1f} s; "
        f"ONNX Runtime without torch needs {seconds['ONNX Runtime, no torch']:.1f} s). {source(r)}"
    )
    command = (
        f'`nlp-tour predict "text"` takes {script:.2f} times as long as a script that imports '
        f"torch and reads the weights, and {at_once:.2f} times as long as one that also ends as "
        f"the command does, without taking torch apart. {source(cli)}"
    )
    return f"{answer}\n\n{command}"


def training(r):
    "Examples a second, and seconds to the same loss."

    def at_the_mark(key, name):
        value = r[key][name]
        return "never" if value is None else f"{value:.0f}"

    rows = []
    for name, times in r["times_the_recipe"].items():
        loss = r["held_out_loss"].get(name)
        rows.append(
            [
                name,
                f"{r['examples_a_second'][name]:.3g}",
                f"{times:.3g}",
                f"{r['times_dynamic_padding'][name]:.2g}",
                at_the_mark("seconds_to_the_mark", name),
                at_the_mark("times_sooner_at_the_mark", name),
                "" if loss is None else f"{loss:.3f}",
                r["peak_memory_MB"].get(name, ""),
            ]
        )
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
    text = (
        f"{r['examples']:,} reviews, {r['seeds']} seeds; the recipe and the loop are timed over "
        f"their first steps, and learn what dynamic padding learns. {source(r)}"
    )
    return f"{grid(head, rows)}\n\n{text}"


def mean_and_deviation(runs):
    "The mean of repeated runs, with their standard deviation where there is more than one."
    if runs is None:
        return ""
    deviation = f" ± {runs['sd']:.3f}" if len(runs["runs"]) > 1 else ""
    return f"{runs['mean']:.3f}{deviation}"


def quality(r):
    "Accuracy at equal numbers of labels."
    sizes = r["accuracy"]
    ways = list(dict.fromkeys(way for found in sizes.values() for way in found))
    rows = [[w, *(mean_and_deviation(a.get(w)) for a in sizes.values())] for w in ways]
    text = (
        f"{r['draws']} draws (one of all labels), {r['texts_tested']} reviews; "
        f"the larger class is {r['majority']:.3f}. {source(r)}"
    )
    return f"{grid(['accuracy on reviews of unseen films', *sizes], rows)}\n\n{text}"


def growth(r, o):
    "Files, and what we cost."
    most = list(r["scoring"])[3]
    rows = most.split(", ")[1]
    more = r["growth_MB_from_a_tenth_to_all"]
    files = (
        f"A file of {rows} goes through a tiny model with {r['scoring'][most]['peak_MB']} MB at "
        f"most, {more:+} MB against a tenth of it; with the embedded model, a file is scored at "
        f"{r['pace_of_files']:.0%} of the pace in memory. {source(r)}"
    )
    speed = o["texts_tokenized_per_second"]
    times = speed["ours"] / speed["datasets.map, batched"]
    cost = (
        f"Beside the bare forward passes ours costs {o['overhead']:.1%} "
        f"({o['microseconds_a_text']:.0f} µs a text); it tokenizes {times:.1f} times as fast as "
        f"`datasets.map`. {source(o)}"
    )
    return f"{files}\n\n{cost}"


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
