"The table of the names of 2021, each tried: dead on the installed libraries, alive through ours."

import builtins
import contextlib
import functools
import io
import json
import sys
import warnings
from pathlib import Path

import accelerate
import datasets
import pytest
import tiny
import torch
import transformers
from dead_names import is_dead

import nlp_tour.all as ours
from nlp_tour.base.errors import InputError
from nlp_tour.base.names_2021 import entries
from nlp_tour.bridges import keras_2021
from nlp_tour.hub.standins import embedded

SIZES = {
    "hidden_size": 8,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 8,
}
ALIVE, TOLD = ("revived", "renamed"), ("told",)


def of_kind(*kinds, how=(*ALIVE, *TOLD)):
    return [e for e in entries() if e.kind in kinds and e.how in how]


def key(entry):
    return f"{entry.owner.rpartition('transformers.')[2]}.{entry.name}"


def pairs(table):
    "The entries of a table of two lines each: columns, and an expression."
    lines = table.strip().splitlines()
    return [(*line.split(" | "), code.strip()) for line, code in zip(lines[::2], lines[1::2])]


ANSWER = {"text": "you", "answer_start": 10}
ASKED = [{"id": "1", "question": "who?", "answers": [ANSWER]}]
SQUAD = {
    "version": "1.1",
    "data": [{"title": "t", "paragraphs": [{"context": "a film by you", "qas": ASKED}]}],
}  # a file of SQuAD with one question


class Libraries:
    "The names of `nlp_tour.all`, from the libraries alone."

    def __getattr__(self, name):
        return getattr(transformers if hasattr(transformers, name) else datasets, name)


libraries = Libraries()


@functools.cache
def folder(name):
    "A folder with a tiny model."
    import tempfile

    torch.manual_seed(0)
    cls = getattr(transformers, name)
    sizes = {"n_embd": 8, "n_layer": 1, "n_head": 2} if name.startswith("GPT2") else SIZES
    labels = {0: "contradiction", 1: "entailment"}
    config = cls.config_class(
        **sizes,
        vocab_size=30522,
        bos_token_id=0,
        eos_token_id=0,
        id2label=labels,
        label2id={name: i for i, name in labels.items()},
    )
    path = tempfile.mkdtemp()
    cls(config).save_pretrained(path)
    return path


def byte_pairs(tmp):
    "The two files of a byte-level BPE."
    where = tmp / "bpe"
    where.mkdir(exist_ok=True)
    rust = json.loads(tiny.bpe().to_str())["model"]
    (where / "vocab.json").write_text(json.dumps(rust["vocab"]))
    pairs = [pair if isinstance(pair, str) else " ".join(pair) for pair in rust["merges"]]
    (where / "merges.txt").write_text("\n".join(["#version: 0.2", *pairs]))
    return str(where / "vocab.json"), str(where / "merges.txt")


class Names(dict):
    "What an expression of these tables sees: its own names, and those of one library."

    def __init__(self, where, tmp):
        self.where, csv = where, tmp / "a.csv"
        csv.write_text("a\n1\n")
        (tmp / "lines.txt").write_text("one line\n\nand two lines\n")
        for version in ("1.1", "2.0"):
            (tmp / f"dev-v{version}.json").write_text(json.dumps(SQUAD))
        super().__init__(
            F=str(embedded("encoder")),
            KERAS=str(Path(__file__).parent / "fixtures" / "tensorflow" / "bert-h5"),
            files=lambda *names: dict(zip(names, byte_pairs(tmp))),
            CSV=str(csv),
            LINES=str(tmp / "lines.txt"),
            OUT=str(tmp),
            S="only_second",
            N="no_checks",
            CLASSIFIER="BertForSequenceClassification",
            GLUE_ROW=ours.InputExample("1", "a", label="1"),
            TEXT="We are very happy to show you this.",
            IDS=torch.tensor([[101, 7592, 2088, 102]]),
            model=lambda name: getattr(where, name).from_pretrained(folder(name)).eval(),
            tok=self.tok,
            pipe=self.pipe,
            trainer=self.trainer,
            arguments=self.arguments,
            past=self.past,
            head=self.head,
            words=self.words,
            squad_features=self.squad_features,
            squad_predictions=self.squad_predictions,
            own=lambda **methods: type("Own", (where.Trainer,), methods),
            evaluated=lambda name: getattr(made := self.trainer(), name)(
                made.get_eval_dataloader(), "Evaluation"
            ),
            folder=folder,
            torch=torch,
        )

    def __missing__(self, name):
        if hasattr(builtins, name):
            raise KeyError(name)
        return getattr(self.where, name)

    def tok(self):
        return self.where.AutoTokenizer.from_pretrained(self["F"])

    def pipe(self, task, name):
        model = getattr(transformers, name).from_pretrained(folder(name))
        tok = transformers.AutoTokenizer.from_pretrained(self["F"])
        return self.where.pipeline(task, model=model, tokenizer=tok)

    def squad_features(self):
        examples = self.where.SquadV1Processor().get_dev_examples(self["OUT"])
        convert = self.where.squad_convert_examples_to_features
        return convert(examples, self.tok(), 20, 4, 8, False, tqdm_enabled=False)

    def squad_predictions(self):
        "What is answered where the last word scores highest at both ends."
        examples = self.where.SquadV1Processor().get_dev_examples(self["OUT"])
        (features,) = self.squad_features()
        logits = [float(token == "you") for token in features.tokens]
        results = [self.where.SquadResult(features.unique_id, logits, logits)]
        return self.where.compute_predictions_logits(
            examples,
            [features],
            results,
            5,
            9,
            True,
            None,
            None,
            None,
            False,
            False,
            0.0,
            self.tok(),
        )

    def past(self):
        return self["model"]("GPT2LMHeadModel")(self["IDS"], use_cache=True).past_key_values

    def head(self):
        "A model's class of one's own."

        class Head(self.where.BertPreTrainedModel):
            def __init__(self, config):
                super().__init__(config)
                self.bert = transformers.BertModel(config)

        return Head

    def words(self):
        "A tokenizer's class of one's own, which knows one word."

        class Words(self.where.PreTrainedTokenizer):
            vocab_size = 1

            def __init__(self):
                super().__init__(unk_token="?")
                self.ids = {"?": 0}

            def get_vocab(self):
                return dict(self.ids)

            def _tokenize(self, text):
                return text.split()

            def _convert_token_to_id(self, token):
                return 0

        return Words

    def arguments(self, **kwargs):
        plain = {
            "use_cpu": True,
            "report_to": "none",
            "save_strategy": "no",
            "max_steps": 1,
            "logging_steps": 1,
        }
        return self.where.TrainingArguments(self["OUT"], **plain | kwargs)

    def trainer(self, cls=None, **kwargs):
        data = [{"input_ids": [5, 6], "labels": 0}] * 2
        model = transformers.BertForSequenceClassification.from_pretrained(
            folder("BertForSequenceClassification")
        )
        made = cls or self.where.Trainer
        return made(model, self.arguments(), train_dataset=data, eval_dataset=data, **kwargs)


def numbers(answer):
    "An answer whose tensors are lists and whose scores are rounded, so that two can be compared."
    if isinstance(answer, torch.Tensor):
        return answer.tolist()
    if hasattr(answer, "items"):
        return {k: numbers(v) for k, v in answer.items()}
    if isinstance(answer, (list, tuple)):
        return [numbers(v) for v in answer]
    return round(answer, 4) if isinstance(answer, float) else answer


@pytest.fixture(scope="module")
def names(tmp_path_factory):
    "Two kinds of names, for `run`."
    tmp = tmp_path_factory.mktemp("names")
    return {"libraries": Names(libraries, tmp), "ours": Names(ours, tmp)}


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    "Many of these calls warn, by right; none may ask the network."
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    transformers.logging.set_verbosity_error()
    with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        yield
    transformers.logging.set_verbosity_warning()


def run(code, names):
    "The value of an expression, or the class of its error and its message."
    try:
        return numbers(eval(code, names))
    except Exception as e:
        return type(e), str(e)


# Each argument: as in 2021, and as today ("nothing" where it is left out, "refused" where only a
# sentence stands for it, or the value that it gives); below it a call, where … stands for it.

ARGUMENTS = """
Trainer.tokenizer | tokenizer=tok() | processing_class=tok()
    trainer(…).processing_class.vocab_size
Trainer.prediction_loss_only | prediction_loss_only=True | = True
    trainer(…).args.prediction_loss_only
Trainer.tb_writer | tb_writer=1 | refused
    trainer(…)
Trainer.train.model_path | model_path=F | resume_from_checkpoint=None
    trainer().train(…).global_step
PreTrainedTokenizerBase.__call__.pad_to_max_length | pad_to_max_length=True | padding="max_length"
    tok()(TEXT, max_length=99, …)
PreTrainedTokenizerBase.__call__.is_pretokenized | is_pretokenized=True | is_split_into_words=True
    tok()(["hello", "you"], …).input_ids
PreTrainedTokenizerBase.__call__.truncation_strategy | truncation_strategy=S | truncation=S
    tok()(TEXT, TEXT, max_length=14, …)
PreTrainedTokenizerBase.__call__.return_lengths | return_lengths=True | return_length=True
    tok()(TEXT, …)
PreTrainedTokenizerBase.from_pretrained.max_len | max_len=9 | model_max_length=9
    AutoTokenizer.from_pretrained(F, …).model_max_length
BertTokenizer.vocab_file | vocab_file=F + "/vocab.txt" | vocab=F + "/vocab.txt"
    BertTokenizer(…).tokenize("hello world")
GPT2Tokenizer.merges_file | **files("vocab_file", "merges_file") | **files("vocab", "merges")
    GPT2Tokenizer(…).tokenize("hello")
PreTrainedModel.from_pretrained.use_auth_token | use_auth_token=True | token=True
    AutoModel.from_pretrained(F, …).dtype
PreTrainedModel.from_pretrained.torch_dtype | torch_dtype="float64" | dtype="float64"
    AutoModel.from_pretrained(F, …).dtype
PreTrainedModel.from_pretrained.from_tf | from_tf=True | nothing
    AutoModel.from_pretrained(KERAS, …).dtype
PreTrainedModel.from_pretrained.from_pt | from_pt=True | nothing
    AutoModel.from_pretrained(F, …).dtype
PreTrainedModel.from_pretrained.from_flax | from_flax=True | refused
    AutoModel.from_pretrained(F, …).dtype
pipeline.use_auth_token | use_auth_token=True | token=True
    pipeline("feature-extraction", F, …).model.dtype
pipeline.framework | framework="pt" | nothing
    pipeline("feature-extraction", F, …).model.dtype
Pipeline.__call__.topk | topk=2 | top_k=2
    pipe("fill-mask", "BertForMaskedLM")("a [MASK].", …)
Pipeline.__call__.multi_class | multi_class=True | multi_label=True
    pipe("zero-shot-classification", CLASSIFIER)("It rains.", ["rain", "sun"], …)
Pipeline.__call__.grouped_entities | grouped_entities=True | aggregation_strategy="simple"
    pipe("ner", "BertForTokenClassification")(TEXT, …)
Pipeline.__call__.return_all_scores | return_all_scores=True | top_k=None
    sorted(pipe("text-classification", CLASSIFIER)([TEXT], …)[0], key=str)
datasets.load_dataset.use_auth_token | use_auth_token=True | token=True
    load_dataset("csv", data_files=CSV, …)["train"][:]
datasets.load_dataset.script_version | script_version="main" | revision="main"
    load_dataset("csv", data_files=CSV, …)["train"][:]
datasets.load_dataset.ignore_verifications | ignore_verifications=True | verification_mode=N
    load_dataset("csv", data_files=CSV, …)["train"][:]
datasets.load_dataset.task | task="text-classification" | refused
    load_dataset("csv", data_files=CSV, …)["train"][:]
PreTrainedModel.forward.lm_labels | lm_labels=IDS | labels=IDS
    model("GPT2LMHeadModel")(IDS, …)["loss"]
PreTrainedModel.forward.masked_lm_labels | masked_lm_labels=IDS | labels=IDS
    model("BertForMaskedLM")(IDS, …)["loss"]
PreTrainedModel.forward.head_mask | head_mask=torch.zeros(1, 2) | refused
    model("GPT2LMHeadModel")(IDS, …)["logits"]
PreTrainedModel.forward.past | past=past() | past_key_values=past()
    model("GPT2LMHeadModel")(IDS, …)["logits"]
PreTrainedModel.push_to_hub.organization | organization="o" | refused
    model("BertForMaskedLM").push_to_hub("x", …)
PreTrainedModel.push_to_hub.repo_path_or_name | repo_path_or_name="x" | refused
    model("BertForMaskedLM").push_to_hub(…)
PreTrainedModel.push_to_hub.repo_name | repo_name="x" | refused
    model("BertForMaskedLM").push_to_hub(…)
PreTrainedModel.push_to_hub.repo_url | repo_url="x" | refused
    model("BertForMaskedLM").push_to_hub(…)
PreTrainedModel.push_to_hub.use_auth_token | use_auth_token="x" | refused
    model("BertForMaskedLM").push_to_hub("x", …)
GenerationMixin.generate.bos_token | bos_token="x" | refused
    model("GPT2LMHeadModel").generate(IDS, max_new_tokens=1, …)
GenerationMixin.generate.eos_token | eos_token="x" | refused
    model("GPT2LMHeadModel").generate(IDS, max_new_tokens=1, …)
GenerationMixin.generate.pad_token | pad_token="x" | refused
    model("GPT2LMHeadModel").generate(IDS, max_new_tokens=1, …)
datasets.DatasetInfo.task_templates | task_templates=[] | refused
    DatasetInfo(…)
AdamW.correct_bias | correct_bias=False | = False
    AdamW([torch.ones(2, requires_grad=True)], lr=0.1, …).correct_bias
"""

ARGUMENTS = pairs(ARGUMENTS)
VALUES = {
    "evaluation_strategy": "steps",
    "per_gpu_train_batch_size": 3,
    "per_gpu_eval_batch_size": 3,
    "push_to_hub_token": "t",
    "push_to_hub_model_id": "m",
    "warmup_ratio": 0.1,
    "xpu_backend": None,
    "torchdynamo": "eager",
    "past_index": 1,
}  # of `TrainingArguments`; of the others: True


def argument(name, value):
    return f"{name}={value!r}"


def todays(entry):
    "An argument of `TrainingArguments` as the table writes it."
    if entry.how == "told":
        return "refused"
    if isinstance(entry.write, dict):
        return entry.write["True"]
    return argument(entry.write, VALUES.get(entry.name, True)) if entry.write else "nothing"


ARGUMENTS += [
    (
        key(e),
        argument(e.name, VALUES.get(e.name, True)),
        todays(e),
        "TrainingArguments(OUT, …).to_dict()",
    )
    for e in of_kind("argument")
    if e.owner == "transformers.TrainingArguments"
]
ARGUMENT_NAMES = [name for name, *_ in ARGUMENTS]


def given(code, argument=""):
    return code.replace(", …", f", {argument}" if argument else "").replace("…", argument)


def test_every_argument_is_tried():
    assert sorted(ARGUMENT_NAMES) == sorted(map(key, of_kind("argument")))


@pytest.mark.parametrize("name, old, today, code", ARGUMENTS, ids=ARGUMENT_NAMES)
def test_an_argument_is_dead_and_what_stands_for_it_works(name, old, today, code, names):
    "Dead: it raises or, swallowed, changes nothing."
    plain = [run(given(code, a), names["libraries"]) for a in ("", old)]
    entry = next(e for e in of_kind("argument") if key(e) == name)
    failed = isinstance(plain[1], tuple) and isinstance(plain[1][0], type)
    assert (failed or plain[0] == plain[1]) == is_dead(entry), plain
    now = run(given(code, old), names["ours"])
    if today == "refused":
        assert now[0] is TypeError or issubclass(now[0], ValueError)
        assert entry.today in now[1] or entry.name in now[1]
        return
    if today.startswith("= "):
        assert repr(now) == today[2:]
        return
    assert entry.how != "told"
    right = run(given(code, "" if today == "nothing" else today), names["ours"])
    lives = entry.since != "deprecated" and not is_dead(entry)  # in an older library
    assert now == right or (lives and now == plain[1])
    assert not (isinstance(right, tuple) and isinstance(right[0], type)), right


# Each name of 2021 that runs: a call, and what it gives.

NAMES = """
AutoModelWithLMHead | BertForMaskedLM
    type(AutoModelWithLMHead.from_pretrained(folder("BertForMaskedLM"))).__name__
AdamW | 0.1
    AdamW([torch.ones(2, requires_grad=True)], lr=0.1).param_groups[0]["lr"]
Conversation | Hello.
    Conversation("Hello.").new_user_input
load_metric | 0.5
    load_metric("glue", "sst2").compute(predictions=[0, 1], references=[1, 1])["accuracy"]
LineByLineTextDataset | 2
    len(LineByLineTextDataset(tok(), LINES, block_size=8))
TextDataset | 2
    len(TextDataset(tok(), LINES, block_size=4))
glue_processors | ['0', '1']
    glue_processors["mrpc"]().get_labels()
glue_output_modes | regression
    glue_output_modes["sts-b"]
glue_tasks_num_labels | 3
    glue_tasks_num_labels["mnli"]
glue_convert_examples_to_features | [1]
    [f.label for f in glue_convert_examples_to_features([GLUE_ROW], tok(), 9, "sst-2")]
glue_compute_metrics | {'mnli/acc': 0.5}
    glue_compute_metrics("mnli", [1, 0], [1, 1])
xnli_processors | ['contradiction', 'entailment', 'neutral']
    xnli_processors["xnli"]("en").get_labels()
xnli_output_modes | classification
    xnli_output_modes["xnli"]
xnli_tasks_num_labels | 3
    xnli_tasks_num_labels["xnli"]
xnli_compute_metrics | {'acc': 0.5}
    {"acc": float(xnli_compute_metrics("xnli", IDS[0, :2] > 999, IDS[0, :2] > 99)["acc"])}
SquadExample | you
    SquadExample("1", "who?", "a film by you", "you", 10, "t").answer_text
SquadV1Processor | who?
    SquadV1Processor().get_dev_examples(OUT)[0].question_text
SquadV2Processor | 1
    SquadV2Processor().get_dev_examples(OUT)[0].qas_id
SquadFeatures | SquadFeatures
    type(squad_features()[0]).__name__
squad_convert_examples_to_features | 9
    sum(squad_features()[0].attention_mask)
SquadDataTrainingArguments | 128
    SquadDataTrainingArguments(model_type="bert").max_seq_length
SquadDataset | 1
    len(SquadDataset(SquadDataTrainingArguments("bert", OUT), tok(), mode="dev"))
SquadResult | [3.0]
    SquadResult(1, [2.0], [3.0]).end_logits
compute_predictions_logits | {'1': 'you'}
    dict(squad_predictions())
squad_evaluate | 100.0
    squad_evaluate(SquadV1Processor().get_dev_examples(OUT), {"1": "you"})["exact"]
top_k_top_p_filtering | [[-inf, 3.0]]
    top_k_top_p_filtering(torch.tensor([[1.0, 3.0]]), top_k=1)
MODEL_WITH_LM_HEAD_MAPPING | GPT2LMHeadModel
    MODEL_WITH_LM_HEAD_MAPPING[GPT2Config].__name__
DataCollatorForWholeWordMask | [1, 3]
    list(DataCollatorForWholeWordMask(tok())([{"input_ids": [101, 7592, 102]}])["labels"].shape)
InputExample | b
    InputExample("1", "a", "b").text_b
InputFeatures | [1]
    InputFeatures([1], label=0).input_ids
DataProcessor | [['one line'], [], ['and two lines']]
    DataProcessor._read_tsv(LINES)
torch_distributed_zero_first | None
    type("Any", (), {"x": torch_distributed_zero_first(-1).__enter__()}).x
BatchEncoding | [1]
    BatchEncoding({"input_ids": [1]}).input_ids
PreTrainedTokenizerFast | True
    PreTrainedTokenizerFast.is_fast.fget(tok())
TokenSpan | 2
    TokenSpan(1, 2).end
CharSpan | 2
    CharSpan(1, 2).end
BasicTokenizer | ['hello', ',', 'you']
    BasicTokenizer().tokenize("Hello, you")
WordpieceTokenizer | ['a', '##b']
    WordpieceTokenizer(vocab={"a": 0, "##b": 1}, unk_token="[UNK]").tokenize("ab")
Conv1D | [3, 2]
    list(Conv1D(2, 3).weight.shape)
apply_chunking_to_forward | [[1.0], [1.0]]
    apply_chunking_to_forward(lambda x: x, 1, 0, torch.ones(2, 1))
EvaluationStrategy | steps
    EvaluationStrategy("steps").value
LogitsWarper | True
    issubclass(TopKLogitsWarper, LogitsWarper)
MT5Tokenizer | T5Tokenizer
    MT5Tokenizer.__name__
"""

# Each method, attribute and way to call of 2021 that runs.

USES = """
PreTrainedTokenizerBase.batch_encode_plus | True
    tok().batch_encode_plus([("a", "b")]).input_ids == tok()(["a"], ["b"]).input_ids
PreTrainedTokenizerBase.encode_plus | True
    tok().encode_plus("a", "b", max_length=4) == tok()("a", "b", truncation=True, max_length=4)
PreTrainedTokenizerBase.prepare_seq2seq_batch | True
    tok().prepare_seq2seq_batch(["a"], ["b"]).labels == tok()(text_target=["b"]).input_ids
PreTrainedTokenizerBase.as_target_tokenizer | None
    tok().as_target_tokenizer().__enter__()
PreTrainedTokenizerBase.prepare_for_model | True
    tok().prepare_for_model([7], [8, 9]).token_type_ids == [0, 0, 0, 1, 1, 1]
PreTrainedTokenizerBase.build_inputs_with_special_tokens | [101, 7, 102, 8, 102]
    tok().build_inputs_with_special_tokens([7], [8])
PreTrainedTokenizerBase.create_token_type_ids_from_sequences | [0, 0, 0, 1, 1]
    tok().create_token_type_ids_from_sequences([7], [8])
PreTrainedTokenizerBase.encoder | True
    tok().encoder["film"] == tok().vocab["film"]
PreTrainedTokenizerBase.ids_to_tokens | film
    tok().ids_to_tokens[tok().vocab["film"]]
PreTrainedTokenizerBase._convert_token_to_id | True
    tok()._convert_token_to_id("film") == tok().vocab["film"]
PreTrainedTokenizerBase._tokenize | ['a', 'film']
    tok()._tokenize("a film")
PreTrainedTokenizerBase.num_added_tokens | 3
    tok().num_added_tokens(pair=True)
PreTrainedTokenizerBase.save_vocabulary of a fast tokenizer | True
    tok().save_vocabulary(OUT)[0].endswith("vocab.txt")
PreTrainedTokenizerBase._pad_token | [PAD]
    tok()._pad_token
PreTrainedTokenizerBase._unk_token | [UNK]
    tok()._unk_token
PreTrainedTokenizerBase._cls_token | [CLS]
    tok()._cls_token
PreTrainedTokenizerBase._sep_token | [SEP]
    tok()._sep_token
PreTrainedTokenizerBase._mask_token | [MASK]
    tok()._mask_token
PreTrainedTokenizerBase._bos_token | None
    tok()._bos_token
PreTrainedTokenizerBase._eos_token | None
    tok()._eos_token
PreTrainedModel.get_head_mask | [None, None]
    model("BertModel").get_head_mask(None, 2)
PreTrainedModel.invert_attention_mask | [0.0, 0.0]
    model("BertModel").invert_attention_mask(torch.ones(1, 2))[0, 0, 0].abs()
PreTrainedModel.get_extended_attention_mask | [0.0, 0.0]
    model("BertModel").get_extended_attention_mask(torch.ones(1, 2), (1, 2))[0, 0, 0].abs()
PreTrainedTokenizerBase.max_len | 512
    tok().max_len
PreTrainedTokenizerBase.additional_special_tokens | []
    tok().additional_special_tokens
PreTrainedTokenizerBase.additional_special_tokens_ids | []
    tok().additional_special_tokens_ids
PreTrainedTokenizerBase.special_tokens_map_extended | [PAD]
    tok().special_tokens_map_extended["pad_token"]
PreTrainedTokenizerBase.all_special_tokens_extended | 5
    len(tok().all_special_tokens_extended)
Trainer.is_world_master | True
    trainer().is_world_master()
Trainer.is_local_master | True
    trainer().is_local_master()
Trainer.prediction_loop | 2
    len(evaluated("prediction_loop").predictions)
Trainer._prediction_loop | 2
    len(evaluated("_prediction_loop").predictions)
Trainer.get_optimizers | 2
    len(trainer().get_optimizers(2))
Trainer.tokenizer | 30522
    trainer(processing_class=tok()).tokenizer.vocab_size
datasets.Dataset.a column into a tokenizer | [[101, 2028, 2240, 102]]
    tok()(load_dataset("text", data_files=LINES)["train"]["text"]).input_ids[:1]
PreTrainedModel.a model of one's own without post_init | Head
    type(head().from_pretrained(folder("BertModel"))).__name__
PreTrainedTokenizer.a tokenizer of one's own that reads its vocabulary last | [0]
    words()().encode("a")
Trainer.old signature of compute_loss | 1
    trainer(own(compute_loss=lambda self, model, inputs: model(**inputs).loss)).train().global_step
Trainer.old signature of training_step | 1
    trainer(own(training_step=lambda self, model, inputs: torch.zeros(()))).train().global_step
Trainer.old signature of log | 1
    trainer(own(log=lambda self, logs: None)).train().global_step
Trainer.old signature of _get_train_sampler | 1
    trainer(own(_get_train_sampler=lambda self: None)).train().global_step
datasets.load_metric.load_metric with a task | 1.0
    load_metric("glue", "mrpc").compute(predictions=[1], references=[1])["f1"]
datasets.load_metric.bleu with lists of tokens | 1.0
    load_metric("bleu").compute(predictions=[list("abcd")], references=[[list("abcd")]])["bleu"]
datasets.load_metric.rouge's .mid | 1.0
    load_metric("rouge").compute(predictions=["a"], references=["a"])["rouge1"].mid.fmeasure
pipeline.a task that pipeline lost | question-answering
    pipeline("question-answering", folder("BertForQuestionAnswering"), tokenizer=tok()).task.name
"""

# These need TensorFlow, and are tried in tests/test_tensorflow.py.
IN_TENSORFLOW = {
    *sum(ours.KERAS.values(), []),
    'PreTrainedTokenizerBase.__call__.return_tensors="tf"',
}

# Dead in the old place only, or alive in an older library.
MOVED = {e.name for e in of_kind("name") if "." in e.owner or not is_dead(e)}
MOVED |= {key(e) for e in entries() if e.kind != "name" and not is_dead(e)}
RUNS = pairs(NAMES) + pairs(USES)


@pytest.mark.parametrize("name, gives, code", RUNS, ids=[name for name, *_ in RUNS])
def test_it_runs_through_ours_alone(name, gives, code, names):
    assert str(run(code, names["ours"])) == gives
    if name not in MOVED:
        assert str(run(code, names["libraries"])) != gives


def test_every_name_and_use_that_is_called_alive_is_tried():
    revived = [e for e in of_kind("name", how=("revived",)) if not e.name.startswith("TF")]
    tried = {name for name, *_ in RUNS} | IN_TENSORFLOW
    assert {e.name for e in revived if not e.name.startswith("is_")} <= tried
    uses = {key(e) for e in of_kind("method", "attribute", "use", how=ALIVE)}
    # accelerate is not among our names: `migrate` writes today's.
    assert {name for name in uses if not name.startswith("accelerate.")} <= tried


def test_without_tensorflow_its_names_ask_for_it(names, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    keras_2021._on_keras.cache_clear()
    for code in (
        "AdamWeightDecay()",
        "KerasMetricCallback(max, [])",
        "PushToHubCallback(OUT)",
        "WarmUp(0.1, abs, 1)",
        "create_optimizer(0.1, 2, 1)",
        'tok()("a", return_tensors="tf")',
        'DataCollatorWithPadding(tok(), return_tensors="tf")([{"input_ids": [1]}])',
    ):
        error, why = run(code, names["ours"])
        assert error is InputError and "run: pip install 'nlp_tour[tf]'" in why, code


def test_what_is_installed_is_answered():
    asked = [e.name for e in of_kind("name", how=ALIVE) if e.name.startswith("is_")]
    assert len(asked) > 20
    assert {type(getattr(ours, name)()) for name in asked} == {bool}


def under(name):
    "What stands in `nlp_tour.all`; None where it asks for a library that is not installed."
    with contextlib.suppress(ImportError):
        return getattr(ours, name)


def test_a_renamed_name_is_todays():
    renamed = of_kind("name", how=("renamed",))
    assert sum(under(e.write) is not None for e in renamed) > 30
    dead = [e for e in renamed if is_dead(e)]  # an older library has some under both names
    assert [e for e in dead if under(e.name) is not under(e.write)] == []


def test_what_stays_dead_gets_its_sentence():
    told = [e for e in of_kind("name", how=TOLD) if is_dead(e) and not e.write]
    silent = []
    for e in told:
        with pytest.raises((AttributeError, InputError)) as raised:
            getattr(ours, e.example or e.name)()
        sentences = [other.today for other in told if other.name == e.name]
        silent += [] if any(s in str(raised.value) for s in sentences) else [e]
    assert len(told) > 150
    assert silent == []


def test_dead_members_are_on_no_object(names):
    "Not on the class, where another test looks, and not set by its `__init__`."
    see = names["libraries"]
    objects = {
        "PreTrainedTokenizerBase": "tok()",
        "BatchEncoding": "tok()('a')",
        "Trainer": "trainer()",
        "PreTrainedModel": "model('BertForMaskedLM')",
        "PreTrainedConfig": "model('BertForMaskedLM').config",
        "GenerationMixin": "model('GPT2LMHeadModel')",
        "GPT2LMHeadModel": "model('GPT2LMHeadModel')",
        "Dataset": "load_dataset('csv', data_files=CSV)['train']",
        "DataCollatorForLanguageModeling": "DataCollatorForLanguageModeling(tok())",
        "Wav2Vec2Processor": "Wav2Vec2Processor",
    }
    found = {owner: eval(code, see) for owner, code in objects.items()}
    found |= {"Accelerator": accelerate.Accelerator, "DistributedType": accelerate.DistributedType}
    members = filter(is_dead, of_kind("method", "attribute"))
    assert [e for e in members if hasattr(found[e.owner.rpartition(".")[2]], e.name)] == []


def test_outputs_are_no_tuple_any_more_but_a_slice_of_them_is(names):
    out = eval("model('BertForMaskedLM')(IDS, labels=IDS)", names["libraries"])
    assert list(out) == ["loss", "logits"]
    assert [type(x) for x in out[:]] == [torch.Tensor] * 2
