"Public idioms, run with the libraries' own names and with those of `nlp_tour.all`: the same."

import re
import warnings

import pytest
import transformers

from nlp_tour.hub.standins import embedded

SETUP = """
import json, os, torch
from transformers import *
from datasets import Dataset, DatasetDict, logging as ds_logging
CONFIG = dict(vocab_size=40, num_hidden_layers=1, hidden_size=8, num_attention_heads=2,
              intermediate_size=8, max_position_embeddings=64)
"""

# One idiom a line: what it gives must not depend on the import.
IDIOMS = """
isinstance(AutoTokenizer.from_pretrained(F), PreTrainedTokenizerFast)
isinstance(AutoTokenizer.from_pretrained(F), PreTrainedTokenizerBase)
isinstance(AutoTokenizer.from_pretrained(F), PreTrainedTokenizer)
isinstance(AutoTokenizer.from_pretrained(F), (BertTokenizer, RobertaTokenizer))
isinstance(AutoTokenizer.from_pretrained(F), RobertaTokenizer)
isinstance(BertTokenizer.from_pretrained(F), BertTokenizerFast)
isinstance(AutoModel.from_pretrained(F), PreTrainedModel)
isinstance(AutoModel.from_pretrained(F), BertModel)
isinstance(BertModel(BertConfig(**CONFIG)), BertModel)
isinstance(BertForMaskedLM(BertConfig(**CONFIG)), BertModel)
isinstance(AutoConfig.from_pretrained(F), BertConfig)
isinstance(AutoConfig.from_pretrained(F), PretrainedConfig)
isinstance(BertConfig(**CONFIG), PretrainedConfig)
isinstance(torch.nn.Linear(2, 2), PreTrainedModel)
isinstance(None, BertModel)
issubclass(BertForSequenceClassification, PreTrainedModel)
issubclass(BertForSequenceClassification, BertPreTrainedModel)
issubclass(BertModel, BertForMaskedLM)
issubclass(BertTokenizerFast, PreTrainedTokenizerFast)
isinstance(DataCollatorWithPadding(AutoTokenizer.from_pretrained(F)), DataCollatorWithPadding)
type("Own", (BertPreTrainedModel,), {}).__mro__[1].__name__
isinstance(AutoModel.from_pretrained(F), type("Own", (BertPreTrainedModel,), {}))
BertConfig(gradient_checkpointing=True).gradient_checkpointing
BertConfig(finetuning_task="mrpc").finetuning_task
BertConfig(torchscript=True).torchscript
BertConfig(task_specific_params={"a": 1}).task_specific_params
BertConfig(key_of_mine=3).to_dict()["key_of_mine"]
BertConfig(hidden_size=48, num_attention_heads=4).hidden_size
AutoConfig.from_pretrained(F, finetuning_task="mrpc").hidden_size
AutoConfig.from_pretrained(F, num_labels=3, finetuning_task="mrpc", cache_dir=None).num_labels
AutoConfig.from_pretrained(F, gradient_checkpointing=True).num_hidden_layers
AutoConfig.from_pretrained(F, torchscript=True, output_attentions=True).output_attentions
AutoConfig.from_pretrained(F, num_beams=4).model_type
AutoConfig.from_pretrained(F, key_of_mine=4).model_type
AutoConfig.from_pretrained(F, return_unused_kwargs=True, key_of_mine=4)[1]
AutoConfig.from_pretrained(pretrained_model_name_or_path=F).vocab_size
AutoTokenizer.from_pretrained(pretrained_model_name_or_path=F)("hello world").input_ids
AutoModel.from_pretrained(pretrained_model_name_or_path=F).config.hidden_size
AutoModel.from_pretrained(F, config=AutoConfig.from_pretrained(F, num_labels=4)).config.num_labels
AutoModelForSequenceClassification.from_pretrained(F, config=F, num_labels=3).num_labels
AutoModelForSequenceClassification.from_config(BertConfig(**CONFIG, num_labels=5)).num_labels
AutoModel.from_pretrained(F, from_tf=False, cache_dir=None, revision="main").config.num_labels
BertModel.from_pretrained(None, config=SMALL, state_dict=BertModel(SMALL).state_dict()).dtype
BertConfig.from_json_file(F + "/config.json").hidden_size
BertConfig.from_dict({"hidden_size": 48, "key_of_mine": 1}).key_of_mine
BertConfig.from_pretrained(F + "/config.json").hidden_size
AutoConfig.from_pretrained(F + "/config.json").hidden_size
BertTokenizer.from_pretrained(F + "/vocab.txt").tokenize("hello world")
BertTokenizerFast(F + "/vocab.txt").tokenize("hello world")
BertTokenizer.from_pretrained(F, do_lower_case=True, use_fast=True).tokenize("Hello World")
AutoTokenizer.from_pretrained(F, use_fast=False, cache_dir=None, revision="main").tokenize("Hello")
len(AutoTokenizer.from_pretrained(F, additional_special_tokens=["<e1>", "<e2>"]))
len(AutoTokenizer.from_pretrained(F, pad_token="<mypad>"))
len(AutoTokenizer.from_pretrained(F, extra_special_tokens={"x_token": "<e1>"}))
AutoTokenizer.from_pretrained(F).add_special_tokens({"additional_special_tokens": ["<e1>"]})
AutoTokenizer.from_pretrained(F).add_tokens(["newword"])
AutoTokenizer.from_pretrained(F)("a b", "c d", return_tensors="pt")["token_type_ids"].tolist()
AutoTokenizer.from_pretrained(F).encode("hello world")
AutoTokenizer.from_pretrained(F).decode([101, 7592, 102], skip_special_tokens=True)
AutoTokenizer.from_pretrained(F).model_max_length
AutoTokenizer.from_pretrained(F).__class__.__name__
type(AutoModel.from_pretrained(F)).__name__
MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING[type(BertConfig())].__name__
type(BertConfig()) in MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING
tuple(c.model_type for c in MODEL_FOR_MASKED_LM_MAPPING.keys())[:5]
CONFIG_MAPPING["bert"]().hidden_size
EncoderDecoderModel.from_encoder_decoder_pretrained(F, F).config.model_type
EncoderDecoderConfig.from_encoder_decoder_configs(BertConfig(), BertConfig()).decoder.is_decoder
GenerationConfig(max_length=4, num_beams=2).num_beams
transformers.__version__
transformers.trainer_utils.IntervalStrategy("steps").value
transformers.file_utils.is_torch_available()
transformers.utils.logging.get_verbosity() == transformers.logging.get_verbosity()
transformers.models.bert.modeling_bert.BertLayer.__name__
transformers.logging.get_logger("x").name
ds_logging.set_verbosity_error()
ds_logging.get_verbosity()
ds_logging.set_verbosity(ds_logging.WARNING)
[transformers.logging.set_verbosity_error(), transformers.logging.get_verbosity()][1]
get_linear_schedule_with_warmup(torch.optim.SGD([torch.zeros(1)], 1.0), 0, 10).get_last_lr()
set_seed(3)
EvalPrediction(predictions=[1], label_ids=[2]).predictions
default_data_collator([{"input_ids": [1, 2], "label": 1}])["labels"].tolist()
HfArgumentParser(TrainingArguments).parse_args_into_dataclasses(["--output_dir", "x"])[0].seed
TrainingArguments("x", num_train_epochs=2, save_strategy="no", report_to=[]).num_train_epochs
Seq2SeqTrainingArguments("x", predict_with_generate=True, report_to=[]).predict_with_generate
EarlyStoppingCallback(early_stopping_patience=2).early_stopping_patience
Dataset.from_dict({"a": [1, 2]}).map(lambda row: {"b": row["a"] + 1})["b"][:]
DatasetDict({"train": Dataset.from_dict({"a": [1]})})["train"].num_rows
""".strip().splitlines()


def run(idiom, ours):
    "The value of an idiom under one of the two imports."
    setup = SETUP + "import transformers"
    names = re.findall(r"\b[A-Z][A-Za-z0-9_]+\b|\b[a-z]+(?:_[a-z0-9]+)+(?=\()", idiom)
    names = [n for n in {*names, "BertConfig"} if hasattr(transformers, n)]
    listed = ", ".join(sorted(names))
    setup = setup.replace("from transformers import *", f"from transformers import {listed}")
    if ours:
        setup = setup.replace("from transformers", "from nlp_tour.all")
        setup = setup.replace("from datasets", "from nlp_tour.all")
        setup = setup.replace("import transformers", "import nlp_tour.all as transformers")
    space = {"F": str(embedded("encoder")), "__name__": "idioms"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(setup, space)
        space["SMALL"] = space["BertConfig"](**space["CONFIG"])
        return eval(idiom, space)


@pytest.mark.parametrize("idiom", IDIOMS)
def test_the_import_changes_nothing(idiom):
    theirs = run(idiom, ours=False)
    assert repr(run(idiom, ours=True)) == repr(theirs)


def test_there_are_many():
    assert len(IDIOMS) > 80
