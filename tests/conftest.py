"Fixtures that several test files share."

import os
import socket
import sys
from pathlib import Path

import hypothesis
import pytest
import torch
import transformers
from packaging.version import Version

root = Path(__file__).resolve().parent.parent
sys.path += [str(root / "tools"), str(root / "benchmarks"), str(root / "nbs" / "site")]

# The same cases in each run; `FUZZ=1` draws new ones.
hypothesis.settings.register_profile("fixed", derandomize=True, database=None)
if "FUZZ" not in os.environ:
    hypothesis.settings.load_profile("fixed")


# OpenVINO reads no model of these; `pipeline` says so, and the tests of the lowest versions go on.
TOO_OLD_TO_COMPILE = Version(transformers.__version__) < Version("5.11")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    "Skip what cannot be compiled with an old transformers; the reason is the sentence itself."
    from nlp_tour.base.errors import InputError

    try:
        return (yield)
    except InputError as e:
        if TOO_OLD_TO_COMPILE and "OpenVINO cannot read" in str(e):
            pytest.skip(str(e))
        raise


@pytest.fixture(scope="module")
def one_thread():
    "Tiny products are fastest on one."
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def free_port():
    "A port that nothing listens on; an older Accelerate takes 0 at its word."
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return str(listener.getsockname()[1])


@pytest.fixture(scope="session")
def tiny_classifier(tmp_path_factory):
    "The folder of a classifier so small that a test can afford to score with it a hundred times."
    import tiny_encoders as tiny
    from transformers import BertForSequenceClassification

    rust = tiny.wordpiece()
    config = tiny.config(
        "bert",
        rust.get_vocab_size(),
        id2label={0: "NEGATIVE", 1: "POSITIVE"},
        label2id={"NEGATIVE": 0, "POSITIVE": 1},
    )
    folder = tmp_path_factory.mktemp("tiny") / "model"
    tiny.fill(BertForSequenceClassification(config)).save_pretrained(folder)
    tiny.wrap(rust, types=True).save_pretrained(folder)
    return folder
