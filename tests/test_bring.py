'"Bring your notebook" of the site finds what `migrate` finds, without the libraries.'

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

pytest.importorskip("libcst")
from nlp_tour.app.migrate import migrate, migrate_notebook
from nlp_tour.base.names_2021 import entries

root = Path(__file__).resolve().parent.parent
pytestmark = pytest.mark.skipif(not shutil.which("node"), reason="there is no node")


def in_the_page(sources):
    "What the page finds in each source: lists of dictionaries, or a sentence."
    script = root / "tests" / "docs" / "findings.mjs"
    done = subprocess.run(
        ["node", script], input=json.dumps(sources), capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def names_of(why):
    "The old names in a sentence of `migrate`."
    why = why.removeprefix("in the file: ")
    if "with its `" in why:
        return [re.search(r"with its `\s*(.+?)\s*`", why)[1]]
    if why.startswith("outputs are no tuple today"):
        return ["outputs unpacked as a tuple"]
    if "is not Python 3" in why:
        return ["this cell"]
    if why.startswith("these names come from"):
        return []
    whole = re.match(r"`(.+?)` is now `(.+?)`(?:, which has (.+))?$", why)
    if whole:  # without a name that it has, the module only goes with the others
        lost = whole[3].split(", ") if whole[3] else []
        return lost if whole[2] == "nlp_tour.all" else [whole[1]]
    named = re.match(r"(?:[\w' .]+: )?`(?:def )?([^`=]+)", why)
    return [named[1]] if named else [why.partition("; today")[0]]


def in_python(source):
    "(cell, line, name, whether it is left to the reader) of what `migrate` reports."
    done = (migrate_notebook if source.startswith("{") else migrate)(source)
    found = set()
    for line, why in [*done.changes, *done.left]:
        by_hand = (line, why) in done.left and "`nlp_tour.all` still has it" not in why
        place, sentence = re.fullmatch(r"(?:cell (\d+): )?(.*)", why, re.S).groups()
        cell = int(place) if place else None
        found |= {(cell, line, name, by_hand) for name in names_of(sentence)}
    # An import that only stops to fail leaves the name itself to the reader.
    return {f for f in found if f[3] or (*f[:3], True) not in found}


def notebook(*cells):
    "A notebook with code cells."
    code = [{"cell_type": "code", "source": source, "metadata": {}} for source in cells]
    return json.dumps({"cells": [{"cell_type": "markdown", "source": "# A"}, *code]})


SOURCES = {
    "names": """
from transformers import (
    AdamW as Adam,
    BertModel,  # AutoModelWithLMHead
    AutoModelWithLMHead,
    TransfoXLModel, LogitsWarper,
)
from datasets import load_metric, load_dataset; x = 1
from transformers import *
from torch.optim import AdamW
text = "from transformers import AdamW"
""",
    "a module": """
import transformers, os
from transformers import Trainer
transformers.AdamW([]); transformers.AutoModel
""",
    "modules": """
import nlp, os
from transformers.modeling_bert import BertModel, BertLayer
from transformers.tokenization_utils import BatchEncoding
from transformers.file_utils import is_tf_available, cached_path
import transformers.modeling_gpt2 as gpt
nlp.load_dataset("imdb")
gpt.GPT2LMHeadModel
""",
    "arguments": """
from transformers import TrainingArguments, Trainer, AutoModel, AutoTokenizer, pipeline
args = TrainingArguments(
    "out", evaluation_strategy="epoch",
    no_cuda=True, adafactor=True, sharded_ddp="simple", adafactor_=1,
    warmup_ratio=0.1, group_by_length=flag,
)
tok = AutoTokenizer.from_pretrained("a", use_auth_token=True, token=None)
tok(texts, pad_to_max_length=True, truncation_strategy="longest_first")
tok.batch_encode_plus([f"{tok.max_len}"], pad_to_max_length=not True)
model = AutoModel.from_pretrained("a", from_tf=True, use_auth_token=t if t else None)
pipe = pipeline("ner", grouped_entities=True, framework="pt", use_auth_token=None)
pipe("x", topk=3)
trainer = Trainer(model, args, tokenizer=tok)
trainer.train(model_path="a")
model.push_to_hub("a", organization="b")
sorted(x, tokenizer=1)
""",
    "kept by their methods": """
from datasets import load_dataset
from transformers import AutoModel
from accelerate import Accelerator, DistributedType
model = AutoModel.from_pretrained("bert-base-cased").cuda()
loss, logits = model(input_ids, labels=labels)
model.half().generate(input_ids, bos_token="a")
model.generate(input_ids, eos_token="a")
train_dataset.rename_column_("a", "b")
load_dataset("imdb")["train"].map_(f)
accelerator = Accelerator()
accelerator.use_fp16, DistributedType.TPU
other.use_fp16
""",
    "members": """
from transformers import AutoTokenizer, Trainer, BertForMaskedLM, HfArgumentParser
from transformers import TrainingArguments
parser = HfArgumentParser((TrainingArguments,))
(training_args,) = parser.parse_args_into_dataclasses()
if training_args.overwrite_output_dir or training_args.no_cuda: print(tokenizer.max_len)
tokenizer = AutoTokenizer.from_pretrained("a")
with tokenizer.as_target_tokenizer():
    tokenizer.encode_plus("a")["input_ids"]
    encode = tokenizer.batch_encode_plus
    n = tokenizer.additional_special_tokens_ids
model = BertForMaskedLM.from_pretrained("a")
model.sample(1); model.prune_heads({})
other.encode_plus("a"); words.sample(3)
trainer = Trainer(model)
if trainer.is_world_master(): trainer.tokenizer.save_pretrained("a")
""",
    "uses": """
from transformers import Trainer, AutoModel, AutoTokenizer, pipeline
from datasets import load_dataset, load_metric
tokenizer, model = AutoTokenizer.from_pretrained("a"), AutoModel.from_pretrained("a")
model = AutoModel.from_pretrained("a")
ds = load_dataset("imdb")
tokenizer(ds["train"]["text"])
tokenizer(ds["train"][:10])
tokenizer("a", return_tensors="tf")
loss, logits = model(**batch)
loss, logits = model(**batch)[:2]
metric = load_metric("glue", "mrpc")
pipeline("summarization"); pipeline("translation_en_to_fr"); pipeline("ner")


class Mine(Trainer):
    def compute_loss(self, model, inputs, return_outputs=False):
        labels = self.args.no_cuda
        return super().compute_loss(model, inputs)

    def training_step(self, model, inputs, num_items_in_batch=None): return 0

    def log(self, *args, **kwargs):
        pass

    def _get_train_sampler(self):
        return self.is_world_master()

    def prediction_loop(self, loader): pass
""",
    "one's own": """
from transformers import BertPreTrainedModel, BertModel, PreTrainedTokenizer, BertTokenizerFast
from transformers import T5Tokenizer
from pytorch_transformers.modeling_bert import BertConfig
from transformers.tokenization_utils import _is_control
from transformers.modeling_bert import gelu
from diffusers import AutoencoderKL
from ...modeling_utils import PreTrainedModel as Vendored
import transformers, datasets


class Head(BertPreTrainedModel):
    def __init__(self, config):
        super().__init__(config)
        self.bert = BertModel(config)
        self.sp_model = 1
        self.init_weights()

    def forward(self, ids, lm_labels=None): return self.bert(ids, a, b, c, d)


class Done(BertPreTrainedModel):
    def __init__(self, config):
        self.post_init()

    def prepare_inputs_for_generation(self, ids, past=None): return ids


class Words(PreTrainedTokenizer):
    def __init__(self, file):
        self.sp_model = read(file)

    def length(self): return len(self.sp_model) + self.max_len


class Log(transformers.trainer_callback.TrainerCallback):
    def on_log(self, args, state, control, **kwargs): return args.logging_dir


class Tuner(elsewhere.Module):
    def forward(self, ids, lm_labels=None): return ids

    def step(self, batch): return self(batch, lm_labels=batch)


tok = BertTokenizerFast(vocab_file="a.txt")
tok.save_vocabulary("a")
len(tok.encoder), tok.ids_to_tokens[1], tok.basic_tokenizer, tok.num_added_tokens()
vae = AutoencoderKL.from_pretrained("a", use_auth_token=True, torch_dtype=x)
names = [c.pretrained_config_archive_map for c in (BertConfig,)]
datasets.DatasetInfo(features=f, task_templates=[1])
head = Head.from_pretrained("a")
head(ids, lm_labels=ids)
T5Tokenizer(vocab_file="a.model"), T5Tokenizer("a.model"), T5Tokenizer(extra_ids=0)


class Copy(Vendored):
    def forward(self, mask): return self.get_extended_attention_mask(mask)


self.student = nn.DataParallel(self.student)
loss, logits = self.student(input_ids=ids)


class Kiwi(T5Tokenizer):
    def _tokenize(self, text): return text.split()
""",
    "outputs as a tuple": """
from transformers import BertForQuestionAnswering, BertModel
model = BertForQuestionAnswering.from_pretrained("a")
outputs = model(**inputs)
for i, name in enumerate(names):
    output = [to_list(output[i]) for output in outputs]
    start, end = output
for x in model(**batch): print(x)
both = [(a, b) for a, b in zip(model(**batch), outputs) if a]
words = {k: v for k, v in model(**batch).items()}
for name in outputs: print(outputs[name])
for name in outputs:
    print(name)
loss, logits = outputs
outputs = outputs[0]
loss, logits = outputs
list(model(**batch)); f(*model(**batch), **batch)


def evaluate(outputs):
    loss, logits = outputs
    outputs = self.bert(input_ids, attention_mask=mask)
    hidden, pooled = outputs
    for layer in self.bert(ids): pass
    return tuple(
        outputs
    )
loss = outputs[0]
""",
    "a star": """
from transformers import *
from mine import Thing
tok = BertTokenizer.from_pretrained("a")
model = AutoModelWithLMHead.from_pretrained("a")
loss, logits = model(**batch)
optimizer = AdamW(model.parameters(), correct_bias=False)
args = TrainingArguments("out", evaluation_strategy="no", no_cuda=True)
pipe = pipeline("ner", grouped_entities=True)


class Own(Trainer):
    def log(self, logs):
        return Thing(cached_path(logs))
""",
    "own": """
from .transformers import AdamW
from datasets import my_loader
from mine import Trainer, load_metric


def encode_plus(text, pad_to_max_length=False): return text


class Tokenizer:
    def encode_plus(self, text): return self.max_len


tokenizer = Tokenizer()
tokenizer.encode_plus("a")
encode_plus("a", pad_to_max_length=True)
TrainingArgs(evaluation_strategy="no")
load_metric("glue", "mrpc")
""",
    "new": """
from transformers import AutoTokenizer, Trainer, TrainingArguments
tok = AutoTokenizer.from_pretrained("a", token=True)
args = TrainingArguments("out", eval_strategy="epoch")
Trainer(model, args, processing_class=tok).train(resume_from_checkpoint=True)
""",
    "ours": """
from nlp_tour.all import AdamW, AutoTokenizer, TrainingArguments
tok = AutoTokenizer.from_pretrained("a")
tok.batch_encode_plus(["a"], pad_to_max_length=True)
TrainingArguments("out", sharded_ddp="simple")
""",
    "signs": r"""
from transformers import AdamW; s = 'it\'s # no comment'; t = '''
from transformers import AutoModelWithLMHead
'''
x = {"a": [1, 2, (3,)], **{}}; y = lambda tokenizer, *a: tokenizer; z = x["a"][0:1]
def f(a: int = 3, *, b: "str" = ")") -> dict[str, int]: return a if b else \
    tokenizer.encode_plus(rf"\d{a!r:>{b}} {tokenizer.max_len} {{tokenizer.max_len}}")
async def g(): await tokenizer.encode_plus(0x1F, 1e-5, .5, 1_000j)
@tokenizer.encode_plus
class A: max_len = 1
assert (n := tokenizer.max_len) != 2
""",
    "a notebook": notebook(
        "%%time\n!pip install transformers\nfrom transformers import AdamW\n%matplotlib inline\n"
        "out = !ls\nAdamW?\n    ",
        "%%bash\npython train.py --no_cuda",
        "%%writefile train.py\nfrom transformers import AdamW\nx = tokenizer.max_len",
        "!python -c 'from transformers import AdamW'",
        "print 'a'",
        "from transformers import TrainingArguments\nargs = TrainingArguments(\n  no_cuda=True)\n",
        "if True:\n    !echo AdamW(\n    opt = AdamW(model.parameters(), correct_bias=False)",
        "cd ./data\nfrom transformers import AdamW",
        "",
    ),
}


def test_the_page_finds_what_migrate_finds():
    found = in_the_page(SOURCES)
    for name, source in SOURCES.items():
        page = {(f["cell"], f["line"], f["name"], f["way"] == "hand") for f in found[name]}
        assert page == in_python(source), name
        assert all(f["today"] and f["code"] for f in found[name]), name
    kinds = {f["kind"] for all_found in found.values() for f in all_found}
    assert kinds >= {"name", "module", "method", "attribute", "argument", "use", "line", "cell"}
    assert found["new"] == found["own"] == []


def test_the_page_finds_every_name_and_module_of_the_table():
    named = [e for e in entries() if e.kind in ("name", "module")]
    imports = []
    for e in named:
        shown = e.example or e.name
        imports.append(f"from {e.owner} import {shown}" if e.owner else f"from {shown} import X")
    found = in_the_page({"a": "\n".join(imports)})["a"]
    missed = [imports[n - 1] for n in set(range(1, len(imports) + 1)) - {f["line"] for f in found}]
    assert missed == []


def test_a_bad_file_gives_one_sentence():
    sentences = {
        "f(1,\n": 'line 1: a "(" is not closed',
        "x = 1)\n": 'line 1: a ")" closes nothing',
        "\nx = 'a\n": "line 2: a string is not closed",
        "print 'a'\n": 'line 1: "print" is a statement of Python 2',
        "x = $a\n": 'line 1: "$" is no sign of Python',
        '{"cells": 1}': "line null: it contains no cells; open and save notebooks before "
        "nbformat 4 in Jupyter first",
        '{"cells"': "line null: it is not a notebook: its JSON cannot be read",
    }
    sentences["(" * 99_999 + ")" * 99_999] = "line null: it is nested too deeply"
    assert in_the_page({source: source for source in sentences}) == sentences
