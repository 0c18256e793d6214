"Answers before torch is imported, and torch's answers from there on."

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
import safetensors.torch
import torch
import transformers
from safetensors.numpy import load_file, save_file

from nlp_tour.hub.standins import embedded

HEAVY = ["torch", "transformers", "pandas", "datasets", "pyarrow"]


def python(code, *args, stdin=""):
    "What a fresh process prints, as JSON."
    run = subprocess.run(
        [sys.executable, "-c", code, *map(str, args)], input=stdin, capture_output=True, text=True
    )
    assert not run.returncode, run.stderr
    return json.loads(run.stdout)


LONG = "A dull, long film. " * 150  # more than one window

ANSWERS = """
import json, sys
from nlp_tour.pipeline import pipeline
task, folder, inputs, options = sys.argv[1], sys.argv[2], *map(json.loads, sys.argv[3:])
pipe = pipeline(task, model=folder, device="cpu", **options)
def call():
    found = pipe(**inputs) if isinstance(inputs, dict) else pipe(inputs)
    return found.tolist() if hasattr(found, "tolist") else found
early = call()
heavy = [name for name in HEAVY if name in sys.modules]
import torch
print(json.dumps([early, heavy, call(), type(pipe.fast).__name__]))
""".replace("HEAVY", str(HEAVY))


def close(a, b):
    "Equal, numbers within 1e-5."
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(close(a[k], b[k]) for k in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(close, a, b))
    return a == pytest.approx(b, abs=1e-5)


def inference_model(folder):
    "The embedded classifier, as if its two labels were those of an inference model."
    for path in embedded("sentiment").iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    config = json.loads((folder / "config.json").read_text())
    config["id2label"] = {"0": "contradiction", "1": "entailment"}
    config["label2id"] = {"contradiction": 0, "entailment": 1}
    (folder / "config.json").write_text(json.dumps(config))
    return folder


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    "The embedded body under heads of random numbers that differ."
    made = {"ForSequenceClassification": embedded("sentiment"), "Model": embedded("encoder")}
    made["inference"] = inference_model(tmp_path_factory.mktemp("inference"))
    torch.manual_seed(0)
    for head in ("ForTokenClassification", "ForQuestionAnswering"):
        folder = tmp_path_factory.mktemp(head)
        auto = getattr(transformers, f"AutoModel{head}")
        model = auto.from_pretrained(embedded("encoder"))
        for name, weight in model.named_parameters():
            if name.startswith(("classifier", "qa_outputs")):
                torch.nn.init.normal_(weight, std=0.5)
        model.save_pretrained(folder)
        # An older library writes other names of weights, and another tokenizer.
        safetensors.torch.save_file(
            model.state_dict(), folder / "model.safetensors", {"format": "pt"}
        )
        for name in ("tokenizer.json", "tokenizer_config.json"):
            shutil.copy(embedded("encoder") / name, folder)
        made[head] = folder
    return made


@pytest.mark.parametrize(
    "task, head, inputs, options",
    [
        ("sentiment-analysis", "ForSequenceClassification", ["Fine.", "A dull, long film."], {}),
        ("ner", "ForTokenClassification", ["Ada lives in Turin.", "So do I."], {}),
        (
            "question-answering",
            "ForQuestionAnswering",
            {"question": "Where does Ada live?", "context": "Ada lives in Turin, by the river."},
            {},
        ),
        ("feature-extraction", "ForTokenClassification", ["Fine."], {}),
        *(
            ("feature-extraction", "Model", ["Fine.", LONG], {"pooling": pooling})
            for pooling in ("mean", "cls", "max")
        ),
        ("feature-extraction", "Model", "Fine.", {"pooling": "mean", "normalize": True}),
        (
            "zero-shot-classification",
            "Model",
            ["The goal came late.", LONG],
            {"method": "embedding", "candidate_labels": ["sport", "the art of cooking"]},
        ),
        (
            "zero-shot-classification",
            "inference",
            ["The goal came late.", "Fine."],
            {"candidate_labels": ["sport", "cooking"]},
        ),
    ],
)
def test_the_first_answer_needs_no_torch_and_the_next_is_the_same(
    folders, task, head, inputs, options
):
    found = python(ANSWERS, task, folders[head], json.dumps(inputs), json.dumps(options))
    early, heavy, later, fast = found
    assert heavy == [] and fast == "Encoder"
    assert close(early, later)


def test_a_long_text_and_its_windows(folders):
    "1,200 words are several windows, which padding in one batch must not reach."
    words = " ".join(np.random.default_rng(0).choice(["fine", "dull", "film", "plot"], 1200))
    found = python(
        ANSWERS, "sentiment-analysis", embedded("sentiment"), json.dumps([words, "Fine."]), "{}"
    )
    assert found[1] == [] and close(found[0], found[2])


MUCH = """
import json, sys
from nlp_tour.pipeline import pipeline
pipe = pipeline("sentiment-analysis", device="cpu", progress=False)
few = pipe(["Fine."])
early = "torch" in sys.modules
many = pipe(["Fine."] * 4000)
print(json.dumps([few, early, many[0], many[-1], "torch" in sys.modules]))
"""


def test_much_work_is_torchs():
    few, early, first, last, late = python(MUCH)
    assert (early, late) == (False, True)
    assert close(few[0], first) and close(first, last)


COMMAND = """
import json, sys
from nlp_tour.app.cli import main
try:
    main()
except SystemExit as end:
    assert not end.code
print(json.dumps([m for m in HEAVY if m in sys.modules]), file=sys.stderr)
""".replace("HEAVY", str(HEAVY))


@pytest.mark.parametrize("words, lines", [(["A quiet triumph."], ""), ([], "A quiet triumph.\n")])
def test_the_command_line_answers_without_torch(words, lines):
    command = [sys.executable, "-c", COMMAND, "predict", "--device", "cpu", *words]
    run = subprocess.run(command, input=lines, capture_output=True, text=True)
    assert json.loads(run.stdout)["label"] == "POSITIVE"
    heavy = json.loads(run.stderr.strip().splitlines()[-1])
    assert heavy == []


BROKEN = """
import json, sys
from nlp_tour.pipeline import pipeline
try:
    pipeline("sentiment-analysis", model=sys.argv[1], device="cpu")
except ValueError as e:
    print(json.dumps([str(e), "torch" in sys.modules]))
"""


@pytest.mark.parametrize("change, why", [("nan", "NaN or infinite"), ("labels", "outputs and")])
def test_what_check_refuses_is_refused_without_torch(tmp_path, change, why):
    for path in embedded("sentiment").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    if change == "nan":
        weights = {k: w.copy() for k, w in load_file(tmp_path / "model.safetensors").items()}
        weights["bert.embeddings.word_embeddings.weight"][7] = np.nan
        save_file(weights, tmp_path / "model.safetensors", {"format": "pt"})
    else:
        config = json.loads((tmp_path / "config.json").read_text())
        config["id2label"] = {"0": "bad", "1": "good", "2": "fair"}
        (tmp_path / "config.json").write_text(json.dumps(config))
    sentence, torch_was_needed = python(BROKEN, tmp_path)
    assert why in sentence and not torch_was_needed


def test_weights_of_16_bits_go_to_torch(tmp_path):
    for path in embedded("sentiment").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    model = transformers.AutoModelForSequenceClassification.from_pretrained(
        tmp_path, dtype=torch.bfloat16
    )
    model.save_pretrained(tmp_path)
    early, heavy, later, fast = python(
        ANSWERS, "sentiment-analysis", tmp_path, json.dumps(["Fine."]), "{}"
    )
    assert "torch" in heavy and close(early, later)


LIGHT = """
import json, sys
from nlp_tour.pipeline import pipeline
pipeline("sentiment-analysis", device="cpu")("Fine.")
spare = ("asyncio", "email", "filelock", "huggingface_hub", "jinja2", "numpy.testing", "tqdm")
with open("/proc/self/status") as status:
    peak = next(line.split()[1] for line in status if line.startswith("VmHWM"))
print(json.dumps([[name for name in spare if name in sys.modules], int(peak) / 1000]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_the_first_answer_needs_little(tmp_path):
    "The weights of the layers are 43 MB of it; those of 30,000 words are not in memory."
    spare, megabytes = python(LIGHT)
    assert spare == [] and megabytes < 120


TAKES_OVER = """
import json, sys
from nlp_tour.inference import bundle
from nlp_tour.pipeline import pipeline
bundle.EARLY_WORK = 0
options = {"method": "embedding", "candidate_labels": ["sport", "cooking"]}
pipe = pipeline("zero-shot-classification", model=sys.argv[1], device="cpu", **options)
options = pipe.read_options({})
rows = pipe.task.encode(["The goal came late."], options)
early = [pipe.run(rows, options)[0].tolist(), "torch" in sys.modules]
late = [pipe.run_all(rows, options)[0].tolist(), "torch" in sys.modules]
print(json.dumps([early, late]))
"""


def test_torch_takes_over_within_a_call():
    "The labels' vectors were made in NumPy, and the next texts are answered by torch."
    (early, before), (late, after) = python(TAKES_OVER, embedded("encoder"))
    assert (before, after) == (False, True) and close(early, late)
