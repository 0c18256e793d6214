"What a notebook cannot hold: another process, and figures that must agree with their benchmark."

import json
import subprocess
import sys
from pathlib import Path

import pytest
import tiny_encoders as tiny
import torch
import transformers

from nlp_tour.base.errors import InputError
from nlp_tour.hub.loading import load
from nlp_tour.hub.saving import save

root = Path(__file__).resolve().parent.parent
MODULE = """
import torch
import transformers
from transformers.modeling_outputs import SequenceClassifierOutput


class MeanConfig(transformers.DistilBertConfig):
    model_type = "mean_of_tokens"


class MeanForSequenceClassification(transformers.DistilBertPreTrainedModel):
    config_class = MeanConfig

    def __init__(self, config):
        super().__init__(config)
        self.distilbert = transformers.DistilBertModel(config)
        self.classifier = torch.nn.Linear(config.dim, config.num_labels)
        self.post_init()

    def forward(self, input_ids, attention_mask=None, **kwargs):
        if attention_mask is None:
            attention_mask = torch.ones_like(input_ids)
        hidden = self.distilbert(input_ids, attention_mask).last_hidden_state
        seen = attention_mask[..., None]
        mean = (hidden * seen).sum(1) / seen.sum(1)
        return SequenceClassifierOutput(logits=self.classifier(mean))


transformers.AutoConfig.register("mean_of_tokens", MeanConfig)
transformers.AutoModelForSequenceClassification.register(MeanConfig, MeanForSequenceClassification)
"""
SCRIPT = """
import my_models
import tiny_encoders as tiny
from nlp_tour.hub.saving import save

tok = tiny.wrap(tiny.wordpiece())
sizes = {"dim": 16, "hidden_dim": 32, "n_layers": 1, "n_heads": 2, "max_position_embeddings": 64}
labels = {0: "bad", 1: "good"}
config = my_models.MeanConfig(vocab_size=len(tok), **sizes, id2label=labels)
save(FOLDER, tiny.fill(my_models.MeanForSequenceClassification(config)), tok)
"""


def test_an_architecture_of_ones_own_in_another_process(tmp_path, monkeypatch):
    (tmp_path / "my_models.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    paths = f"import sys\nsys.path[:0] = [{str(tmp_path)!r}, {str(root / 'tests')!r}]\n"
    script = paths + SCRIPT.replace("FOLDER", repr(str(tmp_path / "m")))
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    with pytest.raises(InputError, match="mean_of_tokens") as unknown:
        load(tmp_path / "m")
    assert "\n" not in str(unknown.value)
    import my_models

    from nlp_tour.pipeline import pipeline

    model, again = load(tmp_path / "m")
    pipe = pipeline(model=tmp_path / "m")
    assert isinstance(model, my_models.MeanForSequenceClassification)
    assert pipe.task.name == "text-classification"
    texts = ["She found the river.", "A quiet old bridge in London and Paris."]
    answers = pipe(texts)
    with torch.no_grad():
        logits = model(again(texts, padding=True, return_tensors="pt")).logits
    right = logits.softmax(-1).max(-1)
    labels = [model.config.id2label[i] for i in right.indices.tolist()]
    assert [a["label"] for a in answers] == labels
    assert torch.allclose(torch.tensor([a["score"] for a in answers]), right.values, atol=1e-6)


@pytest.mark.parametrize("kind", ["bert", "roberta", "distilbert"])
def test_layers_of_every_family(kind, tmp_path):
    from nlp_tour.beyond.lora import (
        add_lora,
        layer_count,
        learning_rates,
        merged,
        reinitialize,
        set_dropout,
        trained_share,
    )

    tok = tiny.wrap(tiny.byte_level() if kind == "roberta" else tiny.wordpiece())
    make = {
        "bert": transformers.BertForSequenceClassification,
        "roberta": transformers.RobertaForSequenceClassification,
        "distilbert": transformers.DistilBertForSequenceClassification,
    }[kind]
    model = tiny.fill(make(tiny.config(kind, len(tok))))
    x = tok(["She found the river.", "No."], padding=True, return_tensors="pt")
    assert layer_count(model) == 2
    names = {group["name"] for group in learning_rates(model)}
    assert names == {"head", "layer 0", "layer 1", "embeddings"}
    with torch.no_grad():
        before = model(**x).logits
    lora = add_lora(model)
    with torch.no_grad():
        assert torch.allclose(lora.eval()(**x).logits, before, atol=1e-5)
    assert 0 < trained_share(lora) < 0.5
    with torch.no_grad():
        for n, p in lora.named_parameters():
            if "lora_" in n:
                p.add_(0.05)
        changed = lora(**x).logits
    assert not torch.allclose(changed, before, atol=1e-3)
    plain = merged(lora)
    with torch.no_grad():
        assert torch.allclose(plain(**x).logits, changed, atol=1e-4)
    assert torch.equal(load(save(tmp_path / "m", plain, tok))[0](**x).logits, plain(**x).logits)
    set_dropout(plain, 0).train()
    assert torch.equal(plain(**x).logits, plain(**x).logits)
    weights = {n: w.clone() for n, w in plain.state_dict().items()}
    reinitialize(plain, 1)
    changed = [n for n, w in plain.state_dict().items() if not torch.equal(w, weights[n])]
    assert {n.split(".")[3] for n in changed} == {"1"}


def test_the_table_of_the_chapter_is_the_benchmarks():
    ways = json.loads((root / "benchmarks" / "results" / "customization.json").read_text())["ways"]
    notebook = json.loads((root / "nbs" / "beyond" / "lora.ipynb").read_text())
    text = "".join("".join(cell["source"]) for cell in notebook["cells"])
    for name, v in ways.items():
        times = f"{v['accuracy']:.3f} | {v['seconds']:.0f} s"
        sizes = f"{v['parameters_trained']:,} | {v['megabytes_saved']:.1f} MB"
        assert f"| {name} | {times} | {sizes} |" in text
