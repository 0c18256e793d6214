"Alone, in company, in windows, in threads: every family answers as transformers does one by one."

import copy
import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import tiny_families as tiny
import torch
import transformers
from datasets import Dataset
from packaging.version import Version

from nlp_tour.base import errors
from nlp_tour.base.errors import InputError
from nlp_tour.engine.batching import pad
from nlp_tour.hub.inputs import max_length, model_inputs
from nlp_tour.metrics.scores import load_metric
from nlp_tour.native_loop import evaluate, train
from nlp_tour.pipeline import pipeline
from nlp_tour.trainer import Trainer, TrainingArguments
from nlp_tour.training.encodings import collator, encode

# Families that no text alone can run, and why.
NOT_BY_TEXT = {
    "bros": "it needs the place of each word on a page",
    "layoutlmv2": "it needs the library detectron2, which is not on PyPI",
    "lxmert": "it needs features of a picture",
    "qwen3_asr": "it needs sound",
}
TEXTS = [tiny.words(k, n) for k, n in [(0, 2), (1, 8), (2, 9), (3, 35), (4, 2), (5, 28), (6, 31)]]
PAIRS = [(tiny.words(k, n), tiny.words(k + 9, m)) for k, n, m in [(0, 2, 3), (1, 5, 9), (2, 20, 4)]]
LONG, LONG_PAIR = tiny.words(5, 83), (tiny.words(0, 3), tiny.words(4, 71))


@pytest.fixture(autouse=True)
def quiet(one_thread):
    transformers.logging.set_verbosity_error()
    yield
    transformers.logging.set_verbosity_warning()


# What an older transformers fails at itself: test -> the first version seen to pass.
BEGINS = {
    "test_a_classifier_gives_a_text_one_answer[qwen3_5]": "5.15",
    "test_a_classifier_gives_a_text_one_answer[zamba]": "5.15",
    "test_a_prompt_is_continued_alike_in_company[big_bird]": "5.15",
    "test_a_prompt_is_continued_alike_in_company[cpmant]": "5.23",
    "test_a_prompt_is_continued_alike_in_company[git]": "5.23",
}
# Their experts need torch 2.9, or transformers 5.15, which does without.
EXPERTS = """deepseek_v2 gpt_oss hunyuan_v1_moe jamba minimax mistral4 mixtral phimoe qwen2_moe
    qwen3_moe qwen3_next""".split()
NO_EXPERTS = Version(torch.__version__) < Version("2.9") and (
    Version(transformers.__version__) < Version("5.15")
)


@pytest.fixture(autouse=True)
def begins(request):
    test = request.node.name
    first = BEGINS.get(test, "5.0")
    if Version(transformers.__version__) < Version(first):
        pytest.skip(f"passes with transformers {first}")
    if NO_EXPERTS and any(f"[{family}" in test for family in EXPERTS):
        pytest.skip("passes with torch 2.9 or transformers 5.15")


def cases(head):
    "A parameter for each family of a head."
    return [
        pytest.param(family, name, id=family)
        for family, name in tiny.families(head).items()
        if family not in NOT_BY_TEXT
    ]


def opened(task, family, name, **settings):
    "A pipeline on a tiny model, and the model."
    model = tiny.tiny_model(family, name, **settings)
    # Longformer looks for three separators in a question with its context.
    pair = {"pair": "<s> $A </s> </s> $B </s>"} if family == "longformer" else {}
    tok = tiny.tiny_tokenizer(model_max_length=48, **pair)
    return pipeline(task, model=model, tokenizer=tok, device="cpu"), model


def by_hand(model, pipe, item, stride=0):
    "What the model itself answers to one text or pair, window after window."
    pair = isinstance(item, tuple)
    windows = pipe.tokenizer(
        *(item if pair else (item,)),
        truncation="only_second" if pair else True,
        stride=stride,
        return_overflowing_tokens=True,
        return_token_type_ids=True,
    )
    for ids, types in zip(windows["input_ids"], windows["token_type_ids"]):
        inputs = {"input_ids": torch.tensor([ids])}
        if pipe.tok.inputs.types:
            inputs["token_type_ids"] = torch.tensor([types])
        # A BigBird that has seen a short text gives up its sparse attention for good.
        sparse = getattr(model.config, "attention_type", None) == "block_sparse"
        with torch.inference_mode():
            yield (copy.deepcopy(model) if sparse else model)(**inputs)


def close(a, b):
    return np.allclose(a, b, rtol=1e-3, atol=2e-4)


def outputs(pipe, items):
    "What the engine keeps of the windows of each item, all in one call."
    options = pipe.options
    rows = pipe.task.encode(items, options)
    found = [[] for _ in items]
    for row, output in zip(rows, pipe.run_all(rows, options)):
        found[row.owner].append(output)
    return found


def agree(pipe, model, items, stride, fields=("logits",)):
    "Check items that are answered together, and each in a thread of its own, against the model."
    answers = [list(by_hand(model, pipe, item, stride)) for item in items]
    with ThreadPoolExecutor(4) as pool:
        apart = [found for (found,) in pool.map(lambda item: outputs(pipe, [item]), items)]
    seed = torch.get_rng_state()
    together = outputs(pipe, items)
    assert torch.equal(torch.get_rng_state(), seed)
    for item, among, alone, expected in zip(items, together, apart, answers, strict=True):
        assert (len(expected) > 1) == (item in (LONG, LONG_PAIR))
        for one, other, right in zip(among, alone, expected, strict=True):
            for k, field in enumerate(fields):
                own = right[field][0]
                assert close(one[k] if len(fields) > 1 else one, own)
                assert close(other[k] if len(fields) > 1 else other, own)


@pytest.mark.parametrize("family, name", cases("SEQUENCE_CLASSIFICATION"))
def test_a_classifier_gives_a_text_one_answer(family, name):
    pipe, model = opened("text-classification", family, name)
    agree(pipe, model, [*TEXTS, *PAIRS, LONG, LONG_PAIR], stride=12)
    takes_its_longest(model)


def takes_its_longest(model):
    "No position of the longest input that the configuration promises is beyond the model's tables."
    most = max_length(None, model.config.to_dict())
    if most:
        with torch.inference_mode():
            model(input_ids=torch.tensor([[tiny.START, *[9] * (most - 2), tiny.END]]))


@pytest.mark.parametrize("family, name", cases("TOKEN_CLASSIFICATION"))
def test_every_token_gets_one_label(family, name):
    pipe, model = opened("token-classification", family, name)
    agree(pipe, model, [*TEXTS, LONG], stride=11)


@pytest.mark.parametrize("family, name", cases("QUESTION_ANSWERING"))
def test_a_context_gives_one_answer(family, name):
    pipe, model = opened("question-answering", family, name)
    agree(pipe, model, [*PAIRS, LONG_PAIR], stride=24, fields=("start_logits", "end_logits"))


@pytest.mark.parametrize("family", ["xlm-roberta", "albert", "bert"])
def test_windows_of_a_folder_carry_types_if_the_model_has_them(family, tmp_path):
    pipe, model = opened("question-answering", family, tiny.families("QUESTION_ANSWERING")[family])
    if family == "xlm-roberta":
        pipe, model = opened(
            "question-answering", family, "XLMRobertaForQuestionAnswering", type_vocab_size=1
        )
    model.save_pretrained(tmp_path)
    pipe.tokenizer.save_pretrained(tmp_path)
    by_folder = pipeline("question-answering", model=tmp_path, device="cpu")
    rows = by_folder.task.encode([LONG_PAIR], by_folder.options)
    assert len(rows) > 1
    assert all(bool(row.types and any(row.types)) == (family != "xlm-roberta") for row in rows)
    question, context = LONG_PAIR
    found, right = (p(question=question, context=context) for p in (by_folder, pipe))
    assert found["answer"] == right["answer"] and close(found["score"], right["score"])


def same_batch(pipe, items, trained):
    "Check the inputs of a training batch against what the engine sends for the same items."
    rows = pipe.task.encode(items, pipe.options)
    asked = pad(rows, pipe.task.pad_id, left=pipe.task.left)
    asked.setdefault("attention_mask", torch.ones_like(asked["input_ids"]))
    assert asked.keys() == trained.keys() - {"labels", "start_positions", "end_positions", "row"}
    for name, values in asked.items():
        assert torch.equal(trained[name], values), name


# One family of each kind: with types, without, with an own padding id, padded in front.
KINDS = ["bert", "distilbert", "roberta", "xlnet", "fnet", "deberta-v2"]
FILLS = [*((family, tiny.PAD) for family in KINDS), ("gpt2", tiny.END)]


@pytest.mark.parametrize("family, fill", FILLS)
@pytest.mark.parametrize("pairs", [False, True])
def test_a_classifier_trains_on_what_it_will_be_asked(family, fill, pairs):
    name = tiny.families("SEQUENCE_CLASSIFICATION")[family]
    pipe, model = opened("text-classification", family, name, pad_token_id=fill)
    # The files of this tokenizer pad on the side of few families, and name no types.
    tok = tiny.tiny_tokenizer(model_max_length=48, padding_side="left")
    items = PAIRS if pairs else TEXTS
    columns = dict(zip(("text", "text_pair"), zip(*PAIRS))) if pairs else {"text": TEXTS}
    data = Dataset.from_dict({k: list(v) for k, v in columns.items()} | {"label": [0] * len(items)})
    batch = collator("label", tok, model)(list(encode(data, tok, model)))
    same_batch(pipe, items, batch)
    assert batch["labels"].tolist() == [0] * len(items)


def test_scores_of_a_training_that_depend_on_company_say_so(capsys):
    errors._warned.clear()
    for family in ("bert", "fnet"):
        name = tiny.families("SEQUENCE_CLASSIFICATION")[family]
        collator("label", tiny.tiny_tokenizer(), tiny.tiny_model(family, name))
        printed = capsys.readouterr().err
        assert ("losses in training" in printed) == (family == "fnet")


@pytest.mark.parametrize("family", ["bert", "xlnet"])
def test_targets_stand_where_their_tokens_stand(family):
    name = tiny.families("TOKEN_CLASSIFICATION")[family]
    pipe, model = opened("token-classification", family, name)
    tags = [[int(w.endswith("1")) for w in text.split()] for text in TEXTS]
    data = Dataset.from_dict({"tokens": [text.split() for text in TEXTS], "tags": tags})
    batch = collator("tags", pipe.tokenizer, model)(list(encode(data, pipe.tokenizer, model)))
    same_batch(pipe, TEXTS, batch)
    found = [row[row != -100].tolist() for row in batch["labels"]]
    assert found == tags
    assert torch.equal(batch["labels"] != -100, batch["input_ids"] >= tiny.FIRST)

    name = tiny.families("QUESTION_ANSWERING")[family]
    pipe, model = opened("question-answering", family, name)
    columns = dict(zip(("question", "context"), map(list, zip(*PAIRS))))
    words = [context.split()[1] for _, context in PAIRS]
    answers = [{"text": [w], "answer_start": [c.index(w)]} for w, (_, c) in zip(words, PAIRS)]
    data = Dataset.from_dict(columns | {"answers": answers})
    batch = collator("answers", pipe.tokenizer, model)(list(encode(data, pipe.tokenizer, model)))
    same_batch(pipe, PAIRS, batch)
    for name in ("start_positions", "end_positions"):
        ids = batch["input_ids"].gather(1, batch[name][:, None])[:, 0].tolist()
        assert pipe.tokenizer.convert_ids_to_tokens(ids) == words


# 4.57.1's tokenizers, by the families whose models have more than one type.
TYPED = """albert bert canine convbert electra ernie fnet funnel layoutlm lxmert megatron-bert
    mobilebert nystromformer rembert roc_bert roformer splinter squeezebert xlnet""".split()
UNTYPED = """big_bird camembert data2vec-text gpt2 ibert longformer luke mpnet openai-gpt roberta
    xlm-roberta ctrl deberta deberta-v2""".split()


@pytest.mark.parametrize("family", TYPED + UNTYPED)
def test_types_are_sent_to_whom_4_57_sent_them(family):
    config = transformers.AutoConfig.for_model(family).to_dict()
    found = model_inputs(config, tiny.tiny_tokenizer()).types
    assert (found > 1) == (family in TYPED)
    assert not model_inputs(config, tiny.tiny_tokenizer(typed=False)).types


# Each way to count positions and to remember; EVERY_FAMILY=1 tries all that can be made tiny.
WRITERS = """bamba bart bert big_bird bigbird_pegasus biogpt blenderbot-small bloom cpmant ctrl git
    gpt2 gpt_neo gptj llama mamba mamba2 marian mbart mpt mvp openai-gpt opt pegasus phi plbart
    prophetnet recurrent_gemma reformer roberta roformer rwkv trocr whisper xglm xlm xlnet
    xlstm""".split()
# Families that no text alone lets write, and why.
NO_WRITERS = {
    "blt": "its configuration counts no layers, which generate of transformers asks for",
    "gemma3n": "its half that sees needs the library timm",
    "gemma4_assistant": "it needs what the model that it helps has read",
    "gemma4_unified_assistant": "it needs what the model that it helps has read",
    "musicgen": "it writes sound, four codes at a time",
    "musicgen_melody": "it writes sound, four codes at a time",
}
EVERY = bool(os.environ.get("EVERY_FAMILY"))


@pytest.mark.parametrize(
    "family",
    [f for f in tiny.families("CAUSAL_LM") if f not in NO_WRITERS and (EVERY or f in WRITERS)],
)
def test_a_prompt_is_continued_alike_in_company(family):
    name = tiny.families("CAUSAL_LM")[family]
    pipe, _ = opened("text-generation", family, name, **tiny.TO_WRITE.get(family, {}))
    texts = [tiny.words(k, n) for k, n in [(0, 2), (1, 8), (2, 9), (3, 33), (4, 2), (5, 25)]]
    options = {"max_new_tokens": 5, "prefix": "", "return_full_text": False}
    alone = [pipe(text, **options) for text in texts]
    assert pipe(texts, **options) == alone
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda text: pipe(text, **options), texts)) == alone


READERS = """bart bigbird_pegasus blenderbot-small led longt5 m2m_100 marian mbart pegasus plbart
    prophetnet switch_transformers t5 t5gemma""".split()
# Families that transformers lists among those that read and write, and that continue a text.
ONE_HALF = """audioflamingo3 glmasr granite_speech granite_speech_plus moss_transcribe_diarize
    qwen2_audio qwen3_asr vibevoice_asr voxtral""".split()
NO_READERS = {
    "musicflamingo": "transformers makes no configuration of it without its own numbers of sound",
    "nemo_speechlm": "its halves for sound must fit one another, and no text passes through them",
    "voxtral_realtime": "it needs sound",
}
READING = tiny.families("SEQ_TO_SEQ_CAUSAL_LM").keys() - {*ONE_HALF, *NO_READERS}


@pytest.mark.parametrize("family", sorted(READING if EVERY else READING & {*READERS}))
def test_a_text_is_rewritten_alike_in_company(family):
    name = tiny.families("SEQ_TO_SEQ_CAUSAL_LM")[family]
    pipe, model = opened("text2text-generation", family, name, decoder_start_token_id=tiny.PAD)
    options = {"max_new_tokens": 5, "num_beams": 1}
    alone = [pipe(text, **options)[0] for text in TEXTS]
    assert pipe(TEXTS, **options) == alone
    ids = torch.tensor([pipe.tokenizer(TEXTS[2])["input_ids"]])
    memory = {"use_cache": pipe.task.inputs.caches}
    written = copy.deepcopy(model).generate(ids, do_sample=False, **options, **memory)
    right = pipe.tokenizer.decode(written[0], skip_special_tokens=True)
    assert alone[2]["generated_text"].strip() == right.strip()


CONTINUING = tiny.families("SEQ_TO_SEQ_CAUSAL_LM") | {"gpt2": "GPT2LMHeadModel"}


@pytest.mark.parametrize("family", [f for f in (*ONE_HALF, "gpt2") if f in CONTINUING])
def test_a_model_that_only_continues_a_text_rewrites_none(family):
    with pytest.raises(InputError, match="only continues texts.*'text-generation'"):
        opened("text2text-generation", family, CONTINUING[family])


# One family of each kind: padding seen, positions counted from the padding id, sparse, and others.
SOME = """bert big_bird convbert distilbert fnet funnel mobilebert mpnet nystromformer reformer
    roberta xlm yoso""".split()
FILLERS = tiny.families("MASKED_LM")


@pytest.mark.parametrize("family", [f for f in FILLERS if EVERY or f in SOME])
def test_a_mask_is_filled_alike_in_company(family):
    pair = {"pair": "<s> $A </s> </s> $B </s>"} if family == "longformer" else {}
    tok = tiny.tiny_tokenizer(model_max_length=48, mask_token="w60", **pair)
    model = tiny.tiny_model(family, tiny.families("MASKED_LM")[family])
    pipe = pipeline("fill-mask", model=model, tokenizer=tok, device="cpu")
    texts = [text.replace(text.split()[1], "w60", 1) for text in TEXTS]
    for text, among in zip(texts, pipe(texts), strict=True):
        alone = pipe(text)
        assert [a["token"] for a in among] == [a["token"] for a in alone]
        assert close([a["score"] for a in among], [a["score"] for a in alone])


def test_a_single_prompt_is_continued_as_the_model_does():
    pipe, model = opened("text-generation", "marian", "MarianForCausalLM")
    text = tiny.words(1, 8)
    ids = torch.tensor([pipe.tokenizer(text, add_special_tokens=False)["input_ids"]])
    written = model.generate(ids, max_new_tokens=5, num_beams=1, do_sample=False, pad_token_id=1)
    right = pipe.tokenizer.decode(written[0, ids.shape[1] :], skip_special_tokens=True)
    company = [tiny.words(0, 2), text, tiny.words(3, 30)]
    found = pipe(company, max_new_tokens=5, return_full_text=False)[1][0]["generated_text"]
    assert found.strip() == right.strip()


# Short and long texts get other frequencies, and the longest row of a batch decides for all.
LONGROPE = {
    "rope_type": "longrope",
    "rope_theta": 1e4,
    "short_factor": [1.0, 1.0, 1.0, 1.0],
    "long_factor": [3.0, 9.0, 20.0, 50.0],
    "original_max_position_embeddings": 16,
}


@pytest.mark.parametrize(
    "task, name",
    [
        ("text-classification", "Phi3ForSequenceClassification"),
        ("token-classification", "Phi3ForTokenClassification"),
        ("text-generation", "Phi3ForCausalLM"),
    ],
)
def test_frequencies_that_follow_the_longest_row(task, name):
    settings = {"rope_parameters": LONGROPE, "original_max_position_embeddings": 16}
    pipe, _ = opened(task, "phi3", name, head_dim=8, tie_word_embeddings=False, **settings)
    texts = [tiny.words(k, n) for k, n in enumerate([3, 13, 14, 14, 15, 16, 20, 13, 30])]
    options = {"max_new_tokens": 4} if task == "text-generation" else {}

    def answers(given):
        return pipe(given, **options)

    def same(a, b):
        a, b = (np.ravel(x).tolist() for x in (a, b))
        rest = [{**x, "score": 0} for x in a] == [{**x, "score": 0} for x in b]
        return rest and close(*([x.get("score", 0) for x in found] for found in (a, b)))

    alone = [answers(text) for text in texts]
    assert all(map(same, answers(texts), alone))
    with ThreadPoolExecutor(8) as pool:
        assert all(map(same, pool.map(answers, texts * 20), alone * 20))


def test_a_reformer_without_a_seed_says_that_its_answers_are_chance(capsys):
    settings = {"hash_seed": None}
    pipe, _ = opened(
        "text-classification", "reformer", "ReformerForSequenceClassification", **settings
    )
    pipe(TEXTS[:2])
    pipe(TEXTS[2])
    assert capsys.readouterr().err.count("has no hash_seed") == 1
    opened("text-classification", "reformer", "ReformerForSequenceClassification")[0]("w4")
    assert "hash_seed" not in capsys.readouterr().err


def test_a_classifier_without_a_padding_id_takes_one_text_at_a_time():
    pipe, model = opened("text-classification", "gpt2", "GPT2ForSequenceClassification")
    model.config.pad_token_id = None
    changed_later = pipe(TEXTS)
    pipe = pipeline("text-classification", model=model, tokenizer=pipe.tokenizer, device="cpu")
    assert changed_later == pipe(TEXTS) == [pipe(text)[0] for text in TEXTS]


def test_gaps_hold_the_id_that_the_model_looks_for():
    name = "GPT2ForSequenceClassification"
    pipe, model = opened("text-classification", "gpt2", name, pad_token_id=tiny.END)
    agree(pipe, model, TEXTS, stride=0)


@pytest.mark.parametrize("task", ["text-classification", "zero-shot-classification"])
def test_an_end_token_in_a_text_costs_no_other_text_its_answer(task):
    labels = {0: "contradiction", 1: "neutral", 2: "entailment"}
    settings = {"id2label": labels, "label2id": {v: k for k, v in labels.items()}}
    pipe, _ = opened(task, "bart", "BartForSequenceClassification", **settings)
    more = [["w4", "w5"]] if task.startswith("zero") else []
    texts = ["w4 w5", "w6 </s> w7 w8", "w9"]
    alone = [pipe(text, *more) for text in texts]
    alone = [a if isinstance(a, dict) else a[0] for a in alone]
    for together, single in zip(pipe(texts, *more), alone):
        key = "scores" if more else "score"
        assert close(together[key], single[key])


@pytest.mark.parametrize("pooling", ["none", "mean", "cls", "max"])
@pytest.mark.parametrize("family, name", [("xlnet", "XLNetModel"), ("fnet", "FNetModel")])
def test_features_are_those_of_the_text_alone(family, name, pooling):
    pipe, _ = opened("feature-extraction", family, name)
    for text, among in zip(TEXTS, pipe(TEXTS, pooling=pooling)):
        assert close(among, pipe(text, pooling=pooling))


def test_labels_embedded_together_are_as_alone():
    pipe, _ = opened("zero-shot-classification", "fnet", "FNetModel")
    options = {"method": "embedding", "hypothesis_template": "{}"}
    both = pipe("w4 w5", candidate_labels=["w6", "w7 w8 w9"], **options)
    turned = pipe("w4 w5", candidate_labels=["w7 w8 w9", "w6"], **options)
    assert dict(zip(both["labels"], both["scores"])) == dict(
        zip(turned["labels"], turned["scores"])
    )


def test_a_pair_with_two_long_texts_is_cut_as_transformers_cuts_it():
    pipe, _ = opened("text-classification", "bert", "BertForSequenceClassification")
    pair = tiny.words(0, 60), tiny.words(3, 50)
    ((window,),) = pipe.tok.windows([pair], "truncate")
    expected = tiny.tiny_tokenizer(model_max_length=48)(*pair, truncation=True)
    assert window.encoding.ids == expected["input_ids"]


def test_one_pair_gives_one_dict():
    pipe, _ = opened("text-classification", "bert", "BertForSequenceClassification")
    pair = {"text": "w4", "text_pair": "w5 w6"}
    stock = transformers.pipeline("text-classification", model=pipe.model, tokenizer=pipe.tokenizer)
    assert set(pipe(pair)) == set(stock(pair)) == {"label", "score"}
    assert pipe([pair]) == [pipe(pair)]
    for options in ({"top_k": 1}, {"top_k": None}):
        assert [a["label"] for a in pipe(pair, **options)] == [
            a["label"] for a in stock(pair, **options)
        ]
    assert isinstance(pipe("w4"), list) and isinstance(stock("w4"), list)


def test_truncation_of_2021_may_be_switched_off_by_name():
    pipe, _ = opened("text-classification", "bert", "BertForSequenceClassification")
    long = tiny.words(0, 200)
    assert pipe(long, truncation="do_not_truncate") == pipe(long) != pipe(long, truncation=True)


@pytest.mark.parametrize(
    "family, task", [("t5", "text2text-generation"), ("bart", "summarization")]
)
def test_threads_cut_their_own_texts(family, task):
    names = {"t5": "T5ForConditionalGeneration", "bart": "BartForConditionalGeneration"}
    settings = {"long": "truncate", "max_new_tokens": 3, "num_beams": 1}
    model = tiny.tiny_model(family, names[family], decoder_start_token_id=tiny.PAD)
    tok = tiny.tiny_tokenizer(model_max_length=48)
    pipe = pipeline(task, model=model, tokenizer=tok, device="cpu", **settings)
    texts = [tiny.words(k, n) for k, n in [(0, 90), (1, 4), (2, 70), (3, 9)]]
    alone = [pipe(text) for text in texts]
    level = transformers.logging.get_verbosity()
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(pipe, texts * 20)) == alone * 20
    assert transformers.logging.get_verbosity() == level
    cut = tok(texts[0], truncation=True)["input_ids"]
    assert pipe.task.encode(texts[:1], pipe.options)[0].ids == cut


# A model that is given as an object may have any head.
HEADS = [
    ("bert", "BertModel", "text-classification"),
    ("bert", "BertForMaskedLM", "token-classification"),
    ("bert", "BertForMaskedLM", "text-generation"),
    ("bert", "BertForSequenceClassification", "question-answering"),
    ("bert", "BertForTokenClassification", "fill-mask"),
    ("bart", "BartForSequenceClassification", "token-classification"),
    ("bart", "BartModel", "summarization"),
    ("gpt2", "GPT2LMHeadModel", "sentiment-analysis"),
]


@pytest.mark.parametrize("family, name, task", HEADS)
def test_a_model_without_the_head_of_the_task_is_refused(family, name, task):
    with pytest.raises(InputError, match=f"a {name} has no head for .*; open one that has"):
        opened(task, family, name)


# What reads something else: pictures, sound, or the numbers of another model.
NO_TEXTS = [
    ("perceiver", "PerceiverModel", "feature-extraction", "reads inputs"),
    ("perceiver", "PerceiverForMaskedLM", "feature-extraction", "reads inputs"),
    ("whisper", "WhisperModel", "feature-extraction", "reads input_features"),
    ("whisper", "WhisperForConditionalGeneration", "text2text-generation", "reads input_features"),
    ("vit", "ViTModel", "feature-extraction", "reads pixel_values"),
    ("clip", "CLIPModel", "feature-extraction", "it also takes pixel_values"),
    ("lxmert", "LxmertModel", "feature-extraction", "it also takes visual_feats"),
    ("bros", "BrosForTokenClassification", "token-classification", "it also takes bbox"),
]


@pytest.mark.parametrize("family, name, task, message", NO_TEXTS)
def test_a_model_that_reads_no_text_says_what_it_reads(family, name, task, message):
    with pytest.raises(InputError, match=message):
        opened(task, family, name)[0](TEXTS[:2])


def test_a_half_for_texts_gives_features():
    model = tiny.tiny_model("clip", "CLIPModel").text_model
    tok = tiny.tiny_tokenizer(model_max_length=48)
    pipe = pipeline("feature-extraction", model=model, tokenizer=tok, device="cpu")
    for text, among in zip(TEXTS, pipe(TEXTS, pooling="mean")):
        assert close(among, pipe(text, pooling="mean"))


def test_a_model_that_also_sees_is_asked_to_continue_a_text(tmp_path):
    name = "Gemma3ForConditionalGeneration"
    model = tiny.tiny_model("gemma3", name)
    model.save_pretrained(tmp_path)
    tiny.tiny_tokenizer(model_max_length=48).save_pretrained(tmp_path)
    for task in (None, "text-generation"):
        pipe = pipeline(task, model=tmp_path, device="cpu")
        assert pipe.task.name == "text-generation"
        assert len(pipe("w4 w5", max_new_tokens=3)) == 1


def evaluated(model, tok, kind, data, rows):
    "Loss and predictions of an evaluation, `rows` to a batch: of each row's own tokens."
    ds = encode(Dataset.from_dict(data), tok, model)
    trainer = Trainer(
        model=model,
        args=TrainingArguments(per_device_eval_batch_size=rows, use_cpu=True, report_to=[]),
        data_collator=collator(kind, tok, model),
        processing_class=tok,
    )
    found = trainer.predict(ds)
    parts = found.predictions if isinstance(found.predictions, tuple) else (found.predictions,)
    if kind == "label":
        return found.metrics["test_loss"], parts[0]
    lengths = [len(ids) for ids in ds["input_ids"]]
    logits = [part[i, :n] for part in parts[:2] for i, n in enumerate(lengths)]
    # The loss of tags is a mean over the tokens of a batch, and no batch has as many.
    return 0 if kind == "tags" else found.metrics["test_loss"], np.concatenate(logits)


DATA = {
    "label": {"text": TEXTS, "label": [i % 2 for i in range(len(TEXTS))]},
    "tags": {
        "tokens": [text.split() for text in TEXTS],
        "tags": [[int(w.endswith("1")) for w in text.split()] for text in TEXTS],
    },
    "answers": {
        "question": [question for question, _ in PAIRS],
        "context": [context for _, context in PAIRS],
        "answers": [{"text": [c.split()[0]], "answer_start": [0]} for _, c in PAIRS],
    },
}


@pytest.mark.parametrize("family", ["mobilebert", "fnet", "convbert", "canine", "bert"])
@pytest.mark.parametrize("kind", DATA)
def test_an_evaluation_owes_nothing_to_the_size_of_its_batches(family, kind):
    heads = {"label": "SEQUENCE_CLASSIFICATION", "tags": "TOKEN_CLASSIFICATION"}
    name = tiny.families(heads.get(kind, "QUESTION_ANSWERING")).get(family)
    if name is None:
        pytest.skip(f"transformers has no {kind} head for {family}")
    model, tok = tiny.tiny_model(family, name), tiny.tiny_tokenizer(model_max_length=48)
    alone = evaluated(model, tok, kind, DATA[kind], 1)
    together = evaluated(model, tok, kind, DATA[kind], 8)
    assert all(map(close, alone, together))
    if kind == "label":
        ds = encode(Dataset.from_dict(DATA[kind]), tok, model).with_format(None)
        collate = collator(kind, tok, model)
        for rows in (1, 8):
            batches = torch.utils.data.DataLoader(list(ds), rows, collate_fn=collate)
            found = evaluate(model, batches, load_metric("accuracy"))
            assert close(found["loss"], alone[0])


QUOTING = {
    "text": ["w4 w5", "w6 </s> w7 w8", "w9", "w4 </s>", "w5", "w7 w8 w9"],
    "label": [0, 1, 0, 1, 0, 1],
}


@pytest.mark.parametrize("family", ["bart", "t5", "mbart"])
def test_a_text_that_quotes_an_end_token_is_learnt_with_the_others(family, tmp_path):
    name = tiny.families("SEQUENCE_CLASSIFICATION")[family]
    still = dict.fromkeys("dropout attention_dropout activation_dropout dropout_rate".split(), 0.0)
    model, tok = tiny.tiny_model(family, name, **still), tiny.tiny_tokenizer(model_max_length=48)
    ds = encode(Dataset.from_dict(QUOTING), tok, model).with_format(None)
    collate = collator("label", tok, model)
    with torch.no_grad():
        alone = [model(**collate([row])).loss.item() for row in ds]
    batches = torch.utils.data.DataLoader(list(ds), 6, collate_fn=collate)
    (loss,) = train(model, batches, torch.optim.SGD(model.parameters(), lr=0.0), progress=False)
    assert close(loss, np.mean(alone))
    assert close(evaluate(model, batches, load_metric("accuracy"))["loss"], np.mean(alone))
    more = {"max_steps": 1, "learning_rate": 0.0, "logging_steps": 1, "save_strategy": "no"}
    args = TrainingArguments(
        tmp_path, per_device_train_batch_size=6, use_cpu=True, report_to=[], **more
    )
    trainer = Trainer(model=model, args=args, train_dataset=ds, data_collator=collate)
    trainer.train()
    assert close(trainer.state.log_history[0]["loss"], np.mean(alone))


WRONG_ROWS = [
    ("tags", {"tokens": [["w4", "w5"], ["w6"]], "tags": [[0, 1], [1, 0]]}, "row 1 .* 1 tokens and"),
    ("tags", {"tokens": [["w4", "w5"], ["w6"]], "tags": [[0], [1]]}, "row 0 .* 2 tokens and 1"),
    (
        "answers",
        {"answers": [{"text": ["w6"], "answer_start": []}]},
        "row 0 .* 1 text and 0 answer",
    ),
    ("answers", {"question": [tiny.words(0, 60)]}, "row 0 .* a question of 62 tokens, and .* 48"),
]


@pytest.mark.parametrize("kind, data, message", WRONG_ROWS)
def test_rows_that_cannot_be_learnt_are_named(kind, data, message):
    name = "BertForTokenClassification" if kind == "tags" else "BertForQuestionAnswering"
    right = {"question": ["w4"], "context": ["w5 w6"]}
    right["answers"] = [{"text": ["w6"], "answer_start": [3]}]
    ds = Dataset.from_dict(data if kind == "tags" else right | data)
    with pytest.raises(InputError, match=message):
        encode(ds, tiny.tiny_tokenizer(model_max_length=48), tiny.tiny_model("bert", name))


def test_an_answer_that_is_not_at_its_place_is_reported(capsys):
    model = tiny.tiny_model("bert", "BertForQuestionAnswering")
    for start, wrong in [(3, False), (0, True), (-1, True), (300, True)]:
        answers = [{"text": ["w6"], "answer_start": [start]}]
        ds = Dataset.from_dict({"question": ["w4"], "context": ["w5 w6"], "answers": answers})
        errors._warned.clear()
        encode(ds, tiny.tiny_tokenizer(model_max_length=48), model)
        assert ("1 of 1 rows of train have an answer" in capsys.readouterr().err) == wrong


def test_numbers_of_numpy_are_settings_of_generate():
    pipe, _ = opened("text-generation", "gpt2", "GPT2LMHeadModel")
    options = {"do_sample": np.bool_(True), "temperature": np.float32(0.5)}
    assert len(pipe("w4", max_new_tokens=np.int64(2), **options)) == 1


def test_an_adapter_is_as_good_as_its_model():
    peft = pytest.importorskip("peft")
    tok = tiny.tiny_tokenizer(model_max_length=48)
    masked = peft.get_peft_model(tiny.tiny_model("bert", "BertForMaskedLM"), peft.LoraConfig())
    with pytest.raises(InputError, match="a BertForMaskedLM has no head for text-classification"):
        pipeline("text-classification", model=masked, tokenizer=tok, device="cpu")
    model = tiny.tiny_model("bert", "BertForSequenceClassification")
    adapted = peft.get_peft_model(model, peft.LoraConfig(task_type="SEQ_CLS"))
    assert pipeline("text-classification", model=adapted, tokenizer=tok, device="cpu")("w4")


@pytest.mark.parametrize(
    "family, name, task, output",
    [
        ("xlnet", "XLNetForQuestionAnswering", "question-answering", "start_logits"),
        ("dpr", "DPRQuestionEncoder", "feature-extraction", "last_hidden_state"),
    ],
)
def test_a_model_that_gives_something_else_is_refused(family, name, task, output):
    pipe, _ = opened(task, family, name)
    more = {"question": "w4", "context": "w5 w6"} if "question" in task else {"inputs": "w4"}
    with pytest.raises(InputError, match=f"a {name} gives no {output}, which {task} needs"):
        pipe(**more)


def test_experts_that_torch_cannot_compute(monkeypatch):
    "torch 2.8 with transformers 5.5 on a CPU, pretended."
    pipe, model = opened("text-classification", "mixtral", "MixtralForSequenceClassification")

    def forward(**inputs):
        raise NotImplementedError("Could not run 'aten::_grouped_mm' with arguments from 'CPU'")

    monkeypatch.setattr(model, "forward", forward)
    with pytest.raises(InputError, match="experts of a MixtralForSeq.*take torch 2.9"):
        pipe("w4")


def test_a_model_that_was_never_saved_tells_its_task():
    tok = tiny.tiny_tokenizer(model_max_length=48)
    names = {"gpt2": "GPT2LMHeadModel", "t5": "T5ForConditionalGeneration", "bert": "BertModel"}
    tasks = ["text-generation", "text2text-generation", "feature-extraction"]
    for (family, name), task in zip(names.items(), tasks, strict=True):
        pipe = pipeline(model=tiny.tiny_model(family, name), tokenizer=tok, device="cpu")
        assert pipe.task.name == task
