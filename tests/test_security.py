"What a stranger hands over is data: it is not run, it leads nowhere, and it shows as text."

import ast
import json
import os
import pickle
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import licences
import pytest

from nlp_tour.base.errors import InputError
from nlp_tour.base.folders import sha256
from nlp_tour.base.results import ListResult
from nlp_tour.hub.loading import load
from nlp_tour.hub.names import resolve
from nlp_tour.hub.standins import ENCODER_SHA256, checked_encoder, embedded_part
from nlp_tour.pipeline import pipeline

root = Path(__file__).resolve().parent.parent
EVIL = "<script>alert(1)</script>\"><img src=x onerror='alert(2)'> & quoted"


class Payload:
    "Touches a file when it is unpickled."

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def copied(folder, to):
    import shutil

    return Path(shutil.copytree(folder, to))


@pytest.mark.parametrize("name", ["pytorch_model.bin", "tf_model.h5", "model.ckpt"])
def test_a_pickle_in_a_checkpoint_is_not_run(tiny_classifier, tmp_path, name):
    import torch

    folder, touched = copied(tiny_classifier, tmp_path / "model"), tmp_path / "touched"
    (folder / "model.safetensors").unlink()
    if name == "pytorch_model.bin":
        torch.save({"classifier.bias": Payload(touched)}, folder / name)
    else:
        (folder / name).write_bytes(pickle.dumps(Payload(touched)))
    with pytest.raises(InputError):
        load(folder)
    with pytest.raises(InputError):
        pipeline("text-classification", model=str(folder))
    assert not touched.exists()
    pickle.loads(pickle.dumps(Payload(touched)))  # the payload is live
    assert touched.exists()


def test_a_planted_pickle_beside_safetensors_is_not_even_read(tiny_classifier, tmp_path):
    folder, touched = copied(tiny_classifier, tmp_path / "model"), tmp_path / "touched"
    for name in ("pytorch_model.bin", "training_args.bin", "optimizer.pt"):
        (folder / name).write_bytes(pickle.dumps(Payload(touched)))
    assert pipeline("text-classification", model=str(folder))("A quiet film.") and load(folder)
    assert not touched.exists()


def test_code_in_a_checkpoint_is_not_run(tiny_classifier, tmp_path):
    folder, touched = copied(tiny_classifier, tmp_path / "model"), tmp_path / "touched"
    (folder / "evil.py").write_text(f"""
from pathlib import Path
Path({str(touched)!r}).touch()
from transformers import BertConfig as Config, BertForSequenceClassification as Model
""")
    classes = {"AutoConfig": "evil.Config", "AutoModelForSequenceClassification": "evil.Model"}
    config = json.loads((folder / "config.json").read_text())
    config |= {"auto_map": classes, "model_type": "evil"}
    (folder / "config.json").write_text(json.dumps(config))
    env = os.environ | {"NLP_TOUR_OFFLINE": "1", "HF_HUB_OFFLINE": "1"}
    run = subprocess.run(
        [sys.executable, "-m", "nlp_tour.app.cli", "predict", "Fine.", "--model", folder],
        env=env,
        input="y\n",
        text=True,
        capture_output=True,
        timeout=120,
    )
    assert run.returncode == 2 and "Traceback" not in run.stderr and not touched.exists(), (
        run.stderr
    )


PAYLOAD = """
from pathlib import Path
Path({touched!r}).touch()
from transformers import BertLMHeadModel as Evil
"""


@pytest.fixture(scope="module")
def encoder_decoder(tmp_path_factory):
    "A model of two halves; beside its folder lies code that leaves a trace when it is run."
    import tiny_encoders as tiny
    from transformers import BertLMHeadModel, BertModel, EncoderDecoderModel

    rust = tiny.wordpiece()
    config = tiny.config("bert", rust.get_vocab_size())
    half = tiny.config("bert", rust.get_vocab_size(), is_decoder=True, add_cross_attention=True)
    model = EncoderDecoderModel(
        encoder=tiny.fill(BertModel(config)), decoder=tiny.fill(BertLMHeadModel(half))
    )
    model.config.decoder_start_token_id = model.generation_config.decoder_start_token_id = 2
    model.config.pad_token_id = model.generation_config.pad_token_id = 0
    folder = tmp_path_factory.mktemp("two") / "model"
    model.save_pretrained(folder)
    tiny.wrap(rust).save_pretrained(folder)
    (folder / "payload.py").write_text(PAYLOAD.format(touched=str(folder.parent / "touched")))
    return folder


PLANTED = {"AutoModelForCausalLM": "payload.Evil", "AutoModel": "payload.Evil"}


def plant(folder, file, *path):
    "Put code of its own into a JSON file of a model, under a path of keys."
    (folder / file).parent.mkdir(parents=True, exist_ok=True)
    content = json.loads((folder / file).read_text()) if (folder / file).exists() else {}
    place = content
    for key in path:
        place = place.setdefault(key, {})
    # A kind that has no decoder in transformers.
    place |= {"auto_map": PLANTED, "_name_or_path": str(folder)}
    place |= {"model_type": "distilbert"} if path == ("decoder",) else {}
    (folder / file).write_text(json.dumps(content))


PLACES = [
    ("config.json",),
    ("config.json", "decoder"),
    ("config.json", "encoder"),
    ("config.json", "text_config", "deeper"),
    ("tokenizer_config.json",),
    ("tokenizer.json", "model"),
    ("generation_config.json",),
    ("adapter_config.json",),
    ("preprocessor_config.json",),
    ("processor_config.json", "image_processor"),
    ("config.4.0.0.json",),
    ("half/config.json",),
    ("a/b/c/config.json", "decoder"),
    (".hidden/adapter_config.json",),
]


@pytest.mark.parametrize("place", PLACES, ids=lambda p: "-".join(p).replace("/", "-"))
def test_code_that_any_file_of_a_folder_names_is_not_run_and_nobody_is_asked(
    encoder_decoder, tmp_path, monkeypatch, place
):
    from nlp_tour.all import AutoConfig, AutoModelForSeq2SeqLM, AutoTokenizer
    from nlp_tour.bridges.weights import from_tf

    folder = copied(encoder_decoder, tmp_path / "model")
    plant(folder, *place)
    asked = []
    monkeypatch.setattr("builtins.input", lambda *words: asked.append(words) or "y")
    for open_it in (
        load,
        lambda where: pipeline("text2text-generation", model=str(where)),
        AutoConfig.from_pretrained,
        AutoModelForSeq2SeqLM.from_pretrained,
        AutoTokenizer.from_pretrained,
        from_tf,
    ):
        with pytest.raises(InputError, match=r"names custom code|no TensorFlow weights"):
            open_it(folder)
    assert not asked and not (encoder_decoder.parent / "touched").exists()


def test_code_behind_a_link_to_another_folder_is_seen(encoder_decoder, tmp_path):
    "`subfolder=` would open it; a link in a circle ends."
    folder = copied(encoder_decoder, tmp_path / "model")
    plant(tmp_path / "elsewhere", "config.json", "decoder")
    (folder / "circle").symlink_to(folder)
    assert load(folder)
    (folder / "half").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError, match="half/config.json names custom code"):
        load(folder)


def test_a_question_of_transformers_is_an_error(encoder_decoder, tmp_path, monkeypatch):
    "What the hub sends is not seen before transformers opens it."
    import nlp_tour.hub.names as names

    folder = copied(encoder_decoder, tmp_path / "model")
    plant(folder, "config.json", "decoder")
    asked = []
    monkeypatch.setattr("builtins.input", lambda *words: asked.append(words) or "y")
    monkeypatch.setattr(names, "check_only_data", lambda folder: None)
    with pytest.raises(InputError, match="custom code"):
        load(folder)
    assert not asked and not (encoder_decoder.parent / "touched").exists()


def test_a_text_on_standard_input_is_no_consent(encoder_decoder, tmp_path):
    folder = copied(encoder_decoder, tmp_path / "model")
    plant(folder, "config.json", "decoder")
    command = ["-m", "nlp_tour.app.cli", "predict", "-", "-t", "summarization", "-m", str(folder)]
    env = os.environ | {"NLP_TOUR_OFFLINE": "1"}
    run = subprocess.run(
        [sys.executable, *command], env=env, input="y\n", text=True, capture_output=True
    )
    assert run.returncode == 2 and "payload.Evil" in run.stderr, run.stderr
    assert "[y/N]" not in run.stdout + run.stderr
    assert not (encoder_decoder.parent / "touched").exists()


def test_a_token_called_auto_map_is_a_token(tiny_classifier, tmp_path):
    folder = copied(tiny_classifier, tmp_path / "model")
    content = json.loads((folder / "tokenizer.json").read_text())
    vocabulary = content["model"]["vocab"]
    word, number = vocabulary.popitem()
    vocabulary["auto_map"] = number
    (folder / "tokenizer.json").write_text(json.dumps(content))
    assert pipeline("text-classification", model=str(folder))("auto_map")


@pytest.mark.parametrize("kind", ["external", "virtual", "soft link", "link to a file"])
def test_weights_of_h5_come_from_this_file_alone(tmp_path, kind):
    import h5py

    fixture = root / "tests" / "fixtures" / "tensorflow" / "bert-h5"
    folder, secret = copied(fixture, tmp_path / "model"), tmp_path / "secret"
    secret.write_bytes(bytes(10**6))
    with h5py.File(folder / "tf_model.h5", "r+") as f:
        found = []
        f.visititems(lambda name, item: found.append(name) if hasattr(item, "shape") else None)
        name, shape, dtype = found[0], f[found[0]].shape, f[found[0]].dtype
        del f[name]
        if kind == "external":
            f.create_dataset(name, shape, dtype, external=[(str(secret), 0, 10**6)])
        elif kind == "virtual":
            layout = h5py.VirtualLayout(shape, dtype)
            layout[:] = h5py.VirtualSource(str(secret), "w", shape)
            f.create_virtual_dataset(name, layout)
        elif kind == "soft link":
            f[name] = h5py.SoftLink(f"/{found[1]}")
        else:
            f[name] = h5py.ExternalLink(str(secret), "/w")
    for open_it in (load, lambda where: pipeline(model=str(where))):
        with pytest.raises(InputError, match="is a link|in another file|from other files"):
            open_it(folder)


def test_a_nested_configuration_may_not_ask_for_more_than_the_weights_hold(
    encoder_decoder, tmp_path
):
    folder = copied(encoder_decoder, tmp_path / "model")
    config = json.loads((folder / "config.json").read_text())
    config["decoder"]["vocab_size"] = 10**12
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match="vocab_size=1000000000000, but the weights have"):
        load(folder)


PICKLES_AND_ARCHIVES = {"pickle", "marshal", "shelve", "tarfile", "zipfile", "dill"}


def danger(node):
    "What is dangerous about a piece of code, or None."
    if isinstance(node, ast.keyword) and node.arg in ("trust_remote_code", "weights_only"):
        safe = node.arg == "weights_only"
        if not isinstance(node.value, ast.Constant) or node.value.value is not safe:
            return f"{node.arg} is not {safe}"
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        names = [getattr(node, "module", None) or "", *(a.name for a in node.names)]
        if PICKLES_AND_ARCHIVES & {name.split(".")[0] for name in names}:
            return "no pickles and no archives are opened"
    return dangerous_call(node) if isinstance(node, ast.Call) else None


def dangerous_call(node):
    "The same for a call."
    name = ast.unparse(node.func)
    if name in ("eval", "exec", "input", "getpass", "getpass.getpass"):
        return name
    if isinstance(node.func, ast.Attribute):
        if node.func.attr in ("unpack_archive", "system", "popen"):
            return name
        if name == "torch.load" and "weights_only" not in [k.arg for k in node.keywords]:
            return "torch.load without weights_only"
    return None


def test_trust_remote_code_and_unpickling_are_never_turned_on_here():
    for path in sorted((root / "nlp_tour").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            assert danger(node) is None, (path.name, ast.unparse(node), danger(node))


@pytest.mark.parametrize(
    "code",
    [
        "f(trust_remote_code=True)",
        "f(trust_remote_code=x)",
        "torch.load(f, weights_only=False)",
        "torch.load(f)",
        "import pickle",
        "from zipfile import ZipFile",
        "eval(x)",
        "os.system(x)",
        "input('Run it? ')",
        "getpass.getpass()",
    ],
)
def test_danger_is_found(code):
    assert any(danger(node) for node in ast.walk(ast.parse(code)))


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd",
        "..",
        "a/../b",
        "/etc",
        "/etc/passwd",
        "a/b/c",
        "a\x00b",
        "~/../x/y/z",
        "https://example.org/x",
        "a b",
        "",
        ".hidden",
        "models--a--b/../..",
        "C:\\x\\y",
        "a/\n",
    ],
)
def test_names_with_path_tricks_are_refused(name, monkeypatch):
    monkeypatch.setenv("NLP_TOUR_OFFLINE", "1")
    if name in ("/etc", ".."):  # a folder that holds no model
        with pytest.raises(InputError):
            load(name)
        return
    with pytest.raises(InputError):
        resolve(name)
    with pytest.raises(InputError):
        load(name)


@pytest.mark.parametrize("revision", ["../../x", "/etc"])
def test_revisions_with_path_tricks_are_refused(revision):
    with pytest.raises(InputError):
        resolve("bert-base-nowhere", revision)


def test_links_out_of_an_output_folder_are_refused(tiny_classifier, tmp_path):
    import pandas as pd

    from nlp_tour.app.notebooks import copy_notebooks

    (tmp_path / "in.txt").write_text("A quiet film.\n")
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "part-00000.parquet").write_text("precious")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "part-00000.parquet").symlink_to(
        tmp_path / "precious" / "part-00000.parquet"
    )
    pipe = pipeline("text-classification", model=str(tiny_classifier))
    with pytest.raises(InputError, match="holds a link"):
        pipe.map_file(tmp_path / "in.txt", tmp_path / "out")
    (tmp_path / "chapters").mkdir()
    (tmp_path / "chapters" / "tasks").symlink_to(tmp_path / "precious")
    with pytest.raises(InputError, match="points outside"):
        copy_notebooks(tmp_path / "chapters")
    from nlp_tour.app.tour import tour, train

    for run, name in (
        (tour, "model"),
        (tour, "checkpoints"),
        (train, "checkpoints"),
        (train, "checkpoints/checkpoint-2"),
        (train, ".lock"),
    ):
        out = tmp_path / f"{run.__name__}-{name.replace('/', '-')}"
        (out / name).parent.mkdir(parents=True)
        target = tmp_path / "precious"
        (out / name).symlink_to(target / "part-00000.parquet" if name == ".lock" else target)
        labels = ["good", "poor"] * 5
        data = pd.DataFrame(
            {"text": [f"{name} {i}" for i, name in enumerate(labels)], "label": labels}
        )
        with pytest.raises(InputError, match="is a link"):
            run(data=data, out=out, model=str(tiny_classifier), epochs=1, progress=False)
    assert [(p.name, p.read_text()) for p in (tmp_path / "precious").iterdir()] == [
        ("part-00000.parquet", "precious")
    ]


class Page(HTMLParser):
    "What a browser makes of HTML: elements, attributes, and the words that are seen."

    def __init__(self, page):
        super().__init__()
        self.tags, self.attrs, self.words = set(), set(), []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attrs |= {k for k, _ in attrs}

    def handle_data(self, data):
        self.words.append(data)


def views(pipe):
    "Every view of a notebook and of a report, for texts, labels, columns and answers of markup."
    import pandas as pd
    from datasets import ClassLabel, Dataset

    from nlp_tour.base.results import DictResult
    from nlp_tour.beyond.browse import show_batch, show_results, top_losses
    from nlp_tour.beyond.explain import explain
    from nlp_tour.beyond.playground import playground, view
    from nlp_tour.engine.problems import Problem, Report
    from nlp_tour.pictures.images import picture
    from nlp_tour.pictures.plots import plot_confusion
    from nlp_tour.pictures.report import cards, report
    from nlp_tour.pictures.tables import shade
    from nlp_tour.pictures.tokens import span_html, token_html
    from nlp_tour.tasks.table import show_cells
    from nlp_tour.tokenizer import show_tokens

    data = Dataset.from_dict({"text": [EVIL], "label": [0]})
    data = data.cast_column("label", ClassLabel(names=pipe.task.labels))
    yield "report", report(EVIL, {EVIL: cards({EVIL: EVIL})})
    yield "list", ListResult([{EVIL: EVIL, "score": 0.5}])._repr_html_()
    yield "dict", DictResult(label=EVIL)._repr_html_()
    yield "check", Report([Problem("labels", EVIL, EVIL)])._repr_html_()
    yield "picture", picture(plot_confusion([0, 1], [0, 1], [EVIL, "fine"]), EVIL)
    yield "shade", shade(EVIL, [(0, len(EVIL), 1.0)])
    yield "spans", span_html(EVIL, [(0, 8, EVIL)])
    yield (
        "cells",
        show_cells(pd.DataFrame({EVIL: [EVIL]}), {"answer": EVIL, "coordinates": [(0, 0)]}),
    )
    yield "token", token_html(EVIL, 1, under=EVIL, title=EVIL)
    yield "tokens", show_tokens(pipe.tokenizer, EVIL)
    yield "batch of tokens", show_tokens(pipe.tokenizer, [EVIL, "fine"])
    yield "steps", pipe.steps(EVIL)._repr_html_()
    for method in ("occlusion", "gradients"):
        yield method, explain(pipe, EVIL, method=method)._repr_html_()
    yield "batch", show_batch(data, pipe.tokenizer)
    yield "results", show_results(pipe, data)
    yield "losses", top_losses(pipe, data)._repr_html_()
    yield "playground", view(pipe, EVIL)
    yield "playground's error", view(pipe, {EVIL: EVIL})
    yield "playground without a kernel", playground(pipe, EVIL)._repr_mimebundle_()["text/html"]


TAGS = """
    html head meta title style body h1 h2 div p b br span small sup
    table thead tbody tr th td img
"""


def test_html_shows_a_script_as_text(tiny_classifier, tmp_path):
    folder = copied(tiny_classifier, tmp_path / "model")
    config = json.loads((folder / "config.json").read_text())
    config |= {"id2label": {0: EVIL, 1: EVIL + "2"}, "label2id": {EVIL: 0, EVIL + "2": 1}}
    (folder / "config.json").write_text(json.dumps(config))
    pipe = pipeline("text-classification", model=str(folder))
    seen = 0
    for name, html in views(pipe):
        page = Page(html)
        assert page.tags <= set(TAGS.split()), (name, page.tags)
        assert not any(k.startswith("on") for k in page.attrs), (name, page.attrs)
        assert ("img" in page.tags) == (name == "picture"), name
        seen += EVIL in "".join(page.words)
    assert seen > 10, "what is refused by being left out is not shown"


def test_pictures_draw_markup_and_formulas_as_words(tiny_classifier):
    import xml.etree.ElementTree as ET

    from nlp_tour.pictures.images import drawn
    from nlp_tour.pictures.plots import plot_confusion, plot_labels
    from nlp_tour.pictures.steps import plot_steps
    from nlp_tour.pictures.tokens import plot_token_map

    names = [EVIL, "$\\frac{$"]
    pipe = pipeline("text-classification", model=str(tiny_classifier))
    for ax in (
        plot_token_map(names, [[0.5, 0.5], [0.5, 0.5]]),
        plot_confusion([0, 1], [0, 1], names),
        plot_labels([0, 1], names),
        plot_steps({**pipe.steps("Fine."), "answer": ListResult([{"label": n} for n in names])}),
    ):
        svg = drawn(ax, "svg").decode()
        words = [
            "".join(e.itertext())
            for e in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")
        ]
        assert "<script" not in svg
        assert any(w.startswith("<script>alert(1)") for w in words), words
        assert names[1] in words, words


STEERING = "\x1b]0;title\x07\x1b[2J\r\x9b1m\u202eevil\x7f\b"
CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]")


def test_a_terminal_is_not_steered_by_a_text():
    from nlp_tour.app.console import table_text

    row = {"text": STEERING, "label\x1b[1m": "\x1b[31m"}
    assert not CONTROL.search(table_text([row]))


def test_a_terminal_is_not_steered_by_a_sentence_of_ours(tiny_classifier, capsys):
    import pandas as pd

    from nlp_tour.app.runs import show_line
    from nlp_tour.base.errors import warn_once
    from nlp_tour.engine.problems import Problem, Report

    evil = STEERING + "\n"
    pipe = pipeline("text-classification", model=str(tiny_classifier))
    with pytest.raises(InputError) as error:
        pipe(pd.DataFrame({evil: ["Fine."]}), column="text")
    warn_once(evil)
    show_line(True, evil)
    print(Report([Problem("labels", evil, evil)]))
    out, err = capsys.readouterr()
    for text in (out, err, str(error.value)):
        assert "evil" in text and not CONTROL.search(text)


def test_a_report_holds_no_path_no_secret_and_no_script(tmp_path, monkeypatch):
    import pandas as pd

    from nlp_tour.app.tour import tour

    monkeypatch.setenv("HF_TOKEN", "hf_" + "s" * 34)
    (tmp_path / "secret-home").mkdir()
    rows = [(f"{EVIL} film {i}", [EVIL, "$\\frac{$"][i % 2]) for i in range(60)]
    table = pd.DataFrame(rows, columns=["text", "label"])
    table.to_csv(tmp_path / "secret-home" / "d.csv", index=False)
    monkeypatch.chdir(tmp_path / "secret-home")
    tour("out", data="d.csv", text=EVIL, epochs=1)
    page = Page((tmp_path / "secret-home" / "out" / "report.html").read_text(encoding="utf-8"))
    assert "script" not in page.tags and EVIL in "".join(page.words)
    assert not any(k.startswith("on") for k in page.attrs)
    for path in (tmp_path / "secret-home" / "out").rglob("*"):
        if path.suffix in (".json", ".html", ".txt", ".md"):
            content = path.read_text(encoding="utf-8")
            assert "hf_sss" not in content and "secret-home" not in content, path.name
            assert str(Path.home()) not in content.replace('"/root"', ""), path.name


def test_the_embedded_weights_are_the_ones_they_should_be(tmp_path, monkeypatch):
    import nlp_tour.hub.standins as standins

    assert sha256(checked_encoder() / "model.safetensors") == ENCODER_SHA256
    other = copied(embedded_part("encoder"), tmp_path / "model")
    with open(other / "model.safetensors", "r+b") as f:
        f.seek(-1, 2)
        f.write(b"\x01")
    monkeypatch.setattr(standins, "embedded_part", lambda name: other)
    with pytest.raises(InputError, match="does not have the expected checksum"):
        checked_encoder()


def test_no_licence_forbids_what_ours_allows():
    "What is refused is named with its licence."
    found = licences.everything()
    assert len(found) > 50 and {"torch", "transformers", "typer", "scattertext"} <= found.keys()
    assert licences.refused(found) == {}


@pytest.mark.parametrize(
    "words, fine",
    [
        ("MIT", True),
        ("GPL-3.0-only", False),
        ("MIT AND GPL-2.0-or-later", False),
        ("GPL-2.0-only OR MIT", True),
        ("(MIT OR GPL-2.0-only) AND BSD-3-Clause", True),
        ("GNU General Public License v3 (GPLv3)", False),
        ("GNU Affero General Public License v3", False),
        ("unknown", False),
        ("Other/Proprietary License", False),
    ],
)
def test_a_licence_is_read_as_it_is_meant(words, fine):
    assert (licences.refused({"x": ("1", words)}) == {}) == fine


def test_known_vulnerabilities_are_asked_for_where_there_is_a_network():
    "`make audit` runs pip-audit over constraints.txt; CI runs it where there is a network."
    assert re.search(r"^audit:.*\n(\t.*\n)*\t.*pip_audit", (root / "Makefile").read_text(), re.M)
