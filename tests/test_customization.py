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


SMALL = {"vocab_size": 50, "hidden_size": 16, "num_attention_heads": 2, "intermediate_size": 32}
FAMILIES = {
    "Bert": {**SMALL, "num_hidden_layers": 3},
    "Albert": {**SMALL, "embedding_size": 8, "num_hidden_layers": 3},
    "DistilBert": {"vocab_size": 50, "dim": 16, "hidden_dim": 32, "n_heads": 2, "n_layers": 3},
    "XLM": {"n_words": 50, "emb_dim": 16, "n_heads": 2, "n_layers": 3},
    "XLNet": {"vocab_size": 50, "d_model": 16, "n_head": 2, "d_inner": 32, "n_layer": 3},
    "DebertaV2": {
        **SMALL,
        "num_hidden_layers": 3,
        "relative_attention": True,
        "norm_rel_ebd": "layer_norm",
        "pos_att_type": ["p2c", "c2p"],
    },
    "GPT2": {"vocab_size": 50, "n_embd": 16, "n_head": 2, "n_layer": 3, "pad_token_id": 0},
    "T5": {
        "vocab_size": 50,
        "d_model": 16,
        "d_kv": 8,
        "d_ff": 32,
        "num_heads": 2,
        "num_layers": 3,
        "decoder_start_token_id": 0,
        "eos_token_id": 1,
    },
    "MegatronBert": {**SMALL, "num_hidden_layers": 3},
    "Electra": {**SMALL, "embedding_size": 8, "num_hidden_layers": 3},
}


def tiny_classifier(family):
    "A classifier of the family with random weights, and the name of its body."
    config = getattr(transformers, f"{family}Config")(**FAMILIES[family], num_labels=3)
    make = getattr(transformers, f"{family}ForSequenceClassification")
    torch.manual_seed(0)
    model = make(config).eval()
    return model, make.base_model_prefix


@pytest.mark.parametrize("family", FAMILIES)
def test_a_frozen_body_does_not_move(family):
    from nlp_tour.customization import freeze, parameter_table, unfreeze

    model, body = tiny_classifier(family)
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    freeze(model)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1)
    ids = torch.tensor([[5, 6, 7, 1], [8, 9, 4, 1]])
    model(input_ids=ids, labels=torch.tensor([1, 2])).loss.backward()
    optimizer.step()
    moved = {n for n, p in model.named_parameters() if not torch.equal(p, before[n])}
    outside = {n for n in before if not n.startswith(f"{body}.")}
    poolers = {n for n in before if n.startswith(f"{body}.pooler.")}
    assert outside <= moved <= outside | poolers
    counted = sum(row["parameters"] for row in parameter_table(model))
    assert counted == sum(p.numel() for p in before.values())
    assert all(p.requires_grad for p in unfreeze(model).parameters())


@pytest.mark.parametrize("family", FAMILIES)
def test_every_layer_has_its_number(family):
    from nlp_tour.training.model_parts import model_parts

    model, _ = tiny_classifier(family)
    parts = model_parts(model)
    layers = 1 if family == "Albert" else 3
    assert set(parts.values()) == {"embeddings", "head", *(f"layer {i}" for i in range(layers))}
    sizes = dict.fromkeys(parts.values(), 0)
    for name, p in model.named_parameters():
        sizes[parts[name]] += p.numel()
    assert min(sizes[f"layer {i}"] for i in range(layers)) > 1000  # attention and feed-forward
    words = model.get_input_embeddings().weight
    assert [parts[n] for n, p in model.named_parameters() if p is words] == ["embeddings"]


def test_parts_of_models_with_lora_with_tied_weights_and_of_plain_modules():
    from nlp_tour.beyond.lora import add_lora
    from nlp_tour.training.model_parts import model_parts

    plain, _ = tiny_classifier("Bert")
    parts = {n: part for n, part in model_parts(add_lora(plain)).items() if "lora_" in n}
    assert set(parts.values()) == {"layer 0", "layer 1", "layer 2"}
    tied = transformers.T5ForConditionalGeneration(transformers.T5Config(**FAMILIES["T5"]))
    parts = model_parts(tied)
    assert parts["shared.weight"] == "embeddings"
    assert parts["decoder.final_layer_norm.weight"] == "layer 2"
    bart = transformers.BartConfig(
        vocab_size=50,
        d_model=16,
        encoder_layers=2,
        decoder_layers=2,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=32,
        decoder_ffn_dim=32,
    )
    parts = model_parts(transformers.BartForSequenceClassification(bart))
    assert parts["model.decoder.layernorm_embedding.weight"] == "embeddings"
    assert {parts[n] for n in parts if n.startswith("classification_head.")} == {"head"}
    assert set(model_parts(torch.nn.Linear(2, 2)).values()) == {"head"}
