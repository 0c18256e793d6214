"A run that is stopped at any moment ends with the weights and scores of one that was not."

import os
import random
import signal
from unittest.mock import patch

import pytest
import torch
from test_training import TOK, model, two_classes
from transformers import TrainerCallback

from nlp_tour.trainer import finetune
from nlp_tour.training import trainer_2021
from nlp_tour.training.history import evaluation_scores

pytestmark = pytest.mark.usefixtures("one_thread")
# Two epochs of three steps. `save_steps` may put a checkpoint between the two ends of an epoch: of
# its last step, and of its evaluation.
DATA = two_classes(24, 9)
HOW = {"epochs": 2, "batch_size": 8, "progress": False, "precision": "fp32", "lr": 1e-2}
HOW |= {"logging_steps": 2, "per_device_eval_batch_size": 4}


class Moments(TrainerCallback):
    "Calls `act` at the n-th moment of a run."

    def __init__(self, n=0, act=None):
        self.n, self.act, self.seen = n, act, []

    def happens(self, what, state):
        self.seen.append((what, state.global_step))
        if len(self.seen) == self.n:
            self.act()

    def on_step_begin(self, args, state, control, **kwargs):
        self.happens("a step begins", state)

    def on_optimizer_step(self, args, state, control, **kwargs):
        self.happens("the optimizer's step", state)

    def on_step_end(self, args, state, control, **kwargs):
        self.happens("a step ends", state)

    def on_log(self, args, state, control, **kwargs):
        self.happens("a log", state)

    def on_epoch_end(self, args, state, control, **kwargs):
        self.happens("an epoch ends", state)

    def on_prediction_step(self, args, state, control, **kwargs):
        self.happens("in the evaluation", state)

    def on_evaluate(self, args, state, control, **kwargs):
        self.happens("the evaluation ends", state)

    def on_save(self, args, state, control, **kwargs):
        self.happens("a checkpoint was saved", state)


def run(out, moments=None, **how):
    "The weights, losses and scores of a run."
    net = model()
    callbacks = [moments] if moments else []
    with patch.object(trainer_2021, "progress_callbacks", lambda progress: callbacks):
        history = finetune(net, TOK, DATA, out, **HOW | how)
    scores = [(e["step"], evaluation_scores(e)) for e in history.evaluations]
    return net.state_dict(), history.losses, scores


def check_same(a, b, moment):
    assert a[1:] == b[1:], moment
    assert all(torch.equal(a[0][name], b[0][name]) for name in a[0]), moment


def killed(out, n, **how):
    "The same in a process of its own, killed at its n-th moment."
    child = os.fork()
    if not child:
        try:
            run(out, Moments(n, lambda: os.kill(os.getpid(), signal.SIGKILL)), **how)
        finally:
            os._exit(1)
    assert os.WIFSIGNALED(os.waitpid(child, 0)[1])


WAYS = {
    "a checkpoint at each end of an epoch": {"save_steps": 3},
    "each step": {"save_steps": 1},
    "steps in the middle of an epoch": {"max_steps": 5, "save_steps": 5},
    "patience": {"patience": 1, "epochs": 4, "lr": 0.2, "save_steps": 3},
}


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    "Runs that nobody stopped, and the moments of their lives."
    found = {}
    for way, how in WAYS.items():
        moments = Moments()
        out = tmp_path_factory.mktemp("straight")
        found[way] = run(out, moments, **how), moments.seen
    return found


def chosen(seen):
    "One of the moments at the end of an epoch, and any other; EVERY_MOMENT=1 tries all."
    if os.environ.get("EVERY_MOMENT"):
        return range(1, len(seen) + 1)
    ends = ("an epoch ends", "in the evaluation", "the evaluation ends", "a checkpoint was saved")
    special = [n for n, (what, step) in enumerate(seen, 1) if what in ends or step == 3]
    return sorted({random.choice(special), random.randint(1, len(seen))})


@pytest.mark.parametrize("how", ["SIGINT", "SIGKILL"])
@pytest.mark.parametrize("way", WAYS)
def test_stopped_at_any_moment_it_goes_on_bit_for_bit(way, how, straight, tmp_path):
    expected, seen = straight[way]
    for n in chosen(seen):
        out, moment = tmp_path / str(n), (n, seen[n - 1])
        if how == "SIGKILL":
            killed(out, n, **WAYS[way])
        else:
            with pytest.raises(KeyboardInterrupt):
                run(out, Moments(n, lambda: signal.raise_signal(signal.SIGINT)), **WAYS[way])
        check_same(run(out, **WAYS[way]), expected, moment)
        # A finished run has nothing left to do.
        check_same(run(out, **WAYS[way]), expected, moment)
