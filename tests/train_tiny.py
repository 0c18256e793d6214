"""A tiny training as a program, for tests that kill it or start it twice:
`python train_tiny.py trainer|loop OUT [--rows N] [--batch N] [--report FILE] [--slow SECONDS]`."""

# ruff: noqa: E402 (a wrong argument is refused before torch is loaded)
import argparse
import json
import os
import time
import warnings

os.environ.setdefault("NLP_TOUR_OFFLINE", "1")
cli = argparse.ArgumentParser()
cli.add_argument("way", choices=["trainer", "loop"])
cli.add_argument("out")
cli.add_argument("--rows", type=int, default=64)
cli.add_argument("--batch", type=int, default=8)
cli.add_argument("--dropout", type=float, default=0.1)
cli.add_argument("--report")
cli.add_argument(
    "--slow",
    type=float,
    default=0.0,
    help="seconds to wait in each step, so that there is time to be killed",
)
cli.add_argument("--limit", type=int, help="bytes that a file may have: a full disk")
args = cli.parse_args()

import torch
from datasets import ClassLabel, Dataset, DatasetDict, Features, Value
from safetensors.torch import save_file
from tiny_encoders import WORDS, corpus, wrap
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    DataCollatorWithPadding,
    get_scheduler,
)

torch.set_num_threads(1)
warnings.simplefilter("ignore")


def model():
    torch.manual_seed(0)
    return BertForSequenceClassification(
        BertConfig(
            vocab_size=len(tok),
            hidden_size=16,
            intermediate_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            max_position_embeddings=64,
            hidden_dropout_prob=args.dropout,
            attention_probs_dropout_prob=args.dropout,
            num_labels=2,
        )
    ).eval()


def words():
    "Whole words; a trained tokenizer is not the same in each process."
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    vocabulary = dict.fromkeys([*special, *WORDS, *map(str, range(100))])
    ids = {word: i for i, word in enumerate(vocabulary)}
    rust = Tokenizer(models.WordLevel(ids, unk_token="[UNK]"))
    rust.pre_tokenizer = pre_tokenizers.Whitespace()
    rust.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return rust


tok = wrap(words())
texts = [f"{t} {i}" for i, t in enumerate(corpus(n=args.rows + 21))]
data = Dataset.from_dict(
    {"text": texts, "label": [i % 2 for i in range(len(texts))]},
    Features(text=Value("string"), label=ClassLabel(names=["odd", "even"])),
)
# The 21 test rows do not divide evenly.
data = DatasetDict(
    train=data.select(range(args.rows)), test=data.select(range(args.rows, len(texts)))
)
if args.limit:
    import resource
    import signal

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (args.limit, args.limit))
net = model()


def slowly(*_, **__):
    print("step", flush=True)
    time.sleep(args.slow)


if args.way == "trainer":
    from nlp_tour.trainer import finetune
    from nlp_tour.training.callbacks import GracefulStop

    GracefulStop.on_optimizer_step = slowly
    history = finetune(
        net,
        tok,
        data,
        args.out,
        epochs=3,
        lr=1e-3,
        batch_size=args.batch,
        progress=False,
        precision="fp32",
        save_steps=5,
        logging_steps=1,
        per_device_eval_batch_size=4,
    )
    losses = [loss for _, loss in history.losses]
    last = history.evaluations[-1]
    scores = {"accuracy": last["eval_accuracy"], "loss": last["eval_loss"]}
    main = int(os.environ.get("RANK", 0)) == 0
else:
    from nlp_tour.base.hardware import seed_all
    from nlp_tour.data.tokenized import tokenize_dataset
    from nlp_tour.metrics.scores import load_metric
    from nlp_tour.native_loop import evaluate, train
    from nlp_tour.training.checkpoints import new_accelerator
    from nlp_tour.training.optimizer import AdamW

    rows, collate = tokenize_dataset(data, tok), DataCollatorWithPadding(tok)
    seed_all(42)
    batches = torch.utils.data.DataLoader(
        rows["train"], batch_size=args.batch, shuffle=True, collate_fn=collate
    )
    optimizer = AdamW(net.parameters(), lr=1e-3)
    optimizer.register_step_post_hook(slowly)
    accelerator = new_accelerator(cpu=True)
    losses = train(
        net,
        batches,
        optimizer,
        get_scheduler("linear", optimizer, len(batches) // 4, 3 * len(batches)),
        epochs=3,
        progress=False,
        accelerator=accelerator,
        out=args.out,
        save_steps=5,
    )
    test = torch.utils.data.DataLoader(rows["test"], batch_size=4, collate_fn=collate)
    scores = evaluate(net, test, load_metric("accuracy"), accelerator)
    main = accelerator.is_main_process
if args.report and main:
    weights = {k: v.clone() for k, v in net.state_dict().items()}
    save_file(weights, args.report + ".safetensors")
    with open(args.report, "w") as f:
        json.dump({"losses": losses, "scores": scores}, f)
