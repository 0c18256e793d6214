"""How much sooner does fine-tuning reach the same held-out loss than by the tour's recipe, and than by Trainer's defaults with dynamic padding?

    python benchmarks/bench_training.py [--examples 640] [--recipe-steps 10] [--seeds 1]

One-sentence reviews of the training films, tested on unseen films; the embedded MiniLM with a new head, one epoch, the same examples for all, batches of 8.
The tour's recipe (all padded to 512) is timed over its first steps, since each costs the same: what it learns is what dynamic padding learns, whose gradients are equal.
All in one process, in turn, from the same start."""
import argparse, statistics, tempfile, time, warnings

from common import report

import torch, transformers
from datasets import DatasetDict

from nlp_tour.core import seed_all
from nlp_tour.data import reviews, tokenize_dataset
from nlp_tour.model import load
from nlp_tour.trainer import Trainer, TrainingArguments, finetune

warnings.simplefilter("ignore")
transformers.logging.set_verbosity_error()


def start(seed):
    seed_all(seed)
    return load("bert-base-cased", "text-classification", labels=["NEGATIVE", "POSITIVE"])


def stock(data, seed, padded, steps=-1):
    "transformers' own Trainer with its defaults, as the tour writes it; seconds of training, and the held-out loss."
    model, tok = start(seed)
    rows = {k: v.map(lambda b: tok(b["text"], padding="max_length", truncation=True), batched=True) if padded else tokenize_dataset(v, tok) for k, v in data.items()}
    args = transformers.TrainingArguments(tempfile.mkdtemp(), per_device_train_batch_size=8, num_train_epochs=1, max_steps=steps, seed=seed, save_strategy="no", report_to=[], disable_tqdm=True, use_cpu=not torch.cuda.is_available())
    trainer = transformers.Trainer(model=model, args=args, train_dataset=rows["train"], processing_class=tok)
    begin = time.perf_counter()
    trainer.train()
    seconds = time.perf_counter() - begin
    return seconds, None if padded else trainer.evaluate(tokenize_dataset(data["test"], tok))["eval_loss"]


def ours(data, seed, **how):
    "The same with `finetune`; evaluated once, outside of the time."
    model, tok = start(seed)
    with tempfile.TemporaryDirectory() as out:
        begin = time.perf_counter()
        history = finetune(model, tok, data, out, seed=seed, progress=False, save_steps=0, save_strategy="no", **how)
        seconds = time.perf_counter() - begin - history.evaluations[-1]["eval_runtime"]
    return seconds, history.evaluations[-1]["eval_loss"]


if __name__ == "__main__":
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_argument("--examples", type=int, default=640)
    cli.add_argument("--recipe-steps", type=int, default=10)
    cli.add_argument("--seeds", type=int, default=1)
    options = cli.parse_args()
    contenders = {"Trainer, dynamic padding": lambda d, s: stock(d, s, False),
                  "finetune, same settings, fp32": lambda d, s: ours(d, s, batch_size=8, lr=5e-5, warmup_steps=0, precision="fp32", like_length=False),
                  "finetune, same settings, like length": lambda d, s: ours(d, s, batch_size=8, lr=5e-5, warmup_steps=0),
                  "finetune, same settings": lambda d, s: ours(d, s, batch_size=8, lr=5e-5, warmup_steps=0, like_length=False),
                  "finetune": ours, "finetune, like_length=False": lambda d, s: ours(d, s, like_length=False)}
    seconds, losses, recipe = {k: [] for k in contenders}, {k: [] for k in contenders}, []
    for seed in range(options.seeds):
        splits = reviews()
        data = DatasetDict(train=splits["train"].shuffle(seed=seed).select(range(options.examples)), test=splits["test"].shuffle(seed=seed).select(range(1000)))
        few = DatasetDict(train=data["train"].select(range(8 * options.recipe_steps)))
        recipe.append(stock(few, seed, True, options.recipe_steps)[0] / options.recipe_steps * options.examples / 8)
        for name, work in contenders.items():
            s, loss = work(data, seed)
            seconds[name].append(s)
            losses[name].append(loss)
    mean = {k: statistics.mean(v) for k, v in seconds.items()}
    tour, dynamic = statistics.mean(recipe), mean["Trainer, dynamic padding"]
    report("training", dict(examples=options.examples, seeds=options.seeds, seconds={"the tour's recipe": round(tour, 1)} | {k: round(v, 2) for k, v in mean.items()},
        examples_a_second={k: round(options.examples / v, 1) for k, v in ({"the tour's recipe": tour} | mean).items()},
        times_the_recipe={k: round(tour / v, 1) for k, v in mean.items()}, times_dynamic_padding={k: round(dynamic / v, 2) for k, v in mean.items()},
        held_out_loss={k: round(statistics.mean(v), 4) for k, v in losses.items()}))
