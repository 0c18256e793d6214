"Training on tiny models: both ways are equal, the best weights are kept, and errors lose nothing."

import json
import math
import shutil
import signal
import warnings
from unittest.mock import patch

import numpy as np
import pandas as pd
import pytest
import torch
from datasets import ClassLabel, Dataset, DatasetDict
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_encoders import corpus, wordpiece, wrap
from torch.utils.data import DataLoader
from transformers import (
    BertConfig,
    BertForQuestionAnswering,
    BertForSequenceClassification,
    BertForTokenClassification,
    DataCollatorWithPadding,
    TrainerCallback,
    get_scheduler,
)

from nlp_tour.base import errors
from nlp_tour.base.errors import InputError
from nlp_tour.base.hardware import seed_all
from nlp_tour.beyond.lora import add_lora, set_dropout
from nlp_tour.beyond.sweep import lr_sweep
from nlp_tour.data.datasets import load_data
from nlp_tour.data.labels import split_fairly
from nlp_tour.data.tokenized import tokenize_dataset
from nlp_tour.hub.loading import load
from nlp_tour.hub.weights import sample_weight
from nlp_tour.metrics.scores import metrics
from nlp_tour.native_loop import train
from nlp_tour.trainer import finetune
from nlp_tour.training import trainer_2021
from nlp_tour.training.arguments_2021 import TrainingArguments
from nlp_tour.training.checkpoints import RepeatableSampler, last_checkpoint
from nlp_tour.training.encodings import encode
from nlp_tour.training.history import History, Runs, train_seeds
from nlp_tour.training.optimizer import AdamW
from nlp_tour.training.trainer_2021 import Trainer

pytestmark = pytest.mark.usefixtures("one_thread")
warnings.simplefilter("ignore")
TOK, TEXTS = wrap(wordpiece()), [f"{t} {i}" for i, t in enumerate(corpus(n=80))]


def model(cls=BertForSequenceClassification, labels=2, dropout=0.1, seed=0):
    torch.manual_seed(seed)
    return cls(
        BertConfig(
            vocab_size=220,
            hidden_size=16,
            intermediate_size=32,
            num_hidden_layers=1,
            num_attention_heads=2,
            max_position_embeddings=64,
            hidden_dropout_prob=dropout,
            attention_probs_dropout_prob=dropout,
            num_labels=labels,
        )
    ).eval()


def two_classes(train=48, test=16):
    rows = Dataset.from_dict(
        {"text": TEXTS[: train + test], "label": [i % 2 for i in range(train + test)]}
    ).cast_column("label", ClassLabel(names=["odd", "even"]))
    return DatasetDict(
        train=rows.select(range(train)), test=rows.select(range(train, train + test))
    )


@pytest.mark.parametrize(
    "size, pieces, clip, rows",
    [(8, 1, 1.0, 48), (4, 3, 0.1, 48), (5, 2, 1e6, 48), (16, 4, 1.0, 47)],
)
def test_trainer_and_the_loop_are_the_same_computation(size, pieces, clip, rows, tmp_path):
    data = tokenize_dataset(two_classes(rows)["train"], TOK)

    def begin():
        net = model()
        seed_all(3)
        return net

    first = begin()
    args = TrainingArguments(
        str(tmp_path),
        use_cpu=True,
        seed=3,
        num_train_epochs=3,
        per_device_train_batch_size=size,
        gradient_accumulation_steps=pieces,
        learning_rate=1e-3,
        max_grad_norm=clip,
        adam_epsilon=1e-6,
        logging_steps=1,
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
    )
    trainer = Trainer(
        model=first, args=args, train_dataset=data, data_collator=DataCollatorWithPadding(TOK)
    )
    trainer.train()
    theirs = History(trainer.state.log_history).losses
    second = begin()
    optimizer = AdamW(second.parameters(), lr=1e-3)
    ours = train(
        second,
        DataLoader(data, batch_size=size, shuffle=True, collate_fn=DataCollatorWithPadding(TOK)),
        optimizer,
        get_scheduler("linear", optimizer, 0, len(theirs)),
        epochs=3,
        max_grad_norm=clip,
        accumulate=pieces,
        progress=False,
    )
    assert ours == [v for _, v in theirs]
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters()))


def test_the_best_weights_are_kept_and_a_run_without_progress_ends_early(tmp_path):
    data, net = two_classes(), model()
    history = finetune(
        net,
        TOK,
        data,
        tmp_path,
        epochs=12,
        lr=0.02,
        patience=2,
        progress=False,
        precision="fp32",
        batch_size=8,
    )
    losses = [e["eval_loss"] for e in history.evaluations]
    assert len(losses) < 12 and losses.index(min(losses)) == len(losses) - 3
    rows = encode(data["test"], TOK, net)
    with torch.no_grad():
        now = net(**DataCollatorWithPadding(TOK)([rows[i] for i in range(len(rows))])).loss.item()
    assert abs(now - min(losses)) < 1e-5 and not net.training


def test_seeds_give_a_mean_and_a_spread_and_leave_the_first_runs_weights(tmp_path):
    data, alone, several = two_classes(), model(), model()
    how = {"epochs": 2, "progress": False, "lr": 1e-3, "precision": "fp32"}
    finetune(alone, TOK, data, tmp_path / "alone", **how)
    several.untrained_weights = {
        n: sample_weight(several.state_dict()[n]) for n in ("classifier.weight", "classifier.bias")
    }
    runs = finetune(several, TOK, data, tmp_path / "several", seeds=3, **how)
    assert isinstance(runs, Runs) and len(runs) == 3
    assert runs.seeds == [42, 43, 44] == list(runs.df["seed"])
    mean, sd = runs.scores["eval_loss"]
    assert sd > 0 and abs(mean - runs.df["eval_loss"].mean()) < 1e-9 and "±" in repr(runs)
    assert all(torch.equal(a, b) for a, b in zip(alone.parameters(), several.parameters()))


KINDS = {
    "labels": (
        BertForSequenceClassification,
        2,
        {"text": TEXTS, "label": [["a"], ["a", "b"]] * 40},
    ),
    "number": (
        BertForSequenceClassification,
        1,
        {"text": TEXTS, "label": [i / 8 for i in range(80)]},
    ),
    "pairs": (
        BertForSequenceClassification,
        2,
        {"premise": TEXTS, "hypothesis": TEXTS[::-1], "label": ["no", "yes"] * 40},
    ),
    "tags": (
        BertForTokenClassification,
        2,
        {
            "tokens": [t.split()[:6] for t in TEXTS],
            "tags": [["B-X", *["O"] * (len(t.split()[:6]) - 1)] for t in TEXTS],
        },
    ),
    "answers": (
        BertForQuestionAnswering,
        2,
        {
            "question": ["Which one?"] * 80,
            "context": [t * 3 for t in TEXTS],
            "answers": [t.split()[0] for t in TEXTS],
        },
    ),
}
SCORES = {
    "labels": "eval_f1",
    "number": "eval_mse",
    "pairs": "eval_accuracy",
    "tags": "eval_overall_f1",
    "answers": "eval_exact_match",
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_data_learns(kind, tmp_path):
    cls, labels, table = KINDS[kind]
    net = model(cls, labels, dropout=0)
    history = finetune(
        net,
        TOK,
        load_data(pd.DataFrame(table)),
        tmp_path,
        epochs=3,
        lr=5e-3,
        progress=False,
        precision="fp32",
        logging_steps=1,
    )
    losses = [v for _, v in history.losses]
    assert sum(losses[-4:]) < sum(losses[:4])
    assert SCORES[kind] in history.evaluations[-1]


def test_a_nan_loss_keeps_the_last_good_checkpoint(tmp_path):
    class Poison(TrainerCallback):
        def on_step_end(self, args, state, control, model=None, **kwargs):
            if state.global_step == 9:
                model.classifier.weight.data[0, 0] = float("nan")

    net = model()
    with (
        patch.object(trainer_2021, "progress_callbacks", lambda progress: [Poison()]),
        pytest.raises(
            InputError, match=r"the loss is nan at step 9 on rows [\d, ]+ of the training data"
        ),
    ):
        finetune(
            net,
            TOK,
            two_classes(),
            tmp_path,
            epochs=3,
            batch_size=8,
            progress=False,
            precision="fp32",
        )
    good = last_checkpoint(tmp_path)
    assert good.endswith("checkpoint-6")
    weights = BertForSequenceClassification.from_pretrained(good).parameters()
    assert all(torch.isfinite(w).all() for w in weights)


def test_ctrl_c_saves_gives_the_mode_back_and_goes_on_to_the_same_weights(tmp_path):
    class Press(TrainerCallback):
        def on_step_end(self, args, state, control, **kwargs):
            if state.global_step == 7:
                signal.raise_signal(signal.SIGINT)

    data = two_classes()
    how = {"epochs": 3, "batch_size": 8, "progress": False, "precision": "fp32"}
    straight, net = model(), model()
    finetune(straight, TOK, data, tmp_path / "straight", **how)
    with (
        patch.object(trainer_2021, "progress_callbacks", lambda progress: [Press()]),
        pytest.raises(KeyboardInterrupt),
    ):
        finetune(net, TOK, data, tmp_path / "run", **how)
    assert not net.training
    # Heard after step 7, obeyed at the end of the next.
    assert last_checkpoint(tmp_path / "run").endswith("-8")
    again = model()
    finetune(again, TOK, data, tmp_path / "run", **how)
    assert all(torch.equal(a, b) for a, b in zip(straight.parameters(), again.parameters()))


BAD = {
    "an empty text in the first row": (
        lambda d: d | {"train": Dataset.from_dict({"text": ["", "a"], "label": [0, 1]})},
        "row 0 (the first is 0) of train has no text",
    ),
    "no training rows": (lambda d: d | {"train": d["train"].select([])}, "no train split"),
    "no test rows": (lambda d: {"train": d["train"]}, "no validation or test split"),
    "an empty text": (
        lambda d: d | {"train": Dataset.from_dict({"text": ["a", ""], "label": [0, 1]})},
        "row 1 (the first is 0) of train has no text",
    ),
    "a label too high": (
        lambda d: d | {"train": Dataset.from_dict({"text": ["a", "b"], "label": [0, 7]})},
        "has the label 7, and the model knows 0 to 1",
    ),
    "labels as words": (
        lambda d: d | {"train": Dataset.from_dict({"text": ["a"], "label": ["x"]})},
        "load_data() makes ids",
    ),
    "no labels": (
        lambda d: d | {"train": Dataset.from_dict({"text": ["a"]})},
        "no texts with labels",
    ),
    "numbers for a classifier": (
        lambda d: d | {"train": Dataset.from_dict({"text": ["a"], "label": [0.5]})},
        "the labels are numbers, and the model has 2 outputs",
    ),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_data_is_one_sentence_and_leaves_no_file(what, tmp_path):
    change, why = BAD[what]
    with pytest.raises(InputError) as e:
        finetune(model(), TOK, change(dict(two_classes())), tmp_path / "out", progress=False)
    assert why in str(e.value) and "\n" not in str(e.value)
    assert not (tmp_path / "out").exists()


def test_a_folder_holds_one_run_and_names_of_before_still_work(tmp_path, capsys):
    data = two_classes()
    how = {"progress": False, "precision": "fp32", "max_steps": 2}
    finetune(model(), TOK, data, tmp_path, like_length=False, **how)
    finetune(model(), TOK, data, tmp_path, group_by_length=False, **how)
    assert "`like_length` is called `group_by_length` today" in capsys.readouterr().err
    with pytest.raises(InputError, match="a run with other group_by_length;"):
        finetune(model(), TOK, data, tmp_path, **how)
    with pytest.raises(InputError, match="a run with other max_steps;"):
        finetune(
            model(), TOK, data, tmp_path, group_by_length=False, progress=False, precision="fp32"
        )


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 12)), min_size=20, max_size=150),
    st.sampled_from([0.1, 0.2, 0.5]),
    st.integers(0, 99),
)
def test_a_split_parts_no_unit(rows, share, seed):
    labels, units = [y for y, _ in rows], [u for _, u in rows]
    test = split_fairly(labels, units, share, seed)
    assert not {units[i] for i in test} & {units[i] for i in range(len(rows)) if i not in test}
    alone = split_fairly(labels, range(len(rows)), share, seed)
    for y in set(labels):
        assert abs(sum(labels[i] == y for i in alone) - share * labels.count(y)) <= 1


@given(st.lists(st.integers(1, 60), min_size=1, max_size=200), st.integers(1, 9), st.integers(0, 5))
def test_an_order_holds_every_row_once(lengths, size, epoch):
    order = RepeatableSampler(lengths, size)
    order.set_epoch(epoch)
    assert sorted(order) == list(range(len(lengths))) and list(order) == list(order)


def test_group_by_length_goes_on_in_the_middle_of_a_later_epoch(tmp_path):
    "transformers draws this order from the global random numbers, and so does not find it again."
    data = tokenize_dataset(two_classes()["train"], TOK)
    how = {
        "use_cpu": True,
        "num_train_epochs": 3,
        "per_device_train_batch_size": 8,
        "save_steps": 1,
        "save_strategy": "steps",
        "report_to": [],
        "disable_tqdm": True,
        "train_sampling_strategy": "group_by_length",
    }

    def run(out, resume=None):
        net = model()
        Trainer(
            model=net,
            args=TrainingArguments(str(out), **how),
            train_dataset=data,
            data_collator=DataCollatorWithPadding(TOK),
        ).train(resume_from_checkpoint=resume)
        return net

    a, b = run(tmp_path / "a"), run(tmp_path / "b", str(tmp_path / "a" / "checkpoint-9"))
    assert all(torch.equal(x, y) for x, y in zip(a.parameters(), b.parameters()))


def run_loop(out):
    "Twelve steps of the native loop, with a checkpoint each six."
    net, rows = model(), tokenize_dataset(two_classes()["train"], TOK)
    torch.manual_seed(0)
    batches = DataLoader(rows, 8, collate_fn=DataCollatorWithPadding(TOK))
    optimizer = AdamW(net.parameters(), lr=1e-3)
    schedule = get_scheduler("linear", optimizer, 0, 12)
    more = {"out": out, "save_steps": 6, "progress": False}
    train(net, batches, optimizer, schedule, epochs=2, **more)


@pytest.fixture(scope="module")
def two_checkpoints(tmp_path_factory):
    "For both ways of training a run with its last two checkpoints, steps 6 and 12."
    out = tmp_path_factory.mktemp("runs")
    how = {"batch_size": 8, "progress": False, "precision": "fp32"}
    finetune(model(), TOK, two_classes(), out / "trainer", epochs=2, **how)
    run_loop(out / "loop")
    return out


def damages(folder):
    "Each file of a checkpoint that its list names."
    listed = json.loads((folder / ".files.json").read_text())["files"]
    assert len(listed) > 4
    return listed


@pytest.mark.parametrize("way", ["trainer", "loop"])
@pytest.mark.parametrize("damage", ["lost", "one bit"])
def test_a_checkpoint_that_is_not_as_it_was_written_is_passed_over(
    two_checkpoints, tmp_path, way, damage, capsys, monkeypatch
):
    monkeypatch.setattr(errors, "_warned", set())
    whole = two_checkpoints / way
    assert last_checkpoint(whole).endswith("checkpoint-12")
    for n, name in enumerate(damages(whole / "checkpoint-12")):
        out = shutil.copytree(whole, tmp_path / str(n))
        file = out / "checkpoint-12" / name
        content = bytearray(file.read_bytes())
        file.unlink()
        if damage == "one bit":
            content[-1] ^= 1
            file.write_bytes(content)
        folder = last_checkpoint(out)
        assert folder and folder.endswith("checkpoint-6"), name
    assert "passed over" in capsys.readouterr().err


def test_a_run_goes_on_behind_a_checkpoint_that_was_passed_over(two_checkpoints, tmp_path):
    "It writes the same step again, to the same weights."
    how = {"epochs": 2, "batch_size": 8, "progress": False, "precision": "fp32"}
    for way in ("trainer", "loop"):
        out = shutil.copytree(two_checkpoints / way, tmp_path / way)
        (out / "checkpoint-12" / "optimizer.bin").unlink(missing_ok=True)
        (out / "checkpoint-12" / "optimizer.pt").unlink(missing_ok=True)
        if way == "trainer":
            finetune(model(), TOK, two_classes(), out, **how)
        else:
            run_loop(out)
        assert last_checkpoint(out) == str(out / "checkpoint-12")
        name = "checkpoint-12/model.safetensors"
        same = (out / name).read_bytes() == (two_checkpoints / way / name).read_bytes()
        assert same, way


SHORT = {"epochs": 1, "batch_size": 8, "progress": False, "precision": "fp32"}


def in_the_middle(data):
    "One label of row 20 of 48 is another."
    labels = data["train"]["label"][:]
    labels[20] = 1 - labels[20]
    column = data["train"].features["label"]
    train = data["train"].remove_columns("label").add_column("label", labels)
    return DatasetDict(train=train.cast_column("label", column), test=data["test"])


def frozen(net):
    net.bert.requires_grad_(False)
    return net


OTHER_RUNS = {
    "a label in the middle": (in_the_middle, model, "rows"),
    "other weights": (lambda data: data, lambda: model(seed=1), "starting weights"),
    "frozen layers": (lambda data: data, lambda: frozen(model()), "trained weights"),
    "LoRA": (lambda data: data, lambda: add_lora(model(), r=2), "starting weights and trained"),
    "dropout": (lambda data: data, lambda: set_dropout(model(), 0.3), "configuration"),
}


@pytest.fixture(scope="module")
def finished_runs(tmp_path_factory):
    "A finished run of each way of training."
    out = tmp_path_factory.mktemp("finished")
    finetune(model(), TOK, two_classes(), out / "trainer", **SHORT)
    loop_of(out / "loop", two_classes(), model())
    return out


def loop_of(out, data, net, lr=1e-3, size=8):
    "A short run of `train`; returns its losses."
    rows = tokenize_dataset(data["train"], TOK)
    batches = DataLoader(rows, size, collate_fn=DataCollatorWithPadding(TOK))
    optimizer = AdamW([p for p in net.parameters() if p.requires_grad], lr=lr)
    return train(net, batches, optimizer, out=out, progress=False)


@pytest.mark.parametrize("way", ["trainer", "loop"])
@pytest.mark.parametrize("what", OTHER_RUNS)
def test_other_rows_weights_or_frozen_layers_are_another_run(what, way, finished_runs):
    change, begin, words = OTHER_RUNS[what]
    data, net = change(two_classes()), begin()
    with pytest.raises(InputError, match=f"a run with other .*{words}") as e:
        if way == "trainer":
            finetune(net, TOK, data, finished_runs / way, **SHORT)
        else:
            loop_of(finished_runs / way, data, net)
    assert "\n" not in str(e.value)


def test_another_optimizer_or_batch_size_is_another_run_of_the_loop(finished_runs):
    with pytest.raises(InputError, match="a run with other optimizer;"):
        loop_of(finished_runs / "loop", two_classes(), model(), lr=2e-3)
    with pytest.raises(InputError, match="a run with other batches;"):
        loop_of(finished_runs / "loop", two_classes(), model(), size=6)


def test_the_same_run_goes_on_with_a_head_drawn_anew_or_with_the_model_as_it_was_left(
    tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(errors, "_warned", set())

    def with_head(seed):
        net = model()
        torch.manual_seed(seed)
        torch.nn.init.normal_(net.classifier.weight)
        net.untrained_weights = {
            n: sample_weight(net.state_dict()[n]) for n in ("classifier.weight", "classifier.bias")
        }
        return net

    first, second = with_head(1), with_head(2)
    for net in (first, second, first):
        finetune(net, TOK, two_classes(), tmp_path / "head", **SHORT)
    assert "the new weights are other random numbers" in capsys.readouterr().err
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters()))

    def with_lora(seed):
        net = model()
        torch.manual_seed(seed)
        return add_lora(net, r=2)

    one, two = with_lora(1), with_lora(2)
    for net in (one, two, one):
        finetune(net, TOK, two_classes(), tmp_path / "lora", **SHORT)
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters()))


def test_accumulated_steps_are_the_mean_over_all_their_rows(tmp_path):
    "47 rows in batches of 16: the last group holds a short one."
    data = tokenize_dataset(two_classes(47)["train"], TOK)

    def one_step(size, pieces, way):
        net = model(dropout=0)
        optimizer = torch.optim.SGD(net.parameters(), lr=1)
        batches = DataLoader(data, batch_size=size, collate_fn=DataCollatorWithPadding(TOK))
        if way == "loop":
            train(net, batches, optimizer, accumulate=pieces, max_grad_norm=1e6, progress=False)
            return net
        args = TrainingArguments(
            str(tmp_path),
            use_cpu=True,
            max_grad_norm=1e6,
            per_device_train_batch_size=size,
            gradient_accumulation_steps=pieces,
            num_train_epochs=1,
            report_to=[],
            disable_tqdm=True,
            save_strategy="no",
        )
        schedule = get_scheduler("constant", optimizer)
        Trainer(
            model=net,
            args=args,
            train_dataset=data,
            data_collator=DataCollatorWithPadding(TOK),
            optimizers=(optimizer, schedule),
        ).train()
        return net

    whole = one_step(47, 1, "loop")
    for way in ("loop", "trainer"):
        parts = one_step(16, 3, way)
        for a, b in zip(whole.parameters(), parts.parameters()):
            torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-4)


def test_label_smoothing_needs_labels(tmp_path):
    cls, labels, table = KINDS["number"]
    with pytest.raises(InputError, match="label_smoothing_factor=0.1 .* learns numbers here"):
        finetune(
            model(cls, labels),
            TOK,
            load_data(pd.DataFrame(table)),
            tmp_path,
            **SHORT,
            label_smoothing_factor=0.1,
        )


def test_heads_of_all_seeds_come_from_one_distribution(tmp_path):
    "Also with LoRA, whose new matrices are drawn anew, too."
    for lora in (False, True):
        net = model()
        net.untrained_weights = {
            n: sample_weight(net.state_dict()[n]) for n in ("classifier.weight", "classifier.bias")
        }
        net = add_lora(net, r=2) if lora else net
        starts = []

        def keep_start(seed, out, net=net, starts=starts):
            starts.append({n: p.detach().clone() for n, p in net.named_parameters()})
            net.untrained_weights = {}
            return History([{"step": 1, "eval_loss": float(seed)}])

        train_seeds(net, [1, 2, 3], tmp_path, keep_start)
        head = next(n for n in starts[0] if "classifier" in n and n.endswith("weight"))
        if lora:
            head = next(n for n in starts[0] if "classifier.modules_to_save" in n)
        deviations = [start[head].std().item() for start in starts]
        assert all(0.01 < sd < 0.04 for sd in deviations)
        assert not torch.equal(starts[0][head], starts[1][head])
        bias = head.replace("weight", "bias")
        assert not any(start[bias].any() for start in starts)
        drawn = [n for n in starts[0] if ".lora_A." in n]
        assert bool(drawn) == lora
        assert not any(torch.equal(starts[0][n], starts[1][n]) for n in drawn)


def test_seeds_that_were_interrupted_go_on_from_the_same_start(tmp_path):
    net = model()
    start = {n: w.clone() for n, w in net.state_dict().items()}

    def press(seed, out):
        net.classifier.weight.data += 1
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_seeds(net, [1, 2], tmp_path, press)
    assert all(torch.equal(start[n], w) for n, w in net.state_dict().items())
    with pytest.raises(InputError, match="must be a whole number, at least 1"):
        finetune(net, TOK, two_classes(), tmp_path, seeds=0, progress=False)


def test_methods_of_2021_are_called_with_what_they_take(tmp_path, monkeypatch):
    monkeypatch.setattr(errors, "_warned", set())
    called = set()

    class Mixin:
        def log(self, logs):
            called.add("log")
            super().log(logs)

    class Of2021(Mixin, Trainer):
        def compute_loss(self, model, inputs, return_outputs=False):
            called.add("compute_loss")
            outputs = model(**inputs)
            return (outputs.loss, outputs) if return_outputs else outputs.loss

        def training_step(self, model, inputs):
            called.add("training_step")
            return super().training_step(model, inputs)

        def _get_train_sampler(self):
            called.add("_get_train_sampler")
            return super()._get_train_sampler()

        def save_model(self, output_dir=None):
            called.add("save_model")
            super().save_model(output_dir)

    class Asks(TrainerCallback):
        def on_epoch_end(self, args, state, control, tokenizer=None, **kwargs):
            called.add(tokenizer)

    rows = tokenize_dataset(two_classes()["train"], TOK)
    args = TrainingArguments(
        str(tmp_path), use_cpu=True, num_train_epochs=1, report_to=[], disable_tqdm=True
    )
    trainer = Of2021(
        model=model(),
        args=args,
        train_dataset=rows,
        eval_dataset=rows,
        tokenizer=TOK,
        callbacks=[Asks],
    )
    trainer.train()
    assert "eval_loss" in trainer.evaluate() and trainer.tokenizer is TOK
    names = {"log", "compute_loss", "training_step", "_get_train_sampler", "save_model"}
    assert called == names | {TOK}


def test_names_of_2021_go_through_finetune(tmp_path):
    history = finetune(
        model(),
        TOK,
        two_classes(),
        tmp_path,
        progress=False,
        precision="fp32",
        num_train_epochs=2,
        learning_rate=1e-3,
        per_gpu_train_batch_size=8,
        evaluation_strategy="epoch",
        warmup_ratio=0.0,
        warmup_steps=6,
        logging_steps=1,
        fp16_backend="auto",
        no_cuda=True,
    )
    assert [e["step"] for e in history.evaluations] == [6, 12]
    rates = [step["learning_rate"] for step in history.steps]
    assert max(rates) == rates[6] == 1e-3
    wrong = [{"patience": 0}, {"save_steps": -1}, {"save_steps": 0.5}, {"batch_size": 0}]
    wrong += [{"seeds": 0}, {"seeds": "two"}, {"seed": -1}, {"seed": 2**32}, {"seed": "a"}]
    wrong += [{"lr": -1}, {"lr": math.nan}, {"lr": None}, {"epochs": -1}, {"epochs": math.inf}]
    wrong += [{"per_device_train_batch_size": 0}, {"num_train_epochs": "2"}]
    for how in wrong:
        with pytest.raises(InputError, match="it must be (a whole number|a number|below)"):
            finetune(model(), TOK, two_classes(), tmp_path, progress=False, **how)


def test_a_lora_folder_opens_with_its_head_and_with_other_labels(tmp_path):
    whole, folder = str(tmp_path / "whole"), str(tmp_path / "lora")
    model().save_pretrained(whole)
    TOK.save_pretrained(whole)
    # Three classes on a base model of two, saved by peft alone, without config.json.
    resized = {"labels": ["a", "b", "c"], "ignore_mismatched_sizes": True}
    net = add_lora(load(whole, "text-classification", **resized)[0], r=2)
    for p in net.parameters():
        p.data += 0.1 * torch.randn_like(p)
    net.save_pretrained(folder)
    again, _ = load(folder)
    assert again.config.num_labels == 3 and not again.untrained_weights
    assert torch.equal(
        again.classifier.weight, net.base_model.model.classifier.modules_to_save.default.weight
    )
    named, _ = load(folder, labels=["x", "y", "z"])
    assert named.config.id2label == {0: "x", 1: "y", 2: "z"}
    assert torch.equal(named.classifier.weight, again.classifier.weight)
    with pytest.raises(InputError, match="shape differs .* ignore_mismatched_sizes=True"):
        load(folder, labels=["x", "y"])
    fewer, _ = load(folder, labels=["x", "y"], ignore_mismatched_sizes=True)
    assert set(fewer.untrained_weights) == {"classifier.weight", "classifier.bias"}


def test_a_sweep_takes_any_rates_several_epochs_and_outlives_a_diverged_run(tmp_path):
    folder = str(tmp_path / "model")
    model(labels=3).save_pretrained(folder)
    TOK.save_pretrained(folder)
    how = {"model": folder, "seeds": 1, "progress": False, "precision": "fp32", "batch_size": 16}
    rates = np.array([1e30, 1e-3])
    runs = lr_sweep(two_classes(), lrs=rates, epochs=2, patience=1, **how)
    assert [run["lr"] for run in runs] == rates.tolist()
    assert math.isnan(runs[0]["loss"]) and math.isfinite(runs[1]["loss"])
    assert runs.best == 1e-3 and len(lr_sweep(two_classes(), lrs=iter([1e-3]), **how)) == 1


def test_a_score_of_two_classes_is_refused_before_the_first_epoch(tmp_path):
    data = two_classes()
    three = ClassLabel(names=["a", "b", "c"])
    data = DatasetDict({split: rows.cast_column("label", three) for split, rows in data.items()})
    how = SHORT | {"compute_metrics": metrics("f1")}
    with pytest.raises(InputError, match="f1 got 3 labels .* choose 'macro'"):
        finetune(model(labels=3), TOK, data, tmp_path, **how)
    assert not list(tmp_path.glob("checkpoint-*"))
    how = SHORT | {"compute_metrics": metrics("f1", average="macro")}
    history = finetune(model(labels=3), TOK, data, tmp_path, **how)
    assert "eval_f1" in history.evaluations[-1]
