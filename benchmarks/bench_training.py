"""How much sooner does fine-tuning reach the loss of the tour's recipe, and than Trainer's defaults
with dynamic padding?

    python benchmarks/bench_training.py [--examples 1200] [--seeds 2] [--recipe-steps 6]

One-sentence reviews of the training films, tested on unseen ones; the embedded MiniLM with a new
head, one epoch, the same examples for all. The mark is the held-out loss at which `Trainer` with
dynamic padding ends, to a thousandth; all are evaluated ten times on the way, outside of their
time. The tour's recipe (all padded to 512) is timed over its first steps, since each costs the
same, and learns what dynamic padding learns, whose gradients are equal: its seconds to the mark are
the other's steps times its own seconds a step. On a GPU, rows of its own."""

import functools
import statistics
import tempfile
import time
import warnings

import torch
import transformers
from common import flops, matmul_peak, options, peak_memory, reached, report
from datasets import DatasetDict

from nlp_tour.base.hardware import pick_device, seed_all
from nlp_tour.data.reviews import reviews
from nlp_tour.data.tokenized import tokenize_dataset
from nlp_tour.hub.loading import load
from nlp_tour.trainer import finetune

warnings.simplefilter("ignore")
transformers.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()
SAME = {"batch_size": 8, "lr": 5e-5, "warmup_steps": 0}  # as Trainer's defaults
WAYS = {
    "finetune, same settings, fp32": SAME | {"precision": "fp32", "group_by_length": False},
    "finetune, same settings": SAME | {"group_by_length": False},
    "finetune, same settings, grouped by length": SAME,
    "finetune, group_by_length=False": {"group_by_length": False},
    "finetune": {},
}
MARKS = 10


def start(seed):
    seed_all(seed)
    return load("bert-base-cased", "text-classification", labels=["NEGATIVE", "POSITIVE"])


def corpus(examples, seed, held=300):
    splits = reviews()
    return DatasetDict(
        train=splits["train"].shuffle(seed=seed).select(range(examples)),
        test=splits["test"].shuffle(seed=seed).select(range(held)),
    )


class Watch:
    "Notes when each evaluation ends; it measures nothing itself."

    def __init__(self):
        self.ends = []

    def __call__(self, answers):
        self.ends.append(time.perf_counter())
        return {}


def curve(begin, watch, logs):
    "(seconds of training, held-out loss) at each evaluation, the evaluations' own time taken out."
    rows = [row for row in logs if "eval_loss" in row]
    found, spent = [], 0
    for end, row in zip(watch.ends, rows):
        spent += row["eval_runtime"]
        found.append((end - begin - spent, row["eval_loss"]))
    return found


def stock(data, seed):
    "transformers' own Trainer with its defaults and dynamic padding."
    (model, tok), watch = start(seed), Watch()
    args = transformers.TrainingArguments(
        tempfile.mkdtemp(),
        num_train_epochs=1,
        seed=seed,
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
        use_cpu=not torch.cuda.is_available(),
        eval_strategy="steps",
        eval_steps=1 / MARKS,
        logging_strategy="no",
        per_device_eval_batch_size=32,
    )
    begin = time.perf_counter()
    trainer = transformers.Trainer(
        model=model,
        args=args,
        train_dataset=tokenize_dataset(data["train"], tok),
        eval_dataset=tokenize_dataset(data["test"], tok),
        processing_class=tok,
        compute_metrics=watch,
    )
    trainer.train()
    return curve(begin, watch, trainer.state.log_history)


def ours(data, seed, **how):
    "The same with `finetune`."
    (model, tok), watch = start(seed), Watch()
    with tempfile.TemporaryDirectory() as out:
        begin = time.perf_counter()
        history = finetune(
            model,
            tok,
            data,
            out,
            seed=seed,
            progress=False,
            save_steps=0,
            save_strategy="no",
            eval_strategy="steps",
            eval_steps=1 / MARKS,
            compute_metrics=watch,
            **how,
        )
    return curve(begin, watch, history.evaluations)


def padded(data, tok):
    return data.map(lambda b: tok(b["text"], padding="max_length", truncation=True), batched=True)


def recipe(steps, seed=0):
    "Seconds a step of the tour's recipe with Trainer."
    model, tok = start(seed)
    args = transformers.TrainingArguments(
        tempfile.mkdtemp(),
        max_steps=steps,
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
        use_cpu=not torch.cuda.is_available(),
    )
    trainer = transformers.Trainer(
        model=model,
        args=args,
        train_dataset=padded(corpus(8 * steps, seed, 8)["train"], tok),
        processing_class=tok,
    )
    begin = time.perf_counter()
    trainer.train()
    return (time.perf_counter() - begin) / steps


def recipe_loop(steps, seed=0):
    """Seconds a step of the tour's loop in plain PyTorch; its AdamW, gone today, had one kernel for
    each tensor."""
    model, tok = start(seed)
    rows = (
        padded(corpus(8 * steps, seed, 8)["train"], tok)
        .rename_column("label", "labels")
        .with_format("torch", columns=["input_ids", "attention_mask", "token_type_ids", "labels"])
    )
    device, optimizer = pick_device(), torch.optim.AdamW(model.parameters(), lr=5e-5, foreach=False)
    model.to(device).train()
    begin = time.perf_counter()
    for batch in torch.utils.data.DataLoader(rows, shuffle=True, batch_size=8):
        model(**{k: v.to(device) for k, v in batch.items()}).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    return (time.perf_counter() - begin) / steps


PEAKS = {
    "the tour's recipe": "b.recipe(2)",
    "Trainer, dynamic padding": "b.stock(b.corpus(160, 0, 32), 0)",
    "finetune": "b.ours(b.corpus(160, 0, 32), 0)",
    "finetune, same settings, fp32": (
        "b.ours(b.corpus(160, 0, 32), 0, **b.WAYS['finetune, same settings, fp32'])"
    ),
}


SIZES = {  # of an encoder, as transformers names them
    "num_hidden_layers": 12,
    "hidden_size": 768,
    "intermediate_size": 3072,
    "num_attention_heads": 12,
}


def step_speed(device, dtype, compiled, rows=64, length=128, steps=20, sizes=SIZES):
    """Of whole steps of a BERT-base with random weights, tokens a second and model FLOPs
    utilisation: 3 forward passes by the limit measured for a product of matrices. The device is not
    waited for between steps."""
    config = transformers.BertConfig(**sizes)
    model = transformers.BertForSequenceClassification(config).to(device).train()
    run = torch.compile(model) if compiled else model
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, fused=True)
    scaler = torch.amp.GradScaler(device.type, enabled=dtype == "float16")
    batch = {
        "input_ids": torch.randint(1000, 2000, (rows, length), device=device),
        "labels": torch.zeros(rows, dtype=torch.long, device=device),
    }
    wait = torch.cuda.synchronize if device.type == "cuda" else lambda: None
    half = {"dtype": getattr(torch, dtype), "enabled": dtype != "float32"}
    for i in range(steps + 3):
        if i == 3:
            wait()
            begin = time.perf_counter()
        with torch.autocast(device.type, **half):
            loss = run(**batch).loss
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        optimizer.zero_grad()
    wait()
    seconds = (time.perf_counter() - begin) / steps
    layers, width, inner = list(sizes.values())[:3]
    needed = 3 * flops([length] * rows, layers, width, inner) / seconds
    limit = matmul_peak(half["dtype"], device=device)
    return {
        "tokens_per_second": round(rows * length / seconds),
        "utilisation": round(needed / limit, 3),
    }


def on_gpu(device):
    "Rows for a GPU: each type of numbers, and bfloat16 compiled."
    found = {d: step_speed(device, d, compiled=False) for d in ("float32", "float16", "bfloat16")}
    return found | {"bfloat16, compiled": step_speed(device, "bfloat16", compiled=True)}


RECIPES = {"the tour's recipe": recipe, "the tour's loop": recipe_loop}
DYNAMIC = "Trainer, dynamic padding"
CONTENDERS = {DYNAMIC: stock} | {name: functools.partial(ours, **how) for name, how in WAYS.items()}


def measure(examples, seeds, recipe_steps):
    "Name -> the curve of each seed, and name -> the seconds a step of each seed for the recipes."
    found = {name: [] for name in CONTENDERS}
    a_step = {name: [] for name in RECIPES}
    for seed in range(seeds):
        data = corpus(examples, seed)
        for name, work in RECIPES.items():
            a_step[name].append(work(recipe_steps, seed))
        for name, work in CONTENDERS.items():
            found[name].append(work(data, seed))
            print(name, seed, found[name][-1], flush=True)
    return found, a_step


def mean_of_ends(curves, which):
    "The mean over seeds of the last time (0) or the last loss (1)."
    return statistics.mean(points[-1][which] for points in curves)


def mean_curve(curves):
    "The mean curve over seeds."
    found = []
    for evaluations in zip(*curves):
        seconds, losses = zip(*evaluations)
        found.append([round(statistics.mean(seconds), 2), round(statistics.mean(losses), 4)])
    return found


def times_to_the_mark(found, whole, marks):
    "Mean seconds until each is at the mark of its seed; None for one that never is."
    to_mark = {}
    for name, curves in found.items():
        seconds = [reached(points, mark) for points, mark in zip(curves, marks)]
        to_mark[name] = None if None in seconds else statistics.mean(seconds)
    share = to_mark[DYNAMIC] / whole[DYNAMIC]
    return {name: whole[name] * share for name in RECIPES} | to_mark


def plots(found):
    "The curves of the benchmark page."
    lines = {name: mean_curve(curves) for name, curves in found.items()}
    plot = {"x": "seconds", "y": "held-out loss", "log_x": True, "log_y": False, "lines": lines}
    return {"held-out loss by seconds of training": plot}


def notes(recipe_steps):
    "What to know about the rows."
    timed = f"timed over {recipe_steps} steps a seed; they learn what dynamic padding learns"
    return {"the tour's recipe and loop": timed}


if __name__ == "__main__":
    args = options(__doc__, examples=1200, seeds=2, recipe_steps=6)
    found, a_step = measure(args.examples, args.seeds, args.recipe_steps)
    steps = args.examples / 8
    marks = [points[-1][1] + 0.001 for points in found[DYNAMIC]]
    whole = {name: statistics.mean(seconds) * steps for name, seconds in a_step.items()}
    whole |= {name: mean_of_ends(curves, 0) for name, curves in found.items()}
    tour, dynamic = whole["the tour's recipe"], whole[DYNAMIC]
    to_mark = times_to_the_mark(found, whole, marks)
    tour_to_mark = to_mark["the tour's recipe"]
    peaks = {k: peak_memory(f"import bench_training as b; {code}") for k, code in PEAKS.items()}
    figures = {
        "examples": args.examples,
        "seeds": args.seeds,
        "mark": round(statistics.mean(marks), 4),
        "examples_a_second": {k: round(args.examples / v, 1) for k, v in whole.items()},
        "times_the_recipe": {k: round(tour / v, 1) for k, v in whole.items()},
        "times_dynamic_padding": {k: round(dynamic / v, 2) for k, v in whole.items()},
        "seconds_to_the_mark": {k: v and round(v, 1) for k, v in to_mark.items()},
        "times_sooner_at_the_mark": {
            k: v and round(tour_to_mark / v, 1) for k, v in to_mark.items()
        },
        "held_out_loss": {k: round(mean_of_ends(v, 1), 4) for k, v in found.items()},
        "peak_memory_MB": peaks,
        "curves": plots(found),
        "notes": notes(args.recipe_steps),
    }
    figures["gpu"] = "not run: torch sees no GPU on this machine"
    if torch.cuda.is_available():
        figures["gpu"] = on_gpu(pick_device())
    report("training", figures, "accelerate")
